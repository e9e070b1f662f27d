// Between the broker and its Redis is a network that is slow, cut, silent, or that swallows an answer.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { proxy } = require('../../harness/proxy');
const { redis } = require('../../harness/service_redis');
const { world, COMMIT, LINES, TIMEOUT } = require('../../harness/witness');


async function behind(t, more = {}) {
	const r = await redis(t), p = await proxy(t, () => r.port);
	const w = await world(t, { url: `redis://127.0.0.1:${p.port}?timeout=${TIMEOUT}`, ...more });
	return { r, p, w };
}

test('a slow network: everything is served, only later', async (t) => {
	const { p, w } = await behind(t);
	p.latency = 100;
	await w.served(4);
	p.latency = 0;
	p.rate = 20000;
	await w.served(4);
	p.rate = Infinity;
	await w.served(4);
	assert.equal((await w.counted()).down, 0);
	await w.holds();
});

test('a network that is too slow for the time limit', async (t) => {
	const { p, w } = await behind(t);
	await w.through({ name: 'too slow', begin: () => { p.latency = TIMEOUT; }, end: () => { p.latency = 0; }, away: LINES.away, back: LINES.back });
	await w.holds();
});

test('connections are cut again and again: what was sent is asked for again', async (t) => {
	const { p, w } = await behind(t);
	const before = await w.counted();
	for (let i = 0; i < 10; i++) {
		p.cut();
		await w.served(1);
	}
	const after = await w.counted();
	assert.ok(after.reconnects > before.reconnects, JSON.stringify(after));
	await w.holds();
});

test('nobody listens', async (t) => {
	const { p, w } = await behind(t);
	await w.through({ name: 'refused connections', begin: () => p.refuse(), end: () => p.open(), away: LINES.away, back: LINES.back });
	await w.holds();
});

test('connections stay open and say nothing', async (t) => {
	const { p, w } = await behind(t);
	await w.through({ name: 'half-open', begin: () => p.silence(), end: () => p.speak(), away: LINES.away, back: LINES.back });
	await w.holds();
});

test('a connection is lost after a commit was carried out: it counts once, and is accepted', async (t) => {
	const { p, w } = await behind(t);
	for (let i = 0; i < 8; i++) {
		await p.meet(COMMIT, 'lose');
		await w.served(1);
	}
	const { resent, unknown, conflicts } = await w.counted();
	assert.ok(resent >= 8, `${resent} were sent again`);
	assert.deepEqual(w.witnesses.map((x) => x.count(503)), w.witnesses.map(() => 0), `${unknown} unknown, ${conflicts} conflicts`);
	await w.holds({ unknown: 0 });
});

test('an answer that never comes: it is refused as unknown, and counted', async (t) => {
	const { p, w } = await behind(t);
	const from = new Map([[w.b, w.b.log.length]]), refused = w.refused(1, w.witnesses.slice(0, 1)), other = w.refused(1, w.witnesses.slice(1));
	p.meet(COMMIT, 'hold').then(() => p.silence());
	await Promise.race([refused, other]);
	await w.logged(LINES.away, from);
	assert.ok((await w.counted()).unknown > 0);
	p.speak();
	await Promise.all([w.served(2), w.logged(LINES.back, from)]);
	refused.catch(() => {});
	other.catch(() => {});
	await w.holds();
});
