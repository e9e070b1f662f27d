// Variables and conditions on a live connection: what is known of the device, its thing and the moment.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const pki = require('../../harness/pki');

const arn = (kind, name) => `arn:aws:iot:*:*:${kind}/${name}`;
const CONNECT = { Effect: 'Allow', Action: 'iot:Connect', Resource: '*' };
const policy = (...Statement) => ({ Version: '2012-10-17', Statement: [CONNECT, ...Statement] });
const say = (Effect, Action, Resource, Condition) => ({ Effect, Action, Resource, ...Condition && { Condition } });
const allow = (...rest) => say('Allow', ...rest);
const deny = (...rest) => say('Deny', ...rest);
const VIOLATIONS = { options: { auth: { violations: 'deny' } } };

// Publishes to each topic with MQTT 5 and says which went through.
async function passed(device, ...topics) {
	const good = [];
	for (const topic of topics)
		await device.publish(topic, 'x').then(() => good.push(topic), (e) => assert.equal(e.code, 0x87));
	return good;
}

test('the fields of a certificate, its serial number and its id stand for themselves', async (t) => {
	const b = await start(t, VIOLATIONS);
	const { certificateId } = await b.provision('lamp', policy(allow('iot:Publish', [arn('topic', 'cn/${iot:Certificate.Subject.CommonName}'),
		arn('topic', 'ca/${iot:Certificate.Issuer.CommonName.List.0}'), arn('topic', 'id/${iot:CertificateId}'),
		arn('topic', 'serial/${iot:Certificate.SerialNumber}'), arn('topic', 'none/${iot:Certificate.Subject.Organization}')])));
	const lamp = await b.tls('lamp', { version: 5 }).connect();
	const serial = BigInt(`0x${new (require('node:crypto').X509Certificate)(pki.certificate('lamp').pem).serialNumber}`);
	const good = ['cn/lamp', 'ca/Skeeter test ca', `id/${certificateId}`, `serial/${serial}`];
	assert.deepEqual(await passed(lamp, ...good, 'cn/fan', 'none/', 'none/${iot:Certificate.Subject.Organization}'), good);
	await b.logged(/deny publish lamp -> none\/: .*\$\{iot:Certificate\.Subject\.Organization\} has no value/, 0);
});

test('a change of the thing counts from the next packet on: type, attributes and attachment', async (t) => {
	const b = await start(t, VIOLATIONS);
	const { certificateArn } = await b.provision('lamp', policy(
		allow('iot:Publish', [arn('topic', 'room/${iot:Connection.Thing.Attributes[room]}'), arn('topic', 'type/${iot:Connection.Thing.ThingTypeName}')]),
		allow('iot:Publish', arn('topic', 'attached'), { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } })));
	const lamp = await b.tls('lamp', { version: 5 }).connect();
	const ask = () => passed(lamp, 'room/hall', 'room/attic', 'type/light', 'attached');
	assert.deepEqual(await ask(), ['attached']);
	await b.call('UpdateThing', { thingName: 'lamp', attributePayload: { attributes: { room: 'hall' } } });
	assert.deepEqual(await ask(), ['room/hall', 'attached']);
	await b.call('CreateThingType', { thingTypeName: 'light' });
	await b.call('UpdateThing', { thingName: 'lamp', thingTypeName: 'light', attributePayload: { attributes: { room: 'attic' } } });
	assert.deepEqual(await ask(), ['room/attic', 'type/light', 'attached']);
	await b.call('DetachThingPrincipal', { thingName: 'lamp', principal: certificateArn });
	assert.deepEqual(await ask(), []);
	await b.call('AttachThingPrincipal', { thingName: 'lamp', principal: certificateArn });
	assert.deepEqual(await ask(), ['room/attic', 'type/light', 'attached']);
	await b.restart();
	const again = await b.tls('lamp', { version: 5 }).connect();
	assert.deepEqual(await passed(again, 'room/hall', 'room/attic', 'type/light'), ['room/attic', 'type/light']);
});

