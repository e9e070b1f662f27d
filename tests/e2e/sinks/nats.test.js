// The sink `nats` against a real nats-server: plain subjects, JetStream's acknowledgements, what is refused, and that nothing is lost when it is killed.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const nkeys = require('../../harness/nkeys');
const pki = require('../../harness/pki');
const { freePort } = require('../../harness/ports');
const { listen } = require('../../harness/service');
const { nats } = require('../../harness/service_nats');

const sink = (t, fields, options) => drive(t, 'sink_nats', 'nats', fields, options);
const results = (list) => list.map((r) => r.result).join(' ');
const messages = async (c, stream) => (await c.request(`$JS.API.STREAM.INFO.${stream}`)).state.messages;

test('a subscriber hears what is published, in its order and with its headers', async (t) => {
	const s = await nats(t), c = await s.client(), d = sink(t, { url: s.url, subject: 'hall.7' });
	await c.subscribe('hall.>');
	assert.equal(results(await d.send({ payload: 'one' }, { fields: { subject: 'hall.8', headers: { Kind: 'press', 'X-B': 'a: b' } }, payload: 'zw\u00f6lf' },
		{ fields: { value: '' } }, { fields: { value: 'three' } })), 'ok ok ok ok');
	await until('the messages', () => c.heard.length === 4);
	assert.deepEqual(c.heard, [
		{ subject: 'hall.7', header: '', payload: 'one' }, { subject: 'hall.8', header: 'NATS/1.0\r\nKind: press\r\nX-B: a: b\r\n\r\n', payload: 'zw\u00f6lf' },
		{ subject: 'hall.7', header: '', payload: '' }, { subject: 'hall.7', header: '', payload: 'three' }]);
	assert.equal(await d.end(), 0);
});

test('JetStream answers each message, and keeps one that comes again once', async (t) => {
	const s = await nats(t), c = await s.stream('S', ['s.>']), fields = { url: s.url, subject: 's.a', jetstream: true };
	for (let i = 0; i < 2; i++) // a new driver numbers its items anew
		assert.equal(results(await sink(t, fields).send({ payload: '1' }, { payload: '2' }, { payload: '3' })), 'ok ok ok');
	assert.equal(await messages(c, 'S'), 3);
	const many = await sink(t, { ...fields, subject: 's.b', stream: 'S' }).repeat(2000, { payload: 'x'.repeat(200) });
	assert.deepEqual([many.ok, many.retry, many.fail], [2000, 0, 0]);
	assert.equal(await messages(c, 'S'), 2001); // of the ids 2 to 2001 two were there
});

test('what JetStream has no place for, and what it refuses', async (t) => {
	const s = await nats(t, 'max_payload: 1000'), c = await s.stream('S', ['s.>'], { max_msg_size: 100 });
	await s.stream('FULL', ['f.>'], { max_msgs: 1, discard: 'new' });
	const d = sink(t, { url: s.url, subject: 's.a', jetstream: true }), to = (subject, more) => ({ fields: { subject, ...more } });
	const answers = await d.send({ payload: '1' }, to('nobody.takes.it'), { payload: 'x'.repeat(200) }, { payload: 'x'.repeat(1000) }, to('s.b', { stream: 'OTHER' }),
		to('f.a'), to('f.b'), to('s a'), to('$JS.API.STREAM.DELETE.S'), to('s.c', { headers: { a: 'x\ny: z' } }), { payload: '2' });
	assert.deepEqual(answers.map((a) => [a.result, a.why]), [['ok', undefined], ['retry', 'no stream takes the subject'], ['fail', 'message size exceeds maximum allowed'],
		['fail', "larger than the server's max_payload"], ['fail', 'expected stream does not match'], ['ok', undefined], ['retry', 'maximum messages exceeded'],
		['fail', 'the subject has a blank or a control character in it'], ['fail', "the subject is one of the server's own"], ['fail', 'a header has the end of a line in it'],
		['ok', undefined]]);
	assert.equal(await messages(c, 'S'), 2);
});

test('who is not let in waits, and what is not permitted fails alone', async (t) => {
	const s = await nats(t, 'authorization { timeout: 60, users: [ { user: admin, password: admin }, { user: u, password: right-pass, permissions: { publish: ["s.>", "c.>"], subscribe: "_INBOX.>" } } ] }');
	await s.stream('S', ['s.>', 'x.>'], {}, { user: 'admin', pass: 'admin' });
	const fields = { url: s.url, user: 'u', password: '${get_secret(\'nats\', \'SecretString\')}', subject: 's.a' }, secrets = path.join(s.dir, 'secrets');
	fs.writeFileSync(secrets, JSON.stringify({ nats: 'right-pass' }), { mode: 0o600 });
	for (const jetstream of [true, false]) {
		const answers = await sink(t, { ...fields, jetstream }, { secrets }).send({}, { fields: { subject: 'x.a' } }, {}, { fields: { subject: 'x.b' } }, { fields: { subject: 's.b' } });
		assert.equal(results(answers), 'ok fail ok fail ok');
		assert.equal(answers[3].why, 'Permissions Violation for Publish to "x.b"');
	}
	for (const wrong of [{ password: 'wrong-pass' }, { password: undefined, user: undefined, token: 'wrong-pass' }, { password: undefined, user: undefined }]) {
		const [one] = await sink(t, { ...fields, ...wrong }).send({});
		assert.deepEqual([one.result, one.why], ['retry', `127.0.0.1:${s.port}: Authorization Violation`]);
	}
});

