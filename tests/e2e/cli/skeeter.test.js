// The skeeter command against a real broker: what it prints, where, and with which exit code.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, BUILD } = require('../../harness/broker');
const broker = require('../../harness/facts');

const SKEETER = path.join(BUILD, 'skeeter');

function launch(b, args, options = {}) {
	const child = spawn(SKEETER, args, { env: { ...process.env, SKEETER_SOCKET: b.socket, TZ: 'UTC' }, cwd: b.dir, ...options });
	child.out = { code: null, stdout: '', stderr: '' };
	child.stdout.on('data', (d) => { child.out.stdout += d; });
	child.stderr.on('data', (d) => { child.out.stderr += d; });
	child.end = new Promise((done) => child.on('close', (code) => { child.out.code = code; done(child.out); }));
	return child;
}
const run = (b, ...args) => launch(b, args).end;

async function ok(b, ...args) {
	const { code, stdout, stderr } = await run(b, ...args);
	assert.deepEqual([code, stderr], [0, ''], `skeeter ${args.join(' ')}: ${stdout}`);
	return stdout;
}
async function fails(b, code, text, ...args) {
	const out = await run(b, ...args);
	assert.deepEqual([out.code, out.stdout, out.stderr.trimEnd()], [code, '', text], `skeeter ${args.join(' ')}`);
}

test.smoke('an operation is a verb, its inputs are flags, its answer is JSON', async (t) => {
	const b = await start(t, {});
	const thing = JSON.parse(await ok(b, 'create-thing', '--thing-name', 'kitchen'));
	assert.deepEqual([thing.thingName, thing.thingArn.split(':').pop()], ['kitchen', 'thing/kitchen']);
	assert.equal(JSON.parse(await ok(b, 'DescribeThing', '--thingName=kitchen')).version, 1);
	assert.equal(await ok(b, 'update-thing', '--thing-name', 'kitchen', '--attribute-payload', 'attributes={room=k1,floor=2},merge=true'), '');
	assert.equal(await ok(b, 'update-thing', '--thing-name', 'kitchen', '--attribute-payload', '{"attributes":{"lamps":"3"},"merge":true}'), '');
	assert.deepEqual(JSON.parse(await ok(b, 'describe-thing', '--thing-name', 'kitchen')).attributes, { room: 'k1', floor: '2', lamps: '3' });
	assert.equal(JSON.parse(await ok(b, 'list-things', '--max-results', '1')).things.length, 1);
});

test('inputs come from files and as one document', async (t) => {
	const b = await start(t, {});
	fs.writeFileSync(path.join(b.dir, 'all.json'), '{"thingName":"garden","attributePayload":{"attributes":{"a":"1"}}}');
	assert.equal(JSON.parse(await ok(b, 'create-thing', '--cli-input-json', 'file://all.json')).thingName, 'garden');
	assert.equal(JSON.parse(await ok(b, 'create-thing', '--cli-input-json', 'file://all.json', '--thing-name', 'roof')).thingName, 'roof');
	fs.writeFileSync(path.join(b.dir, 'policy.json'), '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}\n');
	const made = JSON.parse(await ok(b, 'create-policy', '--policy-name', 'all', '--policy-document', 'file://policy.json'));
	assert.equal(made.policyDocument, fs.readFileSync(path.join(b.dir, 'policy.json'), 'utf8'));
	const shadow = JSON.parse(await ok(b, 'update-thing-shadow', '--thing-name', 'roof', '--payload', '{"state":{"desired":{"n":9007199254740993}}}'));
	assert.equal(shadow.payload.version, 1);
	assert.match(await ok(b, 'get', 'roof'), /"n": 9007199254740993/);
});

