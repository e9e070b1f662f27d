// skeeter_cluster through a Redis Cluster, where channels are sharded, through Sentinels, and through the Redis that the store is in.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { cluster, client, linked, counters } = require('../../harness/cluster');
const { redis } = require('../../harness/service_redis');
const { cluster: redisCluster } = require('../../harness/service_redis_cluster');
const { sentinels } = require('../../harness/service_redis_sentinel');

const nameOf = (b) => /cluster: .* this one is ([0-9a-f]{16})/.exec(b.log)[1];
const PREFIX = 'skeeter:';

// Numbers from..to-1 are published until each has come: those on their way while a node dies may be lost, later ones may not.
async function flows(sender, s, topic) {
	await until(`a message on ${topic}`, async () => {
		await sender.publish(topic, '');
		return s.got(topic).length;
	}, 60000);
	s.inbox = [];
	await sender.publish(`${topic}/end`, '');
	await s.nextMessage(`${topic}/end`);
}

test('a Redis Cluster: each broker\'s inbox is on the node of its slot, and follows it when the slot moves or its master dies', async (t) => {
	const r = await redisCluster(t), [a, b, c] = await cluster(t, r.url, 3, { topics: 'site/#' });
	const sender = await client(a), s = await client(b), there = await client(c);
	await s.subscribe('site/#');
	await there.subscribe('site/#');
	await linked([a, c], s);
	await linked([a, b], there);
	const numbers = Array.from({ length: 200 }, (_, i) => String(i));
	await Promise.all(numbers.map((n) => sender.publish('site/1', n)));
	for (const one of [s, there]) {
		await until('all of them', () => one.got('site/1').length >= 200);
		assert.deepEqual(one.got('site/1').map((m) => String(m.payload)), numbers);
	}
	const inbox = `${PREFIX}{${nameOf(b)}}in`, slot = await r.slotOf(inbox), master = await r.masterOf(slot);
	assert.match(await master.cli('PUBSUB', 'SHARDCHANNELS'), new RegExp(nameOf(b)));
	for (const other of (await r.masters()).filter((m) => m !== master))
		assert.doesNotMatch(await other.cli('PUBSUB', 'SHARDCHANNELS'), new RegExp(nameOf(b)));
	await r.killMaster(master);
	await flows(sender, s, 'site/2');
	await master.start();
	await until('it to be a replica', async () => await master.info('master_link_status') === 'up');
	const now = await r.masterOf(slot), to = (await r.masters()).find((m) => m !== now), id = await to.cli('CLUSTER', 'MYID');
	for (const n of [to, now, ...r.running])
		await n.cli('CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
	await until('the inbox at its new node', async () => (await to.cli('PUBSUB', 'SHARDCHANNELS')).includes(nameOf(b)));
	await flows(sender, s, 'site/3');
	const control = await r.masterOf(await r.slotOf(`${PREFIX}{skeeter}cluster`));
	await r.killMaster(control);
	await flows(sender, s, 'site/4');
	await there.subscribe('late/#');
	await linked(a, there);
});

test('Sentinels: after a failover messages go through the new master', async (t) => {
	const r = await sentinels(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#' });
	const sender = await client(a), s = await client(b);
	await s.subscribe('site/#');
	await linked(a, s);
	await r.killMaster();
	await flows(sender, s, 'site/1');
	await s.subscribe('site/+/late');
	await linked(a, s);
	assert.equal((await counters(a)).cluster_dropped, 0);
});

test('TLS, a password and a prefix are those of the URL; others in the same Redis hear nothing', async (t) => {
	const pki = require('../../harness/pki');
	const r = await redis(t), url = (prefix) => `${r.tlsUrl.replace('127.0.0.1', 'localhost')}?ca=${pki.authority().crt}&prefix=${prefix}`;
	const [a, b] = await cluster(t, url('one:'), 2, { topics: '#' }), [other] = await cluster(t, url('two:'), 1, { topics: '#' });
	const sender = await client(a), s = await client(b), stranger = await client(other);
	await s.subscribe('#');
	await stranger.subscribe('#');
	await linked(a, s);
	await sender.publish('x', 'y');
	await s.nextMessage('x');
	assert.equal(stranger.inbox.length, 0);
	assert.equal((await counters(other)).cluster_received, 0);
});

test('brokers that share a store talk through its Redis: a device at one, its app at another, and what happens is told once', async (t) => {
	const r = await redis(t), [a, b, c] = await cluster(t, undefined, 3, { plugins: ['core', 'registry', 'auth', 'shadow'], options: { core: { store: r.url } } });
	await a.provision('lamp');
	const watcher = await client(c), app = await client(b);
	await watcher.subscribe(['$aws/events/presence/connected/+', '$aws/things/+/shadow/update/documents']);
	await app.subscribe('$aws/things/lamp/shadow/update/accepted');
	await linked(a, watcher);
	await linked([a, b], watcher);
	await linked([a, c], app);
	const lamp = await a.tls('lamp').connect();
	await lamp.subscribe('$aws/things/lamp/shadow/update/delta');
	assert.equal((await watcher.next('$aws/events/presence/connected/lamp')).clientId, 'lamp');
	await linked(b, await client(a));
	await app.publish('$aws/things/lamp/shadow/update', { state: { desired: { on: 1 } } });
	assert.deepEqual((await lamp.next('$aws/things/lamp/shadow/update/delta')).state, { on: 1 });
	await app.nextMessage('$aws/things/lamp/shadow/update/accepted');
	await watcher.nextMessage('$aws/things/lamp/shadow/update/documents');
	await lamp.publish('$aws/things/lamp/shadow/update', { state: { reported: { on: 1 } } });
	assert.deepEqual((await app.next('$aws/things/lamp/shadow/update/accepted')).state, { reported: { on: 1 } });
	assert.deepEqual((await watcher.next('$aws/things/lamp/shadow/update/documents')).current.state, { desired: { on: 1 }, reported: { on: 1 } });
	await linked([a, b], watcher);
	assert.equal(watcher.inbox.filter((m) => m.topic.startsWith('$aws')).length, 0);
	assert.equal(lamp.inbox.length, 0);
});
