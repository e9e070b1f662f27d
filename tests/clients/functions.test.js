// Functions through Debian's unmodified `aws lambda`, and what is ours over plain HTTP: made, changed, called, asynchronously too, deleted; errors as the CLI tells them.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../harness/test');
const { sign } = require('../harness/sigv4');
const { zip } = require('../harness/zip');
const { ROLE } = require('../harness/functions');
const { account, clean } = require('./account');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'functions'];

// aws('Operation', flags...) answers {code, out, err, file}; out is JSON where there is any.
function cli(a, dir) {
	const env = clean({ AWS_ACCESS_KEY_ID: a.key.accessKeyId, AWS_SECRET_ACCESS_KEY: a.key.secretAccessKey, AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '' });
	return (operation, ...flags) => new Promise((done) => {
		const verb = operation.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase(), file = path.join(dir, 'out');
		const args = ['lambda', verb, '--endpoint-url', a.h.url, ...flags, ...['Invoke'].includes(operation) ? [file] : []];
		execFile('/usr/bin/aws', args, { env }, (error, out, err) => done({ code: error ? error.code : 0, out: out.trim() ? JSON.parse(out) : {}, err: err.trim(),
			file: fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null }));
	});
}

async function ready(t) {
	const a = await account(t, { plugins: PLUGINS, options: { functions: { retry: '100ms' } } });
	const dir = path.join(a.h.b.dir, 'cli'), at = (name) => path.join(dir, name);
	fs.mkdirSync(dir);
	const make = (name, text) => { fs.writeFileSync(at(name), zip({ 'index.lua': text })); return `fileb://${at(name)}`; };
	const aws = cli(a, dir);
	const good = async (...args) => { const r = await aws(...args); assert.equal(r.err, ''); assert.equal(r.code, 0); return r.out; };
	const bad = async (...args) => { const r = await aws(...args); assert.equal(r.code, 254); return r.err; };
	return { a, at, make, aws, good, bad };
}

const name = (n) => ['--function-name', n];

test('each operation of `aws lambda` that is here', async (t) => {
	const { make, aws, good, bad } = await ready(t);
	const echo = make('echo.zip', 'function handler(event) return event end'), two = make('two.zip', 'function handler() return 2 end');
	const create = [...name('f'), '--runtime', 'lua5.4', '--handler', 'index.handler', '--role', ROLE, '--zip-file', echo];
	const made = await good('CreateFunction', ...create, '--tags', 'team=a', '--environment', 'Variables={LEVEL=7}');
	assert.equal(made.FunctionArn, 'arn:aws:lambda:us-east-1:123456789012:function:f');
	assert.match(await bad('CreateFunction', ...create), /\(ResourceConflictException\) when calling the CreateFunction operation.*: Function already exist: f$/);
	assert.deepEqual((await good('GetFunction', ...name('f'))).Tags, { team: 'a' });
	assert.deepEqual(await good('GetFunctionConfiguration', ...name('f')), made);
	assert.deepEqual((await good('ListFunctions')).Functions, [made]);
	const changed = await good('UpdateFunctionConfiguration', ...name('f'), '--timeout', '9', '--revision-id', made.RevisionId);
	assert.equal(changed.Timeout, 9);
	assert.match(await bad('UpdateFunctionConfiguration', ...name('f'), '--timeout', '1', '--revision-id', made.RevisionId), /\(PreconditionFailedException\)/);
	assert.equal((await good('PublishVersion', ...name('f'))).Version, '1');
	const code = await good('UpdateFunctionCode', ...name('f'), '--zip-file', two, '--publish');
	assert.deepEqual([code.Version, code.Timeout], ['2', 9]);
	assert.deepEqual((await good('ListVersionsByFunction', ...name('f'))).Versions.map((v) => v.Version), ['$LATEST', '1', '2']);
	const invoked = await aws('Invoke', ...name('f:1'), '--payload', '{"a":[1,"x"]}', '--log-type', 'Tail', '--cli-binary-format', 'raw-in-base64-out');
	assert.equal(invoked.err, '');
	assert.equal(invoked.file, '{"a":[1,"x"]}');
	assert.deepEqual([invoked.out.StatusCode, invoked.out.ExecutedVersion], [200, '1']);
	assert.match(Buffer.from(invoked.out.LogResult, 'base64').toString(), /^START RequestId: .*\nEND RequestId: .*\nREPORT RequestId: /);
	assert.equal((await aws('Invoke', ...name('f'))).file, '2');
	assert.match(await bad('Invoke', ...name('f'), '--payload', '{', '--cli-binary-format', 'raw-in-base64-out'), /\(InvalidRequestContentException\).*Could not parse request body into json/);
	assert.match(await bad('Invoke', ...name('g')), /\(ResourceNotFoundException\).*Function not found: arn:aws:lambda:us-east-1:123456789012:function:g$/);
	assert.equal((await good('Invoke', ...name('f'), '--invocation-type', 'DryRun')).StatusCode, 204);
	await good('DeleteFunction', ...name('f'), '--qualifier', '1');
	assert.match(await bad('GetFunction', ...name('f'), '--qualifier', '1'), /\(ResourceNotFoundException\)/);
	await good('DeleteFunction', ...name('f'));
	assert.deepEqual((await good('ListFunctions')).Functions, []);
}, { seconds: 120 });

