// The sink `http` against web servers of the test: what a request is, what each answer becomes, and that no answer is waited for without an end.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const pki = require('../../harness/pki');
const { freePort } = require('../../harness/ports');
const { sign } = require('../../harness/sigv4');
const { listen } = require('../../harness/service');
const { web } = require('../../harness/service_web');

const sink = (t, fields, options) => drive(t, 'sink_http', 'http', fields, options);
const results = (list) => list.map((r) => r.result).join(' ');
const ok = (q, s) => s.end('thank you');
const ca = () => pki.authority().crt;

test('a request is a POST of the payload with the headers of the action', async (t) => {
	const w = await web(t, ok), d = sink(t, { url: `${w.url}/a b/\u00e4?x={y}` });
	const answers = await d.send(
		{ payload: '{"t":21.5}', fields: { headers: [{ key: 'X-One', value: '1' }, { key: 'x-empty', value: '' }, { key: 'X-Text', value: ' a  b ' }] } },
		{ payload: 'plain', fields: { url: `${w.url}/b` } }, { payload: '', fields: { headers: [{ key: 'content-TYPE', value: 'text/x' }] } });
	assert.deepEqual(answers.map((one) => [one.result, one.why]), Array(3).fill(['ok', undefined]));
	const [third, second, first] = w.seen.sort((a, b) => a.body.length - b.body.length);
	assert.deepEqual([first.method, first.path, String(first.body)], ['POST', '/a%20b/%C3%A4?x=%7By%7D', '{"t":21.5}']);
	const { host, 'user-agent': agent, accept, ...rest } = first.headers;
	assert.deepEqual([host, agent, accept], [`127.0.0.1:${w.port}`, 'skeeter', '*/*']);
	assert.deepEqual(rest, { 'content-type': 'application/json', 'content-length': '10', 'x-one': '1', 'x-empty': '', 'x-text': 'a  b' });
	assert.deepEqual([second.path, second.headers['content-type'], String(second.body)], ['/b', 'application/octet-stream', 'plain']);
	assert.deepEqual([third.headers['content-type'], third.headers['content-length']], ['text/x', '0']);
	assert.equal(await d.end(), 0);
});

test('each status is ok, tried again, or a failure in the words of the server, without what it was shown', async (t) => {
	const w = await web(t, (q, s) => {
		s.writeHead(Number(q.path.slice(1)), { location: '/elsewhere', ...q.path === '/429' ? { 'retry-after': '7' } : {}, ...q.path === '/503' ? { 'retry-after': new Date(Date.now() + 3600000).toUTCString() } : {} });
		s.end(q.path === '/204' ? '' : `no: ${q.headers['x-key']}\r\n and ${q.headers.authorization} \u0007`);
	});
	const d = sink(t, { url: w.url, headers: [{ key: 'X-Key', value: 'sesame-open' }, { key: 'Authorization', value: 'Bearer abcdef' }] });
	const statuses = [200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504];
	const answers = await d.send(...statuses.map((n) => ({ fields: { url: `${w.url}/${n}` } })));
	const become = (result) => statuses.filter((_, i) => answers[i].result === result);
	assert.deepEqual(become('ok'), [200, 201, 204]);
	assert.deepEqual(become('retry'), [408, 425, 429, 500, 502, 503, 504]);
	assert.equal(answers[3].why, '301: the server redirects, which is not followed');
	assert.equal(answers[6].why, '400: no: *********** and *************');
	assert.equal(answers[15].retryMs, 7000);
	assert.ok(answers[18].retryMs > 3000000 && answers[18].retryMs <= 3600000, String(answers[18].retryMs));
	assert.ok(!w.seen.some((q) => q.path === '/elsewhere'));
});

