// The sink `postgres` against a real PostgreSQL: what it writes, whom it blames for an error, and that nothing is lost when the server is killed.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until, atEnd } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { freePort } = require('../../harness/ports');
const { postgres } = require('../../harness/service_postgres');

const who = (pg) => ({ url: pg.url, user: 'skeeter', password: 'secret' });
const sink = (t, pg, fields, options) => drive(t, 'sink_postgres', 'postgres', { ...who(pg), ...fields }, options);
const results = (list) => list.map((r) => r.result).join(' ');
const range = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const insert = { sql: 'INSERT INTO r(n) VALUES ($1)' };
const numbers = (list) => list.map((n) => ({ fields: { parameters: [String(n)] } }));

let shared;
// One server for most cases, a schema for each: making one takes longer than most of them.
async function server(t) {
	shared = shared || postgres({ after: atEnd, onFail() {} });
	const pg = await shared;
	t.onFail(() => `PostgreSQL:\n${pg.log.split('\n').slice(-30).join('\n')}`);
	return pg;
}
async function table(t, columns = 'n int PRIMARY KEY, at timestamptz DEFAULT now()') {
	const pg = await server(t);
	await pg.sql(`DROP TABLE IF EXISTS r CASCADE; CREATE TABLE r(${columns})`);
	return pg;
}

test('a statement gets its parameters as they are: nothing in them is SQL', async (t) => {
	const pg = await table(t, 'thing text, at timestamptz, temp float8, doc jsonb');
	const d = sink(t, pg, { sql: 'INSERT INTO r(thing, at, temp, doc) VALUES ($1, to_timestamp($2), $3, $4)', parameters: ['', '', ''], payloadParameter: 4 });
	const evil = "x'); DROP TABLE r; --";
	assert.equal(results(await d.send({ fields: { parameters: [evil, '1700000000', '21.5'] }, payload: '{"a": [1, "ü"]}' },
		{ fields: { parameters: ['', '0', 'NaN'] }, payload: 'null' })), 'ok ok');
	assert.deepEqual(await pg.sql('SELECT thing, extract(epoch FROM at)::bigint, temp, doc FROM r'), [`${evil}|1700000000|21.5|{"a": [1, "ü"]}`, '|0|NaN|null']);
	assert.equal(await d.end(), 0);
});

test('a table and its columns: names are quoted, an empty text may be NULL, the payload may be bytes', async (t) => {
	const pg = await server(t);
	await pg.sql('DROP SCHEMA IF EXISTS "Hall" CASCADE; CREATE SCHEMA "Hall"; CREATE TABLE "Hall"."the ""r"(n int, "a.b" text, "select" text, raw bytea)');
	const d = sink(t, pg, { table: 'Hall.the "r', columns: { n: '', 'a.b': 'x', select: '' }, payloadColumn: 'raw', payloadBinary: true, nullWhenEmpty: true });
	assert.equal(results(await d.send({ payload: '\\x00\u00ff' }, { fields: { columns: { n: '7', 'a.b': 'y', select: 'z' } }, payload: '' })), 'ok ok');
	assert.deepEqual(await pg.sql('SELECT n IS NULL, "a.b", "select" IS NULL, raw FROM "Hall"."the ""r"'), ['t|x|t|\\x5c783030c3bf', 'f|y|f|\\x']);
	const empty = sink(t, pg, { table: 'Hall.the "r', columns: { n: '' } });
	const [r] = await empty.send({});
	assert.equal(r.result, 'fail');
	assert.match(r.why, /^22P02 invalid input syntax for type integer: ""$/);
});