test('a token, and a credentials file whose key answers the nonce of the server', async (t) => {
	const s = await nats(t, 'authorization { timeout: 60, token: right-token }'), operator = nkeys.operator();
	assert.equal(results(await sink(t, { url: s.url, subject: 'a', token: 'right-token' }).send({})), 'ok');
	const o = await nats(t, `authorization { timeout: 60 }\n${operator.conf}`), credentials = path.join(o.dir, 'user.creds');
	fs.writeFileSync(credentials, operator.creds, { mode: 0o600 });
	assert.equal(results(await sink(t, { url: o.url, subject: 'a', credentials }).send({}, {})), 'ok ok');
	fs.writeFileSync(credentials, operator.creds.replace(/SU[A-Z2-7]{56}/, nkeys.key('user').seed));
	const [stranger] = await sink(t, { url: o.url, subject: 'a', credentials }).send({});
	assert.deepEqual([stranger.result, stranger.why], ['retry', `127.0.0.1:${o.port}: Authorization Violation`]);
	const [none] = await sink(t, { url: o.url, subject: 'a', credentials: '/nowhere' }).send({});
	assert.match(none.why, /credentials file cannot be read/);
});

test('TLS with the authority that is named; what wants TLS never goes out in the clear', async (t) => {
	const { crt, key } = pki.server(), s = await nats(t, `tls { timeout: 60, cert_file: "${crt}", key_file: "${key}" }`), ca = pki.authority().crt, plain = await nats(t);
	assert.equal(results(await sink(t, { url: s.url, subject: 'a', tls: { ca } }).send({ payload: 'x'.repeat(500000) }, {})), 'ok ok');
	assert.equal(results(await sink(t, { url: s.url.replace('nats:', 'tls:'), subject: 'a', tls: { ca } }).send({})), 'ok');
	assert.match((await sink(t, { url: s.url, subject: 'a', tls: {} }).send({}))[0].why, /TLS: .*certificate/);
	assert.equal((await sink(t, { url: s.url, subject: 'a' }).send({}))[0].result, 'retry');
	assert.match((await sink(t, { url: plain.url, subject: 'a', tls: { ca } }).send({}))[0].why, /offers no TLS/);
});

test('the next server is asked when one is away, and a connection that was ended is noticed', async (t) => {
	const s = await nats(t), other = await nats(t), gone = await freePort();
	const d = sink(t, { url: `nats://127.0.0.1:${gone},${s.url},${other.url}`, subject: 'a' });
	assert.equal(results(await d.send({})), 'ok');
	await s.kill();
	assert.equal(results(await d.send({}, {})), 'ok ok');
	await s.start();
	await other.kill();
	assert.equal(results(await d.send({})), 'ok');
});

test('a server that stands still costs the time limit', async (t) => {
	const s = await nats(t), d = sink(t, { url: s.url, subject: 'a' }, { timeout: '1s' });
	await until('the first one to arrive', async () => results(await d.send({})) === 'ok');
	await s.pause();
	assert.deepEqual((await d.send({}, {})).map((r) => [r.result, r.why]), Array(2).fill(['retry', 'timed out']));
	assert.deepEqual((await d.send({})).map((r) => [r.result, r.why]), [['retry', `127.0.0.1:${s.port}: timed out`]]);
	s.resume();
	await until('it to be back', async () => results(await d.send({})) === 'ok');
});

test('what is no NATS is told', async (t) => {
	const port = await freePort(), says = ['HTTP/1.1 400 Bad Request\r\n\r\n', 'INFO {"a":\r\n', 'I'.repeat(100000), 'INFO {}\r\nMSG x 1 99999999\r\n'];
	const server = await listen(net.createServer((c) => { c.on('error', () => {}); c.write(says[0]); }), port);
	t.after(() => server.close());
	for (; says.length; says.shift()) {
		const [one] = await sink(t, { url: `nats://127.0.0.1:${port}`, subject: 'a' }).send({});
		assert.deepEqual([one.result, one.why], ['retry', `127.0.0.1:${port}: the server speaks no NATS`]);
	}
});

test('killed and started again under load, its stream has everything once', async (t) => {
	const s = await nats(t), count = 3000;
	await s.stream('S', ['s']);
	const d = sink(t, { url: s.url, subject: 's', jetstream: true });
	let left = Array.from({ length: count }, (_, i) => String(i)), kills = 0;
	while (left.length) {
		const batch = left.slice(0, 100), answer = d.send(...batch.map((payload) => ({ payload })));
		if (kills < 3 && left.length < count - 600 * (kills + 1)) {
			kills++;
			await s.kill();
			assert.equal((await d.send({ payload: 'x' }))[0].result, 'retry');
			await s.start();
			const c = await s.client();
			await until('JetStream', () => c.request('$JS.API.STREAM.INFO.S').then(() => true, () => false));
		}
		const done = await answer;
		assert.ok(done.every((r) => r.result !== 'fail'));
		left = left.slice(100).concat(batch.filter((_, i) => done[i].result === 'retry'));
	}
	const c = await s.client(), { last_seq: last } = (await c.request('$JS.API.STREAM.INFO.S')).state;
	await c.subscribe('all');
	await c.request('$JS.API.CONSUMER.CREATE.S', { stream_name: 'S', config: { deliver_subject: 'all', deliver_policy: 'all', ack_policy: 'none' } });
	const all = () => c.heard.filter((m) => m.subject === 's').map((m) => m.payload);
	await until('all of the stream', () => all().length >= last);
	assert.equal(new Set(all().filter((text) => text !== 'x')).size, count);
});
