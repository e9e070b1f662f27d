// When the house cannot: a full disk, too much at once, an error of its own; and HTTPS, which is the same in other clothes.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const https = require('node:https');
const { test, until } = require('../../harness/test');
const { freePort } = require('../../harness/broker');
const { serve, prepare } = require('../../harness/http');
const pki = require('../../harness/pki');

const said = (r) => `${r.status} ${r.headers['x-amzn-errortype']}`;

test('on a full disk writes are answered 503 and nothing of them is stored; reads go on, and so does all when there is room', async (t) => {
	const h = await serve(t, { wrap: ['prlimit', '--fsize=3000000:unlimited', 'env', '--ignore-signal=XFSZ'] });
	const room = (bytes) => execFileSync('prlimit', ['--pid', h.b.pid, `--fsize=${bytes}:unlimited`]);
	assert.equal((await h.ask('POST', '/things/first', {})).status, 200);
	const refused = [], taken = [];
	for (let i = 0; i < 20000 && refused.length < 5; i += 50) {
		const names = Array.from({ length: 50 }, (_, k) => `t${i + k}`);
		const pad = { attributes: { a: 'x'.repeat(750) } };
		const answers = await Promise.all(names.map((n) => h.ask('POST', `/things/${n}`, { attributePayload: pad })));
		answers.forEach((r, k) => (r.status === 200 ? taken : refused).push([names[k], said(r)]));
	}
	assert.ok(refused.length >= 5, `${taken.length} were taken`);
	assert.deepEqual([...new Set(refused.map(([, words]) => words))], ['503 ServiceUnavailableException']);
	assert.equal((await h.ask('GET', '/things/first')).status, 200);
	room(2 ** 34);
	await until('room', async () => (await h.ask('POST', '/things/last', {})).status === 200);
	for (const [name] of refused)
		assert.equal((await h.ask('GET', `/things/${name}`)).status, 404, name);
	h.b.spec.wrap = [];
	await h.b.restart('SIGKILL');
	await until('HTTP to answer', () => h.ask('GET', '/healthz').then(() => true, () => false));
	assert.equal((await h.ask('GET', `/things/${taken.at(-1)[0]}`)).status, 200);
}, { seconds: 120 });

test('a record that is damaged is answered 500 without a word of what is in it', async (t) => {
	const h = await serve(t);
	await h.ask('POST', '/billing-groups/home', {});
	await h.b.stop();
	execFileSync('/usr/bin/python3', ['-c', `import sqlite3,sys
db = sqlite3.connect(sys.argv[1])
assert db.execute("update record set data = 'no json' where key = cast('registry/billing-group/home' as blob)").rowcount == 1
db.commit()`, `${h.b.data}/skeeter.db`]);
	await h.b.start();
	await until('HTTP to answer', () => h.ask('GET', '/healthz').then(() => true, () => false));
	const r = await h.ask('GET', '/billing-groups/home');
	assert.equal(`${said(r)} ${r.text}`, '500 InternalFailureException {"message":"Internal failure"}');
	assert.equal((await h.ask('GET', '/billing-groups/other')).status, 404);
});

test('HTTPS answers as HTTP does, with the certificate of the options', async (t) => {
	const port = await freePort(), server = pki.server();
	const h = await prepare(t, { options: { http: { listen_tls: `127.0.0.1:${port}`, tls_cert: server.crt, tls_key: server.key } } });
	await h.b.start();
	await h.b.logged(/listening on https:\/\/127\.0\.0\.1:\d+ for anybody/, 0);
	const agent = new https.Agent({ keepAlive: true });
	t.after(() => agent.destroy());
	const ask = (method, path, body) => new Promise((done, fail) => {
		const q = https.request({ port, host: 'localhost', ca: pki.authority().pem, method, path, agent }, (r) => {
			let text = '';
			r.on('data', (d) => { text += d; });
			r.on('end', () => done({ status: r.statusCode, text }));
		});
		q.on('error', fail);
		q.end(body);
	});
	assert.equal((await ask('POST', '/things/lamp', '{}')).status, 200);
	for (let i = 0; i < 50; i++)
		await h.b.call('CreateThing', { thingName: `t${i}`, attributePayload: { attributes: { a: 'x'.repeat(790) } } });
	assert.equal(JSON.parse((await ask('GET', '/things?maxResults=250')).text).things.length, 51);
	assert.equal((await Promise.all(Array.from({ length: 20 }, (_, i) => ask('GET', `/things/t${i}`)))).filter((r) => r.status === 200).length, 20);
	const broken = await prepare(t, { options: { http: { listen_tls: `127.0.0.1:0`, tls_cert: server.key, tls_key: server.crt } } });
	await broken.b.start();
	await broken.b.logged(/skeeter: http: the listener 127\.0\.0\.1:\d+ cannot be started: are certificate and key right\?/, 0);
});

test('what was answered 200 is there after kill -9', async (t) => {
	const h = await serve(t);
	const known = [];
	for (let round = 0; round < 4; round++) {
		let n = 0, on = true;
		const before = known.length;
		const writers = Array.from({ length: 8 }, async (_, w) => {
			while (on) {
				const name = `r${round}-${w}-${n++}`;
				const r = await h.ask('POST', `/things/${name}`, {}).catch(() => null);
				if (!r)
					return;
				assert.equal(r.status, 200);
				known.push(name);
			}
		});
		await until('fifty to be answered', () => known.length - before >= 50);
		await h.b.stop('SIGKILL');
		on = false;
		await Promise.all(writers);
		await h.b.start();
		await until('HTTP to answer', () => h.ask('GET', '/healthz').then(() => true, () => false));
		for (const name of known)
			assert.equal((await h.ask('GET', `/things/${name}`)).status, 200, name);
	}
}, { seconds: 120 });
