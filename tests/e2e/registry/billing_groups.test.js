// Billing groups over $CONTROL: made, described, updated under a version, things in them, deleted; and AWS's errors.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');

const registry = { plugins: ['core', 'registry'], options: { core: { account: '123456789012', region: 'eu-west-1' } }, conf: 'allow_anonymous true' };
const ARN = 'arn:aws:iot:eu-west-1:123456789012:';

test('a billing group is created, described, updated, listed and deleted', async (t) => {
	const b = await start(t, registry);
	const billingGroupProperties = { billingGroupDescription: 'hall' };
	const made = await b.call('CreateBillingGroup', { billingGroupName: 'hall', billingGroupProperties, tags: [{ Key: 'k' }] });
	assert.equal(made.billingGroupArn, `${ARN}billinggroup/hall`);
	assert.deepEqual(await b.call('CreateBillingGroup', { billingGroupName: 'hall', billingGroupProperties }), made);
	assert.match(await b.refused('CreateBillingGroup', { billingGroupName: 'hall' }), /^ResourceAlreadyExistsException 409 /);
	assert.match(await b.refused('CreateBillingGroup', { billingGroupName: 'a b' }), /^InvalidRequestException 400 .*'billingGroupName'/);
	assert.deepEqual(await b.call('UpdateBillingGroup',
		{ billingGroupName: 'hall', billingGroupProperties: { billingGroupDescription: 'x' }, expectedVersion: 1 }), { version: 2 });
	assert.match(await b.refused('UpdateBillingGroup', { billingGroupName: 'hall', billingGroupProperties, expectedVersion: 1 }),
		/^VersionConflictException 409 /);
	assert.match(await b.refused('UpdateBillingGroup', { billingGroupName: 'hall' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('UpdateBillingGroup', { billingGroupName: 'ghost', billingGroupProperties }), /^ResourceNotFoundException 404 /);
	const seen = await b.call('DescribeBillingGroup', { billingGroupName: 'hall' });
	assert.deepEqual([seen.version, seen.billingGroupProperties, seen.billingGroupId], [2, { billingGroupDescription: 'x' }, made.billingGroupId]);
	assert.ok(Math.abs(seen.billingGroupMetadata.creationDate - Date.now() / 1000) < 60);
	assert.match(await b.refused('DescribeBillingGroup', { billingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
	await b.call('CreateBillingGroup', { billingGroupName: 'roof' });
	const list = async (input) => (await b.call('ListBillingGroups', input)).billingGroups.map((x) => x.groupName);
	assert.deepEqual([await list({}), await list({ namePrefixFilter: 'r' })], [['hall', 'roof'], ['roof']]);
	assert.match(await b.refused('ListBillingGroups', { nextToken: '!' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('DeleteBillingGroup', { billingGroupName: 'hall', expectedVersion: 1 }), /^VersionConflictException 409 /);
	await b.call('DeleteBillingGroup', { billingGroupName: 'hall', expectedVersion: 2 });
	assert.deepEqual(await b.call('DeleteBillingGroup', { billingGroupName: 'hall' }), {});
	assert.deepEqual(await list({}), ['roof']);
});

test('a thing is in one billing group, and DescribeThing says in which', async (t) => {
	const b = await start(t, registry);
	for (const billingGroupName of ['a', 'b'])
		await b.call('CreateBillingGroup', { billingGroupName });
	await b.call('CreateThing', { thingName: 'lamp', billingGroupName: 'a' });
	await b.call('CreateThing', { thingName: 'fan' });
	await b.call('AddThingToBillingGroup', { thingName: 'fan', billingGroupName: 'a' });
	const things = async (billingGroupName) => (await b.call('ListThingsInBillingGroup', { billingGroupName })).things;
	const groupOf = async (thingName) => (await b.call('DescribeThing', { thingName })).billingGroupName;
	assert.deepEqual([await things('a'), await groupOf('fan')], [['fan', 'lamp'], 'a']);
	await b.call('AddThingToBillingGroup', { thingArn: `${ARN}thing/fan`, billingGroupArn: `${ARN}billinggroup/b` });
	assert.deepEqual([await things('a'), await things('b'), await groupOf('fan')], [['lamp'], ['fan'], 'b']);
	await b.call('RemoveThingFromBillingGroup', { thingName: 'fan', billingGroupName: 'b' });
	assert.deepEqual([await things('b'), await groupOf('fan')], [[], undefined]);
	await b.call('DeleteBillingGroup', { billingGroupName: 'a' });
	assert.equal(await groupOf('lamp'), undefined);
	for (const command of ['AddThingToBillingGroup', 'RemoveThingFromBillingGroup']) {
		assert.match(await b.refused(command, { thingName: 'fan' }), /^InvalidRequestException 400 /);
		assert.match(await b.refused(command, { thingName: 'fan', billingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
		assert.match(await b.refused(command, { thingName: 'ghost', billingGroupName: 'b' }), /^ResourceNotFoundException 404 /);
	}
	assert.match(await b.refused('ListThingsInBillingGroup', { billingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('CreateThing', { thingName: 'x', billingGroupName: 'ghost' }), /^ResourceNotFoundException 404 /);
});
