// sinks.js -- rows about sinks: how fast a lane empties itself into a real server, against the same client library driven bare in turn with it, and what
// a destination that is away costs the one beside it.
//
// A lane is filled while its server is away; then the server comes, and what counts is the time from the first to the last message that arrives. The bare
// program sends as many of the same size. `alone`: the sink with nothing around it (tests/sinks/drive.c).
// PART=redis in the environment measures one kind.
'use strict';
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const mqtt = require('mqtt');
const { BUILD, broker, freePort, median, sleep } = require('./stage');
const services = require('./sinks_services');

const ROUNDS = 3, SIZE = 200, TOPIC = 'plant/readings';
const PAYLOAD = JSON.stringify('x'.repeat(SIZE - 2));
const whole = (n) => Math.round(n).toLocaleString('en');

function bare(kind, where, what, n, batch) {
	const out = execFileSync(path.join(BUILD, 'bench/bare_sinks'), [kind, where, what, n, batch, SIZE].map(String), { encoding: 'utf8' });
	return n / JSON.parse(out).seconds;
}

function alone(so, kind, fields, n) {
	const out = execFileSync(path.join(BUILD, 'tests/drive'), [`${BUILD}/skeeter_${so}.so`, kind, JSON.stringify(fields)],
		{ input: `${JSON.stringify({ repeat: n, payload: PAYLOAD, topic: TOPIC })}\n`, encoding: 'utf8' });
	const sums = JSON.parse(out);
	if (sums.ok !== n)
		throw new Error(`${kind}: ${out}`);
	return n / sums.seconds;
}

// n messages with QoS 1, as fast as the broker takes them.
async function publish(b, n) {
	const c = await mqtt.connectAsync({ host: '127.0.0.1', port: b.openPort, protocolVersion: 5, clientId: 'bench-sinks', reconnectPeriod: 0 });
	const began = Date.now();
	let left = n;
	const one = async () => {
		while (left-- > 0)
			await c.publishAsync(TOPIC, PAYLOAD, { qos: 1 });
	};
	await Promise.all(Array.from({ length: 200 }, one));
	const seconds = (Date.now() - began) / 1000;
	await c.endAsync();
	return n / seconds;
}

const lanes = async (b) => (await b.call('ListRuleLanes', {})).lanes;
const rule = (b, ruleName, action) => b.call('CreateTopicRule', { ruleName, topicRulePayload: { sql: `SELECT * FROM '${TOPIC}'`, actions: [action] } });

async function until(what, seconds, fn, every = 5) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const got = await fn();
		if (got)
			return got;
		if (Date.now() > end)
			throw new Error(`waited in vain for ${what}`);
		await sleep(every);
	}
}

// Messages a second from the first to the last that the lane gets rid of.
async function drains(b, service, n) {
	await until('the lane to hold all', 60, async () => (await lanes(b)).some((l) => l.backlogItems >= n));
	await service.start();
	const waiting = async () => (await lanes(b)).reduce((sum, l) => sum + l.backlogItems, 0);
	let first = 0, before = 0;
	await until('the first message to arrive', 60, async () => { before = await waiting(); first = Date.now(); return before < n; });
	await until('the last message to arrive', 120, async () => await waiting() === 0, 50);
	return before / ((Date.now() - first) / 1000);
}

// A server that has just come is slower than one that is warm: each begins with such a one.
async function renew(service) {
	await service.stop();
	await service.start();
}

async function throughput(report, s) {
	const theirs = [], single = [], ours = [];
	for (let i = 0; i < ROUNDS; i++) {
		const service = await s.make();
		const b = await broker('skeeter', { open: true, more: [`plugin ${BUILD}/skeeter_rules.so`, 'plugin_opt_retry_most 200ms', ...s.options || [], `plugin ${BUILD}/skeeter_${s.so}.so`] });
		await service.start();
		await service.prepare();
		await renew(service);
		theirs.push(bare(s.kind, service.where, service.what, s.n, s.batch));
		await renew(service);
		single.push(alone(s.so, s.kind, service.fields, s.n));
		await service.stop();
		await rule(b, 'sunk', { [s.kind]: service.action || service.fields });
		await publish(b, s.n);
		ours.push(await drains(b, service, s.n));
		await b.destroy();
		await service.destroy();
	}
	const ratio = median(ours) / median(theirs);
	report.row({ what: `sink ${s.kind}, messages/s`, load: `${SIZE} bytes, ${s.under}`, bare: whole(median(theirs)), skeeter: `${whole(median(ours))} (${whole(Math.min(...ours))} to ${whole(Math.max(...ours))}); alone ${whole(median(single))}`,
		ratio: ratio.toFixed(2), goal: '>= 0.7', met: ratio >= 0.7 });
}

// A live Redis; beside it one that is not there.
async function beside(report) {
	const n = 20000, rates = { live: [], both: [] };
	const s = services.redis;
	for (let i = 0; i < ROUNDS; i++)
		for (const dead of [false, true]) {
			const service = await s.make();
			await service.start();
			const b = await broker('skeeter', { open: true, more: [`plugin ${BUILD}/skeeter_rules.so`, `plugin ${BUILD}/skeeter_${s.so}.so`] });
			await rule(b, 'live', { redis: service.fields });
			if (dead)
				await rule(b, 'dead', { redis: { ...service.fields, url: `redis://127.0.0.1:${await freePort()}/0` } });
			const began = Date.now();
			await publish(b, n);
			await until('the live one to have all', 60, async () => await service.count() >= n);
			rates[dead ? 'both' : 'live'].push(n / ((Date.now() - began) / 1000));
			await b.destroy();
			await service.destroy();
		}
	const ratio = median(rates.both) / median(rates.live);
	report.row({ what: 'a live sink beside a dead one, messages/s', load: `QoS 1, ${SIZE} bytes, redis; every message goes to both`, bare: `alone: ${whole(median(rates.live))}`,
		skeeter: whole(median(rates.both)), ratio: ratio.toFixed(2), goal: '>= 0.9', met: ratio >= 0.9 });
}

module.exports = async function sinks(report) {
	for (const s of Object.values(services))
		if (!process.env.PART || process.env.PART === s.kind)
			await throughput(report, s);
	if (!process.env.PART || process.env.PART === 'beside')
		await beside(report);
};
