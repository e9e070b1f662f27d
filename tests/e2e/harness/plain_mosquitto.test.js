// The harness itself: a broker without our plugins passes messages over TLS, and its death is noticed.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start, create } = require('../../harness/broker');

test.smoke('a message goes through a bare broker over mutual TLS', async (t) => {
	const b = await start(t, { plugins: [], conf: 'allow_anonymous true' });
	const one = await b.tls('one', { version: 5 }).connect();
	assert.deepEqual(await one.subscribe(['a/b', 'c']), [1, 1]);
	await one.publish('a/b', { x: 1 });
	assert.deepEqual(await one.next('a/b'), { x: 1 });
	await b.stop();
	await one.closed();
});

test('a client with a certificate of an unknown authority does not get in', async (t) => {
	const b = await start(t, { plugins: [], conf: 'allow_anonymous true' });
	const { certificate } = require('../../harness/pki');
	const stranger = b.tls('stranger', { certificate: certificate('stranger', 'other-ca') });
	assert.match(String(await stranger.refusedConnect()), /ERR_SSL|ECONNRESET|EPIPE|closed/);
});

test('a broker that cannot start says so', async (t) => {
	const b = create(t, { plugins: ['/nonexistent/plugin.so'] });
	assert.notEqual(await b.refuses(), 0);
	assert.match(b.log, /nonexistent/);
});
