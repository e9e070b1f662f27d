// The sink `kafka` against librdkafka's mock cluster in another process: what arrives, in which order, and what each error becomes.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until, sleep } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { freePort } = require('../../harness/ports');
const { kafka } = require('../../harness/service_kafka');
const pki = require('../../harness/pki');

const destinationArn = 'arn:aws:iot:us-east-1:123456789012:ruledestination/vpc/x';
const plain = (k) => ({ 'bootstrap.servers': k.servers, 'security.protocol': 'PLAINTEXT' });
const sink = (t, k, fields = {}, options) => {
	const { clientProperties = {}, ...rest } = fields;
	return drive(t, 'sink_kafka', 'kafka', { destinationArn, topic: 'a', ...rest, clientProperties: { ...plain(k), ...clientProperties } }, options);
};
const results = (list) => list.map((r) => r.result).join(' ');
const range = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const UNKNOWN_TOPIC = 3, TOO_LARGE = 10, TIMED_OUT = 7, NOT_LEADER = 6, NOT_ALLOWED = 29, TRANSPORT = -195, PRODUCE = 0;

test('a record has key, headers, partition and the time of its message, and any bytes as value', async (t) => {
	const k = await kafka(t), d = sink(t, k);
	assert.equal(results(await d.send(
		{ payload: '{"temp": 21}' },
		{ fields: { key: 'press/7', headers: [{ key: 'unit', value: '°C' }, { value: '', key: 'empty' }] }, payload: 'two' },
		{ fields: { partition: '2', key: '' }, payload: '' })), 'ok ok ok');
	const records = await k.read('a');
	const of = (value) => records.find((r) => r.value === value);
	assert.equal(of('{"temp": 21}').time, 1700000000001);
	assert.deepEqual({ ...of('two'), partition: 0 }, { partition: 0, key: 'press/7', value: 'two', headers: { unit: '°C', empty: '' }, time: 1700000000002 });
	assert.deepEqual(of(''), { partition: 2, key: '', value: '', time: 1700000000003 });
	assert.equal(await d.end(), 0);
});

test('a key has a partition of its own, the one that Java would choose, and keeps its order', async (t) => {
	const k = await kafka(t, 3), d = sink(t, k);
	await k.ask('topic a 7');
	for (let batch = 0; batch < 4; batch++)
		assert.ok((await d.send(...range(150, (i) => ({ fields: { key: `key ${i % 10}` }, payload: String(150 * batch + i) })))).every((r) => r.result === 'ok'));
	const records = await k.read('a');
	assert.equal(records.length, 600);
	for (let i = 0; i < 10; i++) {
		const mine = records.filter((r) => r.key === `key ${i}`);
		assert.equal(new Set(mine.map((r) => r.partition)).size, 1);
		assert.deepEqual(mine.map((r) => Number(r.value)), range(60, (n) => 10 * n + i));
	}
	/* The hash is Murmur2 as of Java's client: these are its own test's. */
	assert.equal(results(await d.send(...['21', 'foobar', 'a-little-bit-long-string'].map((key) => ({ fields: { topic: 'b', key }, payload: 'x' })))), 'ok ok ok');
	const at = Object.fromEntries((await k.read('b')).map((r) => [r.key, r.partition]));
	assert.deepEqual(at, Object.fromEntries([['21', -973932308], ['foobar', -790332482], ['a-little-bit-long-string', -985981536]]
		.map(([key, hash]) => [key, (hash & 0x7fffffff) % 4])));
});

test('what a message itself causes fails, and the rest of its batch arrives', async (t) => {
	const k = await kafka(t), d = sink(t, k);
	const answers = await d.send({ payload: '1' }, { fields: { topic: '' } }, { fields: { partition: 'x' } }, { fields: { partition: '-1' } },
		{ payload: 'x'.repeat(1100000) }, { payload: '2' });
	assert.equal(results(answers), 'ok fail fail fail fail ok');
	assert.deepEqual(answers.slice(1, 5).map((r) => r.why), ['topic is empty', 'partition is not a number', 'partition is not a number', 'Broker: Message size too large']);
	assert.deepEqual((await k.read('a')).map((r) => r.value).sort(), ['1', '2']);
	await k.ask(`push ${PRODUCE} 1 ${TOO_LARGE}`);
	assert.equal(results(await d.send({ payload: '3' })), 'fail');
	await k.ask(`push ${PRODUCE} 1 ${NOT_ALLOWED}`);
	const [denied] = await d.send({ payload: '4' });
	assert.equal(`${denied.result} ${denied.why}`, 'retry Broker: Topic authorization failed');
	assert.equal(results(await d.send({ payload: '5' })), 'ok');
});

