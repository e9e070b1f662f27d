// service_web.js -- a web server of the test's own, with or without TLS, that can be told to misbehave and to go away.
//
//   const w = await web(t, (request, answer) => answer.end(), { tls: true });
//
// A request is { method, path, headers, raw (headers as they came), body, socket }. w.seen has all of them; w.connections counts. w.kill() resets every
// connection and closes the port; w.start() opens the same one again.
'use strict';
const http = require('node:http');
const https = require('node:https');
const pki = require('./pki');
const { freePort } = require('./ports');

class Web {
	constructor(handler, spec) {
		this.handler = handler;
		this.spec = spec;
		this.seen = [];
		this.sockets = new Set();
		this.connections = 0;
		this.atOnce = this.mostAtOnce = 0;
	}
	get url() { return `${this.spec.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`; }

	take(q, s) {
		const chunks = [];
		this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
		s.on('close', () => this.atOnce--);
		s.on('error', () => {});
		q.on('error', () => {});
		q.on('data', (d) => chunks.push(d));
		q.on('end', () => {
			const request = { method: q.method, path: q.url, headers: q.headers, raw: q.rawHeaders, body: Buffer.concat(chunks), socket: q.socket };
			this.seen.push(request);
			this.handler(request, s);
		});
	}

	async start() {
		const tls = this.spec.tls ? { cert: pki.server().pem, key: pki.server().keyPem, ...this.spec.tls } : null;
		this.server = tls ? https.createServer(tls, (q, s) => this.take(q, s)) : http.createServer((q, s) => this.take(q, s));
		this.server.keepAliveTimeout = 0; /* none */
		this.server.on('connection', (c) => {
			this.connections++;
			this.sockets.add(c);
			c.on('close', () => this.sockets.delete(c));
			c.on('error', () => {});
		});
		this.port = this.port || await freePort();
		await new Promise((done, fail) => this.server.on('error', fail).listen(this.port, '127.0.0.1', done));
		return this;
	}

	async kill() {
		const closed = new Promise((done) => this.server.close(done));
		for (const c of this.sockets)
			c.resetAndDestroy();
		await closed;
	}
}

async function web(t, handler, spec = {}) {
	const w = new Web(handler, spec);
	await w.start();
	t.after(() => w.kill());
	return w;
}

module.exports = { web };
