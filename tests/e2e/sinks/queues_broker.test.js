// Rules that write to Redis, NATS and RabbitMQ, in a broker: everything that has its PUBACK arrives in its order, whoever is killed; what fails goes to the error action.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { prepare, republish, PLUGINS } = require('../../harness/rules');
const { freePort } = require('../../harness/ports');
const { amqp } = require('../../harness/service_amqp');
const { nats } = require('../../harness/service_nats');
const { redis } = require('../../harness/service_redis');

const range = (n, from = 0) => Array.from({ length: n }, (_, i) => i + from);

async function broker(t) {
	const sinks = ['sink_redis', 'sink_nats', 'sink_amqp'], timeout = '2s';
	const r = await prepare(t, { plugins: [...PLUGINS, ...sinks], options: Object.fromEntries(sinks.map((s) => [s, { timeout }])), rules: { retry_least: '50ms', retry_most: '500ms' } });
	const file = path.join(r.b.dir, 'secrets.json');
	fs.writeFileSync(file, JSON.stringify({ rabbit: { user: 'user', password: 'right-pass' } }), { mode: 0o600 });
	r.b.spec.options.core = { secrets: file };
	await r.b.start();
	r.op = await r.b.operator();
	return r;
}

// The numbers of a hall in the order in which they came first.
function inOrder(numbers) {
	const first = [...new Set(numbers)];
	assert.deepEqual(first, [...first].sort((a, b) => a - b));
	return first.length;
}

test('what has a PUBACK is in the stream, in JetStream and in the queue, though all of them are killed', async (t) => {
	const [store, bus] = await Promise.all([redis(t), nats(t)]), r = await broker(t);
	await bus.stream('PRESS', ['press.>'], { duplicate_window: 3600e9 });
	const port = await freePort(), secret = (key) => `\${get_secret('rabbit', 'SecretString', '${key}')}`;
	await r.make('all', "SELECT n, topic(2) AS hall FROM 'hall/+/press'", [
		{ redis: { url: `${store.url}/1`, command: 'stream', key: 'press:${topic(2)}', fields: { n: '${n}' }, idField: 'id' } },
		{ nats: { url: bus.url, subject: 'press.${topic(2)}', jetstream: true, headers: { Hall: '${topic(2)}' } } },
		{ amqp: { url: `amqp://127.0.0.1:${port}`, user: secret('user'), password: secret('password'), exchange: 'amq.topic', routingKey: 'press.${topic(2)}' } },
	]);
	const send = async (list) => {
		const d = await r.b.unix().connect();
		await Promise.all(list.map((n) => d.publish(`hall/${n % 3}/press`, JSON.stringify({ n }), { qos: 1 })));
	};
	await send(range(300));
	await Promise.all([store.kill(), bus.kill()]);
	await send(range(300, 300));
	await r.b.stop('SIGKILL');
	await r.b.start();
	const [rabbit] = await Promise.all([amqp(t, { port, queues: [{ name: 'q' }], bindings: [{ source: 'amq.topic', destination: 'q', routing_key: 'press.*' }] }),
		store.start(), bus.start(), send(range(300, 600))]);
	for (const hall of [0, 1, 2]) {
		const stream = async () => (await store.cli('-n', '1', 'XRANGE', `press:${hall}`, '-', '+')).split('\n').filter((_, i) => i % 5 === 2).map(Number);
		await until(`the stream of hall ${hall}`, async () => new Set(await stream()).size === 300);
		assert.equal(inOrder(await stream()), 300);
	}
	const c = await bus.client();
	await until('JetStream', () => c.request('$JS.API.STREAM.INFO.PRESS').then((s) => s.state.messages >= 900, () => false));
	assert.equal((await c.request('$JS.API.STREAM.INFO.PRESS')).state.messages, 900); // what came again had its id
	const numbers = (list) => list.map((m) => JSON.parse(m.body)), got = numbers(await rabbit.read('q', (list) => new Set(numbers(list).map((m) => m.n)).size === 900));
	for (const hall of ['0', '1', '2'])
		assert.equal(inOrder(got.filter((m) => m.hall === hall).map((m) => m.n)), 300);
	await until('the lanes to be empty', async () => (await r.b.call('ListRuleLanes', {})).lanes.every((l) => l.backlogItems === 0));
});

test('what fails goes to the error action in the words of the service; what cannot be is refused when the rule is made', async (t) => {
	const [store, bus] = await Promise.all([redis(t), nats(t)]), r = await broker(t);
	await store.cli('SET', 'text', 'x');
	await r.make('wrong', "SELECT n FROM 'in'", { redis: { url: store.url, command: 'list', key: 'text' } }, { errorAction: republish('failed/redis') });
	await r.make('bad', "SELECT n FROM 'in'", { nats: { url: bus.url, subject: '${name}' } }, { errorAction: republish('failed/nats') });
	await r.op.subscribe('failed/#');
	const d = await r.b.unix().connect();
	await d.publish('in', '{"n":1,"name":"$JS.API.STREAM.DELETE.S"}', { qos: 1 });
	const failures = [await r.op.next('failed/redis'), await r.op.next('failed/nats')].map((m) => m.failures[0]);
	assert.deepEqual(failures.map((f) => [f.failedAction, f.failedResource, f.errorMessage]), [
		['RedisAction', 'text', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
		['NatsAction', '$JS.API.STREAM.DELETE.S', "the subject is one of the server's own"]]);
	const refused = (action) => r.b.refused('CreateTopicRule', { ruleName: 'x', topicRulePayload: { sql: "SELECT * FROM 'in'", actions: [action] } });
	const fields = { redis: { url: 'redis://h', command: 'stream', key: 'k' }, nats: { url: 'nats://h', subject: 's' }, amqp: { url: 'amqp://h', routingKey: 'k' } };
	for (const [kind, more, why] of [['redis', { url: 'http://h' }, /url must be redis:/], ['redis', { command: 'eval' }, /enum value set: \[stream, list, publish, set, hash\]/],
		['redis', { side: 'left' }, /side is not for command stream/], ['redis', { maxLength: 0 }, /maxLength/], ['nats', { url: 'nats://token@h' }, /a token stands in `token`/],
		['nats', { stream: 'S' }, /stream is for jetstream only/], ['nats', { subject: 'a b' }, /a blank/], ['amqp', { url: 'amqp://u@h' }, /user and password go together/],
		['amqp', { tls: {} }, /tls is for amqps/], ['amqp', { headers: { '': 'x' } }, /headers/]])
		assert.match(await refused({ [kind]: { ...fields[kind], ...more } }), why);
});
