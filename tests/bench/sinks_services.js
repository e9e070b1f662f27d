// sinks_services.js -- the servers of sinks.js: each can be begun, ended and begun again with what it holds.
//
// so: the plugin; options: lines of skeeter_rules; n, batch: how many messages, and how many the bare program has under way; make(): {start, stop, destroy, prepare, count, where, what,
// fields}: where and what are the bare program's words, fields the action's.
'use strict';
const { spawn } = require('node:child_process');
const path = require('node:path');
const { BUILD, freePort } = require('./stage');
const harness = (name) => require(`../harness/service_${name}`)[name];

// What the harness's services want of a test.
function stage() {
	const ends = [];
	return { onFail: () => {}, after: (fn) => ends.push(fn), end: async () => { for (const fn of ends.reverse()) await fn(); } };
}

async function redis() {
	const t = stage(), s = await harness('redis')(t, ['--appendfsync', 'everysec']);
	await s.stop();
	const count = async () => Number(await s.cli('XLEN', 'bench'));
	return { start: () => s.start(), stop: () => s.stop(), destroy: t.end, prepare: () => {}, count, where: `127.0.0.1:${s.port}`, what: 'bare',
		fields: { url: s.url, command: 'stream', key: 'bench' } };
}

async function postgres() {
	const t = stage(), s = await harness('postgres')(t);
	const sql = (table) => `INSERT INTO ${table}(payload) VALUES ($1)`;
	await s.sql('CREATE TABLE bare(payload text); CREATE TABLE bench(payload text)');
	await s.stop();
	return { start: () => s.start(), stop: () => s.stop(), destroy: t.end, prepare: () => {}, count: async () => Number((await s.sql('SELECT count(*) FROM bench'))[0]),
		where: `${s.url}?user=skeeter&password=secret`, what: sql('bare'), fields: { url: s.url, user: 'skeeter', password: 'secret', sql: sql('bench'), payloadParameter: 1 } };
}

async function kafka() {
	const t = stage(), s = await harness('kafka')(t);
	return { start: () => s.ask('up 1'), stop: () => s.ask('down 1'), destroy: t.end, prepare: () => {}, count: async () => 0, where: s.servers, what: 'bare',
		fields: { destinationArn: 'arn:aws:iot:us-east-1:123456789012:ruledestination/vpc/bench', topic: 'bench',
			clientProperties: { 'bootstrap.servers': s.servers, 'security.protocol': 'PLAINTEXT' } } };
}

// A server in C that answers everything: node's own would be what is measured.
async function http() {
	const port = await freePort(), url = `http://127.0.0.1:${port}/in`;
	let child = null;
	const start = async () => {
		child = spawn(path.join(BUILD, 'bench/http_hello'), [String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
		await new Promise((done) => child.stdout.once('data', done));
	};
	const stop = async () => {
		if (!child)
			return;
		const gone = new Promise((done) => child.once('close', done));
		child.stdin.end();
		await gone;
		child = null;
	};
	return { start, stop, destroy: stop, prepare: () => {}, count: async () => 0, where: url, what: '-', fields: { url } };
}

module.exports = {
	redis: { kind: 'redis', so: 'sink_redis', n: 200000, batch: 256, under: 'a stream, batches of 256', make: redis },
	postgres: { kind: 'postgres', so: 'sink_postgres', n: 100000, batch: 256, under: 'prepared INSERT, 256 a transaction', make: postgres },
	kafka: { kind: 'kafka', so: 'sink_kafka', n: 400000, batch: 256, under: 'idempotent, librdkafka\'s mock cluster', make: kafka },
	http: { kind: 'http', so: 'sink_http', options: ['plugin_opt_destinations any'], n: 30000, batch: 16, under: 'POST, 16 connections', make: http },
};
