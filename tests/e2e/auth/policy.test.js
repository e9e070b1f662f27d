// What a connected device may do: publish, subscribe, receive, retain, wills; each refusal is one log line.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');

const arn = (kind, name) => `arn:aws:iot:*:*:${kind}/${name}`;
const CONNECT = { Effect: 'Allow', Action: 'iot:Connect', Resource: '*' };
const policy = (...Statement) => ({ Version: '2012-10-17', Statement: [CONNECT, ...Statement] });
const allow = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
const deny = (Action, Resource) => ({ Effect: 'Deny', Action, Resource });
const MAY_TALK = [allow('iot:Subscribe', '*'), allow('iot:Receive', '*')];

test.smoke('a publish that no statement allows disconnects, is not delivered, and is one log line', async (t) => {
	const b = await start(t);
	const listener = await b.device('listener');
	await listener.subscribe('pumps/#');
	const valve = await b.device('valve', policy(allow('iot:Publish', arn('topic', 'pumps/1/state'))));
	await valve.publish('pumps/1/state', 'ok');
	await listener.nextMessage('pumps/1/state');
	const from = b.log.length;
	await assert.rejects(valve.publish('pumps/1/on', 'x'));
	await valve.closed();
	await b.logged(/deny publish valve -> pumps\/1\/on: no statement of valve-policy v1 \(via certificate [0-9a-f]+…\) allows iot:Publish/, from);
	await listener.publish('pumps/end', '.');
	await listener.nextMessage('pumps/end');
	assert.deepEqual(listener.inbox, []);
});

test('a refused publish closes an MQTT 5 connection with a reason', async (t) => {
	const b = await start(t);
	await b.provision('valve', policy());
	const valve = await b.tls('valve', { version: 5 }).connect();
	await assert.rejects(valve.publish('pumps/1/on', 'x'));
	await valve.closed();
	assert.ok(valve.disconnectReason >= 0x80, `reason ${valve.disconnectReason}`);
});

test('violations deny refuses without disconnecting', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	await b.provision('valve', policy(allow('iot:Publish', arn('topic', 'ok')), ...MAY_TALK));
	const valve = await b.tls('valve', { version: 5 }).connect();
	await valve.subscribe('ok');
	const from = b.log.length;
	await assert.rejects(valve.publish('not/ok', 'x'), (e) => e.code === 0x87);
	await b.logged(/deny publish valve -> not\/ok: /, from);
	await valve.publish('ok', 'x');
	await valve.nextMessage('ok');
	assert.equal(valve.open, true);
});

test('a subscription that no statement allows disconnects and is one log line', async (t) => {
	const b = await start(t);
	const valve = await b.device('valve', policy(allow('iot:Subscribe', arn('topicfilter', 'mine/*')), allow('iot:Receive', '*')));
	assert.deepEqual(await valve.subscribe('mine/#'), [1]);
	const from = b.log.length;
	await valve.subscribe('yours/#').then((granted) => assert.ok(granted[0] >= 0x80), () => {});
	await valve.closed();
	await b.logged(/deny subscribe valve -> yours\/#: no statement of valve-policy v1 \(via certificate [0-9a-f]+…\) allows iot:Subscribe/, from);
});

test('MQTT wildcards are plain characters of a topicfilter', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const valve = await b.device('valve', policy(allow('iot:Subscribe', arn('topicfilter', 'a/+/c')), allow('iot:Receive', '*')));
	assert.deepEqual(await valve.subscribe('a/+/c'), [1]);
	for (const filter of ['a/b/c', 'a/#', '#', '+/+/c'])
		assert.ok((await valve.subscribe(filter))[0] >= 0x80, filter);
});

test('a message that may not be received is not delivered, and its sender does not notice', async (t) => {
	const b = await start(t);
	const valve = await b.device('valve', policy(allow('iot:Subscribe', '*'), allow('iot:Receive', arn('topic', 'open/*'))));
	await valve.subscribe(['open/#', 'secret/#']);
	const other = await b.device('other');
	await other.publish('secret/1', 'x');
	await other.publish('open/1', 'y');
	await valve.nextMessage('open/1');
	assert.deepEqual(valve.got('secret/1'), []);
	assert.equal(other.open, true);
	await b.logged(/deny receive valve <- secret\/1: no statement of valve-policy v1 \(via certificate [0-9a-f]+…\) allows iot:Receive/, 0);
});

