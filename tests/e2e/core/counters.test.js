// What Skeeter counts, on $SYS/skeeter.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

test('calls are counted on $SYS/skeeter', async (t) => {
	const b = await start(t, { options: { core: { sys_interval: '1s' } } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	for (let i = 0; i < 5; i++)
		await s.update({ state: { reported: { i } } });
	const op = await b.operator();
	await op.subscribe('$SYS/skeeter/#');
	const number = (name) => Math.max(0, ...op.got(`$SYS/skeeter/${name}`).map((m) => Number(m.payload)));
	await until(() => `counters on $SYS/skeeter: ${JSON.stringify(op.inbox.map((m) => [m.topic, String(m.payload)]))}`,
		() => number('calls') >= 5 && number('commits') >= 5 && number('publishes') >= 10 && number('store/commits') >= 5);
	assert.equal(number('commit_failures'), 0);
});
