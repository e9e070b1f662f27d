// The sink `amqp` against a real RabbitMQ: properties, confirmations, what is returned or closes the channel, and that nothing is lost when it is killed.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test, until, atEnd } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const pki = require('../../harness/pki');
const { freePort } = require('../../harness/ports');
const { listen } = require('../../harness/service');
const { amqp } = require('../../harness/service_amqp');

const sink = (t, fields, options) => drive(t, 'sink_amqp', 'amqp', fields, options);
const results = (list) => list.map((r) => r.result).join(' ');
const bodies = (list) => list.map((m) => m.body);

// One for all: it takes long to start.
let started;
function rabbit(t) {
	started = started || amqp({ after: atEnd, onFail: () => {} }, {
		queues: ['q', 'd', 'tls', 'load', 'once'].map((name) => ({ name })).concat({ name: 'full', arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } }),
		exchanges: [{ name: 'hall', type: 'topic' }, { name: 'd.x', type: 'topic' }], bindings: [{ source: 'hall', destination: 'q', routing_key: 'press.*' }],
	});
	started.then((r) => t.onFail(() => r.log.split('\n').slice(-30).join('\n')));
	return started;
}

test('a message arrives with its properties, in its order, small and large and empty', async (t) => {
	const r = await rabbit(t), d = sink(t, { url: r.url, exchange: 'hall', routingKey: 'press.7' });
	const large = 'x'.repeat(400000);
	assert.equal(results(await d.send({ payload: 'one' }, { fields: { persistent: false, contentType: 'text/plain', expiration: '60000', headers: { Kind: 'press', 'x.y': '\u00e4' } }, payload: 'two' },
		{ payload: large }, { payload: '' }, { fields: { value: 'five', mandatory: true, routingKey: 'press.8' } }, { fields: { routingKey: 'nobody' } })), Array(6).fill('ok').join(' '));
	const got = await r.read('q', 5), id = (n) => `0000000000000000000000000000000${n}`;
	assert.deepEqual(bodies(got), ['one', 'two', large, '', 'five']);
	assert.deepEqual({ ...got[0] }, { exchange: 'hall', key: 'press.7', size: 3, type: undefined, headers: {}, mode: 2, expiration: undefined, id: id(1), time: 1700000000, body: 'one' });
	assert.deepEqual([got[1].mode, got[1].type, got[1].expiration, got[1].headers, got[1].id], [1, 'text/plain', '60000', { Kind: 'press', 'x.y': '\u00e4' }, id(2)]);
	assert.equal(await d.end(), 0);
});

test('what cannot be routed or has no exchange fails alone; a full queue is tried again', async (t) => {
	const r = await rabbit(t), d = sink(t, { url: r.url, routingKey: 'd' }), to = (fields) => ({ fields });
	const answers = await d.send({ payload: '1' }, to({ exchange: 'none' }), to({ routingKey: 'nobody', mandatory: true }), { payload: '2' }, to({ exchange: 'none', routingKey: 'x' }),
		to({ routingKey: 'full' }), to({ expiration: 'soon' }), to({ routingKey: 'x'.repeat(256) }), { payload: '3' });
	assert.deepEqual(answers.map((a) => [a.result, a.why]), [['ok', undefined], ['fail', "404: NOT_FOUND - no exchange 'none' in vhost '/'"], ['fail', 'returned: 312: NO_ROUTE'],
		['ok', undefined], ['fail', "404: NOT_FOUND - no exchange 'none' in vhost '/'"], ['ok', undefined], ['fail', '`expiration` is no number of milliseconds'],
		['fail', '`routingKey` is longer than 255 bytes'], ['ok', undefined]]);
	const [full, fine] = await d.send(to({ routingKey: 'full' }), { payload: '4' });
	assert.deepEqual([full.result, full.why, fine.result], ['retry', 'refused by a queue (basic.nack)', 'ok']);
	const arrived = (list) => [...new Set(bodies(list))]; // what was not confirmed when the channel was closed went again
	assert.deepEqual(arrived(await r.read('d', (list) => arrived(list).length >= 4)), ['1', '2', '3', '4']);
});

