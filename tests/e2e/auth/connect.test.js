// Who gets in: a certificate must be registered, ACTIVE, and allowed to connect under its client id.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const pki = require('../../harness/pki');

const allow = (...statement) => ({ Version: '2012-10-17', Statement: statement.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource })) });
const NOT_AUTHORIZED = { 4: 5, 5: 0x87 };

for (const version of [4, 5]) {
	test.smoke(`a registered certificate gets in with MQTT ${version === 4 ? '3.1.1' : '5'}`, async (t) => {
		const b = await start(t);
		const lamp = await b.device('lamp', undefined, { version });
		await lamp.subscribe('hello');
		await lamp.publish('hello', 'world');
		assert.equal(String((await lamp.nextMessage('hello')).payload), 'world');
	});

	test(`a certificate that nobody registered is refused with MQTT ${version === 4 ? '3.1.1' : '5'}, and the log says what to do`, async (t) => {
		const b = await start(t);
		const from = b.log.length;
		assert.equal(await b.tls('stranger', { version }).refusedConnect(), NOT_AUTHORIZED[version]);
		const short = pki.certificate('stranger').id.slice(0, 4);
		await b.logged(new RegExp(`certificate ${short}[0-9a-f]*… is not registered: skeeter register-certificate-without-ca `), from);
	});
}

test('an INACTIVE certificate is refused until it is made ACTIVE', async (t) => {
	const b = await start(t);
	const { certificateId } = await b.provision('lamp');
	await b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	assert.equal(await b.tls('lamp').refusedConnect(), 5);
	await b.call('UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
	await b.tls('lamp').connect();
});

for (const newStatus of ['INACTIVE', 'REVOKED'])
	test.smoke(`a certificate that becomes ${newStatus} loses its connection at once and does not get back in`, async (t) => {
		const b = await start(t);
		const lamp = await b.device('lamp'), fan = await b.device('fan');
		const { certificateId } = { certificateId: pki.certificate('lamp').id };
		await b.call('UpdateCertificate', { certificateId, newStatus });
		await lamp.closed(); /* long before it would have to speak */
		assert.equal(await b.tls('lamp').refusedConnect(), 5);
		assert.equal(fan.open, true);
	});

test('a certificate that is deleted by force loses its connection', async (t) => {
	const b = await start(t);
	const lamp = await b.device('lamp');
	const certificateId = pki.certificate('lamp').id;
	const { certificateArn } = (await b.call('DescribeCertificate', { certificateId })).certificateDescription;
	await b.call('DetachThingPrincipal', { thingName: 'lamp', principal: certificateArn });
	await b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	await b.call('DeleteCertificate', { certificateId, forceDelete: true });
	await lamp.closed();
	assert.equal(await b.tls('lamp').refusedConnect(), 5);
});

test('the policy says under which client id a certificate may connect, and the log says why not', async (t) => {
	const b = await start(t);
	await b.provision('lamp', allow(['iot:Connect', 'arn:aws:iot:*:*:client/lamp']));
	await b.tls('lamp').connect();
	const from = b.log.length;
	assert.equal(await b.tls('lamp', { clientId: 'other' }).refusedConnect(), 5);
	await b.logged(/deny connect other.*: no statement of lamp-policy v1 \(via certificate [0-9a-f]+…\) allows iot:Connect/, from);
});

test('a certificate without any policy may not connect', async (t) => {
	const b = await start(t);
	const { certificateArn, policyName } = await b.provision('lamp');
	await b.call('DetachPolicy', { policyName, target: certificateArn });
	const from = b.log.length;
	assert.equal(await b.tls('lamp').refusedConnect(), 5);
	await b.logged(/deny connect lamp/, from);
});

test('a policy may name the thing of the connection and its client id', async (t) => {
	const b = await start(t);
	await b.provision('lamp', allow(['iot:Connect', 'arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}'],
		['iot:Publish', 'arn:aws:iot:*:*:topic/of/${iot:ClientId}']));
	const lamp = await b.tls('lamp', { version: 5 }).connect();
	await lamp.publish('of/lamp', 'x');
	await assert.rejects(lamp.publish('of/fan', 'x'));
	assert.equal(await b.tls('lamp', { clientId: 'fan' }).refusedConnect(), 5);
});

test('a plain client that claims the id of a certificate as its user name is refused', async (t) => {
	const b = await start(t, { plain: true, options: { auth: { others: 'allow' } } });
	await b.device('lamp');
	const { id } = pki.certificate('lamp');
	for (const username of [id, id.toUpperCase(), pki.certificate('nobody').id])
		for (const version of [4, 5])
			assert.equal(await b.plain({ username, password: 'x', version }).refusedConnect(), NOT_AUTHORIZED[version]);
	await b.plain({ username: 'somebody', password: 'x' }).connect();
});

test('two connections with one client id: the newcomer wins and the old one is closed', async (t) => {
	const b = await start(t);
	const first = await b.device('lamp');
	const second = await b.tls('lamp').connect();
	await first.closed();
	await second.publish('a', 'b');
});

test('a persistent session keeps its subscriptions while its certificate is INACTIVE, and receives nothing', async (t) => {
	const b = await start(t);
	const lamp = await b.device('lamp', undefined, { clean: false }), other = await b.device('other');
	const certificateId = pki.certificate('lamp').id;
	await lamp.subscribe('news');
	await b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	await lamp.closed();
	await other.publish('news', 'not for lamp');
	await b.call('UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
	await other.publish('news', 'for lamp');
	const back = await b.tls('lamp', { clean: false }).connect();
	assert.equal(back.connack.sessionPresent, true);
	assert.equal(String((await back.nextMessage('news')).payload), 'for lamp');
});
