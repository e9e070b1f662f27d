// The sink `file`: lines and files through the driver; a rule of a broker that is killed while it writes loses nothing.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { rules } = require('../../harness/rules');
const { drive } = require('../../harness/drive');

const folder = (t) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sink-file-'));
	t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
	return dir;
};
const sink = (t, dir, fields) => drive(t, 'sink_file', 'file', fields, { folder: dir });
const results = (list) => list.map((r) => r.result).join(' ');
const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);

test('lines of JSON, in order, turned over at their size', async (t) => {
	const dir = folder(t), d = sink(t, dir, { path: 'a/b.jsonl', maxBytes: 1000, files: 3 });
	assert.equal(results(await d.send({ payload: '{"a":1}' }, { payload: 'no json' }, { fields: { path: '../x' } }, { fields: { path: 'other', format: 'document' }, payload: '7' })),
		'ok ok fail ok');
	const [first, second] = lines(path.join(dir, 'a/b.jsonl'));
	assert.equal(first, '{"a":1}');
	assert.deepEqual(JSON.parse(second), { id: '0'.repeat(31) + '2', time: 1700000000002, topic: 'a/b', clientId: 'drive', rule: 'driven', payload: 'no json' });
	assert.equal(JSON.parse(lines(path.join(dir, 'other'))[0]).payload, 7);
	await d.send(...Array.from({ length: 140 }, (_, i) => ({ payload: `{"number":${1000 + i}}` })));
	assert.deepEqual(fs.readdirSync(path.join(dir, 'a')).sort(), ['b.jsonl', 'b.jsonl.1', 'b.jsonl.2']);
	const all = ['b.jsonl.2', 'b.jsonl.1', 'b.jsonl'].flatMap((f) => lines(path.join(dir, 'a', f))).slice(2);
	assert.deepEqual(all.map((l) => JSON.parse(l).number), Array.from({ length: 140 }, (_, i) => 1000 + i));
	assert.equal(await d.end(), 0);
});

test('a file that is moved away is made anew; what is no file fails', async (t) => {
	const dir = folder(t), d = sink(t, dir, { path: 'x' });
	await d.send({ payload: '1' });
	fs.renameSync(path.join(dir, 'x'), path.join(dir, 'moved'));
	await d.send({ payload: '2' });
	assert.deepEqual([lines(path.join(dir, 'moved')), lines(path.join(dir, 'x'))], [['1'], ['2']]);
	fs.mkdirSync(path.join(dir, 'd'));
	fs.symlinkSync('/etc/passwd', path.join(dir, 'l'));
	const [directory, link] = await d.send({ fields: { path: 'd' } }, { fields: { path: 'l' } });
	assert.deepEqual([directory.result, directory.why, link.result, link.why], ['fail', 'd: Is a directory', 'fail', 'l: a link: links are not followed']);
});

test('it does not start without a folder, and a rule with a path that cannot be is refused', async (t) => {
	assert.equal(await drive(t, 'sink_file', 'file', { path: 'x' }).end(), 1);
	assert.equal(await drive(t, 'sink_file', 'file', { path: '/x' }, { folder: folder(t) }).end(), 1);
});

test('a rule writes a line for each message, also over kill -9', async (t) => {
	const dir = folder(t), count = 300;
	const r = await rules(t, { plugins: ['core', 'registry', 'auth', 'shadow', 'rules', 'sink_file'], options: { sink_file: { folder: dir } } });
	await r.make('to_file', "SELECT n FROM 'm/#'", { file: { path: '${topic(2)}.jsonl' } });
	const refusal = await r.b.refused('CreateTopicRule', { ruleName: 'bad', topicRulePayload: { sql: "SELECT n FROM 'm/#'", actions: [{ file: { path: 'a/../b' } }] } });
	assert.match(refusal, /InvalidRequestException 400 .*level that is \. or \.\./);
	const lamp = await r.b.device('lamp');
	await Promise.all(Array.from({ length: count }, (_, n) => lamp.publish(`m/${n % 3}`, JSON.stringify({ n }))));
	await r.b.stop('SIGKILL');
	await r.b.start();
	const file = (k) => path.join(dir, `${k}.jsonl`), numbers = (k) => fs.existsSync(file(k)) ? lines(file(k)).map((l) => /^{"n":(\d+)}$/.exec(l)).filter(Boolean).map((m) => Number(m[1])) : []; // a line that kill -9 tore stays
	await until('every line', () => new Set([0, 1, 2].flatMap(numbers)).size === count);
	for (const k of [0, 1, 2])
		assert.deepEqual([...new Set(numbers(k))], Array.from({ length: count / 3 }, (_, i) => 3 * i + k));
});
