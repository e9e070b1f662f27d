// service_redis.js -- a real redis-server on a port of its own that writes everything to its file before it answers, with TLS and a unix socket too.
//
//   const r = await redis(t);      r.url, r.tlsUrl, r.socket      await r.cli('XLEN', 's')      r.kill(), r.pause(), r.start()
//   await redis(t, ['--hz', '50'])                 with more words for redis-server
//   await redis(t, { of: r })                      a replica of it, once it is in step
//   await redis(t, { password: 'p' })              requirepass; cli() says it too
//   await redis(t, { users: ['user a on >p ~* &* +@all'] })    an ACL file
//   await redis(t, { maxmemory: '3mb' })           full at that, nothing is evicted
//   await r.readOnly(true)                         until readOnly(false)
//   r.at({ user, password, path: '/1', query: 'timeout=500', tls: true })    an URL
'use strict';
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const pki = require('./pki');
const { freePort } = require('./ports');
const { Service, answers } = require('./service');
const { until } = require('./test');
const run = promisify(execFile);

class Redis extends Service {
	get url() { return `redis://127.0.0.1:${this.port}`; }
	get tlsUrl() { return `rediss://127.0.0.1:${this.tlsPort}`; }
	get socket() { return path.join(this.dir, 'redis.sock'); }
	at({ user = '', password, path: below = '', query, tls = false }) {
		const who = user || password !== undefined ? `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}@` : '';
		return `redis${tls ? 's' : ''}://${who}127.0.0.1:${tls ? this.tlsPort : this.port}${below}${query ? `?${query}` : ''}`;
	}
	async cli(...args) {
		const env = { ...process.env, ...this.password && { REDISCLI_AUTH: this.password } };
		return (await run('redis-cli', ['-p', String(this.port), ...args], { maxBuffer: 1 << 26, env })).stdout.trim();
	}
	// One of the lines that INFO prints.
	async info(name) {
		return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(await this.cli('INFO'))?.[1];
	}
	// A replica of nobody takes no writes. What it holds stays: there is nobody to be in step with.
	async readOnly(on) {
		await this.cli('REPLICAOF', ...on ? ['127.0.0.1', '1'] : ['NO', 'ONE']);
	}
}

// Words of redis-server for what a test asks for.
function words(self, { of, password, users, maxmemory, args = [] }) {
	const acl = path.join(self.dir, 'users.acl');
	if (users && !fs.existsSync(acl))
		fs.writeFileSync(acl, `${[...users, ...password ? [`user default on >${password} ~* &* +@all`] : []].join('\n')}\n`);
	return [...password ? ['--masterauth', password] : [], ...users ? ['--aclfile', acl] : password ? ['--requirepass', password] : [],
		...maxmemory ? ['--maxmemory', maxmemory, '--maxmemory-policy', 'noeviction'] : [],
		...of ? ['--replicaof', '127.0.0.1', of.port, ...of.password ? ['--masterauth', of.password] : []] : [],
		'--repl-diskless-sync-delay', '0', ...args];
}

async function redis(t, more = {}) {
	const server = pki.server(), wants = Array.isArray(more) ? { args: more } : more;
	const s = new Redis(t, {
		command: 'redis-server',
		args: (self) => ['--port', self.port, '--bind', '127.0.0.1', '--dir', self.dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always',
			'--unixsocket', self.socket, '--tls-port', self.tlsPort, '--tls-cert-file', server.crt, '--tls-key-file', server.key, '--tls-ca-cert-file', pki.authority().crt,
			'--tls-auth-clients', 'no', '--busy-reply-threshold', '50', ...words(self, wants)].map(String),
		ready: async (self) => await answers(self.port) && /^PONG/.test(await self.cli('PING').catch(() => '')),
	});
	s.password = wants.password;
	s.port = await freePort();
	s.tlsPort = await freePort();
	await s.start();
	if (wants.of)
		await until('the replica to be in step', async () => await s.info('master_link_status') === 'up');
	return s;
}

module.exports = { redis, Redis };
