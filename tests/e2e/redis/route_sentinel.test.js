// A route to the master that Sentinels name: one that changes, Sentinels that are gone or want a password, and one that knows no such master.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { freePort } = require('../../harness/ports');
const { route } = require('../../harness/route');
const { redis } = require('../../harness/service_redis');
const { sentinels } = require('../../harness/service_redis_sentinel');

const more = async (s, n = 2000) => {
	const done = async () => Number(await (await s.master()).info('total_commands_processed'));
	const was = await done();
	await until('more commands', async () => { const now = await done(); return now < was || now > was + n; });
};

test('2,000 counters through failovers: what a replica has acknowledged stays', async (t) => {
	const s = await sentinels(t, { password: 'p w:d'.replace(/\W/g, '-'), sentinelPassword: 'other' }), file = path.join(s.nodes[0].dir, 'sentinel.password');
	fs.writeFileSync(file, 'other\n', { mode: 0o600 });
	const d = route(t, s.at({ query: `sentinel_password_file=${file}` }));
	d.count({ counters: 2000, deep: 500, ms: 60000, replicas: 1 });
	await more(s);
	await s.failover();
	await more(s, 200);
	await until('the replica to be in step', async () => Number(await (await s.master()).info('connected_slaves')) === 1);
	await more(s);
	const gone = await s.killMaster();
	await gone.start();
	await until('the replica to be in step', async () => Number(await (await s.master()).info('connected_slaves')) === 1);
	await more(s);
	const n = await d.stopped();
	assert.deepEqual([n.wrong, n.wrongs], [0, ''], JSON.stringify(n));
	assert.ok(n.added > 2000 && n.count.resent > 0, JSON.stringify(n));
	const { masters } = await d.masters();
	assert.deepEqual(masters, [`127.0.0.1:${(await s.master()).port}`]);
}, { seconds: 240 });

test('a failover brings the scripts along, and Sentinels that are gone or stand still do not matter while one answers', async (t) => {
	const s = await sentinels(t), d = route(t, s.at({ path: '/2' }));
	await d.say({ script: '#!lua\nreturn redis.call(\'INCR\', KEYS[1])' });
	const add = async (ms = 60000) => (await d.ask([['EVALSHA', '@', '1', 'k']], { ms })).replies[0];
	assert.equal(await add(), 1);
	await (await s.master()).cli('WAIT', '1', '10000');
	await s.failover();
	assert.equal(await add(), 2);
	await s.sentinels[0].kill();
	await s.sentinels[1].pause();
	s.sentinels[1].paused = true;
	await d.say({ forget: true });
	assert.equal(await add(4000), 3);
	assert.equal(await (await s.master()).cli('-n', '2', 'GET', 'k'), '3');
	s.sentinels[1].resume();
}, { seconds: 120 });

test('what the Sentinels do not know, or say wrongly, is said', async (t) => {
	const s = await sentinels(t, { sentinels: 1, sentinelPassword: 'right' }), port = s.sentinels[0].port, nobody = await freePort();
	const why = async (url, ms = 500) => (await route(t, url).ask([['PING']], { ms })).why;
	const file = (name, text) => {
		fs.writeFileSync(path.join(s.nodes[0].dir, name), text, { mode: 0o600 });
		return `sentinel_password_file=${path.join(s.nodes[0].dir, name)}`;
	};
	const right = file('right', 'right\n'), at = `redis+sentinel://127.0.0.1:${port}`;
	assert.match(await why(`${at}/other?${right}`), /knows no master "other"/);
	assert.match(await why(`${at}/mymaster?${file('wrong', 'wrong\n')}`), /AUTH: WRONGPASS/);
	assert.match(await why(`${at}/mymaster`), /NOAUTH/);
	assert.match(await why(`redis+sentinel://127.0.0.1:${nobody}/mymaster`), /refused/);
	assert.match(await why(`redis+sentinel://127.0.0.1:${s.nodes[0].port}/mymaster`), /SENTINEL: ERR unknown command/);
	assert.match(await why(`redis://127.0.0.1:${port}`), /NOAUTH/);

	// A Sentinel that has not heard yet: what it names is a replica by now.
	const lone = await redis(t);
	await s.nodes[0].cli('REPLICAOF', '127.0.0.1', String(lone.port));
	const names = await s.sentinels[0].cli('SENTINEL', 'get-master-addr-by-name', 'mymaster');
	if (names.includes(String(s.nodes[0].port)))
		assert.match(await why(`${at}/mymaster?${right}`, 100), /no master, although|timed out|PONG/);
}, { seconds: 120 });
