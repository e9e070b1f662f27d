// make run in a copy of the tree: every line that it prints is pasted into a shell, and what comes of it is compared.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test, until } = require('../harness/test');
const { freePort, BUILD } = require('../harness/broker');

const ROOT = path.resolve(__dirname, '../..');
const LINES = [
	'1 Look          build/skeeter things',
	'2 Switch        build/skeeter set lamp on=true        (watch: build/skeeter watch lamp)',
	'3 Unplug it     build/skeeter demo unplug valve; build/skeeter set valve open=true; build/skeeter demo plug valve',
	'                -> it was away, the shadow kept your wish: the delta arrives, the valve opens',
	'4 Break a rule  build/skeeter demo forbid lamp        -> disconnected, and the reason is printed',
	'5 Pull the plug build/skeeter demo kill               -> kill -9, restart, every accepted update still there',
	'6 Your own      build/skeeter new-device kitchen      -> certificate, key and policy, and a line to paste',
	'7 AWS\'s CLI     export AWS_SHARED_CREDENTIALS_FILE=run/credentials; aws --endpoint-url http://127.0.0.1:PORT iot list-things',
	'                aws --endpoint-url http://127.0.0.1:PORT iot-data get-thing-shadow --thing-name lamp /dev/stdout',
	'8 Two rules     build/skeeter set thermometer heater=true; build/skeeter watch valve',
	'                -> above 30 degrees run/rules/demo.lua closes the valve; too_hot, in SQL, sends to alarms/thermometer',
	'                build/skeeter rules top        (watch: build/skeeter rules trace too_hot)',
];
const FIRST = /^Skeeter is up in \d+\.\d s: 3 devices online, broker \d+ MiB, data in run\/data$/;

// A copy with its times, so that what is built stays built.
function copyTree(to) {
	const names = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
	const files = names.split('\0').filter((f) => f && fs.existsSync(path.join(ROOT, f)));
	execFileSync('xargs', ['-0', 'cp', '-a', '--parents', '-t', to], { cwd: ROOT, input: files.join('\0') });
	fs.mkdirSync(path.join(to, 'build'));
	for (const name of fs.readdirSync(BUILD).filter((n) => !['fresh', 'asan', 'tsan', 'fuzz', 'tests'].includes(n)))
		execFileSync('cp', ['-a', path.join(BUILD, name), path.join(to, 'build')]);
}

class Demo {
	constructor(t) {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-demo-'));
		this.env = { ...process.env };
		for (const name of Object.keys(this.env).filter((n) => /^(MAKE|MFLAGS|SKEETER_|B$|PORT$)/.test(n)))
			delete this.env[name];
		t.after(() => {
			this.sh('make -s stop');
			fs.rmSync(this.dir, { recursive: true, force: true });
		});
		t.onFail(() => ['demo.log', 'mosquitto.log'].map((f) => {
			const file = path.join(this.dir, 'run', f);
			return fs.existsSync(file) ? `${f}:\n${fs.readFileSync(file, 'utf8').split('\n').slice(-40).join('\n')}` : `no ${f}`;
		}).join('\n'));
		copyTree(this.dir);
	}
	sh(command, options = {}) {
		const r = spawnSync('sh', ['-c', command], { cwd: this.dir, env: this.env, encoding: 'utf8', timeout: 300000, stdio: ['ignore', 'pipe', 'pipe'], ...options });
		return { code: r.status, out: r.stdout, all: `${r.stdout}${r.stderr}` };
	}
	// Runs a line that must succeed.
	paste(command) {
		const r = this.sh(command);
		assert.equal(r.code, 0, `${command}: ${r.all}`);
		return r.all;
	}
	// Runs the JavaScript that new-device prints, with the SDK of the tests.
	snippet(printed) {
		fs.writeFileSync(path.join(this.dir, 'snippet.js'), printed.slice(printed.indexOf('const {')));
		this.paste(`NODE_PATH=${path.join(ROOT, 'tests/node_modules')} node snippet.js`);
	}
	shadow(thing) {
		const text = this.paste(`build/skeeter get-thing-shadow --thing-name ${thing}`);
		const parsed = JSON.parse(text);
		const document = parsed.payload || parsed;
		return (typeof document === 'string' ? JSON.parse(document) : document).state;
	}
	async up() {
		this.port = this.port || await freePort();
		this.httpPort = this.httpPort || await freePort();
		this.httpsPort = this.httpsPort || await freePort();
		return this.sh(`make -s run DETACH=1 PORT=${this.port} HTTP_PORT=${this.httpPort} HTTPS_PORT=${this.httpsPort}`);
	}
	// What the HTTPS port answers a device of run/devices.
	https(name, target) {
		const pem = (file) => fs.readFileSync(path.join(this.dir, 'run', file));
		return new Promise((done, fail) => {
			const request = https.get({ host: 'localhost', port: this.httpsPort, path: target, ca: pem('ca.crt'), cert: pem(`devices/${name}.crt`),
				key: pem(`devices/${name}.key`) }, (response) => {
				let body = '';
				response.on('data', (x) => { body += x; });
				response.on('end', () => done({ status: response.statusCode, body }));
			});
			request.on('error', fail);
		});
	}
	// Pids of what still runs out of the copy.
	leftovers() {
		return fs.readdirSync('/proc').filter((p) => /^\d+$/.test(p)).filter((p) => {
			try {
				return fs.readlinkSync(`/proc/${p}/cwd`) === this.dir;
			} catch {
				return false;
			}
		});
	}
}

