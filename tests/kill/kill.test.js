// kill -9 in the middle of concurrent updates, twenty times: no update that was accepted is missing or older afterwards.
'use strict';
const assert = require('node:assert/strict');
const { test, until, sleep } = require('../harness/test');
const { start } = require('../harness/broker');
const { Shadow } = require('../harness/shadow');

const DEVICES = 4, SHADOWS = 3;

async function everyShadow(b) {
	const all = [];
	for (let d = 0; d < DEVICES; d++) {
		const device = await b.tls(`dev${d}`).connect();
		for (let i = 0; i < SHADOWS; i++)
			all.push(await new Shadow(device, `dev${d}`, i ? `s${i}` : undefined).listen(['update/accepted', 'get/accepted', 'get/rejected']));
	}
	return all;
}

// Publishes without waiting for answers until the connection is gone.
async function pour(s, round) {
	for (let n = 0; s.device.open; n++) {
		s.publish('update', { state: { reported: { round, n } }, clientToken: `${round}.${n}` }).catch(() => {});
		if (n % 5 === 4)
			await sleep(1);
	}
}

async function rounds(t, count, options) {
	const b = await start(t, { options });
	for (let d = 0; d < DEVICES; d++)
		await b.provision(`dev${d}`);
	const newest = new Map();
	let total = 0;
	for (let round = 0; round < count; round++) {
		const shadows = await everyShadow(b);
		for (const s of shadows.filter(() => round > 0)) {
			const now = await s.get();
			const seen = newest.get(s.prefix);
			assert.ok(now.version >= seen.version, `round ${round}: ${s.prefix} is version ${now.version}, ${seen.version} was accepted`);
			const { round: r, n } = now.state.reported;
			assert.ok(r > seen.round || (r === seen.round && n >= seen.n), `round ${round}: ${s.prefix} holds ${r}.${n}, ${seen.round}.${seen.n} was accepted`);
			if (now.version === seen.version)
				assert.deepEqual([r, n], [seen.round, seen.n]);
		}
		const pouring = shadows.map((s) => pour(s, round));
		await until('every shadow to have an answer', () => shadows.every((s) => s.got('update/accepted').length > 0), 20000);
		await sleep(20 + 23 * round % 150);
		await b.stop('SIGKILL');
		await Promise.all(pouring);
		await Promise.all(shadows.map((s) => s.device.closed()));
		for (const s of shadows) {
			const accepted = s.got('update/accepted');
			total += accepted.length;
			for (const a of accepted)
				newest.set(s.prefix, { version: a.version, ...a.state.reported });
		}
		await Promise.all([...new Set(shadows.map((s) => s.device))].map((d) => d.end()));
		await b.start();
	}
	assert.ok(total > count * DEVICES * SHADOWS, `${total} updates were accepted`);
	console.log(`         ${total} accepted updates in ${count} rounds`);
}

test('20 rounds of kill -9 lose nothing that was accepted', (t) => rounds(t, 20, {}), { seconds: 230 });

test('kill -9 loses nothing with relaxed durability either', (t) => rounds(t, 4, { core: { durability: 'relaxed' } }), { seconds: 100 });

test('what follows a commit is done after a kill -9, even if it was not done before it', async (t) => {
	const b = await start(t);
	for (let round = 0; round < 5; round++) {
		const name = `gone${round}`;
		await b.call('CreateThing', { thingName: name });
		await b.call('UpdateThingShadow', { thingName: name, payload: { state: { desired: { a: 1 } } } });
		await b.call('DeleteThing', { thingName: name });
		await b.restart('SIGKILL');
		await b.call('CreateThing', { thingName: name });
		await until('the shadow of the deleted thing to be gone', async () =>
			(await (await b.operator()).respond('GetThingShadow', { thingName: name })).status === 404);
	}
});
