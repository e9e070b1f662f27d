// Two brokers of one Redis: they write one thing, one of them dies, one comes back and has to finish what its last life began.
'use strict';
const assert = require('node:assert/strict');
const { start, ALLOW_ALL } = require('../../harness/broker');
const { proxy } = require('../../harness/proxy');
const { redis } = require('../../harness/service_redis');
const { test, until } = require('../../harness/test');
const { world, COMMIT } = require('../../harness/witness');

async function pair(t) {
	const r = await redis(t), options = { core: { store: r.url } };
	return Promise.all([start(t, { options }), start(t, { options })]);
}

test('two brokers write one thing: each update counts once, and versions say in which order', async (t) => {
	const [a, b] = await pair(t), versions = [];
	await a.call('CreateThing', { thingName: 'lamp' });
	const write = async (at, who) => {
		for (let n = 1; n <= 60; n++)
			versions.push((await at.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { [who]: n } } } })).payload.version);
	};
	await Promise.all([write(a, 'a'), write(b, 'b')]);
	assert.deepEqual(versions.sort((x, y) => x - y), Array.from({ length: 120 }, (_, i) => i + 1));
	for (const at of [a, b]) {
		const { version, state } = (await at.call('GetThingShadow', { thingName: 'lamp' })).payload;
		assert.deepEqual([version, state.reported], [120, { a: 60, b: 60 }]);
	}
});

test('two brokers count with versions: none of a hundred is lost', async (t) => {
	const [a, b] = await pair(t);
	let conflicts = 0;
	await a.call('CreateThing', { thingName: 'meter' });
	await a.call('UpdateThingShadow', { thingName: 'meter', payload: { state: { desired: { n: 0 } } } });
	const add = async (at) => {
		const { version, state } = (await at.call('GetThingShadow', { thingName: 'meter' })).payload;
		const r = await (await at.operator()).respond('UpdateThingShadow', { thingName: 'meter', payload: { state: { desired: { n: state.desired.n + 1 } }, version } });
		assert.ok(r.error === undefined || r.status === 409, JSON.stringify(r));
		return r.error === undefined;
	};
	const count = async (at) => {
		for (let left = 50; left;)
			if (await add(at))
				left--;
			else
				conflicts++;
	};
	await Promise.all([count(a), count(b)]);
	const { state } = (await b.call('GetThingShadow', { thingName: 'meter' })).payload;
	console.log(`         ${conflicts} conflicts`);
	assert.deepEqual([state.desired.n, conflicts > 0], [100, true]);
});

test('one broker is killed under load, the other one serves on', async (t) => {
	const r = await redis(t), w = await world(t, { url: `${r.url}?timeout=1000`, brokers: 2 });
	const [a, b] = w.brokers, ofB = w.witnesses.filter((x) => x.broker === b);
	await a.stop('SIGKILL');
	await w.served(10, ofB);
	assert.deepEqual(ofB.map((x) => x.count(503)), ofB.map(() => 0));
	await a.start();
	await Promise.all(w.witnesses.filter((x) => x.broker === a && x.connect).map((x) => x.connect()));
	await w.served(3);
	w.bystanders.shift().end();
	w.brokers.push(w.brokers.shift());
	await w.holds();
});

test('what a broker was killed at is finished by its next life, if it is alone', async (t) => {
	const r = await redis(t), p = await proxy(t, () => r.port), b = await start(t, { options: { core: { store: `redis://127.0.0.1:${p.port}` } } });
	await b.call('CreateThing', { thingName: 'gone' });
	await b.call('UpdateThingShadow', { thingName: 'gone', payload: { state: { desired: { on: true } } } });
	const came = p.meet(COMMIT, 'hold');
	(await b.operator()).publish('$CONTROL/skeeter/v1', { commands: [{ command: 'DeleteThing', thingName: 'gone' }] }).catch(() => {});
	await came;
	await b.restart('SIGKILL');
	await until('the effect to be done', async () => (await b.call('DescribeCounters', {})).counters.effects_done > 0, 60000);
	await b.call('CreateThing', { thingName: 'gone' });
	assert.match(await b.refused('GetThingShadow', { thingName: 'gone' }), /No shadow/);
});

test('three brokers change the registry as fast as they can: nobody is refused', async (t) => {
	const r = await redis(t), options = { core: { store: r.url } }, brokers = await Promise.all([1, 2, 3].map(() => start(t, { options })));
	const work = async (b, who) => {
		for (let n = 0; n < 60; n++) {
			await b.call('CreateThing', { thingName: `${who}-${n}`, attributePayload: { attributes: { who: String(who) } } });
			await b.call('CreatePolicy', { policyName: `${who}-${n}`, policyDocument: JSON.stringify(ALLOW_ALL) });
			await b.call('DeleteThing', { thingName: `${who}-${n}` });
		}
	};
	await Promise.all(brokers.map(work));
	const { counters } = await brokers[0].call('DescribeCounters', {});
	console.log(`         ${counters.conflicts} conflicts and ${counters.reruns} reruns in ${counters.calls} calls of one of them`);
	assert.ok(counters.conflicts > 0);
	for (const b of brokers) {
		assert.deepEqual((await b.call('ListThings', {})).things, []);
		assert.equal((await b.call('ListPolicies', { pageSize: 250 })).policies.length > 0, true);
	}
});
