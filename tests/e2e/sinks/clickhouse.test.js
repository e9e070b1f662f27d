// The sink `clickhouse` against a real ClickHouse: rows arrive as they were, one that cannot be read fails alone, and nothing is lost.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { clickhouse } = require('../../harness/service_clickhouse');

const sink = (t, fields, options) => drive(t, 'sink_http', 'clickhouse', fields, options);
const results = (list) => list.map((r) => r.result).join(' ');
const who = (c, more) => ({ url: c.url, database: 'default', table: 't', user: 'skeeter', password: 'sesame', ...more });
const TABLE = "CREATE TABLE t (id Int32, s String, f Float64, b UInt8, d DateTime('UTC'), l Array(Int32), n Nullable(Float64), e Enum8('x' = 1, 'y' = 2)) ENGINE = MergeTree ORDER BY id";

test('the payload or the columns of the action are a row', async (t) => {
	const c = await clickhouse(t), d = sink(t, who(c));
	await c.sql(TABLE);
	await c.sql('CREATE TABLE `odd ``\\\\ name` (s String) ENGINE = Memory'.replace('``', '\\`'));
	const text = 'tab\t, quote \' and " and \\ ä\u20ac, {}';
	assert.equal(results(await d.send(
		{ payload: `{"id":1, "s":${JSON.stringify(text)}, "f":1.5,\n "b":1, "d":"2023-11-14 22:13:20", "l":[1,2], "n":null, "e":"y"}` },
		{ fields: { columns: { id: '2', s: text, f: '-2.5e3', b: 'true', d: '1700000000', l: '[3]', n: '7', e: 'x' } }, payload: 'no JSON' },
		{ fields: { table: 'odd `\\ name', columns: { s: '12' } } })), 'ok ok ok');
	const rows = (await c.sql('SELECT * FROM t ORDER BY id FORMAT JSONEachRow')).map((l) => JSON.parse(l));
	assert.deepEqual(rows, [{ id: 1, s: text, f: 1.5, b: 1, d: '2023-11-14 22:13:20', l: [1, 2], n: null, e: 'y' },
		{ id: 2, s: text, f: -2500, b: 1, d: '2023-11-14 22:13:20', l: [3], n: 7, e: 'x' }]);
	assert.deepEqual(await c.sql('SELECT s FROM `odd \\`\\\\ name`'), ['12']);
	assert.equal(await d.end(), 0);
});

test('a row that cannot be read fails alone, in the words of ClickHouse, and no other row comes twice', async (t) => {
	const c = await clickhouse(t), d = sink(t, who(c));
	await c.sql(TABLE);
	const bad = { 0: '{"id":"x"}', 3: '{"nosuch":1}', 400: '{"e":"z"}', 401: '{"d":"never"}', 500: '{"s":5}', 600: '{"id":1.5}', 700: '[1]', 999: '{"id":' };
	const answers = await d.send(...Array.from({ length: 1000 }, (_, n) => ({ payload: bad[n] || `{"id":${n}}` })));
	assert.deepEqual(answers.flatMap((one, n) => (one.result === 'ok' ? [] : [[String(n), one.result]])), Object.keys(bad).map((n) => [n, 'fail']));
	assert.match(answers[3].why, /^500: Code: 117.*nosuch/);
	assert.deepEqual(await c.sql('SELECT count(), uniq(id) FROM t'), ['992\t992']);
	const [none, one] = await d.send({ fields: { table: 'nowhere' }, payload: '{"id":1}' }, { payload: '{"id":5000}' });
	assert.deepEqual([none.result, one.result], ['fail', 'ok']);
	assert.match(none.why, /^404: Code: 60/);
});

test('a wrong password and a database that is not there wait for an operator, and no secret is told', async (t) => {
	const c = await clickhouse(t), file = path.join(c.dir, 'secrets');
	await c.sql(TABLE);
	fs.writeFileSync(file, JSON.stringify({ house: { user: 'skeeter', password: 'sesame' } }), { mode: 0o600 });
	const secret = (key) => `\${get_secret('house', 'SecretString', '${key}')}`;
	assert.equal(results(await sink(t, who(c, { user: secret('user'), password: secret('password') }), { secrets: file }).send({ payload: '{"id":1}' })), 'ok');
	for (const [more, why] of [[{ password: 'wrong-one' }, /Code: 193/], [{ user: 'nobody' }, /Code: 192/], [{ database: 'nowhere' }, /Code: 81/]]) {
		const [one] = await sink(t, who(c, more)).send({ payload: '{"id":1}' });
		assert.deepEqual([one.result, why.test(one.why), /wrong-one/.test(one.why)], ['retry', true, false], one.why);
	}
});

test('killed and started again under load, it gets everything', async (t) => {
	const c = await clickhouse(t), d = sink(t, who(c)), count = 3000;
	await c.sql(TABLE);
	let left = Array.from({ length: count }, (_, n) => n), again = 0, kills = 0;
	while (left.length) {
		const batch = left.slice(0, 100), answer = d.send(...batch.map((n) => ({ payload: `{"id":${n}}` })));
		if (kills < 2 && left.length < count - 900 * (kills + 1)) {
			kills++;
			await c.kill();
			again += (await d.send({ payload: '{"id":-1}' }))[0].result === 'retry';
			await answer;
			await c.start();
		}
		const done = await answer;
		left = left.slice(100).concat(batch.filter((_, n) => done[n].result === 'retry'));
		assert.ok(done.every((one) => one.result !== 'fail'));
	}
	assert.equal(again, 2);
	assert.deepEqual(await c.sql('SELECT uniqExact(id) FROM t WHERE id >= 0'), [String(count)]);
});