test.smoke('errors are said as the AWS CLI says them, with its exit codes', async (t) => {
	const b = await start(t, {});
	await fails(b, 254, 'An error occurred (ResourceNotFoundException) when calling the DescribeThing operation: Thing attic cannot be found.',
		'describe-thing', '--thing-name', 'attic');
	await fails(b, 252, "skeeter: 'create-thin' is no command: did you mean create-thing? (" + SKEETER + ' help lists all)', 'create-thin');
	await fails(b, 252, "skeeter: 'thigns' is no command: did you mean things? (" + SKEETER + ' help lists all)', 'thigns');
	await fails(b, 252, 'skeeter: Unknown options: --thing-nam, did you mean --thing-name?', 'create-thing', '--thing-nam', 'x');
	await fails(b, 252, 'skeeter: Unknown options: x', 'create-thing', 'x');
	await fails(b, 252, 'skeeter: the following arguments are required: --thing-name', 'create-thing');
	await fails(b, 252, 'skeeter: --thing-name: expected one argument', 'create-thing', '--thing-name');
	await fails(b, 252, "skeeter: --max-results: expected a number, got 'abc'", 'list-things', '--max-results', 'abc');
	await fails(b, 252, `skeeter: usage: ${SKEETER} set THING KEY=VALUE...`, 'set', 'lamp');
	await fails(b, 252, "skeeter: 'demo unplugg' is no command: did you mean demo unplug?", 'demo', 'unplugg');
	await fails(b, 252, "skeeter: 'lmap' is no device of the demo: did you mean lamp?", 'demo', 'unplug', 'lmap');
	const out = await run(b, 'create-thing', '--thing-name', 'a b');
	assert.match(out.stderr, /^An error occurred \(InvalidRequestException\) when calling the CreateThing operation: 1 validation error detected: Value 'a b' at 'thingName'/);
});

test.smoke('without a broker it says what to do', async (t) => {
	const b = await start(t, {});
	await fails(b, 255, 'cannot reach run/operator.sock: is make run running?', 'things', '--socket', 'run/operator.sock');
	await b.stop();
	await fails(b, 255, `cannot reach ${b.socket}: is make run running?`, 'create-thing', '--thing-name', 'x');
	const deep = 'x'.repeat(120);
	await fails(b, 255, `${deep} is too long for a socket's path: use a shorter or a relative one`, 'things', '--socket', deep);
});

test('help comes from the tables', async (t) => {
	const b = await start(t, {});
	const help = await ok(b, 'create-thing', '--help');
	assert.match(help, /^usage: \S+ create-thing \[flags\]$/m);
	assert.match(help, /^ {2}--thing-name <string> +required, ThingName/m);
	const all = await ok(b, 'help');
	for (const word of ['things', 'create-thing', 'register-certificate-without-ca', 'get-thing-shadow'])
		assert.match(all, new RegExp(`^  ${word}`, 'm'));
	assert.match(await ok(b, 'help', 'watch'), /^usage: \S+ watch THING$/m);
	assert.match(await ok(b, 'operations'), /^describe-thing +iot +registry/m);
	const page = await ok(b, 'api', '--markdown');
	assert.match(page, /^### CreateThing$/m);
	assert.match(page, /^\| `thingName` \| `--thing-name` \| path \| string ThingName.* \| yes \|$/m);
	assert.equal(typeof JSON.parse(await ok(b, 'stats')), 'object');
	const version = fs.readFileSync(path.resolve(__dirname, '../../../VERSION'), 'utf8').trim();
	assert.match(await ok(b, 'version'), new RegExp(`^skeeter ${version.replaceAll('.', '\\.')}(-\\S+)?\n$`));
});

test('things, set and get show what is wished and what is', async (t) => {
	const b = await start(t, {});
	await b.call('CreateThing', { thingName: 'lamp' });
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { on: false } } } });
	assert.equal(await ok(b, 'set', 'lamp', 'on=true', 'colour=warm white'), 'lamp: wished for on=true, colour="warm white", version 2\n');
	assert.match(await ok(b, 'things'), /^lamp +no +- +on=false -> true, colour -> "warm white"$/m);
	assert.deepEqual(JSON.parse(await ok(b, 'get', 'lamp')).state.delta, { on: true, colour: 'warm white' });
	await fails(b, 254, 'An error occurred (ResourceNotFoundException) when calling the DescribeThing operation: Thing lmap cannot be found.', 'set', 'lmap', 'on=true');
	await fails(b, 254, 'skeeter: lamp has no such shadow', 'get', 'lamp', 'night');
	await fails(b, 252, "skeeter: 'on': expected KEY=VALUE", 'set', 'lamp', 'on');
});

