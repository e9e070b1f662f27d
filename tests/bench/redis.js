// redis.js -- rows about the store in Redis: durable shadow updates against the embedded store and against redis-benchmark that runs the same script,
// latency at half load, one, two and three brokers on one Redis.
'use strict';
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { redis } = require('../harness/service_redis');
const { SHADOWS, broker, cleanups, load, median, spread } = require('./stage');
const run = promisify(execFile);

const ROUNDS = 3, DOCUMENT = 200, CALLS = 200000;
const WHERE = { tls: false };
const SCRIPT = path.join(__dirname, '../../core/redis/commit.lua');

// A Redis that writes its file each second, or before it answers.
async function server(fsync) {
	const ends = [];
	cleanups.push(async () => { for (const fn of ends.reverse()) await fn(); });
	return redis({ onFail: () => {}, after: (fn) => ends.push(fn) }, ['--appendfsync', fsync]);
}

// One commit in a call: it relies on one record and writes one of the size that a shadow's is. The name of what is remembered is another one each time, as
// redis-benchmark cannot count: the number of the batch is.
async function benchmark(s) {
	const sha = await s.cli('SCRIPT', 'LOAD', fs.readFileSync(SCRIPT, 'utf8'));
	const key = (name) => `bench:{000}${name}`, keys = ['h0', 'h1', 'h2', 'z0', 'z1', 'z2', 'm', 'o:__rand_int__', 'c'].map(key);
	const words = ['EVALSHA', sha, keys.length, ...keys, 1, 0, 1, 'thing/bench/none', 0, 0, 'w1', 1, 0, 'thing/bench/shadow', 'x'.repeat(DOCUMENT + 150)];
	const { stdout } = await run('redis-benchmark', ['-p', s.port, '-c', '2', '-P', '128', '-n', CALLS, '-r', '1000000000', '--csv', ...words].map(String));
	const rate = Number(stdout.trim().split('\n').at(-1).split('","')[1]);
	await s.cli('EVAL', "for _, k in ipairs(redis.call('KEYS', 'bench:*')) do redis.call('UNLINK', k) end", '0');
	return rate;
}

const options = { clients: 50, window: 4, seconds: 3, warm: 1, qos: 1, size: DOCUMENT };
const bad = (r) => r.lost + r.twice + r.refused;

async function against(report, fsync, embedded) {
	const s = await server(fsync), ours = await broker('skeeter', { core: [`plugin_opt_store ${s.url}`] });
	const got = { file: [], ours: [], theirs: [] };
	await ours.allow(SHADOWS);
	for (let i = 0; i < ROUNDS; i++) {
		got.theirs.push(await benchmark(s));
		got.file.push((await load(embedded, 'update', options, WHERE)).per_second);
		got.ours.push(await load(ours, 'update', options, WHERE));
	}
	const rates = got.ours.map((r) => r.per_second), ratios = rates.map((r, i) => r / got.theirs[i]), sum = got.ours.reduce((n, r) => n + bad(r), 0);
	report.row({ what: `durable shadow updates/s until \`accepted\` is received, appendfsync ${fsync}`, load: `unix socket, QoS 1, 50 clients, 4 under way each, ${DOCUMENT} bytes`,
		theirs: spread(got.theirs, 0), embedded: spread(got.file, 0), skeeter: spread(rates, 0), ratio: `${spread(ratios)}; ${(median(rates) / median(got.file)).toFixed(2)} of embedded`,
		goal: '>= 0.5x redis-benchmark', met: median(ratios) >= 0.5 });
	report.row({ what: 'updates lost, twice or rejected', load: 'the same', skeeter: sum, goal: '0', met: sum === 0 });
	await half(report, fsync, embedded, ours, Math.round(Math.min(median(rates), median(got.file)) / 2));
	await ours.destroy();
	await s.stop();
}

async function half(report, fsync, embedded, ours, rate) {
	const paced = { clients: 200, rate, seconds: 4, warm: 1, qos: 1, size: DOCUMENT, gap: 1 }, got = { file: [], ours: [] };
	for (let i = 0; i < ROUNDS; i++) {
		got.file.push(await load(embedded, 'update', paced, WHERE));
		got.ours.push(await load(ours, 'update', paced, WHERE));
	}
	const p99 = (l) => l.map((r) => r.p99), gaps = (l) => l.map((r) => r.gap_p99);
	report.row({ what: 'p99 from update to its `accepted`, ms', load: `half of that (${rate}/s), paced, 200 clients, ${fsync}`, embedded: spread(p99(got.file)), skeeter: spread(p99(got.ours)),
		ratio: (median(p99(got.ours)) / median(p99(got.file))).toFixed(2) });
	report.row({ what: 'gap of the broker\'s loop in it (PINGREQ to PINGRESP), p99, ms', load: 'the same', embedded: spread(gaps(got.file)), skeeter: spread(gaps(got.ours)), goal: '< 10',
		met: median(gaps(got.ours)) < 10 });
}

async function brokers(report) {
	const s = await server('everysec'), list = [], sums = [[], [], []];
	for (let i = 0; i < 3; i++)
		list.push(await broker('skeeter', { core: [`plugin_opt_store ${s.url}`] }));
	await list[0].allow(SHADOWS);
	for (let round = 0; round < ROUNDS; round++)
		for (let n = 1; n <= 3; n++) {
			const results = await Promise.all(list.slice(0, n).map((b, i) => load(b, 'update', { ...options, prefix: `b${i}` }, WHERE)));
			sums[n - 1].push(results.reduce((sum, r) => sum + r.per_second, 0));
			if (results.some(bad))
				throw new Error('updates were lost, came twice or were refused');
		}
	sums.forEach((rates, i) => report.row({ what: `the same through ${i + 1} broker${i ? 's' : ''} at once`, load: 'everysec; brokers, loads and Redis on the same cores', skeeter: spread(rates, 0),
		ratio: (median(rates) / median(sums[0])).toFixed(2) }));
}

module.exports = async function store(report) {
	const embedded = await broker('skeeter');
	await embedded.allow(SHADOWS);
	for (const fsync of ['everysec', 'always'])
		await against(report, fsync, embedded);
	await embedded.destroy();
	await brokers(report);
};
module.exports.columns = { what: 'what', load: 'under', theirs: 'redis-benchmark, the same script', embedded: 'embedded store', skeeter: 'Redis', ratio: 'ratio', goal: 'goal', met: 'met' };
