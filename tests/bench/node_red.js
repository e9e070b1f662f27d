// node_red.js -- Node-RED as a rule engine beside a broker: one flow, from a topic through a switch to a topic, over MQTT without TLS.
//
// What its palette offers for this: mqtt in, which parses JSON itself, switch, mqtt out. No editor, no HTTP, nothing logged but errors.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { cleanups, cpu, sleep } = require('./stage');

const FOLDER = path.join(__dirname, 'node-red/node_modules/node-red');
const version = JSON.parse(fs.readFileSync(path.join(__dirname, 'node-red/package.json'), 'utf8')).dependencies['node-red'];

const flow = (port, { from, above, to }) => [
	{ id: 'tab', type: 'tab', label: 'rule' },
	{ id: 'broker', type: 'mqtt-broker', broker: '127.0.0.1', port: String(port), clientid: 'node-red', autoConnect: true, usetls: false, protocolVersion: '4', keepalive: '60', cleansession: true },
	{ id: 'in', type: 'mqtt in', z: 'tab', topic: from, qos: '0', datatype: 'json', broker: 'broker', inputs: 0, wires: [['above']] },
	{ id: 'above', type: 'switch', z: 'tab', property: 'payload.temp', propertyType: 'msg', rules: [{ t: 'gt', v: String(above), vt: 'num' }], checkall: 'false', repair: false, outputs: 1, wires: [['out']] },
	{ id: 'out', type: 'mqtt out', z: 'tab', topic: to, qos: '0', retain: 'false', broker: 'broker', wires: [] },
];
const SETTINGS = `module.exports = { flowFile: 'flows.json', httpAdminRoot: false, httpNodeRoot: false, disableEditor: true, credentialSecret: false,
	telemetry: { enabled: false }, externalModules: { palette: { allowInstall: false } }, logging: { console: { level: 'info', metrics: false, audit: false } } };\n`;

class NodeRed {
	constructor(b, rule) {
		Object.assign(this, { b, rule, dir: fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-node-red-')), log: '' });
		cleanups.push(() => this.destroy());
	}

	get pid() { return this.child.pid; }
	cpu() { return cpu(this.pid); }

	async start() {
		fs.writeFileSync(path.join(this.dir, 'flows.json'), JSON.stringify(flow(this.b.openPort, this.rule)));
		fs.writeFileSync(path.join(this.dir, 'settings.js'), SETTINGS);
		this.child = spawn(process.execPath, [path.join(FOLDER, 'red.js'), '--userDir', this.dir, '--settings', path.join(this.dir, 'settings.js')],
			{ cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'production' } });
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on('data', (d) => { this.log += d; });
		this.gone = new Promise((done) => this.child.on('close', done));
		for (const end = Date.now() + 60000; !this.log.includes('Connected to broker'); await sleep(20))
			if (this.child.exitCode !== null || Date.now() > end)
				throw new Error(`Node-RED does not start: ${this.log}`);
		await sleep(500); // its subscription
		return this;
	}

	async stop() {
		if (!this.child)
			return;
		this.child.kill('SIGKILL');
		await this.gone;
		this.child = null;
	}

	async destroy() {
		await this.stop();
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

module.exports = { NodeRed, version };
