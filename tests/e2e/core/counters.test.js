// What Skeeter says about itself: the tables, the counters and who is connected.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, ALL } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

test('counters go to $SYS/skeeter, each on its own and all in one document', async (t) => {
	const b = await start(t, { options: { core: { sys_interval: '1s' } } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	for (let i = 0; i < 5; i++)
		await s.update({ state: { reported: { i } } });
	const op = await b.operator();
	await op.subscribe('$SYS/skeeter/#');
	const number = (name) => Math.max(0, ...op.got(`$SYS/skeeter/${name}`).map((m) => Number(m.payload)));
	await until(() => `numbers that grew: ${number('calls')} calls`, () => number('calls') >= 5 && number('commits') >= 5 && number('publishes') >= 10);
	assert.equal(number('commit_failures'), 0);
	await until('a document with the same number', () =>
		op.got('$SYS/skeeter/counters').some((m) => JSON.parse(m.payload).counters.calls === number('calls')));
});

test('DescribeCounters tells the calls of each row with their latency, the queues and the store', async (t) => {
	const b = await start(t);
	for (let i = 0; i < 4; i++)
		await b.call('CreateThing', { thingName: `t${i}` });
	await b.refused('DescribeThing', { thingName: 'ghost' });
	const { counters, rows, queues, store } = await b.call('DescribeCounters', {});
	assert.ok(counters.calls >= 5 && counters.errors >= 1 && counters.commits >= 4, JSON.stringify(counters));
	const create = rows.find((r) => r.name === 'CreateThing'), describe = rows.find((r) => r.name === 'DescribeThing');
	assert.deepEqual([create.calls, create.errors, describe.calls, describe.errors], [4, 0, 1, 1]);
	assert.ok(Array.isArray(create.latency) && create.microseconds > 0);
	assert.ok(queues.workers >= 1);
	assert.ok(store.commits >= 4, JSON.stringify(store));
});

test('ListOperations names every operation of the loaded plugins, and no other', async (t) => {
	const root = path.resolve(__dirname, '../../..'), others = fs.readdirSync(path.join(root, 'plugins')).filter((name) => !ALL.includes(name));
	// No Redis is there, and none is needed to say what a plugin's operations are.
	const b = await start(t, { plugins: [...ALL, ...others], options: { cluster: { redis: 'redis://127.0.0.1:1' } } });
	const rows = execFileSync('sh', ['-c', 'sed -n "s/^OP(\\([A-Za-z0-9]*\\),.*/\\1/p" plugins/*/*.ops'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
	const { operations } = await b.call('ListOperations', {});
	assert.deepEqual(operations.map((o) => o.name).sort(), rows.sort());
	const without = await start(t, { plugins: ['core', 'registry'] });
	const names = (await without.call('ListOperations', {})).operations.map((o) => o.name);
	assert.equal(names.includes('CreateThing') && !names.includes('CreatePolicy'), true);
});

test('ListClients tells who is connected and who is away', async (t) => {
	const b = await start(t);
	const lamp = await b.device('lamp'), away = await b.device('away', undefined, { clean: false });
	await away.end();
	const clients = async () => Object.fromEntries((await b.call('ListClients', {})).clients.map((c) => [c.clientId, c]));
	await until('the one to be away', async () => !(await clients()).away.connected);
	const now = await clients();
	assert.deepEqual([now.lamp.connected, now.lamp.operator, now.lamp.cleanSession, now.away.cleanSession], [true, false, true, false]);
	assert.match(now.lamp.username, /^[0-9a-f]{64}$/);
	assert.equal(now[b.op.options.clientId].operator, true);
	assert.equal(lamp.open, true);
});
