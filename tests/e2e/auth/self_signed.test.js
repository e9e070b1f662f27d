// A self-signed certificate is its own CA: registering it puts it into the listener's capath, deleting it takes it out.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, freePort, ALLOW_ALL } = require('../../harness/broker');
const pki = require('../../harness/pki');

function selfSigned(name) {
	const [key, crt] = ['key', 'crt'].map((ext) => path.join(pki.home(), `${name}-alone.${ext}`));
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3', '-keyout', key, '-out', crt,
		'-subj', '/CN=a device', '-addext', 'basicConstraints=critical,CA:FALSE'], { stdio: 'ignore' });
	return { pem: fs.readFileSync(crt, 'utf8'), keyPem: fs.readFileSync(key, 'utf8') };
}

async function withFolder(t) {
	const capath = path.join(fs.mkdtempSync(path.join(pki.home(), 'capath-')), 'made-by-the-plugin');
	const port = await freePort(), ca = pki.authority(), server = pki.server();
	const conf = [`listener ${port} 127.0.0.1`, `cafile ${ca.crt}`, `capath ${capath}`, `certfile ${server.crt}`, `keyfile ${server.key}`,
		'require_certificate true'].join('\n');
	const b = await start(t, { conf, options: { auth: { capath } } });
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: JSON.stringify(ALLOW_ALL) });
	return { b, files: () => fs.readdirSync(capath), device: (certificate, clientId) => b.tls('', { certificate, clientId, port }) };
}

async function register(b, certificate) {
	const made = await b.call('RegisterCertificateWithoutCA', { certificatePem: certificate.pem, status: 'ACTIVE' });
	await b.call('AttachPolicy', { policyName: 'p', target: made.certificateArn });
	return made;
}

test('RegisterCertificateWithoutCA makes TLS accept a self-signed certificate without a reload', async (t) => {
	const { b, files, device } = await withFolder(t);
	const [one, two] = [selfSigned('one'), selfSigned('two')]; // of one subject
	await assert.rejects(device(one, 'one').connect());
	await register(b, one);
	await register(b, two);
	assert.equal(files().length, 2);
	for (const [certificate, id] of [[one, 'one'], [two, 'two']]) {
		const d = await device(certificate, id).connect();
		await d.publish('hello', id);
	}
});

test('DeleteCertificate takes its file out, and the others of its subject stay', async (t) => {
	const { b, files, device } = await withFolder(t);
	const [one, two] = [selfSigned('one'), selfSigned('two')];
	const { certificateId } = await register(b, one);
	await register(b, two);
	const connected = await device(one, 'one').connect();
	await b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	await connected.closed();
	await b.call('DeleteCertificate', { certificateId, forceDelete: true });
	await until('one file to be left', () => files().length === 1);
	assert.match(files()[0], /^[0-9a-f]{8}\.0$/);
	await assert.rejects(device(one, 'one').connect());
	await device(two, 'two').connect();
	await b.restart();
	await device(two, 'two').connect();
	await assert.rejects(device(one, 'one').connect());
});
