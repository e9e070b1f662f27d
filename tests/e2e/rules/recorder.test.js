// The flight recorder, and what `skeeter rules replay` makes of it: other rules run on what was, nothing is done, and what differs is printed.
'use strict';
const assert = require('node:assert/strict');
const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { BUILD } = require('../../harness/broker');
const { rules, republish } = require('../../harness/rules');

const SKEETER = path.join(BUILD, 'skeeter');
const recorder = (r) => path.join(r.b.data, 'rules/recorder');
const environment = (r) => ({ env: { ...process.env, TZ: 'UTC', SKEETER_SOCKET: r.b.socket }, cwd: r.b.dir });
const replay = (r, ...args) => new Promise((done) => execFile(SKEETER, ['rules', 'replay', '--recorder', recorder(r), ...args], environment(r),
	(e, stdout, stderr) => done({ code: e ? e.code : 0, lines: stdout.trimEnd().split('\n'), stderr: stderr.trimEnd() })));
// Without the times.
const plain = (lines) => lines.map((l) => l.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} /, ''));

function folder(r, name, files) {
	const dir = path.join(r.b.dir, name);
	fs.mkdirSync(dir);
	for (const [file, content] of Object.entries(files))
		fs.writeFileSync(path.join(dir, file), typeof content === 'string' ? content : JSON.stringify(content));
	return dir;
}
const payload = (sql, actions, more = {}) => ({ sql, actions: [].concat(actions), awsIotSqlVersion: '2016-03-23', ...more });
const recording = (t, spec = {}) => rules(t, { ...spec, rules: { recorder: '1m', ...spec.rules } });
// Until so many messages are in the recorder's files.
const recorded = (r, n) => until(`${n} recorded messages`, async () =>
	(await replay(r, '--with', path.join(r.b.dir, 'nothing'))).lines.at(-1).startsWith(`${n} messages, `));

test('what differs under other rules is printed message by message, and nothing is done', async (t) => {
	const r = await recording(t), { op } = r;
	folder(r, 'nothing', { 'nothing.json': payload("SELECT * FROM 'nobody/sends/this'", []) });
	await r.make('hot', "SELECT temp FROM 'hall/+' WHERE temp > 30", republish('hot/${topic(2)}'));
	await r.make('all', "SELECT * FROM 'hall/#'", republish('all'));
	const lamp = await r.b.device('lamp');
	for (const [topic, temp] of [['hall/1', 20], ['hall/2', 31], ['hall/1', 40], ['other', 50]])
		await lamp.publish(topic, JSON.stringify({ temp }));
	await recorded(r, 3);
	await op.subscribe(['hot/#', 'all', 'warm/#']);
	const next = folder(r, 'next', { 'hot.json': payload("SELECT temp FROM 'hall/+' WHERE temp > 35", republish('hot/${topic(2)}')),
		'renamed.json': { ruleName: 'everything', topicRulePayload: payload("SELECT * FROM 'hall/#'", republish('all')) },
		'warm.lua': 'rule "warm" { topic = "hall/+", run = function(m)\n\tlocal n = state.get("n", 0) + 1\n\tstate.set("n", n)\n\tpublish("warm/" .. n, { temp = m.temp })\nend }\n' });
	const diff = await replay(r, '--with', next, '--diff');
	assert.deepEqual([diff.code, diff.stderr], [1, '']);
	assert.deepEqual(plain(diff.lines), [
		'hall/1', '  + warm: republish warm/1 {"temp":20}',
		'hall/2', '  - hot: republish hot/2 {"temp":31}', '  + warm: republish warm/2 {"temp":31}',
		'hall/1', '  + warm: republish warm/3 {"temp":40}',
		'3 messages, 3 differ: 1 actions less, 3 more']);
	const alone = await replay(r, '--with', next, '--topic', 'hall/2', '--from', '1h', '--to', 'now');
	assert.deepEqual([alone.code, plain(alone.lines)], [0, ['hall/2', '  everything: republish all {"temp":31}', '  warm: republish warm/1 {"temp":31}',
		'1 messages, 1 with something to do: 2 actions']]);
	const same = await replay(r, '--with', next, '--base', next, '--diff');
	assert.deepEqual([same.code, same.lines], [0, ['3 messages, 0 differ: 0 actions less, 0 more']]);
	assert.deepEqual((await replay(r, '--with', next, '--limit', '1')).lines.length, 4);
	assert.match((await replay(r, '--with', next, '--to', '1h')).lines[0], /^0 messages/);
	assert.deepEqual(op.inbox, []);
});