test('only those that break a constraint fail, with SQLSTATE and the words of the server; all others are stored once', async (t) => {
	const pg = await table(t, 'n int PRIMARY KEY CHECK (n <> 13), at timestamptz DEFAULT now()'), d = sink(t, pg, insert);
	const list = range(256, (i) => (i === 100 ? 99 : i === 200 ? 'two' : i));
	const answers = await d.send(...numbers(list));
	const bad = answers.flatMap((r, i) => (r.result === 'ok' ? [] : [`${i} ${r.result} ${r.why}`]));
	assert.deepEqual(bad.map((s) => s.replace(/: Failing row.*/, '')), [
		'13 fail 23514 new row for relation "r" violates check constraint "r_check"'.replace('r_check', 'r_n_check'),
		'100 fail 23505 duplicate key value violates unique constraint "r_pkey": Key (n)=(99) already exists.',
		'200 fail 22P02 invalid input syntax for type integer: "two"']);
	assert.deepEqual(await pg.sql('SELECT count(*), count(DISTINCT n) FROM r'), ['253|253']);
	assert.equal(results(await d.send(...numbers([1, 2, 3]))), 'fail fail fail');
});

test('a constraint that is only checked at the commit blames the one that breaks it', async (t) => {
	const pg = await table(t, 'n int UNIQUE DEFERRABLE INITIALLY DEFERRED'), d = sink(t, pg, insert);
	const answers = await d.send(...numbers([1, 2, 3, 2, 5, 6, 1, 8]));
	assert.equal(results(answers), 'ok ok ok fail ok ok fail ok');
	assert.match(answers[3].why, /^23505 duplicate key/);
	assert.deepEqual(await pg.sql('SELECT n FROM r ORDER BY n'), ['1', '2', '3', '5', '6', '8']);
});

test('several statements in one batch, and more of them than are kept prepared', async (t) => {
	const pg = await table(t, 'n int, m text'), d = sink(t, pg, insert);
	const items = range(150, (i) => ({ fields: { sql: `INSERT INTO r(n, m) VALUES ($1, 'of ${i % 75}')`, parameters: [String(i)] } }));
	assert.ok((await d.send(...items)).every((r) => r.result === 'ok'));
	assert.ok((await d.send(...items)).every((r) => r.result === 'ok'));
	assert.deepEqual(await pg.sql('SELECT count(*), count(DISTINCT m) FROM r'), ['300|75']);
	assert.equal(results(await d.send({ fields: { sql: 'INSERT INTO nowhere VALUES (1)', parameters: [] } }, { fields: { parameters: ['1000'] } },
		{ fields: { sql: 'INSERT INTO nowhere VALUES (1)', parameters: [] } }, { fields: { sql: 'SELEC', parameters: [] } })), 'fail ok fail fail');
});

test('a table that goes fails its items, and one that comes back works on the same connection', async (t) => {
	const pg = await table(t), d = sink(t, pg, insert);
	assert.equal(results(await d.send(...numbers([1]))), 'ok');
	await pg.sql('DROP TABLE r');
	const answers = await d.send(...numbers([2, 3]));
	assert.deepEqual(answers.map((r) => `${r.result} ${r.why}`), Array(2).fill('fail 42P01 relation "r" does not exist'));
	await pg.sql('CREATE TABLE r(n text)');
	assert.equal(results(await d.send(...numbers([4, 'text']))), 'ok ok');
	await pg.sql('ALTER TABLE r ALTER n TYPE jsonb USING to_jsonb(n)');
	assert.equal(results(await d.send(...numbers([5, '{"x": 1}']))), 'ok ok');
	assert.deepEqual(await pg.sql('SELECT n FROM r'), ['"4"', '"text"', '5', '{"x": 1}']);
});

test('what the statement does beside inserting: a notification, rows that come back, a transaction, COPY', async (t) => {
	const pg = await table(t), d = sink(t, pg, { sql: 'SELECT pg_notify($1, $2)', parameters: ['c', 'x'] });
	const own = (sql) => ({ fields: { sql, parameters: [] } });
	assert.equal(results(await d.send({}, own('INSERT INTO r VALUES (1), (2) RETURNING *'), own('SELECT * FROM generate_series(1, 1000)'), own(''))), 'ok ok ok ok');
	const answers = await d.send(own('INSERT INTO r VALUES (3)'), own('BEGIN'), own('INSERT INTO r VALUES (4)'), own('COPY r TO STDOUT'), own('INSERT INTO r VALUES (5)'));
	assert.equal(results(answers), 'ok fail ok fail ok');
	assert.match(answers[1].why, /left a transaction open/);
	assert.match(answers[3].why, /COPY/);
	assert.deepEqual(await pg.sql('SELECT n FROM r'), ['1', '2', '3', '4', '5']);
});

