// The sink `influx` against a real InfluxDB: every character arrives as it was sent, a point that is refused fails alone, and nothing is lost.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { influx } = require('../../harness/service_influx');
const { web } = require('../../harness/service_web');

const sink = (t, fields, options) => drive(t, 'sink_http', 'influx', fields, options);
const results = (list) => list.map((r) => r.result).join(' ');
const who = (i, more) => ({ url: i.url, database: 'iot', user: 'writer', password: 'sesame', measurement: 'm', ...more });

test('tags and fields of the action, or those of the payload, are one point', async (t) => {
	const i = await influx(t), d = sink(t, who(i));
	assert.equal(results(await d.send(
		{ fields: { tags: { hall: '7', line: 'a b' }, fields: { t: '21.5', n: '3i', ok: 'true', s: 'text', q: '"12"' }, timestamp: '1700000000', precision: 's' } },
		{ fields: { measurement: 'p', timestamp: '1700000000001' }, payload: '{"t":1e1,"a":{"b":[2,"x"]},"no":false,"nil":null}' })), 'ok ok');
	assert.deepEqual(await i.query('SELECT * FROM m'), [{ time: '1700000000000000000', hall: '7', line: 'a b', n: 3, ok: true, q: '12', s: 'text', t: 21.5 }]);
	assert.deepEqual(await i.query('SELECT * FROM p'), [{ time: '1700000000001000000', a_b_0: 2, a_b_1: 'x', no: false, t: 10 }]);
	assert.equal(await d.end(), 0);
});

