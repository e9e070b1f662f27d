// Every rejection of a shadow request, word for word, with nothing stored by it.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

async function lamp(t, options) {
	const b = await start(t, { options, conf: 'max_packet_size 4000000' });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	s.broker = b;
	return s;
}

const nested = (levels) => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels));
const reported = (value) => ({ state: { reported: value } });

const WORDS = [
	['{', '400 Invalid JSON'],
	['', '400 Invalid JSON'],
	['{"state":{}} trailing', '400 Invalid JSON'],
	['{"state":{"reported":{"a":01}}}', '400 Invalid JSON'],
	['{"state":{"reported":{"a":"\\u0000"}}}', '400 Invalid JSON'],
	['{"state":{"reported":{"a":NaN}}}', '400 Invalid JSON'],
	['[]', '400 Missing required node: state'],
	['{}', '400 Missing required node: state'],
	['{"state":7}', '400 State node must be an object'],
	['{"state":[]}', '400 State node must be an object'],
	['{"state":{"desired":7}}', '400 Desired node must be an object'],
	['{"state":{"reported":"x"}}', '400 Reported node must be an object'],
	['{"state":{"other":{}}}', '400 State contains an invalid node'],
	['{"state":{"reported":{}},"version":"1"}', '400 Invalid version'],
	['{"state":{"reported":{}},"clientToken":7}', '400 Invalid clientToken'],
];

test.smoke('a malformed update gets the words that AWS has for it', async (t) => {
	const s = await lamp(t);
	for (const [payload, words] of WORDS)
		assert.equal(await s.rejected('update', payload), words, payload);
	assert.match(await s.rejected('get'), /^404 /);
});

test('a rejection carries code, message, timestamp and the token of its request', async (t) => {
	const s = await lamp(t);
	await s.publish('update', { state: 7, clientToken: 'tok' });
	const answer = await s.next('update/rejected');
	assert.deepEqual({ ...answer, timestamp: 0 }, { code: 400, message: 'State node must be an object', timestamp: 0, clientToken: 'tok' });
	assert.ok(Math.abs(answer.timestamp - Date.now() / 1000) < 60);
});

test('invalid UTF-8 is answered with 415', async (t) => {
	const s = await lamp(t);
	const bad = Buffer.concat([Buffer.from('{"state":{"reported":{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}}}')]);
	assert.equal(await s.rejected('update', bad), '415 Unsupported documented encoding; supported encoding is UTF-8');
});

test('nesting has a limit of 16, with limits aws of 6', async (t) => {
	const s = await lamp(t);
	await s.update(reported(nested(16)));
	assert.match(await s.rejected('update', reported(nested(17))), /^400 JSON contains too many levels of nesting; maximum is 16$/);
	const strict = await lamp(t, { shadow: { limits: 'aws' } });
	await strict.update(reported(nested(6)));
	assert.equal(await strict.rejected('update', reported(nested(7))), '400 JSON contains too many levels of nesting; maximum is 6');
});

test('a megabyte of nesting is refused and the broker lives on', async (t) => {
	const s = await lamp(t);
	for (const open of ['[', '{"a":']) {
		const payload = open.repeat(Math.floor(1000000 / open.length));
		assert.match(await s.rejected('update', payload), /^(400|413) /);
	}
	assert.match(await s.rejected('update', '['.repeat(60000)), /^400 /);
	await s.update(reported({ still: 'here' }));
});

test('a document has a size limit of 64 KiB, with limits aws of 8 KiB', async (t) => {
	const s = await lamp(t);
	await s.update(reported({ text: 'x'.repeat(60000) }));
	assert.equal(await s.rejected('update', reported({ more: 'y'.repeat(10000) })), '413 The payload exceeds the maximum size allowed');
	assert.equal(await s.rejected('update', reported({ text: 'x'.repeat(2000000) })), '413 The payload exceeds the maximum size allowed');
	const strict = await lamp(t, { shadow: { limits: 'aws' } });
	await strict.update(reported({ text: 'x'.repeat(8000) }));
	assert.equal(await strict.rejected('update', reported({ text: 'x'.repeat(8200) })), '413 The payload exceeds the maximum size allowed');
});

test('a shadow that is not there is not found by get and delete', async (t) => {
	const s = await lamp(t);
	assert.equal(await s.rejected('get'), "404 No shadow exists with name: 'lamp'");
	assert.equal(await s.rejected('delete'), "404 No shadow exists with name: 'lamp'");
	const named = await new Shadow(s.device, 'lamp', 'night').listen();
	assert.equal(await named.rejected('get'), "404 No shadow exists with name: 'lamp~night'");
});

test('names out of shape and empty levels are no shadow topics', async (t) => {
	const s = await lamp(t);
	for (const topic of ['$aws/things//shadow/update', '$aws/things/lamp/shadow/name//update', '$aws/things/lamp/shadow/update/', '$aws/things/lamp/shadow/name/x']) {
		const d = await s.broker.tls('lamp', { clientId: 'odd' }).connect();
		await d.publish(topic, reported({ a: 1 })).catch((e) => assert.equal(e.code, 'closed', topic));
	}
	const long = new Shadow(s.device, 'lamp', 'n'.repeat(65));
	await long.listen();
	assert.match(await long.rejected('update', reported({ a: 1 })), /^400 /);
	await s.get().then(() => assert.fail('stored'), (e) => assert.match(String(e), /404/));
});
