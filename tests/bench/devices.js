// devices.js -- rows about connections: what a mutual-TLS connect costs the broker, what an idle device costs in memory.
'use strict';
const path = require('node:path');
const pki = require('../harness/pki');
const { BUILD, broker, idle, median, spread, staying, sleep } = require('./stage');

const ROUNDS = 3, CONNECTS = 400;
const DEVICES = Number(process.env.DEVICES || 10000);

// CPU of the broker for each of CONNECTS devices with certificates of their own, one after the other.
async function connects(b) {
	const ca = pki.authority();
	const fleet = await staying(path.join(BUILD, 'bench/fleet'), [b.kind === 'bare' ? '-' : b.socket, b.port, ca.crt, ca.key, CONNECTS, CONNECTS].map(String));
	await fleet.next(1);
	await sleep(200);
	const before = b.cpu();
	fleet.go();
	await fleet.next(2);
	const took = b.cpu() - before;
	await fleet.leave();
	return took / CONNECTS * 1e6;
}

async function connectRow(report) {
	const got = { bare: [], skeeter: [] };
	for (let i = 0; i < ROUNDS; i++)
		for (const kind of ['bare', 'skeeter']) {
			const b = await broker(kind);
			got[kind].push(await connects(b));
			await b.destroy();
		}
	const ratios = got.skeeter.map((v, i) => v / got.bare[i]);
	report.row({ what: 'CPU of the broker for a mutual-TLS connect, µs', load: `${CONNECTS} devices, certificates of their own, P-256, one after the other`,
		bare: spread(got.bare, 0), skeeter: spread(got.skeeter, 0), ratio: spread(ratios, 3), goal: '<= 1.03x', met: median(ratios) <= 1.03 });
}

async function idleRow(report, tls, count) {
	const bytes = {};
	for (const kind of ['bare', 'skeeter']) {
		const b = await broker(kind);
		await b.allow();
		const before = b.memory();
		const devices = await idle(b, 'idle', { clients: count }, tls ? {} : { tls: false, socket: 'plain' });
		await sleep(1500);
		bytes[kind] = (b.memory() - before) * 1024 / count;
		await devices.leave();
		await b.destroy();
	}
	report.row({ what: 'private memory for an idle device, bytes', load: `${count} devices, ${tls ? 'mutual TLS, a policy' : 'unix socket, no certificate'}, 1 subscription each`,
		bare: bytes.bare.toFixed(0), skeeter: bytes.skeeter.toFixed(0), ratio: (bytes.skeeter / bytes.bare).toFixed(3) });
}

module.exports = async function devices(report) {
	await connectRow(report);
	await idleRow(report, false, DEVICES);
	await idleRow(report, true, Math.min(DEVICES, 3000));
};
