// The sinks of AWS's services: every request is verified by our own hand and read as AWS's models have it. Those that npm's servers take are in aws_stores.test.js.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const http = require('node:http');
const https = require('node:https');
const { test, until } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { freePort } = require('../../harness/ports');
const pki = require('../../harness/pki');
const { listen } = require('../../harness/service');
const { standIn, KEY } = require('../../harness/service_aws');

const ROLE = 'arn:aws:iam::123456789012:role/r';
process.env.AWS_ACCESS_KEY_ID = KEY.accessKeyId;
process.env.AWS_SECRET_ACCESS_KEY = KEY.secretAccessKey;
delete process.env.AWS_SESSION_TOKEN;
const sink = (t, at, kind, fields, options = {}) => drive(t, 'sink_aws', kind, { roleArn: ROLE, ...fields }, { endpoint: at.url, ...options });
const results = (list) => list.map((r) => r.result).join(' ');
const range = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const payloads = (...list) => list.map((p) => ({ payload: typeof p === 'string' ? p : JSON.stringify(p) }));
const queueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/hot';
const secrets = (t, content) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-')), file = path.join(dir, 'secrets.json');
	t.after(() => fs.rmSync(dir, { recursive: true }));
	const write = (c) => { fs.writeFileSync(`${file}.new`, JSON.stringify(c), { mode: 0o600 }); fs.renameSync(`${file}.new`, file); };
	write(content);
	return { file, write };
};

test('sqs: batches of ten, text as it is or in base64; AWS\'s CLI is understood by the same stand-in', async (t) => {
	const aws = await standIn(t), d = sink(t, aws, 'sqs', { queueUrl });
	assert.equal(results(await d.send(...payloads(...range(25, (i) => `{"n": ${i}, "t": "ü+&=%\\n"}`)))), Array(25).fill('ok').join(' '));
	assert.equal(aws.requests, 3);
	assert.deepEqual(aws.of('sqs').map((s) => s.input.entry.MessageBody).sort(), range(25, (i) => `{"n": ${i}, "t": "ü+&=%\\n"}`).sort());
	assert.equal(results(await d.send({ payload: 'Ä', fields: { useBase64: true } })), 'ok');
	assert.equal(aws.of('sqs').pop().input.entry.MessageBody, 'w4Q=');
	await aws.cli('sqs', 'send-message-batch', '--queue-url', `${aws.url}/123456789012/hot`, '--entries', 'Id=1,MessageBody=from the CLI');
	assert.equal(aws.of('sqs').pop().input.entry.MessageBody, 'from the CLI');
	assert.deepEqual(aws.refused, []);
});

test('sqs: of a batch those come again or fail that the service says it of', async (t) => {
	const aws = await standIn(t), d = sink(t, aws, 'sqs', { queueUrl });
	aws.next(() => ({ bad: { 1: ['InternalError', 'We', false], 2: ['InvalidMessageContents', 'No', true], 3: ['RequestThrottled', 'Slow', true] } }));
	const answers = await d.send(...payloads('0', '1', '2', '3', '4'));
	assert.equal(results(answers), 'ok retry fail retry ok');
	assert.equal(answers[2].why, 'InvalidMessageContents: No');
	aws.next(null);
	const [missing] = await d.send({ payload: 'x', fields: { queueUrl: 'http://any/1/missing' } });
	assert.equal(`${missing.result} ${missing.why}`, 'fail AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.');
	aws.next((service, action, input) => (input.Entries.some((e) => e.MessageBody === '6') ? { status: 400, code: 'InvalidMessageContents' } : null));
	assert.equal(results(await d.send(...payloads(...range(10, String)))), 'ok ok ok ok ok ok fail ok ok ok');
});

test('sqs: a FIFO queue gets topics as groups, and what one topic sends stays in order through failures', async (t) => {
	const aws = await standIn(t), d = sink(t, aws, 'sqs', { queueUrl: `${queueUrl}.fifo` });
	let refuse = 3;
	aws.next((service, action, input) => {
		const i = input.Entries.findIndex((e) => e.MessageGroupId === 'a/1');
		return refuse-- > 0 && i >= 0 ? { bad: { [i]: ['InternalError', 'We', false] } } : null;
	});
	let left = range(12, (i) => ({ payload: String(i), topic: `a/${i % 3}` }));
	await until('all to arrive', async () => {
		const answers = await d.send(...left);
		left = left.filter((_, i) => answers[i].result === 'retry');
		return !left.length;
	});
	for (const g of ['a/0', 'a/1', 'a/2'])
		assert.deepEqual(aws.of('sqs').map((s) => s.input.entry).filter((e) => e.MessageGroupId === g).map((e) => Number(e.MessageBody)), range(4, (i) => 3 * i + Number(g.slice(2))));
	assert.ok(aws.of('sqs').every((s) => /^[0-9a-f]{32}$/.test(s.input.entry.MessageDeduplicationId)));
});

