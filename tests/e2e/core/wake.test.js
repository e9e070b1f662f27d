// How the workers' answers reach the broker's thread: each way must carry them, the fall-backs too.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { create } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

for (const [wake, needs] of [['auto', false], ['eventfd', false], ['ping', true], ['tick', false]])
	test(`updates are answered in order when the broker is woken by ${wake}`, async (t) => {
		const b = create(t, {});
		b.spec.options = { core: { wake, wake_socket: needs ? b.socket : undefined } };
		await b.start();
		const s = await new Shadow(await b.device('lamp'), 'lamp').listen(['update/accepted']);
		for (let i = 1; i <= 5; i++)
			assert.equal((await s.update({ state: { reported: { i } } })).version, i);
		await Promise.all(Array.from({ length: 200 }, (_, i) => s.publish('update', { state: { reported: { i } } })));
		for (let i = 6; i <= 205; i++)
			assert.equal((await s.next('update/accepted')).version, i);
		const { counters } = await b.call('DescribeCounters', {});
		assert.ok(counters.wakes > 0);
	});

test('ping without a socket to ping falls back to the tick, and says so', async (t) => {
	const b = create(t, { options: { core: { wake: 'ping' } } });
	await b.start();
	await b.call('CreateThing', { thingName: 'x' });
	await b.logged(/answers wait for the broker's tick.*plugin_opt_wake_socket/, 0);
});
