// What is refused when a rule is made: actions that nothing here carries out, templates where a connection is described; and secrets that nobody is shown.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { create, start, BUILD } = require('../../harness/broker');

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
	await b.logged(/rules: a\.lua: rule redis: actions\[0\]: 'action\.redis\.key' failed to satisfy constraint: Member must not be null/, 0);
	const from = b.log.length;
	fs.writeFileSync(path.join(folder, 'a.lua'), action('redis', 'url = "redis://${x}/", command = "list", key = "k"'));
	await b.logged(/a\.lua:1: rule "redis": actions\[0\]: redis\.url: a template here must be .*: the rules of before stay in force/, from);
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

// What a rule in Lua makes while it runs has no shape that could be checked before.
test('no sink falls over fields that are missing, or of another type', async (t) => {
	const sinks = ['http', 'redis', 'postgres', 'mysql', 'amqp', 'nats', 'kafka', 'aws', 'file'].filter((name) => fs.existsSync(path.join(BUILD, `skeeter_sink_${name}.so`)));
	const kinds = ['http', 'influx', 'clickhouse', 'smtp', 'redis', 'postgres', 'mysql', 'amqp', 'nats', 'kafka', 'sqs', 'sns', 'kinesis', 'firehose', 'dynamoDB', 'dynamoDBv2', 's3',
		'cloudwatchMetric', 'cloudwatchLogs', 'stepFunctions', 'file'];
	const names = ['url', 'user', 'password', 'key', 'value', 'command', 'topic', 'destinationArn', 'clientProperties', 'headers', 'table', 'columns', 'sql', 'parameters', 'subject', 'routingKey',
		'exchange', 'measurement', 'fields', 'tags', 'from', 'to', 'queueUrl', 'targetArn', 'streamName', 'partitionKey', 'deliveryStreamName', 'tableName', 'hashKeyField', 'hashKeyValue', 'putItem',
		'bucketName', 'metricName', 'metricNamespace', 'metricValue', 'metricUnit', 'logGroupName', 'stateMachineName', 'roleArn', 'path', 'tls', 'auth', 'batchConfig', 'enableBatching', 'batchMode'];
	const all = (value) => `{ ${names.map((n) => `${n} = ${value}`).join(', ')} }`;
	// The URL leads to a port that nobody has, whatever the scheme.
	const some = (url) => `{ url = "${url}", command = "stream", key = 5, fields = 7, columns = "x", parameters = { {} }, topic = {}, headers = { 1 }, measurement = 1, roleArn = false, putItem = 3 }`;
	const given = ['{}', all('5'), all('true'), all('{}'), all('{ 1, "x" }'), all('{ a = { b = 1 } }'), all('""'), all('"http://127.0.0.1:1/"'), ...['http', 'redis', 'postgresql', 'mysql', 'amqp', 'nats', 'smtp']
		.map((scheme) => some(`${scheme}://127.0.0.1:1`))];
	const b = create(t, { plugins: ['core', 'rules', ...sinks.map((name) => `sink_${name}`)], env: { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' } });
	const folder = path.join(b.dir, 'rules');
	fs.mkdirSync(folder);
	fs.writeFileSync(path.join(folder, 'odd.lua'), `
local given = { ${given.join(',\n')} }
${kinds.map((kind) => `rule "${kind}" { topic = "in/${kind}/+", run = function(m) sink.${kind}(given[tonumber(m.topic:match("%d+$"))]) end }`).join('\n')}`);
	b.spec.options = { rules: { folder, destinations: 'any', retry_least: '10ms', retry_most: '50ms', retry_for: '1s', lanes: 1024 }, sink_aws: { endpoint: 'http://127.0.0.1:1' }, sink_file: { folder: b.dir } };
	await b.start();
	const op = await b.operator();
	for (const kind of kinds)
		for (let i = 1; i <= given.length; i++)
			await op.publish(`in/${kind}/${i}`, '{"a":1}', { qos: 1 });
	await until('every run to be over', async () => (await b.call('ListTopicRuleStatistics', {})).statistics.reduce((n, s) => n + s.passed + s.failed, 0) >= kinds.length * given.length);
	await until('every lane to have tried', async () => (await b.call('ListRuleLanes', {})).lanes.every((l) => l.delivered || l.lastError), 120000);
}, { seconds: 300 });
