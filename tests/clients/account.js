// account.js -- a broker with every plugin for one file of client tests, an access key for it, and what rows of cases/*.json write as <name>.
//
//   const a = await account(t);          a.h broker and HTTP, a.key, a.names operations by service, a.setup: what a client needs to know
//   await python(t, 'cases.py', [...])   a script in Debian's Python, with nothing of the caller's AWS or Python settings
'use strict';
const { execFile, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { until } = require('../harness/test');
const { serve } = require('../harness/http');
const pki = require('../harness/pki');
const { web } = require('../harness/service_web');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'messages', 'rules', 'sink_http', 'button'];
const ARN = 'arn:aws:iot:us-east-1:123456789012:';
// The services as the SDKs call them: what they sign for and, where two sign for the same, which paths are theirs.
const SERVICES = {
	iot: { signed: 'iot' }, 'iot-data': { signed: 'iotdata' },
	'iot1click-devices': { signed: 'iot1click', paths: /^.(devices|claims|tags)\b/ }, 'iot1click-projects': { signed: 'iot1click', paths: /^.(projects|tags)\b/ },
};

function clean(env) {
	const kept = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('AWS_') && !k.startsWith('PYTHON')));
	return { ...kept, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1', ...env };
}

function python(t, script, args, env = {}) {
	return new Promise((done) => execFile('/usr/bin/python3', ['-B', path.join(__dirname, script), ...args],
		{ env: clean(env), maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
			t.onFail(() => (stdout + stderr).slice(-20000));
			const lines = stdout.trim().split('\n');
			done({ code: error ? error.code : 0, lines, last: lines.at(-1), bad: lines.filter((l) => l.startsWith('BAD')), stderr });
		}));
}

const cases = (service) => JSON.parse(fs.readFileSync(path.join(__dirname, 'cases', `${service}.json`)));

// Two CAs with one key and one name, a certificate that they signed, and the one that proves it to AWS; one that signed itself; a request.
function certificates(folder, code) {
	const at = (name) => path.join(folder, name);
	const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
	const key = (name) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
	const made = (name, subject, ...more) => openssl('req', '-x509', '-days', '3', ...more, '-subj', `/CN=${subject}`, '-out', `${name}.crt`);
	const authority = ['-addext', 'basicConstraints=critical,CA:TRUE'], by = ['-CA', 'ca.crt', '-CAkey', 'ca.key'];
	made('ca', 'other', ...key('ca'), ...authority);
	made('twin', 'other', '-new', '-key', 'ca.key', ...authority);
	made('verify', code, ...key('verify'), ...by);
	made('signed', 'signed', ...key('signed'), ...by, '-addext', 'basicConstraints=CA:FALSE');
	made('self', 'self', ...key('self'));
	openssl('req', '-new', ...key('request'), '-subj', '/CN=request', '-out', 'request.csr');
	const read = (name) => fs.readFileSync(at(name), 'utf8');
	return { ca: read('ca.crt'), twin: read('twin.crt'), verify: read('verify.crt'), signed: read('signed.crt'), self: read('self.crt'), csr: read('request.csr') };
}

async function variables(b, folder) {
	const { registrationCode: code } = await b.call('GetRegistrationCode', {});
	const made = certificates(folder, code);
	return {
		...made, code, arn: ARN, 'no-id': 'f'.repeat(64), 'ca-id': pki.idOf(made.ca), role: 'arn:aws:iam::123456789012:role/reader',
		acm: 'arn:aws:acm:us-east-1:123456789012:certificate/1234', large: `{"state":{"desired":{"a":"${'x'.repeat(70000)}"}}}`,
		policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] }),
		tags51: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: 'v' })),
		bytes: { base64: Buffer.from('7b227374617465223a7b2264657369726564223a7b2261223a22ff227d7d7d', 'hex').toString('base64') },
	};
}

