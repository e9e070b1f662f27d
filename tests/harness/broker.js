// broker.js -- a real Mosquitto in a temporary folder with a free port, the built plugins and the options a test names.
//
//   const b = await start(t, { plugins: ['core', 'shadow'], options: { core: { account: '1' } }, plain: true, conf: '...' });
//
// Listeners: TLS with client certificates on b.port, an operator's unix socket b.socket, and b.plainPort if asked for.
// The broker is stopped by its pid when the test ends and must then be gone with exit code 0; its log is printed when
// the test fails. A report of a sanitizer or of valgrind in the log fails the test (watcher.js). SKEETER_BROKER names another Mosquitto than the installed one.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const pki = require('./pki');
const facts = require('./facts');
const watcher = require('./watcher');
const { until, SLOW } = require('./test');
const { freePort } = require('./ports');
const { Operator } = require('./control');
const { Device } = require('./device');

const BUILD = process.env.SKEETER_BUILD || path.resolve(__dirname, '../../build');
const ALL = ['core', 'registry', 'auth', 'shadow'];
const ALLOW_ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] };

class Broker {
	constructor(spec) {
		this.spec = spec;
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-'));
		fs.chmodSync(this.dir, 0o755);
		this.data = spec.data || path.join(this.dir, 'data');
		this.journal = path.join('/dev/shm', path.basename(this.dir));
		this.socket = path.join(this.dir, 'operator.sock');
		this.log = '';
		this.child = null;
		this.operators = [];
		this.devices = [];
	}

	pluginLines() {
		const { plugins = ALL, options = {} } = this.spec;
		const core = { data: this.data, operators: this.socket, device_rate: 0, device_in_flight: 0, ...options.core };
		const usual = { core, rules: { journal: this.journal, ...options.rules }, sink_file: { folder: this.dir, ...options.sink_file } };
		return plugins.flatMap((name) => {
			const file = name.includes('/') ? name : path.join(BUILD, `skeeter_${name}.so`);
			const rows = Object.entries(usual[name] || options[name] || {});
			return [`plugin ${file}`, ...rows.filter(([, v]) => v !== undefined && v !== null).map(([k, v]) => `plugin_opt_${k} ${v}`)];
		});
	}

	configuration() {
		const ca = pki.authority(), server = pki.server();
		return [
			'per_listener_settings false', 'allow_anonymous false', 'set_tcp_nodelay true',
			'log_dest stderr', 'log_type all', 'log_timestamp false', 'max_queued_messages 100000', 'sys_interval 1',
			process.getuid() === 0 ? 'user root' : '',
			`persistence_location ${this.dir}/`, this.spec.conf || '',
			`listener ${this.port} 127.0.0.1`, `cafile ${ca.crt}`, `certfile ${server.crt}`, `keyfile ${server.key}`,
			'require_certificate true',
			`listener 0 ${this.socket}`,
			this.spec.plain ? `listener ${this.plainPort} 127.0.0.1` : '',
			...this.pluginLines(), '',
		].join('\n');
	}

