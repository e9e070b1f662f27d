// Thing groups over $CONTROL: trees, attributes under a version, things in them, and AWS's errors.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');

const registry = { plugins: ['core', 'registry'], options: { core: { account: '123456789012', region: 'eu-west-1' } }, conf: 'allow_anonymous true' };
const ARN = 'arn:aws:iot:eu-west-1:123456789012:';
const names = (list) => list.map((x) => x.groupName);

test.smoke('CreateThingGroup makes a tree, DescribeThingGroup and ListThingGroups show it', async (t) => {
	const b = await start(t, registry);
	const thingGroupProperties = { thingGroupDescription: 'all lights', attributePayload: { attributes: { floor: '1' } } };
	const made = await b.call('CreateThingGroup', { thingGroupName: 'lights', thingGroupProperties, tags: [{ Key: 'k', Value: 'v' }] });
	assert.equal(made.thingGroupArn, `${ARN}thinggroup/lights`);
	assert.deepEqual(await b.call('CreateThingGroup', { thingGroupName: 'lights', thingGroupProperties }), made);
	assert.equal(await b.refused('CreateThingGroup', { thingGroupName: 'lights' }),
		'ResourceAlreadyExistsException 409 Thing Group lights already exists in current account with different properties');
	await b.call('CreateThingGroup', { thingGroupName: 'red', parentGroupName: 'lights' });
	await b.call('CreateThingGroup', { thingGroupName: 'red1', parentGroupName: 'red' });
	const red1 = await b.call('DescribeThingGroup', { thingGroupName: 'red1' });
	assert.equal(red1.version, 1);
	assert.equal(red1.thingGroupMetadata.parentGroupName, 'red');
	assert.deepEqual(red1.thingGroupMetadata.rootToParentThingGroups,
		[{ groupName: 'lights', groupArn: `${ARN}thinggroup/lights` }, { groupName: 'red', groupArn: `${ARN}thinggroup/red` }]);
	assert.ok(Math.abs(red1.thingGroupMetadata.creationDate - Date.now() / 1000) < 60);
	assert.deepEqual((await b.call('DescribeThingGroup', { thingGroupName: 'lights' })).thingGroupProperties, thingGroupProperties);
	const list = async (input) => names((await b.call('ListThingGroups', input)).thingGroups);
	assert.deepEqual(await list({}), ['lights', 'red', 'red1']);
	assert.deepEqual(await list({ recursive: false }), ['lights']);
	assert.deepEqual(await list({ parentGroup: 'lights' }), ['red', 'red1']);
	assert.deepEqual(await list({ parentGroup: 'lights', recursive: false }), ['red']);
	assert.deepEqual(await list({ namePrefixFilter: 'red' }), ['red', 'red1']);
	const first = await b.call('ListThingGroups', { maxResults: 2 });
	assert.deepEqual([...names(first.thingGroups), ...await list({ nextToken: first.nextToken })], ['lights', 'red', 'red1']);
	assert.match(await b.refused('ListThingGroups', { parentGroup: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListThingGroups', { nextToken: '!' }), /^InvalidRequestException 400 /);
});

test('a tree of thing groups is at most seven deep and its groups have at most 50 attributes', async (t) => {
	const b = await start(t, registry);
	for (let i = 1; i <= 7; i++)
		await b.call('CreateThingGroup', { thingGroupName: `g${i}`, parentGroupName: i > 1 ? `g${i - 1}` : undefined });
	assert.match(await b.refused('CreateThingGroup', { thingGroupName: 'g8', parentGroupName: 'g7' }), /^InvalidRequestException 400 .*7 levels/);
	assert.match(await b.refused('CreateThingGroup', { thingGroupName: 'x', parentGroupName: 'ghost' }), /^InvalidRequestException 400 .*ghost/);
	const attributes = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a${i}`, 'v']));
	assert.match(await b.refused('CreateThingGroup', { thingGroupName: 'x', thingGroupProperties: { attributePayload: { attributes } } }),
		/^InvalidRequestException 400 .*50 attributes/);
	assert.match(await b.refused('CreateThingGroup', { thingGroupName: 'a b' }), /^InvalidRequestException 400 .*'thingGroupName'/);
	assert.match(await b.refused('CreateThingGroup', { thingGroupName: 'x', tags: [{ Key: 'aws:x' }] }), /^InvalidRequestException 400 /);
});

test('UpdateThingGroup merges or replaces attributes under a version', async (t) => {
	const b = await start(t, registry);
	const change = (attributePayload, more) => b.call('UpdateThingGroup', { thingGroupName: 'g', thingGroupProperties: { attributePayload }, ...more });
	await b.call('CreateThingGroup', { thingGroupName: 'g', thingGroupProperties: { attributePayload: { attributes: { a: '1', b: '2' } } } });
	assert.deepEqual(await change({ attributes: { a: '', c: '3' }, merge: true }, { expectedVersion: 1 }), { version: 2 });
	const seen = async () => (await b.call('DescribeThingGroup', { thingGroupName: 'g' })).thingGroupProperties.attributePayload.attributes;
	assert.deepEqual(await seen(), { b: '2', c: '3' });
	assert.deepEqual(await change({ attributes: { z: '9' } }), { version: 3 });
	assert.deepEqual(await seen(), { z: '9' });
	assert.equal(await b.refused('UpdateThingGroup', { thingGroupName: 'g', thingGroupProperties: {}, expectedVersion: 1 }),
		'VersionConflictException 409 The version for thing group g does not match the expected version.');
	assert.match(await b.refused('UpdateThingGroup', { thingGroupName: 'g' }), /^InvalidRequestException 400 .*'thingGroupProperties'/);
	assert.match(await b.refused('UpdateThingGroup', { thingGroupName: 'ghost', thingGroupProperties: {} }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DescribeThingGroup', { thingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
});

test('things join, move between and leave groups, one per tree and ten at most', async (t) => {
	const b = await start(t, registry);
	for (const thingName of ['lamp', 'fan'])
		await b.call('CreateThing', { thingName });
	await b.call('CreateThingGroup', { thingGroupName: 'p' });
	for (const thingGroupName of ['c', 'd'])
		await b.call('CreateThingGroup', { thingGroupName, parentGroupName: 'p' });
	await b.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'c' });
	await b.call('AddThingToThingGroup', { thingArn: `${ARN}thing/fan`, thingGroupArn: `${ARN}thinggroup/p`, overrideDynamicGroups: true });
	const things = async (thingGroupName, recursive) => (await b.call('ListThingsInThingGroup', { thingGroupName, recursive })).things;
	const groups = async (thingName) => names((await b.call('ListThingGroupsForThing', { thingName })).thingGroups);
	assert.deepEqual([await things('p'), await things('p', true), await things('c', true)], [['fan'], ['fan', 'lamp'], ['lamp']]);
	assert.deepEqual(await groups('lamp'), ['c']);
	assert.match(await b.refused('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'd' }), /^InvalidRequestException 400 .*same hierarchy/);
	await b.call('UpdateThingGroupsForThing', { thingName: 'lamp', thingGroupsToRemove: ['c'], thingGroupsToAdd: ['d'] });
	assert.deepEqual(await groups('lamp'), ['d']);
	assert.match(await b.refused('UpdateThingGroupsForThing', { thingName: 'lamp', thingGroupsToAdd: ['c'] }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('UpdateThingGroupsForThing', { thingName: 'lamp', thingGroupsToAdd: ['ghost'] }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('UpdateThingGroupsForThing', { thingName: 'ghost', thingGroupsToAdd: ['c'] }), /^ResourceNotFoundException 404 /);
	await b.call('RemoveThingFromThingGroup', { thingName: 'lamp', thingGroupName: 'd' });
	assert.deepEqual([await groups('lamp'), await things('p', true)], [[], ['fan']]);
	for (let i = 0; i <= 10; i++)
		await b.call('CreateThingGroup', { thingGroupName: `g${i}` });
	await b.call('UpdateThingGroupsForThing', { thingName: 'lamp', thingGroupsToAdd: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `g${i}`) });
	assert.match(await b.refused('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'g10' }), /^InvalidRequestException 400 .*10 groups/);
	await b.call('DeleteThing', { thingName: 'lamp' });
	assert.deepEqual(await things('g0'), []);
	for (const command of ['AddThingToThingGroup', 'RemoveThingFromThingGroup']) {
		assert.match(await b.refused(command, { thingName: 'fan' }), /^InvalidRequestException 400 /);
		assert.match(await b.refused(command, { thingName: 'fan', thingGroupArn: 'arn:x' }), /^InvalidRequestException 400 /);
		assert.match(await b.refused(command, { thingName: 'fan', thingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
		assert.match(await b.refused(command, { thingName: 'ghost', thingGroupName: 'p' }), /^ResourceNotFoundException 404 /);
	}
	assert.match(await b.refused('ListThingsInThingGroup', { thingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListThingGroupsForThing', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
});

test('DeleteThingGroup takes its memberships along, however many, and survives kill -9 on the way', async (t) => {
	const b = await start(t, registry);
	await b.call('CreateThingGroup', { thingGroupName: 'p' });
	await b.call('CreateThingGroup', { thingGroupName: 'c', parentGroupName: 'p' });
	const commands = Array.from({ length: 250 }, (_, i) => [{ command: 'CreateThing', thingName: `t${i}` },
		{ command: 'AddThingToThingGroup', thingName: `t${i}`, thingGroupName: 'c' }]).flat();
	const { responses } = await (await b.operator()).raw({ commands });
	assert.deepEqual(responses.filter((r) => r.error), []);
	assert.equal(await b.refused('DeleteThingGroup', { thingGroupName: 'p' }),
		'InvalidRequestException 400 Cannot delete thing group : p when there are still child groups attached to it.');
	assert.match(await b.refused('DeleteThingGroup', { thingGroupName: 'c', expectedVersion: 7 }), /^VersionConflictException 409 /);
	await b.call('DeleteThingGroup', { thingGroupName: 'c' });
	await b.restart('SIGKILL');
	await b.call('DeleteThingGroup', { thingGroupName: 'c' });
	await until('the group to be forgotten', async () => {
		const r = await (await b.operator()).respond('CreateThingGroup', { thingGroupName: 'c' });
		return r.error === undefined;
	});
	assert.deepEqual((await b.call('ListThingsInThingGroup', { thingGroupName: 'c' })).things, []);
	assert.deepEqual((await b.call('ListThingsInThingGroup', { thingGroupName: 'p', recursive: true })).things, []);
	assert.deepEqual((await b.call('ListThingGroupsForThing', { thingName: 't249' })).thingGroups, []);
});
