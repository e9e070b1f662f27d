// What strangers send: slow, oversized, cut, contradictory, too many. Each time the server stays there for others.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test, until, sleep } = require('../../harness/test');
const { serve } = require('../../harness/http');

const GET = 'GET /things HTTP/1.1\r\nHost: localhost\r\n\r\n';
// What ends in the middle is found by libmicrohttpd at once or, when data and end come together, when its time is over. Longer than a busy machine lets
// somebody stand still between two lines: whoever is to be served must not be too late as well.
const SHORT = { options: { http: { idle: '5s', request_time: '5s' } } };
const post = (body, headers) => `POST /things/lamp HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n${body}`;

test('one connection serves many requests, also when they are sent before the answers are read', async (t) => {
	const h = await serve(t);
	const s = await h.socket();
	for (let i = 0; i < 3; i++) {
		s.write(GET);
		assert.equal((await s.reply()).status, 200);
	}
	s.write(`${post('{}', 'Content-Length: 2')}GET /things/lamp HTTP/1.1\r\nHost: localhost\r\n\r\n`.concat(GET.repeat(20)));
	assert.equal((await s.reply()).status, 200);
	assert.equal(JSON.parse((await s.reply()).text).thingName, 'lamp');
	for (let i = 0; i < 20; i++)
		assert.equal(JSON.parse((await s.reply()).text).things.length, 1);
	s.write('GET /things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
	assert.equal((await s.reply()).status, 200);
	await s.closes();
	const old = await h.socket();
	old.write('GET /things HTTP/1.0\r\n\r\n');
	assert.equal((await old.reply()).status, 200);
	await old.closes();
});

test('a body comes in any pieces: byte by byte, in chunks, announced with 100-continue', async (t) => {
	const h = await serve(t);
	const s = await h.socket();
	for (const c of post('{"attributePayload":{"attributes":{"a":"b"}}}', 'Content-Length: 45')) {
		s.write(c);
		await sleep(1);
	}
	assert.equal((await s.reply()).status, 200);
	s.write(post('2\r\n{"\r\n1b\r\nattributePayload":{"merge":\r\n6\r\ntrue}}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked').replace('POST', 'PATCH'));
	assert.equal((await s.reply()).status, 200);
	s.write(post('', 'Content-Length: 2\r\nExpect: 100-continue').replace('lamp', 'fan'));
	assert.equal((await s.reply()).status, 100);
	s.write('{}');
	assert.equal((await s.reply()).status, 200);
});

test('slowloris: who takes too long to send a request, or to begin one, is cut off', async (t) => {
	const h = await serve(t, SHORT);
	const slow = await Promise.all(Array.from({ length: 20 }, () => h.socket()));
	const drip = setInterval(() => slow.forEach((s, i) => s.write('GET /things HTTP/1.1\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'[s.at = (s.at || 0) + 1] || (i % 2 ? 'y' : '\r\nA: b'))), 20);
	t.after(() => clearInterval(drip));
	const body = await h.socket();
	body.write(post('{', 'Content-Length: 100'));
	const idle = await h.socket();
	for (let i = 0; i < 5; i++)
		assert.equal((await h.ask('GET', '/things')).status, 200);
	await Promise.all([...slow, body, idle].map((s) => s.closes()));
	assert.ok(slow.every((s) => s.bytes.length === 0 || /^HTTP\/1\.1 4\d\d/.test(s.bytes)));
	assert.ok(await h.metric('skeeter_http_connections_late_total') >= 1);
});

test('headers and bodies over the limit are refused, however they are sent', async (t) => {
	const h = await serve(t, { options: { http: { header: '4k', body: '10k' } } });
	const big = await h.socket();
	big.write(`GET /things HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20000)}\r\n\r\n`);
	await big.closes();
	assert.match(big.bytes.toString(), /^HTTP\/1\.1 4(31|13|14|00)/);
	const long = await h.socket();
	long.write(`GET /things?${'y'.repeat(20000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
	await long.closes();
	assert.match(long.bytes.toString(), /^HTTP\/1\.1 4(31|13|14|00)/);
	const many = await h.socket();
	many.write(`GET /things HTTP/1.1\r\n${'a: b\r\n'.repeat(5000)}\r\n`);
	await many.closes();
	assert.match(many.bytes.toString(), /^HTTP\/1\.1 4(31|13|14|00)/);
	const announced = await h.socket();
	announced.write(post('', 'Content-Length: 10241'));
	const refused = await announced.reply();
	assert.equal(refused.status, 413);
	assert.match(refused.head, /x-amzn-ErrorType: RequestEntityTooLargeException/);
	await announced.closes();
	const chunked = await h.socket();
	chunked.write(post(`2801\r\n${' '.repeat(0x2801)}\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked'));
	assert.equal((await chunked.reply()).status, 413);
	const endless = await h.socket();
	endless.write(post('', 'Transfer-Encoding: chunked').slice(0, -2).concat('\r\n'));
	for (let i = 0; i < 50 && !endless.closed; i++) {
		endless.write(`400\r\n${' '.repeat(0x400)}\r\n`);
		await sleep(2);
	}
	await endless.closes();
	assert.equal((await h.ask('POST', '/things/lamp', `${' '.repeat(10238)}{}`)).status, 200);
	assert.equal((await h.ask('POST', '/things/lamp', `${' '.repeat(10239)}{}`)).status, 413);
});

test('lengths that contradict themselves end the connection, and nothing is done', async (t) => {
	const h = await serve(t, SHORT);
	const cases = ['Content-Length: 2\r\nContent-Length: 3', 'Content-Length: 2\r\nTransfer-Encoding: chunked', 'Content-Length: -1', 'Content-Length: x',
		'Content-Length: 99999999999999999999', 'Content-Length: 2\r\nContent-Length: 2', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'];
	const contradictory = cases.map(async (headers) => {
		const s = await h.socket();
		s.write(post('{}', headers)).write(GET);
		await s.closes();
		assert.match(s.bytes.toString(), /^(HTTP\/1\.1 4\d\d|$)/, headers);
		assert.ok(!/HTTP\/1\.1 200/.test(s.bytes), headers);
	});
	const chunked = ['zz\r\n{}\r\n0\r\n\r\n', 'ffffffffffffffffffff\r\n{}\r\n', '2\r\n{}xx0\r\n\r\n', '-2\r\n{}\r\n'].map(async (body) => {
		const s = await h.socket();
		s.write(post(body, 'Transfer-Encoding: chunked'));
		await s.closes();
		assert.ok(!/HTTP\/1\.1 200/.test(s.bytes), body);
	});
	const cut = [post('{}', 'Content-Length: 50'), post('2\r\n{}\r\n', 'Transfer-Encoding: chunked')].map(async (text) => {
		const s = await h.socket();
		s.write(text).end();
		await s.closes();
	});
	await Promise.all([...contradictory, ...chunked, ...cut]);
	const over = await h.socket();
	over.write(post('{}garbage', 'Content-Length: 2'));
	assert.equal((await over.reply()).status, 200);
	assert.equal((await h.ask('GET', '/things')).json.things.length, 1);
});

test('what is no HTTP is not answered as if it were', async (t) => {
	const h = await serve(t, SHORT);
	const odd = ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\0'.repeat(100), 'GET\r\n\r\n', 'GET  HTTP/1.1\r\n\r\n', '\r\n\r\n\r\n\r\nx', 'HELLO /things HTTP/9.9\r\nHost: localhost\r\n\r\n',
		'GET /things HTTP/1.1\r\n\r\n', 'GET /things HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n', 'GET /th\0ings HTTP/1.1\r\nHost: localhost\r\n\r\n', '\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0'];
	await Promise.all(odd.map(async (bytes) => {
		const s = await h.socket();
		s.write(Buffer.from(bytes, 'latin1'));
		s.end();
		await s.closes();
		assert.ok(!/HTTP\/1\.1 200/.test(s.bytes), JSON.stringify(bytes));
	}));
	for (const target of ['*', 'http://evil/things', '//things', '/things/%', `/things?${'%41='.repeat(100)}&&&===`]) {
		const s = await h.socket();
		s.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
		assert.ok((await s.reply()).status >= 200);
	}
	assert.equal((await h.ask('GET', '/things')).status, 200);
});

test('clients that go before or while they are answered harm nobody', async (t) => {
	const h = await serve(t);
	for (let i = 0; i < 40; i++)
		await h.b.call('CreateThing', { thingName: `t${i}`, attributePayload: { attributes: { a: 'x'.repeat(700) } } });
	for (let round = 0; round < 5; round++) {
		const all = await Promise.all(Array.from({ length: 20 }, () => h.socket()));
		all.forEach((s, i) => {
			s.write(i % 3 ? GET : post('{}', 'Content-Length: 2').replace('lamp', `x${round}-${i}`));
			if (i % 2)
				s.socket.resetAndDestroy ? s.socket.resetAndDestroy() : s.destroy();
			else if (i % 4)
				s.end();
		});
		await Promise.all(all.filter((s, i) => i % 4 === 0).map((s) => s.reply()));
		all.forEach((s) => s.destroy());
	}
	const lazy = await h.socket();
	lazy.socket.pause();
	lazy.write(GET.repeat(200));
	assert.equal((await h.ask('GET', '/things')).status, 200);
	lazy.socket.resetAndDestroy ? lazy.socket.resetAndDestroy() : lazy.destroy();
	await until('all but ours to be closed', async () => await h.metric('skeeter_http_connections_open') <= 2);
});

test('when there is no room the connection that has been idle for longest goes, and a new one is served', async (t) => {
	const h = await serve(t, { options: { http: { connections: 20 } } });
	const idle = [];
	for (let i = 0; i < 60; i++) {
		idle.push(await h.socket());
		if (i % 10 === 9) {
			const s = await h.socket();
			s.write(GET);
			assert.equal((await s.reply()).status, 200);
			s.destroy();
		}
	}
	await until('the oldest to be closed', () => idle.slice(0, 30).every((s) => s.closed || s.ended));
	assert.ok(!idle[59].closed && !idle[59].ended);
	assert.ok(await h.metric('skeeter_http_connections_evicted_total') >= 30);
});

test('ten thousand idle connections leave MQTT and HTTP as they were', async (t) => {
	execFileSync('prlimit', ['--pid', process.pid, '--nofile=20000']);
	const h = await serve(t, { wrap: ['prlimit', '--nofile=20000', '--'], options: { http: { connections: 10000, idle: '1h' } } }); /* all of them are to be there at once */
	const device = await h.b.device('lamp');
	const idle = [];
	for (let i = 0; i < 99; i++)
		idle.push(...await Promise.all(Array.from({ length: 101 }, () => h.socket())));
	await until('them to be counted', async () => await h.metric('skeeter_http_connections_open') >= 9999);
	await device.subscribe('a/b');
	await device.publish('a/b', { x: 1 });
	await device.next('a/b');
	assert.equal((await h.ask('GET', '/things')).status, 200);
	idle.forEach((s) => s.destroy());
	await until('them to be gone', async () => await h.metric('skeeter_http_connections_open') <= 2);
}, { seconds: 120 });

test('a full inbox is answered with ThrottlingException, and calls go on afterwards', async (t) => {
	const h = await serve(t, { options: { core: { inbox: '64k', workers: 1 } } });
	const padded = JSON.stringify({ attributePayload: { attributes: { a: 'x'.repeat(790) } }, ignored: 0 });
	const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => h.ask('POST', `/things/t${i}`, padded)));
	const statuses = new Set(answers.map((r) => `${r.status} ${r.headers['x-amzn-errortype'] || ''}`));
	assert.ok([...statuses].every((s) => s === '200 ' || s === '400 ThrottlingException'), [...statuses].join());
	assert.ok(answers.some((r) => r.status === 200));
	assert.equal((await h.ask('GET', '/things/t0')).json.thingName || 'refused', answers[0].status === 200 ? 't0' : 'refused');
});
