// stage.js -- a broker that rounds of chaos happen to, the load on it, and the comparison of what is stored with what was answered.
//
// Its data folder is a small tmpfs of a mount namespace that tests/run-chaos has made, so that it can be filled.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const pki = require('../harness/pki');
const { create, BUILD } = require('../harness/broker');
const { until } = require('../harness/test');
const { Preload } = require('./preload');
const { writer } = require('./shadows');
const { Registrar, Unit } = require('./world');

const ROOM = '24m', DEVICES = 3, REGISTRARS = 3, UNITS = 2;
const BAD = /assert|abort|double free|corrupt|segmentation|crashed|stack smashing|restart the broker|invalid pointer/i;
const CONF = ['persistence true', 'autosave_interval 2', 'max_queued_messages 50', 'log_type none', 'log_type error', 'log_type warning', 'log_type notice', 'log_type information',
	'connection_messages false',
	'allow_anonymous true'];

class Stage {
	constructor() {
		this.prepare();
		this.loading = this.mayRefuse = false;
		this.unheard = 0; /* updates that are stored and were not accepted */
		this.writers = [];
		this.registrars = [];
		this.devices = [];
		this.lives = 0;
	}

	prepare() {
		this.broker = this.body();
		this.data = this.broker.data;
		fs.mkdirSync(this.data);
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOM},mode=700`, 'tmpfs', this.data]);
	}
	body() {
		const b = create({ after() {}, onFail() {} }, { plain: true, conf: CONF.join('\n'), options: { auth: { others: 'allow' } } });
		b.preload = new Preload(b.dir, b.data);
		b.spec.env = b.preload.env;
		return b;
	}
	get preload() { return this.broker.preload; }
	bodyOf() { return this.broker; } /* of the n-th client */
	get unsure() { return false; } /* an update that was refused may be stored */

	async open() {
		const b = this.broker;
		await this.start();
		for (let d = 0; d < DEVICES; d++) {
			await b.provision(`dev${d}`);
			const mine = [undefined, 'side'].map((name) => writer(this, `dev${d}`, name));
			this.writers.push(...mine);
			this.devices.push({ name: `dev${d}`, writers: mine, device: null });
		}
		await b.provision('storm');
		for (let r = 0; r < REGISTRARS; r++)
			this.registrars.push(new Registrar(this, r, Array.from({ length: UNITS }, (_, i) => new Unit(`unit${r}-${i}`))));
		return this;
	}

	// -- its life

	get alive() { return !this.broker.life.gone && !this.broker.dying; }
	signal(name) {
		if (!this.broker.life.gone)
			this.broker.life.kill(name);
	}

	async start(b = this.broker) {
		b.log = b.log.slice(-20000);
		this.settings(b);
		await b.start();
		b.life = b.child;
		b.dying = false;
		this.lives++;
	}
	settings(b) {
		b.spec.options.core = { durability: this.lives % 4 === 3 ? 'relaxed' : 'full' }; /* what the end of the process leaves is the same */
	}
	async die(signal) {
		this.mustLive();
		this.broker.dying = true;
		await this.broker.stop(signal);
	}
	// It ended and nobody told it to.
	mustLive(b = this.broker) {
		const { gone, exitCode, signalCode } = b.life;
		assert.ok(b.dying || !gone, `the broker ended by itself: code ${exitCode}, signal ${signalCode}`);
		const bad = BAD.exec(b.log);
		assert.ok(!bad, `the broker's log says: ${bad && b.log.slice(Math.max(0, bad.index - 300), bad.index + 300)}`);
	}
	// Whom the round happens to.
	choose() {}
	abandon() { return this.broker.life && this.signal('SIGKILL'); }
	// All that was asked of it before is decided.
	async settled() {}

	// -- the load

	async connect() {
		for (const [i, d] of this.devices.entries()) {
			if (d.device && d.device.open)
				continue;
			d.device = await this.letIn(this.bodyOf(i), d.name);
			d.device.inbox = { push: ({ topic, payload }) => d.writers.forEach((w) => w.heard(topic, payload)) };
			for (const w of d.writers)
				await w.listen(d.device);
		}
		for (const [i, r] of this.registrars.entries())
			await r.connect(this.bodyOf(i));
	}
	letIn(b, name) {
		b.devices = b.devices.filter((d) => d.open);
		return b.tls(name).connect();
	}

	// Answers a promise of its end, which comes after this.loading became false.
	load(rng) {
		this.loading = true;
		return Promise.all([...this.writers.map((w) => w.pour()), ...this.registrars.map((r) => r.work(rng))]);
	}

	// -- the comparison

	async compare() {
		const op = await this.broker.operator();
		for (const w of this.writers.filter((x) => x.sent))
			await w.check(op);
		const units = this.registrars.flatMap((r) => r.units);
		for (const u of units)
			await u.check(op);
		await this.compareLists(op, units);
		await this.compareConnects(units);
		this.mustLive();
	}

	async compareLists(op, units) {
		const fixed = [...this.devices.map((d) => d.name), 'storm'], sort = (v) => [...v].sort();
		const { things } = await op.call('ListThings', {});
		assert.deepEqual(sort(things.map((t) => t.thingName)), sort([...fixed, ...units.filter((u) => u.state.thing).map((u) => u.name)]));
		const { policies } = await op.call('ListPolicies', {});
		assert.deepEqual(sort(policies.map((p) => p.policyName)), sort([...fixed.map((f) => `${f}-policy`), ...units.filter((u) => u.state.policy).map((u) => u.name)]));
		const { certificates } = await op.call('ListCertificates', {});
		assert.deepEqual(sort(certificates.map((c) => c.certificateId)),
			sort([...fixed.map((f) => pki.certificate(f).id), ...units.filter((u) => u.state.certificate).map((u) => u.certificate.id)]));
	}

	async comes(b, name) {
		const d = b.tls(name), came = await d.connect().then(() => true, () => false);
		await d.end();
		b.devices.pop();
		return came;
	}
	async compareConnects(units) {
		for (const u of units) {
			const came = await this.comes(this.broker, u.name);
			assert.equal(came, u.mayConnect, `${u.name} ${came ? 'was let in' : 'was refused'} with its certificate ${u.state.certificate}, policy ${u.state.attached ? '' : 'not '}attached`);
		}
	}

	// What skeeter-store finds in the file of a broker that is down.
	checkFile() {
		const r = spawnSync(path.join(BUILD, 'skeeter-store'), ['check', '--quiet', this.data], { encoding: 'utf8' });
		assert.equal(r.status, 0, `skeeter-store check: ${r.stdout}${r.stderr}`);
	}

	// -- what it holds

	files() { return fs.readdirSync(`/proc/${this.broker.pid}/fd`).length; }
	memory() { return Number(/RssAnon:\s*(\d+)/.exec(fs.readFileSync(`/proc/${this.broker.pid}/status`, 'utf8'))[1]); }

	// Files that stay open when the clients of the round are gone.
	async quietFiles(most) {
		await until(() => `at most ${most} open files; there are ${this.files()}`, () => this.files() <= most);
		return this.files();
	}

	// -- its end

	async close() {
		await Promise.all([...this.broker.operators, ...this.broker.devices, ...this.registrars.map((r) => r.operator).filter(Boolean)].map((c) => c.end()));
		this.signal('SIGCONT');
		await this.broker.stop().finally(() => {
			this.preload.close();
			execFileSync('umount', [this.data]);
			fs.rmSync(this.broker.dir, { recursive: true, force: true });
		});
	}

	// The folder with the store as it is and the log; the tmpfs ends with the test.
	keep() {
		const kept = fs.mkdtempSync(path.join(path.dirname(this.broker.dir), 'skeeter-chaos-'));
		this.signal('SIGCONT');
		this.signal('SIGKILL');
		execFileSync('cp', ['-a', this.data, kept]);
		fs.writeFileSync(path.join(kept, 'broker.log'), this.broker.log);
		return kept;
	}
}

module.exports = { Stage };
