// stage.js -- what the rows of `make bench` share: brokers of each kind with equal rules, the load generator, instruction counts, medians.
//
// A broker is bare Mosquitto, Mosquitto with dynamic-security, or Mosquitto with the suite; all have the same listeners (mutual TLS on
// b.port, a unix socket; on request TCP without TLS, b.openPort) and lines in mosquitto.conf. Everything is stopped by its pid.
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const pki = require('../harness/pki');
const { freePort } = require('../harness/ports');
const { Operator } = require('../harness/control');
const { Preload } = require('../chaos/preload');

const BUILD = path.resolve(process.env.SKEETER_BUILD || 'build');
const STATEMENTS = 10;
const cleanups = [];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Ten statements; what the load publishes is allowed by the last one.
const TOPICS = [1, 2, 3, 4, 5, 6, 7].map((i) => `factory/hall-${i}/*`).concat('bench/*');
const aws = (kind, name) => `arn:aws:iot:us-east-1:123456789012:${kind}/${name}`;
const POLICY = { Version: '2012-10-17', Statement: [
	{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' },
	{ Effect: 'Allow', Action: 'iot:Subscribe', Resource: '*' },
	...TOPICS.map((t) => ({ Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: aws('topic', t) })),
] };
const SHADOWS = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] };

// The same rules in dynamic-security's words; it identifies clients by a password.
function dynsecConfig() {
	const salt = crypto.randomBytes(12), iterations = 101;
	const acl = (acltype, topic) => ({ acltype, topic, priority: 0, allow: true });
	const acls = [acl('subscribePattern', '#'), acl('unsubscribePattern', '#'),
		...TOPICS.flatMap((t) => ['publishClientSend', 'publishClientReceive'].map((type) => acl(type, t.replace('*', '#'))))];
	return JSON.stringify({
		defaultACLAccess: { publishClientSend: false, publishClientReceive: false, subscribe: false, unsubscribe: true },
		clients: [{ username: 'load', textname: '', textdescription: '', roles: [{ rolename: 'bench', priority: -1 }],
			password: crypto.pbkdf2Sync('load', salt, iterations, 64, 'sha512').toString('base64'), salt: salt.toString('base64'), iterations }],
		groups: [], roles: [{ rolename: 'bench', acls }],
	});
}

const KINDS = {
	bare: { lines: () => ['allow_anonymous true'], login: [] },
	noop: { lines: () => ['allow_anonymous false', `plugin ${BUILD}/bench/noop.so`], login: [] },
	single: { lines: () => ['allow_anonymous false', `plugin ${BUILD}/bench/noop.so`, 'plugin_opt_threads false'], login: [] },
	dynsec: {
		lines: (b) => {
			fs.writeFileSync(path.join(b.dir, 'dynsec.json'), dynsecConfig());
			return ['allow_anonymous false', 'plugin /usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so',
				`plugin_opt_config_file ${b.dir}/dynsec.json`];
		},
		login: ['user=load', 'password=load'],
	},
	skeeter: {
		lines: (b) => ['allow_anonymous false', `plugin ${BUILD}/skeeter_core.so`, `plugin_opt_data ${b.dir}/data`,
			`plugin_opt_operators ${b.socket}`, 'plugin_opt_device_rate 0', 'plugin_opt_device_in_flight 0', 'plugin_opt_sys_interval 0', ...b.core,
			`plugin ${BUILD}/skeeter_auth.so`, 'plugin_opt_others allow', `plugin ${BUILD}/skeeter_registry.so`, `plugin ${BUILD}/skeeter_shadow.so`, ...b.more],
		login: [],
	},
};