test('what only the broker knows is said, failures and error actions are shown, terminals are spared', async (t) => {
	const r = await recording(t, { rules: { recorder_topics: 'in/# $aws/rules/#' } });
	folder(r, 'nothing', { 'nothing.json': payload("SELECT * FROM 'nobody/sends/this'", []) });
	const lamp = await r.b.device('lamp', undefined, { protocolVersion: 5 });
	await r.make('basic', "SELECT * FROM 'x'", []);
	await lamp.publish('in/a', '{"text":"\\u001b[31m"}', { properties: { userProperties: { unit: 'C' } } });
	await lamp.publish('in/b', 'no json \u001b[2J\u009b');
	await lamp.publish('$aws/rules/basic/deep', '{"v":1}');
	await recorded(r, 3);
	const next = folder(r, 'next', {
		'shadow.json': payload("SELECT get_thing_shadow('lamp', 'arn:aws:iam::1:role/r') AS s FROM 'in/a'", republish('s')),
		'fails.json': payload("SELECT * FROM 'in/a'", republish('to/${nothing}'), { errorAction: republish('failed') }),
		'headers.json': payload("SELECT VALUE get_user_properties('unit') FROM 'in/a'", republish('unit')),
		'raw.json': payload("SELECT * FROM 'in/b'", republish('raw')),
		'basic.json': payload("SELECT v, topic() AS topic", republish('basic')),
		'asks.lua': 'rule "asks" { topic = "in/b", run = function(m) publish("x", shadow.get("lamp")) end }\n' });
	const { lines } = await replay(r, '--with', next), said = plain(lines).join('\n');
	assert.match(said, /^ {2}shadow: cannot be known here: it asks for thing\/lamp\/shadow$/m);
	assert.match(said, /^ {2}fails: republish fails: /m);
	assert.match(said, /^ {2}fails: republish failed \{"ruleName":"fails",/m);
	assert.match(said, /^ {2}headers: republish unit \["C"\]$/m);
	assert.match(said, /^ {2}raw: republish raw no json \\x1b\[2J\\xc2\\x9b$/m);
	assert.match(said, /^\$aws\/rules\/basic\/deep\n {2}basic: republish basic \{"v":1,"topic":"deep"\}$/m);
	assert.match(said, /^ {2}asks: cannot be known here: it asks for the shadow of lamp$/m);
	assert.deepEqual(lines.slice(-3), ['3 messages, 3 with something to do: 4 actions', '1 messages let a rule fail',
		'2 messages let a rule ask for shadows, the registry or functions, which cannot be known here']);
});

test('Ctrl-C, and the same command goes on: the sums are those of one run', async (t) => {
	const r = await recording(t, { rules: { recorder: '16m' } }), count = 10000;
	folder(r, 'nothing', { 'nothing.json': payload("SELECT * FROM 'nobody/sends/this'", []) });
	await r.make('n', "SELECT n FROM 'n'", []);
	const lamp = await r.b.device('lamp');
	for (let i = 0; i < count; i += 1000) {
		await Promise.all(Array.from({ length: 1000 }, (_, k) => lamp.publish('n', JSON.stringify({ n: i + k }))));
		await r.counted('n', { matched: i + 1000 }); // there is room for the next ones
	}
	await recorded(r, count);
	const next = folder(r, 'next', { 'count.lua': 'rule "count" { topic = "n", run = function(m)\n\tlocal n = state.get("n", 0) + 1\n\tstate.set("n", n)\n\tpublish("counted", { n = n })\nend }\n' });
	const state = path.join(r.b.dir, 'state'), args = ['rules', 'replay', '--recorder', recorder(r), '--with', next, '--state', state];
	let text = '', last;
	for (let run = 0; run < 4; run++) {
		const child = spawn(SKEETER, args, { ...environment(r), stdio: ['ignore', 'pipe', 'pipe'] });
		const ended = new Promise((done) => child.on('close', done));
		if (run < 3) { // nobody reads on: it cannot come to its end
			await new Promise((done) => child.stdout.once('readable', done));
			child.kill('SIGINT');
		}
		last = '';
		child.stdout.on('data', (d) => { last += d; }).resume();
		assert.equal(await ended, run < 3 ? 255 : 0);
		text += last;
	}
	assert.equal(last.trimEnd().split('\n').at(-1), `${count} messages, ${count} with something to do: ${count} actions`);
	assert.deepEqual(text.match(/  count: .*/g), Array.from({ length: count }, (_, i) => `  count: republish counted {"n":${i + 1}}`));
	assert.ok(!fs.existsSync(state));
});

test('rules of the broker are the base: those of its files as far as they are SQL, switched off ones not', async (t) => {
	const statement = "SELECT n FROM 'a'";
	const r = await rules(t, { rules: { recorder: '1m' }, lua: { 'a.lua': `rule "said" { sql = "${statement}", actions = { { republish = { roleArn = "${republish('x').republish.roleArn}", topic = "said" } } } }\n` +
		'rule "ran" { topic = "a", run = function(m) publish("ran", m) end }\n' } });
	await r.make('off', statement, republish('off'), { ruleDisabled: true });
	await r.make('on', statement, republish('on'));
	const lamp = await r.b.device('lamp'), next = folder(r, 'next', { 'on.json': payload(statement, republish('on', { qos: 1 })), 'off.json': payload(statement, republish('off'), { ruleDisabled: true }) });
	await lamp.publish('a', '{"n":1}');
	await until('it to be recorded', async () => (await replay(r, '--with', next)).lines.at(-1).startsWith('1 messages'));
	const { code, lines, stderr } = await replay(r, '--with', next, '--diff');
	assert.deepEqual([code, plain(lines), stderr], [1, ['a', '  - on: republish on {"n":1}', '  - said: republish said {"n":1}', '  + on: republish on qos 1 {"n":1}', '1 messages, 1 differ: 2 actions less, 1 more'],
		"1 rules of the broker's files run Lua, which it does not give away: --base FOLDER takes them along"]);
});

test('bad arguments, folders, rules and records get one clear line', async (t) => {
	const r = await recording(t), dir = (name, files) => folder(r, name, files);
	const good = dir('good', { 'a.json': payload("SELECT * FROM 'a'", republish('b')) });
	const says = async (...args) => { const { code, stderr } = await replay(r, ...args); return `${code} ${stderr}`; };
	await r.make('a', "SELECT * FROM 'a'", []);
	assert.match(await says(), /^252 skeeter: .*--with/);
	assert.equal(await says('--with', '/none'), '252 skeeter: /none: No such file or directory');
	assert.match(await says('--with', dir('empty', {})), /^252 skeeter: .*\/empty: no \.lua and no \.json file in this folder$/);
	assert.match(await says('--with', dir('json', { 'x.json': '{\n "sql": }' })), /^252 skeeter: .*\/json\/x\.json: line 2, column 9: /);
	assert.match(await says('--with', dir('sql', { 'x.json': payload("SELECT FROM 'a'", []) })), /^252 skeeter: .*\/sql\/x\.json: rule x: line 1, column 8: /);
	assert.match(await says('--with', dir('lua', { 'x.lua': '\nrule "x" { topik = "a" }' })), /^252 skeeter: .*\/lua\/x\.lua:2: .*topic/);
	assert.match(await says('--with', dir('twice', { 'a.json': payload("SELECT * FROM 'a'", []), 'b.json': { ruleName: 'a', topicRulePayload: payload("SELECT * FROM 'a'", []) } })),
		/^252 skeeter: .*\/b\.json: there is another rule a in /);
	assert.match(await says('--with', good, '--from', 'yesterday'), /^252 skeeter: --from: expected a time like /);
	assert.match(await says('--with', good, '--from', '1m', '--to', '2m'), /^252 skeeter: --to 2m is not after --from 1m$/);
	assert.match(await says('--with', good, '--topic', 'a/#/b'), /^252 skeeter: --topic: 'a\/#\/b' is no topic filter$/);
	assert.match(await says('--with', good, '--base', good), /^252 skeeter: --base is what --diff compares with$/);
	assert.match(await says('--with', good, '--limit', 'x'), /^252 skeeter: --limit: /);
	const other = path.join(r.b.dir, 'other');
	fs.writeFileSync(other, '{"arguments":"x","segment":1}');
	assert.match(await says('--with', good, '--state', other), /^252 skeeter: .* is of another replay, or rules have changed since/);
	fs.writeFileSync(other, 'text');
	assert.match(await says('--with', good, '--state', other), /^252 skeeter: .* is not the state of a replay$/);
	const lamp = await r.b.device('lamp');
	for (const n of [1, 2, 3])
		await lamp.publish('a', JSON.stringify({ n }));
	await until('three messages', async () => /^3 messages/.test((await replay(r, '--with', good)).lines.at(-1)));
	await r.b.stop();
	const file = path.join(recorder(r), fs.readdirSync(recorder(r)).find((f) => f.endsWith('.seg'))), bytes = fs.readFileSync(file);
	bytes[bytes.indexOf('{"n":2}') + 5] ^= 1;
	fs.writeFileSync(file, bytes);
	const { lines } = await replay(r, '--with', good);
	assert.deepEqual(lines.slice(-2), ['2 messages, 2 with something to do: 2 actions', '1 records were passed over: damaged, or of another version']);
	const gone = await new Promise((done) => execFile(SKEETER, ['rules', 'replay', '--recorder', '/none', '--with', good], (e, out, err) => done([e.code, err.trimEnd()])));
	assert.deepEqual(gone, [252, 'skeeter: /none: No such file or directory; --recorder FOLDER is rules/recorder below plugin_opt_data, where plugin_opt_recorder keeps messages']);
});

test('it keeps so many bytes, survives kill -9, and refuses what cannot be', async (t) => {
	const r = await recording(t, { rules: { recorder: '64k' } });
	folder(r, 'nothing', { 'nothing.json': payload("SELECT * FROM 'nobody/sends/this'", []) });
	await r.make('n', "SELECT n FROM 'n'", []);
	let lamp = await r.b.device('lamp');
	for (let i = 0; i < 20; i++)
		await Promise.all(Array.from({ length: 100 }, (_, k) => lamp.publish('n', JSON.stringify({ n: i * 100 + k }))));
	const bytes = () => fs.readdirSync(recorder(r)).filter((f) => f.endsWith('.seg')).reduce((sum, f) => sum + (fs.statSync(path.join(recorder(r), f), { throwIfNoEntry: false })?.size || 0), 0);
	await until('the first to go', async () => bytes() <= 64 << 10 && (await replay(r, '--with', path.join(r.b.dir, 'nothing'))).lines[0].length > 0);
	await r.counted('n', { matched: 2000 });
	await r.b.stop('SIGKILL');
	await r.b.start();
	lamp = r.b.tls('lamp');
	await lamp.connect();
	await lamp.publish('n', '{"n":2000}');
	const all = folder(r, 'all', { 'all.json': payload("SELECT n FROM 'n'", republish('x')) });
	await until('the last one', async () => (await replay(r, '--with', all)).lines.at(-2) === '  all: republish x {"n":2000}');
	const numbers = (await replay(r, '--with', all)).lines.filter((l) => /republish/.test(l)).map((l) => Number(/"n":(\d+)/.exec(l)[1]));
	assert.ok(numbers.length > 300 && numbers.length < 1000, `${numbers.length}`);
	await r.b.stop();
	for (const [options, why] of [[{ recorder: '1k' }, /plugin_opt_recorder must be 0, or 64k to 1t/], [{ recorder: '1m', recorder_age: '1s' }, /plugin_opt_recorder_age must be 1m to 365d/],
		[{ recorder_topics: 'a' }, /plugin_opt_recorder_topics needs plugin_opt_recorder/], [{ recorder: '1m', recorder_topics: 'a/#/b' }, /a\/#\/b is no topic filter/]]) {
		r.b.spec.options.rules = options;
		assert.notEqual(await r.b.refuses(), 0);
		assert.match(r.b.log, why);
	}
});
