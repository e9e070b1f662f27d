// CAs as records, certificates that are registered under them, and certificates from a CSR.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, freePort, ALLOW_ALL } = require('../../harness/broker');
const pki = require('../../harness/pki');

const NOBODY = 'f'.repeat(64);
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });

// A certificate with that common name, signed by the authority `by`.
function verification(by, name) {
	const file = path.join(pki.home(), `verification-${crypto.randomUUID()}`);
	const ca = pki.authority(by);
	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3', '-keyout', `${file}.key`,
		'-out', `${file}.crt`, '-CA', ca.crt, '-CAkey', ca.key, '-subj', `/CN=${name}`);
	return fs.readFileSync(`${file}.crt`, 'utf8');
}

function request(name, ...key) {
	const file = path.join(pki.home(), `request-${crypto.randomUUID()}`);
	openssl('req', '-new', '-newkey', ...key, '-nodes', '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${name}/O=Plant`);
	return { csr: fs.readFileSync(`${file}.csr`, 'utf8'), keyPem: fs.readFileSync(`${file}.key`, 'utf8') };
}
const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

test('RegisterCACertificate wants a certificate of the CA whose common name is the code of GetRegistrationCode', async (t) => {
	const b = await start(t);
	const ca = pki.authority('plant');
	const { registrationCode } = await b.call('GetRegistrationCode', {});
	assert.match(registrationCode, /^[0-9a-f]{64}$/);
	assert.equal((await b.call('GetRegistrationCode', {})).registrationCode, registrationCode);
	const input = { caCertificate: ca.pem, setAsActive: true };
	assert.match(await b.refused('RegisterCACertificate', input), /^InvalidRequestException 400 .*verificationCertificate/);
	assert.match(await b.refused('RegisterCACertificate', { ...input, verificationCertificate: verification('plant', 'wrong') }),
		/^RegistrationCodeValidationException 400 /);
	assert.match(await b.refused('RegisterCACertificate', { ...input, verificationCertificate: verification('ca', registrationCode) }),
		/^CertificateValidationException 400 .*signed/);
	assert.match(await b.refused('RegisterCACertificate', { caCertificate: pki.certificate('lamp').pem, certificateMode: 'SNI_ONLY' }),
		/^CertificateValidationException 400 .*CA/);
	assert.match(await b.refused('RegisterCACertificate', {}), /^InvalidRequestException 400 .*'caCertificate'/);
	const made = await b.call('RegisterCACertificate', { ...input, verificationCertificate: verification('plant', registrationCode) });
	assert.equal(made.certificateId, ca.id);
	assert.match(made.certificateArn, new RegExp(`:cacert/${ca.id}$`));
	assert.match(await b.refused('RegisterCACertificate', { caCertificate: ca.pem, certificateMode: 'SNI_ONLY' }), /^ResourceAlreadyExistsException 409 /);
	await b.call('DeleteRegistrationCode', {});
	assert.match(await b.refused('DeleteRegistrationCode', {}), /^ResourceNotFoundException 404 /);
	assert.notEqual((await b.call('GetRegistrationCode', {})).registrationCode, registrationCode);
});

test('DescribeCACertificate, ListCACertificates and UpdateCACertificate show and change it, DeleteCACertificate wants it INACTIVE', async (t) => {
	const b = await start(t);
	const [one, two] = [pki.authority('one'), pki.authority('two')];
	const registrationConfig = { templateName: 'line', roleArn: 'arn:aws:iam::123456789012:role/line' };
	await b.call('RegisterCACertificate', { caCertificate: one.pem, certificateMode: 'SNI_ONLY', setAsActive: true, allowAutoRegistration: true, registrationConfig });
	const made = Date.now();
	await until('a later millisecond', () => Date.now() > made); /* the order is that of creation */
	await b.call('RegisterCACertificate', { caCertificate: two.pem, certificateMode: 'SNI_ONLY' });
	const described = await b.call('DescribeCACertificate', { certificateId: one.id });
	const d = described.certificateDescription;
	assert.deepEqual([d.status, d.autoRegistrationStatus, d.certificateMode, d.certificatePem.trim()], ['ACTIVE', 'ENABLE', 'SNI_ONLY', one.pem.trim()]);
	assert.deepEqual(described.registrationConfig, registrationConfig);
	const ids = async (input) => (await b.call('ListCACertificates', input)).certificates.map((c) => c.certificateId);
	assert.deepEqual((await ids({})).sort(), [one.id, two.id].sort());
	assert.deepEqual(await ids({ ascendingOrder: true }), [one.id, two.id]);
	assert.deepEqual(await ids({ ascendingOrder: false }), [two.id, one.id]);
	assert.deepEqual(await ids({ templateName: 'line' }), [one.id]);
	const first = await b.call('ListCACertificates', { ascendingOrder: true, pageSize: 1 });
	assert.deepEqual(await ids({ ascendingOrder: true, pageSize: 1, marker: first.nextMarker }), [two.id]);
	assert.match(await b.refused('ListCACertificates', { pageSize: 0 }), /^InvalidRequestException 400 .*'pageSize'/);
	assert.match(await b.refused('DeleteCACertificate', { certificateId: one.id }), /^CertificateStateException 406 /);
	await b.call('UpdateCACertificate', { certificateId: one.id, newStatus: 'INACTIVE', removeAutoRegistration: true });
	const after = await b.call('DescribeCACertificate', { certificateId: one.id });
	assert.deepEqual([after.certificateDescription.status, after.certificateDescription.autoRegistrationStatus, after.certificateDescription.customerVersion,
		after.registrationConfig], ['INACTIVE', 'DISABLE', 2, undefined]);
	await b.call('DeleteCACertificate', { certificateId: one.id });
	for (const command of ['DescribeCACertificate', 'UpdateCACertificate', 'DeleteCACertificate'])
		assert.match(await b.refused(command, { certificateId: one.id }), /^ResourceNotFoundException 404 /, command);
	assert.match(await b.refused('UpdateCACertificate', { certificateId: two.id, newStatus: 'REVOKED' }), /^InvalidRequestException 400 .*'newStatus'/);
	assert.match(await b.refused('DescribeCACertificate', { certificateId: 'short' }), /^InvalidRequestException 400 .*'certificateId'/);
	assert.match(await b.refused('DeleteCACertificate', {}), /^InvalidRequestException 400 .*'certificateId'/);
});

test('RegisterCertificate registers under an active CA, ListCertificatesByCA shows it', async (t) => {
	const b = await start(t);
	const ca = pki.authority(), lamp = pki.certificate('lamp'), fan = pki.certificate('fan');
	assert.match(await b.refused('RegisterCertificate', { certificatePem: lamp.pem }), /^CertificateValidationException 400 .*No registered CA/);
	assert.match(await b.refused('RegisterCertificate', { certificatePem: lamp.pem, caCertificatePem: ca.pem }), /^CertificateValidationException 400 .*not registered/);
	await b.call('RegisterCACertificate', { caCertificate: ca.pem, certificateMode: 'SNI_ONLY' });
	assert.match(await b.refused('RegisterCertificate', { certificatePem: lamp.pem }), /^CertificateStateException 406 /);
	await b.call('UpdateCACertificate', { certificateId: ca.id, newStatus: 'ACTIVE' });
	await b.call('RegisterCertificate', { certificatePem: lamp.pem, status: 'ACTIVE' });
	await b.call('RegisterCertificate', { certificatePem: fan.pem, caCertificatePem: ca.pem });
	assert.match(await b.refused('RegisterCertificate', { certificatePem: lamp.pem }), /^ResourceAlreadyExistsException 409 /);
	const other = pki.certificate('stranger', 'elsewhere');
	assert.match(await b.refused('RegisterCertificate', { certificatePem: other.pem, caCertificatePem: ca.pem }), /^CertificateValidationException 400 .*signed/);
	assert.match(await b.refused('RegisterCertificate', { caCertificatePem: ca.pem }), /^InvalidRequestException 400 .*'certificatePem'/);
	const { certificateDescription: d } = await b.call('DescribeCertificate', { certificateId: lamp.id });
	assert.deepEqual([d.status, d.caCertificateId, d.certificateMode], ['ACTIVE', ca.id, 'DEFAULT']);
	assert.equal((await b.call('DescribeCertificate', { certificateId: fan.id })).certificateDescription.status, 'INACTIVE');
	const listed = await b.call('ListCertificatesByCA', { caCertificateId: ca.id });
	assert.deepEqual(listed.certificates.map((c) => [c.certificateId, c.status]).sort(), [[lamp.id, 'ACTIVE'], [fan.id, 'INACTIVE']].sort());
	assert.deepEqual((await b.call('ListCertificatesByCA', { caCertificateId: NOBODY })).certificates, []);
	assert.match(await b.refused('ListCertificatesByCA', { caCertificateId: 'x' }), /^InvalidRequestException 400 .*'caCertificateId'/);
	await b.call('DeleteCertificate', { certificateId: fan.id });
	assert.deepEqual((await b.call('ListCertificatesByCA', { caCertificateId: ca.id, ascendingOrder: true })).certificates.map((c) => c.certificateId), [lamp.id]);
});

test('a registered CA is put into the capath folder: its devices pass TLS, also after its record is gone', async (t) => {
	const capath = path.join(fs.mkdtempSync(path.join(pki.home(), 'capath-')), 'cas');
	const port = await freePort(), server = pki.server(), ca = pki.authority('plant'), lamp = pki.certificate('plant-lamp', 'plant');
	const conf = [`listener ${port} 127.0.0.1`, `cafile ${pki.authority().crt}`, `capath ${capath}`, `certfile ${server.crt}`, `keyfile ${server.key}`,
		'require_certificate true'].join('\n');
	const b = await start(t, { conf, options: { auth: { capath } } });
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: JSON.stringify(ALLOW_ALL) });
	const device = () => b.tls('lamp', { certificate: lamp, port });
	await assert.rejects(device().connect());
	await b.call('RegisterCACertificate', { caCertificate: ca.pem, certificateMode: 'SNI_ONLY', setAsActive: true });
	const made = await b.call('RegisterCertificate', { certificatePem: lamp.pem, status: 'ACTIVE' });
	await b.call('AttachPolicy', { policyName: 'p', target: made.certificateArn });
	await device().connect();
	await b.call('UpdateCACertificate', { certificateId: ca.id, newStatus: 'INACTIVE' });
	await b.call('DeleteCACertificate', { certificateId: ca.id });
	await device().connect();
	assert.equal(fs.readdirSync(capath).length, 1);
	await b.call('UpdateCertificate', { certificateId: lamp.id, newStatus: 'INACTIVE' });
	await b.call('DeleteCertificate', { certificateId: lamp.id, forceDelete: true });
	await b.call('RegisterCACertificate', { caCertificate: ca.pem, certificateMode: 'SNI_ONLY' });
	await b.call('DeleteCACertificate', { certificateId: ca.id });
	await until('the folder to be empty', () => fs.readdirSync(capath).length === 0);
});

