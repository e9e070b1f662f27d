// messages.js -- rows about plain messages: CPU of the broker for each, and latency, at a paced load; the kinds of broker take turns.
'use strict';
const { broker, load, spread, median } = require('./stage');

const ROUNDS = 3;
const KINDS = ['bare', 'dynsec', 'skeeter'];
const LOADS = [
	{ words: 'QoS 0, mutual TLS, 200 clients, 8,000/s', options: { qos: 0, clients: 200, rate: 8000 }, goal: 0.2 },
	{ words: 'QoS 1, mutual TLS, 200 clients, 4,000/s', options: { qos: 1, clients: 200, rate: 4000 }, goal: 0.2 },
];

async function rounds(brokers, options) {
	const got = { bare: [], dynsec: [], skeeter: [] };
	for (let i = 0; i < ROUNDS; i++)
		for (const kind of KINDS)
			got[kind].push(await load(brokers[kind], 'plain', { seconds: 2, warm: 0, size: 64, ...options }));
	return got;
}

module.exports = async function messages(report) {
	const brokers = {};
	for (const kind of KINDS) {
		brokers[kind] = await broker(kind);
		await brokers[kind].allow();
	}
	for (const l of LOADS) {
		const got = await rounds(brokers, l.options), cpu = {}, added = {};
		for (const kind of KINDS) {
			cpu[kind] = got[kind].map((r) => r.cpu_us);
			added[kind] = cpu[kind].map((c, i) => c - cpu.bare[i]);
		}
		const lost = KINDS.flatMap((k) => got[k]).reduce((n, r) => n + r.lost + r.twice, 0);
		report.row({ what: 'CPU of the broker for a message, one in, one out, µs', load: `${l.words}, 64 bytes, 10 statements`, bare: spread(cpu.bare),
			dynsec: `+${spread(added.dynsec)}`, skeeter: `+${spread(added.skeeter)}`, ratio: (median(cpu.skeeter) / median(cpu.bare)).toFixed(3),
			goal: `<= +${l.goal}`, met: median(added.skeeter) <= l.goal });
		const p99 = (k) => spread(got[k].map((r) => r.p99));
		report.row({ what: 'p99 from publish to receipt, ms', load: l.words, bare: p99('bare'), dynsec: p99('dynsec'), skeeter: p99('skeeter'),
			ratio: (median(got.skeeter.map((r) => r.p99)) / median(got.bare.map((r) => r.p99))).toFixed(2) });
		report.row({ what: 'messages lost or twice, all rounds', load: l.words, skeeter: lost, goal: '0', met: lost === 0 });
	}
	for (const kind of KINDS)
		await brokers[kind].destroy();
};
