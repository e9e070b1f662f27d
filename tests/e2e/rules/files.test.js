// The folder of rule files: all of them are in force or those of before, whatever is put there; and how files and operations share names.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { rules, prepare, republish } = require('../../harness/rules');

const say = (name, word = name) => `rule "${name}" { topic = "in", run = function(m) publish("out", "${word}") end }\n`;

// Rules have one thread here: what they do comes in the order of the messages, those of files and those of operations. A run of Lua may take its time.
const one = (t, lua) => rules(t, { lua, rules: { threads: 1, lua_time: '10s' } });

// What rules say to one message, in order of the alphabet.
async function said(r) {
	const op = await r.b.operator();
	op.hears = op.hears || await op.subscribe(['out', 'marked']); // once: Mosquitto 2.0.11 loses memory for each time that it has a subscription already
	r.marks = r.marks || await r.make('mark', "SELECT * FROM 'mark'", republish('marked'));
	await op.publish('in', '{}');
	await op.publish('mark', '{}');
	await op.nextMessage('marked');
	const words = op.got('out').map((m) => String(m.payload)).sort();
	op.inbox.length = 0;
	return words.join(' ');
}
// Until a file is refused for that: the folder may have been looked at before, as it was then.
const refused = (r, from, why) => until(() => `${why}`, () => [...r.b.log.slice(from).matchAll(/skeeter: rules: (.*): the rules of before stay in force$/gm)].some((m) => why.test(m[1])));

test.smoke('a file that comes, changes, is renamed or goes changes the rules, and nothing else', async (t) => {
	const r = await one(t, { 'a.lua': say('a') });
	assert.equal(await said(r), 'a');
	await r.reload('b.lua', say('b') + say('c'));
	assert.equal(await said(r), 'a b c');
	const { matched } = await r.statistics('a');
	await r.reload('b.lua', say('b', 'bb'));
	assert.equal(await said(r), 'a bb');
	assert.equal((await r.statistics('a')).matched, matched + 1);
	let from = r.b.log.length;
	fs.renameSync(path.join(r.folder, 'b.lua'), path.join(r.folder, 'd.lua'));
	await until('the new name', async () => (await r.statistics('b'))?.file === 'd.lua');
	assert.equal(await said(r), 'a bb');
	from = r.b.log.length;
	r.write('a.lua', undefined);
	await r.b.logged(/1 rules of 1 files/, from);
	assert.equal(await said(r), 'bb');
	from = r.b.log.length;
	fs.writeFileSync(path.join(r.folder, '.hidden.lua'), say('hidden'));
	fs.writeFileSync(path.join(r.folder, 'note.txt'), 'no rule');
	fs.writeFileSync(path.join(r.folder, 'late.lua'), say('late'));
	await r.b.logged(/2 rules of 2 files/, from);
	assert.equal(await said(r), 'bb late');
	await r.b.restart();
	assert.equal(await said(r), 'bb late');
});

