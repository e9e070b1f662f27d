// instructions.js -- rows counted by callgrind: they repeat to a few instructions in a thousand, whatever else the machine does.
'use strict';
const { ground, idle, load, marginal } = require('./stage');

const MESSAGES = 1000;
const whole = (n) => Math.round(n).toLocaleString('en');

// One message in, one out, one at a time, so that no two share a turn of the broker's loop.
const messages = (b, topics, where, qos = 0) => marginal(b, MESSAGES, (n) =>
	load(b, 'plain', { messages: n, seconds: 300, clients: 1, window: 1, topics, qos }, where));

const connects = (b) => marginal(b, 10, async (n) => (await idle(b, 'connect', { clients: n })).leave());

const KINDS = ['bare', 'dynsec', 'noop', 'skeeter'];
const ROWS = [
	{ what: 'instructions for a QoS 0 message, one in, one out, verdict kept', load: 'mutual TLS, 1 topic', ask: (b) => messages(b, 1), goal: 350, kinds: KINDS },
	{ what: 'the same, verdict not kept', load: 'mutual TLS, 64 topics in turn', ask: (b) => messages(b, 64), goal: 1060, kinds: KINDS },
	{ what: 'the same of a client without certificate, `others allow`', load: 'unix socket, 1 topic', ask: (b) => messages(b, 1, { tls: false, socket: 'plain' }), goal: 350, kinds: ['bare', 'noop', 'skeeter'] },
	{ what: 'instructions for a QoS 1 message, verdict kept', load: 'mutual TLS, 1 topic', ask: (b) => messages(b, 1, {}, 1), goal: 350, kinds: ['bare', 'noop', 'skeeter'] },
];
const CONNECT = { ask: connects, kinds: ['bare', 'skeeter'] };

async function grindAll() {
	const at = {};
	for (const kind of KINDS) {
		const b = await ground(kind);
		await b.allow();
		at[kind] = [];
		for (const row of [...ROWS, CONNECT])
			at[kind].push(row.kinds.includes(kind) ? await row.ask(b) : null);
		await b.destroy();
	}
	return at;
}

module.exports = async function instructions(report) {
	const at = await grindAll();
	ROWS.forEach((row, i) => {
		const added = at.skeeter[i] - at.bare[i], floor = at.noop[i] - at.bare[i];
		report.row({ what: row.what, load: `${row.load}, 64 bytes, 1 client, 10-statement policy`, bare: whole(at.bare[i]),
			dynsec: at.dynsec[i] ? `+${whole(at.dynsec[i] - at.bare[i])}` : '', skeeter: `+${whole(added)}, of which ${whole(floor)} are the floor`,
			ratio: (at.skeeter[i] / at.bare[i]).toFixed(3), goal: `<= +${row.goal}`, met: added <= row.goal });
	});
	const last = ROWS.length, ratio = at.skeeter[last] / at.bare[last];
	report.row({ what: 'instructions for a mutual-TLS connect and its leaving', load: 'P-256, TLS 1.3, one at a time', bare: whole(at.bare[last]),
		skeeter: whole(at.skeeter[last]), ratio: ratio.toFixed(3), goal: '<= 1.03x', met: ratio <= 1.03 });
	report.note('\nThe floor is what a plugin costs whose callbacks do nothing and that has one sleeping thread (tests/bench/noop_plugin.c).');
};