test('a lock that is held is waited for, for a while, and nothing overtakes', async (t) => {
	const pg = await table(t), d = sink(t, pg, insert, { timeout: '1s' });
	assert.equal(results(await sink(t, pg, insert).send(...numbers([1]))), 'ok');
	const holder = pg.session(t);
	await holder.sql('BEGIN; LOCK TABLE r');
	await until('the lock to be told', async () => { // the server, if it is slow, says it when nobody listens any more
		const answers = await d.send(...numbers([2, 3]));
		assert.equal(results(answers), 'retry retry');
		return /^57014 canceling statement due to statement timeout$/.test(answers[0].why);
	});
	await holder.sql('COMMIT');
	assert.equal(results(await sink(t, pg, insert).send(...numbers([2, 3]))), 'ok ok');
	assert.deepEqual(await pg.sql('SELECT n FROM r'), ['1', '2', '3']);
});

test('a deadlock is tried again, and what stands before it is stored', async (t) => {
	const pg = await table(t, 'n int PRIMARY KEY, m int');
	await pg.sql('INSERT INTO r VALUES (1, 0), (2, 0), (3, 0)');
	const d = sink(t, pg, { sql: 'UPDATE r SET m = m + 1 WHERE n = $1' }), gate = pg.session(t), other = pg.session(t);
	const holds = (n) => ({ fields: { sql: `WITH u AS (UPDATE r SET m = m + 1 WHERE n = ${n} RETURNING n) SELECT pg_advisory_lock(7) FROM u`, parameters: [] } });
	assert.equal(results(await d.send(...numbers([3]))), 'ok');
	await gate.sql('SELECT pg_advisory_lock(7)');
	const sent = d.send(...numbers([3]), holds(1), ...numbers([2, 3]));
	const waits = (program, event) => until(`${program} to wait`, async () =>
		(await pg.sql(`SELECT count(*) FROM pg_stat_activity WHERE application_name = '${program}' AND wait_event_type = 'Lock' AND wait_event = '${event}'`))[0] === '1');
	await waits('skeeter', 'advisory');
	await other.sql("SET deadlock_timeout = '1h'; BEGIN; UPDATE r SET m = 9 WHERE n = 2");
	const ended = other.sql('UPDATE r SET m = 9 WHERE n = 1; COMMIT');
	await waits('psql', 'transactionid');
	await gate.sql('SELECT pg_advisory_unlock(7)');
	const answers = await sent;
	await ended;
	assert.equal(results(answers), 'ok ok retry retry');
	assert.match(answers[2].why, /^40P01 deadlock detected/);
	assert.equal(results(await d.send(...numbers([2, 3]))), 'ok ok');
	assert.deepEqual(await pg.sql('SELECT n, m FROM r WHERE n <> 1 ORDER BY n'), ['2|10', '3|3']);
	assert.match((await pg.sql('SELECT m FROM r WHERE n = 1'))[0], /^(9|10)$/); // whichever of the two came last
});