test('watch prints each change until it is told to stop', async (t) => {
	const b = await start(t, {});
	await b.call('CreateThing', { thingName: 'lamp' });
	const child = launch(b, ['watch', 'lamp']);
	t.after(() => child.kill('SIGKILL'));
	await until('the watcher to listen', async () => {
		await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { on: true } } } });
		return /^\d\d:\d\d:\d\d lamp: on -> true \(version \d+\)$/m.test(child.out.stdout);
	});
	await b.call('UpdateThingShadow', { thingName: 'lamp', shadowName: 'night', payload: { state: { reported: { dim: 3 } } } });
	await until('the named shadow', () => /^\d\d:\d\d:\d\d lamp\/night: dim=3 \(version 1\)$/m.test(child.out.stdout));
	await b.call('DeleteThingShadow', { thingName: 'lamp' });
	await until('the end of it', () => /lamp: the shadow was deleted$/m.test(child.out.stdout));
	child.kill('SIGINT');
	assert.deepEqual([(await child.end).code, child.out.stderr], [0, '']);
});

test('status and things tell who is there, who was, and what was denied last', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }] };
	const lamp = await b.device('lamp', policy);
	await lamp.publish('secret', 'x');
	await b.device('valve').then((d) => d.end());
	await until('the valve to be away', async () => !(await b.call('ListClients', {})).clients.find((c) => c.clientId === 'valve').connected);
	const status = await ok(b, 'status');
	assert.match(status, /^broker +mosquitto version 2\.\d+\.\d+.*, pid \d+, up \d+ s$/m);
	assert.match(status, /^skeeter +\d\S*: core, registry, auth, shadow; woken by (an eventfd|its tick|a test that is under way)$/m); /* a busy machine makes the eventfd too slow */
	assert.match(status, /^store +\/.*data \(embedded\): [1-9]\d* commits/m);
	assert.match(status, /^calls .*1 denials, 0 connections closed$/m);
	assert.match(status, /^clients +1 connected, 1 away, \d+ operators$/m);
	assert.match(status, /^ {2}lamp +connected +(just now|\d+ s ago) +127\.0\.0\.1$/m);
	assert.match(status, /^ {4}.*deny publish lamp -> secret: no statement of lamp-policy/m);
	assert.doesNotMatch(status, /^!/m);
	const things = await ok(b, 'things');
	assert.match(things, /^lamp +yes +(just now|\d+ s ago) +-$/m);
	assert.match(things, /^ {2}denied (just now|\d+ s ago): deny publish lamp -> secret/m);
	assert.match(things, /^valve +no +(just now|\d+ s ago) +-$/m);
	const facts = await b.call('DescribeBroker', {});
	assert.deepEqual([facts.pid, facts.interface, facts.account, facts.plugins.map((p) => p.name)], [b.pid, broker.interface, '123456789012', ['core', 'registry', 'auth', 'shadow']]);
	assert.ok(Math.abs(facts.startedAt * 1000 - Date.now()) < 60000);
});

test('watch tells of comings and goings too', async (t) => {
	const b = await start(t, {});
	await b.provision('lamp');
	const child = launch(b, ['watch', 'lamp']);
	t.after(() => child.kill('SIGKILL'));
	await until('the watcher to listen', async () => {
		await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { on: true } } } });
		return /lamp: on -> true/.test(child.out.stdout);
	});
	const lamp = await b.tls('lamp').connect();
	await lamp.subscribe('orders');
	await new Promise((done) => lamp.client.end(false, {}, done));
	await until('its end', () => /lamp: disconnected: CLIENT_INITIATED_DISCONNECT$/m.test(child.out.stdout));
	assert.match(child.out.stdout, /lamp: connected from 127\.0\.0\.1\n[^\n]*lamp: subscribed: orders$/m);
});
