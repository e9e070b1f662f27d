// skeeter policy suggest proposes what the device can live with and no wider; skeeter explain says why it may or may not.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('../../harness/test');
const { start, BUILD } = require('../../harness/broker');
const pki = require('../../harness/pki');

const run = (b, ...args) => new Promise((done) => execFile(path.join(BUILD, 'skeeter'), args, { env: { ...process.env, SKEETER_SOCKET: b.socket }, cwd: b.dir },
	(e, stdout, stderr) => done({ code: e ? e.code : 0, stdout, stderr })));
const ARN = 'arn:aws:iot:us-east-1:123456789012';
const VAR = '${iot:Connection.Thing.ThingName}';

async function work(lamp) {
	await lamp.publish('home/lamp/state', '1');
	await lamp.publish('$aws/things/lamp/shadow/get', '{}');
	return (await lamp.subscribe(['$aws/things/lamp/shadow/get/accepted', 'orders/lamp/+'])).every((g) => g <= 1);
}

test('what a thing did becomes a policy that lets it do just that', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const { certificateArn, policyName } = await b.provision('lamp', { Version: '2012-10-17', Statement: [
		{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }, { Effect: 'Allow', Action: 'iot:Subscribe', Resource: '*' }] });
	const lamp = await b.tls('lamp').connect();
	await work(lamp);
	await lamp.end();
	const { code, stdout, stderr } = await run(b, 'policy', 'suggest', '--thing', 'lamp', '--since', '1h');
	assert.equal(code, 0, stderr);
	const policy = JSON.parse(stdout);
	assert.deepEqual(policy.Statement, [
		{ Effect: 'Allow', Action: 'iot:Connect', Resource: `${ARN}:client/${VAR}` },
		{ Effect: 'Allow', Action: 'iot:Publish', Resource: [`${ARN}:topic/$aws/things/${VAR}/shadow/get`, `${ARN}:topic/home/${VAR}/state`] },
		{ Effect: 'Allow', Action: 'iot:Subscribe', Resource: [`${ARN}:topicfilter/$aws/things/${VAR}/shadow/get/accepted`, `${ARN}:topicfilter/orders/${VAR}/+`] },
		{ Effect: 'Allow', Action: 'iot:Receive', Resource: [`${ARN}:topic/$aws/things/${VAR}/shadow/get/accepted`, `${ARN}:topic/orders/${VAR}/*`] }]);
	assert.match(stderr, /^iot:Publish home\/lamp\/state was refused$/m);
	await b.call('CreatePolicy', { policyName: 'least', policyDocument: stdout });
	await b.call('DetachPolicy', { policyName, target: certificateArn });
	await b.call('AttachPolicy', { policyName: 'least', target: certificateArn });
	const again = await b.tls('lamp').connect();
	const before = (await b.call('DescribeCounters', {})).counters.denials;
	assert.ok(await work(again));
	await again.publish('orders/lamp/1', 'x').catch(() => {});
	await (await b.operator()).publish('orders/lamp/2', 'mine');
	assert.equal(String((await again.nextMessage('orders/lamp/2')).payload), 'mine');
	assert.equal((await b.call('DescribeCounters', {})).counters.denials - before, 1);
	const allowed = await run(b, 'policy', 'suggest', '--thing', 'lamp', '--without-refused');
	assert.match(allowed.stderr, /^iot:Publish orders\/lamp\/1 was refused, and is left out$/m);
	assert.doesNotMatch(allowed.stdout, /orders\/[^/]*\/1/);
});

test('policy suggest says what is missing', async (t) => {
	const b = await start(t, {});
	await b.call('CreateThing', { thingName: 'lamp' });
	const says = async (...args) => { const { code, stderr } = await run(b, 'policy', ...args); return [code, stderr.trimEnd()]; };
	assert.deepEqual(await says('suggest', '--thing', 'lamp', '--since', '15m'), [254, 'skeeter: nothing is remembered of what lamp did in the last 15m']);
	assert.deepEqual(await says('suggest', '--thing', 'lamp', '--since', 'monday'),
		[252, "skeeter: --since: expected a time like 90s, 15m, 1h or 7d, got 'monday'"]);
	assert.deepEqual(await says('suggest'), [252, 'skeeter: the following arguments are required: --thing']);
	assert.deepEqual(await says('sugest'), [252, "skeeter: 'policy sugest' is no command: did you mean policy suggest?"]);
	assert.deepEqual(await says('suggest', '--thing', 'x'),
		[254, 'An error occurred (ResourceNotFoundException) when calling the DescribeThing operation: Thing x cannot be found.']);
});

test.smoke('explain says which statement decides, and what is missing', async (t) => {
	const b = await start(t, {});
	const { certificateArn, certificateId } = await b.provision('lamp', { Version: '2012-10-17', Statement: [
		{ Effect: 'Allow', Action: 'iot:Publish', Resource: `${ARN}:topic/a` }, { Effect: 'Deny', Action: 'iot:*', Resource: `${ARN}:topic/secret` },
		{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }, { Effect: 'Allow', Action: 'iot:Publish', Resource: `${ARN}:topic/\${iot:Connection.Thing.ThingTypeName}` }] });
	const ask = (...args) => run(b, 'explain', '--client-id', 'lamp', ...args);
	const file = ['--certificate', pki.certificate('lamp').crt];
	assert.deepEqual(await ask(...file, '--action', 'publish', '--topic', 'a'), { code: 0, stderr: '', stdout: [
		'allowed    iot:Publish topic/a as lamp, the thing lamp', `why        statement 1 of lamp-policy, attached to ${certificateArn}, allows iot:Publish`,
		`statement  {"Effect":"Allow","Action":"iot:Publish","Resource":"${ARN}:topic/a"}`, `policy     lamp-policy v1, attached to cert/${certificateId}`, ''].join('\n') });
	const denied = await ask('--certificate', certificateArn, '--action', 'publish', '--topic', 'secret');
	assert.deepEqual([denied.code, denied.stdout.split('\n')[0]], [1, 'denied     iot:Publish topic/secret as lamp, the thing lamp']);
	assert.match(denied.stdout, /^why +statement 2 of lamp-policy, attached to .*, denies iot:Publish$/m);
	const lacking = await ask('--certificate', certificateId, '--action', 'publish', '--topic', 'b');
	assert.equal(lacking.code, 1);
	assert.match(lacking.stdout, /^missing +\$\{iot:Connection\.Thing\.ThingTypeName\} has no value for this client/m);
	assert.match(lacking.stdout, new RegExp(`^to allow +\\{"Effect":"Allow","Action":"iot:Publish","Resource":"${ARN}:topic/b"\\}$`, 'm'));
	assert.deepEqual(await ask('--action', 'connect'), { code: 252, stdout: '', stderr: 'skeeter: no client lamp with a certificate was here: name one with --certificate\n' });
	await b.tls('lamp').connect();
	assert.match((await ask('--action', 'connect')).stdout, /^allowed +iot:Connect client\/lamp as lamp/);
	assert.deepEqual((await run(b, 'explain', '--client-id', 'x')).stderr, 'skeeter: the following arguments are required: --action\n');
	assert.match((await ask(...file, '--action', 'fly', '--topic', 'x')).stderr, /InvalidRequestException.*fly/);
	assert.match((await ask('--certificate', '/dev/null', '--action', 'connect')).stderr, /is no certificate in PEM/);
});
