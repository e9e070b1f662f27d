// Every operation through Debian's `aws`, which gets nothing but an endpoint and a key.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../harness/test');
const { prepared, python } = require('./account');

test('aws does each operation that it knows, and says each kind of error', async (t) => {
	const a = await prepared(t);
	const { bad, code, last, stderr } = await python(t, 'aws.py', [a.setup]);
	assert.deepEqual(bad, []);
	assert.equal(code, 0, stderr);
	const [, operations, errors] = /^operations (\d+) errors (\d+)$/.exec(last).map(Number);
	assert.ok(operations >= 95 && errors >= 15, last);
}, { seconds: 400 });
