// wake.test.js -- a broker whose loop cannot be woken falls back to its tick, says so, and is woken again when it can be.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../harness/test');
const { probed, cleanup } = require('../bench/stage');

test('a broker that cannot be woken falls back to its tick, and comes back when it can', async (t) => {
	t.after(cleanup);
	const b = await probed('skeeter', { core: ['log_type warning', 'log_type notice'] });
	const asked = async (says) => {
		for (let i = 0; i < 200 && !says.test(b.log); i++)
			await b.call('DescribeCounters', {});
		assert.match(b.log, says);
	};
	await b.call('DescribeCounters', {});
	b.probe.set('deaf', 1);
	await asked(/answers wait for the broker's tick/);
	b.probe.set('deaf', 0);
	await asked(/is tried again/);
	// A machine that is busy may make it fall back once more, for longer: it comes back all the same.
	await until('it to be woken', async () => {
		const fallen = b.log.length, before = (await b.counters()).counters.wakes_slow;
		for (let i = 0; i < 50; i++)
			await b.call('DescribeCounters', {});
		return (await b.counters()).counters.wakes_slow - before < 25 && !/answers wait/.test(b.log.slice(fallen));
	}, 60000);
}, { seconds: 100 });