test('who is not let in waits, and what is not permitted fails alone', async (t) => {
	const r = await rabbit(t), secrets = path.join(r.dir, 'secrets'), at = `127.0.0.1:${r.port}`;
	fs.writeFileSync(secrets, JSON.stringify({ mq: { user: 'writer', password: 'right-pass' } }), { mode: 0o600 });
	const secret = (key) => `\${get_secret('mq', 'SecretString', '${key}')}`;
	const d = sink(t, { url: `amqp://${at}`, user: secret('user'), password: secret('password'), exchange: 'd.x', routingKey: 'k' }, { secrets });
	const answers = await d.send({}, { fields: { exchange: 'hall' } }, {});
	assert.equal(results(answers), 'ok fail ok');
	assert.match(answers[1].why, /^403: ACCESS_REFUSED - .*'hall' in vhost '\/' refused for user 'writer'$/);
	for (const [url, why] of [[`amqp://user:wrong-pass@${at}`, /: 403: ACCESS_REFUSED - Login was refused/], [`amqp://user:right-pass@${at}/nowhere`, /: 530: NOT_ALLOWED - vhost nowhere not found/],
		[`amqp://${at}`, /: 403: ACCESS_REFUSED/]]) {
		const [one] = await sink(t, { url, routingKey: 'q' }).send({});
		assert.equal(one.result, 'retry');
		assert.match(one.why, why);
		assert.doesNotMatch(one.why, /-pass/);
	}
});

test('TLS with the authority that is named', async (t) => {
	const r = await rabbit(t), ca = pki.authority().crt, d = sink(t, { url: r.tlsUrl, routingKey: 'tls', tls: { ca } });
	assert.equal(results(await d.send({ payload: 'x'.repeat(300000) }, { payload: '2' })), 'ok ok');
	assert.deepEqual((await r.read('tls', 2)).map((m) => m.size), [300000, 1]);
	const [one] = await sink(t, { url: r.tlsUrl, routingKey: 'tls' }).send({});
	assert.match(one.why, /TLS: .*certificate/);
});

test('a server that stands still costs the time limit; one that is short of memory says so', async (t) => {
	const r = await rabbit(t), d = sink(t, { url: r.url, routingKey: 'once' }, { timeout: '1s' });
	await until('the first one to arrive', async () => results(await d.send({})) === 'ok');
	await r.pause();
	assert.deepEqual((await d.send({}, {})).map((one) => [one.result, one.why]), Array(2).fill(['retry', 'timed out']));
	assert.deepEqual((await d.send({})).map((one) => [one.result, one.why]), [['retry', `127.0.0.1:${r.port}: timed out`]]);
	r.resume();
	await until('it to be back', async () => results(await d.send({})) === 'ok');
	t.after(() => r.ctl('set_vm_memory_high_watermark', '0.8'));
	await r.ctl('set_vm_memory_high_watermark', '0');
	const patient = sink(t, { url: r.url, routingKey: 'once' }, { timeout: '1s' });
	await until('the alarm', async () => {
		const [one] = await patient.send({});
		return one.result === 'retry' && one.why === 'the server takes nothing: low on memory';
	});
	await r.ctl('set_vm_memory_high_watermark', '0.8');
	await until('room', async () => results(await patient.send({})) === 'ok');
});

test('what is no RabbitMQ is told', async (t) => {
	const port = await freePort(), says = ['HTTP/1.1 400 Bad Request\r\n\r\n', 'AMQP\0\0\x09\x01', '\x01\0\0\x7f\xff\xff\xff', '\x01\0\0\0\0\0\x04\0\x0a\0\x1e\xce'];
	const server = await listen(net.createServer((c) => { c.on('error', () => {}); c.write(Buffer.from(says[0], 'latin1')); }), port);
	t.after(() => server.close());
	for (; says.length; says.shift()) {
		const [one] = await sink(t, { url: `amqp://127.0.0.1:${port}`, routingKey: 'q' }).send({});
		assert.deepEqual([one.result, one.why], ['retry', `127.0.0.1:${port}: ${says.length > 1 ? 'the server speaks no AMQP 0-9-1' : 'the server answers something else than AMQP 0-9-1 wants'}`]);
	}
});

test('killed and started again under load, its queue has everything', async (t) => {
	const r = await rabbit(t), d = sink(t, { url: r.url, routingKey: 'load' }), count = 3000;
	let left = Array.from({ length: count }, (_, i) => String(i)), killed = false;
	while (left.length) {
		const batch = left.slice(0, 100), answer = d.send(...batch.map((payload) => ({ payload })));
		if (!killed && left.length < count / 2) {
			killed = true;
			await r.kill();
			assert.equal((await d.send({ payload: 'x' }))[0].result, 'retry');
			await r.start();
		}
		const done = await answer;
		assert.ok(done.every((one) => one.result !== 'fail'), JSON.stringify(done.find((one) => one.result === 'fail')));
		left = left.slice(100).concat(batch.filter((_, i) => done[i].result === 'retry'));
	}
	assert.equal(results(await d.send({ payload: 'last' })), 'ok');
	const arrived = (list) => new Set(bodies(list).filter((b) => b !== 'last' && b !== 'x'));
	const got = await r.read('load', (list) => bodies(list).includes('last') && arrived(list).size >= count);
	assert.equal(arrived(got).size, count);
});
