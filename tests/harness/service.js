// service.js -- a server that a sink sends to, as a process of its own in a temporary folder: begun by the test, ended by its pid.
//
//   const s = new Service(t, { command, args, env, ready: async () => true when it answers });   await s.start();
//
// s.dir is its folder, which goes when the test ends, as the process does. kill() is -9; pause() and resume() are SIGSTOP and SIGCONT. What it
// prints is shown when the test fails.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { until } = require('./test');

class Service {
	constructor(t, spec) {
		this.spec = spec;
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-service-'));
		fs.chmodSync(this.dir, 0o755);
		this.log = '';
		this.child = null;
		t.onFail(() => `${spec.command}:\n${this.log.split('\n').slice(-30).join('\n')}`);
		t.after(() => this.destroy());
	}

	async start() {
		const { command, args, env, ready, patience } = this.spec;
		const child = this.child = spawn(command, typeof args === 'function' ? args(this) : args || [],
			{ detached: true, cwd: this.dir, env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		this.exit = new Promise((done) => child.on('close', () => { child.gone = true; done(); }));
		child.on('error', (e) => { this.log += `${e}\n`; child.gone = true; });
		for (const stream of [child.stdout, child.stderr])
			stream.on('data', (d) => { this.log += d; });
		await until(() => `${command} to answer:\n${this.log}`, async () => child.gone || ready(this), patience);
		if (child.gone)
			throw new Error(`${command} ended while it was starting:\n${this.log}`);
		return this;
	}

	// Of all that it has begun: it is a group of processes of its own.
	signal(name, child = this.child) {
		try {
			process.kill(-child.pid, name);
		} catch (e) {
			if (e.code !== 'ESRCH')
				throw e;
		}
	}
	pause() { this.signal('SIGSTOP'); }
	resume() { this.signal('SIGCONT'); }

	async stop(signal = 'SIGTERM') {
		const child = this.child;
		this.child = null;
		if (!child || child.gone)
			return;
		this.signal('SIGCONT', child);
		this.signal(signal, child);
		const killer = setTimeout(() => this.signal('SIGKILL', child), 15000);
		await this.exit;
		clearTimeout(killer);
	}
	kill() { return this.stop('SIGKILL'); }

	async destroy() {
		await this.stop('SIGKILL');
		fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
	}
}

// True when something listens there.
function answers(port) {
	return new Promise((done) => {
		const s = net.connect(port, '127.0.0.1');
		s.on('connect', () => { s.destroy(); done(true); });
		s.on('error', () => done(false));
	});
}

module.exports = { Service, answers };
