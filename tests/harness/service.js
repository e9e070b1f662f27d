// service.js -- a server that a sink sends to, as a process of its own in a temporary folder: begun by the test, ended by its pid.
//
//   const s = new Service(t, { command, args, env, ready: async () => true when it answers });   await s.start();
//
// s.dir is its folder, which goes when the test ends, as the process does. kill() is -9; pause() and resume() are SIGSTOP, with which it has stood still, and SIGCONT. What it
// prints is shown when the test fails.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { until } = require('./test');

// Where services have their folders. Those that are not root must be able to go there, and a unix socket's name has 108 bytes.
function place() {
	const dir = fs.realpathSync(os.tmpdir());
	let open = dir.length < 60;
	for (let at = dir; open && at !== '/'; at = path.dirname(at))
		open = process.getuid() !== 0 || Boolean(fs.statSync(at).mode & 1);
	return open ? dir : '/tmp';
}

// A signal that stops a process is taken by one of its threads: until that one has its turn the others go on.
function still(of) {
	const words = (file) => {
		try {
			return fs.readFileSync(file, 'latin1').replace(/^.*\) /s, '').split(' '); /* state, parent, group */
		} catch {
			return ['Z'];
		}
	};
	const numbers = (dir) => (fs.existsSync(dir) ? fs.readdirSync(dir).filter((n) => /^\d+$/.test(n)) : []);
	const group = numbers('/proc').filter((pid) => of(Number(pid), Number(words(`/proc/${pid}/stat`)[2])));
	return until('it to stand still', () => group.every((pid) => numbers(`/proc/${pid}/task`).every((id) => 'TtZX'.includes(words(`/proc/${pid}/task/${id}/stat`)[0]))));
}

class Service {
	constructor(t, spec) {
		this.spec = spec;
		this.dir = fs.mkdtempSync(path.join(place(), 'skeeter-service-'));
		fs.chmodSync(this.dir, 0o755);
		this.log = '';
		this.child = null;
		t.onFail(() => `${spec.command}:\n${this.log.split('\n').slice(-30).join('\n')}`);
		t.after(() => this.destroy());
	}

	async start() {
		const { command, args, env, ready } = this.spec;
		const child = this.child = spawn(command, typeof args === 'function' ? args(this) : args || [],
			{ detached: true, cwd: this.dir, env: { ...process.env, TMPDIR: this.dir, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		this.exit = new Promise((done) => child.on('close', () => { child.gone = true; done(); }));
		child.on('error', (e) => { this.log += `${e}\n`; child.gone = true; });
		for (const stream of [child.stdout, child.stderr])
			stream.on('data', (d) => { this.log += d; });
		await until(() => `${command} to answer:\n${this.log}`, async () => child.gone || ready(this), 120000);
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
	pause() {
		this.signal('SIGSTOP');
		return still((pid, group) => group === this.child.pid);
	}
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

// A database's own client that stays: its transaction is open until the test says otherwise.
class Session {
	constructor(t, command, args, env) {
		const child = this.child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
		this.serial = 0;
		this.out = this.log = '';
		child.stdin.on('error', () => {});
		child.stdout.setEncoding('utf8').on('data', (d) => { this.out += d; });
		child.stderr.on('data', (d) => { this.log += d; });
		this.exit = new Promise((done) => child.on('close', () => { this.gone = true; done(); }));
		t.after(() => this.end());
	}
	// When the server has answered.
	async sql(text) {
		const mark = `said ${++this.serial}\n`;
		this.child.stdin.write(`${text};\nSELECT '${mark.trim()}';\n`);
		await until(() => `an answer to ${text}; ${this.log}`, () => this.gone || this.out.includes(mark));
		if (!this.out.includes(mark))
			throw new Error(`${text}: ${this.log}`);
	}
	async end() {
		this.child.stdin.end();
		await this.exit;
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

// A server of the test's own, when it listens on the port.
function listen(server, port) {
	return new Promise((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', () => done(server)));
}

module.exports = { Service, Session, answers, listen, still };
