// proxy.js -- TCP between a client and a server of 127.0.0.1 that is as bad as a network can be.
//
//   const p = await proxy(t, () => server.port);     p.port
//   p.latency = 200 (ms, each way), p.rate = 20000 (bytes a second, each way)     from the next bytes on
//   p.cut()                          ends all connections
//   p.silence(), p.speak()           connections that are there, and those made meanwhile, stay open and carry nothing any more: not even afterwards
//   await p.refuse(), await p.open() nobody listens
//   const a = p.meet(/pattern/, 'lose')   the next request that matches is passed on and the answer is not: `a` resolves when it has come. 'lose': the connection
//                                    ends then; 'hold': it stays open and is silent from there on
'use strict';
const net = require('node:net');
const { freePort } = require('./ports');

// One direction of a connection: bytes in order, each when its time has come.
class Way {
	constructor(proxy, to) {
		Object.assign(this, { proxy, to, queue: [], free: 0, timer: null });
	}
	push(bytes) {
		const now = performance.now(), { latency, rate } = this.proxy;
		this.free = Math.max(this.free, now) + bytes.length / rate * 1000;
		this.queue.push([this.free + latency, bytes]);
		this.drain();
	}
	drain() {
		clearTimeout(this.timer);
		while (this.queue.length && this.queue[0][0] <= performance.now())
			this.to.write(this.queue.shift()[1]);
		if (this.queue.length)
			this.timer = setTimeout(() => this.drain(), this.queue[0][0] - performance.now());
	}
	end() { clearTimeout(this.timer); }
}

class Pair {
	constructor(proxy, client) {
		const server = net.connect({ port: proxy.target(), host: '127.0.0.1', noDelay: true });
		Object.assign(this, { proxy, client, server, mute: proxy.silent, met: null });
		client.setNoDelay(true);
		this.ways = [new Way(proxy, server), new Way(proxy, client)];
		client.on('data', (bytes) => this.asked(bytes));
		server.on('data', (bytes) => this.answered(bytes));
		for (const s of [client, server])
			s.on('error', () => {}).on('close', () => this.end());
	}
	asked(bytes) {
		const meeting = this.proxy.meeting;
		if (this.mute)
			return;
		if (meeting && meeting.pattern.test(bytes.toString('latin1'))) {
			this.met = meeting;
			this.proxy.meeting = null;
		}
		this.ways[0].push(bytes);
	}
	answered(bytes) {
		if (this.mute)
			return;
		if (!this.met) {
			this.ways[1].push(bytes);
			return;
		}
		this.mute = true;
		if (this.met.how === 'lose')
			this.end();
		this.met.came(bytes.toString('latin1'));
	}
	end() {
		this.ways.forEach((w) => w.end());
		this.client.destroy();
		this.server.destroy();
		this.proxy.pairs.delete(this);
	}
}

class Proxy {
	constructor(target) {
		Object.assign(this, { target, pairs: new Set(), latency: 0, rate: Infinity, silent: false, meeting: null, made: 0 });
	}
	open() {
		this.server = net.createServer((s) => { this.made++; this.pairs.add(new Pair(this, s)); });
		return new Promise((done, fail) => this.server.once('error', fail).listen(this.port, '127.0.0.1', () => done(this)));
	}
	refuse() {
		const closed = new Promise((done) => this.server.close(done));
		this.cut();
		return closed;
	}
	cut() { [...this.pairs].forEach((p) => p.end()); }
	silence() {
		this.silent = true;
		this.pairs.forEach((p) => { p.mute = true; });
	}
	speak() { this.silent = false; }
	meet(pattern, how) {
		return new Promise((came) => { this.meeting = { pattern, how, came }; });
	}
}

async function proxy(t, target) {
	const p = new Proxy(target);
	p.port = await freePort();
	t.after(() => p.refuse());
	return p.open();
}

module.exports = { proxy };
