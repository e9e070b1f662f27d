// service_redis_sentinel.js -- a master, its replica, and three Sentinels that watch them: the servers of Debian's redis-server.
//
//   const s = await sentinels(t);        s.url (redis+sentinel://.../mymaster)      { sentinels: 3, replicas: 1, password, sentinelPassword } are its options
//   s.nodes, s.sentinels                 each is a Service with cli(), kill(), pause(), start()
//   await s.master()                     the one that all Sentinels name, as one of s.nodes
//   await s.failover()                   asks for one, and waits until another one is master and the old one is its replica
//   const m = await s.killMaster()       kill -9, waits until another one is master;  m.start() brings it back, as a replica before long
//   await s.promoted(old)                until all Sentinels name another one that is master
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { freePort } = require('./ports');
const { answers } = require('./service');
const { redis, Redis } = require('./service_redis');
const { until } = require('./test');

const NAME = 'mymaster', DOWN_MS = 500;
const role = (one) => one.cli('ROLE').catch(() => ''); // a server that becomes a replica closes connections

class Sentinels {
	get url() { return this.at({}); }
	at({ user = '', password = this.password, path: below = '', query }) {
		const who = user || password ? `${user}:${password}@` : '';
		return `redis+sentinel://${who}${this.sentinels.map((s) => `127.0.0.1:${s.port}`).join(',')}/${NAME}${below}${query ? `?${query}` : ''}`;
	}
	get running() { return this.sentinels.filter((s) => s.child && !s.child.gone && !s.paused); }

	// The one that all Sentinels name, if it says so itself.
	async agreed() {
		const ports = await Promise.all(this.running.map(async (s) => (await s.cli('SENTINEL', 'get-master-addr-by-name', NAME)).split('\n')[1]));
		const one = ports.every((p) => p === ports[0]) && this.nodes.find((n) => n.port === Number(ports[0]));
		return one && /^master/.test(await role(one)) ? one : null;
	}
	master() { return until('the Sentinels to agree', () => this.agreed().catch(() => null)); }

	promoted(old) {
		return until('another one to be master', async () => {
			const now = await this.agreed().catch(() => null);
			return now && now !== old ? now : null;
		}, 60000);
	}
	async failover() {
		const old = await this.master();
		await until('the Sentinel to begin', async () => /^OK/.test(await this.running[0].cli('SENTINEL', 'FAILOVER', NAME)));
		const now = await this.promoted(old);
		await until('the old one to be a replica', async () => /^slave/.test(await role(old))); // until then it takes writes that will be lost
		return now;
	}
	async killMaster() {
		const gone = await this.master();
		await gone.kill();
		await this.promoted(gone);
		return gone;
	}
}

async function sentinel(t, master, quorum, password) {
	const s = new Redis(t, {
		command: 'redis-server',
		args: (self) => [path.join(self.dir, 'sentinel.conf'), '--sentinel'],
		ready: async (self) => await answers(self.port) && /^PONG/.test(await self.cli('PING').catch(() => '')),
	});
	s.port = await freePort();
	s.password = password;
	fs.writeFileSync(path.join(s.dir, 'sentinel.conf'), [`port ${s.port}`, 'bind 127.0.0.1', `dir ${s.dir}`, 'loglevel notice',
		...password ? [`requirepass ${password}`, `sentinel sentinel-pass ${password}`] : [],
		`sentinel monitor ${NAME} 127.0.0.1 ${master.port} ${quorum}`, `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
		`sentinel failover-timeout ${NAME} 4000`, ...master.password ? [`sentinel auth-pass ${NAME} ${master.password}`] : [], ''].join('\n'));
	return s.start();
}

async function sentinels(t, { sentinels: count = 3, replicas = 1, password, sentinelPassword } = {}) {
	const s = Object.assign(new Sentinels(), { password, nodes: [await redis(t, { password })] });
	for (let i = 0; i < replicas; i++)
		s.nodes.push(await redis(t, { password, of: s.nodes[0] }));
	s.sentinels = await Promise.all(Array.from({ length: count }, () => sentinel(t, s.nodes[0], Math.floor(count / 2) + 1, sentinelPassword)));
	await until('the Sentinels to know each other and the replicas', async () => (await Promise.all(s.sentinels.map((one) => one.cli('SENTINEL', 'MASTER', NAME)))).every((text) =>
		new RegExp(`num-slaves\n${replicas}\n`).test(text) && new RegExp(`num-other-sentinels\n${count - 1}\n`).test(text)));
	await until('the replicas to be usable', async () => (await Promise.all(s.sentinels.map((one) => one.cli('SENTINEL', 'REPLICAS', NAME)))).every((text) =>
		text.split('master-link-status\nok').length === replicas + 1));
	return s;
}

module.exports = { sentinels };