test('sns: batches to topics, one by one to phones, partial failures', async (t) => {
	const aws = await standIn(t), d = sink(t, aws, 'sns', { targetArn: 'arn:aws:sns:us-east-1:123456789012:hot', messageFormat: 'JSON' });
	aws.next(() => ({ bad: { 1: ['InvalidParameter', 'Invalid', true] } }));
	assert.equal(results(await d.send(...payloads({ default: 'a' }, { default: 'b' }, { default: 'c' }))), 'ok fail ok');
	assert.deepEqual(aws.of('sns').map((s) => [s.input.entry.Message, s.input.entry.MessageStructure]), [['{"default":"a"}', 'json'], ['{"default":"c"}', 'json']]);
	aws.next(null);
	assert.equal(results(await d.send({ payload: 'x', fields: { targetArn: 'arn:aws:sns:us-east-1:123456789012:endpoint/GCM/a/1', messageFormat: 'RAW' } })), 'ok');
	assert.equal(aws.of('sns').pop().input.TargetArn, 'arn:aws:sns:us-east-1:123456789012:endpoint/GCM/a/1');
	await aws.cli('sns', 'publish-batch', '--topic-arn', 'arn:aws:sns:us-east-1:123456789012:hot', '--publish-batch-request-entries', 'Id=1,Message=cli');
	assert.equal(aws.of('sns').pop().input.entry.Message, 'cli');
	assert.deepEqual(aws.refused, []);
});

test('firehose: records with their separator, an array as records, partial failures', async (t) => {
	const aws = await standIn(t), d = sink(t, aws, 'firehose', { deliveryStreamName: 'd', separator: '\n', batchMode: true });
	assert.equal(results(await d.send(...payloads([1, { a: 2 }], 'plain'))), 'ok ok');
	assert.deepEqual(aws.of('firehose').map((s) => s.input.data), ['1\n', '{"a":2}\n', 'plain\n']);
	aws.next(() => ({ bad: { 1: ['ServiceUnavailableException', 'Slow down.'] } }));
	assert.equal(results(await d.send(...payloads([1, 2], '3'))), 'retry ok');
	aws.next(() => ({ status: 400, code: 'ResourceNotFoundException', message: 'Firehose d under account 1 not found.' }));
	const [none] = await d.send({});
	assert.equal(`${none.result} ${none.why}`, 'fail ResourceNotFoundException: Firehose d under account 1 not found.');
	assert.deepEqual(aws.refused, []);
});

test('cloudwatch: metrics, states of alarms, logs whose stream is made; step functions are started once', async (t) => {
	const aws = await standIn(t), at = 1700000000;
	const metric = sink(t, aws, 'cloudwatchMetric', { metricNamespace: 'hall', metricName: 'temp', metricUnit: 'None', metricValue: '21.5', metricTimestamp: String(at) });
	assert.equal(results(await metric.send({}, { fields: { metricValue: 'hot' } }, { fields: { metricValue: '-1e3' } })), 'ok fail ok');
	assert.deepEqual(aws.of('cloudwatch')[0].input, { Namespace: 'hall', MetricData: [21.5, -1000].map((Value) => ({ MetricName: 'temp', Value, Unit: 'None', Timestamp: at })) });
	const alarm = sink(t, aws, 'cloudwatchAlarm', { alarmName: 'a', stateValue: 'ALARM', stateReason: 'it is hot' });
	assert.equal(results(await alarm.send({}, { fields: { stateValue: 'HOT' } })), 'ok fail');
	assert.deepEqual(aws.of('cloudwatch')[1].input, { AlarmName: 'a', StateValue: 'ALARM', StateReason: 'it is hot' });

	const logs = sink(t, aws, 'cloudwatchLogs', { logGroupName: 'group' });
	const list = [{ timestamp: 1700000000500, message: 'late' }, { timestamp: 1699999999000, message: 'early' }];
	assert.equal(results(await logs.send({ payload: '{"a":1}' }, { payload: JSON.stringify(list), fields: { batchMode: true } })), 'ok ok');
	assert.deepEqual(aws.of('logs').map((s) => s.action), ['CreateLogStream', 'PutLogEvents']);
	assert.deepEqual(aws.of('logs')[1].input.logEvents.map((e) => e.message), ['early', '{"a":1}', 'late']);
	assert.equal(aws.of('logs')[1].input.logStreamName, 'driven');
	const [none] = await logs.send({ payload: 'x', fields: { logGroupName: 'none' } });
	assert.equal(`${none.result} ${none.why}`, 'fail ResourceNotFoundException: The specified log group does not exist.');
	aws.next((service) => (service === 'logs' ? { bad: { info: { tooOldLogEventEndIndex: 1 } } } : null));
	assert.equal(results(await logs.send({ payload: 'a' }, { payload: 'b' })), 'fail ok');

	aws.next((service, action, input) => (input.input === '2' ? { reset: 'after' } : null));
	const step = sink(t, aws, 'stepFunctions', { stateMachineName: 'm', executionNamePrefix: 'p-' });
	assert.equal(results(await step.send(...payloads('1', '2', 'no JSON'))), 'ok retry fail');
	assert.deepEqual(aws.of('stepfunctions').map((s) => s.input.stateMachineArn), Array(2).fill('arn:aws:states:us-east-1:123456789012:stateMachine:m'));
	await Promise.all([
		aws.cli('cloudwatch', 'put-metric-data', '--namespace', 'cli', '--metric-name', 'm', '--value', '1', '--unit', 'None'),
		aws.cli('logs', 'create-log-stream', '--log-group-name', 'group', '--log-stream-name', 'cli'),
	]);
	assert.deepEqual(aws.refused, []);
});

