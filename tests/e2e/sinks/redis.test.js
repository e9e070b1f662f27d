// The sink `redis` against a real Redis: what its commands write, what each error becomes, and that nothing is lost when the server is killed.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const pki = require('../../harness/pki');
const { freePort } = require('../../harness/ports');
const { listen } = require('../../harness/service');
const { redis } = require('../../harness/service_redis');

const sink = (t, fields, options) => drive(t, 'sink_redis', 'redis', fields, options);
const results = (list) => list.map((r) => r.result).join(' ');

test('each command writes what it says', async (t) => {
	const r = await redis(t), d = sink(t, { url: r.url, command: 'stream', key: 's' });
	const list = { command: 'list', key: 'l' };
	assert.equal(results(await d.send(
		{ payload: '{"a":1}' },
		{ fields: { fields: { temp: '21', 'a.b': 'x y' }, idField: 'id', maxLength: 1000 } },
		{ fields: list, payload: 'second' }, { fields: { ...list, side: 'right' }, payload: 'third' }, { fields: { ...list, side: 'left', value: 'first' } },
		{ fields: { command: 'set', key: 'k', expire: 100 }, payload: 'v\u00e4lue\r\n' },
		{ fields: { command: 'hash', key: 'h', fields: { a: '1', b: '' } } }, { fields: { command: 'hash', key: 'h' }, payload: 'p' },
		{ fields: { command: 'publish', key: 'c' }, payload: 'nobody hears it' })), Array(9).fill('ok').join(' '));
	assert.match(await r.cli('XRANGE', 's', '-', '+'), /^\d+-\d+\npayload\n{"a":1}\n\d+-\d+\ntemp\n21\na\.b\nx y\nid\n0{31}2$/);
	assert.equal(await r.cli('LRANGE', 'l', '0', '-1'), 'first\nsecond\nthird');
	assert.equal(await r.cli('GET', 'k'), 'v\u00e4lue');
	assert.equal(await r.cli('STRLEN', 'k'), '8');
	assert.ok(Number(await r.cli('TTL', 'k')) > 50);
	assert.equal(await r.cli('HGETALL', 'h'), 'a\n1\nb\n\npayload\np');
	assert.equal(await d.end(), 0);
});

test('a subscriber of the channel hears what is published', async (t) => {
	const r = await redis(t), s = net.connect(r.port, '127.0.0.1');
	let heard = '';
	t.after(() => s.destroy());
	s.on('data', (b) => { heard += b; });
	s.write('SUBSCRIBE c/1\r\n');
	await until('the subscription', () => heard.includes(':1\r\n'));
	assert.equal(results(await sink(t, { url: r.url, command: 'publish', key: 'c/1' }).send({ payload: 'hello' })), 'ok');
	await until('the message', () => heard.endsWith('$7\r\nmessage\r\n$3\r\nc/1\r\n$5\r\nhello\r\n'));
});

test('a batch keeps its order, and a stream its length', async (t) => {
	const r = await redis(t), d = sink(t, { url: `${r.url}/3`, command: 'stream', key: 's', maxLength: 100 });
	await d.send(...Array.from({ length: 250 }, (_, i) => ({ payload: String(i) })));
	const kept = (await r.cli('-n', '3', 'XRANGE', 's', '-', '+')).split('\n').filter((_, i) => i % 3 === 2).map(Number);
	assert.ok(kept.length >= 100 && kept.length < 250, `${kept.length}`);
	assert.deepEqual(kept, Array.from({ length: kept.length }, (_, i) => 250 - kept.length + i));
	assert.equal(await r.cli('XLEN', 's'), '0');
});

test('what an item causes fails in the words of Redis, and the rest of its batch arrives', async (t) => {
	const r = await redis(t), d = sink(t, { url: r.url, command: 'stream', key: 's' });
	await r.cli('SET', 'text', 'x');
	const answers = await d.send({ payload: '1' }, { fields: { key: 'text' } }, { fields: { key: '' } }, { fields: { command: 'hash', key: 's' } }, { payload: '2' });
	assert.equal(results(answers), 'ok fail fail fail ok');
	assert.match(answers[1].why, /^WRONGTYPE /);
	assert.equal(answers[2].why, '`key` is empty');
	assert.equal(await r.cli('XLEN', 's'), '2');
});

