// What a bridge brings is retained like anything else, and seen.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'messages'];
const ready = (b) => b.logged(/skeeter: messages: \d+ retained messages/, b.mark);
const names = async (b) => (await b.call('ListRetainedMessages', {})).retainedTopics.map((m) => m.topic);

test('what comes over a bridge is seen', async (t) => {
	const b = await start(t, { plugins: PLUGINS, plain: true, options: { auth: { others: 'allow' } } });
	const far = await start(t, { plugins: PLUGINS, plain: true, options: { auth: { others: 'allow' } },
		conf: `connection there\naddress 127.0.0.1:${b.plainPort}\ntopic bridged/# in 1\nrestart_timeout 1` });
	await ready(far);
	const device = await b.plain().connect();
	await device.publish('bridged/1', 'x', { retain: true });
	await until('the message', async () => (await names(far)).join() === 'bridged/1');
	assert.equal((await far.call('GetRetainedMessage', { topic: 'bridged/1' })).payload, 'eA==');
	await device.publish('bridged/1', '', { retain: true });
	await until('its end', async () => (await names(far)).length === 0);
});
