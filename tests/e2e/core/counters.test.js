// What Skeeter counts, on $SYS/skeeter.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

test('calls are counted on $SYS/skeeter', async (t) => {
	const b = await start(t, { options: { core: { sys_interval: '1s' } } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	for (let i = 0; i < 5; i++)
		await s.update({ state: { reported: { i } } });
	const op = await b.operator();
	await op.subscribe('$SYS/skeeter/#');
	const { until } = require('../../harness/test');
	await until('numbers on $SYS/skeeter', () => op.inbox.filter((m) => m.topic.startsWith('$SYS/skeeter/')).length > 5, 15000);
	const numbers = Object.fromEntries(op.inbox.map((m) => [m.topic, Number(m.payload)]));
	assert.ok(Object.values(numbers).some((n) => n >= 5), JSON.stringify(numbers));
});