test('every character arrives as it was sent, in names, tags and texts', async (t) => {
	const i = await influx(t), d = sink(t, who(i)), printable = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n));
	const texts = [...printable.map((c) => `a${c}b`), ...printable.map((c) => `${c}b`), ...printable.map((c) => `\\${c}b`), 'ä€\u{1f600}', 'a, b=c d', '\\\\,x', 'x"y" z'];
	// Not in the name of a field: such a point fails, see the unit test.
	const sayable = (x) => x.replace(/\\+(?=[ ,="])/g, '');
	const items = texts.map((x, n) => ({ fields: { tags: { tag: x, [`t${x}`]: '1' }, fields: { text: `${x}`, [`f${sayable(x)}`]: '1' }, timestamp: String(n), precision: 'ns' } }));
	const answers = await d.send(...items);
	assert.deepEqual(answers.flatMap((one, n) => (one.result === 'ok' ? [] : [[texts[n], one.why]])), []);
	const rows = await i.query('SELECT * FROM m');
	// A text in quotes is a text without them, one that is a number is a number.
	assert.deepEqual(rows.map((r) => r.tag), texts);
	assert.deepEqual(rows.map((r) => String(r.text)), texts);
	rows.forEach((r, n) => assert.deepEqual([r[`t${texts[n]}`], r[`f${sayable(texts[n])}`]], ['1', 1], texts[n]));
	const lines = ['one\ntwo', 'tab\there', 'ends \\', '\\', '"', ''];
	assert.equal(results(await d.send(...lines.map((x, n) => ({ fields: { measurement: 'l', fields: { text: x }, timestamp: String(n), precision: 'ns' } })))), lines.map(() => 'ok').join(' '));
	assert.deepEqual((await i.query('SELECT * FROM l')).map((r) => r.text), lines);
	for (const name of [' lead', 'a,b c=d', "it's", 'x\\y', 'ä']) {
		assert.equal(results(await d.send({ fields: { measurement: name, fields: { n: '1' } } })), 'ok');
		const series = (await i.query('SHOW MEASUREMENTS')).map((r) => r.name);
		assert.ok(series.includes(name), `${name}: ${series}`);
	}
	const refused = await d.send({ fields: { measurement: '#c', fields: { n: '1' } } }, { fields: { tags: { a: 'x\ny z=1' } }, payload: '{"n":1}' }, { fields: { tags: { a: 'x\\' } }, payload: '{"n":1}' });
	assert.equal(results(refused), 'fail fail fail');
});

test('a point that is refused fails alone, in the words of InfluxDB, out of a thousand', async (t) => {
	const i = await influx(t), d = sink(t, who(i)), bad = [0, 77, 500, 501, 999];
	assert.equal(results(await d.send({ payload: '{"v":1}' })), 'ok');
	const answers = await d.send(...Array.from({ length: 1000 }, (_, n) => ({ payload: bad.includes(n) ? '{"v":"text"}' : `{"v":${n}}` })));
	assert.deepEqual(answers.flatMap((one, n) => (one.result === 'fail' ? [n] : [])), bad);
	assert.ok(answers.every((one, n) => bad.includes(n) || one.result === 'ok'));
	assert.match(answers[77].why, /^400: .*field type conflict/);
	assert.deepEqual(await i.query('SELECT count(v) FROM m'), [{ time: 0, count: 996 }]);
	const all = await d.send(...Array.from({ length: 50 }, () => ({ payload: '{"v":"text"}' })));
	assert.ok(all.every((one) => one.result === 'fail'));
});

test('a database that is not there, a wrong password and a user who may not wait for an operator, and no secret is told', async (t) => {
	const i = await influx(t), file = path.join(i.dir, 'secrets');
	fs.writeFileSync(file, JSON.stringify({ influx: { password: 'sesame' } }), { mode: 0o600 });
	assert.equal(results(await sink(t, who(i, { password: "${get_secret('influx', 'SecretString', 'password')}" }), { secrets: file }).send({ payload: '{"v":1}' })), 'ok');
	for (const [more, why] of [[{ password: 'wrong-one' }, /^401: .*authorization failed/], [{ database: 'nowhere' }, /^40[34]: /]]) {
		const [one] = await sink(t, who(i, more)).send({ payload: '{"v":1}' });
		assert.equal(one.result, 'retry');
		assert.match(one.why, why);
		assert.ok(!/wrong-one|sesame/.test(one.why));
	}
	const d = sink(t, who(i, { user: 'root', password: 'root', database: 'later' }));
	assert.equal(results(await d.send({ payload: '{"v":1}' })), 'retry');
	await i.ask('CREATE DATABASE later', 'POST');
	assert.equal(results(await d.send({ payload: '{"v":1}' })), 'ok');
});

test('version 2 is spoken to as its API has it', async (t) => {
	const w = await web(t, (q, s) => { s.statusCode = 204; s.end(); });
	const d = sink(t, { url: `${w.url}/`, bucket: 'b 1', org: 'o&o', token: 'abc==', measurement: 'm' });
	assert.equal(results(await d.send({ payload: '{"v":1}', fields: { timestamp: '5', precision: 'ns' } })), 'ok');
	const [{ path: where, headers, body }] = w.seen;
	assert.deepEqual([where, headers.authorization, String(body)], ['/api/v2/write?org=o%26o&bucket=b%201&precision=ns', 'Token abc==', 'm v=1 5\n']);
});

test('messages of the same millisecond are points of their own, and one that comes twice is one', async (t) => {
	const i = await influx(t), d = sink(t, who(i)), e = sink(t, who(i));
	const items = Array.from({ length: 100 }, (_, n) => ({ payload: `{"v":${n}}` }));
	assert.ok((await d.send(...items)).every((one) => one.result === 'ok') && (await e.send(...items)).every((one) => one.result === 'ok'));
	assert.deepEqual(await i.query('SELECT count(v) FROM m'), [{ time: 0, count: 100 }]);
});

test('killed and started again under load, it gets everything', async (t) => {
	const i = await influx(t), d = sink(t, who(i)), count = 3000;
	let left = Array.from({ length: count }, (_, n) => n), again = 0, kills = 0;
	while (left.length) {
		const batch = left.slice(0, 100), answer = d.send(...batch.map((n) => ({ payload: `{"v":${n}}`, fields: { timestamp: String(n) } })));
		if (kills < 2 && left.length < count - 900 * (kills + 1)) {
			kills++;
			await i.kill();
			again += (await d.send({ payload: '{"v":-1}', fields: { timestamp: '-1' } }))[0].result === 'retry';
			await answer;
			await i.start();
		}
		const done = await answer;
		left = left.slice(100).concat(batch.filter((_, n) => done[n].result === 'retry'));
		assert.ok(done.every((one) => one.result !== 'fail'));
	}
	assert.equal(again, 2);
	assert.deepEqual(await i.query('SELECT count(v) FROM m WHERE v >= 0'), [{ time: 0, count }]);
});