test('user and password come from a secret, and a wrong one is told without itself', async (t) => {
	const r = await redis(t), file = path.join(r.dir, 'secrets'), secret = (key) => `\${get_secret('redis', 'SecretString', '${key}')}`;
	fs.writeFileSync(file, JSON.stringify({ redis: { user: 'writer', password: 'right-pass' } }), { mode: 0o600 });
	await r.cli('ACL', 'SETUSER', 'writer', 'on', '>right-pass', '+xadd', '~s*');
	const fields = { url: r.url, command: 'stream', key: 's', user: secret('user'), password: secret('password') };
	const answers = await sink(t, fields, { secrets: file }).send({}, { fields: { key: 'other' } }, { fields: { command: 'set' } });
	assert.equal(results(answers), 'ok fail fail');
	assert.match(answers[1].why, /^NOPERM /);
	for (const wrong of [{ url: r.url, user: 'writer', password: 'wrong-pass' }, { url: `redis://writer:wrong-pass@127.0.0.1:${r.port}` }]) {
		const [one] = await sink(t, { command: 'stream', key: 's', ...wrong }).send({});
		assert.deepEqual([one.result, one.why], ['retry', `127.0.0.1:${r.port}: AUTH: WRONGPASS invalid username-password pair or user is disabled.`]);
	}
	await r.cli('CONFIG', 'SET', 'requirepass', 'all-pass');
	const [unknown] = await sink(t, { url: r.url, command: 'stream', key: 's' }).send({});
	assert.deepEqual([unknown.result, unknown.why], ['retry', 'NOAUTH Authentication required.']);
	assert.equal(results(await sink(t, { url: `redis://:all-pass@127.0.0.1:${r.port}`, command: 'stream', key: 's' }).send({})), 'ok');
});

test('a unix socket, and TLS with the authority that is named and no other', async (t) => {
	const r = await redis(t), ca = pki.authority().crt, to = (url, tls, options) => sink(t, { url, tls, command: 'list', key: 'l' }, options);
	assert.equal(results(await to(r.socket).send({ payload: '1' })), 'ok');
	assert.equal(results(await to(`unix://${r.socket}?db=2`).send({ payload: '2' })), 'ok');
	const tls = to(r.tlsUrl, { ca });
	assert.equal(results(await tls.send({ payload: '3'.repeat(300000) }, { payload: '4' })), 'ok ok');
	assert.deepEqual(await tls.repeat(1000, { payload: 'x'.repeat(1000) }).then((s) => [s.ok, s.retry, s.fail]), [1000, 0, 0]);
	assert.equal(await r.cli('LLEN', 'l'), '1003');
	assert.equal(await r.cli('-n', '2', 'LLEN', 'l'), '1');
	const [stranger] = await to(r.tlsUrl, {}).send({}), [other] = await to(r.tlsUrl.replace('127.0.0.1', '0.0.0.0'), { ca }).send({});
	assert.match(stranger.why, /TLS: (unable to get local issuer|self.signed) certificate/);
	assert.match(other.why, /TLS: IP address mismatch/);
	const [plain] = await to(`rediss://127.0.0.1:${r.port}`, { ca }, { timeout: '300ms' }).send({});
	assert.deepEqual([plain.result, plain.why], ['retry', `127.0.0.1:${r.port}: timed out`]);
});

