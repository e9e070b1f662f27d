// Signatures as AWS's own clients make them: Debian's boto3 and aws, with the key of this broker, another one, a presigned and an expired URL.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('../harness/test');
const { serve } = require('../harness/http');

const EXPECTED = [
	/^create arn:aws:iot:ap-northeast-1:123456789012:thing\/lamp:1$/,
	/^shadow b'\{"state"'$/,
	/^policy a=b,c\.d@e-f\+g$/,
	/^get 1$/,
	/^tags \[\]$/,
	/^presigned \{"things":\[\{$/,
	/^late \{"things":\[\{$/,
	/^expired 403 InvalidSignatureException \{"message":"Signature expired: .* - 60 sec\.\)"\}$/,
	/^forged 403 InvalidSignatureException The request signature we calculated does not match the signature you provided\./,
	/^stranger 403 UnrecognizedClientException The security token included in the request is invalid\.$/,
	/^token 403 UnrecognizedClientException The security token included in the request is invalid\.$/,
];

function run(file, args, env = {}) {
	return new Promise((done) => {
		const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('AWS_') && !k.startsWith('PYTHON')));
		execFile(file, args, { env: { ...clean, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...env } },
			(error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
	});
}

async function broker(t) {
	const h = await serve(t, { options: { http: { auth: 'signed' } } });
	return { h, key: await h.b.call('CreateAccessKey', { policyNames: ['*'] }) };
}

test('boto3 signs what is believed, in the header and in the query', async (t) => {
	const { h, key } = await broker(t);
	const { stdout, stderr } = await run('/usr/bin/python3', [path.join(__dirname, 'signatures.py'), h.url, key.accessKeyId, key.secretAccessKey]);
	const lines = stdout.trim().split('\n');
	assert.equal(lines.length, EXPECTED.length, stdout + stderr);
	lines.forEach((line, i) => assert.match(line, EXPECTED[i]));
}, { seconds: 120 });

test('aws does, and says what is wrong when it does not', async (t) => {
	const { h, key } = await broker(t);
	const aws = (env, ...args) => run('/usr/bin/aws', ['--endpoint-url', h.url, '--region', 'eu-central-1', ...args],
		{ AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey, ...env });
	const made = await aws({}, 'iot', 'create-thing', '--thing-name', 'lamp');
	assert.equal(JSON.parse(made.stdout).thingArn, 'arn:aws:iot:eu-central-1:123456789012:thing/lamp', made.stderr);
	assert.match((await aws({ AWS_SECRET_ACCESS_KEY: 'guessed' }, 'iot', 'list-things')).stderr, /\(InvalidSignatureException\) when calling the ListThings operation/);
	assert.match((await aws({ AWS_ACCESS_KEY_ID: 'AKIAAAAAAAAAAAAAAAAA' }, 'iot', 'list-things')).stderr, /\(UnrecognizedClientException\)/);
	assert.match((await aws({}, '--no-sign-request', 'iot', 'list-things')).stderr, /\(MissingAuthenticationTokenException\).*Missing Authentication Token/);
}, { seconds: 120 });
