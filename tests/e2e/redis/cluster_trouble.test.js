// skeeter_cluster when brokers and the Redis die and come back: nobody waits for ever, what can be kept is kept, and what is lost is counted.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { cluster, client, linked, counters } = require('../../harness/cluster');
const { redis } = require('../../harness/service_redis');

// Only one broker is known, and only its filters.
const alone = async (r) => (await r.cli('KEYS', '*cluster:*')).trim().split('\n').length === 1 && await r.cli('ZCARD', 'skeeter:{skeeter}cluster') === '1';
const times = (log, pattern) => (log.match(new RegExp(pattern, 'g')) || []).length;

test('a broker that is killed is forgotten, and is heard again when it is back', async (t) => {
	const r = await redis(t), [a, b, c] = await cluster(t, r.url, 3, { topics: 'site/#' });
	const sender = await client(a), there = await client(c);
	let s = await client(b);
	await s.subscribe('site/#');
	await there.subscribe('site/#');
	await linked(a, s);
	await linked(a, there);
	const gone = a.logged(/cluster: the broker [0-9a-f]{16} is gone/);
	await b.stop('SIGKILL');
	await sender.publish('site/1', 'while it is away');
	await there.nextMessage('site/1');
	await gone;
	await b.start();
	s = await client(b);
	await s.subscribe('site/#');
	await linked(a, s);
	await sender.publish('site/1', 'again');
	assert.equal(String((await s.nextMessage('site/1')).payload), 'again');
	await s.publish('site/2', 'back');
	await linked(b, there);
	assert.equal(String((await there.nextMessage('site/2')).payload), 'back');
});

test('a broker that ends says so: nothing is kept for it', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#' });
	const sender = await client(a), s = await client(b);
	await s.subscribe('site/#');
	await linked(a, s);
	await b.stop();
	await until('its filters to be gone', () => alone(r));
	const before = await counters(a);
	for (let n = 0; n < 10; n++)
		await sender.publish('site/1', 'x');
	const after = await counters(a);
	assert.equal(after.cluster_sent, before.cluster_sent);
	assert.equal(after.cluster_dropped, before.cluster_dropped);
});

test('while the Redis is away messages wait, and arrive when it is back, each once; one line each way', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#' });
	const sender = await client(a), s = await client(b);
	await s.subscribe('site/#');
	await linked(a, s);
	const away = a.logged(/cluster: the Redis is away/);
	await r.kill();
	const numbers = Array.from({ length: 100 }, (_, i) => String(i));
	for (const n of numbers.slice(0, 50))
		await sender.publish('site/1', n);
	await away;
	await s.subscribe('later/#');
	for (const n of numbers.slice(50))
		await sender.publish('site/1', n);
	const back = a.logged(/cluster: the Redis is back/);
	await r.start();
	await back;
	await until('all of them', () => s.got('site/1').length >= 100);
	await linked(a, s);
	assert.deepEqual(s.got('site/1').map((m) => String(m.payload)), numbers);
	assert.equal(times(a.log, 'cluster: the Redis is away'), 1);
	assert.equal(times(a.log, 'cluster: the Redis is back'), 1);
});

test('a Redis that forgets everything is told everything again', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#' });
	const sender = await client(a), s = await client(b);
	await s.subscribe('site/#');
	await linked(a, s);
	// What is changed before they have noticed is not all that they take.
	await r.cli('FLUSHALL');
	await s.subscribe('some/thing');
	await until('both to be there again', async () => (await r.cli('ZCARD', 'skeeter:{skeeter}cluster')) === '2');
	const filters = async () => (await r.cli('EVAL', "local t = {} for _, k in ipairs(redis.call('KEYS', '*cluster:*')) do t[#t + 1] = table.concat(redis.call('HKEYS', k), ' ') end return table.concat(t, ' ')", '0')).split(' ');
	await until('what they take', async () => { const got = await filters(); return ['site/#', 'some/thing'].every((f) => got.includes(f)); });
	await linked(a, s);
	await sender.publish('site/1', 'x');
	await s.nextMessage('site/1');
});

test('a control message that is lost is noticed: the filters are read anew', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#' });
	const sender = await client(a), s = await client(b);
	await linked(a, s);
	await r.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
	await s.subscribe('site/#');
	await until('a message', async () => {
		await sender.publish('site/1', 'x');
		return s.got('site/1').length;
	});
});

test('a Redis that stands still costs what does not fit into the queue, and the broker goes on', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#', cluster: { queue: '1m' } });
	const sender = await client(a), s = await client(b), near = await client(a);
	await s.subscribe('site/#');
	await near.subscribe('site/end');
	await linked(a, s);
	await r.pause();
	const payload = 'x'.repeat(10000);
	for (let n = 0; n < 300; n++)
		await sender.publish('site/1', `${n} ${payload}`);
	await sender.publish('site/end', '');
	await near.nextMessage('site/end');
	await a.logged(/cluster: \d+ messages for other brokers were dropped/, 0);
	const dropped = async () => (await counters(a)).cluster_dropped, lost = await dropped();
	assert.ok(lost >= 150 && lost < 220, `${lost}`);
	r.resume();
	// There is no room for the first of these either, until the queue has been taken.
	let sent = 301;
	const got = (topic) => s.got(topic).map((m) => String(m.payload).split(' ')[0]);
	await until('one to arrive', async () => {
		await sender.publish('site/again', String(++sent));
		return got('site/again').length;
	});
	const all = () => [...got('site/1'), ...got('site/end'), ...got('site/again')];
	await until(() => `each of ${sent} to be here or counted: ${all().length} are`, async () => all().length + await dropped() === sent);
	assert.equal(new Set(all()).size, all().length, 'none came twice');
});

test('a session that a broker has from its file is heard of: by what it had before, and by what it shows when it comes', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#', plugins: ['core', 'registry', 'auth', 'shadow'], conf: 'persistence true' });
	const come = () => b.tls('lasting', { clean: false }).connect();
	await b.provision('lasting');
	const sender = await client(a), linkedNow = async () => linked(a, await client(b));
	let lasting = await come();
	await lasting.subscribe('site/#');
	await linkedNow();
	await lasting.end();
	await b.stop();
	await b.start();
	await linkedNow();
	await sender.publish('site/1', 'while it was away');
	await linkedNow();
	lasting = await come();
	assert.equal(String((await lasting.nextMessage('site/1')).payload), 'while it was away');
	await lasting.end();
	await b.stop();
	fs.rmSync(`${b.data}/cluster.sessions`);
	await b.start();
	lasting = await come();
	await until('a message', async () => {
		await sender.publish('site/2', 'x');
		return lasting.got('site/2').length;
	});
});

test('a user with the rights that the README says', async (t) => {
	const [, rules] = /^ACL SETUSER (carrier .*)$/m.exec(fs.readFileSync(path.join(__dirname, '../../../plugins/cluster/README.md'), 'utf8'));
	const r = await redis(t, { users: [`user ${rules.replace('PASSWORD', 'p:w')}`] });
	const [a, b] = await cluster(t, r.at({ user: 'carrier', password: 'p:w' }), 2, { topics: 'site/#' });
	const there = await client(b), here = await client(a);
	await there.subscribe('site/#');
	await linked(a, there);
	await here.publish('site/1', 'hello');
	await until('the message at the other broker', () => there.got('site/1').length === 1);
	await b.stop();
	await until('the broker that ended to be forgotten', () => alone(r));
	assert.doesNotMatch(a.log + b.log, /NOPERM|p:w/);
});
