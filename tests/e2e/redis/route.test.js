// A route to one Redis: every form of the URL, scripts that a server has forgotten, big answers, and a server that is killed or stands still.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { freePort } = require('../../harness/ports');
const pki = require('../../harness/pki');
const { route } = require('../../harness/route');
const { listen } = require('../../harness/service');
const { redis } = require('../../harness/service_redis');

const ADD = '#!lua\nlocal n = redis.call(\'INCRBY\', KEYS[1], ARGV[1])\nreturn n';
const evalsha = (key, by = '1') => ['EVALSHA', '@', '1', key, by];
const secret = (r, name, text, mode = 0o600) => {
	const file = path.join(r.dir, name);
	fs.writeFileSync(file, text, { mode });
	return file;
};

// Something has come to the port that its server has not read: the second column of numbers is what stands in line.
const waiting = (port) => fs.readFileSync('/proc/net/tcp', 'latin1').split('\n').some((line) =>
	new RegExp(`^ *\\d+: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} \\w+:\\w+ 01 \\w+:(?!0{8})`).test(line));

test('each form of the URL connects', async (t) => {
	const r = await redis(t, { users: ['user default on nopass ~* &* +@all', 'user device on >p@ss:w/rd ~* &* +@all'] }), ca = pki.authority().crt;
	const who = { user: 'device', password: 'p@ss:w/rd' };
	const forms = [[r.url], [r.at({ path: '/3' }), '3'], [`redis://localhost:${r.port}`], [r.at({ query: 'database=4&prefix=x:&timeout=500ms' }), '4'],
		[`redis+unix://${r.socket}`], [`redis+unix://${r.socket}?database=5`, '5'], [`redis+unix://device:${encodeURIComponent(who.password)}@${r.socket}`],
		[r.at({ tls: true, query: `ca=${ca}` })], [r.at({ ...who })], [r.at({ ...who, path: '/2', tls: true, query: `ca=${ca}` }), '2'],
		[r.at({ user: 'device', query: `password_file=${secret(r, 'password', `${who.password}\n`)}` })]];
	for (const [i, [url, database]] of forms.entries()) {
		const d = route(t, url);
		assert.equal(await d.one('SET', `form:${i}`, url), 'OK', url);
		assert.equal(await r.cli('-n', database || '0', 'GET', `form:${i}`), url);
		assert.equal((await d.one('CLIENT', 'INFO')).includes('user=device'), url.includes('device'), url);
		assert.ok(!/p@ss|p%40ss/.test((await d.say({ show: true })).url));
		assert.equal(await d.end(), 0);
	}
});

test('whoever is not let in is told at once why', async (t) => {
	const r = await redis(t, { password: 'right' }), nobody = await freePort();
	const refused = async (url, why, ms = 30000) => {
		const d = route(t, url), a = await d.ask([['GET', 'k']], { ms });
		assert.equal(a.rc, -1, url);
		assert.match(a.why, why);
		assert.ok(!/wrong|right/.test(a.why.replace(/WRONGPASS.*/, '')), a.why);
		assert.deepEqual([a.replies, a.unknown], [[{ none: true }], [false]]);
		await d.end();
	};
	await refused(r.at({ password: 'wrong' }), /AUTH: WRONGPASS/);
	await refused(r.at({ user: 'nobody', password: 'wrong' }), /AUTH: WRONGPASS/);
	await refused(r.at({ password: 'right', path: '/99' }), /SELECT: ERR DB index is out of range/);
	await refused(r.at({ password: 'right', tls: true, query: `ca=${pki.authority('other').crt}` }), /certificate/, 2000);
	await refused(r.at({ password: 'right', tls: true, query: 'ca=/nowhere/ca.pem' }), /tls\.ca/, 1000);
	await refused(`redis://127.0.0.1:${nobody}`, /refused/, 1000);
	await refused(`redis+unix:///nowhere/redis.sock`, /No such file/, 1000);
	await refused(`redis://no-such-host.invalid`, /no-such-host\.invalid:6379: ./, 1000);
	const d = route(t, r.url), a = await d.ask([['GET', 'k']], { ms: 2000 });
	assert.match(a.replies[0].error || a.why, /NOAUTH/);
});

