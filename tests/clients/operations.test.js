// Every operation of `iot` through Debian's boto3, held against the model that boto3 brings; and what the model forbids is refused as it says.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../harness/test');
const { serve } = require('../harness/http');
const pki = require('../harness/pki');

function python(t, script, args) {
	const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('AWS_') && !k.startsWith('PYTHON')));
	return new Promise((done) => execFile('/usr/bin/python3', ['-B', path.join(__dirname, script), ...args],
		{ env: { ...clean, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
			t.onFail(() => stdout + stderr);
			done({ code: error ? error.code : 0, lines: stdout.trim().split('\n'), stderr });
		}));
}

async function broker(t) {
	const ca = pki.authority();
	const h = await serve(t, { options: { http: { auth: 'signed' }, auth: { ca_cert: ca.crt, ca_key: ca.key } } });
	const key = await h.b.call('CreateAccessKey', { policyNames: ['*'] });
	const { operations } = await h.b.call('ListOperations', {});
	const folder = path.join(h.b.dir, 'client');
	fs.mkdirSync(folder);
	return { h, folder, key: [h.url, key.accessKeyId, key.secretAccessKey], names: operations.filter((o) => o.service === 'iot').map((o) => o.name) };
}

test('each operation of iot succeeds and fails as its model says', async (t) => {
	const { key, folder, names } = await broker(t);
	const { code, lines, stderr } = await python(t, 'operations.py', [...key, folder, ...names]);
	assert.deepEqual(lines.filter((l) => l.startsWith('BAD')), []);
	assert.equal(code, 0, stderr);
	const marked = [...fs.readFileSync(path.join(__dirname, '../../docs/API.md'), 'utf8').matchAll(/^### (\w+)\n\n[^\n]*\n\nNewer than Debian 12/gm)].map((m) => m[1]);
	assert.deepEqual(lines.at(-2).split(' ').slice(1), marked.sort());
	const [, operations, errors] = /^operations (\d+) errors (\d+)$/.exec(lines.at(-1)).map(Number);
	assert.ok(operations >= 75 && errors >= 90, lines.at(-1));
}, { seconds: 180 });

test('each constraint of each input that the model has is kept, in AWS\'s words', async (t) => {
	const { key, names } = await broker(t);
	const { code, lines, stderr } = await python(t, 'model.py', [...key, ...names]);
	assert.deepEqual(lines.filter((l) => l.startsWith('BAD')), []);
	assert.equal(code, 0, stderr);
	const [, checked, refused] = /^checked (\d+) refused (\d+)$/.exec(lines.at(-1)).map(Number);
	assert.ok(checked > 300 && refused === checked, lines.at(-1));
}, { seconds: 180 });
