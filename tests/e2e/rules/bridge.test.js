// Rules and bridges. A file of its own: Mosquitto's own bridge dies under ThreadSanitizer, with no plugin loaded too.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { rules, republish } = require('../../harness/rules');

test('what comes over a bridge is heard, and has no client', async (t) => {
	const far = await start(t, { plugins: [], plain: true, conf: 'allow_anonymous true' });
	const r = await rules(t, { conf: ['connection far', `address 127.0.0.1:${far.plainPort}`, 'topic # in 1', 'restart_timeout 1', 'bridge_attempt_unsubscribe false'].join('\n') }), { op } = r;
	await r.make('bridged', "SELECT n, clientid() AS client, topic() AS topic FROM 'far/#'", republish('out'));
	await op.subscribe('out');
	const source = await far.plain().connect();
	await until('the bridge to pass a message', async () => {
		await source.publish('far/hello', '{}');
		return op.got('out').length > 0;
	});
	await source.publish('far/end', '{"n":7}');
	const last = await until('the last one', () => op.inbox.map((m) => JSON.parse(m.payload)).find((m) => m.n === 7));
	assert.deepEqual(last, { n: 7, client: 'n/a', topic: 'far/end' });
});

test('what goes out over a bridge may be what a rule made', async (t) => {
	const far = await start(t, { plugins: [], plain: true, conf: 'allow_anonymous true' });
	const r = await rules(t, { conf: ['connection far', `address 127.0.0.1:${far.plainPort}`, 'topic up/# out 1', 'restart_timeout 1', 'bridge_attempt_unsubscribe false'].join('\n') });
	await r.make('up', "SELECT n FROM 'in' WHERE n > 1", republish('up/n', { qos: 1 }));
	const there = await far.plain().connect();
	await there.subscribe('up/#');
	await until('the bridge to pass a message', async () => {
		await r.op.publish('in', '{"n":2,"x":1}');
		return there.got('up/n').length > 0;
	});
	assert.deepEqual(await there.next('up/n'), { n: 2 });
});
