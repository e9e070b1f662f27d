// Rules that write to PostgreSQL, MariaDB and Kafka, in a broker: everything that has its PUBACK is there, whoever is killed; what fails goes to the error action.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { prepare, republish, PLUGINS } = require('../../harness/rules');
const { kafka } = require('../../harness/service_kafka');
const { mysql } = require('../../harness/service_mysql');
const { postgres } = require('../../harness/service_postgres');

const range = (n, from = 0) => Array.from({ length: n }, (_, i) => i + from);
const destinationArn = 'arn:aws:iot:us-east-1:123456789012:ruledestination/vpc/x';
const password = "${get_secret('db', 'SecretString', 'password')}";
const plain = (k) => ({ 'bootstrap.servers': k.servers, 'security.protocol': 'PLAINTEXT' });

async function broker(t) {
	const sinks = ['sink_postgres', 'sink_mysql', 'sink_kafka'], timeout = '2s';
	const r = await prepare(t, { plugins: [...PLUGINS, ...sinks], options: Object.fromEntries(sinks.map((s) => [s, { timeout }])), rules: { retry_least: '50ms', retry_most: '500ms' } });
	const file = path.join(r.b.dir, 'secrets.json');
	fs.writeFileSync(file, JSON.stringify({ db: { password: 'secret' } }), { mode: 0o600 });
	r.b.spec.options.core = { secrets: file };
	await r.b.start();
	r.op = await r.b.operator();
	return r;
}

test('what has a PUBACK is in the tables and in the topic, though servers and broker are killed', async (t) => {
	const [pg, db, k] = await Promise.all([postgres(t), mysql(t), kafka(t, 2)]), r = await broker(t);
	await pg.sql('CREATE TABLE r(id text PRIMARY KEY, seq serial, hall text, n int, doc jsonb)');
	await db.sql('CREATE TABLE r(seq INT AUTO_INCREMENT PRIMARY KEY, id CHAR(32) UNIQUE, hall TEXT, n INT, doc JSON)');
	const values = ['${topic(2)}', '${n}'];
	await r.make('all', "SELECT n, topic(2) AS hall FROM 'hall/+/press'", [
		{ postgres: { url: pg.url, user: 'skeeter', password, sql: 'INSERT INTO r(hall, n, id, doc) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', parameters: values, idParameter: 3,
			payloadParameter: 4 } },
		{ mysql: { url: db.url, user: 'skeeter', password, sql: 'INSERT IGNORE INTO r(hall, n, id, doc) VALUES (?, ?, ?, ?)', parameters: values, idParameter: 3, payloadParameter: 4 } },
		{ kafka: { destinationArn, topic: 'press', key: '${topic(2)}', headers: [{ key: 'n', value: '${n}' }], clientProperties: plain(k) } },
	]);
	const send = async (list) => {
		const d = await r.b.unix().connect();
		await Promise.all(list.map((n) => d.publish(`hall/${n % 3}/press`, JSON.stringify({ n }), { qos: 1 })));
	};
	await send(range(300));
	await Promise.all([pg.kill(), db.kill(), k.ask('down -1')]);
	await send(range(300, 300));
	await r.b.stop('SIGKILL');
	await r.b.start();
	await Promise.all([pg.start(), db.start(), k.ask('up -1'), send(range(300, 600))]);
	const halls = ['0', '1', '2'], expected = (hall) => range(900).filter((n) => n % 3 === Number(hall));
	for (const s of [pg, db]) {
		await until('all rows', async () => (await s.sql('SELECT COUNT(*) FROM r'))[0] === '900');
		for (const hall of halls)
			assert.deepEqual((await s.sql(`SELECT n FROM r WHERE hall = '${hall}' ORDER BY seq`)).map(Number), expected(hall));
	}
	assert.deepEqual(await pg.sql("SELECT count(*) FROM r WHERE (doc->>'n')::int = n AND doc->>'hall' = hall"), ['900']);
	let records;
	await until('all records', async () => {
		records = await k.read('press');
		return new Set(records.map((m) => m.headers.n)).size === 900;
	});
	for (const hall of halls)
		assert.deepEqual([...new Set(records.filter((m) => m.key === hall).map((m) => JSON.parse(m.value).n))], expected(hall));
	await until('the lanes to be empty', async () => (await r.b.call('ListRuleLanes', {})).lanes.every((l) => l.backlogItems === 0));
	const { lanes } = await r.b.call('ListRuleLanes', {});
	assert.doesNotMatch(JSON.stringify(lanes) + r.b.log, /secret"|=secret/);
});

test('what fails goes to the error action in the words of the server; what cannot be is refused when the rule is made', async (t) => {
	const [pg, db, k] = await Promise.all([postgres(t), mysql(t), kafka(t)]), r = await broker(t);
	await pg.sql('CREATE TABLE r(n int)');
	await db.sql('CREATE TABLE r(n INT)');
	const who = { user: 'skeeter', password }, columns = { n: '${n}' };
	await r.make('one', "SELECT n FROM 'in'", { postgres: { url: pg.url, ...who, table: 'r', columns } }, { errorAction: republish('failed/postgres') });
	await r.make('two', "SELECT n FROM 'in'", { mysql: { url: db.url, ...who, table: 'r', columns } }, { errorAction: republish('failed/mysql') });
	await r.make('three', "SELECT n FROM 'in'", { kafka: { destinationArn, topic: '${n}', partition: '${n}', clientProperties: plain(k) } }, { errorAction: republish('failed/kafka') });
	await r.op.subscribe('failed/#');
	await (await r.b.unix().connect()).publish('in', '{"n":"many"}', { qos: 1 });
	const failures = (await Promise.all(['postgres', 'mysql', 'kafka'].map((kind) => r.op.next(`failed/${kind}`)))).map((m) => m.failures[0]);
	assert.deepEqual(failures.map((f) => [f.failedAction, f.failedResource, f.errorMessage.replace(/ for column.*/, '')]), [
		['PostgresAction', 'r', '22P02 invalid input syntax for type integer: "many"'],
		['MysqlAction', 'r', "1366 (22007) Incorrect integer value: 'many'"],
		['KafkaAction', 'many', 'partition is not a number']]);
	const refused = (action) => r.b.refused('CreateTopicRule', { ruleName: 'x', topicRulePayload: { sql: "SELECT * FROM 'in'", actions: [action] } });
	assert.match(await refused({ postgres: { url: 'host=x password=hush', table: 'r', columns } }), /a password has no place in url/);
	assert.match(await refused({ postgres: { url: 'host=${x}', table: 'r', columns } }), /postgres\.url: a template here must be/);
	assert.match(await refused({ postgres: { url: 'host=x', sql: 'SELECT 1', table: 'r' } }), /either sql or table/);
	assert.match(await refused({ mysql: { url: 'mysql://x', sql: 'SELECT ?', parameters: ['a'], payloadParameter: 4 } }), /places of their own/);
	assert.match(await refused({ mysql: { url: 'mysql://x', sql: 'SELECT ?', payloadParameter: 0 } }), /payloadParameter/);
	assert.match(await refused({ kafka: { destinationArn, topic: 't', clientProperties: { ...plain(k), acks: '7' } } }), /acks must be one of/);
	assert.match(await refused({ kafka: { destinationArn, topic: 't', clientProperties: { ...plain(k), acks: '${n}' } } }), /kafka\.clientProperties\.acks: a template here must be/);
});
