// Certificates over $CONTROL, and what they are attached to.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('../../harness/test');
const { start, ALLOW_ALL } = require('../../harness/broker');
const pki = require('../../harness/pki');

const NOBODY = 'f'.repeat(64);
const ids = (list) => list.certificates.map((c) => c.certificateId).sort();

test('RegisterCertificateWithoutCA answers ARN and id, and the id is the SHA-256 of the certificate', async (t) => {
	const b = await start(t);
	const { pem, id } = pki.certificate('lamp');
	const made = await b.call('RegisterCertificateWithoutCA', { certificatePem: pem, status: 'ACTIVE' });
	assert.equal(made.certificateId, id);
	assert.match(made.certificateArn, new RegExp(`^arn:aws:iot:[a-z0-9-]+:\\d{12}:cert/${id}$`));
	assert.match(await b.refused('RegisterCertificateWithoutCA', { certificatePem: pem }), /^ResourceAlreadyExistsException 409 /);
	assert.match(await b.refused('RegisterCertificateWithoutCA', { certificatePem: 'no certificate' }), /^(CertificateValidationException|InvalidRequestException) 400 /);
	assert.match(await b.refused('RegisterCertificateWithoutCA', {}), /^InvalidRequestException 400 .*'certificatePem'/);
});

test('DescribeCertificate shows it with its status and PEM, UpdateCertificate changes the status', async (t) => {
	const b = await start(t);
	const { pem, id } = pki.certificate('lamp');
	await b.call('RegisterCertificateWithoutCA', { certificatePem: pem, status: 'INACTIVE' });
	const { certificateDescription: d } = await b.call('DescribeCertificate', { certificateId: id });
	assert.deepEqual([d.certificateId, d.status, d.certificatePem.trim()], [id, 'INACTIVE', pem.trim()]);
	assert.ok(Math.abs(d.creationDate - Date.now() / 1000) < 60);
	await b.call('UpdateCertificate', { certificateId: id, newStatus: 'ACTIVE' });
	assert.equal((await b.call('DescribeCertificate', { certificateId: id })).certificateDescription.status, 'ACTIVE');
	assert.match(await b.refused('UpdateCertificate', { certificateId: id, newStatus: 'MAYBE' }), /^InvalidRequestException 400 .*'newStatus'/);
	assert.match(await b.refused('UpdateCertificate', { certificateId: NOBODY, newStatus: 'ACTIVE' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DescribeCertificate', { certificateId: NOBODY }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DescribeCertificate', { certificateId: 'short' }), /^InvalidRequestException 400 .*'certificateId'/);
});

test('ListCertificates answers all of them, in pages', async (t) => {
	const b = await start(t);
	const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
	for (const name of names)
		await b.call('RegisterCertificateWithoutCA', { certificatePem: pki.certificate(name).pem });
	const all = names.map((n) => pki.certificate(n).id).sort();
	assert.deepEqual(ids(await b.call('ListCertificates', {})), all);
	const first = await b.call('ListCertificates', { pageSize: 2 });
	const rest = await b.call('ListCertificates', { pageSize: 200, marker: first.nextMarker });
	assert.deepEqual([...ids(first), ...ids(rest)].sort(), all);
	assert.equal(first.certificates.length, 2);
	assert.match(await b.refused('ListCertificates', { pageSize: 100000 }), /^InvalidRequestException 400 /);
});

test('DeleteCertificate refuses an active or an attached one', async (t) => {
	const b = await start(t);
	const { certificateId, certificateArn, policyName } = await b.provision('lamp');
	assert.match(await b.refused('DeleteCertificate', { certificateId }), /^(CertificateStateException 406|DeleteConflictException 409) /);
	await b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	assert.match(await b.refused('DeleteCertificate', { certificateId }), /^DeleteConflictException 409 /);
	await b.call('DetachThingPrincipal', { thingName: 'lamp', principal: certificateArn });
	await b.call('DetachPolicy', { policyName, target: certificateArn });
	await b.call('DeleteCertificate', { certificateId });
	assert.match(await b.refused('DescribeCertificate', { certificateId }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DeleteCertificate', { certificateId }), /^ResourceNotFoundException 404 /);
});

test('CreateKeysAndCertificate makes a key and a certificate of the local CA that a device can use', async (t) => {
	const ca = pki.authority();
	const b = await start(t, { options: { auth: { ca_cert: ca.crt, ca_key: ca.key } } });
	const made = await b.call('CreateKeysAndCertificate', { setAsActive: true });
	const x509 = new crypto.X509Certificate(made.certificatePem);
	assert.equal(made.certificateId, crypto.createHash('sha256').update(x509.raw).digest('hex'));
	assert.equal(x509.verify(new crypto.X509Certificate(ca.pem).publicKey), true);
	assert.equal(x509.checkPrivateKey(crypto.createPrivateKey(made.keyPair.PrivateKey)), true);
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: JSON.stringify(ALLOW_ALL) });
	await b.call('AttachPolicy', { policyName: 'p', target: made.certificateArn });
	const device = b.tls('made', { certificate: { pem: made.certificatePem, keyPem: made.keyPair.PrivateKey } });
	await device.connect();
	await b.call('CreateKeysAndCertificate', {}).then((m) => b.call('DescribeCertificate', { certificateId: m.certificateId }))
		.then((d) => assert.equal(d.certificateDescription.status, 'INACTIVE'));
	assert.match(await b.refused('CreateKeysAndCertificate', { setAsActive: 'yes' }), /^InvalidRequestException 400 /);
});

test('CreateKeysAndCertificate without a local CA says so', async (t) => {
	const b = await start(t);
	assert.match(await b.refused('CreateKeysAndCertificate', { setAsActive: true }), /^[A-Za-z]+Exception \d+ .*\bCA\b/);
});

test('AttachThingPrincipal, DetachThingPrincipal and both lists show who belongs to whom', async (t) => {
	const b = await start(t);
	const { certificateArn } = await b.provision('lamp');
	await b.call('CreateThing', { thingName: 'fan' });
	await b.call('AttachThingPrincipal', { thingName: 'fan', principal: certificateArn });
	assert.deepEqual((await b.call('ListThingPrincipals', { thingName: 'fan' })).principals, [certificateArn]);
	assert.deepEqual((await b.call('ListPrincipalThings', { principal: certificateArn })).things.sort(), ['fan', 'lamp']);
	await b.call('DetachThingPrincipal', { thingName: 'fan', principal: certificateArn });
	assert.deepEqual((await b.call('ListThingPrincipals', { thingName: 'fan' })).principals, []);
	assert.match(await b.refused('AttachThingPrincipal', { thingName: 'ghost', principal: certificateArn }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('AttachThingPrincipal', { thingName: 'fan', principal: certificateArn.replace(/[0-9a-f]{64}/, NOBODY) }), /^(ResourceNotFoundException 404|InvalidRequestException 400) /);
	assert.match(await b.refused('AttachThingPrincipal', { thingName: 'fan' }), /^InvalidRequestException 400 .*'principal'/);
	assert.match(await b.refused('DetachThingPrincipal', { thingName: 'ghost', principal: certificateArn }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListThingPrincipals', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListPrincipalThings', {}), /^InvalidRequestException 400 .*'principal'/);
});