test('keys: of the role, of `aws`, rotated under way; a wrong one, an expired one and a wrong clock are told, never with the key', async (t) => {
	const aws = await standIn(t), good = { ...KEY }, file = secrets(t, { [ROLE]: { ...good, secretAccessKey: 'wrong-and-hidden' }, aws: good });
	const d = sink(t, aws, 'sqs', { queueUrl }, { secrets: file.file });
	const [wrong] = await d.send({ payload: 'x' });
	assert.equal(`${wrong.result} ${wrong.why}`, 'fail SignatureDoesNotMatch: The request signature we calculated does not match.');
	const [other] = await d.send({ payload: 'x', fields: { roleArn: 'another' } });
	assert.equal(other.result, 'ok');
	file.write({ [ROLE]: { ...good, accessKeyId: 'NOBODY' } });
	await until('the new key to be used', async () => (await d.send({ payload: 'x' }))[0].why === 'InvalidClientTokenId: The security token included in the request is invalid.');
	assert.equal((await d.send({ payload: 'x' }))[0].result, 'retry');
	aws.key.sessionToken = 'session+token/=';
	file.write({ [ROLE]: { ...good, sessionToken: aws.key.sessionToken } });
	await until('the temporary key to be used', async () => (await d.send({ payload: 'x' }))[0].result === 'ok');
	for (const code of ['ExpiredToken', 'RequestExpired'])
		await assertRetry(aws, d, { status: 400, code, message: 'old' }, `${code}: old`);
	await assertRetry(aws, d, { status: 403, code: 'InvalidSignatureException', message: 'Signature not yet current: 2 is still later than 1' },
		"the clock here and the service's differ: InvalidSignatureException: Signature not yet current: 2 is still later than 1");
	const bare = sink(t, aws, 'sqs', { queueUrl }, { secrets: secrets(t, {}).file });
	delete process.env.AWS_ACCESS_KEY_ID;
	const none = sink(t, aws, 'sqs', { queueUrl });
	process.env.AWS_ACCESS_KEY_ID = KEY.accessKeyId;
	assert.equal((await none.send({ payload: 'x' }))[0].why, `no credentials: there is no secret ${ROLE} or aws, nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
	aws.key.sessionToken = undefined;
	assert.equal(results(await bare.send({ payload: 'x' })), 'ok');
	assert.ok(!/wrong-and-hidden|session\+token/.test(d.log));
});

async function assertRetry(aws, d, answer, why) {
	aws.next(() => answer);
	const [r] = await d.send({ payload: 'x' });
	aws.next(null);
	assert.equal(`${r.result} ${r.why}`, `retry ${why}`);
}

test('outages: refused, reset, over TLS that is not trusted; each comes again. A proxy is used when it is named', async (t) => {
	const aws = await standIn(t), d = sink(t, aws, 'sqs', { queueUrl });
	aws.next(() => ({ reset: 'before' }));
	assert.equal(results(await d.send({ payload: 'x' })), 'retry');
	aws.next(() => ({ status: 503, code: 'ServiceUnavailable' }));
	assert.equal(results(await d.send({ payload: 'x' })), 'retry');
	aws.next(null);
	await aws.close();
	assert.match((await d.send({ payload: 'x' }))[0].why, /refused|could not|couldn't/i);
	await aws.listen();
	assert.equal(results(await d.send({ payload: 'x' })), 'ok');
	const server = pki.server(), port = await freePort();
	const tls = await listen(https.createServer({ cert: fs.readFileSync(server.crt), key: fs.readFileSync(server.key) }, (req, res) => { aws.take(req, res); }), port);
	t.after(() => tls.close());
	const trusted = sink(t, { url: `https://localhost:${port}` }, 'sqs', { queueUrl }, { cafile: pki.authority().crt });
	assert.equal(results(await trusted.send({ payload: 'x' })), 'ok');
	const [not] = await sink(t, { url: `https://localhost:${port}` }, 'sqs', { queueUrl }).send({ payload: 'x' });
	assert.equal(not.result, 'retry');
	assert.match(not.why, /certificate/i);
	await trusted.end();
	const proxied = [], proxy = http.createServer((req, res) => { proxied.push(req.url); req.url = new URL(req.url).pathname; aws.take(req, res); });
	await listen(proxy, await freePort());
	t.after(() => { proxy.closeAllConnections(); proxy.close(); });
	const through = sink(t, { url: 'http://sqs.nowhere.invalid' }, 'sqs', { queueUrl }, { proxy: `http://127.0.0.1:${proxy.address().port}` });
	assert.equal(results(await through.send({ payload: 'x' })), 'ok');
	assert.deepEqual(proxied, ['http://sqs.nowhere.invalid/123456789012/hot']);
	await through.end();
});