test('an exclusive attachment names the thing whatever the client id is, ListThingPrincipalsV2 and ListPrincipalThingsV2 show it', async (t) => {
	const b = await start(t, VIOLATIONS);
	const { certificateArn } = await b.provision('valve', policy(allow('iot:Publish', arn('topic', '${iot:Connection.Thing.ThingName}'))), { thing: false });
	await b.call('CreateThing', { thingName: 'pump' });
	await b.call('CreateThing', { thingName: 'tank' });
	await b.call('AttachThingPrincipal', { thingName: 'pump', principal: certificateArn });
	const valve = await b.tls('valve', { version: 5 }).connect();
	assert.deepEqual(await passed(valve, 'pump'), []);
	await b.call('DetachThingPrincipal', { thingName: 'pump', principal: certificateArn });
	await b.call('AttachThingPrincipal', { thingName: 'pump', principal: certificateArn, thingPrincipalType: 'EXCLUSIVE_THING' });
	assert.deepEqual(await passed(valve, 'pump', 'valve'), ['pump']);
	assert.match(await b.refused('AttachThingPrincipal', { thingName: 'tank', principal: certificateArn }), /^InvalidRequestException 400 .*exclusive/);
	const thingPrincipalType = 'EXCLUSIVE_THING';
	assert.deepEqual((await b.call('ListThingPrincipalsV2', { thingName: 'pump' })).thingPrincipalObjects, [{ principal: certificateArn, thingPrincipalType }]);
	assert.deepEqual((await b.call('ListPrincipalThingsV2', { principal: certificateArn })).principalThingObjects, [{ thingName: 'pump', thingPrincipalType }]);
	assert.deepEqual((await b.call('ListThingPrincipalsV2', { thingName: 'pump', thingPrincipalType: 'NON_EXCLUSIVE_THING' })).thingPrincipalObjects, []);
	assert.deepEqual((await b.call('ListPrincipalThingsV2', { principal: certificateArn, thingPrincipalType: 'NON_EXCLUSIVE_THING' })).principalThingObjects, []);
	assert.match(await b.refused('ListThingPrincipalsV2', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListThingPrincipalsV2', { thingName: 'pump', thingPrincipalType: 'MINE' }), /^InvalidRequestException 400 .*'thingPrincipalType'/);
	assert.match(await b.refused('ListPrincipalThingsV2', {}), /^InvalidRequestException 400 .*'principal'/);
	await b.call('DetachThingPrincipal', { thingName: 'pump', principal: certificateArn });
	assert.deepEqual(await passed(valve, 'pump'), []);
});

test('a condition on the address is asked of the connection', async (t) => {
	const b = await start(t, VIOLATIONS);
	const at = (net) => ({ IpAddress: { 'aws:SourceIp': net } });
	await b.provision('lamp', policy(allow('iot:Publish', arn('topic', 'here'), at(['192.0.2.0/24', '127.0.0.0/8'])),
		allow('iot:Publish', arn('topic', 'there'), at('192.0.2.0/24')), allow('iot:Publish', arn('topic', 'from/${aws:SourceIp}')),
		allow('iot:Publish', arn('topic', 'not/*')), deny('iot:Publish', arn('topic', 'not/here'), { NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })));
	const lamp = await b.tls('lamp', { version: 5 }).connect();
	assert.deepEqual(await passed(lamp, 'here', 'there', 'from/127.0.0.1', 'not/here', 'not/there'), ['here', 'from/127.0.0.1', 'not/there']);
});

test('a condition on the time is asked with every packet', async (t) => {
	const b = await start(t, VIOLATIONS);
	const turning = (end) => policy(
		allow('iot:Publish', arn('topic', 'before'), { DateLessThan: { 'aws:CurrentTime': new Date(end).toISOString() } }),
		allow('iot:Publish', arn('topic', 'epoch'), { NumericGreaterThanEquals: { 'aws:EpochTime': String(end / 1000) } }));
	const { certificateArn } = await b.provision('lamp', policy());
	const lamp = await b.tls('lamp', { version: 5 }).connect();
	// One policy, on either side of its moment: whoever comes too late to see the first side takes another moment, further away.
	const ahead = async (seconds) => {
		const end = Math.ceil(Date.now() / 1000 + seconds) * 1000, policyName = `turning-${seconds}`;
		await b.call('CreatePolicy', { policyName, policyDocument: JSON.stringify(turning(end)) });
		await b.call('AttachPolicy', { policyName, target: certificateArn });
		const seen = await passed(lamp, 'before', 'epoch');
		if (Date.now() < end)
			return seen;
		await b.call('DetachPolicy', { policyName, target: certificateArn });
		return ahead(seconds * 3);
	};
	assert.deepEqual(await ahead(2), ['before']);
	await until('the time', async () => (await passed(lamp, 'epoch')).length);
	assert.deepEqual(await passed(lamp, 'before', 'epoch'), ['epoch']);
});

test('iot:ConnectAttributes: a persistent session, and a will when it is sent', async (t) => {
	const b = await start(t);
	const only = (...names) => ({ Version: '2012-10-17', Statement: [
		allow('iot:Connect', '*', { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': names } }), allow(['iot:Publish', 'iot:Subscribe', 'iot:Receive'], '*')] });
	await b.provision('clean', only('LastWill'));
	await b.provision('kept', only('PersistentConnect'));
	await b.tls('clean', { clean: true }).connect();
	assert.notEqual(await b.tls('clean', { clean: false, clientId: 'clean' }).refusedConnect(), undefined);
	await b.tls('kept', { clean: false }).connect();
	const listener = await b.device('listener');
	await listener.subscribe('last/#');
	for (const [name, clean] of [['kept', false], ['clean', true]]) {
		const d = await b.tls(name, { clean, will: { topic: `last/${name}`, payload: Buffer.from('x'), qos: 1 } }).connect();
		d.client.stream.destroy();
		await d.closed();
	}
	await listener.nextMessage('last/clean');
	assert.deepEqual(listener.inbox, []);
	await b.logged(/deny publish kept -> last\/kept: .*LastWill/, 0);
});

test('NotAction and NotResource mean all others', async (t) => {
	const b = await start(t, VIOLATIONS);
	const not = (Effect, NotAction, NotResource) => ({ Effect, NotAction, NotResource });
	await b.provision('lamp', policy(allow('iot:Publish', '*'), { Effect: 'Deny', Action: 'iot:Publish', NotResource: [arn('topic', 'mine/${iot:ClientId}'), arn('topic', 'open/*')] },
		not('Deny', ['iot:Connect', 'iot:Publish'], arn('topicfilter', 'quiet'))));
	const lamp = await b.tls('lamp', { version: 5 }).connect();
	assert.deepEqual(await passed(lamp, 'mine/lamp', 'open/1', 'mine/fan', 'else'), ['mine/lamp', 'open/1']);
	const { certificateId } = await b.call('DescribeCertificate', { certificateId: pki.certificate('lamp').id }).then((d) => d.certificateDescription);
	const ask = async (topic) => (await b.call('ExplainAuthorization', { clientId: 'lamp', certificateId, action: 'subscribe', topic })).decision;
	assert.deepEqual([await ask('quiet'), await ask('loud')], ['IMPLICIT_DENY', 'EXPLICIT_DENY']);
});