test('TLS is verified: by the CA of the option, by the name, and by nothing else', async (t) => {
	const w = await web(t, ok, { tls: {} });
	assert.equal(results(await sink(t, { url: w.url }, { cafile: ca() }).send({ payload: '1' })), 'ok');
	for (const [options, name] of [[{}, '127.0.0.1'], [{ cafile: pki.authority('other').crt }, '127.0.0.1'], [{ cafile: ca() }, '127.0.0.2']]) {
		const server = await web(t, ok, { tls: name === '127.0.0.1' ? {} : { cert: pki.certificate('nobody').pem, key: pki.certificate('nobody').keyPem } });
		const [one] = await sink(t, { url: server.url }, options).send({ payload: '1' });
		assert.equal(one.result, 'retry');
		assert.match(one.why, /SSL|certificate/);
		assert.equal(server.seen.length, 0);
	}
});

test('a signature is what AWS expects: over path, query, headers and body, with the key of the secret', async (t) => {
	const w = await web(t, ok), file = path.join(pki.home(), 'http-secrets'), key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };
	const role = 'arn:aws:iam::123456789012:role/sender';
	fs.writeFileSync(file, JSON.stringify({ [role]: JSON.stringify({ ...key, sessionToken: 'TOKEN==' }) }), { mode: 0o600 });
	const fields = { url: `${w.url}/in/a b?y=2&x=1`, headers: [{ key: 'X-Site', value: 'north  hall' }], auth: { sigv4: { signingRegion: 'eu-west-1', serviceName: 'execute-api', roleArn: role } } };
	assert.equal(results(await sink(t, fields, { secrets: file }).send({ payload: '{"t":1}' })), 'ok');
	const [{ headers, body }] = w.seen, when = headers['x-amz-date'];
	const at = Date.parse(when.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'));
	assert.ok(Math.abs(at - Date.now()) < 120000);
	const mine = sign(key, { at, method: 'POST', path: '/in/a%20b?y=2&x=1', host: `127.0.0.1:${w.port}`, region: 'eu-west-1', service: 'execute-api', body,
		headers: { 'x-site': headers['x-site'], 'content-type': 'application/json', 'x-amz-security-token': 'TOKEN==' } });
	assert.equal(headers.authorization, mine.authorization);
	const [none] = await sink(t, fields).send({ payload: '1' });
	assert.deepEqual([none.result, /^no credentials/.test(none.why)], ['retry', true]);
});

test('batches are arrays of what belongs together, within their bounds', async (t) => {
	const w = await web(t, (q, s) => { s.statusCode = q.path === '/bad' ? 422 : 200; s.end(); });
	const d = sink(t, { url: w.url, enableBatching: true, batchConfig: { maxBatchSize: 4 } });
	const items = Array.from({ length: 9 }, (_, i) => ({ payload: `{"n":${i}}` }));
	assert.equal(results(await d.send(...items, { payload: 'no JSON' }, { payload: '1', topic: 'other' }, { payload: '{"x":1}', fields: { url: `${w.url}/bad` } },
		{ payload: '{"x":2}', fields: { url: `${w.url}/bad` } })), [...Array(11).fill('ok'), 'fail', 'fail'].join(' '));
	assert.deepEqual(w.seen.map((q) => String(q.body)).sort(), ['[1]', '[{"n":0},{"n":1},{"n":2},{"n":3}]', '[{"n":4},{"n":5},{"n":6},{"n":7}]', '[{"n":8}]', '[{"x":1},{"x":2}]', 'no JSON']);
	assert.deepEqual([...new Set(w.seen.map((q) => q.headers['content-type']))].sort(), ['application/json', 'application/octet-stream']);
});

test('many requests share a few connections that stay open', async (t) => {
	const first = []; // are answered when there are eight of them
	const w = await web(t, (q, s) => (w.seen.length > 8 ? ok(q, s) : first.push(s) === 8 && first.forEach((one) => ok(q, one))), { tls: {} });
	const d = sink(t, { url: w.url }, { cafile: ca(), connections: 8 });
	assert.deepEqual({ ...await d.repeat(2000, { payload: '{"n":1}' }), seconds: 0 }, { ok: 2000, retry: 0, fail: 0, seconds: 0 });
	assert.deepEqual([w.connections, w.mostAtOnce], [8, 8]);
	assert.equal(w.seen.length, 2000);
});