test('a script that the server does not know is brought to it, for a hundred at once too', async (t) => {
	const r = await redis(t), d = route(t, r.url);
	await d.say({ script: ADD });
	const sum = async (n) => (await d.ask(Array.from({ length: n }, () => evalsha('k')))).replies.at(-1);
	assert.equal(await sum(100), 100);
	await r.cli('SCRIPT', 'FLUSH');
	assert.equal(await sum(100), 200);
	assert.equal(await sum(1), 201);
	assert.match(await r.cli('INFO', 'commandstats'), /cmdstat_script\|load:calls=2,/);
	const none = await d.ask([['EVALSHA', 'f'.repeat(40), '1', 'k']], { ms: 2000 });
	assert.match(none.replies[0].error, /NOSCRIPT/);
});

test('answers of all kinds and sizes come whole, and to whom they belong', async (t) => {
	const r = await redis(t), d = route(t, r.url), deep = (n) => (n ? [deep(n - 1)] : 'x');
	await d.say({ script: '#!lua\nif ARGV[1] == \'nil\' then return false end\nif ARGV[1] == \'array\' then return {1, {\'a\', {}}, false, \'b\'} end\nlocal a = \'x\'\nfor i = 1, tonumber(ARGV[1]) do a = {a} end\nreturn a' });
	const { replies } = await d.ask([evalsha('k', 'nil'), evalsha('k', 'array'), evalsha('k', '6'), ['GET', 'none'], ['HMGET', 'h', 'a', 'b'], ['INCR', 'h2'], ['LPUSH', 'h2', 'x'],
		['SET', 'big', { times: 5 << 20 }], ['GET', 'big'], ['STRLEN', 'big'], ['MGET', 'big', 'none', 'h2']]);
	assert.deepEqual(replies, [null, [1, ['a', []], null, 'b'], deep(6), null, [null, null], 1, { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' },
		'OK', { length: 5 << 20 }, 5 << 20, [{ length: 5 << 20 }, null, '1']]);
	const many = await d.ask(Array.from({ length: 100 }, (_, i) => (i % 10 ? ['ECHO', `${i}`] : ['GET', 'big'])));
	assert.deepEqual(many.replies, Array.from({ length: 100 }, (_, i) => (i % 10 ? `${i}` : { length: 5 << 20 })));
	const most = await d.ask(Array.from({ length: 20 }, () => ['SET', 'big', { times: 3 << 20 }]));
	assert.ok(most.replies.every((a) => a === 'OK'));
	const nested = await d.ask([evalsha('k', '9')], { ms: 2000 });
	assert.match(nested.why, /no RESP/);
	assert.equal(await d.one('ECHO', 'after'), 'after');
});

test('a server that is killed in the middle and started again: nothing is lost, nothing happens twice', async (t) => {
	const r = await redis(t), d = route(t, r.url);
	d.count({ counters: 2000, deep: 500, ms: 60000 });
	for (let i = 0; i < 3; i++) {
		const before = Number(await until('commands', async () => Number(await r.info('total_commands_processed')) > 5000 && r.info('total_commands_processed')));
		await until('more of them', async () => Number(await r.info('total_commands_processed')) > before + 1000);
		await r.kill();
		await r.start();
	}
	await until('commands', async () => Number(await r.info('total_commands_processed')) > 5000);
	const c = await d.stopped();
	assert.deepEqual([c.wrong, c.wrongs, c.refused], [0, '', 0]);
	assert.ok(c.count.reconnects >= 3 && c.added > 5000, JSON.stringify(c));
});

// It answers each command of `size` bytes with as many, and reads nothing while its answers are not taken.
const echo = (size) => net.createServer((s) => {
	const answer = Buffer.concat([Buffer.from(`$${size}\r\n`), Buffer.alloc(size, 'y'), Buffer.from('\r\n')]);
	let came = 0;
	s.on('error', () => {});
	s.on('drain', () => s.resume());
	s.on('data', (d) => {
		for (came += d.length; came >= size; came -= size)
			if (!s.write(answer))
				s.pause();
	});
});

test('two who send at once do not wait for each other', async (t) => {
	const words = ['SET', 'k', { times: 1 << 20 }], size = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${1 << 20}\r\n\r\n`.length + (1 << 20);
	const server = echo(size), port = await freePort();
	t.after(() => server.close());
	await listen(server, port);
	const d = route(t, `redis://127.0.0.1:${port}?timeout=60s`), a = await d.ask(Array(64).fill(words), { ms: 60000 });
	assert.deepEqual(a.replies, Array(64).fill({ length: size }), a.why);
	assert.equal(a.count.resent, 0);
});

test('what must not be asked twice is not: nobody knows whether it was', async (t) => {
	const r = await redis(t), d = route(t, r.url);
	await d.one('PING');
	await r.pause();
	const asked = d.ask([{ words: ['INCR', 'once'], once: true }, ['INCR', 'again']], { ms: 60000 });
	await until('it to be sent', () => waiting(r.port));
	r.signal('SIGKILL'); // without letting it go on
	await r.exit;
	await r.start();
	const a = await asked;
	assert.deepEqual([a.rc, a.replies, a.unknown], [-1, [{ none: true }, 1], [true, false]]);
});

test('a server that stands still: an error when the time is over, and no answer is ever taken for another one', async (t) => {
	const r = await redis(t), d = route(t, r.url);
	await d.one('SET', 'a', 'first');
	for (let i = 0; i < 5; i++) {
		await r.pause();
		const a = await d.ask([['GET', 'a'], ['ECHO', `late ${i}`]], { ms: 300 });
		assert.deepEqual([a.rc, a.unknown, a.replies], [-1, [true, true], [{ none: true }, { none: true }]]);
		assert.match(a.why, /timed out/);
		assert.ok(a.ms >= 300, `${a.ms} ms`);
		r.resume();
		assert.deepEqual((await d.ask([['ECHO', `now ${i}`], ['GET', 'a']])).replies, [`now ${i}`, 'first']);
	}
});

test('time that is over is over: within half a second on a machine that has time', async (t) => {
	const r = await redis(t), d = route(t, r.url);
	await d.one('PING');
	await r.pause();
	const times = [];
	for (let i = 0; i < 5; i++)
		times.push((await d.ask([['SET', 'big', { times: 20 << 20 }], ['PING']], { ms: 200 })).ms);
	assert.ok(Math.min(...times) < 700, `${times} ms`);
	r.resume();
	assert.equal(await d.one('ECHO', 'again'), 'again');
});

test('a server that is read-only says so at once, and is found writable again', async (t) => {
	const r = await redis(t), d = route(t, r.url);
	await d.say({ script: ADD });
	assert.equal(await d.one(...evalsha('k')), 1);
	await r.readOnly(true);
	for (let i = 0; i < 3; i++) {
		const a = await d.ask([['SET', 'a', 'b'], evalsha('k'), ['GET', 'k']], { ms: 60000 });
		assert.match(a.replies[0].error, /^READONLY/);
		assert.match(a.replies[1].error, /^READONLY/);
		assert.deepEqual([a.rc, a.replies[2]], [0, '1']);
		assert.ok(a.ms < 30000);
	}
	await r.readOnly(false);
	assert.equal(await d.one(...evalsha('k')), 2);
});

test('a server that is full, and one that has no replica, refuse: the answer is theirs', async (t) => {
	const r = await redis(t, { maxmemory: '1' }), d = route(t, r.url);
	await d.say({ script: ADD });
	const a = await d.ask([['SET', 'a', 'b'], evalsha('k'), ['GET', 'k']]);
	assert.match(a.replies[0].error, /^OOM/);
	assert.match(a.replies[1].error, /^OOM|^NOSCRIPT/);
	await r.cli('CONFIG', 'SET', 'maxmemory', '0', 'min-replicas-to-write', '1');
	assert.match((await d.ask([evalsha('k')])).replies[0].error, /^NOREPLICAS/);
});

test('a write waits for replicas', async (t) => {
	const r = await redis(t), copy = await redis(t, { of: r }), d = route(t, r.url);
	const wait = (n) => Array.from({ length: n }, (_, i) => ({ words: ['SET', `k${i}`, 'v'], replicas: 1, replicasMs: 20000 }));
	const a = await d.ask(wait(10), { ms: 60000 });
	assert.deepEqual(a.acknowledged, Array(10).fill(1));
	assert.equal(await copy.cli('GET', 'k9'), 'v');
	await copy.kill();
	const alone = await d.ask([{ words: ['SET', 'k', 'v'], replicas: 1, replicasMs: 100 }]);
	assert.deepEqual([alone.rc, alone.replies, alone.acknowledged], [0, ['OK'], [0]]);
	assert.equal(await d.one('GET', 'k'), 'v');
});

test('a server with no room for another client is asked until it has', async (t) => {
	const r = await redis(t), d = route(t, r.url), other = route(t, r.url);
	await other.one('PING');
	await r.cli('CONFIG', 'SET', 'maxclients', '1');
	const a = await d.ask([['PING'], ['ECHO', 'x']], { ms: 300 });
	assert.equal(a.rc, -1);
	assert.match(a.why, /max number of clients|closed the connection|reset/);
	const asked = d.ask([['ECHO', 'x']], { ms: 60000 });
	await other.end();
	assert.deepEqual((await asked).replies, ['x']);
});
