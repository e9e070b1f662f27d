// Functions in Lua: invoked, asynchronously too, from rules, with their logs and limits; retried and buried when they fail.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { functions, lua } = require('../../harness/functions');

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:';

test.smoke('a function gets its event and its context, and answers', async (t) => {
	const b = await functions(t);
	await b.call('CreateFunction', lua('double', `function handler(event, context)
	log("doubling", event.n)
	return { n = event.n * 2, name = context.functionName, arn = context.invokedFunctionArn, level = context.environment.LEVEL, memory = context.memoryLimitInMB }
end`, { Environment: { Variables: { LEVEL: '7' } } }));
	const answer = await b.call('Invoke', { FunctionName: 'double', Payload: { n: 21 }, LogType: 'Tail' });
	assert.deepEqual(answer.Payload, { n: 42, name: 'double', arn: `${ARN}double`, level: '7', memory: '128' });
	assert.deepEqual([answer.StatusCode, answer.ExecutedVersion, answer.FunctionError], [200, '$LATEST', undefined]);
	const lines = Buffer.from(answer.LogResult, 'base64').toString().split('\n');
	assert.match(lines[0], /^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/);
	assert.equal(lines[1], 'doubling 21');
	assert.match(lines[2], /^END RequestId: /);
	assert.match(lines[3], /^REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB$/);
});

test('a function that fails says how', async (t) => {
	const b = await functions(t);
	const says = async (text, more) => {
		await b.call('CreateFunction', lua('f', text, more));
		const { FunctionError, Payload } = await b.call('Invoke', { FunctionName: 'f' });
		await b.call('DeleteFunction', { FunctionName: 'f' });
		assert.equal(FunctionError, 'Unhandled');
		return `${Payload.errorType}: ${Payload.errorMessage}`;
	};
	assert.equal(await says('function handler() error("broken") end'), 'LuaError: index.lua:1: broken');
	assert.match(await says('function handler('), /^Runtime\.ImportModuleError: index\.lua:1: /);
	assert.match(await says('function other() end'), /^LuaError: index\.lua: there is no 'handler' here/);
	assert.equal(await says('', { Handler: 'main.handler' }), "Runtime.ImportModuleError: Cannot find module 'main.lua' in the package");
	assert.match(await says('', { Handler: 'handler' }), /^Runtime\.HandlerNotFound: Bad handler 'handler'/);
	assert.match(await says('function handler() while true do end end', { Timeout: 1 }),
		/^Sandbox\.Timedout: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [0-9a-f-]{36} Task timed out after 1\.00 seconds$/);
	assert.match(await says('function handler() local s = "x" while true do s = s .. s end end'), /^Runtime\.OutOfMemory: /);
	assert.match(await says('function handler() return ("x"):rep(7 * 1024 * 1024) end'), /^Function\.ResponseSizeTooLarge: /);
	assert.match(await says('function handler() return os.execute("true") end'), /^LuaError: index\.lua/);
});

test('what a function publishes is published when it has come to its end, and switches a lamp', async (t) => {
	const b = await functions(t);
	await b.call('CreateThing', { thingName: 'lamp' });
	const lamp = await b.device('lamp');
	await lamp.subscribe('$aws/things/lamp/shadow/update/delta');
	await b.call('CreateFunction', lua('switch', `function handler(event)
	local before = shadow.get("lamp")
	shadow.desire("lamp", { on = not (before and before.state.desired.on) })
	if event.fail then error("no") end
	return registry.thing("lamp").thingName
end`));
	assert.equal((await b.call('Invoke', { FunctionName: 'switch', Payload: { fail: true } })).FunctionError, 'Unhandled');
	assert.equal((await b.call('Invoke', { FunctionName: 'switch' })).Payload, 'lamp');
	assert.deepEqual((await lamp.next('$aws/things/lamp/shadow/update/delta')).state, { on: true });
	await b.call('Invoke', { FunctionName: 'switch' });
	assert.deepEqual((await lamp.next('$aws/things/lamp/shadow/update/delta')).state, { on: false });
});

test('an asynchronous invocation is tried three times, then it is a dead letter, which can be sent again', async (t) => {
	const b = await functions(t, { retry: '100ms' });
	await b.call('CreateFunction', lua('f', `function handler(event, context)
	error("never " .. event.n)
end`));
	assert.deepEqual(await b.call('Invoke', { FunctionName: 'f', InvocationType: 'Event', Payload: { n: 1 } }), { StatusCode: 202 });
	const letters = await until('a dead letter', async () => {
		const { deadLetters } = await b.call('ListFunctionDeadLetters', { functionName: 'f' });
		return deadLetters.length ? deadLetters : null;
	});
	const { id, time, ...letter } = letters[0];
	assert.deepEqual(letter, { functionArn: `${ARN}f`, condition: 'RetriesExhausted', why: 'index.lua:2: never 1', attempts: 3, payload: { n: 1 } });
	await b.call('UpdateFunctionCode', { FunctionName: 'f', ZipFile: lua('f', 'function handler(event) publish("done/f", event) end').Code.ZipFile });
	await b.restart();
	const watcher = await b.device('watcher');
	await watcher.subscribe('done/f');
	assert.deepEqual(await b.call('RedriveFunctionDeadLetters', { functionName: 'f' }), { ids: [id], redriven: 1, remaining: 0 });
	assert.deepEqual(await watcher.next('done/f'), { n: 1 });
	assert.deepEqual((await b.call('ListFunctionDeadLetters', { functionName: 'f' })).deadLetters, []);
});

test('asynchronous invocations that were accepted survive kill -9', async (t) => {
	const b = await functions(t, { retry: '200ms' });
	await b.call('CreateFunction', lua('f', 'function handler(event) error("x") end'));
	for (let n = 0; n < 20; n++)
		await b.call('Invoke', { FunctionName: 'f', InvocationType: 'Event', Payload: { n } });
	await b.restart('SIGKILL');
	const numbers = await until('all of them', async () => {
		const { deadLetters } = await b.call('ListFunctionDeadLetters', { functionName: 'f', maxResults: 100 });
		return new Set(deadLetters.map((l) => l.payload.n)).size === 20 ? deadLetters : null;
	});
	assert.ok(numbers);
	assert.equal((await b.call('DeleteFunctionDeadLetters', { functionName: 'f' })).remaining, 0);
});

test('what Invoke does not take', async (t) => {
	const b = await functions(t, { concurrency: 1 });
	await b.call('CreateFunction', lua('f', 'function handler() while true do end end', { Timeout: 1 }));
	assert.match(await b.refused('Invoke', { FunctionName: 'f', InvocationType: 'Later' }), /^ValidationException 400 .*invocationType/);
	assert.deepEqual(await b.call('Invoke', { FunctionName: 'f', InvocationType: 'DryRun' }), { StatusCode: 204 });
	const answers = await Promise.all(Array.from({ length: 4 }, () => b.call('Invoke', { FunctionName: 'f' }).catch((e) => `${e.message}`)));
	const said = JSON.stringify(answers); // in the order in which they came
	assert.equal(said.match(/Task timed out after 1\.00 seconds/g).length, 1);
	assert.equal(said.match(/Rate Exceeded\./g).length, 3);
});
