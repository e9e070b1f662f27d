// Aliases, reserved concurrency, what becomes of events, tags, the account's settings: over $CONTROL, with Lambda's errors.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { functions, lua, code } = require('../../harness/functions');

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:';
const TOPIC = 'arn:aws:iot:us-east-1:123456789012:topic/';

async function two(t, options) {
	const b = await functions(t, options);
	await b.call('CreateFunction', lua('f', 'function handler() return 1 end', { Publish: true }));
	await b.call('UpdateFunctionCode', { FunctionName: 'f', ZipFile: code('function handler() return 2 end'), Publish: true });
	return b;
}

test('an alias is a version, or two of them by their weight', async (t) => {
	const b = await two(t);
	const made = await b.call('CreateAlias', { FunctionName: 'f', Name: 'live', FunctionVersion: '1' });
	const { RevisionId, ...rest } = made;
	assert.deepEqual(rest, { AliasArn: `${ARN}f:live`, Name: 'live', FunctionVersion: '1', Description: '' });
	assert.deepEqual(await b.call('GetAlias', { FunctionName: 'f', Name: 'live' }), made);
	assert.deepEqual(await b.call('Invoke', { FunctionName: 'f:live' }), { StatusCode: 200, ExecutedVersion: '1', Payload: 1 });
	assert.equal((await b.call('GetFunctionConfiguration', { FunctionName: 'f:live' })).FunctionArn, `${ARN}f:live`);
	await b.call('UpdateAlias', { FunctionName: 'f', Name: 'live', RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } } });
	const answers = new Set();
	for (let i = 0; i < 200 && answers.size < 2; i++)
		answers.add((await b.call('Invoke', { FunctionName: 'f', Qualifier: 'live' })).Payload);
	assert.deepEqual([...answers].sort(), [1, 2]);
	await b.call('UpdateAlias', { FunctionName: 'f', Name: 'live', FunctionVersion: '2', RoutingConfig: { AdditionalVersionWeights: {} }, Description: 'both were good' });
	assert.equal((await b.call('Invoke', { FunctionName: 'f:live' })).ExecutedVersion, '2');
	await b.call('CreateAlias', { FunctionName: 'f', Name: 'next', FunctionVersion: '$LATEST' });
	assert.deepEqual((await b.call('ListAliases', { FunctionName: 'f' })).Aliases.map((a) => a.Name), ['live', 'next']);
	assert.deepEqual((await b.call('ListAliases', { FunctionName: 'f', FunctionVersion: '2' })).Aliases.map((a) => a.Name), ['live']);
	assert.match(await b.refused('DeleteFunction', { FunctionName: 'f:2' }), /^ResourceConflictException 409 Version 2 is in use by an alias/);
	await b.call('DeleteAlias', { FunctionName: 'f', Name: 'live' });
	await b.call('DeleteAlias', { FunctionName: 'f', Name: 'live' });
	assert.equal(await b.refused('GetAlias', { FunctionName: 'f', Name: 'live' }), `ResourceNotFoundException 404 Alias not found: ${ARN}f:live`);
});

test('what an alias may not be', async (t) => {
	const b = await two(t);
	const refused = (more) => b.refused('CreateAlias', { FunctionName: 'f', Name: 'a', FunctionVersion: '1', ...more });
	const weights = (w, more) => refused({ RoutingConfig: { AdditionalVersionWeights: w }, ...more });
	assert.match(await refused({ Name: '7' }), /^ValidationException 400 .*'name'/);
	assert.equal(await refused({ FunctionVersion: '9' }), `ResourceNotFoundException 404 Function not found: ${ARN}f:9`);
	assert.match(await weights({ 2: 1.5 }), /^ValidationException 400 /);
	assert.match(await weights({ 1: 0.5 }), /^InvalidParameterValueException 400 Invalid function version 1\./);
	assert.match(await weights({ 1: 0.5, 2: 0.1 }), /^InvalidParameterValueException 400 Number of items in AdditionalVersionWeights/);
	assert.match(await weights({ 2: 0.5 }, { FunctionVersion: '$LATEST' }), /^InvalidParameterValueException 400 \$LATEST is not supported for an alias/);
	assert.equal(await weights({ 9: 0.5 }), `ResourceNotFoundException 404 Function not found: ${ARN}f:9`);
	await b.call('CreateAlias', { FunctionName: 'f', Name: 'a', FunctionVersion: '1' });
	assert.equal(await refused({}), `ResourceConflictException 409 Alias already exists: ${ARN}f:a`);
	assert.match(await b.refused('UpdateAlias', { FunctionName: 'f', Name: 'a', RevisionId: 'x' }), /^PreconditionFailedException 412 /);
	assert.equal(await b.refused('UpdateAlias', { FunctionName: 'f', Name: 'b' }), `ResourceNotFoundException 404 Alias not found: ${ARN}f:b`);
});

