// A broker whose Redis goes away: each update that cannot be stored is refused in time, nothing that was accepted is lost, and all goes on when it is back.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { create } = require('../../harness/broker');
const { redis } = require('../../harness/service_redis');
const { world, LINES, TIMEOUT } = require('../../harness/witness');

const url = (r) => `${r.url}?timeout=${TIMEOUT}`;

test('Redis is killed and started again', async (t) => {
	const r = await redis(t), w = await world(t, { url: url(r) });
	const before = await w.counted();
	await w.through({ name: 'killed', begin: () => r.kill(), end: () => r.start(), away: LINES.away, back: LINES.back,
		meanwhile: async () => assert.equal((await w.counted()).down, 1) });
	const after = await w.counted();
	assert.deepEqual([after.down, after.reconnects > before.reconnects], [0, true], JSON.stringify(after));
	await w.holds();
});

test('Redis stands still', async (t) => {
	const r = await redis(t), w = await world(t, { url: url(r) });
	const op = await w.b.operator();
	await op.subscribe('$SYS/skeeter/counters');
	const told = () => op.got('$SYS/skeeter/counters').map((m) => JSON.parse(m.payload).store);
	await w.through({ name: 'stopped', begin: () => r.pause(), end: () => r.resume(), away: LINES.away, back: LINES.back,
		meanwhile: () => until('$SYS to say that it is down', () => told().some((s) => s.down === 1)) });
	await until('$SYS to say that it is up', () => told().at(-1).down === 0);
	await w.holds();
});

test('Redis is killed five times in a row', async (t) => {
	const r = await redis(t), w = await world(t, { url: url(r) });
	for (let i = 0; i < 5; i++) {
		await r.kill();
		await r.start();
		await w.served(1);
	}
	await w.holds();
});

test('Redis is away when the broker starts: it waits for it, and says so', async (t) => {
	const r = await redis(t), b = create(t, { options: { core: { store: url(r) } } });
	await r.kill();
	const started = b.start();
	await until('it to wait', () => LINES.waits.test(b.log));
	await r.start();
	await started;
	await b.call('CreateThing', { thingName: 'lamp' });
});
