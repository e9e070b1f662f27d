// A broker dies between a commit and what follows it: Redis has it, nobody was told.
'use strict';
const assert = require('node:assert/strict');
const { start } = require('../../harness/broker');
const { test, until } = require('../../harness/test');
const { proxy } = require('../../harness/proxy');
const { redis } = require('../../harness/service_redis');
const { Shadow } = require('../../harness/shadow');
const { COMMIT } = require('../../harness/witness');

// Two brokers of one Redis, the first one behind a proxy.
async function pair(t) {
	const r = await redis(t), p = await proxy(t, () => r.port);
	const a = await start(t, { options: { core: { store: `redis://127.0.0.1:${p.port}` } } }), b = await start(t, { options: { core: { store: r.url } } });
	return { r, p, a, b };
}

test('a broker is killed between the script and its publishes: the update is stored once, and its device hears nothing', async (t) => {
	const { p, a, b } = await pair(t);
	const lamp = await a.device('lamp'), s = await new Shadow(lamp, 'lamp').listen();
	const first = await s.update({ state: { reported: { n: 1 } } });
	const came = p.meet(COMMIT, 'hold');
	s.publish('update', { state: { reported: { n: 2 } } }).catch(() => {});
	await came;
	await a.stop('SIGKILL');
	assert.deepEqual([s.got('update/accepted'), s.got('update/rejected')], [[], []]);
	const seen = async (at) => (await at.call('GetThingShadow', { thingName: 'lamp' })).payload;
	const { version, state } = await seen(b);
	assert.deepEqual([version, state.reported.n], [first.version + 1, 2]);
	await a.start();
	const again = await new Shadow(await a.tls('lamp').connect(), 'lamp').listen();
	assert.equal((await again.get({})).version, version);
	assert.equal((await again.update({ state: { reported: { n: 3 } } })).version, version + 1);
	assert.equal((await seen(b)).version, version + 1);
});

// DeleteThing's commit has an effect: the thing's shadows are to go.
async function deleted(p, a) {
	await a.call('CreateThing', { thingName: 'gone' });
	for (const shadowName of ['one', 'two'])
		await a.call('UpdateThingShadow', { thingName: 'gone', shadowName, payload: { state: { desired: { on: true } } } });
	const op = await a.operator(), came = p.meet(COMMIT, 'hold');
	op.publish('$CONTROL/skeeter/v1', { commands: [{ command: 'DeleteThing', thingName: 'gone' }] }).catch(() => {});
	await came;
	await a.stop('SIGKILL');
}
test('what its commit has left to do is done by the other broker, which lives; what was accepted since stays', async (t) => {
	const { p, a, b } = await pair(t);
	await deleted(p, a);
	const list = async () => (await b.call('ListNamedShadowsForThing', { thingName: 'gone' })).results.sort();
	await b.call('CreateThing', { thingName: 'gone' });
	assert.deepEqual(await list(), ['one', 'two']); /* nobody has removed them yet */
	for (const shadowName of ['two', 'three'])
		await b.call('UpdateThingShadow', { thingName: 'gone', shadowName, payload: { state: { desired: { on: false } } } });
	await until('the effect to be taken over', async () => (await list()).length === 2, 60000);
	assert.deepEqual(await list(), ['three', 'two']);
});
