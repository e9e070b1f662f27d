// things.js -- rows about a broker with THINGS (100,000) registered things: registering, memory, start, latency of what is asked then.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const pki = require('../harness/pki');
const { multiply } = require('./multiply');
const { BUILD, broker, load, staying, sleep } = require('./stage');

const THINGS = Number(process.env.THINGS || 100000), REGISTERED = THINGS > 200000 ? 1000 : THINGS; /* the rest is multiplied */
const mib = (kib) => (kib / 1024).toFixed(1);

async function fill(report, b) {
	const ca = pki.authority(), before = b.memory();
	const fleet = await staying(path.join(BUILD, 'bench/fleet'), [b.socket, b.port, ca.crt, ca.key, REGISTERED, 500].map(String));
	const registered = await fleet.next(1);
	await sleep(2000);
	const heap = (b.memory() - before) * 1024 / REGISTERED;
	fleet.go();
	const connected = await fleet.next(2);
	await fleet.leave();
	report.row({ what: 'registering', load: 'operator, 25 things an envelope, 32 envelopes under way', skeeter: `${REGISTERED} in ${/ in ([^(]*)/.exec(registered)[1].trim()}` });
	report.row({ what: 'connects', load: 'mutual TLS', skeeter: /: (.*)/.exec(connected)[1] });
	if (THINGS > REGISTERED) {
		await b.stop();
		await multiply(path.join(BUILD, 'skeeter-store'), b.dir, THINGS);
		await b.start();
	}
	const files = fs.readdirSync(path.join(b.dir, 'data'));
	const bytes = files.reduce((n, f) => n + fs.statSync(path.join(b.dir, 'data', f)).size, 0);
	report.row({ what: 'private memory for a registered thing with its certificate, bytes', load: `${REGISTERED} things`, skeeter: heap.toFixed(0) });
	report.row({ what: 'files for it, bytes', load: `${THINGS} things`, skeeter: (bytes / THINGS).toFixed(0) });
}

async function latency(report, b, kind, options, words) {
	const r = await load(b, kind, { rate: 2000, seconds: 4, warm: 1, clients: 50, qos: 0, things: THINGS, prefix: 'fleet', ...options }, { tls: false });
	report.row({ what: `${words}, ms`, load: `2,000/s, paced, unix socket, 50 clients, ${THINGS} things in turn`,
		skeeter: `p50 ${r.p50.toFixed(2)}, p99 ${r.p99.toFixed(2)}; lost ${r.lost}, rejected ${r.refused}`, goal: 'none lost', met: r.lost + r.refused === 0 });
}

module.exports = async function things(report) {
	const b = await broker('skeeter');
	await fill(report, b);
	for (const signal of ['SIGTERM', 'SIGKILL']) {
		await b.stop(signal);
		await b.start();
		report.row({ what: `start until it answers, ms, after ${signal === 'SIGTERM' ? 'a clean stop' : 'kill -9'}`, load: `${THINGS} things`, skeeter: b.startMs.toFixed(0), goal: '<= 5000', met: b.startMs <= 5000 });
	}
	await sleep(1000);
	report.row({ what: 'private memory after that start, MiB', load: `${THINGS} things`, skeeter: mib(b.memory()) });
	await latency(report, b, 'describe', {}, 'DescribeThing, asked on $CONTROL');
	await latency(report, b, 'update', { qos: 1, size: 200, rate: 2000 }, 'shadow update to `accepted`');
	await latency(report, b, 'get', { things: 6000 }, 'shadow get of what was updated');
	await b.destroy();
};
