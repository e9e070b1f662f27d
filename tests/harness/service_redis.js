// service_redis.js -- a real redis-server on a port of its own that writes everything to its file before it answers, with TLS and a unix socket too.
//
//   const r = await redis(t);      r.url, r.tlsUrl, r.socket      await r.cli('XLEN', 's')      r.kill(), r.pause(), r.start()
'use strict';
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const pki = require('./pki');
const { freePort } = require('./ports');
const { Service, answers } = require('./service');
const run = promisify(execFile);

class Redis extends Service {
	get url() { return `redis://127.0.0.1:${this.port}`; }
	get tlsUrl() { return `rediss://127.0.0.1:${this.tlsPort}`; }
	get socket() { return path.join(this.dir, 'redis.sock'); }
	async cli(...args) {
		return (await run('redis-cli', ['-p', String(this.port), ...args], { maxBuffer: 1 << 26 })).stdout.trim();
	}
}

async function redis(t, more = []) {
	const server = pki.server();
	const s = new Redis(t, {
		command: 'redis-server',
		args: (self) => ['--port', self.port, '--bind', '127.0.0.1', '--dir', self.dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always',
			'--unixsocket', self.socket, '--tls-port', self.tlsPort, '--tls-cert-file', server.crt, '--tls-key-file', server.key, '--tls-ca-cert-file', pki.authority().crt,
			'--tls-auth-clients', 'no', '--busy-reply-threshold', '50', ...more].map(String),
		ready: async (self) => await answers(self.port) && /^PONG/.test(await self.cli('PING').catch(() => '')),
	});
	s.port = await freePort();
	s.tlsPort = await freePort();
	return s.start();
}

module.exports = { redis };
