// A route to a Redis Cluster whose slots move, whose masters die, and whose nodes say who they are in several ways.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const pki = require('../../harness/pki');
const { route } = require('../../harness/route');
const { cluster } = require('../../harness/service_redis_cluster');

const keys = (n) => Array.from({ length: n }, (_, i) => `{${i}}k`);
const added = async (nodes) => (await Promise.all(nodes.map((n) => n.info('total_commands_processed').catch(() => 0)))).reduce((a, b) => a + Number(b), 0);
const more = async (c, n = 3000) => { const was = await added(c.running); await until('more commands', async () => await added(c.running) > was + n); };
const counted = async (d) => {
	const c = await d.stopped();
	assert.deepEqual([c.wrong, c.wrongs], [0, ''], JSON.stringify(c));
	return c;
};

test('a batch goes to the nodes that serve its slots; a script that none of them knows is brought to each', async (t) => {
	const c = await cluster(t), d = route(t, c.url);
	assert.equal((await d.masters()).masters.length, 3);
	const all = keys(300);
	assert.ok((await d.ask(all.map((k) => ['SET', k, k]))).replies.every((a) => a === 'OK'));
	assert.deepEqual((await d.ask(all.map((k) => ['GET', k]))).replies, all);
	assert.equal((await d.ask([['PING']])).count.redirects, 0);
	await d.say({ script: '#!lua\nreturn redis.call(\'APPEND\', KEYS[1], ARGV[1])' });
	const append = () => d.ask(all.map((k) => ['EVALSHA', '@', '1', k, 'x']));
	assert.deepEqual((await append()).replies, all.map((k) => k.length + 1));
	await Promise.all(c.nodes.map((n) => n.cli('SCRIPT', 'FLUSH')));
	assert.deepEqual((await append()).replies, all.map((k) => k.length + 2));
	const sizes = await d.ask([0, 1, 2].map((node) => ({ words: ['DBSIZE'], node })));
	assert.equal(sizes.replies.reduce((a, b) => a + b), 300);
	assert.match((await d.ask([{ words: ['DBSIZE'], node: 3 }], { ms: 2000 })).why, /no node/);
	await d.masters();

	// Slots that have moved since: the first command for each is told where it is, the map is learnt anew before long.
	const masters = await c.masters();
	await c.reshard(masters[0], masters[1], 400);
	const moved = await d.ask(all.map((k) => ['EVALSHA', '@', '1', k, 'x']));
	assert.deepEqual(moved.replies, all.map((k) => k.length + 3));
	assert.ok(moved.count.redirects > 0 && moved.count.redirects < 300, `${moved.count.redirects}`);

	// A slot that is about to move: what is not there any more is asked of the other one.
	const slot = await c.slotOf('{0}k'), from = await c.masterOf(slot), to = masters.find((m) => m !== from);
	const [fromId, toId] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')];
	await to.cli('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId);
	await from.cli('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId);
	await from.cli('MIGRATE', '127.0.0.1', String(to.port), '{0}k', '0', '5000');
	assert.equal(await d.one('GET', '{0}k'), '{0}kxxx');
	assert.equal(await d.one('SET', '{0}new', 'n'), 'OK');
	assert.equal(await to.cli('CLUSTER', 'COUNTKEYSINSLOT', String(slot)), '2');
	await to.cli('SCRIPT', 'FLUSH');
	assert.equal((await d.ask([['EVALSHA', '@', '1', '{0}k', 'x']])).replies[0], 8);
	// Keys of which some are here and some are there: neither can answer until they are together.
	const asked = d.ask([['MGET', '{0}k', '{0}other']], { ms: 60000 });
	await until('it to be asked again', async () => Number(/cmdstat_asking:calls=(\d+)/.exec(await to.cli('INFO', 'commandstats'))[1]) > 5);
	for (const n of [to, from, ...masters.filter((m) => m !== to && m !== from)])
		await n.cli('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId);
	const together = await asked;
	assert.deepEqual(together.replies, [['{0}kxxxx', null]]);
	assert.ok(together.count.resent > 5, JSON.stringify(together.count));
}, { seconds: 120 });

test('2,000 counters while 600 slots move: each is what it should be', async (t) => {
	const c = await cluster(t), d = route(t, c.at({ query: 'timeout=60s' })), masters = await c.masters();
	d.count({ counters: 2000, deep: 500, ms: 60000 });
	await more(c);
	await c.reshard(masters[0], masters[1], 300);
	await c.reshard(masters[1], masters[2], 300);
	await more(c);
	const n = await counted(d);
	assert.equal(n.refused, 0, JSON.stringify(n));
	assert.ok(n.count.redirects > 0 && n.count.reconnects === 0, JSON.stringify(n));
}, { seconds: 240 });

test('2,000 counters while masters are killed and their replicas take over: what a replica has acknowledged stays', async (t) => {
	const c = await cluster(t), d = route(t, c.url);
	d.count({ counters: 2000, deep: 500, ms: 60000, replicas: 1 });
	for (let i = 0; i < 2; i++) {
		await more(c);
		const gone = await c.killMaster();
		await more(c, 300);
		await gone.start();
		await c.ok();
		await until('it to be a replica in step', async () => await gone.info('master_link_status') === 'up');
	}
	await more(c);
	const n = await counted(d);
	assert.ok(n.added > 2000 && n.count.resent > 0, JSON.stringify(n));
	assert.equal((await d.masters()).masters.length, 3);
}, { seconds: 240 });

test('a master that stands still: its part fails in time, the others\' part is answered, and its replica is found', async (t) => {
	const c = await cluster(t), d = route(t, c.url), all = keys(60);
	await d.ask(all.map((k) => ['SET', k, k]));
	const gone = await c.masterOf(await c.slotOf(all[0]));
	await gone.pause();
	gone.paused = true;
	const first = await d.ask(all.map((k) => ['GET', k]), { ms: 200 });
	assert.equal(first.rc, -1);
	assert.match(first.why, /timed out/);
	assert.deepEqual(first.replies[0], { none: true });
	assert.ok(first.replies.some((a, i) => a === all[i]));
	const second = await d.ask(all.map((k) => ['GET', k]), { ms: 60000 });
	assert.deepEqual([second.rc, second.replies], [0, all]);
	gone.resume();
	gone.paused = false;
	await c.ok();
	assert.deepEqual((await d.ask(all.map((k) => ['GET', k]))).replies, all);
}, { seconds: 120 });

test('over TLS, with a password, and by names that the nodes announce', async (t) => {
	const c = await cluster(t, { tls: true, password: 'secret', replicas: 0 }), ca = pki.authority().crt;
	const d = route(t, c.at({ query: `ca=${ca}` })), all = keys(30);
	assert.ok((await d.ask(all.map((k) => ['SET', k, k]))).replies.every((a) => a === 'OK'));
	const names = async (...settings) => {
		await Promise.all(c.nodes.map((n) => n.cli('CONFIG', 'SET', ...settings)));
		const e = route(t, c.at({ query: `ca=${ca}` })), { masters } = await e.masters();
		assert.deepEqual((await e.ask(all.map((k) => ['GET', k]))).replies, all);
		const from = (await c.masters())[0], to = (await c.masters())[1];
		await c.reshard(from, to, 200);
		const after = await e.ask(all.map((k) => ['GET', k]));
		assert.deepEqual(after.replies, all);
		await e.end();
		return masters.map((m) => m.replace(/:\d+$/, ''));
	};
	assert.deepEqual(await names('cluster-preferred-endpoint-type', 'unknown-endpoint'), Array(3).fill('127.0.0.1'));
	assert.deepEqual(await names('cluster-preferred-endpoint-type', 'hostname'), Array(3).fill('127.0.0.1')); // none is announced
	await Promise.all(c.nodes.map((n) => n.cli('CONFIG', 'SET', 'cluster-announce-hostname', 'localhost')));
	await until('the names to be known', async () => (await Promise.all(c.nodes.map((n) => n.cli('CLUSTER', 'SLOTS')))).every((s) => !s.includes('?') && s.split('localhost').length >= 4));
	assert.deepEqual(await names('cluster-preferred-endpoint-type', 'hostname'), Array(3).fill('localhost'));
	await d.end();
}, { seconds: 120 });

test('a user needs few rights, and what is not allowed is said', async (t) => {
	const rights = ['~skeeter:*', '+eval', '+evalsha', '+script|load', '+cluster|slots', '+asking', '+wait', '+get', '+set'];
	const c = await cluster(t, { replicas: 0 });
	await Promise.all(c.nodes.map((n) => n.cli('ACL', 'SETUSER', 'device', 'on', '>p', 'resetkeys', ...rights)));
	const d = route(t, c.at({ user: 'device', password: 'p' }));
	await d.say({ script: '#!lua\nreturn redis.call(\'SET\', KEYS[1], ARGV[1])' });
	const a = await d.ask([['EVALSHA', '@', '1', 'skeeter:{a}', 'x'], ['EVALSHA', '@', '1', 'skeeter:{b}', 'y'], ['GET', 'other'], { words: ['DBSIZE'], node: 0 }]);
	assert.deepEqual([a.rc, ...a.replies.slice(0, 2)], [0, 'OK', 'OK']);
	assert.ok(a.replies.slice(2).every((e) => /^NOPERM/.test(e.error)), JSON.stringify(a));
	await Promise.all(c.nodes.map((n) => n.cli('ACL', 'SETUSER', 'device', '-script')));
	await Promise.all(c.nodes.map((n) => n.cli('SCRIPT', 'FLUSH')));
	assert.match((await d.ask([['EVALSHA', '@', '1', 'skeeter:{a}', 'x']])).replies[0].error, /^NOPERM .*script/);
	await Promise.all(c.nodes.map((n) => n.cli('ACL', 'SETUSER', 'device', '-cluster')));
	const e = await route(t, c.at({ user: 'device', password: 'p' })).ask([['GET', 'skeeter:{a}']]);
	assert.match(e.why, /CLUSTER: NOPERM/);
}, { seconds: 120 });

test('what is no Cluster, and a Cluster that is down, is said', async (t) => {
	const c = await cluster(t, { replicas: 0 }), d = route(t, c.url);
	assert.equal(await d.one('SET', 'foo', 'x'), 'OK');
	const gone = await c.masterOf(await c.slotOf('{1}')), slot = await c.slotOf('{1}');
	await gone.kill();
	await until('it to be down', async () => /cluster_state:fail/.test(await c.running[0].cli('CLUSTER', 'INFO')));
	const down = await d.ask([{ words: ['GET', '{1}'], slot }], { ms: 2000 });
	assert.match(JSON.stringify(down.replies), /CLUSTERDOWN|none/);
	assert.match(down.why, /CLUSTERDOWN|refused/);
	const asked = d.ask([{ words: ['GET', '{1}'], slot }], { ms: 60000 });
	await gone.start();
	assert.deepEqual((await asked).replies, [null]);
}, { seconds: 120 });
