// aws_lambda() asks whoever answers the event InvokeFunction (tests/plugins/functions.c here): the message waits, others go on; without such a plugin it is a clear error.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start, BUILD } = require('../../harness/broker');

const PLUGINS = ['core', 'registry', 'auth', 'rules'];
const WITH = [...PLUGINS, `${BUILD}/tests/functions.so`];
const roleArn = 'arn:aws:iam::123456789012:role/r';
const create = (b, ruleName, sql, more = {}) => b.call('CreateTopicRule', { ruleName,
	topicRulePayload: { sql, awsIotSqlVersion: '2016-03-23', actions: [{ republish: { roleArn, topic: `out/${ruleName}` } }], ...more } });
const statistics = async (b, name) => (await b.call('ListTopicRuleStatistics')).statistics.find((s) => s.ruleName === name);

async function listen(b) {
	const d = await b.device('d');
	await d.subscribe('out/#');
	return { d, got: () => d.inbox.map((m) => [m.topic, JSON.parse(m.payload)]) };
}

test('what functions answer is in the output, in WHERE and in templates; the same question is asked once', async (t) => {
	const b = await start(t, { plugins: WITH });
	await create(b, 'asked', "SELECT aws_lambda('double', n) AS two, aws_lambda('double', n) + aws_lambda('double', 10) AS sum FROM 'in' WHERE aws_lambda('double', n) > 4");
	const { d, got } = await listen(b);
	for (const n of [1, 2, 3, 4])
		await d.publish('in', JSON.stringify({ n }));
	await until('two answers', () => got().length === 2);
	assert.deepEqual(got().sort((x, y) => x[1].two - y[1].two), [['out/asked', { two: 6, sum: 26 }], ['out/asked', { two: 8, sum: 28 }]]);
	const s = await statistics(b, 'asked');
	assert.deepEqual([s.matched, s.passed, s.failed], [4, 2, 0]);
});

test('a question that is made of chance is asked once: traceid() and rand() are the same when the message is run again', async (t) => {
	const b = await start(t, { plugins: WITH });
	const digits = "concat('1', substring(regexp_replace(traceid(), '[^0-9]', ''), 0, 4))";
	await create(b, 'chance', `SELECT aws_lambda('double', cast(${digits} AS DECIMAL)) AS two, ${digits} AS one, aws_lambda('double', floor(rand() * 1000)) >= 0 AS more FROM 'in'`);
	const { d, got } = await listen(b);
	await d.publish('in', '{}');
	await until('an answer', () => got().length === 1);
	const [[, { one, two, more }]] = got();
	assert.deepEqual([two, more], [2 * Number(one), true]);
});

test('a slow function keeps no other rule waiting', async (t) => {
	const b = await start(t, { plugins: WITH });
	await create(b, 'slow', "SELECT aws_lambda('slow', n) AS two FROM 'in'");
	await create(b, 'quick', "SELECT n FROM 'in'");
	const { d, got } = await listen(b);
	await d.publish('in', '{"n":1}');
	await d.publish('in', '{"n":2}');
	await until('all four', () => got().length === 4);
	const at = (topic, is) => got().findIndex(([of, told]) => of === topic && is(told));
	for (const n of [1, 2])
		assert.ok(at('out/quick', (m) => m.n === n) >= 0 && at('out/quick', (m) => m.n === n) < at('out/slow', (m) => m.two === 2 * n), JSON.stringify(got()));
});

test('a function that fails, one that is not there, and too many questions fail the rule, and the error action says why', async (t) => {
	const b = await start(t, { plugins: WITH });
	const errorAction = { republish: { roleArn, topic: 'out/error' } };
	const many = Array.from({ length: 20 }, (_, i) => `aws_lambda('double', ${i}) AS v${i}`).join(', ');
	await create(b, 'fails', "SELECT aws_lambda('fails', 1) AS x FROM 'a'", { errorAction });
	await create(b, 'missing', "SELECT aws_lambda('nobody', 1) AS x FROM 'b'", { errorAction });
	await create(b, 'many', `SELECT ${many} FROM 'c'`, { errorAction });
	const { d, got } = await listen(b);
	for (const topic of ['a', 'b', 'c'])
		await d.publish(topic, '{}');
	await until('three errors', () => got().length === 3);
	const why = got().map(([, e]) => `${e.ruleName}: ${e.failures[0].errorMessage}`).sort();
	assert.match(why[0], /^fails: .*it failed/);
	assert.match(why[1], /^many: .*16 questions/);
	assert.match(why[2], /^missing: .*there is no function nobody/);
});

test('without a plugin that runs functions the error says so', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	await create(b, 'asked', "SELECT aws_lambda('double', n) AS two FROM 'in'");
	const { d } = await listen(b);
	await d.publish('in', '{"n":1}');
	await until('the failure', async () => /no plugin here runs functions/.test((await statistics(b, 'asked')).lastError || ''));
});

test('the broker ends while functions are being asked', async (t) => {
	const b = await start(t, { plugins: WITH });
	await create(b, 'slow', "SELECT aws_lambda('slow', n) AS two FROM 'in'");
	const { d } = await listen(b);
	for (let n = 0; n < 50; n++)
		await d.publish('in', JSON.stringify({ n }));
	await b.stop();
});

test('the action lambda hands a message to the function; one that fails is told to the error action', async (t) => {
	const b = await start(t, { plugins: WITH });
	const { d, got } = await listen(b);
	await d.subscribe('told');
	const lambda = (functionArn) => ({ actions: [{ lambda: { functionArn } }], errorAction: { republish: { roleArn, topic: 'out/error' } } });
	await create(b, 'telling', "SELECT * FROM 'in'", lambda('tell'));
	await d.publish('in', '{"n":1}');
	await d.publish('in', Buffer.from([0xff, 0x00]));
	await until('both', () => got().length === 2);
	const [{ id, timestamp, ...first }, { id: other, timestamp: at, ...second }] = got().map(([, told]) => told);
	const same = { kind: 'lambda', fields: { functionArn: 'tell' }, topic: 'in', clientId: 'd', functionName: 'tell', invocationType: 'Event' };
	assert.deepEqual([first, second], [{ ...same, payload: { n: 1 } }, { ...same, payloadBase64: '/wA=' }]);
	assert.ok(/^[0-9a-f]{32}$/.test(id) && id < other && timestamp <= at);
	await create(b, 'failing', "SELECT * FROM 'fail'", lambda('fails'));
	await d.publish('fail', '{}');
	await until('the error', () => got().length === 3);
	const { failures } = got()[2][1];
	assert.deepEqual(failures, [{ failedAction: 'LambdaAction', failedResource: 'fails', errorMessage: 'it failed' }]);
	// A function tells before its lane has heard that it ran.
	const lanes = await until('both to be counted', async () => {
		const all = (await b.call('ListRuleLanes', {})).lanes;
		return all.reduce((n, l) => n + l.delivered + l.failed, 0) >= 3 && all;
	});
	assert.deepEqual(lanes.map((l) => [l.kind, l.lane, l.delivered, l.failed]).sort(), [['lambda', 'fails', 0, 1], ['lambda', 'tell', 2, 0]]);
});
