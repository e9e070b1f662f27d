// Thing types and the endpoint over $CONTROL.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');

const registry = { plugins: ['core', 'registry'], options: { core: { account: '123456789012', region: 'eu-west-1' }, registry: { endpoint: 'iot.example.org' } }, conf: 'allow_anonymous true' };

test('CreateThingType, DescribeThingType and ListThingTypes show what was made', async (t) => {
	const b = await start(t, registry);
	const properties = { thingTypeDescription: 'a lamp', searchableAttributes: ['wattage'] };
	const made = await b.call('CreateThingType', { thingTypeName: 'Bulb', thingTypeProperties: properties });
	assert.equal(made.thingTypeArn, 'arn:aws:iot:eu-west-1:123456789012:thingtype/Bulb');
	const seen = await b.call('DescribeThingType', { thingTypeName: 'Bulb' });
	assert.equal(seen.thingTypeId, made.thingTypeId);
	assert.deepEqual(seen.thingTypeProperties, properties);
	assert.equal(seen.thingTypeMetadata.deprecated, false);
	assert.ok(Math.abs(seen.thingTypeMetadata.creationDate - Date.now() / 1000) < 60);
	await b.call('CreateThingType', { thingTypeName: 'Fan' });
	assert.deepEqual((await b.call('ListThingTypes', {})).thingTypes.map((x) => x.thingTypeName), ['Bulb', 'Fan']);
	assert.deepEqual((await b.call('ListThingTypes', { thingTypeName: 'Fan' })).thingTypes.map((x) => x.thingTypeName), ['Fan']);
	assert.match(await b.refused('ListThingTypes', { nextToken: '!!' }), /^InvalidRequestException 400 /);
	assert.deepEqual(await b.call('CreateThingType', { thingTypeName: 'Bulb', thingTypeProperties: properties }), made);
	assert.match(await b.refused('CreateThingType', { thingTypeName: 'Bulb' }), /^ResourceAlreadyExistsException 409 /);
	assert.match(await b.refused('CreateThingType', { thingTypeName: 'a b' }), /^InvalidRequestException 400 /);
});

test('a type that is not there is not found', async (t) => {
	const b = await start(t, registry);
	for (const command of ['DescribeThingType', 'DeprecateThingType', 'DeleteThingType', 'UpdateThingType'])
		assert.equal(await b.refused(command, { thingTypeName: 'ghost' }), 'ResourceNotFoundException 404 Thing type ghost cannot be found.');
});

test('DeprecateThingType closes a type for new things, and undoing it opens it again', async (t) => {
	const b = await start(t, registry);
	await b.call('CreateThingType', { thingTypeName: 'Bulb' });
	await b.call('DeprecateThingType', { thingTypeName: 'Bulb' });
	assert.equal((await b.call('DescribeThingType', { thingTypeName: 'Bulb' })).thingTypeMetadata.deprecated, true);
	assert.match(await b.refused('CreateThing', { thingName: 'x', thingTypeName: 'Bulb' }), /^InvalidRequestException 400 .*deprecated thing type/);
	await b.call('DeprecateThingType', { thingTypeName: 'Bulb', undoDeprecate: true });
	await b.call('CreateThing', { thingName: 'x', thingTypeName: 'Bulb' });
	assert.equal((await b.call('DescribeThing', { thingName: 'x' })).thingTypeName, 'Bulb');
});

test('DeleteThingType wants a deprecation first and then five minutes', async (t) => {
	const b = await start(t, registry);
	await b.call('CreateThingType', { thingTypeName: 'Bulb' });
	assert.match(await b.refused('DeleteThingType', { thingTypeName: 'Bulb' }), /^InvalidRequestException 400 .*deprecate it first/);
	await b.call('DeprecateThingType', { thingTypeName: 'Bulb' });
	assert.match(await b.refused('DeleteThingType', { thingTypeName: 'Bulb' }), /^InvalidRequestException 400 .*5 minutes/);
});

test('UpdateThingType changes only the MQTT 5 configuration', async (t) => {
	const b = await start(t, registry);
	await b.call('CreateThingType', { thingTypeName: 'Bulb' });
	assert.equal(await b.refused('UpdateThingType', { thingTypeName: 'Bulb', thingTypeProperties: { thingTypeDescription: 'x' } }),
		'InvalidRequestException 400 Can only update mqtt5Configuration.');
	const mqtt5Configuration = { propagatingAttributes: [{ userPropertyKey: 'w', thingAttribute: 'wattage' }] };
	await b.call('UpdateThingType', { thingTypeName: 'Bulb', thingTypeProperties: { mqtt5Configuration } });
	assert.deepEqual((await b.call('DescribeThingType', { thingTypeName: 'Bulb' })).thingTypeProperties.mqtt5Configuration, mqtt5Configuration);
});

test('DescribeEndpoint answers the address of the option', async (t) => {
	const b = await start(t, registry);
	assert.deepEqual(await b.call('DescribeEndpoint', { endpointType: 'iot:Data-ATS' }), { endpointAddress: 'iot.example.org' });
	assert.match(await b.refused('DescribeEndpoint', { endpointType: 'x'.repeat(200) }), /^InvalidRequestException 400 /);
});
