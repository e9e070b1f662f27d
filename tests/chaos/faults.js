// faults.js -- what is done to the broker in a round. Each runs beside the load and ends with the broker as it was, but dead if it is a death.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { sleep } = require('../harness/test');
const { storm } = require('./storm');

const DAY = 86400;

// Whatever is written must find no room; what the kernel takes in small pieces is taken last.
function fill(file) {
	const fd = fs.openSync(file, 'w');
	for (let size = 1 << 20; size >= 1; size >>= 2) {
		try {
			for (let wrote = size; wrote > 0;)
				wrote = fs.writeSync(fd, Buffer.alloc(size));
		} catch (e) {
			assert.equal(e.code, 'ENOSPC');
		}
	}
	fs.closeSync(fd);
}

// When it dies; beside a full disk, when that has been noticed.
const moment = (stage, rng) => 60 + rng(400) + (stage.large ? 600 : 0);

// name: { weight, death, run(stage, rng) }
const FAULTS = {
	kill: { weight: 3, death: 'SIGKILL', async run(stage, rng) { await sleep(moment(stage, rng)); await stage.die('SIGKILL'); } },
	term: { weight: 2, death: 'SIGTERM', async run(stage, rng) { await sleep(moment(stage, rng)); await stage.die('SIGTERM'); } },
	stop: { weight: 2, async run(stage, rng) {
		for (let i = 0; i < 2; i++) {
			await sleep(30 + rng(150));
			stage.signal('SIGSTOP');
			await sleep(20 + rng(600));
			stage.signal('SIGCONT');
		}
	} },
	disk: { weight: 2, refuses: true, store: 'file', async run(stage, rng) {
		const ballast = path.join(stage.broker.data, 'ballast');
		await sleep(50 + rng(200));
		fill(ballast);
		await sleep(500 + rng(800));
		fs.rmSync(ballast);
	} },
	clock: { weight: 3, async run(stage, rng) {
		for (let i = 0; i < 3; i++) {
			await sleep(20 + rng(150));
			const most = [2, 60, 3600, DAY, 200 * DAY][rng(5)];
			stage.preload.set('clock_offset_us', 1000 * Math.round((rng(2000001) - 1000000) / 1e6 * most * 1000));
		}
	} },
	hup: { weight: 2, async run(stage, rng) {
		for (let i = 0; i < 40; i++) {
			stage.signal('SIGHUP');
			await sleep(rng(20));
		}
	} },
	storm: { weight: 3, async run(stage) {
		const [asked, got, why] = await storm(stage.broker, () => stage.alive);
		assert.ok(!stage.whole || asked === got, `${got} of ${asked} clients of the storm were let in; ${why.join(', ')}`);
	} },
};

// What a Redis and the network to it do; stage is a shared.js.
const SERVER = {
	redis: { weight: 2, process: true, async run(stage, rng) {
		await sleep(30 + rng(300));
		await stage.redis.kill();
		await sleep(rng(1500));
		await stage.redis.start();
	} },
	pause: { weight: 2, process: true, async run(stage, rng) {
		await sleep(30 + rng(300));
		await stage.redis.pause();
		await sleep(rng(2 * stage.timeout));
		stage.redis.resume();
	} },
	cut: { weight: 2, async run(stage, rng) {
		for (let i = 0; i < 12; i++) {
			await sleep(rng(80));
			stage.bodies[rng(stage.bodies.length)].proxy.cut();
		}
	} },
	silent: { weight: 2, async run(stage, rng) {
		const { proxy } = stage.bodies[rng(stage.bodies.length)];
		await sleep(30 + rng(200));
		proxy.silence();
		await sleep(rng(2 * stage.timeout));
		proxy.speak();
	} },
	slow: { weight: 1, async run(stage, rng) {
		for (const { proxy } of stage.bodies)
			proxy.latency = rng(3) * rng(200);
		await sleep(500 + rng(800));
		stage.bodies.forEach(({ proxy }) => { proxy.latency = 0; });
	} },
	lose: { weight: 2, async run(stage, rng) {
		const { proxy } = stage.bodies[rng(stage.bodies.length)];
		for (let i = 0; i < 8; i++) {
			await Promise.race([proxy.meet(/\}o:/, 'lose'), sleep(500)]);
			await sleep(rng(60));
		}
		proxy.meeting = null;
	} },
};
for (const [name, f] of Object.entries(SERVER))
	FAULTS[name] = { ...f, refuses: true, store: 'redis' };

// Those that a store of that kind can meet.
const faultsOf = (store) => Object.keys(FAULTS).filter((name) => (FAULTS[name].store || store) === store);

const LOTS = Object.entries(FAULTS).flatMap(([name, f]) => Array(f.weight).fill(name));

// One or two kinds of the allowed.
function draw(rng, allowed) {
	const lots = LOTS.filter((name) => allowed.includes(name));
	const first = lots[rng(lots.length)], others = lots.filter((name) => name !== first && !['death', 'process'].some((what) => FAULTS[first][what] && FAULTS[name][what]));
	return rng(2) && others.length ? [first, others[rng(others.length)]] : [first];
}

module.exports = { FAULTS, faultsOf, draw };
