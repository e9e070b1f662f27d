// Admission: what is too much is answered with AWS's 429, each request exactly once, and operators are never refused.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { overQuota } = require('../../harness/facts');
const { Shadow } = require('../../harness/shadow');

test('a device with too many requests gets 429 for some, and every request is answered once', async (t) => {
	const b = await start(t, { options: { core: { device_rate: undefined, device_in_flight: undefined } } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen(['update/accepted', 'update/rejected', 'get/accepted', 'get/rejected']);
	const other = await new Shadow(await b.device('fan'), 'fan').listen();
	const sent = Array.from({ length: 400 }, (_, i) => s.publish('update', { state: { reported: { i } }, clientToken: `${i}` }));
	await Promise.all(sent);
	assert.equal((await other.update({ state: { reported: { calm: 1 } } })).version, 1);
	await until(() => `400 answers, there are ${s.device.inbox.length}`, () => s.device.inbox.length >= 400);
	const accepted = s.got('update/accepted'), rejected = s.got('update/rejected');
	assert.equal(new Set([...accepted, ...rejected].map((a) => a.clientToken)).size, 400);
	assert.equal(accepted.length + rejected.length, 400);
	assert.ok(rejected.length > 0 && accepted.length >= 10, `${accepted.length} accepted, ${rejected.length} rejected`);
	assert.deepEqual([...new Set(rejected.map((r) => `${r.code} ${r.message}`))], ['429 Too many requests']);
	s.device.inbox.length = 0; /* what follows waits for answers of its own */
	await until('the device to be let in again', async () => (await s.device.request(s.prefix, 'update', { state: { reported: { again: 1 } } }))[0] === 'accepted');
	const [, now] = await until('a get to be let in', async () => { const answer = await s.device.request(s.prefix, 'get'); return answer[0] === 'accepted' && answer; });
	assert.equal(now.version, accepted.length + 1);
});

test('an inbox that is full refuses devices with 429, counts what it cannot even refuse, and lets an operator through', async (t) => {
	const b = await start(t, { options: { core: { inbox: '64k', workers: 1, sys_interval: '1s' } } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen(['update/accepted', 'update/rejected']);
	const op = await b.operator();
	await op.subscribe('$SYS/skeeter/reject_dropped');
	const pad = 'x'.repeat(20000);
	for (let i = 0; i < 200; i++)
		s.publish('update', { state: { reported: { i, pad } }, clientToken: `${i}` });
	await b.call('CreateThing', { thingName: 'during' });
	const dropped = () => Math.max(0, ...op.got('$SYS/skeeter/reject_dropped').map((m) => Number(m.payload)));
	await until(() => `200 ends, there are ${s.device.inbox.length} answers and ${dropped()} dropped`, () => s.device.inbox.length + dropped() === 200);
	assert.ok(s.got('update/accepted').length > 0);
	assert.ok(s.got('update/rejected').every((r) => r.code === 429));
	assert.equal((await b.call('DescribeThing', { thingName: 'during' })).version, 1);
});

test('what cannot even be refused is said by the PUBACK of MQTT 5', async (t) => {
	const b = await start(t, { options: { core: { inbox: '64k', workers: 1 } } });
	const s = await new Shadow(await b.device('lamp', undefined, { version: 5 }), 'lamp').listen(['update/accepted', 'update/rejected', 'get/accepted']);
	const pad = 'x'.repeat(20000);
	const sent = [];
	const flood = () => Promise.all(Array.from({ length: 200 }, (_, i) => s.publish('update', { state: { reported: { i, pad } }, clientToken: `${i}` })
		.then(() => true, (e) => e.code)));
	await until('something to be dropped', async () => sent.push(...await flood()) && sent.some((c) => c !== true));
	const codes = sent.filter((c) => c !== true), answered = sent.length - codes.length;
	assert.deepEqual([...new Set(codes)], [overQuota]);
	await until(() => `${answered} answers, there are ${s.device.inbox.length}`, () => s.device.inbox.length === answered);
	assert.equal((await s.get()).version, s.got('update/accepted').length);
});