test('a topic or a partition that is not there comes again, and arrives when it is', async (t) => {
	const k = await kafka(t), d = sink(t, k, {}, { timeout: '8s' });
	await k.ask('topic a 2');
	await k.ask(`error later ${UNKNOWN_TOPIC}`);
	await until('the producer to know its broker', async () => results(await d.send({ payload: '0' })) === 'ok');
	const answers = await d.send({ fields: { partition: '9' } }, { fields: { topic: 'later' }, payload: 'x' });
	assert.equal(results(answers), 'retry retry');
	assert.match(answers[0].why, /nknown partition/);
	assert.match(answers[1].why, /nknown topic|timed out/); // by which it is noticed first
	await k.ask('error later 0');
	await until('it to arrive', async () => results(await d.send({ fields: { topic: 'later' }, payload: 'x' })) === 'ok');
	await until('the next to arrive', async () => results(await d.send({ payload: '1' })) === 'ok');
	assert.deepEqual([...new Set((await k.read('later')).map((r) => r.value))], ['x']);
});

test('errors that pass are overcome within a batch: each record is there once', async (t) => {
	const k = await kafka(t, 2), d = sink(t, k);
	assert.equal(results(await d.send({ payload: 'first' })), 'ok');
	for (const [times, error] of [[3, NOT_LEADER], [2, TRANSPORT], [2, TIMED_OUT]]) {
		await k.ask(`push ${PRODUCE} ${times} ${error}`);
		assert.ok((await d.send(...range(100, (i) => ({ payload: `${error}/${i}` })))).every((r) => r.result === 'ok'));
	}
	const values = (await k.read('a')).map((r) => r.value);
	assert.equal(values.length, 301);
	assert.equal(new Set(values).size, 301);
});

test('no broker: tried again with what the connection said; brokers that fall silent cost one time limit', async (t) => {
	const port = await freePort();
	const none = sink(t, { servers: `127.0.0.1:${port}` }, {}, { timeout: '500ms' });
	await until('what the connection said', async () => {
		const [refused] = await none.send({ payload: 'x' });
		assert.equal(refused.result, 'retry');
		return /127\.0\.0\.1:\d+.*Connection refused/.test(refused.why);
	});
	const k = await kafka(t), d = sink(t, k, {}, { timeout: '500ms' });
	await until('the first one to arrive', async () => results(await d.send({ payload: '1' })) === 'ok');
	await k.pause();
	assert.equal(results(await d.send({ payload: '2' }, { payload: '3' })), 'retry retry');
	k.child.kill('SIGCONT');
	await until('it to arrive', async () => results(await d.send({ payload: '2' }, { payload: '3' })) === 'ok ok');
	const values = (await k.read('a')).map((r) => r.value);
	assert.deepEqual([...new Set(values)].sort(), ['1', '2', '3']);
});

test('brokers that go down and come back while batches come: what was ok is there, what was not comes again', async (t) => {
	const k = await kafka(t, 2), d = sink(t, k, {}, { timeout: '1s' });
	let n = 0, retried = 0, again = [];
	const one = async () => {
		const batch = [...again, ...range(100 - again.length, () => n++)];
		const answers = await d.send(...batch.map((i) => ({ fields: { key: String(i % 7) }, payload: String(i) })));
		assert.ok(answers.every((r) => r.result !== 'fail'), JSON.stringify(answers.find((r) => r.result === 'fail')));
		again = batch.filter((_, i) => answers[i].result === 'retry');
		retried += again.length;
	};
	for (const which of ['-1', '1']) {
		for (let i = 0; i < 5; i++)
			await one();
		const down = sleep(20).then(() => k.ask(`down ${which}`));
		await until('an item to come again', async () => { await one(); return again.length; });
		await down;
		await k.ask(`up ${which}`);
		await until('items to arrive again', async () => { await one(); return !again.length; });
	}
	assert.ok(retried > 0);
	const values = (await k.read('a')).map((r) => Number(r.value));
	assert.deepEqual([...new Set(values)].sort((a, b) => a - b), range(n, (i) => i));
});

