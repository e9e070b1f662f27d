// sinks.js -- N rounds of kill -9 on a broker whose rules send to a web server and a Redis stream that fail at random: every message that had its PUBACK arrives at both.
//
//   N=200 SEED=1 node tests/chaos/sinks.js      the same SEED draws the same faults
//
// One broker, one web server and one Redis live through all rounds. Each second rule asks a function first, so that messages wait in the rings when the broker
// is killed. Every tenth round, and at the end, all that was acknowledged must have arrived; what arrived more than once is counted.
'use strict';
const assert = require('node:assert/strict');
const { test, sleep, until } = require('../harness/test');
const { create, BUILD } = require('../harness/broker');
const { roleArn, PLUGINS } = require('../harness/rules');
const { redis } = require('../harness/service_redis');
const { web } = require('../harness/service_web');
const { random } = require('./random');

const N = Number(process.env.N || 20), SEED = Number(process.env.SEED || 1 + Math.floor(Math.random() * 1e6));
const SENDERS = 3, WINDOW = 8, LOOK = 10;
const rng = random(SEED);
const undo = [], notes = [];
const t = { after: (fn) => undo.push(fn), onFail: (fn) => notes.push(fn) };

// How often each number came to each sink.
const came = { http: new Map(), redis: new Map() };
const note = (sink, n) => came[sink].set(n, (came[sink].get(n) || 0) + 1);
const acknowledged = new Set();
const sum = { kills: 0, redisKills: 0, webKills: 0, answered: {}, began: Date.now() };
let world = null, next = 0;

// -- the web server: some requests are refused before it has looked, some are answered by nobody though they have arrived

const MOODS = [
	['fine', 70, (n, s) => { note('http', n); s.end(); }],
	['503', 8, (n, s) => { s.statusCode = 503; s.end('busy'); }],
	['429', 4, (n, s) => { s.statusCode = 429; s.setHeader('Retry-After', '0'); s.end(); }],
	['reset', 6, (n, s) => s.socket.resetAndDestroy()],
	['reset after it was kept', 6, (n, s) => { note('http', n); s.socket.resetAndDestroy(); }],
	['slow', 6, (n, s) => { note('http', n); setTimeout(() => s.end(), 30); }],
];
const LOTS = MOODS.flatMap((mood) => Array(mood[1]).fill(mood));

function serve(q, s) {
	const [name, , answer] = LOTS[Math.floor(Math.random() * LOTS.length)];
	world.web.seen.length = 0;
	sum.answered[name] = (sum.answered[name] || 0) + 1;
	answer(JSON.parse(q.body).n, s);
}

// -- Redis: its stream outlives it, what was read of it is read once

let last = '-';
async function readStream() {
	const text = await world.redis.cli('XRANGE', 'load', last, '+');
	const lines = text ? text.split('\n') : [];
	const entries = [];
	for (let i = 0; i < lines.length; i += 3)
		entries.push([lines[i], JSON.parse(lines[i + 2]).n]);
	entries.forEach(([, n]) => note('redis', n));
	if (entries.length)
		last = `(${entries.at(-1)[0]}`;
}

async function faultOfRedis(dice) {
	const r = world.redis;
	if (dice === 0) {
		sum.redisKills++;
		await r.kill();
		await sleep(rng(300));
		await r.start();
	} else if (dice < 3) {
		await r.pause();
		await sleep(rng(400));
		r.resume();
	} else if (dice < 5) {
		await r.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
	}
}

async function faultOfWeb(dice) {
	if (dice)
		return;
	sum.webKills++;
	await world.web.kill();
	await sleep(rng(300));
	await world.web.start();
}

// -- the load

async function pour(device, i, going) {
	const send = async () => {
		while (going()) {
			const n = next++;
			await device.publish(`load/${i}/${n % 5}`, JSON.stringify({ n }), { qos: 1 + n % 2 }).then(() => acknowledged.add(n));
		}
	};
	await Promise.allSettled(Array.from({ length: WINDOW }, send));
}

