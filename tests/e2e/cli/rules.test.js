// skeeter rules: what a rule is (explain), what it would do (dry-run, on one message or on those that come), what rules are doing (top, trace).
'use strict';
const assert = require('node:assert/strict');
const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, BUILD } = require('../../harness/broker');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'rules'];
const SKEETER = path.join(BUILD, 'skeeter');
const options = (b) => ({ env: { ...process.env, TZ: 'UTC', SKEETER_SOCKET: b.socket }, cwd: b.dir });
const run = (b, ...args) => new Promise((done) => execFile(SKEETER, ['rules', ...args], options(b),
	(e, stdout, stderr) => done({ code: e ? e.code : 0, stdout, stderr: stderr.trimEnd() })));
const says = async (b, ...args) => { const { code, stderr } = await run(b, ...args); return [code, stderr]; };

// One that goes on: what it says, and how it ends.
function follow(b, ...args) {
	const child = spawn(SKEETER, ['rules', ...args], { ...options(b), stdio: ['ignore', 'pipe', 'pipe'] });
	const f = { child, out: '', err: '', ended: new Promise((done) => child.on('close', (code, signal) => done(signal || code))) };
	child.stdout.on('data', (d) => { f.out += d; });
	child.stderr.on('data', (d) => { f.err += d; });
	return f;
}

const roleArn = 'arn:aws:iam::123456789012:role/r';
const hot = { sql: "SELECT temp AS t FROM 'rooms/+/climate' WHERE temp > 30", awsIotSqlVersion: '2016-03-23',
	actions: [{ republish: { roleArn, topic: 'hot/${topic(2)}' } }], errorAction: { republish: { roleArn, topic: 'failed' } } };

async function withRule(t) {
	const b = await start(t, { plugins: PLUGINS });
	await b.call('CreateTopicRule', { ruleName: 'hot', topicRulePayload: hot });
	fs.writeFileSync(path.join(b.dir, 'bare.json'), JSON.stringify(hot));
	fs.writeFileSync(path.join(b.dir, 'named.json'), JSON.stringify({ ruleName: 'other', topicRulePayload: hot }));
	return b;
}

test('rules explain: the program of a rule of the broker, of a file, of a statement', async (t) => {
	const b = await withRule(t);
	const stored = await run(b, 'explain', 'hot');
	assert.equal(stored.code, 0, stored.stderr);
	assert.match(stored.stdout, /^rule hot, SQL 2016-03-23\nSELECT temp AS t FROM 'rooms\/\+\/climate' WHERE temp > 30\n\d+ bytes, from 'rooms\/\+\/climate'\n/);
	assert.match(stored.stdout, /\naction 1: republish \{.*"topic":"hot\/\$\{topic\(2\)\}"\}\ntopic is filled in by \d+ bytes\n/);
	assert.match(stored.stdout, /\nerror action: republish \{.*"topic":"failed"\}\n/);
	assert.match(stored.stdout, /\nin memory: \d+ bytes\n$/);
	const same = (out) => out.slice(out.indexOf('\n'));
	for (const [file, name] of [['bare.json', 'bare'], ['./named.json', 'other']]) {
		const { stdout } = await run(b, 'explain', file);
		assert.ok(stdout.startsWith(`rule ${name}, `), stdout);
		assert.equal(same(stdout).replace(/memory: .*/, ''), same(stored.stdout).replace(/memory: .*/, ''));
	}
	assert.match((await run(b, 'explain', '--sql', 'SELECT *')).stdout, /^rule sql, SQL 2016-03-23\nSELECT \*\n/);
	assert.deepEqual(await says(b, 'explain', '--sql', 'SELECT length(a)', '--sql-version', '2015-10-08'),
		[252, 'skeeter: sql: line 1, column 8: length needs SQL version 2016-03-23']);
	assert.match((await says(b, 'explain', 'nobody'))[1], /^An error occurred \(UnauthorizedException\) when calling the GetTopicRule operation/);
	fs.writeFileSync(path.join(b.dir, 'bad.json'), '{"sql":');
	assert.match((await says(b, 'explain', 'bad.json'))[1], /^skeeter: bad\.json: line 1, column 8: /);
	assert.match((await says(b, 'explain', 'none.json'))[1], /^skeeter: cannot read none\.json: No such file/);
	assert.equal((await says(b, 'explain', 'hot', '--sql', 'SELECT *'))[0], 252);
});