test('a connection that the server closed while nobody used it is not noticed by the items', async (t) => {
	const w = await web(t, ok), d = sink(t, { url: w.url });
	for (let i = 0; i < 3; i++) {
		assert.equal(results(await d.send({ payload: '1' }, { payload: '2' })), 'ok ok');
		await until('the connections to be gone', () => {
			w.server.closeIdleConnections();
			return w.sockets.size === 0;
		});
	}
	assert.equal(w.seen.length, 6);
});

const LATE = /time(d )?out/i;
// Writes that, byte for byte, to whoever has sent a request.
async function raw(t, says) {
	const port = await freePort(), sockets = new Set();
	const server = net.createServer((c) => { sockets.add(c); c.on('error', () => {}); c.on('close', () => sockets.delete(c)); c.once('data', () => says(c)); });
	await listen(server, port);
	t.after(() => { sockets.forEach((c) => c.destroy()); server.close(); });
	return `http://127.0.0.1:${port}/`;
}
const pour = (c, chunk) => { const more = () => { while (!c.destroyed && c.write(chunk)); }; c.on('drain', more); more(); };

test('slow, resetting, garbled and endless answers end within the time limit, and what had no answer comes again', async (t) => {
	const cases = [
		['retry', /reset|Recv failure|empty reply/i, (c) => c.resetAndDestroy()],
		['retry', /empty reply/i, (c) => c.end()],
		['retry', /HTTP\/0\.9/i, (c) => c.end('SSH-2.0-OpenSSH_9.2\r\n')],
		['retry', /./, (c) => c.end('HTTP/1.1 999999 Odd\r\n\r\n')],
		['retry', /./, (c) => c.end(Buffer.alloc(5000, 0xff))],
		['retry', /headers do not end|Too large/i, (c) => { c.write('HTTP/1.1 200 OK\r\n'); pour(c, `X-Filler: ${'y'.repeat(1000)}\r\n`); }],
		['ok', undefined, (c) => { c.write('HTTP/1.1 200 OK\r\n\r\n'); pour(c, Buffer.alloc(65536, 'z')); }],
		['ok', undefined, (c) => c.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')],
		['ok', undefined, (c) => c.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')],
		['fail', /^400: z{300}$/, (c) => { c.write('HTTP/1.1 400 Bad\r\n\r\n'); pour(c, Buffer.alloc(65536, 'z')); }],
		['fail', /^404$/, (c) => c.end('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nno chunk')],
	];
	const d = sink(t, { url: 'http://127.0.0.1' }), brief = sink(t, { url: 'http://127.0.0.1' }, { timeout: '1s' });
	const to = async (...list) => (await Promise.all(list.map((says) => raw(t, says)))).map((url) => ({ fields: { url }, payload: '{}' }));
	const answers = await d.send(...await to(...cases.map(([, , says]) => says)));
	cases.forEach(([result, why], i) => {
		assert.equal(answers[i].result, result, `${i}: ${cases[i][2]} ${answers[i].why}`);
		assert.match(String(answers[i].why), why || /undefined/, String(cases[i][2]));
	});
	for (const one of await brief.send(...await to(() => {}, (c) => c.write('HTTP/1.1 200 OK\r\nX-A: b')))) {
		assert.equal(one.result, 'retry');
		assert.match(one.why, LATE);
	}
	const slow = await to((c) => c.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe rest is slow'));
	await until('an answer whose headers came in time', async () => results(await brief.send(...slow)) === 'ok');
	assert.deepEqual([await d.end(), await brief.end()], [0, 0]);
});

test('what cannot be sent fails at once, nothing but http and https is spoken, and a server that is away is not asked for each item', async (t) => {
	const port = await freePort(), d = sink(t, { url: `http://127.0.0.1:${port}/` }, { connections: 4 });
	const header = (key, value) => ({ headers: [{ key, value }] });
	const bad = [{ url: 'file:///etc/passwd' }, { url: 'ftp://127.0.0.1/' }, { url: 'scp://x/' }, { url: '' }, { url: 'http://' }, header('A', 'b\r\nC: d'), header('A b', 'c'), header('Content-Length', '3'),
		header('A', 'x'.repeat(20000))];
	const answers = await d.send(...bad.map((fields) => ({ fields })), ...Array(50).fill({}));
	assert.equal(results(answers.slice(0, bad.length)), bad.map(() => 'fail').join(' '));
	assert.ok(answers.slice(bad.length).every((one) => one.result === 'retry' && /connect/i.test(one.why)));
	let asked = 0;
	const silent = await listen(net.createServer(() => asked++), port);
	t.after(() => silent.close());
	const slow = sink(t, { url: `http://127.0.0.1:${port}/` }, { connections: 4, timeout: '1s' });
	assert.ok((await slow.send(...Array(100).fill({}))).every((one) => one.result === 'retry' && LATE.test(one.why)));
	await slow.end();
	await until('those that were asked', () => asked > 0);
	assert.ok(asked <= 4, `${asked}`);
});

test('proxies of the environment are not used, the one of the option is', async (t) => {
	const w = await web(t, ok), proxy = await web(t, ok);
	for (const name of ['http_proxy', 'all_proxy', 'ALL_PROXY']) {
		process.env[name] = `http://127.0.0.1:${await freePort()}`;
		t.after(() => { delete process.env[name]; });
	}
	assert.equal(results(await sink(t, { url: `${w.url}/direct` }).send({ payload: '1' })), 'ok');
	assert.equal(results(await sink(t, { url: 'http://nowhere.invalid/far' }, { proxy: proxy.url }).send({ payload: '2' })), 'ok');
	assert.deepEqual([w.seen.map((q) => q.path), proxy.seen.map((q) => q.path)], [['/direct'], ['http://nowhere.invalid/far']]);
});

test('a rule whose URL or headers cannot work is refused when it is made', async (t) => {
	for (const [fields, why] of [[{ url: 'https://${topic(1)}.example/' }, /the host cannot be a template/], [{ url: 'gopher://x/' }, /must begin with https/],
		[{ url: 'https://x/', headers: [{ key: 'Transfer-Encoding', value: 'chunked' }] }, /belongs to the connection/],
		[{ url: 'https://x/', headers: [{ key: 'Authorization', value: 'x' }], auth: { sigv4: {} } }, /makes the headers of its signature itself/]]) {
		const d = sink(t, fields);
		assert.equal(await d.exit, 1);
		assert.match(d.log, why);
	}
});

test('killed and started again under load, it gets everything', async (t) => {
	const w = await web(t, ok, { tls: {} }), d = sink(t, { url: w.url }, { cafile: ca() }), count = 3000;
	let left = Array.from({ length: count }, (_, i) => i), again = 0, kills = 0;
	while (left.length) {
		const batch = left.slice(0, 100), answer = d.send(...batch.map((i) => ({ payload: String(i) })));
		if (kills < 3 && left.length < count - 600 * (kills + 1)) {
			kills++;
			await w.kill();
			again += (await d.send({ payload: 'x' }))[0].result === 'retry';
			await answer;
			await w.start();
		}
		const done = await answer;
		left = left.slice(100).concat(batch.filter((_, i) => done[i].result === 'retry'));
		assert.ok(done.every((one) => one.result !== 'fail'));
	}
	assert.equal(again, 3);
	assert.equal(new Set(w.seen.map((q) => String(q.body)).filter((b) => b !== 'x')).size, count);
});
