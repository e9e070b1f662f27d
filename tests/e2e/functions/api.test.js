// Functions over $CONTROL: made, changed, published, listed, deleted; and Lambda's errors, word for word.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('../../harness/test');
const { functions, lua, code, ROLE } = require('../../harness/functions');
const { zip } = require('../../harness/zip');

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:';
const ECHO = 'function handler(event) return event end';

test.smoke('CreateFunction answers the configuration with Lambda\'s defaults, and GetFunction shows it', async (t) => {
	const b = await functions(t);
	const request = lua('echo', ECHO, { Tags: { team: 'a' }, Environment: { Variables: { LEVEL: '7' } } });
	const made = await b.call('CreateFunction', request);
	const sha = crypto.createHash('sha256').update(Buffer.from(request.Code.ZipFile, 'base64')).digest('base64');
	assert.match(made.LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
	assert.match(made.RevisionId, /^[0-9a-f]{8}-/);
	const { LastModified, RevisionId, ...rest } = made;
	assert.deepEqual(rest, {
		FunctionName: 'echo', FunctionArn: `${ARN}echo`, Runtime: 'lua5.4', Role: ROLE, Handler: 'index.handler', Description: '', Timeout: 3, MemorySize: 128,
		PackageType: 'Zip', Environment: { Variables: { LEVEL: '7' } }, TracingConfig: { Mode: 'PassThrough' }, Architectures: ['x86_64'],
		EphemeralStorage: { Size: 512 }, State: 'Active', LastUpdateStatus: 'Successful', CodeSha256: sha,
		CodeSize: Buffer.from(request.Code.ZipFile, 'base64').length, Version: '$LATEST',
	});
	const got = await b.call('GetFunction', { FunctionName: `${ARN}echo` });
	assert.deepEqual(got, { Configuration: made, Code: { RepositoryType: 'S3' }, Tags: { team: 'a' } });
	assert.deepEqual(await b.call('GetFunctionConfiguration', { FunctionName: '123456789012:function:echo:$LATEST' }), { ...made, FunctionArn: `${ARN}echo:$LATEST` });
	await b.restart();
	assert.deepEqual(await b.call('GetFunctionConfiguration', { FunctionName: 'echo' }), made);
});

test('what CreateFunction does not take', async (t) => {
	const b = await functions(t, { code_size: '4K', code_total: '5K' });
	const refused = (more) => b.refused('CreateFunction', lua('f', ECHO, more));
	const zipped = (bytes) => ({ Code: { ZipFile: bytes.toString('base64') } });
	const noise = crypto.randomBytes(3000);
	assert.match(await refused({ FunctionName: 'a b' }), /^ValidationException 400 1 validation error detected: Value 'a b' at 'functionName'/);
	assert.equal(await refused({ FunctionName: 'f:1' }), 'InvalidParameterValueException 400 f:1 is not a name that a function may have');
	assert.match(await refused({ Runtime: 'cobol85' }), /^InvalidParameterValueException 400 The runtime parameter of cobol85 is not supported here/);
	assert.match(await refused({ Runtime: undefined }), /^InvalidParameterValueException 400 Runtime and Handler are mandatory parameters/);
	assert.match(await refused({ PackageType: 'Image' }), /^InvalidParameterValueException 400 Functions are not run in containers here/);
	assert.match(await refused({ Role: 'x' }), /^ValidationException 400 .*'role'/);
	assert.match(await refused({ Timeout: 901 }), /^ValidationException 400 .*'timeout'.*less than or equal to 900/);
	assert.match(await refused({ MemorySize: 127 }), /^ValidationException 400 .*'memorySize'/);
	assert.match(await refused({ Environment: { Variables: { AWS_REGION: 'x', _HANDLER: 'y' } } }), /^ValidationException 400 /);
	assert.match(await refused({ Environment: { Variables: { AWS_REGION: 'x', LAMBDA_TASK_ROOT: 'y' } } }),
		/^InvalidParameterValueException 400 .*reserved keys .*Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT$/);
	assert.match(await refused({ Environment: { Variables: { LONG: 'x'.repeat(4096) } } }), /^InvalidParameterValueException 400 .*exceeded the 4KB limit/);
	assert.match(await refused({ Layers: [`${ARN}x`] }), /^InvalidParameterValueException 400 There are no layers here/);
	assert.match(await refused({ CodeSigningConfigArn: 'x' }), /^CodeSigningConfigNotFoundException 404 /);
	assert.match(await refused({ Code: { S3Bucket: 'b', S3Key: 'k' } }), /^InvalidParameterValueException 400 There is no S3 here/);
	assert.equal(await refused({ Code: {} }), 'InvalidParameterValueException 400 Please provide a source for function code.');
	for (const bytes of [Buffer.from('no zip'), Buffer.alloc(0), zip({}), zip({ a: 'b' }, { flags: 1 }), zip({ a: 'b' }).subarray(1)])
		assert.equal(await refused(zipped(bytes)), 'InvalidParameterValueException 400 Could not unzip uploaded file. Please check your file, then try to upload again.');
	assert.equal(await refused({ Code: { ZipFile: '***' } }),
		'InvalidParameterValueException 400 Could not unzip uploaded file. Please check your file, then try to upload again.');
	assert.match(await refused(zipped(zip({ a: crypto.randomBytes(5000) }))), /^RequestTooLargeException 413 The package is larger than the 4096 bytes of plugin_opt_code_size/);
	await b.call('CreateFunction', lua('one', ECHO, zipped(zip({ a: noise }))));
	assert.equal(await refused(zipped(zip({ b: noise }))), 'CodeStorageExceededException 400 Code storage limit exceeded.');
	await b.call('CreateFunction', lua('two', ECHO, zipped(zip({ a: noise })))); // the same code is stored once
	assert.equal(await b.refused('CreateFunction', lua('one', ECHO)), 'ResourceConflictException 409 Function already exist: one');
	await b.call('DeleteFunction', { FunctionName: 'one' });
	assert.equal(await refused(zipped(zip({ b: noise }))), 'CodeStorageExceededException 400 Code storage limit exceeded.');
	await b.call('DeleteFunction', { FunctionName: 'two' });
	await b.call('CreateFunction', lua('f', ECHO, zipped(zip({ b: noise }))));
});

test('functions that are not there', async (t) => {
	const b = await functions(t);
	const nobody = `ResourceNotFoundException 404 Function not found: ${ARN}nobody`;
	for (const command of ['GetFunction', 'GetFunctionConfiguration', 'DeleteFunction', 'PublishVersion', 'UpdateFunctionConfiguration', 'ListVersionsByFunction', 'Invoke', 'InvokeAsync'])
		assert.equal(await b.refused(command, { FunctionName: 'nobody', InvokeArgs: {} }), nobody);
	assert.equal(await b.refused('UpdateFunctionCode', { FunctionName: 'nobody', ZipFile: code(ECHO) }), nobody);
	assert.equal(await b.refused('GetFunction', { FunctionName: 'nobody', Qualifier: '7' }), `${nobody}:7`);
	await b.call('CreateFunction', lua('f', ECHO));
	assert.equal(await b.refused('GetFunction', { FunctionName: 'arn:aws:lambda:us-east-1:999999999999:function:f' }), `ResourceNotFoundException 404 Function not found: ${ARN}f`);
	assert.match(await b.refused('GetFunction', { FunctionName: 'f:1', Qualifier: '2' }), /^InvalidParameterValueException 400 The derived qualifier/);
});

test('versions are published once for each change, do not change any more, and are deleted one by one', async (t) => {
	const b = await functions(t);
	const first = await b.call('CreateFunction', lua('f', 'function handler() return 1 end', { Publish: true }));
	assert.equal(first.Version, '1');
	assert.equal(first.FunctionArn, `${ARN}f:1`);
	assert.equal((await b.call('PublishVersion', { FunctionName: 'f' })).Version, '1');
	assert.match(await b.refused('PublishVersion', { FunctionName: 'f', CodeSha256: 'x' }), /^InvalidParameterValueException 400 CodeSHA256 \(x\) is different/);
	assert.match(await b.refused('UpdateFunctionCode', { FunctionName: 'f', ZipFile: code(ECHO), RevisionId: 'x' }), /^PreconditionFailedException 412 The RevisionId provided/);
	const dry = await b.call('UpdateFunctionCode', { FunctionName: 'f', ZipFile: code(ECHO), DryRun: true });
	const now = await b.call('GetFunctionConfiguration', { FunctionName: 'f' });
	assert.notEqual(dry.CodeSha256, now.CodeSha256);
	const second = await b.call('UpdateFunctionCode', { FunctionName: 'f', ZipFile: code('function handler() return 2 end'), Publish: true, RevisionId: now.RevisionId });
	assert.equal(second.Version, '2');
	await b.call('UpdateFunctionConfiguration', { FunctionName: 'f', Timeout: 9, Description: 'slow' });
	const third = await b.call('PublishVersion', { FunctionName: 'f', Description: 'third' });
	assert.deepEqual([third.Version, third.Description, third.Timeout], ['3', 'third', 9]);
	const { Versions } = await b.call('ListVersionsByFunction', { FunctionName: 'f' });
	assert.deepEqual(Versions.map((v) => [v.Version, v.FunctionArn, v.Timeout]), [
		['$LATEST', `${ARN}f:$LATEST`, 9], ['1', `${ARN}f:1`, 3], ['2', `${ARN}f:2`, 3], ['3', `${ARN}f:3`, 9]]);
	for (const [qualifier, answer] of [['1', 1], ['2', 2], ['3', 2], ['$LATEST', 2]])
		assert.deepEqual(await b.call('Invoke', { FunctionName: 'f', Qualifier: qualifier }), { StatusCode: 200, ExecutedVersion: qualifier, Payload: answer });
	await b.call('DeleteFunction', { FunctionName: 'f', Qualifier: '1' });
	assert.equal(await b.refused('GetFunction', { FunctionName: 'f:1' }), `ResourceNotFoundException 404 Function not found: ${ARN}f:1`);
	assert.match(await b.refused('DeleteFunction', { FunctionName: 'f:$LATEST' }), /^InvalidParameterValueException 400 \$LATEST version cannot be deleted/);
	assert.match(await b.refused('UpdateFunctionConfiguration', { FunctionName: 'f:2', Timeout: 1 }), /^InvalidParameterValueException 400 This operation is permitted on Lambda functions only/);
	await b.call('DeleteFunction', { FunctionName: 'f' });
	assert.deepEqual((await b.call('ListFunctions', { FunctionVersion: 'ALL' })).Functions, []);
});

test('ListFunctions comes in pages', async (t) => {
	const b = await functions(t);
	for (let i = 0; i < 7; i++)
		await b.call('CreateFunction', lua(`f${i}`, ECHO));
	const seen = [];
	let marker;
	do {
		const page = await b.call('ListFunctions', { MaxItems: 3, Marker: marker });
		assert.ok(page.Functions.length <= 3);
		seen.push(...page.Functions.map((f) => f.FunctionName));
		marker = page.NextMarker;
	} while (marker);
	assert.deepEqual(seen, ['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
});
