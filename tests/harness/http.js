// http.js -- a broker that speaks HTTP too, and two ways to talk to it: whole requests, and bytes over a bare socket.
//
//   const h = await serve(t, { options: { http: { auth: 'open' } } });
//   await h.ask('POST', '/things/lamp', {})            {status, headers, text, json}
//   const s = await h.socket(); s.write('GET / ...'); await s.reply()
'use strict';
const http = require('node:http');
const net = require('node:net');
const { create, freePort, ALL } = require('./broker');
const { until } = require('./test');

class Socket {
	constructor(port) {
		this.bytes = Buffer.alloc(0);
		this.closed = false;
		this.socket = net.connect(port, '127.0.0.1');
		this.socket.on('data', (d) => { this.bytes = Buffer.concat([this.bytes, d]); });
		this.socket.on('error', () => {});
		this.socket.on('close', () => { this.closed = true; });
		this.socket.on('end', () => { this.ended = true; });
	}
	open() { return new Promise((done, fail) => { this.socket.once('connect', () => done(this)); this.socket.once('error', fail); }); }
	write(text) { this.socket.write(text); return this; }
	end() { this.socket.end(); }
	destroy() { this.socket.destroy(); }
	closes() { return until(() => `the server to close; it has sent ${this.bytes.length} bytes`, () => this.closed || this.ended); }

	// Takes one answer with a Content-Length off what has come; null: it is not there yet.
	take() {
		const head = this.bytes.indexOf('\r\n\r\n');
		const text = this.bytes.subarray(0, head).toString();
		const length = Number((/^content-length: *(\d+)/im.exec(text) || [0, 0])[1]);
		if (head < 0 || this.bytes.length < head + 4 + length)
			return null;
		const body = this.bytes.subarray(head + 4, head + 4 + length).toString();
		this.bytes = this.bytes.subarray(head + 4 + length);
		return { status: Number(text.split(' ')[1]), head: text, text: body, close: /^connection: close/im.test(text) };
	}
	reply() { return until(() => `an answer, there are ${this.bytes.length} bytes: ${this.bytes.toString().slice(0, 300)}`, () => this.take()); }
}

class Http {
	constructor(b, keepAlive) {
		this.b = b;
		this.sockets = [];
		this.agent = new http.Agent({ keepAlive });
	}
	get port() { return this.b.httpPort; }
	get url() { return `http://127.0.0.1:${this.port}`; }

	async socket() {
		const s = new Socket(this.port);
		this.sockets.push(s);
		return s.open();
	}

	ask(method, path, body, headers = {}) {
		const data = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		const length = data === undefined ? {} : { 'content-length': Buffer.byteLength(data) };
		return new Promise((done, fail) => {
			const q = http.request({ port: this.port, host: '127.0.0.1', method, path, agent: this.agent, headers: { ...length, ...headers } }, (r) => {
				let text = '';
				r.on('data', (d) => { text += d; });
				r.on('end', () => done({ status: r.statusCode, headers: r.headers, text, json: /json/.test(r.headers['content-type']) && text ? JSON.parse(text) : null }));
				r.on('error', fail);
			});
			q.on('error', fail);
			q.end(data);
		});
	}

	// The value of a series of /metrics, 0 when it is not there.
	async metric(name) {
		const { text } = await this.ask('GET', '/metrics');
		const line = text.split('\n').find((l) => l.startsWith(`${name} `));
		return line ? Number(line.split(' ').pop()) : 0;
	}

	end() {
		this.agent.destroy();
		this.sockets.forEach((s) => s.destroy());
	}
}

// A broker with skeeter_http that is not started yet; spec.options.http may change what is said here.
async function prepare(t, spec = {}) {
	const port = await freePort();
	const options = { ...spec.options, http: { listen: `127.0.0.1:${port}`, auth: 'open', ...(spec.options || {}).http } };
	const b = create(t, { ...spec, plugins: [...spec.plugins || ALL, 'http'], options });
	b.httpPort = port;
	const h = new Http(b, !options.http.idle); /* one that is kept could be sent on in the moment in which the server ends it */
	t.after(() => h.end());
	return h;
}

async function serve(t, spec = {}) {
	const h = await prepare(t, spec);
	await h.b.start();
	await until('HTTP to answer', () => h.ask('GET', '/healthz').then(() => true, () => false));
	return h;
}

module.exports = { serve, prepare };
