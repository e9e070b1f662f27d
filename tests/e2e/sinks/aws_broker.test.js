// Rules that write to AWS's services, in a broker: everything that has its PUBACK arrives, whoever is killed; what fails goes to the error action.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { prepare, republish, roleArn, PLUGINS } = require('../../harness/rules');
const { standIn, dynalite, s3rver, KEY } = require('../../harness/service_aws');

const range = (n, from = 0) => Array.from({ length: n }, (_, i) => i + from);
const queueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/hot';

async function broker(t, endpoints) {
	const r = await prepare(t, { plugins: [...PLUGINS, 'sink_aws'], options: { sink_aws: { timeout: '2s', ...endpoints } }, rules: { retry_least: '50ms', retry_most: '500ms' } });
	const file = path.join(r.b.dir, 'secrets.json');
	fs.writeFileSync(file, JSON.stringify({ [roleArn]: KEY }), { mode: 0o600 });
	r.b.spec.options.core = { secrets: file };
	await r.b.start();
	r.op = await r.b.operator();
	return r;
}

test('what has a PUBACK is in the queue, the table, the bucket and the log, though broker and stores are killed', async (t) => {
	const [aws, db, s3] = await Promise.all([standIn(t), dynalite(t), s3rver(t)]);
	await db.table('press', 'n:N:HASH');
	const r = await broker(t, { endpoint: aws.url, endpoint_dynamodb: db.url, endpoint_s3: s3.url });
	await r.make('all', "SELECT n, topic(2) AS hall FROM 'hall/+/press'", [
		{ sqs: { roleArn, queueUrl, useBase64: false } },
		{ dynamoDBv2: { roleArn, putItem: { tableName: 'press' } } },
		{ s3: { roleArn, bucketName: 'bucket', key: '${topic(2)}/${n}.json' } },
		{ cloudwatchLogs: { roleArn, logGroupName: 'group' } },
		{ firehose: { roleArn, deliveryStreamName: 'd', separator: '\n' } },
	]);
	const send = async (list) => {
		const d = await r.b.unix().connect();
		await Promise.all(list.map((n) => d.publish(`hall/${n % 3}/press`, JSON.stringify({ n }), { qos: 1 })));
	};
	await send(range(40));
	await Promise.all([db.kill(), s3.kill()]);
	await send(range(40, 40));
	await r.b.stop('SIGKILL');
	await r.b.start();
	await Promise.all([db.start(), s3.start()]);
	await send(range(20, 80));
	const seen = (list) => new Set(list.map((text) => JSON.parse(text).n)).size;
	await until('the queue', () => seen(aws.of('sqs').map((s) => s.input.entry.MessageBody)) === 100);
	await until('the delivery stream', () => seen(aws.of('firehose').map((s) => s.input.data)) === 100);
	await until('the log', () => seen(aws.of('logs').filter((s) => s.action === 'PutLogEvents').flatMap((s) => s.input.logEvents.map((e) => e.message))) === 100);
	assert.equal(aws.of('logs').pop().input.logStreamName, 'all');
	const table = async () => (await db.cli('dynamodb', 'scan', '--table-name', 'press')).Items;
	await until('the table', async () => (await table()).length === 100);
	assert.deepEqual((await table()).find((i) => i.n.N === '7'), { n: { N: '7' }, hall: { S: '1' } });
	const bucket = async () => ((await s3.cli('s3api', 'list-objects-v2', '--bucket', 'bucket')).Contents || []).map((o) => o.Key);
	await until('the bucket', async () => (await bucket()).length === 100);
	assert.deepEqual((await bucket()).sort(), range(100).map((n) => `${n % 3}/${n}.json`).sort());
	for (const front of [aws, db, s3])
		assert.deepEqual(front.refused.filter(Array.isArray), []);
});

test('what fails goes to the error action in the words of the service; what cannot be is refused when the rule is made', async (t) => {
	const aws = await standIn(t), r = await broker(t, { endpoint: aws.url });
	await r.make('lost', "SELECT n FROM 'in'", { sqs: { roleArn, queueUrl: `${queueUrl}missing` } }, { errorAction: republish('failed') });
	const d = await r.b.unix().connect();
	await r.op.subscribe('failed');
	await d.publish('in', '{"n":1}', { qos: 1 });
	const { failures, ruleName } = await r.op.next('failed');
	assert.equal(ruleName, 'lost');
	assert.deepEqual(failures, [{ failedAction: 'SqsAction', failedResource: `${queueUrl}missing`,
		errorMessage: 'AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.' }]);
	const refused = (action) => r.b.refused('CreateTopicRule', { ruleName: 'bad', topicRulePayload: { sql: "SELECT * FROM 'in'", actions: [action] } });
	assert.match(await refused({ sqs: { roleArn, queueUrl: 'hot' } }), /queueUrl must be like https:/);
	assert.match(await refused({ sns: { roleArn, targetArn: 'hot' } }), /targetArn must be like arn:/);
	assert.match(await refused({ s3: { roleArn, bucketName: 'a/b', key: 'k' } }), /bucketName must be/);
	assert.match(await refused({ dynamoDB: { roleArn, tableName: 'tab', hashKeyField: 'h', hashKeyValue: '1', operation: 'PUT' } }), /operation must be INSERT, UPDATE or DELETE/);
});

test('a broker with an endpoint that is none does not start', async (t) => {
	const r = await prepare(t, { plugins: [...PLUGINS, 'sink_aws'], options: { sink_aws: { endpoint: 'http://127.0.0.1:1/path' } } });
	assert.notEqual(await r.b.refuses(), 0);
	assert.match(r.b.log, /plugin_opt_endpoint.*only scheme, host and port/);
});
