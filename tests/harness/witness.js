// witness.js -- brokers that share a Redis, clients under light load that remember what they were told, and whether it is so.
//
//   const w = await world(t, { url: 'redis://...', brokers: 2 });    w.b, w.brokers
//   await w.served(3)                 each client has had so many updates accepted from now on
//   await w.refused(2)                ... so many refused with 503
//   await w.through({ name, begin, end, away: /log/, back: /log/ })     a fault from its beginning to when all is well again; answers times in ms
//   await w.holds()                   what is stored is what was accepted; the loop did not wait; ordinary messages flowed
//
// A witness updates one shadow, one update at a time, each with a number that only grows; half of them are devices, half speak HTTP.
'use strict';
const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { Preload } = require('../chaos/preload');
const { create, freePort, ALL } = require('./broker');
const { sleep, until, SLOW } = require('./test');

const COMMIT = /\}o:/; /* the key of a batch's outcome is in each commit's command, and in no other */
const LOG = ['error', 'warning', 'notice', 'information'].map((type) => `log_type ${type}`).join('\n');
const TIMEOUT = 1000; /* ms: what the URLs of these tests say */
const PATIENCE = 3000 * SLOW; /* what a busy machine may add to a time of ours */
const BLOCKED = 50; /* ms that the broker's loop may be held by something else than other processes; make gap asks for less */

/* What an operator reads when it begins, and when it is over. */
const LINES = {
	waits: /waiting up to \d+ s for the store redis:/,
	away: /the store's Redis does not answer: everything that needs it is refused until it does/,
	back: /the store's Redis answers again after [\d.]+ s/,
	full: /the store's Redis is full: changes are refused/,
	readOnly: /the store's Redis is read-only: changes are refused/,
	replicas: /the store's Redis has too few replicas: changes are refused/,
	disk: /the store's Redis cannot write to its disk: changes are refused/,
	rights: /the store's Redis does not allow it: changes are refused/,
	password: /the store's Redis does not answer: .*WRONGPASS/,
	takes: /the store's Redis takes changes again/,
	emptied: /the store's Redis is empty, or another one: what was stored before is not there/,
	part: /a part of the store's Redis Cluster does not answer, \d+ of \d+ buckets/,
};

class Witness {
	constructor(world, thing) {
		Object.assign(this, { world, thing, told: [], n: 0, going: true });
	}
	start() {
		this.ended = this.run().catch((e) => { this.wrong = this.wrong || e; });
		return this;
	}
	async run() {
		while (this.going) {
			const n = ++this.n, began = performance.now();
			const answer = await this.ask(n);
			this.note({ n, ms: performance.now() - began, at: performance.now(), ...answer });
			await sleep(answer.status === 200 ? 10 : 25);
		}
	}
	note(r) {
		const last = this.told.findLast((x) => x.status === 200);
		this.told.push(r);
		if (r.status === 200 && last && !(r.version > last.version))
			this.wrong = this.wrong || new Error(`${this.thing}: update ${r.n} became version ${r.version} after version ${last.version}`);
		else if (![0, 200, 503].includes(r.status))
			this.wrong = this.wrong || new Error(`${this.thing}: update ${r.n} was answered ${r.status} ${r.why}`);
	}
	count(status, from = 0) { return this.told.slice(from).filter((r) => r.status === status).length; }
	end() { this.going = false; return this.ended; }
}

