// service_amqp.js -- a real rabbitmq-server with an epmd of its own, what is in it defined before it starts, and a client in a few lines that reads queues.
//
//   const r = await amqp(t, { port, queues: [{ name: 'q' }], bindings: [...] })      r.url, r.tlsUrl
//   await r.read('q', enough)      the messages of the queue, when enough(they) is true or there are so many: [{ body, key, exchange, id, headers, mode, type, expiration }, ...]
//                                  They stay in it, and it takes the server a while to put them back: a queue is read once.
//
// Starting takes it some 8 s of a processor: a file of tests has one for all. Its users are `user` with `right-pass`, and `writer`, who may write to "d..." only.
'use strict';
const { execFile, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { promisify } = require('node:util');
const { until } = require('./test');
const pki = require('./pki');
const { freePort } = require('./ports');
const { Service, answers } = require('./service');
const run = promisify(execFile);

function user(name, password) {
	const salt = crypto.randomBytes(4), hash = crypto.createHash('sha256').update(Buffer.concat([salt, Buffer.from(password)])).digest();
	return { name, password_hash: Buffer.concat([salt, hash]).toString('base64'), hashing_algorithm: 'rabbit_password_hashing_sha256', tags: '' };
}

function definitions(more) {
	const durable = (list = []) => list.map((one) => ({ vhost: '/', durable: true, auto_delete: false, arguments: {}, ...one }));
	const permission = (name, write) => ({ user: name, vhost: '/', configure: '.*', write, read: '.*' });
	return JSON.stringify({
		users: [user('user', 'right-pass'), user('writer', 'right-pass')], vhosts: [{ name: '/' }], permissions: [permission('user', '.*'), permission('writer', '^d')],
		queues: durable(more.queues), exchanges: durable(more.exchanges).map((e) => ({ type: 'direct', internal: false, ...e })),
		bindings: (more.bindings || []).map((b) => ({ vhost: '/', destination_type: 'queue', arguments: {}, ...b })), policies: [],
	});
}

// -- AMQP for reading --

const short = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const long = (text) => Buffer.concat([uint(4, Buffer.byteLength(text)), Buffer.from(text)]);
function uint(size, value) {
	const b = Buffer.alloc(size);
	b.writeUIntBE(value, 0, size);
	return b;
}
function method(channel, c, m, ...parts) {
	const body = Buffer.concat([uint(2, c), uint(2, m), ...parts]);
	return Buffer.concat([Buffer.from([1]), uint(2, channel), uint(4, body.length), body, Buffer.from([0xce])]);
}

class Cursor {
	constructor(b) { this.b = b; this.at = 0; }
	uint(n) { this.at += n; return this.b.readUIntBE(this.at - n, n); }
	bytes(n) { this.at += n; return this.b.subarray(this.at - n, this.at); }
	short() { return this.bytes(this.uint(1)).toString(); }
	texts() {
		const table = new Cursor(this.bytes(this.uint(4))), out = {};
		while (table.at < table.b.length) {
			const name = table.short();
			table.uint(1);
			out[name] = table.bytes(table.uint(4)).toString();
		}
		return out;
	}
}

function properties(cursor) {
	cursor.uint(4);
	const size = cursor.uint(2) * 2 ** 48 + cursor.uint(6), flags = cursor.uint(2), has = (bit) => flags & 1 << bit;
	return { size, type: has(15) ? cursor.short() : undefined, headers: has(13) ? cursor.texts() : {}, mode: has(12) ? cursor.uint(1) : 0,
		expiration: has(8) ? cursor.short() : undefined, id: has(7) ? cursor.short() : undefined, time: has(6) ? cursor.uint(2) * 2 ** 48 + cursor.uint(6) : 0 };
}

class Reader {
	constructor(port, queue) {
		this.messages = [];
		this.rest = Buffer.alloc(0);
		this.queue = queue;
		this.socket = net.connect(port, '127.0.0.1', () => this.socket.write('AMQP\0\0\x09\x01'));
		this.socket.on('error', () => {});
		this.socket.on('data', (b) => { this.rest = Buffer.concat([this.rest, b]); while (this.take()); });
	}

	take() {
		const size = this.rest.length < 7 ? Infinity : this.rest.readUInt32BE(3);
		if (this.rest.length < size + 8)
			return false;
		const type = this.rest[0], body = new Cursor(this.rest.subarray(7, 7 + size));
		this.rest = this.rest.subarray(size + 8);
		if (type === 1)
			this.on(`${body.uint(2)}.${body.uint(2)}`, body);
		else if (type === 2)
			this.ended(Object.assign(this.message, properties(body), { body: '' }));
		else if (type === 3)
			this.ended(Object.assign(this.message, { body: this.message.body + body.b.toString() }));
		return true;
	}
	ended(m) {
		if (Buffer.byteLength(m.body) >= m.size)
			this.messages.push(m);
	}
	on(id, body) {
		const next = {
			'10.10': () => [method(0, 10, 11, uint(4, 0), short('PLAIN'), long('\0user\0right-pass'), short('en_US'))],
			'10.30': () => [method(0, 10, 31, uint(2, 1), uint(4, 131072), uint(2, 0)), method(0, 10, 40, short('/'), short(''), Buffer.from([0]))],
			'10.41': () => [method(1, 20, 10, short(''))],
			'20.11': () => [method(1, 60, 20, uint(2, 0), short(this.queue), short(''), Buffer.from([0]), uint(4, 0))],
			'60.60': () => {
				body.short();
				body.uint(8 - 2);
				body.uint(3);
				[this.message] = [{ exchange: body.short(), key: body.short() }];
				return [];
			},
		}[id];
		for (const frame of next ? next() : [])
			this.socket.write(frame);
	}
}

// Who is known to an epmd: "name skeeter10241 at port 10242".
function names(port) {
	return new Promise((done, fail) => {
		const chunks = [], s = net.connect(port, '127.0.0.1', () => s.write(Buffer.from([0, 1, 0x6e])));
		s.on('error', fail).on('data', (b) => chunks.push(b)).on('end', () => done(Buffer.concat(chunks).subarray(4).toString()));
	});
}

class Amqp extends Service {
	// A node whose name epmd still has does not start.
	async start() {
		await until('epmd to forget the node', async () => !(await names(this.epmdPort)).includes(`name ${this.node.split('@')[0]} `));
		return super.start();
	}
	get url() { return `amqp://user:right-pass@127.0.0.1:${this.port}`; }
	get tlsUrl() { return `amqps://user:right-pass@127.0.0.1:${this.tlsPort}`; }
	async read(queue, enough) {
		const reader = new Reader(this.port, queue), all = typeof enough === 'number' ? (list) => list.length >= enough : enough;
		try {
			await until(() => `messages of ${queue}; there are ${reader.messages.length}`, () => all(reader.messages));
		} finally {
			reader.socket.destroy();
		}
		return reader.messages;
	}
	ctl(...args) { return run('/usr/lib/rabbitmq/bin/rabbitmqctl', ['-q', '-n', this.node, ...args], { env: { ...process.env, ...this.spec.env } }); }
}

async function amqp(t, more = {}) {
	const { crt, key } = pki.server(), epmdPort = await freePort(), home = (self, ...name) => path.join(self.dir, ...name);
	const s = new Amqp(t, { command: '/usr/lib/rabbitmq/bin/rabbitmq-server', ready: async (self) => await answers(self.port) && answers(self.tlsPort) });
	s.epmdPort = epmdPort;
	s.port = more.port || await freePort();
	s.tlsPort = await freePort();
	s.node = `skeeter${s.port}@localhost`;
	s.spec.env = { HOME: s.dir, RABBITMQ_NODENAME: s.node, RABBITMQ_MNESIA_BASE: home(s, 'mnesia'), RABBITMQ_LOG_BASE: home(s, 'log'), RABBITMQ_LOGS: '-',
		RABBITMQ_CONFIG_FILE: home(s, 'rabbitmq.conf'), RABBITMQ_ADVANCED_CONFIG_FILE: home(s, 'advanced.config'), RABBITMQ_CONF_ENV_FILE: home(s, 'env.conf'),
		RABBITMQ_ENABLED_PLUGINS_FILE: home(s, 'plugins'), RABBITMQ_DIST_PORT: String(await freePort()), RABBITMQ_PID_FILE: home(s, 'pid'),
		ERL_EPMD_ADDRESS: '127.0.0.1', ERL_EPMD_PORT: String(epmdPort), RABBITMQ_ALLOW_INPUT: '1', RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput +S 2:2 +sbwt none', LANG: 'C.UTF-8' };
	fs.writeFileSync(home(s, 'env.conf'), '');
	fs.writeFileSync(home(s, 'plugins'), '[].\n');
	fs.writeFileSync(home(s, 'definitions.json'), definitions(more));
	fs.writeFileSync(home(s, 'rabbitmq.conf'), [`listeners.tcp.1 = 127.0.0.1:${s.port}`, `listeners.ssl.1 = 127.0.0.1:${s.tlsPort}`, `ssl_options.cacertfile = ${pki.authority().crt}`,
		`ssl_options.certfile = ${crt}`, `ssl_options.keyfile = ${key}`, 'ssl_options.verify = verify_none', `load_definitions = ${home(s, 'definitions.json')}`, 'disk_free_limit.absolute = 1MB', ''].join('\n'));
	const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], { stdio: 'ignore' });
	t.after(() => epmd.kill('SIGKILL'));
	await until('epmd', () => answers(epmdPort));
	return s.start();
}

module.exports = { amqp };
