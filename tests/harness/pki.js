// pki.js -- a CA and certificates made by the openssl program when they are asked for, in a folder that goes at the end.
'use strict';
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { atEnd } = require('./test');

let folder = null;
let validity = { days: 3, env: process.env };
const made = new Map();

// What is made from now on is valid so many days from the time that openssl sees with that environment.
function valid(spec) { validity = spec; }

function openssl(...args) {
	execFileSync('openssl', args, { env: validity.env, stdio: ['ignore', 'ignore', 'pipe'] });
}

function home() {
	if (!folder) {
		folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-pki-'));
		atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
	}
	return folder;
}

// A certificate's id, as AWS makes it.
const idOf = (pem) => crypto.createHash('sha256').update(new crypto.X509Certificate(pem).raw).digest('hex');

function describe(name) {
	const at = (ext) => path.join(home(), `${name}.${ext}`);
	const pem = fs.readFileSync(at('crt'), 'utf8');
	return { name, pem, crt: at('crt'), key: at('key'), keyPem: fs.readFileSync(at('key'), 'utf8'), id: idOf(pem) };
}

function make(name, args) {
	if (!made.has(name)) {
		openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', String(validity.days),
			'-keyout', path.join(home(), `${name}.key`), '-out', path.join(home(), `${name}.crt`), ...args);
		made.set(name, describe(name));
	}
	return made.get(name);
}

const authority = (name = 'ca') => make(name, ['-subj', `/CN=Skeeter test ${name}`,
	'-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']);

// A client certificate signed by the authority `by`; the same name gives the same certificate.
function certificate(name, by = 'ca') {
	const ca = authority(by);
	return make(name, ['-CA', ca.crt, '-CAkey', ca.key, '-subj', `/CN=${name}`, '-addext', 'basicConstraints=CA:FALSE']);
}

function server() {
	const ca = authority();
	return make('server', ['-CA', ca.crt, '-CAkey', ca.key, '-subj', '/CN=localhost',
		'-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE']);
}

module.exports = { authority, certificate, server, home, idOf, valid };