test('reserved concurrency: none at all refuses, and the account keeps its own', async (t) => {
	const b = await two(t, { concurrency: 200 });
	assert.deepEqual(await b.call('GetFunctionConcurrency', { FunctionName: 'f' }), {});
	assert.match(await b.refused('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions: 101 }), /^InvalidParameterValueException 400 .*minimum value of \[100\]\.$/);
	assert.deepEqual(await b.call('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions: 0 }), { ReservedConcurrentExecutions: 0 });
	assert.deepEqual((await b.call('GetFunction', { FunctionName: 'f' })).Concurrency, { ReservedConcurrentExecutions: 0 });
	assert.equal(await b.refused('Invoke', { FunctionName: 'f' }), 'TooManyRequestsException 429 Rate Exceeded.');
	await b.call('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions: 50 });
	const { AccountLimit, AccountUsage } = await b.call('GetAccountSettings', {});
	assert.deepEqual([AccountLimit.ConcurrentExecutions, AccountLimit.UnreservedConcurrentExecutions, AccountUsage.FunctionCount], [200, 150, 1]);
	assert.ok(AccountUsage.TotalCodeSize > 200 && AccountUsage.TotalCodeSize < 1000 && AccountLimit.TotalCodeSize === 256 << 20);
	await b.call('DeleteFunctionConcurrency', { FunctionName: 'f' });
	assert.equal((await b.call('Invoke', { FunctionName: 'f' })).Payload, 2);
	assert.equal((await b.call('GetFunctionConcurrency', { FunctionName: 'f' })).ReservedConcurrentExecutions, undefined);
});

test('destinations get a record of what became of an event', async (t) => {
	const b = await functions(t, { retry: '50ms' });
	await b.call('CreateFunction', lua('f', 'function handler(event) if event.bad then error("no") end return "yes" end'));
	const d = await b.device('d');
	await d.subscribe('done/#');
	assert.match(await b.refused('PutFunctionEventInvokeConfig', { FunctionName: 'f', DestinationConfig: { OnSuccess: { Destination: 'arn:aws:sqs:us-east-1:123456789012:q' } } }),
		/^InvalidParameterValueException 400 The destination ARN .* is not supported here/);
	assert.match(await b.refused('UpdateFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 1 }), /^ResourceNotFoundException 404 The function .* doesn't have an EventInvokeConfig$/);
	const put = await b.call('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 0,
		DestinationConfig: { OnSuccess: { Destination: `${TOPIC}done/good` }, OnFailure: { Destination: `${TOPIC}done/bad` } } });
	assert.equal(put.FunctionArn, `${ARN}f:$LATEST`);
	const updated = await b.call('UpdateFunctionEventInvokeConfig', { FunctionName: 'f', MaximumEventAgeInSeconds: 60 });
	assert.deepEqual([updated.MaximumRetryAttempts, updated.MaximumEventAgeInSeconds], [0, 60]);
	assert.deepEqual(await b.call('GetFunctionEventInvokeConfig', { FunctionName: 'f' }), updated);
	assert.deepEqual((await b.call('ListFunctionEventInvokeConfigs', { FunctionName: 'f' })).FunctionEventInvokeConfigs, [updated]);
	for (const [payload, topic, condition, answer] of [[{ n: 1 }, 'done/good', 'Success', 'yes'], [{ bad: true }, 'done/bad', 'RetriesExhausted', undefined]]) {
		await b.call('Invoke', { FunctionName: 'f', InvocationType: 'Event', Payload: payload });
		const record = await d.next(topic);
		assert.deepEqual([record.requestContext.condition, record.requestContext.functionArn, record.requestContext.approximateInvokeCount], [condition, `${ARN}f`, 1]);
		assert.deepEqual([record.requestPayload, record.responseContext.executedVersion], [payload, '$LATEST']);
		assert.equal(answer || record.responsePayload.errorMessage, answer ? record.responsePayload : 'index.lua:1: no');
	}
	await b.call('DeleteFunctionEventInvokeConfig', { FunctionName: 'f' });
	assert.match(await b.refused('GetFunctionEventInvokeConfig', { FunctionName: 'f' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DeleteFunctionEventInvokeConfig', { FunctionName: 'f' }), /^ResourceNotFoundException 404 /);
});

test('tags are the function\'s', async (t) => {
	const b = await two(t);
	const call = (name, more) => b.call(`lambda:${name}`, { Resource: `${ARN}f`, ...more });
	await call('TagResource', { Tags: { a: '1', b: '2' } });
	await call('UntagResource', { TagKeys: ['a', 'x'] });
	assert.deepEqual(await call('ListTags'), { Tags: { b: '2' } });
	const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v']));
	assert.equal(await b.refused('lambda:TagResource', { Resource: `${ARN}f`, Tags: many }), 'InvalidParameterValueException 400 The maximum number of tags per resource is 50.');
	assert.match(await b.refused('ListTags', { Resource: `${ARN}f:1` }), /^InvalidParameterValueException 400 Tags on function aliases and versions are not supported/);
	assert.match(await b.refused('ListTags', { Resource: 'f' }), /^ValidationException 400 /);
	assert.match(await b.refused('ListTags', { Resource: `${ARN}g` }), /^ResourceNotFoundException 404 /);
});