async function begin() {
	const b = create(t, { plugins: [...PLUGINS, `${BUILD}/tests/functions.so`, 'sink_http', 'sink_redis'],
		conf: ['log_type none', 'log_type error', 'log_type warning', 'log_type notice', 'log_type information', 'connection_messages false'].join('\n'),
		options: { rules: { destinations: 'any', retry_least: '10ms', retry_most: '300ms', threads: 2 }, sink_http: { timeout: '2s' } } });
	world = { broker: b, web: null, redis: null };
	world.web = await web(t, serve);
	world.redis = await redis(t);
	await b.start();
	for (let i = 0; i < SENDERS; i++)
		await b.provision(`sender${i}`);
	const make = (ruleName, sql, action) => b.call('CreateTopicRule', { ruleName, topicRulePayload: { sql, awsIotSqlVersion: '2016-03-23', actions: [action] } });
	await make('web', "SELECT n, aws_lambda('double', n) AS two FROM 'load/#'", { http: { url: `${world.web.url}/in` } });
	await make('stream', "SELECT n FROM 'load/+/+'", { redis: { url: world.redis.url, command: 'stream', key: 'load' } });
}

const missing = (sink) => [...acknowledged].filter((n) => !came[sink].has(n));

async function everythingArrives() {
	await until(() => `all to arrive: missing are ${missing('http').length} at the web server (${missing('http').slice(0, 5)}), ${missing('redis').length} in Redis (${missing('redis').slice(0, 5)})`,
		async () => {
			await readStream();
			return !missing('http').length && !missing('redis').length;
		}, 60000);
}

async function round(k) {
	const b = world.broker;
	let going = true;
	const devices = await Promise.all(Array.from({ length: SENDERS }, (_, i) => b.tls(`sender${i}`, { clientId: `sender${i}-${k}` }).connect()));
	const load = Promise.all(devices.map((d, i) => pour(d, i, () => going && d.open)));
	const faults = Promise.all([faultOfRedis(rng(8)), faultOfWeb(rng(6))]);
	const before = acknowledged.size;
	await sleep(40 + rng(250));
	await until('ten to be acknowledged', () => acknowledged.size >= before + 10 || b.child.gone || devices.every((d) => !d.open));
	assert.ok(!b.child.gone, 'the broker ended by itself');
	sum.kills++;
	await b.stop('SIGKILL');
	going = false;
	await Promise.all(devices.map((d) => d.end()));
	b.devices.length = 0;
	await Promise.all([load, faults]);
	b.log = b.log.slice(-20000);
	await b.start();
	if (k % LOOK === 0)
		await everythingArrives();
}

async function close() {
	for (const fn of undo.reverse())
		await fn();
}

let failed = false;
for (let k = 1; k <= N; k++)
	test(`round ${k}`, async (one) => {
		assert.ok(!failed, 'a round has failed before');
		one.onFail(() => { failed = true; return `SEED=${SEED}\n${notes.map((fn) => fn()).join('\n')}`; });
		if (!world)
			await begin();
		await round(k);
	});

test('every message that was acknowledged has arrived at both', async (one) => {
	one.after(close);
	assert.ok(!failed, 'a round has failed');
	await everythingArrives();
	const twice = (sink) => [...came[sink].values()].reduce((n, times) => n + times - 1, 0), stray = (sink) => [...came[sink].keys()].filter((n) => n >= next).length;
	console.log(`         ${sum.kills} kills of SEED=${SEED} in ${Math.round((Date.now() - sum.began) / 1000)} s, ${sum.redisKills} of Redis, ${sum.webKills} of the web server; ` +
		`${next} messages sent, ${acknowledged.size} acknowledged, all arrived; the web server got ${came.http.size} and ${twice('http')} of them again, ` +
		`Redis ${came.redis.size} and ${twice('redis')} again; answers: ${Object.entries(sum.answered).map(([what, n]) => `${what} ${n}`).join(', ')}`);
	assert.ok(acknowledged.size >= N * 10, `${acknowledged.size} acknowledged`);
	assert.equal(stray('http') + stray('redis'), 0);
});
