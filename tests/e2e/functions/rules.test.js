// Rules call functions: aws_lambda() waits for the answer, the action `lambda` leaves an event behind.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { functions, lua } = require('../../harness/functions');

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:';
const role = 'arn:aws:iam::123456789012:role/rules';

async function ruled(t) {
	const b = await functions(t, { retry: '50ms' }, { plugins: ['core', 'registry', 'auth', 'shadow', 'functions', 'rules'] });
	await b.call('CreateFunction', lua('double', 'function handler(event) return { twice = event.n * 2 } end'));
	const rule = (ruleName, sql, ...actions) => b.call('CreateTopicRule', { ruleName, topicRulePayload: { sql, actions, awsIotSqlVersion: '2016-03-23' } });
	return { b, rule, d: await b.device('d') };
}

test('aws_lambda() answers what the function returned, and undefined nothing when it fails', async (t) => {
	const { b, rule, d } = await ruled(t);
	await rule('ask', `SELECT n, aws_lambda('${ARN}double', {'n': n}).twice AS twice FROM 'in'`, { republish: { topic: 'out', roleArn: role, qos: 1 } });
	await rule('fail', `SELECT aws_lambda('${ARN}double', {'n': 'x'}) AS twice FROM 'bad'`, { republish: { topic: 'never', roleArn: role } });
	await d.subscribe('out');
	await d.subscribe('never');
	await d.publish('bad', '{}', { qos: 1 });
	for (let n = 1; n <= 20; n++)
		await d.publish('in', JSON.stringify({ n }), { qos: 1 });
	const answers = [];
	for (let n = 1; n <= 20; n++)
		answers.push(await d.next('out'));
	assert.deepEqual(answers.sort((x, y) => x.n - y.n), Array.from({ length: 20 }, (_, i) => ({ n: i + 1, twice: 2 * (i + 1) })));
	const last = async (ruleName) => (await b.call('ListTopicRuleStatistics')).statistics.find((s) => s.ruleName === ruleName).lastError || '';
	assert.match(await until('the rule that fails to say so', () => last('fail')), /function .*:double failed: .*LuaError/);
});

test('the action lambda runs the function with what the statement made, and again when it fails', async (t) => {
	const { b, rule, d } = await ruled(t);
	await b.call('CreateFunction', lua('told', 'function handler(event) publish("told", event) if event.bad then error("no") end end'));
	await rule('tell', `SELECT n, bad FROM 'in'`, { lambda: { functionArn: `${ARN}told` } });
	await d.subscribe('told');
	await d.publish('in', '{"n":7,"other":1}', { qos: 1 });
	assert.deepEqual(await d.next('told'), { n: 7 });
	await d.publish('in', '{"bad":true}', { qos: 1 });
	const letters = await until('the event to be a dead letter', async () => {
		const { deadLetters } = await b.call('ListFunctionDeadLetters', { functionName: 'told' });
		return deadLetters.length && deadLetters;
	});
	assert.deepEqual([letters[0].payload, letters[0].attempts], [{ bad: true }, 3]);
});
