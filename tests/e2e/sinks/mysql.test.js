// The sink `mysql` against a real MariaDB: what it writes, whom it blames for an error, and that nothing is lost when the server is killed.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until, atEnd } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { freePort } = require('../../harness/ports');
const { mysql } = require('../../harness/service_mysql');
const pki = require('../../harness/pki');

const sink = (t, m, fields, options) => drive(t, 'sink_mysql', 'mysql', { url: m.url, user: 'skeeter', password: 'secret', ...fields }, options);
const results = (list) => list.map((r) => r.result).join(' ');
const range = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const insert = { sql: 'INSERT INTO r(n) VALUES (?)' };
const numbers = (list) => list.map((n) => ({ fields: { parameters: [String(n)] } }));

let shared;
// One server for all cases but the last: making one takes longer than most of them.
async function server(t) {
	shared = shared || mysql({ after: atEnd, onFail() {} });
	const m = await shared;
	t.onFail(() => `MariaDB:\n${m.log.split('\n').slice(-30).join('\n')}`);
	return m;
}
async function table(t, columns = 'n INT PRIMARY KEY') {
	const m = await server(t);
	await m.sql(`DROP TABLE IF EXISTS r; CREATE TABLE r(${columns})`);
	return m;
}

test('a statement gets its parameters as they are: nothing in them is SQL', async (t) => {
	const m = await table(t, 'thing TEXT, at DATETIME, temp DOUBLE, doc JSON, id CHAR(32)');
	const d = sink(t, m, { sql: 'INSERT INTO r VALUES (?, FROM_UNIXTIME(?), ?, ?, ?)', parameters: ['', '', ''], payloadParameter: 4, idParameter: 5 });
	const evil = "x'); DROP TABLE r; --";
	assert.equal(results(await d.send({ fields: { parameters: [evil, '1700000000', '21.5'] }, payload: '{"a": [1, "ü"]}' },
		{ fields: { parameters: ['', '1', '-1e3'] }, payload: 'null' })), 'ok ok');
	assert.deepEqual(await m.sql('SET NAMES utf8mb4; SELECT thing, UNIX_TIMESTAMP(at), temp, doc, id FROM r ORDER BY id'),
		[`${evil}|1700000000|21.5|{"a": [1, "ü"]}|${'1'.padStart(32, '0')}`, `|1|-1000|null|${'2'.padStart(32, '0')}`]);
	assert.equal(await d.end(), 0);
});

test('a table and its columns: names are quoted, an empty text may be NULL, a BLOB takes any payload', async (t) => {
	const m = await server(t);
	await m.sql('DROP TABLE IF EXISTS `the ``r`; CREATE TABLE `the ``r`(n INT, `a.b` TEXT, `select` TEXT, raw BLOB)');
	const d = sink(t, m, { table: 'plant.the `r', columns: { n: '', 'a.b': 'x', select: '' }, payloadColumn: 'raw', nullWhenEmpty: true });
	assert.equal(results(await d.send({ payload: '\\x00\u00ff' }, { fields: { columns: { n: '7', 'a.b': 'y', select: 'z' } }, payload: '' })), 'ok ok');
	assert.deepEqual(await m.sql('SELECT n IS NULL, `a.b`, `select` IS NULL, HEX(raw) FROM `the ``r`'), ['1|x|1|5C783030C3BF', '0|y|0|']);
	const [r] = await sink(t, m, { table: 'the `r', columns: { n: '' } }).send({});
	assert.match(`${r.result} ${r.why}`, /^fail 1366 \(22007\) Incorrect integer value: '' for column/);
});