test('a wrong password, no such database, no server: tried again, and the password is in no answer', async (t) => {
	const pg = await server(t);
	const [wrong] = await sink(t, pg, { ...insert, password: 'hush-hush' }).send(...numbers([1]));
	assert.equal(wrong.result, 'retry');
	assert.match(wrong.why, /password authentication failed for user "skeeter"$/);
	const [none] = await sink(t, pg, { ...insert, url: pg.url.replace(/postgres$/, 'nobody') }).send(...numbers([1]));
	assert.match(none.why, /database "nobody" does not exist$/);
	const [refused] = await sink(t, pg, { ...insert, url: `host=127.0.0.1 port=${await freePort()}` }).send(...numbers([1]));
	assert.match(`${refused.result} ${refused.why}`, /^retry .*Connection refused/);
	const file = path.join(pg.dir, 'secrets.json');
	fs.writeFileSync(file, JSON.stringify({ pg: 'no url password=hush-hush', good: 'secret' }), { mode: 0o600 });
	const [parsed] = await sink(t, pg, { ...insert, url: "${get_secret('pg', 'SecretString')}" }, { secrets: file }).send(...numbers([1]));
	assert.equal(`${parsed.result} ${parsed.why}`, 'retry url is not a connection string of PostgreSQL');
	await table(t);
	assert.equal(results(await sink(t, pg, { ...insert, password: "${get_secret('good', 'SecretString')}" }, { secrets: file }).send(...numbers([1]))), 'ok');
});

test('fields that do not go together are refused when the rule is made', async (t) => {
	const pg = await server(t);
	const said = async (fields) => {
		const d = sink(t, pg, fields);
		assert.equal(await d.end(), 1);
		return d.log.trim();
	};
	assert.match(await said({}), /either sql or table/);
	assert.match(await said({ ...insert, table: 'r' }), /either sql or table/);
	assert.match(await said({ ...insert, columns: { a: '1' } }), /columns, payloadColumn and idColumn go with table/);
	assert.match(await said({ table: 'r' }), /table needs columns or payloadColumn/);
	assert.match(await said({ table: 'a..r', columns: { a: '1' } }), /table must be a name/);
	assert.match(await said({ ...insert, payloadParameter: 3, parameters: ['x'] }), /payloadParameter and idParameter must be places/);
	assert.match(await said({ ...insert, url: 'host=x password=hush' }), /a password has no place in url/);
});

test('connections that an operator ends are made again, and the server may be paused', async (t) => {
	const pg = await table(t), d = sink(t, pg, insert, { timeout: '1s' });
	const arrives = (by, n) => until(`${n} to arrive`, async () => /ok|23505/.test((await by.send(...numbers([n]))).map((r) => r.result + r.why)));
	await arrives(d, 1);
	await pg.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'skeeter'");
	await arrives(d, 2);
	await pg.pause();
	const fresh = sink(t, pg, insert, { timeout: '1s' });
	const [r] = await fresh.send(...numbers([3]));
	pg.resume();
	assert.equal(`${r.result} ${r.why}`, 'retry the server did not answer in time');
	await arrives(fresh, 3);
	assert.deepEqual(await pg.sql('SELECT n FROM r'), ['1', '2', '3']);
});

test('killed and started again while batches come: what was ok is there, what was not comes again', async (t) => {
	const pg = await postgres(t);
	await pg.sql('CREATE TABLE r(n int PRIMARY KEY)');
	const d = sink(t, pg, { sql: 'INSERT INTO r(n) VALUES ($1) ON CONFLICT DO NOTHING' });
	let n = 0, stored = 0, retried = 0, again = [];
	const one = async () => {
		const batch = [...again, ...range(100 - again.length, () => n++)];
		const answers = await d.send(...numbers(batch));
		again = batch.filter((_, i) => answers[i].result === 'retry');
		retried += again.length;
		stored += answers.filter((r) => r.result === 'ok').length;
		assert.ok(answers.every((r) => r.result !== 'fail'), JSON.stringify(answers.find((r) => r.result === 'fail')));
	};
	for (let round = 0; round < 2; round++) {
		const least = stored + 500;
		while (stored < least)
			await one();
		const killed = pg.kill();
		await until('an item to come again', async () => { await one(); return again.length; });
		await killed;
		const started = pg.start();
		await until('items to arrive again', async () => { await one(); return !again.length; }, 120000);
		await started;
	}
	assert.ok(retried > 0);
	assert.deepEqual(await pg.sql('SELECT count(*), max(n) FROM r'), [`${n}|${n - 1}`]);
});
