// skeeter new-device: what it makes works as it says, and nothing that is there is overwritten or left half done.
'use strict';
const assert = require('node:assert/strict');
const { execFile, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, BUILD } = require('../../harness/broker');
const pki = require('../../harness/pki');

const run = (b, ...args) => new Promise((done) => execFile(path.join(BUILD, 'skeeter'), args, { env: { ...process.env, SKEETER_SOCKET: b.socket }, cwd: b.dir },
	(e, stdout, stderr) => done({ code: e ? e.code : 0, stdout, stderr })));
const ca = () => pki.authority();
const withCa = () => ({ options: { auth: { ca_cert: ca().crt, ca_key: ca().key } } });

test.smoke('a device in one line: the line that it prints works, and its policy is for itself', async (t) => {
	const b = await start(t, withCa());
	const { code, stdout, stderr } = await run(b, 'new-device', 'kitchen', '--ca', ca().crt, '--endpoint', 'localhost', '--port', String(b.port));
	assert.deepEqual([code, stderr], [0, '']);
	const file = (name) => path.join(b.dir, name);
	assert.deepEqual(['kitchen.crt', 'kitchen.key', 'ca.crt'].map((f) => (fs.statSync(file(f)).mode & 0o777).toString(8)), ['644', '600', '644']);
	const line = stdout.split('\n').find((l) => l.startsWith('mosquitto_pub'));
	execFileSync('sh', ['-c', line], { cwd: b.dir });
	const shadow = () => b.call('GetThingShadow', { thingName: 'kitchen' }).catch((e) => assert.equal(e.code, 'ResourceNotFoundException'));
	const { payload } = await until('what was received to be stored', shadow);
	assert.deepEqual((typeof payload === 'string' ? JSON.parse(payload) : payload).state.reported, { hello: 1 });
	const read = (f) => fs.readFileSync(file(f), 'utf8');
	const kitchen = await b.tls('kitchen', { certificate: { pem: read('kitchen.crt'), keyPem: read('kitchen.key') }, version: 5 }).connect();
	await kitchen.publish('devices/kitchen/state', '1');
	await assert.rejects(kitchen.publish('devices/lamp/state', '1'));
	assert.equal((await run(b, 'new-device', 'lamp', '--ca', ca().crt, '--endpoint', 'x')).code, 0);
	assert.equal((await b.call('ListThings', {})).things.length, 2);
});

test('files that are there stay, and a failure leaves no file', async (t) => {
	const b = await start(t, withCa());
	const files = () => fs.readdirSync(b.dir).filter((f) => /\.(crt|key)$/.test(f));
	const says = async (...args) => { const { code, stderr } = await run(b, 'new-device', ...args); return [code, stderr.trimEnd()]; };
	fs.writeFileSync(path.join(b.dir, 'a.key'), 'mine');
	assert.deepEqual(await says('a', '--ca', ca().crt), [255, 'skeeter: a.key is there already: remove it, or choose another folder with --out']);
	assert.equal(fs.readFileSync(path.join(b.dir, 'a.key'), 'utf8'), 'mine');
	assert.deepEqual(files(), ['a.key']);
	fs.writeFileSync(path.join(b.dir, 'ca.crt'), 'another');
	assert.deepEqual(await says('b', '--ca', ca().crt), [255, 'skeeter: ca.crt is there already: remove it, or choose another folder with --out']);
	fs.unlinkSync(path.join(b.dir, 'ca.crt'));
	assert.match((await says('b', '--ca', 'nothing.crt'))[1], /nothing\.crt: No such file or directory: name the CA of the broker's listener with --ca FILE$/);
	assert.deepEqual(await says('a b'), [252, "skeeter: 'a b' is no name for a thing: letters, digits, : _ -, at most 128"]);
	assert.deepEqual(await says('c', '--port', '0'), [252, "skeeter: --port: expected 1 to 65535, got '0'"]);
	assert.deepEqual(await says(), [252, `skeeter: usage: ${path.join(BUILD, 'skeeter')} new-device NAME [--csr FILE] [--out DIR]`]);
	assert.deepEqual(files(), ['a.key']);
	assert.deepEqual((await b.call('ListThings', {})).things, []);
	assert.deepEqual((await says('d', '--ca', ca().crt, '--policy', 'none'))[1].replace(/[0-9a-f]{64}/, 'ID').split('\n').pop(),
		'skeeter: certificate ID was made: delete it, or go on by hand');
});

test('without a CA to sign with it says so, and nothing is left', async (t) => {
	const b = await start(t);
	const { code, stderr } = await run(b, 'new-device', 'x', '--ca', ca().crt);
	assert.equal(code, 254);
	assert.match(stderr, /CreateKeysAndCertificate operation: .*ca_cert/);
	assert.equal(fs.existsSync(path.join(b.dir, 'x.key')) || fs.existsSync(path.join(b.dir, 'x.crt')), false);
});

test('a device that made its own key gives a request', async (t) => {
	const b = await start(t, withCa());
	const at = (f) => path.join(b.dir, f);
	execFileSync('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=own', '-keyout', at('own.secret'), '-out', at('own.csr')], { stdio: 'ignore' });
	const { code, stdout, stderr } = await run(b, 'new-device', 'own', '--csr', 'own.csr', '--ca', ca().crt, '--endpoint', 'localhost', '--port', String(b.port));
	assert.deepEqual([code, stderr], [0, '']);
	assert.equal(fs.existsSync(at('own.key')), false);
	assert.match(stdout, /--key YOUR\.key/);
	await b.tls('own', { certificate: { pem: fs.readFileSync(at('own.crt'), 'utf8'), keyPem: fs.readFileSync(at('own.secret'), 'utf8') } }).connect();
});
