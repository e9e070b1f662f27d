// shared.js -- the stage with a shared store: three brokers and a Redis, each broker behind a network of its own to it; the clients are spread over them.
//
// `broker` is the one that the round happens to. The Redis writes everything to its file before it answers: a kill -9 of it loses nothing.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { until } = require('../harness/test');
const { proxy } = require('../harness/proxy');
const { redis } = require('../harness/service_redis');
const { UNDER_WAY } = require('./shadows');
const { Stage } = require('./stage');

const AT_ONCE = 2 * UNDER_WAY; /* updates of one thing's two shadows, which may be one commit */
const BODIES = 3, TIMEOUT = 1000;

class Shared extends Stage {
	constructor() {
		super();
		this.undo = [];
		this.timeout = TIMEOUT;
	}
	prepare() {
		this.bodies = Array.from({ length: BODIES }, () => this.body());
		this.broker = this.bodies[0];
	}
	bodyOf(n) { return this.bodies[n % BODIES]; }
	choose(rng) { this.broker = this.bodies[rng(BODIES)]; }
	settings(b) {
		b.spec.options.core = { store: `redis://127.0.0.1:${b.proxy.port}?timeout=${TIMEOUT}` };
	}

	async open() {
		const t = { after: (fn) => this.undo.push(fn), onFail() {} };
		this.redis = await redis(t);
		for (const b of this.bodies)
			b.proxy = await proxy(t, () => this.redis.port);
		for (const b of this.bodies.slice(1))
			await this.start(b);
		return super.open();
	}
	mustLive(one) {
		(one ? [one] : this.bodies).forEach((b) => super.mustLive(b));
	}
	// What one broker was told another one knows soon.
	letIn(b, name) {
		return until(`${name} to be let in`, () => super.letIn(b, name).catch(() => null));
	}

	async settled() {
		for (const b of this.bodies)
			await until('the store to be back', async () => (await b.call('DescribeCounters', {})).store.down === 0);
	}
	// What was asked and not answered in time is refused as any other; the brokers count how often.
	get unsure() { return this.mayRefuse; }
	async unknown() {
		const all = await Promise.all(this.bodies.map((b) => b.call('DescribeCounters', {})));
		return all.reduce((sum, { store }) => sum + store.unknown, 0);
	}

	// Each broker is asked about all that was told by any.
	async compare() {
		const chosen = this.broker, died = this.bodies.some((b) => b.life !== b.known);
		this.unheard = 0;
		for (const b of [...this.bodies.filter((x) => x !== chosen), chosen]) {
			this.broker = b;
			await super.compare();
		}
		const unknown = await this.unknown();
		assert.ok(died || this.unheard <= (unknown - this.counted) * AT_ONCE, `${this.unheard} updates are stored that were not accepted, and ${unknown - this.counted} commits are counted as unknown`);
		this.counted = unknown;
		this.bodies.forEach((b) => { b.known = b.life; });
	}
	async compareConnects(units) {
		for (const u of units)
			await until(() => `${u.name} to be ${u.mayConnect ? 'let in' : 'refused'}`, async () => await this.comes(this.broker, u.name) === u.mayConnect);
	}

	files() { return this.bodies.reduce((sum, b) => sum + fs.readdirSync(`/proc/${b.pid}/fd`).length, 0); }
	memory() {
		return this.bodies.reduce((sum, b) => sum + Number(/RssAnon:\s*(\d+)/.exec(fs.readFileSync(`/proc/${b.pid}/status`, 'utf8'))[1]), 0);
	}

	async close() {
		const clients = this.bodies.flatMap((b) => [...b.operators, ...b.devices]);
		await Promise.all([...clients, ...this.registrars.map((r) => r.operator).filter(Boolean)].map((c) => c.end()));
		for (const b of this.bodies) {
			await b.stop();
			b.preload.close();
			fs.rmSync(b.dir, { recursive: true, force: true });
		}
		await this.tidy();
	}
	async tidy() {
		for (const fn of this.undo.splice(0).reverse())
			await fn();
	}
	abandon() {
		for (const b of this.bodies)
			if (b.life && !b.life.gone)
				b.life.kill('SIGKILL');
		if (this.redis && this.redis.child)
			this.redis.signal('SIGKILL');
	}
	// The file of the Redis and the brokers' logs.
	keep() {
		const kept = fs.mkdtempSync(path.join(path.dirname(this.broker.dir), 'skeeter-chaos-'));
		this.abandon();
		fs.cpSync(this.redis.dir, path.join(kept, 'redis'), { recursive: true, filter: (f) => !fs.lstatSync(f).isSocket() });
		this.bodies.forEach((b, i) => fs.writeFileSync(path.join(kept, `broker${i}.log`), b.log));
		this.tidy().catch(() => {});
		return kept;
	}
}

module.exports = { Shared };