class DeviceWitness extends Witness {
	constructor(world, thing, broker) {
		super(world, thing);
		this.broker = broker;
		this.prefix = `$aws/things/${thing}/shadow/update`;
		this.answers = new Map();
	}
	async connect() {
		const device = await until(`${this.thing} to be let in`, async () => {
			const d = this.broker.tls(this.thing);
			return d.connect().catch(() => { this.broker.devices = this.broker.devices.filter((x) => x !== d); return null; });
		});
		device.inbox = { push: ({ topic, payload }) => this.hear(topic.split('/').at(-1), JSON.parse(payload)) };
		await device.subscribe(['accepted', 'rejected'].map((a) => `${this.prefix}/${a}`));
		this.device = device;
		return this;
	}
	hear(kind, { clientToken, version, code, message }) {
		const n = Number(clientToken), done = this.answers.get(n);
		this.answers.delete(n);
		if (done)
			done(kind === 'accepted' ? { status: 200, version } : { status: code, why: message });
		else if (kind === 'accepted') /* an answer to one that was given up, or a second answer */
			this.wrong = this.wrong || new Error(`${this.thing}: update ${n} was accepted as version ${version} when its answer was there`);
	}
	async ask(n) {
		const device = this.device, lost = { status: 0, why: 'the connection ended' };
		await until(`${this.thing} to be connected`, () => this.device.open || !this.going, 120000);
		if (!this.going || !device.open)
			return { ...lost, unsent: !device.open };
		const answer = new Promise((done) => {
			this.answers.set(n, done);
			device.client.once('close', () => done(lost));
		});
		device.publish(this.prefix, { state: { reported: { n } }, clientToken: String(n) }).catch(() => {});
		return answer;
	}
}

class HttpWitness extends Witness {
	constructor(world, thing, broker) {
		super(world, thing);
		this.broker = broker;
		this.agent = new http.Agent({ keepAlive: false });
	}
	request(method, body) {
		return new Promise((done) => {
			const data = body && JSON.stringify(body);
			const q = http.request({ port: this.broker.httpPort, host: '127.0.0.1', method, path: `/things/${this.thing}/shadow`, agent: this.agent,
				headers: data ? { 'content-length': Buffer.byteLength(data) } : {} }, (r) => {
				let text = '';
				r.on('data', (d) => { text += d; });
				r.on('end', () => done({ status: r.statusCode, type: r.headers['x-amzn-errortype'], text }));
				r.on('error', (e) => done({ status: 0, text: String(e) }));
			});
			q.on('error', (e) => done({ status: 0, text: String(e) }));
			q.end(data);
		});
	}
	async ask(n) {
		const { status, type, text } = await this.request('POST', { state: { reported: { n } } });
		if (status === 503 && type !== 'ServiceUnavailableException')
			this.wrong = this.wrong || new Error(`${this.thing}: 503 ${type} ${text}`);
		return status === 200 ? { status, version: JSON.parse(text).version } : { status, why: text };
	}
	end() {
		return super.end().finally(() => this.agent.destroy());
	}
}

// Messages that have nothing to do with the store, and PINGREQs: how long the longest took.
class Bystander {
	constructor(b) {
		Object.assign(this, { b, n: 0, heard: 0, longest: 0, ping: 0, pings: 0, asked: 0 });
	}
	async start() {
		this.device = await this.b.plain({ clientId: 'bystander' }).connect();
		this.device.inbox = { push: ({ payload }) => { this.heard++; this.longest = Math.max(this.longest, performance.now() - Number(String(payload))); } };
		await this.device.subscribe('ordinary/#');
		this.timer = setInterval(() => this.device.open && this.device.publish(`ordinary/${this.n++}`, String(performance.now())).catch(() => {}), 50);
		this.socket = net.connect(this.b.plainPort, '127.0.0.1');
		this.socket.on('error', () => {}).on('data', (d) => this.answered(d));
		this.socket.write(Buffer.from([0x10, 16, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, 4, ...Buffer.from('ping')]));
	}
	answered(bytes) {
		if (bytes.includes(0xd0)) {
			this.pings++;
			this.ping = Math.max(this.ping, performance.now() - this.asked);
		}
		clearTimeout(this.again);
		this.again = setTimeout(() => {
			this.asked = performance.now();
			this.socket.write(Buffer.from([0xc0, 0]));
		}, 20);
	}
	goesOn() {
		const { heard, pings } = this;
		return until(() => `ordinary messages to flow, there were ${this.heard} of ${this.n}, and ${this.pings} PINGs`, () => !this.device.open || (this.heard > heard + 2 && this.pings > pings + 2));
	}
	end() {
		clearInterval(this.timer);
		clearTimeout(this.again);
		this.socket.destroy();
		return this.device.end();
	}
}

class World {
	constructor(t, spec) {
		Object.assign(this, { t, spec, url: spec.url, timeout: spec.timeout || TIMEOUT, brokers: [], witnesses: [], bystanders: [] });
	}
	get b() { return this.brokers[0]; }