test('make run prints eight lines, each does what it says, and make stop ends all of it', async (t) => {
	const d = new Demo(t);
	const { code, out, all } = await d.up();
	assert.equal(code, 0, all);
	const printed = out.trimEnd().split('\n').slice(-LINES.length - 1);
	assert.match(printed[0], FIRST);
	assert.deepEqual(printed.slice(1), LINES.map((l) => l.replace('PORT', d.httpPort)));
	const [look, switchOn, unplug, forbid, kill, own] = printed.filter((l) => /^\d/.test(l)).map((l) => l.slice(16).replace(/ {2,}.*/, ''));

	const things = d.paste(look);
	for (const name of ['lamp', 'thermometer', 'valve'])
		assert.match(things, new RegExp(`\\b${name}\\b`));
	const mistyped = d.sh('build/skeeter craete-thing --thing-name x');
	assert.equal(mistyped.code, 252);
	assert.match(mistyped.all, /did you mean create-thing\?/);

	const watch = spawn('build/skeeter', ['watch', 'lamp'], { cwd: d.dir, env: d.env, stdio: ['ignore', 'pipe', 'pipe'] });
	let watched = '';
	for (const stream of [watch.stdout, watch.stderr])
		stream.on('data', (x) => { watched += x; });
	t.after(() => watch.kill('SIGTERM'));
	await until(() => `skeeter watch to begin: ${watched}`, () => /\(version \d+\)/.test(watched));
	d.paste(switchOn);
	await until(() => `skeeter watch to show it: ${watched}`, () => /on.*true/s.test(watched));
	await until('the lamp to be on', () => d.shadow('lamp').reported.on === true);
	watch.kill('SIGTERM');

	d.paste(unplug);
	await until('the valve to open', () => d.shadow('valve').reported.open === true);

	const reason = d.paste(forbid);
	assert.match(reason, /disconnected/);
	assert.match(reason, /deny \w+ lamp\b.*lamp/);

	const before = ['lamp', 'thermometer', 'valve'].map((n) => d.shadow(n));
	const killed = d.paste(kill);
	assert.match(killed, /kill|restart|still there/i);
	for (const [i, name] of ['lamp', 'thermometer', 'valve'].entries())
		assert.deepEqual(d.shadow(name).desired, before[i].desired, name);

	const printedUse = d.paste(own);
	d.paste(printedUse.split('\n').find((l) => l.startsWith('mosquitto_pub')));
	await until('the kitchen to have said hello', () => d.sh('build/skeeter get kitchen').out.includes('"hello": 1'));
	d.snippet(printedUse);
	await until('the snippet to have said it again', () => d.sh('build/skeeter get kitchen').out.includes('"hello": 2'));
	assert.equal((await d.https('kitchen', '/things/kitchen/shadow')).status, 403); /* thing variables have no value over HTTPS, as with AWS */
	const may = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:GetThingShadow', Resource: 'arn:aws:iot:us-east-1:123456789012:thing/kitchen' }] };
	d.paste(`build/skeeter create-policy --policy-name kitchen-https --policy-document '${JSON.stringify(may)}'`);
	const [principal] = JSON.parse(d.paste('build/skeeter list-thing-principals --thing-name kitchen')).principals;
	d.paste(`build/skeeter attach-policy --policy-name kitchen-https --target ${principal}`);
	const asked = await d.https('kitchen', '/things/kitchen/shadow');
	assert.equal(asked.status, 200);
	assert.equal(JSON.parse(asked.body).state.reported.hello, 2);
	assert.equal((await d.https('kitchen', '/things/lamp/shadow')).status, 403);
	assert.equal(fs.statSync(path.join(d.dir, 'run/devices/kitchen.key')).mode & 0o777, 0o600);
	assert.match(d.sh(own).all, /run\/devices\/kitchen\.crt is there already/);

	assert.equal(fs.statSync(path.join(d.dir, 'run/credentials')).mode & 0o777, 0o600);
	const [list, get] = printed.slice(-5, -3).map((l) => l.slice(16).replace(/aws --/, '/usr/bin/aws --'));
	assert.deepEqual(JSON.parse(d.paste(list)).things.map((x) => x.thingName), ['kitchen', 'lamp', 'thermometer', 'valve']);
	assert.match(d.paste(`${list.split(';')[0]}; ${get} | cat`), /^\{"state":\{.*"on":true.*"version":\d+/);

	await twoRules(t, d, printed.slice(-3).map((l) => l.slice(16)));
	d.paste('make -s stop');
	assert.deepEqual(d.leftovers(), []);
	assert.equal(fs.existsSync(path.join(d.dir, 'run/operator.sock')), false);
}, { seconds: 400 });

// The heater brings the thermometer over 30 degrees; the rules' file is edited under way.
async function twoRules(t, d, [heat, , top]) {
	d.paste('build/skeeter set valve open=true');
	await until('the valve to be open', () => d.shadow('valve').reported.open === true);
	const trace = spawn('build/skeeter', ['rules', 'trace', 'too_hot'], { cwd: d.dir, env: d.env, stdio: ['ignore', 'pipe', 'pipe'] });
	let traced = '';
	trace.stdout.on('data', (x) => { traced += x; });
	t.after(() => trace.kill('SIGTERM'));
	d.paste(heat.split(';')[0]);
	await until('the valve to be closed', () => d.shadow('valve').reported.open === false);
	await until(() => `the trace to show the republish: ${traced}`, () => /alarms\/thermometer/.test(traced));
	trace.kill('SIGTERM');
	assert.match(d.paste(top.replace(/ {2,}.*/, '')), /^overheat .*demo\.lua$/m);
	const file = path.join(d.dir, 'run/rules/demo.lua');
	fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll('"closed"', '"shut"').replace('rule "overheat"', 'rule "overheated"'));
	await until('the rule of the edited file to be in force', () => d.sh('build/skeeter rules top').out.includes('overheated'));
	d.paste('build/skeeter set thermometer heater=false');
}

test('a second make run keeps the data, and one beside a running one says so', async (t) => {
	const d = new Demo(t);
	assert.equal((await d.up()).code, 0);
	assert.equal(fs.statSync(path.join(d.dir, 'run/operator.sock')).mode & 0o777, 0o600);
	for (const key of ['run/ca.crt', 'run/devices/lamp.crt', 'run/devices/lamp.key', 'run/devices/thermometer.key', 'run/devices/valve.key'])
		assert.ok(fs.existsSync(path.join(d.dir, key)), key);
	d.paste('build/skeeter create-thing --thing-name kitchen');
	const again = await d.up();
	assert.notEqual(again.code, 0);
	assert.match(again.all, /running already/);
	const certificate = fs.readFileSync(path.join(d.dir, 'run/devices/lamp.crt'), 'utf8');
	d.paste('make -s stop');
	assert.equal((await d.up()).code, 0);
	assert.match(d.paste('build/skeeter things'), /kitchen/);
	assert.equal(fs.readFileSync(path.join(d.dir, 'run/devices/lamp.crt'), 'utf8'), certificate);
}, { seconds: 400 });

test('Ctrl-C in the foreground ends the broker and the devices', async (t) => {
	const d = new Demo(t);
	const child = spawn('make', ['-s', 'run', `PORT=${await freePort()}`, `HTTP_PORT=${await freePort()}`, `HTTPS_PORT=${await freePort()}`], { cwd: d.dir, env: d.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (x) => { out += x; });
	const end = new Promise((done) => child.on('close', done));
	await until(() => `make run to be up: ${out}`, () => out.includes('rules trace too_hot'), 200000);
	process.kill(-child.pid, 'SIGINT');
	await end;
	assert.match(out, /^Skeeter has stopped; its data stays in run\/data$/m);
	assert.deepEqual(d.leftovers(), []);
	assert.deepEqual(fs.readdirSync(path.join(d.dir, 'run')).filter((f) => /\.(pid|sock)$/.test(f)), []);
}, { seconds: 400 });

test('what a killed supervisor left running, and pid files of the past, are in nobody\'s way', async (t) => {
	const d = new Demo(t);
	assert.equal((await d.up()).code, 0);
	const pid = (name) => Number(fs.readFileSync(path.join(d.dir, `run/${name}.pid`), 'utf8').split(' ')[0]);
	const broker = pid('mosquitto');
	process.kill(pid('demo'), 'SIGKILL');
	assert.equal((await d.up()).code, 0);
	assert.notEqual(pid('mosquitto'), broker);
	d.paste('make -s stop');
	// A pid that belongs to another program now: same number, another start.
	for (const name of ['demo', 'mosquitto', 'lamp'])
		fs.writeFileSync(path.join(d.dir, `run/${name}.pid`), `${process.pid} 12345\n`);
	assert.match(d.paste('make -s stop'), /is not running/);
	assert.equal((await d.up()).code, 0);
	d.paste('make -s stop');
	assert.deepEqual(d.leftovers(), []);
}, { seconds: 400 });

test('a port in use is named with its owner and what to do', async (t) => {
	const d = new Demo(t);
	const server = net.createServer();
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => new Promise((done) => server.close(done)));
	d.port = server.address().port;
	const { code, all } = await d.up();
	assert.notEqual(code, 0);
	assert.match(all, new RegExp(`port ${d.port} is in use by node \\(pid ${process.pid}\\).*: PORT=\\d+ make run`));
	[d.port, d.httpPort] = [undefined, d.port];
	assert.match((await d.up()).all, new RegExp(`port ${d.httpPort} is in use by node .*: HTTP_PORT=\\d+ make run`));
	[d.httpPort, d.httpsPort] = [undefined, d.httpPort];
	assert.match((await d.up()).all, new RegExp(`port ${d.httpsPort} is in use by node .*: HTTPS_PORT=\\d+ make run`));
	assert.deepEqual(d.leftovers(), []);
});

test('the skeeter command without a broker says what to do', async (t) => {
	const d = new Demo(t);
	const r = d.sh('build/skeeter things');
	assert.notEqual(r.code, 0);
	assert.match(r.all, /cannot reach run\/operator\.sock: is make run running\?/);
});

test('without Mosquitto\'s headers the build says what to run', async (t) => {
	const d = new Demo(t);
	const r = d.sh('make -s all CC="cc -nostdinc" B=build-without-headers');
	assert.notEqual(r.code, 0);
	assert.match(r.all, /no Mosquitto headers: run make deps/);
});