test('a retained publish needs iot:RetainPublish besides iot:Publish', async (t) => {
	const b = await start(t);
	const may = await b.device('may', policy(allow(['iot:Publish', 'iot:RetainPublish'], arn('topic', 'r/*')), ...MAY_TALK));
	await may.publish('r/1', 'kept', { retain: true });
	const not = await b.device('not', policy(allow('iot:Publish', arn('topic', 'r/*')), ...MAY_TALK));
	await not.publish('r/2', 'passing');
	const from = b.log.length;
	await assert.rejects(not.publish('r/2', 'kept', { retain: true }));
	await b.logged(/deny publish not -> r\/2: no statement of not-policy v1 \(via certificate [0-9a-f]+…\) allows iot:RetainPublish/, from);
	const late = await b.device('late');
	await late.subscribe(['r/1', 'r/2']);
	await late.nextMessage('r/1');
	assert.deepEqual(late.got('r/2'), []);
});

test('an explicit Deny wins over an Allow, and the log names the statement', async (t) => {
	const b = await start(t);
	const valve = await b.device('valve', policy(allow('iot:Publish', '*'), deny('iot:Publish', arn('topic', 'danger/*'))));
	await valve.publish('calm', 'x');
	const from = b.log.length;
	await assert.rejects(valve.publish('danger/1', 'x'));
	await b.logged(/deny publish valve -> danger\/1: .*statement 3 of valve-policy v1/, from);
});

test('a will is sent only where its device may publish, and never to $aws', async (t) => {
	const b = await start(t);
	const listener = await b.device('listener');
	await listener.subscribe(['last/#', '$aws/things/valve/shadow/update/accepted']);
	await b.provision('valve', policy(allow('iot:Publish', [arn('topic', 'last/ok'), arn('topic', '$aws/*')])));
	for (const topic of ['last/not', '$aws/things/valve/shadow/update', 'last/ok']) {
		const valve = await b.tls('valve', { will: { topic, payload: Buffer.from('{"state":{"reported":{"gone":1}}}'), qos: 1 } }).connect();
		valve.client.stream.destroy();
		await valve.closed();
	}
	await listener.nextMessage('last/ok');
	assert.deepEqual(listener.inbox.map((m) => m.topic), []);
	assert.match(await b.refused('GetThingShadow', { thingName: 'valve' }), /^ResourceNotFoundException 404 /);
});

test('a policy that is taken away or attached counts from the next packet on', async (t) => {
	const b = await start(t);
	const valve = await b.device('valve', policy(allow('iot:Publish', arn('topic', 'one'))));
	const { principals } = await b.call('ListThingPrincipals', { thingName: 'valve' });
	await b.call('CreatePolicy', { policyName: 'more', policyDocument: JSON.stringify(policy(allow('iot:Publish', arn('topic', 'two')))) });
	await b.call('AttachPolicy', { policyName: 'more', target: principals[0] });
	await valve.publish('two', 'x');
	await b.call('DetachPolicy', { policyName: 'more', target: principals[0] });
	await assert.rejects(valve.publish('two', 'x'));
	await valve.closed();
});

test('denials of one client are logged at a limited rate', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const valve = await b.device('valve', policy(allow('iot:Publish', arn('topic', 'end')), ...MAY_TALK));
	await valve.subscribe('end');
	const from = b.log.length, began = Date.now();
	for (let i = 0; i < 2000; i++)
		valve.publish('no', 'x', { qos: 0 });
	await valve.publish('end', '.');
	await valve.nextMessage('end');
	await b.logged(/deny publish valve -> no/, from);
	const lines = b.log.match(/deny publish valve -> no/g).length;
	const most = 20 + 5 * (2 + (Date.now() - began) / 1000); /* at once, and for each second that has begun */
	assert.ok(lines >= 1 && lines <= most, `${lines} lines, ${most} at most`);
});
