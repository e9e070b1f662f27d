// The master that Sentinels watch dies, or hands over: with replicas=1 nothing that was accepted is lost.
'use strict';
const { test } = require('../../harness/test');
const { sentinels } = require('../../harness/service_redis_sentinel');
const { world, TIMEOUT } = require('../../harness/witness');

test('the master is killed: the replica that Sentinel promotes has all that was accepted', async (t) => {
	const s = await sentinels(t, { replicas: 2 }), w = await world(t, { url: s.at({ query: `replicas=1&timeout=${TIMEOUT}` }), brokers: 2 });
	await w.served(5);
	const began = performance.now(), gone = await s.killMaster(), promoted = performance.now();
	await w.served(2);
	console.log(`         another one is master after ${Math.round(promoted - began)} ms, all served ${Math.round(performance.now() - promoted)} ms later`);
	await gone.start();
	await w.served(3);
	await w.holds();
});

test('a failover by command: the old master refuses, the new one is found', async (t) => {
	const s = await sentinels(t), w = await world(t, { url: s.at({ query: `replicas=1&timeout=${TIMEOUT}` }) });
	await w.served(5);
	await s.failover();
	await w.served(3);
	await w.holds();
});
