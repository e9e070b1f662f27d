// Every operation through Debian's boto3, held against the model that boto3 brings; what the model forbids is refused as it says; and what
// operations say when the broker is in trouble.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test } = require('../harness/test');
const { account, prepared, change, python } = require('./account');

const words = (line) => Object.fromEntries([...line.matchAll(/(\S+) (\d+)/g)].map(([, k, v]) => [k, Number(v)]));

async function good(t, script, args) {
	const r = await python(t, script, args);
	assert.deepEqual(r.bad, []);
	assert.equal(r.code, 0, r.stderr);
	return r;
}

test('each operation succeeds and fails as its model says, and so is each constraint of its inputs kept', async (t) => {
	const a = await prepared(t);
	const rows = words((await good(t, 'cases.py', [a.setup])).last);
	assert.ok(rows.operations >= 95 && rows.rows >= 300 && rows.errors >= 130, JSON.stringify(rows));
	const { checked, refused } = words((await good(t, 'model.py', [a.setup])).last);
	assert.ok(checked > 400 && refused === checked, `${refused} of ${checked}`);
}, { seconds: 200 });
