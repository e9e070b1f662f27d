// The Redis comes back and has forgotten everything: what is gone is gone and nobody is told otherwise, the brokers say so, and all can be set up anew.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { start } = require('../../harness/broker');
const { redis } = require('../../harness/service_redis');
const { Shadow } = require('../../harness/shadow');
const { test, until } = require('../../harness/test');
const { LINES } = require('../../harness/witness');

const answer = async (at, command, input) => {
	const r = await (await at.operator()).respond(command, input);
	return r.error === undefined ? 'done' : r.status;
};

for (const [how, forget] of [
	['it was killed and lost its disk', async (r) => { await r.kill(); fs.rmSync(path.join(r.dir, 'appendonlydir'), { recursive: true }); await r.start(); }],
	['somebody said FLUSHALL', (r) => r.cli('FLUSHALL')],
])
	test(`Redis is empty: ${how}`, async (t) => {
		const r = await redis(t), options = { core: { store: r.url } };
		const [a, b] = await Promise.all([start(t, { options, plain: true, conf: 'allow_anonymous true' }), start(t, { options })]);
		const there = await a.operator();
		const lamp = await new Shadow(await a.device('lamp'), 'lamp').listen();
		for (let n = 1; n <= 5; n++)
			await lamp.update({ state: { reported: { n } } });
		assert.equal(await answer(b, 'DescribeThing', { thingName: 'lamp' }), 'done');
		const from = [a, b].map((x) => x.log.length);
		await forget(r);
		await Promise.all([a, b].map((x, i) => until(() => `a line that it is empty:\n${x.log.slice(from[i])}`, () => LINES.emptied.test(x.log.slice(from[i])))));
		await until('the certificate to be unknown', () => !lamp.device.open);
		for (const at of [a, b])
			assert.deepEqual([await answer(at, 'DescribeThing', { thingName: 'lamp' }), await answer(at, 'GetThingShadow', { thingName: 'lamp' })], [404, 404]);
		assert.equal(there.open, true);
		await b.provision('lamp');
		const anew = await until('lamp to be let in', () => a.tls('lamp').connect().catch(() => null)), s = await new Shadow(anew, 'lamp').listen();
		assert.equal((await s.update({ state: { reported: { n: 6 } } })).version, 1);
		assert.deepEqual((await b.call('GetThingShadow', { thingName: 'lamp' })).payload.state.reported, { n: 6 });
	});