test('CreateCertificateFromCsr makes a certificate with the subject and key of the request', async (t) => {
	const ca = pki.authority();
	const b = await start(t, { options: { auth: { ca_cert: ca.crt, ca_key: ca.key } } });
	const { csr, keyPem } = request('pump', ...EC);
	const made = await b.call('CreateCertificateFromCsr', { certificateSigningRequest: csr, setAsActive: true });
	const again = await b.call('CreateCertificateFromCsr', { certificateSigningRequest: csr });
	assert.notEqual(again.certificateId, made.certificateId);
	const x509 = new crypto.X509Certificate(made.certificatePem);
	assert.match(x509.subject, /CN=pump/);
	assert.match(x509.subject, /O=Plant/);
	assert.equal(x509.checkPrivateKey(crypto.createPrivateKey(keyPem)), true);
	assert.equal(x509.verify(new crypto.X509Certificate(ca.pem).publicKey), true);
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: JSON.stringify(ALLOW_ALL) });
	await b.call('AttachPolicy', { policyName: 'p', target: made.certificateArn });
	await b.tls('pump', { certificate: { pem: made.certificatePem, keyPem } }).connect();
	assert.match(await b.refused('CreateCertificateFromCsr', { certificateSigningRequest: 'no' }), /^InvalidRequestException 400 .*PKCS #10/);
	assert.match(await b.refused('CreateCertificateFromCsr', { certificateSigningRequest: request('weak', 'rsa:1024').csr }), /^InvalidRequestException 400 .*2048/);
	assert.match(await b.refused('CreateCertificateFromCsr', { certificateSigningRequest: request('odd', 'ed25519').csr }), /^InvalidRequestException 400 .*P-256/);
	assert.match(await b.refused('CreateCertificateFromCsr', {}), /^InvalidRequestException 400 .*'certificateSigningRequest'/);
	const without = await start(t);
	assert.match(await without.refused('CreateCertificateFromCsr', { certificateSigningRequest: csr }), /^InvalidRequestException 400 .*CA/);
});
