// When the store cannot: a newer file, a broken one, a folder that cannot be written, a disk that fills up.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, create } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

const snapshot = (dir) => fs.readdirSync(dir).sort().map((f) => [f, fs.readFileSync(path.join(dir, f)).toString('base64')]);
const database = (b) => path.join(b.data, 'skeeter.db');

async function stopped(t) {
	const b = await start(t);
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	await s.update({ state: { reported: { a: 1 } } });
	await b.stop();
	return b;
}

async function refuses(b, line) {
	const before = snapshot(b.data);
	assert.notEqual(await b.refuses(), 0);
	assert.match(b.log, line);
	assert.deepEqual(snapshot(b.data).map(([f]) => f).filter((f) => !/-(wal|shm)$/.test(f)), before.map(([f]) => f));
	assert.deepEqual(snapshot(b.data).filter(([f]) => f === 'skeeter.db'), before.filter(([f]) => f === 'skeeter.db'));
}

test('a store of a newer version is refused with both versions, and not touched', async (t) => {
	const b = await stopped(t);
	const file = fs.openSync(database(b), 'r+');
	const known = Buffer.alloc(4);
	fs.readSync(file, known, 0, 4, 60);	/* SQLite keeps PRAGMA user_version there */
	const newer = Buffer.alloc(4);
	newer.writeUInt32BE(known.readUInt32BE() + 1);
	fs.writeSync(file, newer, 0, 4, 60);
	fs.closeSync(file);
	await refuses(b, new RegExp(`store ${database(b)} is version ${newer.readUInt32BE()}, this build knows ${known.readUInt32BE()}: nothing was touched`));
});

test('a store that is no store is refused with one clear line, and not touched', async (t) => {
	const b = await stopped(t);
	fs.writeFileSync(database(b), 'this is not a database, but long enough to look at\n'.repeat(200));
	await refuses(b, /store .*skeeter\.db .*: nothing was touched/);
});

test('a folder that cannot be written stops the start with one clear line', async (t) => {
	const b = await stopped(t);
	if (process.getuid() === 0)
		b.spec.wrap = ['unshare', '-m', 'sh', '-c', `mount --bind ${b.data} ${b.data} && mount -o remount,ro,bind ${b.data} && exec "$@"`, 'sh'];
	else
		fs.chmodSync(b.data, 0o500);
	assert.notEqual(await b.refuses(), 0);
	assert.match(b.log, new RegExp(`${b.data}.*(read-only|readonly|Permission denied|cannot be written)`, 'i'));
	fs.chmodSync(b.data, 0o700);
	b.spec.wrap = [];
	await b.start();
	assert.equal((await (await new Shadow(await b.tls('lamp').connect(), 'lamp').listen()).get()).version, 1);
});

test('a data folder that is somebody else\'s file stops the start', async (t) => {
	const b = create(t);
	fs.writeFileSync(b.data, 'a file');
	assert.notEqual(await b.refuses(), 0);
	assert.ok(b.log.includes(b.data), 'the line names the folder');
	assert.equal(fs.readFileSync(b.data, 'utf8'), 'a file');
});

test('on a full disk updates are rejected, nothing is half stored, and it goes on when there is room', async (t) => {
	const b = await start(t, { wrap: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'] });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen(['update/accepted', 'update/rejected', 'get/accepted', 'get/rejected']);
	await s.update({ state: { reported: { n: 0 } } });
	const limit = (size) => execFileSync('prlimit', [`--pid=${b.pid}`, `--fsize=${size}:unlimited`]);
	const largest = Math.max(...fs.readdirSync(b.data).map((f) => fs.statSync(path.join(b.data, f)).size));
	limit(largest + 20000);
	const accepted = [0], rejected = [];
	for (let n = 1; n <= 60; n++) {
		const [kind, answer] = await s.device.request(s.prefix, 'update', { state: { reported: { n, pad: 'x'.repeat(4000) } } });
		kind === 'accepted' ? accepted.push(n) : rejected.push(answer.code);
	}
	assert.ok(rejected.length > 0, 'the disk was full');
	assert.ok(rejected.every((code) => code === 500 || code === 503), `codes ${[...new Set(rejected)]}`);
	assert.equal((await s.get()).state.reported.n, Math.max(...accepted));
	limit('unlimited');
	await until('an update to be accepted again', async () => (await s.device.request(s.prefix, 'update', { state: { reported: { n: 99 } } }))[0] === 'accepted');
	await b.restart();
	const again = await new Shadow(await b.tls('lamp').connect(), 'lamp').listen();
	assert.equal((await again.get()).state.reported.n, 99);
});

test('two brokers do not open one store', async (t) => {
	const b = await start(t);
	const second = create(t, { data: b.data });
	assert.notEqual(await second.refuses(), 0);
	assert.ok(second.log.includes(b.data), second.log);
	await b.call('CreateThing', { thingName: 'still-here' });
});
