// A node of the Cluster dies and its replica takes over; slots move from master to master under load.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { cluster } = require('../../harness/service_redis_cluster');
const { world, TIMEOUT } = require('../../harness/witness');

// Where each witness's shadow is: its node and its slot.
async function places(c, w) {
	const found = [];
	for (const node of await c.masters())
		for (const key of (await node.cli('KEYS', 'skeeter:{*}h0')).split('\n').filter(Boolean))
			for (const x of w.witnesses)
				if (await node.cli('HEXISTS', key, `thing/${x.thing}/shadow`) === '1')
					found.push({ x, node, slot: await c.slotOf(key) });
	return found;
}

test('a master is killed: its replica has all that was accepted, and the others serve on as soon as the Cluster does', async (t) => {
	const c = await cluster(t), w = await world(t, { url: c.at({ query: `replicas=1&timeout=${TIMEOUT}` }), brokers: 2 });
	const at = await places(c, w);
	assert.equal(at.length, w.witnesses.length);
	const victim = at[0].node, others = at.filter((p) => p.node !== victim).map((p) => p.x);
	const began = performance.now();
	await c.killMaster(victim);
	const promoted = performance.now();
	await w.served(2, others);
	await victim.start();
	await w.served(2);
	console.log(`         promoted after ${Math.round(promoted - began)} ms, all served ${Math.round(performance.now() - promoted)} ms later`);
	assert.match(w.b.log, /the store's Redis(?: Cluster)? does not answer.*[^]*the store's Redis answers again/);
	await w.holds();
});

test('slots move to another master under load: nobody is refused', async (t) => {
	const c = await cluster(t, { replicas: 0 }), w = await world(t, { url: c.at({ query: 'timeout=5000' }), brokers: 2, timeout: 5000 });
	const ranges = (await c.view()).map(({ node, ranges: [[first]] }) => ({ node, first }));
	const far = (p) => p.slot - ranges.find((r) => r.node === p.node).first + 1;
	const nearest = (await places(c, w)).sort((a, b) => far(a) - far(b))[0], to = ranges.find((r) => r.node !== nearest.node).node;
	const before = await w.counted(), refused = w.witnesses.map((x) => x.count(503)), began = performance.now();
	await c.reshard(nearest.node, to, far(nearest));
	assert.equal(await c.masterOf(nearest.slot), to);
	await w.served(3);
	const after = await w.counted();
	console.log(`         ${far(nearest)} slots in ${Math.round(performance.now() - began)} ms; ${after.redirects - before.redirects} redirects of ${w.b.name}`);
	assert.ok(after.redirects > before.redirects);
	assert.deepEqual(w.witnesses.map((x) => x.count(503)), refused);
	await w.holds({ unknown: 0 });
});
