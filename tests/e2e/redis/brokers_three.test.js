// Three brokers of one Redis, one of which is killed: timers fire once, and what it left undone is done.
'use strict';
const assert = require('node:assert/strict');
const { test, sleep, until } = require('../../harness/test');
const { brokers, counters, LATER } = require('../../harness/shared');

test('timers fire once among three brokers, also those of one that is killed', async (t) => {
	const [a, b, c] = await brokers(t, 3, { plugins: [LATER] });
	const heard = [];
	for (const broker of [b, c]) {
		const op = await broker.operator();
		await op.subscribe('later/#');
		heard.push(op);
	}
	const things = Array.from({ length: 100 }, (_, i) => `t${i}`), all = [a, b, c];
	for (const [i, thingName] of things.entries())
		await all[1 + i % 2].call('SayLater', { thingName, ms: 1500 + 20 * i });
	things.push(...Array.from({ length: 50 }, (_, i) => `killed${i}`));
	for (const thingName of things.slice(-50))
		await a.call('SayLater', { thingName, ms: 5000 });
	await a.stop('SIGKILL');
	const often = async () => {
		await sleep(200); /* each look asks much */
		const n = [];
		for (const thingName of things)
			n.push((await b.call('HowOften', { thingName })).n);
		return n;
	};
	await until('all to be said', async () => (await often()).every((n) => n >= 1), 60000);
	await sleep(4000); /* long enough for two looks at what is overdue */
	assert.deepEqual([...new Set(await often())], [1]);
	const said = heard.flatMap((op) => op.inbox.map((m) => m.topic));
	assert.equal(said.length, new Set(said).size); /* what the killed one said itself nobody heard */
	assert.ok(said.length >= 100, `${said.length}`);
});

test('what a killed broker left undone another does', async (t) => {
	const [a, b, c] = await brokers(t, 3, { plugins: [LATER] });
	const op = await Promise.all([b, c].map(async (x) => {
		const o = await x.operator();
		await o.subscribe('later/#');
		return o;
	}));
	await a.call('SayWhen', { thingName: 'lamp' });
	await until('it to be tried', async () => (await counters(a)).effects_retried > 1);
	await a.stop('SIGKILL');
	await b.call('LetThemSpeak', {});
	await until('another to do it', () => op.some((o) => o.inbox.length), 60000);
	assert.equal((await c.call('HowOften', { thingName: 'lamp' })).n, 1);
	assert.equal((await counters(b)).effects_taken_over + (await counters(c)).effects_taken_over, 1);
});