	async launch(leaks = 1) {
		this.port = this.port || await freePort();
		this.plainPort = this.plainPort || await freePort();
		const conf = path.join(this.dir, 'mosquitto.conf');
		fs.writeFileSync(conf, this.configuration());
		const command = [...this.spec.wrap || [], ...watcher.around(leaks), facts.command, '-c', conf];
		const env = { ...process.env, ...this.spec.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
		const child = this.child = spawn(command[0], command.slice(1), { cwd: this.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
		this.exit = new Promise((done) => child.on('close', (code, signal) => { child.gone = true; done({ code, signal }); }));
		child.on('error', (e) => { this.log += `${e}\n`; child.gone = true; });
		for (const stream of [child.stdout, child.stderr])
			stream.on('data', (d) => { this.log += d; });
		this.mark = this.log.length;
	}

	async start() {
		await this.launch();
		await until(() => `the broker to run:\n${this.log}`, () => this.child.gone || / running$/m.test(this.log.slice(this.mark)));
		if (this.child.gone) {
			const { code, signal } = await this.exit;
			this.child = null;
			throw new Error(`the broker ended with code ${code}, signal ${signal} while it was starting`);
		}
		return this;
	}

	// Starts a broker that must refuse to: answers its exit code. Mosquitto itself frees nothing then.
	async refuses() {
		await this.launch(0);
		await until('the broker to refuse', () => this.child.gone);
		const { code } = await this.exit;
		this.child = null;
		this.checkReports();
		return code;
	}

	get pid() { return this.child.pid; }
	signal(name) { process.kill(this.child.pid, name); }

	async stop(signal = 'SIGTERM') {
		if (!this.child)
			return;
		const child = this.child;
		this.child = null;
		if (!child.gone)
			child.kill(signal);
		const killer = setTimeout(() => { this.log += 'did not stop, killed\n'; child.kill('SIGKILL'); }, 30000 * SLOW);
		// Mosquitto forgets a SIGTERM that comes between its line "running" and its loop.
		const again = setInterval(() => / terminating$/m.test(this.log.slice(this.mark)) || child.kill(signal), 1000);
		const { code, signal: by } = await this.exit;
		clearTimeout(killer);
		clearInterval(again);
		this.checkReports();
		if (signal === 'SIGTERM' && code !== 0)
			throw new Error(`the broker ended with code ${code}, signal ${by}`);
	}

	checkReports() {
		const found = watcher.report(this.log);
		if (found)
			throw new Error(`the broker was reported: ${found}`);
	}

	async restart(signal = 'SIGTERM') {
		await this.stop(signal);
		return this.start();
	}

	async destroy() {
		const clients = [...this.operators, ...this.devices];
		await Promise.all(clients.map((c) => c.end()));
		await this.stop().finally(() => [this.dir, this.journal].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));
	}

	// Waits for a log line, by default one that comes from now on.
	logged(pattern, from = this.log.length) {
		return until(() => `log line ${pattern}`, () => pattern.exec(this.log.slice(from)));
	}

	async operator() {
		if (!this.op || !this.op.open) {
			this.op = await Operator.connect(this.socket);
			this.operators.push(this.op);
		}
		return this.op;
	}

	// One operation on $CONTROL: its data, or an error with code, status and message.
	async call(command, input) { return (await this.operator()).call(command, input); }
	// The same for an operation that must fail.
	async refused(command, input) { return (await this.operator()).refused(command, input); }

	// Registers an ACTIVE certificate with a policy of its own and, unless thing is false, a thing of that name.
	async provision(name, policy = ALLOW_ALL, { thing = true } = {}) {
		const certificate = pki.certificate(name);
		const { certificateArn, certificateId } = await this.call('RegisterCertificateWithoutCA', { certificatePem: certificate.pem, status: 'ACTIVE' });
		await this.call('CreatePolicy', { policyName: `${name}-policy`, policyDocument: JSON.stringify(policy) });
		await this.call('AttachPolicy', { policyName: `${name}-policy`, target: certificateArn });
		if (thing) {
			await this.call('CreateThing', { thingName: name });
			await this.call('AttachThingPrincipal', { thingName: name, principal: certificateArn });
		}
		return { certificateArn, certificateId, policyName: `${name}-policy` };
	}

	add(device) {
		this.devices.push(device);
		return device;
	}

	// A client with the certificate of that name; it is not connected yet.
	tls(name, options = {}) {
		const c = options.certificate || pki.certificate(name);
		return this.add(new Device({ protocol: 'mqtts', port: this.port, ca: pki.authority().pem, cert: c.pem, key: c.keyPem,
			clientId: name, ...options }));
	}
	plain(options = {}) {
		return this.add(new Device({ protocol: 'mqtt', port: this.plainPort, ...options }));
	}
	unix(options = {}) {
		return this.add(new Device({ path: this.socket, ...options }));
	}

	// Provision and connect in one go.
	async device(name, policy, options) {
		await this.provision(name, policy);
		return this.tls(name, options).connect();
	}
}

async function start(t, spec = {}) {
	const b = create(t, spec);
	return b.start();
}

function create(t, spec = {}) {
	const b = new Broker(spec);
	t.after(() => b.destroy());
	t.onFail(() => `broker log:\n${b.log.split('\n').slice(-120).join('\n')}`);
	return b;
}

module.exports = { start, create, freePort, ALLOW_ALL, ALL, BUILD };