// Stops the broker, changes records of its store with SQL, and starts it again.
async function change(h, sql) {
	await h.b.stop();
	execFileSync('/usr/bin/python3', ['-c', `import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute(sys.argv[2]).rowcount > 0
db.commit()`, `${h.b.data}/skeeter.db`, sql]);
	await h.b.start();
	await ready(h);
}

const ready = (h) => until('HTTP to be ready', async () => (await h.ask('GET', '/readyz').catch(() => ({}))).status === 200);

async function account(t, { options = {}, ...spec } = {}) {
	const ca = pki.authority();
	const h = await serve(t, { plugins: PLUGINS, ...spec, options: { http: { auth: 'signed' }, auth: { ca_cert: ca.crt, ca_key: ca.key }, ...options } });
	await ready(h);
	const key = await h.b.call('CreateAccessKey', { policyNames: ['*'] });
	const { operations } = await h.b.call('ListOperations', {});
	const names = Object.fromEntries(Object.entries(SERVICES).map(([name, { signed, paths = /^/ }]) =>
		[name, operations.filter((o) => o.service === signed && paths.test(o.route)).map((o) => o.name)]));
	return { h, key, names, operations, login: [h.url, key.accessKeyId, key.secretAccessKey] };
}

// A destination that waits to be confirmed, and the token that its server was asked with.
async function destination(t, b) {
	const w = await web(t, (q, s) => s.end());
	const destinationConfiguration = { httpUrlConfiguration: { confirmationUrl: `${w.url}/hook` } };
	const { topicRuleDestination } = await b.call('CreateTopicRuleDestination', { destinationConfiguration });
	await until('the destination to be asked', () => w.seen.length);
	return { destination: topicRuleDestination.arn, token: JSON.parse(w.seen[0].body).confirmationToken };
}

// A code that claims two buttons, and one that is pressed when it is asked to be claimed: that it was is in the record which the click engine writes.
async function buttons(a) {
	const { claimCode } = await a.h.b.call('CreateClaimCode', { deviceIds: ['G030PM0000000001', 'G030PM0000000002'] });
	await a.h.b.call('CreateClaimCode', { deviceIds: ['pressed', 'waiting'] });
	const lambda = 'arn:aws:lambda:us-east-1:123456789012:function:', clicks = 'arn:aws:iot1click:us-east-1:123456789012:';
	return { 'claim-code': claimCode, lambda, clicks, callback: JSON.stringify({ callback: { awsLambdaArn: `${lambda}ring` } }) };
}

// An account on which the rows of cases/*.json can be run once: a.setup is a file that says where and with which names.
async function prepared(t) {
	const a = await account(t);
	const folder = path.join(a.h.b.dir, 'client');
	fs.mkdirSync(folder);
	await a.h.b.call('CreateThing', { thingName: 'zone' });
	// What AWS lets one wait five minutes for.
	await a.h.b.call('CreateThingType', { thingTypeName: 'gone' });
	await a.h.b.call('DeprecateThingType', { thingTypeName: 'gone' });
	const values = await variables(a.h.b, folder);
	await change(a.h, "insert into record(space, key, version, data) select space, cast('button/pressed/state' as blob), version, cast('{\"pressedAt\":9000000000000}' as blob) from record where key = cast('registry/type/gone' as blob)");
	await change(a.h, "update record set data = json_set(data, '$.deprecationDate', 1000000000000) where key = cast('registry/type/gone' as blob)");
	Object.assign(values, await destination(t, a.h.b), await buttons(a));
	const setup = path.join(folder, 'setup.json');
	const { accessKeyId: id, secretAccessKey: secret } = a.key;
	fs.writeFileSync(setup, JSON.stringify({ endpoint: a.h.url, id, secret, folder, values, names: a.names, operations: a.operations, plugins: [...PLUGINS, 'http'] }));
	return { ...a, folder, values, setup };
}

module.exports = { account, prepared, destination, change, python, cases, clean, ready };