test('rules dry-run: one message through a rule of the broker or of a file, with every clause; nothing is done', async (t) => {
	const b = await withRule(t);
	const operator = await b.operator();
	await operator.subscribe('#');
	const matched = await run(b, 'dry-run', 'hot', '--topic', 'rooms/hall/climate', '--payload', '{"temp":31}');
	assert.deepEqual(matched, { code: 0, stderr: '', stdout: ['clause     temp = 31', 'clause     temp > 30 = true', 'clause     temp = 31', 'matched    yes', 'output     {"t":31}',
		`action     republish ${JSON.stringify({ roleArn, topic: 'hot/hall' })}`, ''].join('\n') });
	const cold = await run(b, 'dry-run', 'bare.json', '--topic', 'rooms/hall/climate', '--payload', '{"temp":3}');
	assert.deepEqual([cold.code, cold.stdout], [1, 'clause     temp = 3\nclause     temp > 30 = false\nmatched    no\n']);
	fs.writeFileSync(path.join(b.dir, 'bytes'), Buffer.from([0, 255]));
	const raw = { sql: "SELECT * FROM 'a'", actions: [{ republish: { roleArn, topic: '${get(encode(*, \'base64\'), 0)}/${missing}' } }], awsIotSqlVersion: '2016-03-23' };
	fs.writeFileSync(path.join(b.dir, 'raw.json'), JSON.stringify(raw));
	const failed = await run(b, 'dry-run', 'raw.json', '--topic', 'a', '--payload', '@bytes');
	assert.equal(failed.code, 1, failed.stderr);
	assert.match(failed.stdout, /^output {5}"AP8=" \(base64\)$/m);
	assert.match(failed.stdout, /^fails {6}topic: an expression of the template is undefined$/m);
	assert.match((await run(b, 'dry-run', 'hot', '--topic', 'elsewhere', '--payload', '{}')).stdout, /^matched {4}no\nerror {6}the topic elsewhere does not match/m);
	assert.deepEqual(await says(b, 'dry-run', 'hot', '--payload', '@none'), [252, 'skeeter: cannot read none: No such file or directory']);
	assert.equal((await says(b, 'dry-run', 'hot'))[0], 252);
	assert.deepEqual(await says(b, 'dry-run', 'hot', '--live', 'soon'), [252, "skeeter: --live: expected 1 to 86400 seconds, got 'soon'"]);
	await operator.publish('end', '1');
	await operator.nextMessage('end');
	assert.deepEqual(operator.inbox, []);
});

test('rules dry-run --live: the messages that come under a rule that nobody has made yet', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	const operator = await b.operator();
	await operator.publish('rooms/old/climate', '{"temp":99}', { retain: true });
	fs.writeFileSync(path.join(b.dir, 'bare.json'), JSON.stringify(hot));
	const f = follow(b, 'dry-run', 'bare.json', '--live', '600');
	await until(() => `it listens: ${f.err}`, () => /messages under rooms\/\+\/climate go through bare; nothing is done/.test(f.err));
	await operator.publish('rooms/hall/climate', '{"temp":31}');
	await operator.publish('rooms/hall/climate', '{"temp":3}');
	await operator.publish('elsewhere', '{"temp":31}');
	await operator.publish('rooms/attic/climate', Buffer.from([0xff]));
	await until(() => `three messages: ${f.out}`, () => /attic/.test(f.out));
	f.child.kill('SIGINT');
	assert.equal(await f.ended, 0);
	assert.match(f.out, /^\d\d:\d\d:\d\d rooms\/hall\/climate: matches\n(  clause .*\n)+  matched    yes\n  output     \{"t":31\}\n  action     republish .*"topic":"hot\/hall"/);
	assert.match(f.out, /^\d\d:\d\d:\d\d rooms\/hall\/climate: does not match$/m);
	assert.doesNotMatch(f.out, /elsewhere|rooms\/old/);
	assert.match(f.out, /^3 messages, 1 matched, 0 failed$/m);
	fs.writeFileSync(path.join(b.dir, 'basic.json'), JSON.stringify({ sql: 'SELECT *', actions: [] }));
	assert.deepEqual(await says(b, 'dry-run', 'basic.json', '--live', '5'), [252, 'skeeter: basic has no FROM: there is nothing to subscribe to']);
});

test('rules top and rules trace: counters, the last error, and each message with its clauses', async (t) => {
	const b = await withRule(t);
	const operator = await b.operator();
	const f = follow(b, 'trace', 'hot');
	await until(() => 'tracing is on', async () => {
		await operator.publish('rooms/hall/climate', '{"temp":31}');
		return /rooms\/hall\/climate/.test(f.out);
	});
	await operator.publish('rooms/attic/climate', '{"temp":3}');
	await until(() => `the other message: ${f.out}`, () => /attic/.test(f.out) && /clause {5}temp > 30 = false\n  matched {4}no/.test(f.out));
	f.child.kill('SIGTERM');
	assert.equal(await f.ended, 0);
	assert.match(f.out, /^\d\d:\d\d:\d\d rooms\/hall\/climate.*\n  clause     temp = 31\n  clause     temp > 30 = true\n/m);
	assert.match(f.out, /^  action     republish .*"topic":"hot\/hall"/m);
	const top = await run(b, 'top', '--once');
	assert.equal(top.code, 0, top.stderr);
	assert.match(top.stdout, /^rule +messages +a second +passed +failed +dropped +us each\nhot +[1-9]\d* +0\.0 +[1-9]\d* +0 +0 +\d+\.\d/);
	assert.equal((await run(b, 'trace', 'hot', '--for', '1s')).code, 0);
	assert.match((await says(b, 'trace', 'nobody'))[1], /^An error occurred \(ResourceNotFoundException\) when calling the TraceTopicRule operation/);
	assert.match((await says(b, 'trace', 'hot', '--for', 'ever'))[1], /^skeeter: --for: expected a time like 90s/);
});

test('rules says what it does not know', async (t) => {
	const b = await start(t, { plugins: ['core'] });
	assert.deepEqual(await says(b, 'explian', 'x'), [252, "skeeter: 'rules explian' is no command: did you mean rules explain?"]);
	assert.match((await says(b, 'frobnicate'))[1], /'rules frobnicate' is no command: .* rules --help lists all$/);
	assert.equal((await says(b, 'trace'))[0], 252);
	assert.deepEqual(await says(b, 'top', '-x'), [252, 'skeeter: unknown argument -x']);
	assert.match((await run(b, '--help')).stdout, /rules dry-run RULE/);
	assert.equal((await run(b, 'explain', '--sql', 'SELECT 1 AS one')).code, 0);
});
