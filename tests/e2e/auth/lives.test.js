// Certificates in the course of time: revoked, rotated, shared by two things.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');
const pki = require('../../harness/pki');

const arn = (kind, name) => `arn:aws:iot:*:*:${kind}/${name}`;
const OWN = { Version: '2012-10-17', Statement: [
	{ Effect: 'Allow', Action: 'iot:Connect', Resource: arn('client', '${iot:Connection.Thing.ThingName}') },
	{ Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: [arn('topic', '$aws/things/${iot:Connection.Thing.ThingName}/*'), arn('topic', 'own/${iot:Connection.Thing.ThingName}')] },
	{ Effect: 'Allow', Action: 'iot:Subscribe', Resource: arn('topicfilter', '$aws/things/${iot:Connection.Thing.ThingName}/*') },
] };

async function register(b, name, thing, status = 'ACTIVE') {
	const { certificateArn, certificateId } = await b.call('RegisterCertificateWithoutCA', { certificatePem: pki.certificate(name).pem, status });
	await b.call('AttachPolicy', { policyName: 'own', target: certificateArn });
	await b.call('AttachThingPrincipal', { thingName: thing, principal: certificateArn });
	return { certificateArn, certificateId };
}

async function withThings(t, ...things) {
	const b = await start(t);
	await b.call('CreatePolicy', { policyName: 'own', policyDocument: JSON.stringify(OWN) });
	for (const thingName of things)
		await b.call('CreateThing', { thingName });
	return b;
}

test('a revoked certificate is disconnected, stays out after a restart, and its thing is usable with another', async (t) => {
	const b = await withThings(t, 'pump');
	const old = await register(b, 'pump-1', 'pump');
	const pump = await b.tls('pump', { certificate: pki.certificate('pump-1') }).connect();
	await pump.publish('own/pump', 'x');
	await b.call('UpdateCertificate', { certificateId: old.certificateId, newStatus: 'REVOKED' });
	await pump.closed();
	for (const again of [false, true]) {
		if (again)
			await b.restart();
		assert.ok(await b.tls('pump', { certificate: pki.certificate('pump-1') }).refusedConnect());
	}
	assert.match((await b.call('ExplainAuthorization', { clientId: 'pump', certificateId: old.certificateId, action: 'connect' })).why, /REVOKED/);
	await register(b, 'pump-2', 'pump');
	await b.tls('pump', { certificate: pki.certificate('pump-2') }).connect().then((d) => d.publish('own/pump', 'x'));
});

test('a certificate is rotated while the thing works: both are good for a while, the shadow stays', async (t) => {
	const b = await withThings(t, 'pump');
	const old = await register(b, 'pump-1', 'pump');
	const first = await b.tls('pump', { certificate: pki.certificate('pump-1') }).connect();
	const before = await new Shadow(first, 'pump').listen();
	await before.update({ state: { reported: { litres: 7 } } });
	const next = await register(b, 'pump-2', 'pump', 'INACTIVE');
	assert.ok(await b.tls('pump', { certificate: pki.certificate('pump-2') }).refusedConnect());
	await first.publish('own/pump', 'x');
	await b.call('UpdateCertificate', { certificateId: next.certificateId, newStatus: 'ACTIVE' });
	assert.deepEqual((await b.call('ListThingPrincipals', { thingName: 'pump' })).principals.sort(), [old.certificateArn, next.certificateArn].sort());
	const second = await b.tls('pump', { certificate: pki.certificate('pump-2') }).connect();
	await first.closed();
	await b.call('UpdateCertificate', { certificateId: old.certificateId, newStatus: 'INACTIVE' });
	assert.equal(second.open, true);
	await b.call('DetachThingPrincipal', { thingName: 'pump', principal: old.certificateArn });
	await b.call('DetachPolicy', { policyName: 'own', target: old.certificateArn });
	await b.call('DeleteCertificate', { certificateId: old.certificateId });
	const after = await new Shadow(second, 'pump').listen();
	assert.equal((await after.get()).state.reported.litres, 7);
	assert.ok(await b.tls('pump', { certificate: pki.certificate('pump-1') }).refusedConnect());
});

test('a certificate that two things share lets each be itself only, and revoking it ends both', async (t) => {
	const b = await withThings(t, 'left', 'right', 'third');
	const shared = await register(b, 'both', 'left');
	await b.call('AttachThingPrincipal', { thingName: 'right', principal: shared.certificateArn });
	const connect = (clientId) => b.tls(clientId, { certificate: pki.certificate('both') }).connect();
	const [left, right] = [await connect('left'), await connect('right')];
	await left.publish('own/left', 'x');
	await right.publish('own/right', 'x');
	assert.ok(await b.tls('third', { certificate: pki.certificate('both') }).refusedConnect());
	const from = b.log.length;
	await assert.rejects(left.publish('own/right', 'x'));
	await b.logged(/deny publish left -> own\/right: no statement of own v1/, from);
	await left.closed();
	const again = await connect('left');
	await b.call('DetachThingPrincipal', { thingName: 'right', principal: shared.certificateArn });
	await assert.rejects(right.publish('own/right', 'x'));
	await again.publish('own/left', 'x');
	await b.call('AttachThingPrincipal', { thingName: 'right', principal: shared.certificateArn });
	const back = await connect('right');
	await b.call('UpdateCertificate', { certificateId: shared.certificateId, newStatus: 'REVOKED' });
	await Promise.all([again.closed(), back.closed()]);
});