class Broker {
	constructor(kind, { wrap = [], core = [], more = [], open = false } = {}) {
		Object.assign(this, { kind, wrap, core, more, open, dir: fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-bench-')), log: '' });
		fs.chmodSync(this.dir, 0o755);
		this.socket = path.join(this.dir, 'op.sock');
		this.plainSocket = path.join(this.dir, 'plain.sock');
	}

	conf() {
		const ca = pki.authority(), server = pki.server();
		return ['per_listener_settings false', 'set_tcp_nodelay true', 'log_dest stderr', 'log_type error', 'sys_interval 0',
			'max_queued_messages 100000', process.getuid() === 0 ? 'user root' : '',
			`listener ${this.port} 127.0.0.1`, `cafile ${ca.crt}`, `certfile ${server.crt}`, `keyfile ${server.key}`, 'require_certificate true',
			...this.open ? [`listener ${this.openPort} 127.0.0.1`] : [], `listener 0 ${this.socket}`, `listener 0 ${this.plainSocket}`, ...KINDS[this.kind].lines(this), ''].join('\n');
	}

	async start() {
		this.port = this.port || await freePort();
		this.openPort = this.openPort || await freePort();
		fs.writeFileSync(path.join(this.dir, 'mosquitto.conf'), this.conf());
		const words = [...this.wrap, '/usr/sbin/mosquitto', '-c', path.join(this.dir, 'mosquitto.conf')];
		for (const s of [this.socket, this.plainSocket])
			fs.rmSync(s, { force: true });
		const began = process.hrtime.bigint();
		this.child = spawn(words[0], words.slice(1), { cwd: this.dir, stdio: ['ignore', 'ignore', 'pipe'] });
		this.child.stderr.on('data', (d) => { this.log += d; });
		this.gone = new Promise((done) => this.child.on('close', done));
		const end = Date.now() + 60000;
		while (!await answers(this.plainSocket)) {
			if (this.child.exitCode !== null || Date.now() > end)
				throw new Error(`${this.kind} does not start: ${this.log}`);
			await sleep(2);
		}
		this.startMs = Number(process.hrtime.bigint() - began) / 1e6;
		return this;
	}

	get pid() { return this.child.pid; }

	async stop(signal = 'SIGTERM') {
		if (!this.child)
			return;
		if (this.operator)
			await this.operator.end();
		this.operator = null;
		this.child.kill(signal);
		await this.gone;
		this.child = null;
	}

	async destroy() {
		await this.stop();
		fs.rmSync(this.dir, { recursive: true, force: true });
	}

	async call(command, input) {
		this.operator = this.operator || await Operator.connect(this.socket);
		return this.operator.call(command, input);
	}

	// The certificate that the load shows, with these rules.
	async allow(document = POLICY, name = 'load') {
		if (this.kind !== 'skeeter')
			return;
		const { certificateArn } = await this.call('RegisterCertificateWithoutCA', { certificatePem: pki.certificate(name).pem, status: 'ACTIVE' });
		await this.call('CreatePolicy', { policyName: name, policyDocument: JSON.stringify(document) });
		await this.call('AttachPolicy', { policyName: name, target: certificateArn });
	}

	counters() { return this.call('DescribeCounters', {}); }

	memory() {
		return Number(/RssAnon:\s*(\d+)/.exec(fs.readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
	}

	files() { return fs.readdirSync(`/proc/${this.pid}/fd`).length; }

	cpu() { return cpu(this.pid); }

	words({ tls = true, socket = 'operator' } = {}) {
		const c = pki.certificate('load');
		if (!tls)
			return [`to=${socket === 'operator' ? this.socket : this.plainSocket}`, ...KINDS[this.kind].login];
		return [`to=${this.port}`, `cafile=${pki.authority().crt}`, `cert=${c.crt}`, `key=${c.key}`, ...KINDS[this.kind].login];
	}
}

// Seconds that the threads of a process have run.
function cpu(pid) {
	const tasks = fs.readdirSync(`/proc/${pid}/task`);
	return tasks.reduce((sum, t) => sum + Number(fs.readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9;
}

function answers(socket) {
	return new Promise((done) => {
		const s = net.createConnection(socket, () => { s.destroy(); done(true); });
		s.on('error', () => done(false));
	});
}

async function broker(kind, options) {
	const b = new Broker(kind, options);
	cleanups.push(() => b.destroy());
	return b.start();
}

// A broker whose turns of the loop are timed and whose disk can be made to stand still: b.probe.
async function probed(kind, options) {
	const b = new Broker(kind, options);
	b.probe = new Preload(b.dir, path.join(b.dir, 'data'));
	b.wrap = ['env', ...named(b.probe.env)];
	cleanups.push(() => b.destroy());
	return b.start();
}

// -- the load

const named = (o) => Object.entries(o).map(([k, v]) => `${k}=${v}`);

// Runs the generator to its end; the last line is the result, those before it the intervals.
function load(b, kind, options, where, each = () => {}) {
	const child = spawn(path.join(BUILD, 'bench/load'), [kind, ...b.words(where), `pid=${b.pid}`, ...named(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
	const lines = [];
	let rest = '', errors = '';
	child.stderr.on('data', (d) => { errors += d; });
	child.stdout.on('data', (d) => {
		const parts = (rest + d).split('\n');
		rest = parts.pop();
		for (const p of parts) {
			lines.push(JSON.parse(p));
			each(lines.at(-1));
		}
	});
	return new Promise((done, fail) => child.on('close', (code) => (code ? fail(new Error(`${b.kind}: ${errors}${b.log}`)) : done(lines.at(-1)))));
}

// A program that says a line when it is where it should be, and stays until leave().
async function staying(program, words) {
	const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
	const lines = [];
	let heard, rest = '';
	child.stdout.on('data', (d) => {
		const parts = (rest + d).split('\n');
		rest = parts.pop();
		lines.push(...parts);
		if (heard && parts.length)
			heard();
	});
	const gone = new Promise((done) => child.on('close', () => { if (heard) heard(); done(); }));
	return {
		lines,
		next: async (n) => { while (lines.length < n && child.exitCode === null) await new Promise((done) => { heard = done; }); return lines[n - 1]; },
		go: () => child.stdin.write('\n'),
		leave: async () => { child.stdin.end(); await gone; },
	};
}
const idle = async (b, kind, options, where) => {
	const s = await staying(path.join(BUILD, 'bench/load'), [kind, ...b.words(where), `pid=${b.pid}`, ...named(options)]);
	if (await s.next(1) !== 'ready')
		throw new Error(`${b.kind}: the devices did not connect: ${b.log}`);
	return s;
};

// -- instructions

const grind = (dir) => ['valgrind', '-q', '--tool=callgrind', `--callgrind-out-file=${dir}/grind`];

async function ground(kind, options) {
	const b = new Broker(kind, options);
	b.wrap = grind(b.dir);
	cleanups.push(() => b.destroy());
	return b.start();
}

// Ends a part and answers its instructions, of all threads.
function part(b) {
	execFileSync('callgrind_control', ['-d', String(b.pid)], { stdio: 'ignore' });
	const files = fs.readdirSync(b.dir).filter((f) => /^grind\.\d+$/.test(f)).sort((x, y) => x.slice(6) - y.slice(6));
	return Number(/^totals: (\d+)/m.exec(fs.readFileSync(path.join(b.dir, files.at(-1)), 'utf8'))[1]);
}

// What one more costs: run(n) twice, with n and 3n.
async function marginal(b, n, run) {
	await run(n);
	part(b);
	await run(n);
	const few = part(b);
	await run(3 * n);
	return (part(b) - few) / (2 * n);
}

// -- numbers

const sorted = (v) => [...v].sort((x, y) => x - y);
const median = (v) => sorted(v)[Math.floor((v.length - 1) / 2)];
const spread = (v, digits = 2) => `${median(v).toFixed(digits)} (${Math.min(...v).toFixed(digits)} to ${Math.max(...v).toFixed(digits)})`;

async function cleanup() {
	for (const fn of cleanups.splice(0).reverse())
		await fn();
}

module.exports = { BUILD, Broker, POLICY, SHADOWS, STATEMENTS, broker, cleanup, cleanups, cpu, freePort, ground, idle, load, marginal, median, part, probed, sleep, spread, staying };
