// The shadow operations of the iotdata service over $CONTROL: like the topics, but strict about the thing.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow, timeless, stamp } = require('../../harness/shadow');

const document = (r) => typeof r.payload === 'string' ? JSON.parse(r.payload) : r.payload;

async function lamp(t) {
	const b = await start(t);
	await b.call('CreateThing', { thingName: 'lamp' });
	return b;
}

test.smoke('UpdateThingShadow, GetThingShadow and DeleteThingShadow work on classic and named shadows', async (t) => {
	const b = await lamp(t);
	for (const shadowName of [undefined, 'night']) {
		const of = { thingName: 'lamp', shadowName };
		const made = document(await b.call('UpdateThingShadow', { ...of, payload: { state: { desired: { on: true } }, clientToken: 'c' } }));
		assert.deepEqual(timeless(made), { state: { desired: { on: true } }, metadata: { desired: { on: stamp } }, version: 1, timestamp: 1, clientToken: 'c' });
		await b.call('UpdateThingShadow', { ...of, payload: '{"state":{"reported":{"on":false}}}' });
		const got = document(await b.call('GetThingShadow', of));
		assert.deepEqual([got.state, got.version], [{ desired: { on: true }, reported: { on: false }, delta: { on: true } }, 2]);
		assert.equal(document(await b.call('DeleteThingShadow', of)).version, 2);
		assert.match(await b.refused('GetThingShadow', of), /^ResourceNotFoundException 404 No shadow exists with name: /);
		assert.match(await b.refused('DeleteThingShadow', of), /^ResourceNotFoundException 404 /);
	}
});

test('an operation is heard on the topics like an update of a device', async (t) => {
	const b = await start(t);
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { on: true } } } });
	assert.deepEqual((await s.next('update/accepted')).state, { desired: { on: true } });
	assert.deepEqual((await s.next('update/delta')).state, { on: true });
	assert.equal((await s.next('update/documents')).current.version, 1);
	await b.call('DeleteThingShadow', { thingName: 'lamp' });
	assert.equal((await s.next('delete/accepted')).version, 1);
});

test('a shadow of a thing that is not registered, and names out of shape, are refused', async (t) => {
	const b = await lamp(t);
	const payload = { state: { reported: {} } };
	assert.match(await b.refused('UpdateThingShadow', { thingName: 'ghost', payload }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('GetThingShadow', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListNamedShadowsForThing', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('UpdateThingShadow', { thingName: 'lamp', shadowName: 'a b', payload }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('UpdateThingShadow', { thingName: 'a/b', payload }), /^InvalidRequestException 400 .*'thingName'/);
	assert.match(await b.refused('UpdateThingShadow', { thingName: 'lamp' }), /^InvalidRequestException 400 .*'payload'/);
});

test('UpdateThingShadow has the errors of the topic: words, conflict and size', async (t) => {
	const b = await lamp(t);
	const update = (payload) => b.refused('UpdateThingShadow', { thingName: 'lamp', payload });
	assert.equal(await update({ state: 7 }), 'InvalidRequestException 400 State node must be an object');
	assert.equal(await update('{'), 'InvalidRequestException 400 Invalid JSON');
	assert.match(await update({ state: { reported: { text: 'x'.repeat(70000) } } }), /^RequestEntityTooLargeException 413 /);
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { a: 1 } } } });
	assert.match(await update({ state: { reported: { a: 2 } }, version: 7 }), /^(Version)?ConflictException 409 Version conflict/);
});

test('ListNamedShadowsForThing lists the named ones only, in pages', async (t) => {
	const b = await lamp(t);
	for (const shadowName of [undefined, 'b', 'a', 'c'])
		await b.call('UpdateThingShadow', { thingName: 'lamp', shadowName, payload: { state: { reported: { x: 1 } } } });
	await b.call('DeleteThingShadow', { thingName: 'lamp', shadowName: 'b' });
	const all = await b.call('ListNamedShadowsForThing', { thingName: 'lamp' });
	assert.deepEqual(all.results, ['a', 'c']);
	assert.ok(Math.abs(all.timestamp - Date.now() / 1000) < 60);
	const first = await b.call('ListNamedShadowsForThing', { thingName: 'lamp', pageSize: 1 });
	assert.deepEqual((await b.call('ListNamedShadowsForThing', { thingName: 'lamp', pageSize: 1, nextToken: first.nextToken })).results, ['c']);
	assert.match(await b.refused('ListNamedShadowsForThing', { thingName: 'lamp', pageSize: 0 }), /^InvalidRequestException 400 .*'pageSize'/);
	assert.match(await b.refused('ListNamedShadowsForThing', { thingName: 'lamp', nextToken: '??' }), /^InvalidRequestException 400 /);
});

test('the version of a deleted shadow is forgotten after version_memory', async (t) => {
	const b = await start(t, { options: { shadow: { version_memory: '1h' } } });
	await b.call('CreateThing', { thingName: 'lamp' });
	const update = async () => document(await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { x: 1 } } } })).version;
	await update();
	assert.equal(await update(), 2);
	await b.call('DeleteThingShadow', { thingName: 'lamp' });
	assert.equal(await update(), 3);
	b.spec.options.shadow.version_memory = '1s';
	await b.restart();
	await b.call('DeleteThingShadow', { thingName: 'lamp' });
	await until('the count to begin anew', async () => {
		const version = await update();
		await b.call('DeleteThingShadow', { thingName: 'lamp' });
		await new Promise((done) => setTimeout(done, 1500));
		return version === 1;
	});
});
