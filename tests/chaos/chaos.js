// chaos.js -- N rounds of faults on a real broker under load, each compared with what its clients were answered.
//
//   N=30 SEED=1 FAULTS="kill disk" tests/run-chaos      the same SEED draws the same faults; FAULTS narrows what is drawn from
//   STORE=redis                                         three brokers share a Redis; one of them dies, the Redis and the network to it have faults of their own
//
// Round k is a test of its own and depends on SEED and k only; what the load does in it is also a matter of time. After a failure its folder is kept
// and the next round begins with a new broker.
'use strict';
const assert = require('node:assert/strict');
const { test, sleep } = require('../harness/test');
const pki = require('../harness/pki');
const { Preload } = require('./preload');
const { random } = require('./random');
const { FAULTS, faultsOf, draw } = require('./faults');
const { Stage } = require('./stage');
const { Shared } = require('./shared');

const N = Number(process.env.N || 30), SEED = Number(process.env.SEED || 1 + Math.floor(Math.random() * 1e6));
const STORE = process.env.STORE || 'file';
const ALLOWED = (process.env.FAULTS || faultsOf(STORE).join(' ')).split(/\s+/);
const count = Object.fromEntries(ALLOWED.map((name) => [name, 0]));
const sum = { accepted: 0, refused: 0, answered: 0, stages: 0, seconds: Date.now() };
const memory = [];
let stage = null, failures = 0;
process.on('exit', () => stage && stage.abandon());

const seedOf = (k) => Math.imul(SEED, 1000003) + k;

async function ready() {
	if (stage)
		return;
	stage = STORE === 'redis' ? new Shared() : new Stage();
	sum.stages++;
	await stage.open();
	await stage.connect();
	stage.mostFiles = stage.files() + 12 * (stage.bodies || [0]).length; /* the store's readers open theirs when they are needed */
}

function tally() {
	for (const w of stage.writers) {
		sum.accepted += w.accepted;
		sum.refused += w.refused;
		w.accepted = w.refused = 0;
	}
	for (const r of stage.registrars) {
		sum.answered += r.answered;
		sum.refused += r.refused;
		r.answered = r.refused = 0;
	}
}

async function round(names, rng) {
	const s = stage, faults = names.map((name) => FAULTS[name]), death = faults.find((f) => f.death);
	s.mayRefuse = faults.some((f) => f.refuses || f.death === 'SIGTERM');
	s.whole = !death && !s.mayRefuse;
	s.large = faults.includes(FAULTS.disk); /* a WAL that is long enough does not notice a full disk */
	s.choose(rng);
	await s.connect();
	const load = s.load(rng);
	load.catch(() => {});
	await sleep(100 + rng(200));
	await Promise.race([Promise.all(faults.map((f) => f.run(s, rng))), load.then(() => new Promise(() => {}))]);
	await sleep(death ? 0 : 50 + rng(150));
	s.loading = false;
	await load;
	s.mustLive();
	if (death) {
		if (s.data && (death.death === 'SIGTERM' || rng(4) === 0))
			s.checkFile();
		await s.start();
	}
	await s.settled();
	await s.compare();
	await s.connect();
	await s.quietFiles(s.mostFiles);
	memory.push(s.memory());
	tally();
	names.forEach((name) => count[name]++);
}

const names = (k) => draw(random(seedOf(k)), ALLOWED);
for (let k = 1; k <= N; k++) {
	test(`round ${k}: ${names(k).join(' and ')}`, async (t) => {
		const rng = random(seedOf(k));
		draw(rng, ALLOWED);
		assert.ok(failures < 5, 'five rounds have failed before');
		t.onFail(() => `SEED=${SEED} N=${k} replays it`);
		await ready();
		const mine = stage;
		t.onFail(() => {
			failures++;
			stage = null;
			return `the store and the log of the broker are kept in ${mine.keep()}\nbroker log:\n${mine.broker.log.slice(-6000)}`;
		});
		await round(names(k), rng);
	});
}

const median = (v) => [...v].sort((a, b) => a - b)[Math.floor((v.length - 1) / 2)];

test('private memory does not creep', async () => {
	const quarter = Math.floor(memory.length / 4), early = median(memory.slice(quarter, 2 * quarter + 1)), late = median(memory.slice(-quarter - 1));
	console.log(`         ${memory.length} rounds of SEED=${SEED} in ${Math.round((Date.now() - sum.seconds) / 1000)} s, ${stage ? stage.lives : 0} lives of the last broker: ` +
		`${Object.entries(count).map(([name, n]) => `${name} ${n}`).join(', ')}; ${sum.accepted} updates accepted, ${sum.answered} operations answered, ${sum.refused} refused; ` +
		`private memory ${early} KiB early, ${late} KiB late, ${Math.max(...memory)} KiB at most`);
	assert.ok(memory.length > 0 && late <= early * 1.2 + 4096, `${early} KiB became ${late} KiB`);
	if (stage)
		await stage.close();
});

// Certificates that are valid at every time that a clock is set to.
const past = new Preload(pki.home());
past.set('clock_offset_us', -400 * 86400e6);
pki.valid({ days: 800, env: { ...process.env, ...past.env } });
