// What is refused when a rule is made: actions that nothing here carries out, templates where a connection is described; and secrets that nobody is shown.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { create, start } = require('../../harness/broker');

const rule = (...actions) => ({ topicRulePayload: { sql: "SELECT * FROM 'in'", awsIotSqlVersion: '2016-03-23', actions } });
const redis = (more) => ({ redis: { url: 'redis://127.0.0.1:1/0', command: 'list', key: 'k', value: '${topic()}', ...more } });
const make = (b, name, ...actions) => b.call('CreateTopicRule', { ruleName: name, ...rule(...actions) });
const refused = (b, ...actions) => b.refused('CreateTopicRule', { ruleName: 'no', ...rule(...actions) });
const SECRET = "${get_secret('db', 'SecretString', 'password')}";

test('a kind of ours wants its plugin, one of AWS does not', async (t) => {
	const b = await start(t, { plugins: ['core', 'rules'] });
	assert.equal(await refused(b, redis()), 'InvalidRequestException 400 actions[0]: nothing here carries out redis actions: load skeeter_sink_redis.so');
	await make(b, 'queue', { sqs: { queueUrl: 'q', roleArn: 'r' } });
	assert.match(await b.refused('ReplaceTopicRule', { ruleName: 'queue', ...rule(redis()) }), /load skeeter_sink_redis\.so$/);
	const { actions } = await b.call('DryRunTopicRule', { ruleName: 'queue', payload: '{}' });
	assert.deepEqual(actions, [{ action: 'sqs', fields: { queueUrl: 'q', roleArn: 'r' }, error: 'nothing here carries out sqs actions' }]);
});

test('a connection takes secrets and no other template; a secret may come later', async (t) => {
	const b = await start(t, { plugins: ['core', 'rules', 'sink_redis'] });
	assert.equal(await refused(b, redis({ url: 'redis://${topic()}/0' })),
		"InvalidRequestException 400 actions[0].redis.url: a template here must be ${get_secret('NAME', 'SecretString', 'KEY')}");
	assert.match(await refused(b, redis({ command: 'nothing' })), /^InvalidRequestException 400 1 validation error detected/);
	const warned = b.logged(/rules: rule hot: actions\[0\]\.redis\.password: there is no secret db$/m);
	await make(b, 'hot', redis({ password: SECRET }));
	await warned;
	const { rule: { actions } } = await b.call('GetTopicRule', { ruleName: 'hot' });
	assert.equal(actions[0].redis.password, SECRET);
	const dry = await b.call('DryRunTopicRule', { ruleName: 'hot', payload: '{}' });
	assert.deepEqual([dry.actions[0].fields.password, dry.actions[0].fields.value, dry.actions[0].error], [SECRET, 'in', undefined]);
});

test('rules of files are held to the same, before the sinks are loaded and when a file changes', async (t) => {
	const b = create(t, { plugins: ['core', 'rules', 'sink_redis'] });
	const folder = path.join(b.dir, 'rules'), action = (kind, fields) =>
		`rule "${kind}" { sql = "SELECT * FROM 'in'", sql_version = "2016-03-23", actions = { { ${kind} = { ${fields} } } } }\n`;
	fs.mkdirSync(folder);
	b.spec.options = { rules: { folder } };
	fs.writeFileSync(path.join(folder, 'a.lua'), action('redis', 'url = "redis://c4n4ry/", command = "list"'));
	await b.start();
	await b.logged(/rules: a\.lua: rule redis: .*actions\.1\.member\.redis\.key' failed to satisfy constraint: Member must not be null/, 0);
	const from = b.log.length;
	fs.writeFileSync(path.join(folder, 'a.lua'), action('redis', 'url = "redis://${x}/", command = "list", key = "k"'));
	await b.logged(/a\.lua:1: rule "redis": actions\[0\]\.redis\.url: a template here must be .*: the rules of before stay in force/, from);
	fs.writeFileSync(path.join(folder, 'a.lua'), action('redis', 'url = "redis://127.0.0.1:1/", command = "list", key = "k"'));
	await b.logged(/1 rules of 1 files in .* are in force/, from);
	assert.doesNotMatch(b.log, /c4n4ry/);
});

test('secrets: from a file and the environment, in a statement and in templates; what people see has none', async (t) => {
	const b = create(t, { plugins: ['core', 'rules'], env: { SKEETER_SECRET_ENV_1: 'c4n4ry-env' } });
	const file = path.join(b.dir, 'secrets.json');
	b.spec.options = { core: { secrets: file } };
	const put = (secrets, mode = 0o600) => {
		fs.writeFileSync(`${file}.new`, JSON.stringify(secrets));
		fs.chmodSync(`${file}.new`, mode);
		fs.renameSync(`${file}.new`, file);
	};
	put({ db: { password: 'c4n4ry-1' } }, 0o644);
	assert.equal(await b.refuses(), 13);
	assert.match(b.log, /skeeter: core: plugin_opt_secrets: others than its owner may use .*secrets\.json: chmod 600/);
	put({ db: { password: 'c4n4ry-1' } });
	await b.start();
	const op = await b.operator();
	await op.subscribe('out/#');
	await b.call('CreateTopicRule', { ruleName: 'tell', topicRulePayload: { awsIotSqlVersion: '2016-03-23',
		sql: "SELECT get_secret('db', 'SecretString', 'password', 'arn:aws:iam::1:role/r') AS a, get_secret('env-1', 'SecretString', 'arn:aws:iam::1:role/r') AS b FROM 'in'",
		actions: [{ republish: { roleArn: 'r', topic: "out/${md5(get_secret('db', 'SecretString', 'password'))}" } }] } });
	const told = async (a) => {
		op.inbox.length = 0;
		await op.publish('in', '{}');
		await until('the message', () => op.inbox.length);
		return JSON.parse(op.inbox[0].payload).a === a && JSON.parse(op.inbox[0].payload).b === 'c4n4ry-env';
	};
	assert.ok(await told('c4n4ry-1'));
	put({ db: { password: 'c4n4ry-2' } });
	await until('the new secret', () => told('c4n4ry-2'));
	put({ db: { password: 'c4n4ry-3' } }, 0o640);
	const from = b.log.length;
	b.signal('SIGHUP');
	await b.logged(/chmod 600; the secrets stay what they were/, from);
	assert.ok(await told('c4n4ry-2'));
	await b.call('TraceTopicRule', { ruleName: 'tell' });
	assert.ok(await told('c4n4ry-2'));
	const shown = JSON.stringify([await b.call('TraceTopicRule', { ruleName: 'tell' }), await b.call('DryRunTopicRule', { ruleName: 'tell', payload: '{}' }),
		await b.call('GetTopicRule', { ruleName: 'tell' }), await b.call('ListTopicRuleStatistics', {})]);
	assert.match(shown, /"a":"\*\*\*","b":"\*\*\*"/);
	assert.doesNotMatch(shown + b.log, /c4n4ry/);
});
