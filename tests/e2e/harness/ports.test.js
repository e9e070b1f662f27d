// The ports of tests' listeners: never one of those that the kernel gives to clients, never one that the other lane of tests/run.js may take.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('../../harness/test');
const { freePort } = require('../../harness/ports');

const MODULE = path.resolve(__dirname, '../../harness/ports');

// Which are chosen, without listening on them: another file may be about to listen on one of these.
function taken(lane, n) {
	const script = `require('node:net').createServer = () => ({ on() {}, listen: (port, host, done) => done(), close: (done) => done() });
		const { freePort } = require(${JSON.stringify(MODULE)}); (async () => { for (let i = 0; i < ${n}; i++) console.log(await freePort()); })()`;
	return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', env: { ...process.env, SKEETER_LANE: String(lane) } }).trim().split('\n').map(Number);
}

test('no port is one that the kernel gives to a client', async () => {
	const [low] = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
	for (const port of taken(0, 200))
		assert.ok(port >= 1024 && port < low, `${port} is not below ${low}`);
});

test('two lanes take different ones, and one process never the same twice', () => {
	const all = [0, 1].map((lane) => taken(lane, 300));
	assert.deepEqual(all.map((ports, lane) => ports.every((p) => p % 2 === lane)), [true, true]);
	assert.equal(new Set(all.flat()).size, 600);
});

test('one that is listened on is passed over', async (t) => {
	const first = await freePort(), servers = [];
	t.after(() => Promise.all(servers.map((s) => new Promise((done) => s.close(done)))));
	for (const port of [first + 2, first + 4].filter((p) => p < 32000)) {
		const s = net.createServer();
		servers.push(s);
		await new Promise((done) => s.on('error', done).listen(port, '127.0.0.1', done));
	}
	assert.ok(![first + 2, first + 4].includes(await freePort()));
});
