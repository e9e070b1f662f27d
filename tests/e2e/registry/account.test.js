// Tags by ARN, event configurations with a subscriber who sees the events, and logging options, over $CONTROL.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');

const registry = { plugins: ['core', 'registry', 'auth'], options: { core: { account: '123456789012', region: 'eu-west-1' } } };
const ARN = 'arn:aws:iot:eu-west-1:123456789012:';
const document = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] });

test('TagResource, UntagResource and ListTagsForResource work on types, groups, billing groups and policies', async (t) => {
	const b = await start(t, registry);
	const tags = [{ Key: 'site', Value: 'Oslo' }];
	await b.call('CreateThingType', { thingTypeName: 'x', tags });
	await b.call('CreateThingGroup', { thingGroupName: 'x', tags });
	await b.call('CreateBillingGroup', { billingGroupName: 'x', tags });
	await b.call('CreatePolicy', { policyName: 'x', policyDocument: document, tags });
	for (const kind of ['thingtype', 'thinggroup', 'billinggroup', 'policy']) {
		const resourceArn = `${ARN}${kind}/x`;
		assert.deepEqual(await b.call('ListTagsForResource', { resourceArn }), { tags });
		await b.call('TagResource', { resourceArn, tags: [{ Key: 'site', Value: 'Bergen' }, { Key: 'new' }] });
		assert.deepEqual((await b.call('ListTagsForResource', { resourceArn })).tags, [{ Key: 'site', Value: 'Bergen' }, { Key: 'new', Value: '' }]);
		await b.call('UntagResource', { resourceArn, tagKeys: ['site'] });
		assert.deepEqual((await b.call('ListTagsForResource', { resourceArn })).tags, [{ Key: 'new', Value: '' }]);
		const fifty = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}` }));
		assert.match(await b.refused('TagResource', { resourceArn, tags: fifty }), /^LimitExceededException 410 /);
		assert.match(await b.refused('TagResource', { resourceArn, tags: [{ Key: 'aws:x' }] }), /^InvalidRequestException 400 .*reserved/);
		const gone = `${ARN}${kind}/ghost`;
		assert.match(await b.refused('TagResource', { resourceArn: gone, tags }), /^ResourceNotFoundException 404 /);
		assert.match(await b.refused('UntagResource', { resourceArn: gone, tagKeys: ['k'] }), /^ResourceNotFoundException 404 /);
		assert.match(await b.refused('ListTagsForResource', { resourceArn: gone }), /^ResourceNotFoundException 404 /);
	}
	assert.equal((await b.call('GetPolicy', { policyName: 'x' })).policyDocument, document);
	for (const resourceArn of ['x', `${ARN}thing/x`, `${ARN}thinggroup/x/y`]) {
		assert.match(await b.refused('TagResource', { resourceArn, tags }), /^InvalidRequestException 400 /);
		assert.match(await b.refused('UntagResource', { resourceArn, tagKeys: ['k'] }), /^InvalidRequestException 400 /);
		assert.match(await b.refused('ListTagsForResource', { resourceArn }), /^InvalidRequestException 400 /);
	}
});

const ON = { Enabled: true };

test('DescribeEventConfigurations shows what UpdateEventConfigurations switched', async (t) => {
	const b = await start(t, registry);
	const before = await b.call('DescribeEventConfigurations', {});
	assert.equal(Object.keys(before.eventConfigurations).length, 11);
	assert.ok(Object.values(before.eventConfigurations).every((c) => c.Enabled === false));
	await b.call('UpdateEventConfigurations', { eventConfigurations: { POLICY: ON, CERTIFICATE: ON, CA_CERTIFICATE: ON } });
	await b.call('UpdateEventConfigurations', { eventConfigurations: { CERTIFICATE: { Enabled: false } } });
	await b.restart();
	const after = await b.call('DescribeEventConfigurations', {});
	assert.deepEqual(Object.entries(after.eventConfigurations).filter(([, c]) => c.Enabled).map(([k]) => k), ['POLICY', 'CA_CERTIFICATE']);
	assert.ok(after.lastModifiedDate >= after.creationDate);
	assert.match(await b.refused('UpdateEventConfigurations', { eventConfigurations: { NOTHING: ON } }), /^InvalidRequestException 400 /);
});

test('a subscriber sees things, types, groups, memberships, hierarchies and associations come and go', async (t) => {
	const b = await start(t, registry);
	const d = await b.device('watcher');
	await d.subscribe('$aws/events/#');
	await b.call('CreateThing', { thingName: 'silent' });
	await b.call('UpdateEventConfigurations', { eventConfigurations: { THING: ON, THING_GROUP: ON, THING_TYPE: ON, THING_GROUP_MEMBERSHIP: ON,
		THING_GROUP_HIERARCHY: ON, THING_TYPE_ASSOCIATION: ON } });
	await b.call('CreateThingType', { thingTypeName: 'bulb' });
	const { thingId } = await b.call('CreateThing', { thingName: 'lamp', thingTypeName: 'bulb', attributePayload: { attributes: { a: '1' } } });
	await b.call('CreateThingGroup', { thingGroupName: 'p' });
	await b.call('CreateThingGroup', { thingGroupName: 'c', parentGroupName: 'p' });
	await b.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'c' });
	await b.call('UpdateThing', { thingName: 'lamp', removeThingType: true });
	await b.call('UpdateThingGroup', { thingGroupName: 'c', thingGroupProperties: { thingGroupDescription: 'd' } });
	await b.call('DeprecateThingType', { thingTypeName: 'bulb' });
	await b.call('DeleteThing', { thingName: 'lamp' });
	await b.call('DeleteThingGroup', { thingGroupName: 'c' });
	const expected = ['thingType/bulb/created', 'thing/lamp/created', 'thingTypeAssociation/thing/lamp/thingType/bulb/added', 'thingGroup/p/created',
		'thingGroup/c/created', 'thingGroupHierarchy/thingGroup/p/childThingGroup/c/added', 'thingGroupMembership/thingGroup/c/thing/lamp/added',
		'thing/lamp/updated', 'thingTypeAssociation/thing/lamp/thingType/bulb/removed', 'thingGroup/c/updated', 'thingType/bulb/updated',
		'thingGroupMembership/thingGroup/c/thing/lamp/removed', 'thing/lamp/deleted', 'thingGroup/c/deleted',
		'thingGroupHierarchy/thingGroup/p/childThingGroup/c/removed'].map((s) => `$aws/events/${s}`).sort();
	const topics = () => d.inbox.map((m) => m.topic).filter((at) => !/events\/(presence|subscriptions)\//.test(at)).sort();
	await until(() => `all events; seen: ${topics().join(' ')}`, () => topics().length >= expected.length);
	assert.deepEqual(topics(), expected);
	const event = await d.next('$aws/events/thing/lamp/created');
	assert.ok(Math.abs(event.timestamp - Date.now()) < 60000);
	assert.match(event.eventId, /^[0-9a-f-]{36}$/);
	assert.deepEqual({ ...event, timestamp: 1, eventId: 1 }, { eventType: 'THING_EVENT', eventId: 1, timestamp: 1, operation: 'CREATED',
		accountId: '123456789012', thingId, thingName: 'lamp', versionNumber: 1, thingTypeName: 'bulb', attributes: { a: '1' } });
	const added = await d.next('$aws/events/thingGroupMembership/thingGroup/c/thing/lamp/added');
	const removed = await d.next('$aws/events/thingGroupMembership/thingGroup/c/thing/lamp/removed');
	assert.equal(added.membershipId, removed.membershipId);
	assert.deepEqual([added.groupArn, added.thingArn, added.thingId], [`${ARN}thinggroup/c`, `${ARN}thing/lamp`, thingId]);
});

test('logging options and levels are kept', async (t) => {
	const b = await start(t, registry);
	const client = { targetType: 'CLIENT_ID', targetName: 'a/b' };
	assert.match(await b.refused('GetV2LoggingOptions', {}), /^NotConfiguredException 404 /);
	assert.match(await b.refused('ListV2LoggingLevels', {}), /^NotConfiguredException 404 /);
	assert.match(await b.refused('SetV2LoggingLevel', { logTarget: client, logLevel: 'INFO' }), /^NotConfiguredException 404 /);
	await b.call('SetV2LoggingOptions', { roleArn: 'arn:aws:iam::1:role/r', defaultLogLevel: 'WARN', eventConfigurations: [{ eventType: 'Connect' }] });
	assert.deepEqual(await b.call('GetV2LoggingOptions', {}), { roleArn: 'arn:aws:iam::1:role/r', defaultLogLevel: 'WARN', disableAllLogs: false });
	assert.deepEqual((await b.call('GetV2LoggingOptions', { verbose: true })).eventConfigurations, [{ eventType: 'Connect' }]);
	await b.call('SetV2LoggingLevel', { logTarget: client, logLevel: 'DEBUG' });
	const levels = async (input) => (await b.call('ListV2LoggingLevels', input)).logTargetConfigurations;
	assert.deepEqual(await levels({}), [{ logTarget: client, logLevel: 'DEBUG' }, { logTarget: { targetType: 'DEFAULT' }, logLevel: 'WARN' }]);
	assert.deepEqual(await levels({ targetType: 'PRINCIPAL_ID' }), []);
	await b.call('DeleteV2LoggingLevel', client);
	assert.deepEqual(await levels({ targetType: 'CLIENT_ID' }), []);
	assert.match(await b.refused('DeleteV2LoggingLevel', { targetType: 'DEFAULT', targetName: 'x' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('SetV2LoggingLevel', { logTarget: { targetType: 'CLIENT_ID' }, logLevel: 'INFO' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('SetV2LoggingLevel', { logTarget: client, logLevel: 'LOUD' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('SetV2LoggingOptions', { defaultLogLevel: 'LOUD' }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('ListV2LoggingLevels', { targetType: 'NOBODY' }), /^InvalidRequestException 400 /);
});