	async broker(at = this.brokers.length) {
		const httpPort = await freePort(), { options = {}, plugins = [] } = this.spec;
		const b = create(this.t, { plain: true, plugins: [...ALL, 'http', ...plugins], conf: `log_type none\n${LOG}\nconnection_messages false\nallow_anonymous true`,
			options: { ...options, core: { store: this.url, sys_interval: '1s', ...options.core }, auth: { others: 'allow' }, http: { listen: `127.0.0.1:${httpPort}`, auth: 'open' } } });
		b.httpPort = httpPort;
		b.name = `broker ${at}`;
		if (!process.env.SKEETER_PRELOAD && !process.env.SKEETER_VALGRIND) {
			b.probe = new Preload(b.dir);
			b.spec.env = b.probe.env;
		}
		this.brokers.push(b);
		return b.start();
	}
	async witness(b, i) {
		await this.b.provision(`dev${i}`);
		await this.b.call('CreateThing', { thingName: `web${i}` });
		this.witnesses.push(await new DeviceWitness(this, `dev${i}`, b).connect(), new HttpWitness(this, `web${i}`, b));
	}
	async start() {
		const { brokers = 1 } = this.spec;
		this.t.after(() => this.end());
		this.t.onFail(() => this.report());
		for (let i = 0; i < brokers; i++)
			await this.broker();
		for (const [i, b] of this.brokers.entries()) {
			await this.witness(b, i);
			this.bystanders.push(new Bystander(b));
		}
		await Promise.all(this.bystanders.map((x) => x.start()));
		this.witnesses.forEach((x) => x.start());
		await this.served(2);
		this.brokers.forEach((b) => b.probe && b.probe.reset());
		return this;
	}
	report() {
		return this.witnesses.map((x) => `${x.thing}: ${x.wrong || ''} ${JSON.stringify(x.told.slice(-8).map((r) => ({ ...r, ms: Math.round(r.ms), at: Math.round(r.at) })))}`).join('\n');
	}

	right() {
		const wrong = this.witnesses.find((x) => x.wrong);
		if (wrong)
			throw wrong.wrong;
		this.brokers.forEach((b) => b.child && assert.ok(!b.child.gone, `${b.name} ended`));
		return true;
	}
	told(status, n, who, what) {
		const from = who.map((x) => x.told.length);
		const left = () => who.filter((x, i) => x.count(status, from[i]) < n).map((x) => x.thing);
		return until(() => `${what}: ${left()}\n${this.report()}`, () => this.right() && !left().length, 60000);
	}
	served(n = 1, who = this.witnesses) { return this.told(200, n, who, `${n} updates to be accepted`); }
	refused(n = 1, who = this.witnesses) { return this.told(503, n, who, `${n} updates to be refused`); }

	// A line of each broker's log from now on.
	logged(pattern, from) {
		return Promise.all(this.brokers.filter((b) => b.child).map((b) => until(() => `${b.name} to say ${pattern}:\n${b.log.slice(from.get(b))}`, () => pattern.exec(b.log.slice(from.get(b))), 60000)));
	}
	async counted(b = this.b) { return (await b.call('DescribeCounters', {})).store; }

