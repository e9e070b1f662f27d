// soak.js -- 20,000 durable shadow updates each second for MINUTES (10), uniform over 100,000 things: rate, latency, memory, loop gap over time.
'use strict';
const { broker, load, sleep } = require('./stage');

const MINUTES = Number(process.env.MINUTES || 10), RATE = Number(process.env.RATE || 20000), THINGS = Number(process.env.THINGS || 100000);

module.exports = async function soak(report) {
	const b = await broker('skeeter'), empty = b.memory();
	const every = Math.max(5, Math.round(MINUTES * 3));
	let last = { t: 0, answered: 0, cpu_s: 0 };
	report.note(`${RATE}/s for ${MINUTES} minutes, ${THINGS} things in turn, 500 clients, unix socket, QoS 1, 200 bytes; private memory at the start ${(empty / 1024).toFixed(1)} MiB.\n`);
	report.note('| s | accepted/s | p50 ms | p99 ms | most ms | loop gap p99 ms | most ms | CPU | private MiB |\n|---|---|---|---|---|---|---|---|---|');
	const r = await load(b, 'update', { clients: 500, rate: RATE, seconds: MINUTES * 60, qos: 1, size: 200, things: THINGS, every, gap: 1 }, { tls: false }, (i) => {
		if (i.t === undefined)
			return;
		const s = i.t - last.t;
		report.note(`| ${i.t.toFixed(0)} | ${((i.answered - last.answered) / s).toFixed(0)} | ${i.p50} | ${i.p99} | ${i.max} | ${i.gap_p99} | ${i.gap_max} | ` +
			`${((i.cpu_s - last.cpu_s) / s).toFixed(2)} | ${(i.memory_kib / 1024).toFixed(1)} |`);
		last = i;
	});
	report.note('');
	report.row({ what: 'held, accepted/s', load: 'the whole time', skeeter: r.per_second.toFixed(0), goal: `>= ${0.99 * RATE}`, met: r.per_second >= 0.99 * RATE });
	report.row({ what: 'lost, twice, rejected', load: 'the whole time', skeeter: `${r.lost}, ${r.twice}, ${r.refused}`, goal: '0', met: r.lost + r.twice + r.refused === 0 });
	report.row({ what: 'p99 to `accepted`, ms', load: 'the whole time', skeeter: r.p99 });
	report.row({ what: 'gap of the loop, p99 and most, ms', load: 'the whole time', skeeter: `${r.gap_p99}; ${r.gap_max}`, goal: 'p99 < 10', met: r.gap_p99 < 10 });
	await sleep(5000);
	report.row({ what: 'private memory added when it is over, MiB', load: '5 s later', skeeter: ((b.memory() - empty) / 1024).toFixed(1), goal: '<= 15', met: b.memory() - empty <= 15 * 1024 });
	await b.destroy();
};