test('acks that say that loss does not matter, and each compression', async (t) => {
	const k = await kafka(t);
	for (const clientProperties of [{ acks: '0' }, { acks: '1' }, { acks: 'all' }, { acks: '-1', 'linger.ms': '0' }, { 'compression.type': 'gzip' }, { 'compression.type': 'snappy' },
		{ 'compression.type': 'lz4' }, { 'compression.type': 'zstd', 'key.serializer': 'org.apache.kafka.common.serialization.StringSerializer', 'value.serializer': 'ByteBufferSerializer' }])
		assert.equal(results(await sink(t, k, { clientProperties, topic: 'c' }).send({ payload: 'y'.repeat(2000) })), 'ok', JSON.stringify(clientProperties));
	assert.equal((await k.read('c')).filter((r) => r.value === 'y'.repeat(2000)).length, 8);
});

test('properties that are wrong or do not go together are refused when the rule is made', async (t) => {
	const said = async (clientProperties, more = {}) => {
		const d = drive(t, 'sink_kafka', 'kafka', { destinationArn, topic: 'a', clientProperties, ...more });
		assert.equal(await d.end(), 1);
		return d.log.trim();
	};
	const servers = { 'bootstrap.servers': 'h:9092' };
	assert.match(await said({}), /bootstrap\.servers must be there/);
	assert.match(await said({ ...servers, 'plugin.library.paths': '/tmp/x.so' }), /there is no plugin\.library\.paths/);
	assert.match(await said({ ...servers, 'sasl.kerberos.kinit.cmd': 'x' }), /there is no sasl\.kerberos\.kinit\.cmd/);
	assert.match(await said({ ...servers, acks: '2' }), /acks must be one of 0 1 -1 all/);
	assert.match(await said({ ...servers, 'value.serializer': 'com.example.StringSerializer' }), /value\.serializer must be one of/);
	assert.match(await said({ ...servers, 'security.protocol': 'SASL_SSL' }), /SASL_SSL needs sasl\.mechanism/);
	assert.match(await said({ ...servers, 'sasl.mechanism': 'GSSAPI' }), /sasl\.mechanism must be one of/);
	assert.match(await said({ ...servers, 'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.scram.username': 'u' }), /needs sasl\.scram\.username and sasl\.scram\.password/);
	assert.match(await said({ ...servers, 'client.id': '${clientid()}' }), /client\.id may only have the template get_secret/);
	assert.match(await said({ ...servers, 'ssl.keystore': 'hush-hush' }), /ssl\.keystore must be PEM/);
	assert.match(await said(servers, { topic: '' }), /topic must be/);
	assert.match(await said(servers, { partition: 'x' }), /partition must be a number/);
});

test('keys and passwords come from secrets, and are in no answer and no log', async (t) => {
	const k = await kafka(t), client = pki.certificate('kafka');
	const file = path.join(fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'skeeter-kafka-')), 'secrets');
	t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
	fs.writeFileSync(file, JSON.stringify({ ca: pki.authority().pem, key: client.pem + client.keyPem, user: 'me', password: 'hush-hush', bad: '-----BEGIN hush-hush' }), { mode: 0o600 });
	const secret = (name) => `\${get_secret('${name}', 'SecretString')}`;
	const tls = { 'security.protocol': 'SSL', 'ssl.truststore': secret('ca'), 'ssl.keystore': secret('key') };
	const sasl = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.scram.username': secret('user'), 'sasl.scram.password': secret('password') };
	for (const [clientProperties, why] of [[tls, /SSL handshake failed|ssl/i], [sasl, /./], [{ ...tls, 'ssl.keystore': secret('bad') }, /no producer/], [{ ...tls, 'ssl.keystore': secret('user') }, /must be PEM/]]) {
		const d = sink(t, k, { clientProperties }, { secrets: file, timeout: '1s' });
		await until(`it to say ${why}`, async () => {
			const [r] = await d.send({ payload: 'x' });
			assert.equal(r.result, 'retry');
			assert.doesNotMatch(r.why, /hush-hush|BEGIN/);
			return why.test(r.why);
		});
		assert.equal(await d.end(), 0);
		assert.doesNotMatch(d.log, /hush-hush|BEGIN/);
	}
});