	// begin() makes the fault; it has been noticed when all are refused (or `until`); end() ends it.
	async through({ name, begin, end, away, back, reads, meanwhile = () => {} }) {
		const from = new Map(this.brokers.map((b) => [b, b.log.length])), mark = this.witnesses.map((x) => x.told.length), began = performance.now();
		await begin();
		await this.refused(2);
		if (reads)
			await this.readsAre(reads);
		if (away)
			await this.logged(away, from);
		await meanwhile();
		const slowest = Math.max(...this.witnesses.flatMap((x, i) => x.told.slice(mark[i]).map((r) => r.ms)));
		assert.ok(slowest < this.timeout + PATIENCE, `${name}: an answer took ${slowest} ms`);
		const refusals = this.witnesses.flatMap((x, i) => x.told.slice(mark[i]).filter((r) => r.status === 503).map((r) => r.at));
		const ended = performance.now();
		await end();
		const over = performance.now(), marks = this.witnesses.map((x) => x.told.length);
		await this.served(2);
		if (back)
			await this.logged(back, from);
		const firsts = this.witnesses.map((x, i) => x.told.slice(marks[i]).find((r) => r.status === 200).at);
		const r = { refused: Math.round(Math.min(...refusals) - began), slowest: Math.round(slowest), back: Math.max(0, Math.round(Math.max(...firsts) - over)), ending: Math.round(over - ended) };
		for (const b of this.brokers) {
			const said = b.log.slice(from.get(b)), lines = said.split('\n').filter((l) => (away && away.test(l)) || (back && back.test(l)));
			assert.ok(lines.length <= 12, `${b.name} has said it ${lines.length} times:\n${lines.slice(0, 20).join('\n')}`);
		}
		console.log(`         ${name}: the first 503 after ${r.refused} ms, the slowest answer ${r.slowest} ms, all served ${r.back} ms after its end`);
		return r;
	}
	// What a read is answered now: 'served' or 'refused'.
	async readsAre(expected) {
		for (const x of this.witnesses.filter((w) => w instanceof HttpWitness)) {
			const { status, text } = await x.request('GET');
			assert.equal(status, expected === 'served' ? 200 : 503, `${x.thing}: ${text}`);
		}
	}

	async check(x, op) {
		const { version, state } = (await op.call('GetThingShadow', { thingName: x.thing })).payload, { n } = state.reported;
		const accepted = x.told.filter((r) => r.status === 200), last = accepted.at(-1);
		const said = `${x.thing} holds version ${version} with ${n}; accepted was version ${last.version} with ${last.n}, ${accepted.length} in all, of ${x.n}`;
		assert.ok(version >= last.version && n >= last.n && n <= x.n, said);
		assert.ok(version > last.version || n === last.n, said);
		return { stored: version, accepted: accepted.length, lost: x.count(0) };
	}
	// Each update counts once, and only those that were accepted or are counted as unknown.
	async holds({ unknown } = {}) {
		await Promise.all(this.witnesses.map((x) => x.end()));
		await Promise.all(this.bystanders.map((x) => x.goesOn()));
		this.right();
		const living = this.brokers.filter((b) => b.child), op = await living[0].operator();
		let open = 0, lost = 0;
		for (const x of this.witnesses) {
			const r = await this.check(x, op);
			open += r.stored - r.accepted;
			lost += r.lost;
		}
		const counted = (await Promise.all(living.map((b) => this.counted(b)))).reduce((sum, s) => sum + s.unknown, 0);
		if (living.length === this.brokers.length)
			assert.ok(open <= counted + lost, `${open} updates are stored that were not accepted, ${counted} are counted as unknown, ${lost} had no answer`);
		if (unknown !== undefined)
			assert.equal(open, unknown, `${open} updates are stored that were not accepted`);
		this.flowed(living);
	}
	flowed(living) {
		for (const [i, x] of this.bystanders.entries()) {
			const b = this.brokers[i];
			if (!living.includes(b))
				continue;
			assert.ok(x.longest < PATIENCE && x.ping < PATIENCE, `${b.name}: ${x.heard} of ${x.n} ordinary messages, the longest took ${x.longest} ms; a PING ${x.ping} ms`);
			if (!b.probe)
				continue;
			const { longest_blocked_ms: blocked, longest_cpu_ms: cpu } = b.probe.all();
			console.log(`         ${b.name}: a turn of the loop was blocked for ${blocked.toFixed(1)} ms at most, ran for ${cpu.toFixed(1)} ms; a message took ${Math.round(x.longest)} ms, a PING ${Math.round(x.ping)} ms`);
			assert.ok(b.probe.get('turns') > 0 && blocked < BLOCKED, `the loop of ${b.name} was blocked for ${blocked} ms`);
		}
	}

	async end() {
		this.witnesses.forEach((x) => x.end().catch(() => {}));
		await Promise.all(this.bystanders.map((x) => x.end()));
		this.brokers.forEach((b) => b.probe && b.probe.close());
	}
}

async function world(t, spec) {
	return new World(t, spec).start();
}

module.exports = { world, COMMIT, LINES, TIMEOUT };