test('only those that break a constraint fail, with code and words of the server; all others are stored once', async (t) => {
	const m = await table(t, 'n INT PRIMARY KEY CHECK (n <> 13)'), d = sink(t, m, insert);
	const answers = await d.send(...numbers(range(256, (i) => (i === 100 ? 99 : i === 200 ? 'two' : i))));
	const bad = answers.flatMap((r, i) => (r.result === 'ok' ? [] : [`${i} ${r.result} ${r.why}`]));
	assert.equal(bad.length, 3, bad.join('\n'));
	assert.match(bad[0], /^13 fail 4025 \(23000\) CONSTRAINT .* failed/);
	assert.match(bad[1], /^100 fail 1062 \(23000\) Duplicate entry '99' for key 'PRIMARY'$/);
	assert.match(bad[2], /^200 fail 1366 \(22007\) Incorrect integer value: 'two'/);
	assert.deepEqual(await m.sql('SELECT COUNT(*), COUNT(DISTINCT n) FROM r'), ['253|253']);
	assert.equal(results(await d.send(...numbers([1, 2, 3]))), 'fail fail fail');
});

test('several statements in one batch, more of them than are kept prepared, in their order', async (t) => {
	const m = await table(t, 'n INT, m TEXT'), d = sink(t, m, insert);
	const items = range(150, (i) => ({ fields: { sql: `INSERT INTO r(n, m) VALUES (?, 'of ${i % 75}')`, parameters: [String(i)] } }));
	assert.ok((await d.send(...items)).every((r) => r.result === 'ok'));
	const own = (sql, ...parameters) => ({ fields: { sql, parameters } });
	const answers = await d.send(own('INSERT INTO nowhere VALUES (1)'), ...numbers([1000, 1001]), own('UPDATE r SET n = n + ? WHERE n >= 1000', '5'), own('DELETE FROM r WHERE n = ?', '1005'),
		own('SELEC'), own('SELECT * FROM r'), own('INSERT INTO r(n) VALUES (?), (?)', '1'), own("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE r"), own('INSERT INTO r(n) VALUES (?) RETURNING n', '7'),
		own('INSERT INTO r(n) VALUES (?) RETURNING n', '8'));
	assert.equal(results(answers), 'fail ok ok ok ok fail ok fail fail ok ok');
	assert.match(answers[0].why, /^1146 \(42S02\) Table 'plant\.nowhere' doesn't exist$/);
	assert.equal(answers[7].why, 'the statement has 2 parameters, the action 1');
	assert.deepEqual(await m.sql('SELECT COUNT(*), COUNT(DISTINCT m), MAX(n), SUM(n < 9) FROM r'), ['153|75|1006|11']);
});

test('a table that goes fails its items, and one that comes back works on the same connection', async (t) => {
	const m = await table(t), d = sink(t, m, insert);
	assert.equal(results(await d.send(...numbers([1]))), 'ok');
	await m.sql('DROP TABLE r');
	assert.equal(results(await d.send(...numbers([2, 3]))), 'fail fail');
	await m.sql('CREATE TABLE r(n TEXT)');
	assert.equal(results(await d.send(...numbers([4, 'text']))), 'ok ok');
	assert.deepEqual(await m.sql('SELECT n FROM r'), ['4', 'text']);
});

test('a lock that is held is waited for, for a while; what stands before it is stored, and nothing overtakes', async (t) => {
	const m = await table(t, 'n INT PRIMARY KEY, m INT'), d = sink(t, m, { sql: 'UPDATE r SET m = m + 1 WHERE n = ?' }, { timeout: '3s' });
	await m.sql('INSERT INTO r VALUES (1, 0), (2, 0), (3, 0)');
	const holder = m.session(t);
	await holder.sql('BEGIN; UPDATE r SET m = 10 WHERE n = 2');
	const one = (n, what) => ({ fields: { sql: `UPDATE r SET m = ${what} WHERE n = ${n}`, parameters: [] } }), batch = [one(1, '7'), one(2, 'm + 1'), one(3, 'm + 1')];
	let answers;
	await until('the lock to be told', async () => { // the server, if it is slow, says it when nobody listens any more
		answers = await d.send(...batch);
		assert.match(results(answers), /^(ok|retry) retry retry$/);
		return answers[0].result === 'ok' && /^1205 \(HY000\) Lock wait timeout exceeded/.test(answers[1].why);
	});
	assert.deepEqual(await m.sql('SELECT m FROM r WHERE n <> 2'), ['7', '0']);
	await holder.sql('COMMIT');
	assert.equal(results(await sink(t, m, insert).send(...batch.slice(1))), 'ok ok');
	assert.deepEqual(await m.sql('SELECT m FROM r'), ['7', '11', '1']);
});

test('a deadlock is tried again, and so is a server that only reads', async (t) => {
	const m = await table(t, 'n INT PRIMARY KEY, m INT'), d = sink(t, m, insert), gate = m.session(t), other = m.session(t);
	await m.sql('INSERT INTO r VALUES (1, 0), (2, 0), (3, 0); DROP TABLE IF EXISTS big; CREATE TABLE big AS SELECT seq FROM seq_1_to_1000');
	const one = (n) => ({ fields: { sql: `UPDATE r SET m = m + 1 WHERE n = ${n}`, parameters: [] } });
	const runs = (what) => until(what, async () => (await m.sql(`SELECT COUNT(*) FROM information_schema.processlist WHERE INFO LIKE '${what}%'`))[0] === '1');
	await gate.sql("SELECT GET_LOCK('gate', 0)");
	const sent = d.send(one(1), { fields: { sql: "SELECT GET_LOCK('gate', 60)", parameters: [] } }, one(2), one(3));
	await runs('SELECT GET_LOCK');
	await other.sql('BEGIN; INSERT INTO big SELECT seq FROM seq_1_to_5000; UPDATE r SET m = 9 WHERE n = 2');
	const ended = other.sql('UPDATE r SET m = 9 WHERE n = 1; COMMIT');
	await runs('UPDATE r SET m = 9 WHERE n = 1');
	await gate.sql("SELECT RELEASE_LOCK('gate')");
	const answers = await sent;
	await ended;
	assert.equal(results(answers), 'ok ok retry retry');
	assert.match(answers[2].why, /^1213 \(40001\) Deadlock found/);
	assert.equal(results(await d.send(one(2), one(3))), 'ok ok');
	assert.deepEqual(await m.sql('SELECT m FROM r WHERE n <> 1'), ['10', '1']);
	assert.match((await m.sql('SELECT m FROM r WHERE n = 1'))[0], /^(9|10)$/); // whichever of the two came last
	await m.sql('SET GLOBAL read_only = 1');
	const [refused] = await d.send(one(3));
	await m.sql('SET GLOBAL read_only = 0');
	assert.match(`${refused.result} ${refused.why}`, /^retry 1290 /);
	assert.equal(results(await d.send(one(3))), 'ok');
});

test('a message that is larger than the server takes fails by itself', async (t) => {
	const m = await table(t, 'p LONGTEXT');
	await m.sql('SET GLOBAL max_allowed_packet = 1048576');
	const d = sink(t, m, { table: 'r', payloadColumn: 'p' });
	const answers = await d.send({ payload: 'x' }, { payload: 'y'.repeat(1200000) }, ...range(30, () => ({ payload: 'z'.repeat(60000) })));
	await m.sql('SET GLOBAL max_allowed_packet = 16777216');
	assert.equal(answers[1].why, 'it is larger than max_allowed_packet of the server');
	assert.equal(answers.filter((r) => r.result === 'ok').length, 31);
	assert.deepEqual(await m.sql('SELECT COUNT(*), SUM(LENGTH(p)) FROM r'), ['31|1800001']);
});

test('over TLS and a unix socket; the password is in no answer', async (t) => {
	const m = await table(t), ca = pki.authority().crt, tls = m.url.replace('mysql:', 'mysqls:');
	await m.sql("DROP USER IF EXISTS safe@'%'; CREATE USER safe@'%' IDENTIFIED BY 'secret' REQUIRE SSL; GRANT ALL ON plant.* TO safe@'%'");
	assert.equal(results(await sink(t, m, { ...insert, url: tls, user: 'safe', tls: { ca } }).send(...numbers([1]))), 'ok');
	const [plain] = await sink(t, m, { ...insert, user: 'safe' }).send(...numbers([2]));
	assert.match(`${plain.result} ${plain.why}`, /^retry 1045 /);
	const [stranger] = await sink(t, m, { ...insert, url: tls }).send(...numbers([2]));
	assert.match(`${stranger.result} ${stranger.why}`, /^retry 2026 .*certificate/i);
	assert.equal(results(await sink(t, m, { ...insert, url: `unix://${m.socket}?db=plant` }).send(...numbers([3]))), 'ok');
	const [wrong] = await sink(t, m, { ...insert, password: 'hush-hush' }).send(...numbers([4]));
	assert.match(`${wrong.result} ${wrong.why}`, /^retry 1045 \(28000\) Access denied for user 'skeeter'/);
	assert.doesNotMatch(wrong.why, /hush/);
	const file = path.join(m.dir, 'secrets.json');
	fs.writeFileSync(file, JSON.stringify({ good: 'secret' }), { mode: 0o600 });
	assert.equal(results(await sink(t, m, { ...insert, password: "${get_secret('good', 'SecretString')}" }, { secrets: file }).send(...numbers([5]))), 'ok');
	const [refused] = await sink(t, m, { ...insert, url: `mysql://127.0.0.1:${await freePort()}/plant` }).send(...numbers([6]));
	assert.match(`${refused.result} ${refused.why}`, /^retry 200[23] /);
	assert.deepEqual(await m.sql('SELECT n FROM r'), ['1', '3', '5']);
});

test('fields that do not go together are refused when the rule is made', async (t) => {
	const m = await server(t);
	const said = async (fields) => {
		const d = sink(t, m, fields);
		assert.equal(await d.end(), 1);
		return d.log.trim();
	};
	assert.match(await said({}), /either sql or table/);
	assert.match(await said({ ...insert, url: 'postgres://x/y' }), /url must begin with mysql/);
	assert.match(await said({ ...insert, url: 'unix://' }), /no path of a socket|url/);
	assert.match(await said({ table: 'r' }), /table needs columns or payloadColumn/);
});

test('connections that an operator ends are made again, and the server may be paused', async (t) => {
	const m = await table(t), d = sink(t, m, insert, { timeout: '1s' });
	const arrives = (n) => until(`${n} to arrive`, async () => /ok|1062/.test((await d.send(...numbers([n]))).map((r) => r.result + r.why)));
	await arrives(1);
	const [id] = await m.sql("SELECT ID FROM information_schema.processlist WHERE USER = 'skeeter' ORDER BY ID DESC LIMIT 1");
	await m.sql(`KILL ${id}`);
	await arrives(2);
	await m.pause();
	assert.equal(results(await d.send(...numbers([3]))), 'retry');
	m.resume();
	await arrives(3);
	assert.deepEqual(await m.sql('SELECT n FROM r'), ['1', '2', '3']);
});

test('killed and started again while batches come: what was ok is there, what was not comes again', async (t) => {
	const m = await mysql(t);
	await m.sql('CREATE TABLE r(n INT PRIMARY KEY)');
	const d = sink(t, m, { sql: 'INSERT IGNORE INTO r(n) VALUES (?)' });
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
		const killed = m.kill();
		await until('an item to come again', async () => { await one(); return again.length; });
		await killed;
		const started = m.start();
		await until('items to arrive again', async () => { await one(); return !again.length; }, 120000);
		await started;
	}
	assert.ok(retried > 0);
	assert.deepEqual(await m.sql('SELECT COUNT(*), MAX(n) FROM r'), [`${n}|${n - 1}`]);
});
