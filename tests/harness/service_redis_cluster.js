// service_redis_cluster.js -- a Redis Cluster of real servers on free ports: three masters that share the slots, each with a replica. About four seconds.
//
//   const c = await cluster(t);          c.url (redis+cluster://...)      { masters: 3, replicas: 1, tls: true, args: [...], password } are its options
//   c.nodes                              each is a Redis as in service_redis.js: cli(), kill(), pause(), start()
//   await c.masters()                    those of them that serve slots now, as most see it
//   await c.masterOf(slot)               who serves it;  c.slotOf(key)
//   const m = await c.killMaster()       kill -9 of one (or of the one given), waits until its replica serves its slots. m.start() brings it back as a replica
//   await c.reshard(from, to, 600)       redis-cli moves so many slots with all their keys from one master to another, live
//   await c.ok()                         until each node that runs says that all slots are served
'use strict';
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const pki = require('./pki');
const { freePort } = require('./ports');
const { redis } = require('./service_redis');
const { until } = require('./test');
const run = promisify(execFile);

const SLOTS = 16384, TIMEOUT_MS = 1000;

class Cluster {
	get url() { return this.at({}); }
	at({ user = '', password = this.password, query }) {
		const ports = this.nodes.map((n) => `127.0.0.1:${this.tls ? n.tlsPort : n.port}`);
		return `redis${this.tls ? 's' : ''}+cluster://${user || password ? `${user}:${password}@` : ''}${ports.join(',')}${query ? `?${query}` : ''}`;
	}
	get running() { return this.nodes.filter((n) => n.child && !n.child.gone && !n.paused); }

	// Lines of CLUSTER NODES as one of them sees it.
	async seen(by) {
		return (await by.cli('CLUSTER', 'NODES')).split('\n').filter(Boolean).map((line) => {
			const [id, address, flags, , , , , link, ...slots] = line.split(' ');
			const port = Number(/:(\d+)@/.exec(address)[1]);
			const ranges = slots.filter((s) => !s.startsWith('[')).map((s) => s.split('-').map(Number)).map(([a, b]) => [a, b ?? a]);
			return { id, flags: flags.split(','), link, ranges, node: this.nodes.find((n) => n.port === port || n.tlsPort === port) };
		});
	}
	// Who serves what, said by a node that runs; null while they do not agree.
	async agreed() {
		const views = await Promise.all(this.running.map(async (n) => (await this.seen(n)).filter((s) => s.ranges.length && !s.flags.includes('fail'))));
		const text = views.map((v) => JSON.stringify(v.map((s) => [s.id, s.ranges]).sort()));
		return text.every((one) => one === text[0]) ? views[0] : null;
	}
	async view() { return until('the nodes to agree', () => this.agreed().catch(() => null)); }
	async masters() { return (await this.view()).map((s) => s.node); }
	async masterOf(slot) { return (await this.view()).find((s) => s.ranges.some(([a, b]) => a <= slot && slot <= b))?.node; }
	async slotOf(key) { return Number(await this.running[0].cli('CLUSTER', 'KEYSLOT', key)); }

	ok() {
		return until('each node to serve all slots', async () => {
			const infos = await Promise.all(this.running.map((n) => n.cli('CLUSTER', 'INFO').catch(() => '')));
			return infos.every((i) => /cluster_state:ok/.test(i) && /cluster_slots_assigned:16384/.test(i)) && this.agreed().catch(() => null);
		});
	}

	async killMaster(master = null) {
		const gone = master || (await this.masters())[0];
		await gone.kill();
		await this.promoted(gone);
		return gone;
	}
	// Until others serve what it served.
	promoted(gone) {
		return until('a replica to take over', async () => {
			const now = await this.agreed().catch(() => null);
			return now && now.every((s) => s.node !== gone) && now.reduce((n, s) => n + s.ranges.reduce((m, [a, b]) => m + b - a + 1, 0), 0) === SLOTS;
		}, 60000);
	}

	async reshard(from, to, slots) {
		const id = (n) => n.cli('CLUSTER', 'MYID');
		const by = this.running[0];
		const secret = this.password ? ['-a', this.password, '--no-auth-warning'] : [];
		const tls = this.tls ? ['--tls', '--cacert', pki.authority().crt] : [];
		await run('redis-cli', [...secret, ...tls, '--cluster', 'reshard', `127.0.0.1:${this.tls ? by.tlsPort : by.port}`, '--cluster-from', await id(from), '--cluster-to', await id(to),
			'--cluster-slots', String(slots), '--cluster-yes'], { maxBuffer: 1 << 26 }).catch((e) => { throw new Error(`${e.message}\n${e.stdout.slice(-2000)}`); });
		await this.ok();
	}
}

async function cluster(t, { masters = 3, replicas = 1, tls = false, args = [], password } = {}) {
	const c = Object.assign(new Cluster(), { tls, password, nodes: [] });
	const count = masters * (1 + replicas);
	const buses = [];
	for (let i = 0; i < count; i++)
		buses.push(await freePort());
	c.nodes = await Promise.all(buses.map((bus) => redis(t, { password, args: ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-port', String(bus),
		'--cluster-node-timeout', String(TIMEOUT_MS), '--cluster-replica-validity-factor', '0', ...tls ? ['--tls-cluster', 'yes', '--tls-replication', 'yes'] : [], ...args] })));
	await Promise.all(c.nodes.map((n, i) => n.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))));
	await Promise.all(c.nodes.slice(0, masters).map((n, i) =>
		n.cli('CLUSTER', 'ADDSLOTSRANGE', String(Math.floor(i * SLOTS / masters)), String(Math.floor((i + 1) * SLOTS / masters) - 1))));
	for (const [i, n] of c.nodes.entries())
		if (i)
			await c.nodes[0].cli('CLUSTER', 'MEET', '127.0.0.1', String(tls ? n.tlsPort : n.port), String(buses[i]));
	await until('the nodes to have met', async () => (await Promise.all(c.nodes.map((n) => c.seen(n)))).every((all) =>
		all.length === count && all.every((s) => s.link === 'connected' && !s.flags.includes('handshake')) && all.filter((s) => s.ranges.length).length === masters));
	const ids = await Promise.all(c.nodes.map((n) => n.cli('CLUSTER', 'MYID')));
	await Promise.all(c.nodes.slice(masters).map((n, i) => until('a replica to know its master', async () => /^OK/.test(await n.cli('CLUSTER', 'REPLICATE', ids[i % masters])))));
	await until('the replicas to be in step', async () => (await Promise.all(c.nodes.slice(masters).map((n) => n.info('master_link_status')))).every((s) => s === 'up'));
	await c.ok();
	return c;
}

module.exports = { cluster };
