// http.js -- rows about HTTP: signed requests a second at 1, 16 and 128 connections, against libmicrohttpd's own "hello" in turn with it.
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const path = require('node:path');
const { BUILD, broker, freePort, median } = require('./stage');

const ROUNDS = 3, SECONDS = 2;

function ask(port, connections, ...request) {
	const out = execFileSync(path.join(BUILD, 'bench/http_load'), [port, connections, SECONDS, ...request].map(String), { encoding: 'utf8' });
	const [rate, p50, p99, errors] = out.trim().split(' ').map(Number);
	return { rate, p50, p99, errors };
}

async function hello() {
	const child = spawn(path.join(BUILD, 'bench/http_hello'), { stdio: ['pipe', 'pipe', 'inherit'] });
	const port = await new Promise((done) => child.stdout.once('data', (d) => done(Number(d))));
	return { port, end: () => child.stdin.end() };
}

module.exports = async function http(report) {
	const port = await freePort(), bare = await hello();
	const b = await broker('skeeter', { more: [`plugin ${BUILD}/skeeter_http.so`, `plugin_opt_listen 127.0.0.1:${port}`] });
	const { accessKeyId, secretAccessKey } = await b.call('CreateAccessKey', { policyNames: ['*'] });
	const kinds = [
		['DescribeThing, requests/s', ['GET', '/things/lamp', accessKeyId, secretAccessKey], 0.5],
		['UpdateThingShadow, requests/s', ['POST', '/things/lamp/shadow', accessKeyId, secretAccessKey, '{"state":{"reported":{"on":true}}}'], 0],
	];
	await b.call('CreateThing', { thingName: 'lamp' });
	for (const connections of [1, 16, 128])
		for (const [what, request, goal] of kinds) {
			const theirs = [], ours = [];
			for (let i = 0; i < ROUNDS; i++) {
				theirs.push(ask(bare.port, connections, 'GET', '/hello'));
				ours.push(ask(port, connections, ...request));
			}
			const of = (list, key) => median(list.map((r) => r[key]));
			const ratio = of(ours, 'rate') / of(theirs, 'rate');
			const errors = ours.reduce((n, r) => n + r.errors, 0);
			report.row({ what, load: `signed, ${connections} connection${connections > 1 ? 's' : ''}`, bare: `hello: ${of(theirs, 'rate').toFixed(0)}`,
				skeeter: `${of(ours, 'rate').toFixed(0)}; p50 ${of(ours, 'p50')} us, p99 ${of(ours, 'p99')} us; errors ${errors}`, ratio: ratio.toFixed(2),
				goal: goal ? `>= ${goal}` : 'no errors', met: errors === 0 && ratio >= goal });
		}
	bare.end();
	await b.destroy();
};
