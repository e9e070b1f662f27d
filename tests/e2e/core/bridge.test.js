// What a bridge brings in asks no policy: ordinary topics pass, $aws does not.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

test('a bridge brings ordinary messages in, but nothing below $aws', async (t) => {
	const far = await start(t, { plugins: [], plain: true, conf: 'allow_anonymous true' });
	const b = await start(t, { conf: ['connection far', `address 127.0.0.1:${far.plainPort}`, 'topic # in 1', 'topic $aws/# in 1', 'restart_timeout 1', 'bridge_attempt_unsubscribe false'].join('\n') });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	await s.device.subscribe(['far/#', '$aws/things/fan/#', '$aws/nothing']);
	const source = await far.plain().connect();
	await until('the bridge to pass a message', async () => {
		await source.publish('far/hello', 'x');
		return s.device.got('far/hello').length > 0;
	});
	await source.publish('$aws/nothing', 'x');
	await source.publish('$aws/things/lamp/shadow/update/delta', { state: { fake: 1 } });
	await source.publish('$aws/things/lamp/shadow/update', { state: { reported: { bridged: 1 } } });
	await source.publish('far/end', 'x');
	await s.device.nextMessage('far/end');
	assert.deepEqual([s.device.got('$aws/nothing'), s.got('update/delta'), s.got('update/accepted')], [[], [], []]);
	assert.match(await s.rejected('get'), /^404 /);
});
