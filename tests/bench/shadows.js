// shadows.js -- rows about durable shadow updates: the burst, its ratio to bare QoS 1, latency at half load against its bound, one hot thing.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { broker, load, median, sleep, spread } = require('./stage');

const ROUNDS = 3;
const WHERE = { tls: false };
const DOCUMENT = 200;

// p99 of appending 4 KiB and syncing it, in ms, in the folder where the store lies.
function fdatasyncP99(dir) {
	const fd = fs.openSync(path.join(dir, 'sync'), 'w'), page = Buffer.alloc(4096, 1), took = [];
	for (let i = 0; i < 300; i++) {
		const began = process.hrtime.bigint();
		fs.writeSync(fd, page);
		fs.fdatasyncSync(fd);
		took.push(Number(process.hrtime.bigint() - began) / 1e6);
	}
	fs.closeSync(fd);
	return took.sort((a, b) => a - b)[296];
}

const per = (a, b, what, each) => ((b[what] - a[what]) / Math.max(1, b[each] - a[each])).toFixed(1);
const batch = (a, b) => `${per(a.counters, b.counters, 'run_calls', 'runs')} calls a run, ${per(a.store, b.store, 'commits', 'commit_batches')} runs a log row and fsync`;

async function burst(report, bare, ours) {
	const got = { bare: [], update: [] }, options = { clients: 50, window: 4, seconds: 3, warm: 1, qos: 1, size: DOCUMENT };
	const before = await ours.counters();
	for (let i = 0; i < ROUNDS; i++) {
		got.bare.push((await load(bare, 'plain', options, WHERE)).per_second);
		got.update.push(await load(ours, 'update', options, WHERE));
	}
	const rates = got.update.map((r) => r.per_second), ratios = rates.map((r, i) => r / got.bare[i]);
	report.row({ what: 'durable shadow updates/s until `accepted` is received, closed loop', load: `unix socket, QoS 1, 50 clients, 4 under way each, ${DOCUMENT} bytes`,
		bare: `QoS 1: ${spread(got.bare, 0)}`, skeeter: spread(rates, 0), ratio: spread(ratios), goal: '>= 28,000 and >= 0.5x',
		met: median(rates) >= 28000 && median(ratios) >= 0.5 });
	report.row({ what: 'batches in that burst', load: 'the same', skeeter: batch(before, await ours.counters()) });
	report.row({ what: 'updates lost, twice or rejected', load: 'the same', skeeter: got.update.reduce((n, r) => n + r.lost + r.twice + r.refused, 0), goal: '0',
		met: got.update.every((r) => r.lost + r.twice + r.refused === 0) });
	return median(rates);
}

async function halfLoad(report, bare, ours, most, where, words) {
	const rate = Math.round(most / 2), options = { clients: 200, rate, seconds: 4, warm: 1, qos: 1, size: DOCUMENT, gap: 1 };
	const got = { bare: [], update: [], sync: [] };
	for (let i = 0; i < ROUNDS; i++) {
		got.bare.push(await load(bare, 'plain', options, where));
		got.sync.push(fdatasyncP99(ours.dir));
		got.update.push(await load(ours, 'update', options, where));
	}
	const p99 = (list) => list.map((r) => r.p99), bound = 3 * (median(p99(got.bare)) + 2 * median(got.sync));
	report.row({ what: 'p99 from update to its `accepted`, ms', load: `half of the burst (${rate}/s), paced, ${words}, QoS 1, 200 clients; fdatasync p99 ${spread(got.sync)} ms`,
		bare: `QoS 1: ${spread(p99(got.bare))}`, skeeter: spread(p99(got.update)), ratio: (median(p99(got.update)) / median(p99(got.bare))).toFixed(1),
		goal: `<= ${bound.toFixed(1)} = 3 x (bare + 2 fdatasync)`, met: median(p99(got.update)) <= bound });
	report.row({ what: 'gap of the broker\'s loop in it (PINGREQ to PINGRESP), p99 and most, ms', load: 'the same',
		bare: `${spread(got.bare.map((r) => r.gap_p99))}; ${Math.max(...got.bare.map((r) => r.gap_max)).toFixed(1)}`,
		skeeter: `${spread(got.update.map((r) => r.gap_p99))}; ${Math.max(...got.update.map((r) => r.gap_max)).toFixed(1)}`,
		goal: 'p99 < 10', met: median(got.update.map((r) => r.gap_p99)) < 10 });
	report.row({ what: 'CPU of the broker for an update, µs', load: 'the same', bare: `QoS 1: ${spread(got.bare.map((r) => r.cpu_us), 1)}`,
		skeeter: spread(got.update.map((r) => r.cpu_us), 1), ratio: (median(got.update.map((r) => r.cpu_us)) / median(got.bare.map((r) => r.cpu_us))).toFixed(1) });
}

async function hot(report, ours) {
	const options = { clients: 50, window: 4, seconds: 3, warm: 1, qos: 1, size: DOCUMENT }, got = { one: [], many: [] };
	for (let i = 0; i < ROUNDS; i++) {
		got.many.push((await load(ours, 'update', { ...options, things: 10000 }, WHERE)).per_second);
		got.one.push((await load(ours, 'update', { ...options, clients: 1, window: 100, things: 1, prefix: 'hot' }, WHERE)).per_second);
	}
	report.row({ what: 'updates/s of one hot thing, against 10,000 things', load: 'unix socket, QoS 1; one client with 100 under way, against 50 with 4',
		skeeter: `${spread(got.one, 0)} against ${spread(got.many, 0)}`, ratio: (median(got.one) / median(got.many)).toFixed(2) });
}

async function peak(report, empty, bare, ours) {
	let added = Infinity; /* the store gives memory back when it has been idle for some seconds */
	for (let i = 0; i < 15 && added > 15; i++) {
		await sleep(1000);
		added = (ours.memory() - bare.memory()) / 1024;
	}
	report.row({ what: 'private memory added, MiB: idle, and after these loads', load: 'all four plugins; within 15 s of the bursts above, nobody connected',
		bare: (bare.memory() / 1024).toFixed(1), skeeter: `+${empty.toFixed(1)}; +${added.toFixed(1)}`, goal: '<= +15', met: empty <= 15 && added <= 15 });
}

module.exports = async function shadows(report) {
	const bare = await broker('bare'), ours = await broker('skeeter');
	await ours.allow(require('./stage').SHADOWS);
	const empty = (ours.memory() - bare.memory()) / 1024;
	report.row({ what: 'start until it answers, ms', load: 'an empty store', bare: bare.startMs.toFixed(0), skeeter: ours.startMs.toFixed(0) });
	const most = await burst(report, bare, ours);
	await halfLoad(report, bare, ours, most, WHERE, 'unix socket');
	await halfLoad(report, bare, ours, most / 2, {}, 'mutual TLS with policies');
	await hot(report, ours);
	await peak(report, empty, bare, ours);
	await ours.destroy();
	await bare.destroy();
};
