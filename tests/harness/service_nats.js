// service_nats.js -- a real nats-server with JetStream on a port of its own, and a client in a few lines that makes streams and listens.
//
// With an operator in its configuration it has no JetStream, which would want an account for the system too.
//
//   const s = await nats(t, 'authorization { ... }')     s.url      s.kill(), s.pause(), s.start()
//   const c = await s.client();      await c.request('$JS.API.STREAM.CREATE.S', {...})      c.subscribe('a.>')      c.heard
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { until } = require('./test');
const { freePort } = require('./ports');
const { Service, answers } = require('./service');

// Text in, text out: enough for what is JSON.
class Client {
	constructor(socket, connect) {
		this.socket = socket;
		this.rest = Buffer.alloc(0);
		this.heard = [];
		socket.on('data', (b) => { this.rest = Buffer.concat([this.rest, b]); while (this.take()); });
		socket.on('error', () => {});
		socket.write(`CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true, ...connect })}\r\nPING\r\n`);
	}

	take() {
		const end = this.rest.indexOf('\r\n');
		if (end < 0)
			return false;
		const [op, subject, ...more] = this.rest.subarray(0, end).toString().split(' ');
		let used = end + 2;
		if (op === 'MSG' || op === 'HMSG') {
			const size = Number(more.at(-1)), header = op === 'HMSG' ? Number(more.at(-2)) : 0;
			if (this.rest.length < used + size + 2)
				return false;
			const body = this.rest.subarray(used, used + size);
			this.heard.push({ subject, header: body.subarray(0, header).toString(), payload: body.subarray(header).toString() });
			used += size + 2;
		} else if (op === 'PING') {
			this.socket.write('PONG\r\n');
		} else if (op === 'PONG') {
			this.pongs = (this.pongs || 0) + 1;
		}
		this.rest = this.rest.subarray(used);
		return true;
	}

	async subscribe(subject) {
		const pongs = this.pongs || 0;
		this.socket.write(`SUB ${subject} ${this.sid = (this.sid || 1) + 1}\r\nPING\r\n`);
		await until('the subscription', () => (this.pongs || 0) > pongs);
	}
	async request(subject, body) {
		const text = body === undefined ? '' : JSON.stringify(body), inbox = `_INBOX.test.${this.serial = (this.serial || 0) + 1}`;
		await this.subscribe(inbox);
		this.socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(text)}\r\n${text}\r\n`);
		const { header, payload } = await until(`an answer of ${subject}`, () => this.heard.find((m) => m.subject === inbox));
		if (/^NATS\/1\.0 503/.test(header))
			throw new Error(`${subject}: nobody answers`);
		const answer = JSON.parse(payload);
		if (answer.error)
			throw new Error(`${subject}: ${answer.error.description}`);
		return answer;
	}
}

class Nats extends Service {
	get url() { return `nats://127.0.0.1:${this.port}`; }
	async client(connect = {}) {
		const socket = net.connect(this.port, '127.0.0.1');
		this.clients.push(socket);
		return new Client(socket, connect);
	}
	async stream(name, subjects, more = {}, connect = {}) {
		const c = await this.client(connect);
		await until('JetStream', () => c.request('$JS.API.INFO').then(() => true, () => false));
		await c.request(`$JS.API.STREAM.CREATE.${name}`, { name, subjects, storage: 'file', retention: 'limits', num_replicas: 1, max_msgs: -1, max_bytes: -1,
			max_age: 0, max_msg_size: -1, max_consumers: -1, discard: 'old', ...more });
		return c;
	}
}

async function nats(t, conf = '') {
	const s = new Nats(t, { command: 'nats-server', args: (self) => ['-c', path.join(self.dir, 'conf')], ready: (self) => answers(self.port) });
	s.clients = [];
	t.after(() => s.clients.forEach((c) => c.destroy()));
	s.port = await freePort();
	fs.writeFileSync(path.join(s.dir, 'conf'), `listen: 127.0.0.1:${s.port}\n${conf.includes('operator:') ? '' : `jetstream { store_dir: ${s.dir}/js }`}\n${conf}\n`);
	return s.start();
}

module.exports = { nats };
