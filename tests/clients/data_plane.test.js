// iot-data as Debian's own clients speak it: boto3 and aws, all seven operations with success and with errors of their model.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../harness/test');
const { serve } = require('../harness/http');

function run(file, args, env = {}) {
	return new Promise((done) => {
		const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('AWS_') && !k.startsWith('PYTHON')));
		execFile(file, args, { env: { ...clean, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...env }, maxBuffer: 1 << 24 },
			(error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
	});
}

async function broker(t) {
	const h = await serve(t, { plugins: ['core', 'registry', 'auth', 'shadow', 'messages'], options: { http: { auth: 'signed' } } });
	await h.b.logged(/skeeter: messages: \d+ retained messages/, h.b.mark);
	await h.b.call('CreateThing', { thingName: 'lamp' });
	return { h, key: await h.b.call('CreateAccessKey', { policyNames: ['*'] }) };
}

// Debian's model of GetRetainedMessage is older than this member.
const users = async (h, topic) => JSON.parse(Buffer.from((await h.b.call('GetRetainedMessage', { topic })).userProperties, 'base64'));

test('boto3 does all of the data plane, and gets its own exceptions', async (t) => {
	const { h, key } = await broker(t);
	const listener = await h.b.device('listener', undefined, { version: 5 });
	await listener.subscribe(['a/#', 'plain']);
	const { stdout, stderr } = await run('/usr/bin/python3', [path.join(__dirname, 'data_plane.py'), h.url, key.accessKeyId, key.secretAccessKey]);
	const said = Object.fromEntries(stdout.trim().split('\n').map((line) => JSON.parse(line)));
	assert.ok(said['one page'], stdout + stderr);
	const error = (status, name) => `${status} ${name} ${name}`;
	for (const [name, expected] of Object.entries({
		nothing: error(404, 'ResourceNotFoundException'), conflict: error(409, 'ConflictException'), 'not json': error(400, 'InvalidRequestException'),
		'not utf-8': error(415, 'UnsupportedDocumentEncodingException'), large: error(413, 'RequestEntityTooLargeException'),
		'names of nobody': error(404, 'ResourceNotFoundException'), 'page too large': error(400, 'InvalidRequestException'),
		'bad name': error(400, 'InvalidRequestException'), deleted: error(404, 'ResourceNotFoundException'), wildcard: error(400, 'InvalidRequestException'),
		reserved: error(400, 'InvalidRequestException'), 'not retained': error(404, 'ResourceNotFoundException'), 'bad token': error(400, 'InvalidRequestException'),
	}))
		assert.equal(said[name], expected, name);
	assert.match(said['large message'], /^413 RequestEntityTooLargeException /);
	assert.equal(JSON.parse(said.update.payload).version, 1);
	assert.deepEqual(JSON.parse(said.get.payload).state.desired, { on: true });
	assert.deepEqual(said.names.results, ['$night']);
	assert.equal(JSON.parse(said.delete.payload).version, 1);
	assert.deepEqual([said.publish, said.empty], [{}, {}]);
	const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
	const { payload, packet } = await listener.nextMessage('a/b c/ü');
	assert.deepEqual(payload, all);
	assert.deepEqual([packet.qos, { ...packet.properties.userProperties }, packet.properties.contentType], [1, { a: ['1', '2'] }, 'text/plain']);
	assert.deepEqual({ ...(await listener.nextMessage('a/list')).packet.properties.userProperties }, { b: '3' });
	assert.equal((await listener.nextMessage('plain')).payload.length, 0);
	assert.deepEqual([said.retained.payload, said.retained.qos], [all.toString('latin1'), 1]);
	assert.deepEqual(await users(h, 'a/b c/ü'), [{ a: '1' }, { a: '2' }]);
	assert.deepEqual(said.pages, ['a/b c/ü', ...Array.from({ length: 7 }, (_, i) => `r/${i}`)]);
	assert.equal(said['one page'].retainedTopics.length, 2);
	assert.ok(said['one page'].nextToken && said['one page'].retainedTopics[0].payloadSize === 256);
}, { seconds: 120 });

test('aws iot-data does too', async (t) => {
	const { h, key } = await broker(t);
	const at = (name) => path.join(h.b.dir, name);
	const aws = async (...args) => {
		const r = await run('/usr/bin/aws', ['--endpoint-url', h.url, '--region', 'us-east-1', '--cli-binary-format', 'raw-in-base64-out', 'iot-data', ...args],
			{ AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey });
		assert.equal(r.code, 0, r.stderr);
		return r.stdout ? JSON.parse(r.stdout) : null;
	};
	const file = (name) => JSON.parse(fs.readFileSync(at(name)));
	await aws('update-thing-shadow', '--thing-name', 'lamp', '--payload', '{"state":{"desired":{"on":true}}}', at('updated'));
	assert.equal(file('updated').version, 1);
	await aws('get-thing-shadow', '--thing-name', 'lamp', at('got'));
	assert.deepEqual(file('got').state.desired, { on: true });
	await aws('update-thing-shadow', '--thing-name', 'lamp', '--shadow-name', 'night', '--payload', '{"state":{}}', at('named'));
	assert.deepEqual((await aws('list-named-shadows-for-thing', '--thing-name', 'lamp')).results, ['night']);
	await aws('delete-thing-shadow', '--thing-name', 'lamp', '--shadow-name', 'night', at('deleted'));
	await aws('publish', '--topic', 'a/b', '--qos', '1', '--retain', '--payload', 'hello', '--user-properties', '[{"a":"1"}]');
	assert.equal(Buffer.from((await aws('get-retained-message', '--topic', 'a/b')).payload, 'base64').toString(), 'hello');
	assert.deepEqual(await users(h, 'a/b'), [{ a: '1' }]);
	assert.deepEqual((await aws('list-retained-messages')).retainedTopics.map((m) => m.topic), ['a/b']);
}, { seconds: 120 });
