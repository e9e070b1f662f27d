// Things over $CONTROL: created, described, updated under a version, listed in pages, deleted; and AWS's errors.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');

const registry = { plugins: ['core', 'registry', 'auth'] };
const BAD_NAME = "InvalidRequestException 400 1 validation error detected: Value 'a b' at 'thingName' failed to satisfy constraint: " +
	'Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+';

test.smoke('CreateThing answers name, ARN and id, and DescribeThing shows it', async (t) => {
	const b = await start(t, registry);
	const made = await b.call('CreateThing', { thingName: 'kitchen', attributePayload: { attributes: { floor: '1' } } });
	assert.equal(made.thingName, 'kitchen');
	assert.match(made.thingArn, /^arn:aws:iot:[a-z0-9-]+:\d{12}:thing\/kitchen$/);
	assert.match(made.thingId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	assert.deepEqual(await b.call('DescribeThing', { thingName: 'kitchen' }), {
		defaultClientId: 'kitchen', thingName: 'kitchen', thingId: made.thingId, thingArn: made.thingArn,
		attributes: { floor: '1' }, version: 1,
	});
});

test('CreateThing with the same words succeeds again, with other words it conflicts', async (t) => {
	const b = await start(t, registry);
	const first = await b.call('CreateThing', { thingName: 'kitchen' });
	assert.deepEqual(await b.call('CreateThing', { thingName: 'kitchen' }), first);
	assert.equal(await b.refused('CreateThing', { thingName: 'kitchen', attributePayload: { attributes: { a: 'b' } } }),
		'ResourceAlreadyExistsException 409 Thing kitchen already exists in account with different attributes');
});

test('a thing name out of shape is a validation error in every operation on things', async (t) => {
	const b = await start(t, registry);
	for (const command of ['CreateThing', 'DescribeThing', 'UpdateThing', 'DeleteThing'])
		assert.equal(await b.refused(command, { thingName: 'a b' }), BAD_NAME);
	assert.match(await b.refused('CreateThing', {}), /^InvalidRequestException 400 .*'thingName'.*must not be null/);
	assert.match(await b.refused('CreateThing', { thingName: 7 }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('CreateThing', { thingName: 'x'.repeat(129) }), /length less than or equal to 128/);
	assert.deepEqual((await b.call('ListThings', {})).things, []);
});

test('a thing that is not there is not found', async (t) => {
	const b = await start(t, registry);
	assert.match(await b.refused('DescribeThing', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('UpdateThing', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.deepEqual(await b.call('DeleteThing', { thingName: 'ghost' }), {});
	assert.match(await b.refused('CreateThing', { thingName: 'x', thingTypeName: 'nothing' }), /^ResourceNotFoundException 404 .*nothing/);
});

test('UpdateThing counts versions, merges or replaces attributes and refuses another version', async (t) => {
	const b = await start(t, registry);
	await b.call('CreateThing', { thingName: 'k', attributePayload: { attributes: { a: '1', b: '2' } } });
	await b.call('UpdateThing', { thingName: 'k', attributePayload: { attributes: { a: '', c: '3' }, merge: true }, expectedVersion: 1 });
	let k = await b.call('DescribeThing', { thingName: 'k' });
	assert.deepEqual([k.attributes, k.version], [{ b: '2', c: '3' }, 2]);
	await b.call('UpdateThing', { thingName: 'k', attributePayload: { attributes: { z: '9' } } });
	k = await b.call('DescribeThing', { thingName: 'k' });
	assert.deepEqual([k.attributes, k.version], [{ z: '9' }, 3]);
	assert.equal(await b.refused('UpdateThing', { thingName: 'k', expectedVersion: 1 }),
		'VersionConflictException 409 The version for thing k does not match the expected version.');
	assert.match(await b.refused('DeleteThing', { thingName: 'k', expectedVersion: 1 }), /^VersionConflictException 409 /);
	assert.match(await b.refused('UpdateThing', { thingName: 'k', attributePayload: { attributes: { 1: '1', 2: '2', 3: '3', 4: '4' } } }),
		/^InvalidRequestException 400 /);
	await b.call('DeleteThing', { thingName: 'k', expectedVersion: 3 });
	assert.match(await b.refused('DescribeThing', { thingName: 'k' }), /^ResourceNotFoundException/);
});

test('ListThings answers pages in order, by attribute and by type, and refuses a foreign token', async (t) => {
	const b = await start(t, registry);
	await b.call('CreateThingType', { thingTypeName: 'Bulb' });
	for (let i = 0; i < 7; i++)
		await b.call('CreateThing', { thingName: `t${i}`, thingTypeName: i % 2 ? 'Bulb' : undefined, attributePayload: { attributes: { n: `v${i}` } } });
	const names = [];
	let nextToken;
	do {
		const page = await b.call('ListThings', { maxResults: 3, nextToken });
		assert.ok(page.things.length <= 3);
		names.push(...page.things.map((x) => x.thingName));
		nextToken = page.nextToken;
	} while (nextToken);
	assert.deepEqual(names, ['t0', 't1', 't2', 't3', 't4', 't5', 't6']);
	assert.deepEqual((await b.call('ListThings', { thingTypeName: 'Bulb' })).things.map((x) => x.thingName), ['t1', 't3', 't5']);
	assert.deepEqual((await b.call('ListThings', { attributeName: 'n', attributeValue: 'v4' })).things.map((x) => x.thingName), ['t4']);
	assert.match(await b.refused('ListThings', { nextToken: 'not-a-token!' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('ListThings', { maxResults: 251 }), /^InvalidRequestException 400 .*'maxResults'/);
});

test('DeleteThing refuses while a certificate is attached', async (t) => {
	const b = await start(t, registry);
	const { certificateArn } = await b.provision('lamp');
	assert.equal(await b.refused('DeleteThing', { thingName: 'lamp' }),
		'InvalidRequestException 400 Cannot delete. Thing lamp is still attached to one or more principals');
	await b.call('DetachThingPrincipal', { thingName: 'lamp', principal: certificateArn });
	await b.call('DeleteThing', { thingName: 'lamp' });
});

test('DeleteThing takes the shadows of the thing with it', async (t) => {
	const b = await start(t);
	await b.call('CreateThing', { thingName: 'lamp' });
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { on: true } } } });
	await b.call('UpdateThingShadow', { thingName: 'lamp', shadowName: 'night', payload: { state: { desired: { on: true } } } });
	await b.call('DeleteThing', { thingName: 'lamp' });
	await b.call('CreateThing', { thingName: 'lamp' });
	const { until } = require('../../harness/test');
	await until('the shadows to be gone', async () => {
		const { results } = await b.call('ListNamedShadowsForThing', { thingName: 'lamp' });
		const r = await (await b.operator()).respond('GetThingShadow', { thingName: 'lamp' });
		return results.length === 0 && r.status === 404;
	});
});