test('one that is wrong changes nothing: syntax, a rule, its SQL, a name twice, a folder, a FIFO, one too large, one that is binary', async (t) => {
	const r = await one(t, { 'a.lua': say('a') });
	const file = path.join(r.folder, 'z.lua');
	const cases = [
		['rule "z" { topic = "in" run }', /^z\.lua:1: /],
		['\n\nrule "z" { topc = "in", run = print }', /^z\.lua:3: .*'topc'.*did you mean 'topic'/],
		['rule "z" { sql = [[SELECT * FORM \'a\']], run = print }', /^z\.lua:1: .*line 1, column \d+/],
		['rule "z-z" { topic = "in", run = print }', /^z\.lua:1: .*z-z/],
		['rule "z" { topic = "in/#/x", run = print }', /^z\.lua:1: .*in\/#\/x/],
		['while true do end', /^z\.lua:1: .*(instructions|time)/],
		['local t = {} for i = 1, 1e9 do t[i] = string.rep("x", 1e6) .. i end', /^z\.lua:1: .*(memory|instructions)/],
		['error("no")', /^z\.lua:1: .*no/],
		['error({})', /^z\.lua/],
		[say('new') + say('a'), /^rule "a" is in a\.lua and in z\.lua$/],
		[say('z') + say('z'), /^z\.lua:2: .*z.*line 1/],
		[Buffer.from([0x1b, 0x4c, 0x75, 0x61, 0x54, 0, 0x19, 0x93]), /^z\.lua/],
		[Buffer.from([0xff, 0xfe, 0, 1]), /^z\.lua/],
		[Buffer.alloc((1 << 20) + 1, '-'), /^z\.lua: a file of rules has at most 1 MiB$/],
	];
	for (const [text, why] of cases) {
		const from = r.b.log.length;
		r.write('z.lua', text);
		await refused(r, from, why);
		assert.equal(await said(r), 'a');
		fs.rmSync(file);
	}
	const odd = [
		[() => fs.mkdirSync(file), () => fs.rmdirSync(file), /^z\.lua: is no file$/],
		[() => execFileSync('mkfifo', [file]), () => fs.rmSync(file), /^z\.lua: is no file$/],
		[() => fs.symlinkSync('/dev/zero', file), () => fs.rmSync(file), /^z\.lua: is no file$/],
		[() => fs.symlinkSync('nowhere', file), () => fs.rmSync(file), /^z\.lua: No such file/],
	];
	for (const [put, remove, why] of odd) {
		const from = r.b.log.length;
		put();
		r.b.signal('SIGHUP');
		await refused(r, from, why);
		assert.equal(await said(r), 'a');
		remove();
	}
	await r.reload('z.lua', say('z'));
	assert.equal(await said(r), 'a z');
});

test('of several files all are in force or none', async (t) => {
	const r = await one(t, { 'a.lua': say('a'), 'b.lua': say('b') });
	const from = r.b.log.length;
	r.write('b.lua', 'oops('); // first: whoever looks between the two finds that one wrong too
	r.write('a.lua', say('a', 'new'));
	await refused(r, from, /^b\.lua:1/);
	assert.equal(await said(r), 'a b');
	r.write('b.lua', say('bb'));
	await until('both', async () => await said(r) === 'bb new');
	await assert.rejects(r.b.call('GetTopicRule', { ruleName: 'b' }), /UnauthorizedException/);
});

test('a broker with a broken folder does not start, and says why in one line', async (t) => {
	const cases = [
		[{ 'a.lua': 'rule "a" {' }, /a\.lua:1: /],
		[{ 'a.lua': say('x'), 'b.lua': say('x') }, /rule "x" is in a\.lua and in b\.lua/],
		[{ 'a.lua': 'while true do end' }, /a\.lua:1: .*(instructions|time)/],
		[undefined, /the folder of rules \/nowhere: No such file/, '/nowhere'],
		[undefined, /the folder of rules \/etc\/passwd: Not a directory/, '/etc/passwd'],
	];
	for (const [lua, why, folder] of cases) {
		const r = await prepare(t, { lua, rules: folder ? { folder } : {} });
		assert.notEqual(await r.b.refuses(), 0);
		const lines = r.b.log.split('\n').filter((line) => why.test(line));
		assert.equal(lines.length, 1, r.b.log);
		assert.match(lines[0], /skeeter: rules: /);
	}
});

test('rules of files are listed and shown, and no operation changes them', async (t) => {
	const r = await rules(t, { lua: { 'a.lua': `rule "lua" { topic = "x/+", description = "in words", run = function(m) end }
		rule "sql" { sql = [[SELECT a FROM 'y']], actions = { { republish = { roleArn = "arn:aws:iam::123456789012:role/r", topic = "z" } } }, disabled = true }` } });
	await r.make('made', "SELECT * FROM 'x/y'", republish('q'));
	const { rules: list } = await r.b.call('ListTopicRules', {});
	assert.deepEqual(list.map(({ ruleName, topicPattern, ruleDisabled, readOnly, file }) => ({ ruleName, topicPattern, ruleDisabled, readOnly, file })), [
		{ ruleName: 'lua', topicPattern: 'x/+', ruleDisabled: false, readOnly: true, file: 'a.lua' },
		{ ruleName: 'made', topicPattern: 'x/y', ruleDisabled: false, readOnly: undefined, file: undefined },
		{ ruleName: 'sql', topicPattern: 'y', ruleDisabled: true, readOnly: true, file: 'a.lua' }]);
	assert.deepEqual((await r.b.call('ListTopicRules', { topic: 'x/y' })).rules.map((one) => one.ruleName), ['lua', 'made']);
	const { rule, ruleArn } = await r.b.call('GetTopicRule', { ruleName: 'lua' });
	assert.deepEqual([ruleArn, rule.readOnly, rule.file, rule.description], ['arn:aws:iot:us-east-1:123456789012:rule/lua', true, 'a.lua', 'in words']);
	const sql = (await r.b.call('GetTopicRule', { ruleName: 'sql' })).rule;
	assert.deepEqual([sql.sql, sql.ruleDisabled, sql.actions[0].republish.topic], ["SELECT a FROM 'y'", true, 'z']);
	for (const name of ['CreateTopicRule', 'ReplaceTopicRule', 'EnableTopicRule', 'DisableTopicRule', 'DeleteTopicRule'])
		assert.match(await r.b.refused(name, { ruleName: 'sql', topicRulePayload: { sql: "SELECT * FROM 'y'", actions: [] } }), /^\w+Exception 4\d\d .*a\.lua/, name);
	assert.equal((await r.b.call('GetTopicRule', { ruleName: 'sql' })).rule.ruleDisabled, true);
});

test('a name that CreateTopicRule has taken is not a file\'s, and the other way round', async (t) => {
	const r = await one(t, { 'a.lua': say('a') });
	await r.make('x', "SELECT * FROM 'in'", republish('out'));
	let from = r.b.log.length;
	r.write('b.lua', say('b') + say('x'));
	await refused(r, from, /^b\.lua: there is a rule "x" already, made by CreateTopicRule$/);
	assert.equal(await said(r), 'a {}');
	await r.b.call('DeleteTopicRule', { ruleName: 'x' });
	from = r.b.log.length;
	r.b.signal('SIGHUP');
	await r.b.logged(/3 rules of 2 files/, from);
	assert.equal(await said(r), 'a b x');
	assert.match(await r.b.refused('CreateTopicRule', { ruleName: 'x', topicRulePayload: { sql: "SELECT * FROM 'in'", actions: [republish('out')] } }), /b\.lua/);
	await r.reload('b.lua', say('b'));
	await r.make('x', "SELECT * FROM 'in'", republish('out'));
	assert.equal(await said(r), 'a b {}');
});

test('a name that a file took while the broker was away: the stored rule is in force, the log says so, and the file\'s when that is deleted', async (t) => {
	const r = await one(t, { 'a.lua': say('a') });
	await r.make('x', "SELECT * FROM 'in'", republish('out'));
	await r.b.stop();
	r.write('b.lua', say('b') + say('x'));
	await r.b.start();
	await r.b.logged(/skeeter: rules: rule x of b\.lua is not in force: there is one made by CreateTopicRule/, r.b.mark);
	assert.equal(await said(r), 'a b {}');
	assert.equal((await r.b.call('GetTopicRule', { ruleName: 'x' })).rule.readOnly, undefined);
	await r.b.call('DeleteTopicRule', { ruleName: 'x' });
	const from = r.b.log.length;
	r.b.signal('SIGHUP');
	await r.b.logged(/3 rules of 2 files/, from);
	assert.equal(await said(r), 'a b x');
	r.write('b.lua', undefined);
	await until('the end of it', async () => await said(r) === 'a');
});

test('a rule keeps what it keeps when its file changes, and its timers find the new one', async (t) => {
	const counting = (step) => `rule "n" { topic = "count", run = function(m) local n = state.get("n", 0) + ${step} state.set("n", n) timer.set("t", m.after or 1000) publish("n", { n = n }) end,
		timer = function() publish("timer", { step = ${step} }) end }`;
	const r = await rules(t, { lua: { 'n.lua': counting(1) } }), { op } = r;
	await op.subscribe(['n', 'timer']);
	let n = 0, step = 1;
	for (let after = 1, found = false; !found; after *= 3) { // a timer that was due before the new file was in force found the old one: then it is given more time
		await op.publish('count', { after });
		assert.deepEqual(await op.next('n'), { n: n += step });
		await r.reload('n.lua', counting(step *= 10));
		const fired = await op.next('timer');
		found = fired.step === step;
		assert.ok(found || fired.step === step / 10, JSON.stringify(fired));
		assert.ok(found || after < 20, 'it found the old file, however late it was due');
	}
	await op.publish('count', '{}');
	assert.deepEqual(await op.next('n'), { n: n + step });
});

test('files change a hundred times while messages come', async (t) => {
	const r = await rules(t, { lua: { 'a.lua': say('a', '0'), 'keep.lua': 'rule "keep" { topic = "in", run = function(m) local n = state.get("n", 0) + 1 state.set("n", n) publish("kept", { n = n }) end }' } }), { op } = r;
	await op.subscribe(['kept', 'out']);
	let flows = true, sent = 0;
	const flow = (async () => {
		for (; flows; sent++) {
			await op.publish('in', '{}');
			if (sent % 100 === 99) // there is always room for more
				await until('them to be kept', () => op.got('kept').length > sent);
		}
	})();
	for (let i = 1; i <= 100; i++) {
		r.write('a.lua', say('a', String(i)) + (i % 3 ? say(`b${i}`) : ''));
		if (i % 5 === 0)
			r.b.signal('SIGHUP');
		await new Promise((done) => setTimeout(done, 20));
	}
	await until('the last file', async () => op.got('out').some((m) => String(m.payload) === '100'));
	flows = false;
	await flow;
	await until('all that was kept', () => op.got('kept').length === sent);
	assert.deepEqual(op.got('kept').map((m) => JSON.parse(m.payload).n), Array.from({ length: sent }, (_, i) => i + 1));
});