test('aliases, concurrency, events, tags, settings', async (t) => {
	const { make, good, bad } = await ready(t);
	const arn = 'arn:aws:lambda:us-east-1:123456789012:function:f', topic = 'arn:aws:iot:us-east-1:123456789012:topic/done';
	await good('CreateFunction', ...name('f'), '--runtime', 'lua5.4', '--handler', 'index.handler', '--role', ROLE, '--publish', '--zip-file', make('a.zip', 'function handler() end'));
	const alias = await good('CreateAlias', ...name('f'), '--name', 'live', '--function-version', '1');
	assert.equal(alias.AliasArn, `${arn}:live`);
	assert.deepEqual(await good('GetAlias', ...name('f'), '--name', 'live'), alias);
	assert.equal((await good('UpdateAlias', ...name('f'), '--name', 'live', '--description', 'x')).Description, 'x');
	assert.equal((await good('ListAliases', ...name('f'))).Aliases.length, 1);
	await good('DeleteAlias', ...name('f'), '--name', 'live');
	assert.match(await bad('GetAlias', ...name('f'), '--name', 'live'), /\(ResourceNotFoundException\)/);
	assert.deepEqual(await good('PutFunctionConcurrency', ...name('f'), '--reserved-concurrent-executions', '5'), { ReservedConcurrentExecutions: 5 });
	assert.deepEqual(await good('GetFunctionConcurrency', ...name('f')), { ReservedConcurrentExecutions: 5 });
	await good('DeleteFunctionConcurrency', ...name('f'));
	assert.equal((await good('GetAccountSettings')).AccountUsage.FunctionCount, 1);
	const config = await good('PutFunctionEventInvokeConfig', ...name('f'), '--maximum-retry-attempts', '1', '--destination-config', JSON.stringify({ OnFailure: { Destination: topic } }));
	assert.equal(config.MaximumRetryAttempts, 1);
	assert.equal((await good('UpdateFunctionEventInvokeConfig', ...name('f'), '--maximum-event-age-in-seconds', '60')).MaximumEventAgeInSeconds, 60);
	assert.equal((await good('GetFunctionEventInvokeConfig', ...name('f'))).DestinationConfig.OnFailure.Destination, topic);
	assert.equal((await good('ListFunctionEventInvokeConfigs', ...name('f'))).FunctionEventInvokeConfigs.length, 1);
	await good('DeleteFunctionEventInvokeConfig', ...name('f'));
	await good('TagResource', '--resource', arn, '--tags', 'a=1,b=2');
	await good('UntagResource', '--resource', arn, '--tag-keys', 'a');
	assert.deepEqual(await good('ListTags', '--resource', arn), { Tags: { b: '2' } });
}, { seconds: 120 });

test('asynchronous invocations: InvokeAsync, Event, dead letters', async (t) => {
	const { a, at, make, good } = await ready(t);
	const broken = make('broken.zip', 'function handler(event) error("no " .. event.n) end');
	await good('CreateFunction', ...name('f'), '--runtime', 'lua5.4', '--handler', 'index.handler', '--role', ROLE, '--zip-file', broken);
	fs.writeFileSync(at('args'), '{"n":1}');
	assert.deepEqual(await good('InvokeAsync', ...name('f'), '--invoke-args', at('args')), { Status: 202 });
	assert.equal((await good('Invoke', ...name('f'), '--invocation-type', 'Event', '--payload', '{"n":2}', '--cli-binary-format', 'raw-in-base64-out')).StatusCode, 202);
	const ask = (method, at, body) => a.h.ask(method, at, body, sign(a.key, { method, path: at, body, service: 'skeeter', host: `127.0.0.1:${a.h.port}` }));
	for (const operation of ['ListFunctionDeadLetters', 'RedriveFunctionDeadLetters', 'DeleteFunctionDeadLetters'])
		assert.ok(a.operations.some((o) => o.name === operation && o.route === '/functions/{functionName:LambdaBareName}/dead-letters'));
	const letters = async () => (await ask('GET', '/functions/f/dead-letters')).json.deadLetters;
	const two = await until('both to fail three times', async () => { const l = await letters(); return l.length === 2 && l; });
	assert.deepEqual(two.map((l) => l.why).sort(), ['index.lua:1: no 1', 'index.lua:1: no 2']);
	assert.equal((await ask('POST', '/functions/f/dead-letters', '{"maxResults":1}')).json.redriven, 1);
	await until('it to fail again', async () => (await letters()).length === 2);
	assert.deepEqual((await ask('DELETE', '/functions/f/dead-letters')).json.remaining, 0);
}, { seconds: 120 });