test('what passes by itself is tried again', async (t) => {
	const r = await redis(t), other = await redis(t), d = sink(t, { url: r.url, command: 'stream', key: 's' });
	const says = async (word) => {
		const [one] = await d.send({});
		assert.deepEqual([one.result, one.why.split(' ')[0]], ['retry', word]);
	};
	await r.cli('CONFIG', 'SET', 'maxmemory', '1');
	await says('OOM');
	await r.cli('CONFIG', 'SET', 'maxmemory', '0');
	await r.cli('REPLICAOF', '127.0.0.1', String(other.port));
	await until('a replica', async () => /master_link_status:up/.test(await r.cli('INFO', 'replication')));
	await says('READONLY');
	await r.cli('REPLICAOF', 'NO', 'ONE');
	const script = r.cli('EVAL', 'while true do end', '0').catch(() => {});
	await until('the script to hold it', async () => /^BUSY/.test(await r.cli('PING')));
	await says('BUSY');
	await r.cli('SCRIPT', 'KILL');
	await script;
	assert.equal(results(await d.send({})), 'ok');
});

test('a connection that the server has ended is noticed before a batch is sent over it', async (t) => {
	const r = await redis(t), d = sink(t, { url: r.url, command: 'stream', key: 's' });
	for (let i = 0; i < 3; i++) {
		assert.equal(results(await d.send({}, {})), 'ok ok');
		await r.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
	}
	assert.equal(await r.cli('XLEN', 's'), '6');
});

test('a server that stands still costs the time limit, and what it has not answered comes again', async (t) => {
	const r = await redis(t), d = sink(t, { url: r.url, command: 'set', key: 'k' }, { timeout: '1s' });
	await until('the first one to arrive', async () => results(await d.send({})) === 'ok');
	await r.pause();
	for (let i = 0; i < 2; i++)
		assert.deepEqual((await d.send({}, {})).map((one) => [one.result, one.why]), Array(2).fill(['retry', `127.0.0.1:${r.port}: timed out`]));
	r.resume();
	await until('it to be back', async () => results(await d.send({})) === 'ok');
});

test('what is no Redis is told, and never waited for without an end', async (t) => {
	const port = await freePort(), says = ['HTTP/1.1 400 Bad Request\r\n\r\n', '*3\r\n$-2\r\n', '', '$2000000000\r\n' + 'x'.repeat(3 << 20), '-ERR max number of clients reached\r\n'];
	const server = await listen(net.createServer((s) => { s.on('error', () => {}); s.once('data', () => s.write(says[0])); }), port);
	t.after(() => server.close());
	for (const why of [/speaks no RESP/, /speaks no RESP/, /timed out/, /speaks no RESP/, /^ERR max number/]) {
		const d = sink(t, { url: `redis://127.0.0.1:${port}`, command: 'set', key: 'k' }, says[0] ? {} : { timeout: '500ms' }), [one] = await d.send({});
		assert.equal(one.result, 'retry');
		assert.match(one.why, why);
		await d.end();
		says.shift();
	}
	const [gone] = await sink(t, { url: `redis://127.0.0.1:${await freePort()}`, command: 'set', key: 'k' }).send({});
	assert.match(gone.why, /Connection refused/);
});

test('killed and started again under load, it gets everything', async (t) => {
	const r = await redis(t), d = sink(t, { url: r.url, command: 'stream', key: 's' }), count = 3000, arrived = new Set();
	let left = Array.from({ length: count }, (_, i) => i), again = 0, kills = 0;
	while (left.length) {
		const batch = left.slice(0, 100), answer = d.send(...batch.map((i) => ({ payload: String(i) })));
		if (kills < 3 && left.length < count - 600 * (kills + 1)) {
			kills++;
			await r.kill();
			again += (await d.send({ payload: 'x' }))[0].result === 'retry';
			await answer;
			await r.start();
		}
		const done = await answer;
		left = left.slice(100).concat(batch.filter((_, i) => done[i].result === 'retry'));
		assert.ok(done.every((one) => one.result !== 'fail'));
	}
	assert.equal(again, 3);
	for (const line of (await r.cli('XRANGE', 's', '-', '+')).split('\n').filter((_, i) => i % 3 === 2))
		arrived.add(line);
	assert.equal(arrived.size, count);
});
