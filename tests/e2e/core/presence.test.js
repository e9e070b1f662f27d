// Presence: AWS's events about connections and subscriptions, their order and their reasons, and what is remembered of clients.
'use strict';
const assert = require('node:assert/strict');
const net = require('node:net');
const { test, until } = require('../../harness/test');
const { start, ALLOW_ALL } = require('../../harness/broker');
const { forgetsExpired } = require('../../harness/facts');
const pki = require('../../harness/pki');

const EVENTS = '$aws/events/#';
const DENY = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' },
	{ Effect: 'Allow', Action: 'iot:Publish', Resource: 'arn:aws:iot:us-east-1:123456789012:topic/ok' }] };
const topic = (kind, id) => `$aws/events/${kind === 'subscribed' || kind === 'unsubscribed' ? 'subscriptions' : 'presence'}/${kind}/${id}`;

async function listen(b) {
	const op = await b.operator();
	await op.subscribe(EVENTS);
	return op;
}
const seen = (op, id) => op.inbox.filter((m) => m.topic.endsWith(`/${id}`)).map((m) => JSON.parse(m.payload));

test.smoke('a connection and its end are told in AWS\'s words', async (t) => {
	const b = await start(t);
	const op = await listen(b);
	const { certificateId } = await b.provision('lamp');
	const before = Date.now();
	const lamp = await b.tls('lamp').connect();
	const up = await op.next(topic('connected', 'lamp'));
	assert.deepEqual(Object.keys(up), ['clientId', 'timestamp', 'eventType', 'sessionIdentifier', 'principalIdentifier', 'ipAddress', 'versionNumber', 'thingName']);
	assert.deepEqual([up.clientId, up.eventType, up.principalIdentifier, up.ipAddress, up.versionNumber, up.thingName],
		['lamp', 'connected', certificateId, '127.0.0.1', 0, 'lamp']);
	assert.ok(up.timestamp >= before && up.timestamp <= Date.now() && Number.isInteger(up.timestamp), `${up.timestamp}`);
	assert.match(up.sessionIdentifier, /^[0-9a-f]{32}$/);
	await lamp.subscribe(['a', 'b/+']);
	const sub = await op.next(topic('subscribed', 'lamp'));
	assert.deepEqual(Object.keys(sub), ['clientId', 'timestamp', 'eventType', 'sessionIdentifier', 'principalIdentifier', 'topics']);
	assert.deepEqual([sub.eventType, sub.topics, sub.sessionIdentifier], ['subscribed', ['a', 'b/+'], up.sessionIdentifier]);
	await lamp.unsubscribe(['a']);
	assert.deepEqual((await op.next(topic('unsubscribed', 'lamp'))).topics, ['a']);
	await new Promise((done) => lamp.client.end(false, {}, done));
	const down = await op.next(topic('disconnected', 'lamp'));
	assert.deepEqual(Object.keys(down), ['clientId', 'timestamp', 'eventType', 'sessionIdentifier', 'principalIdentifier',
		'clientInitiatedDisconnect', 'disconnectReason', 'versionNumber', 'thingName']);
	assert.deepEqual([down.eventType, down.clientInitiatedDisconnect, down.disconnectReason, down.sessionIdentifier, down.versionNumber],
		['disconnected', true, 'CLIENT_INITIATED_DISCONNECT', up.sessionIdentifier, 0]);
	await b.tls('lamp').connect();
	const again = await op.next(topic('connected', 'lamp'));
	assert.equal(again.versionNumber, 1);
	assert.notEqual(again.sessionIdentifier, up.sessionIdentifier);
});

test('a take-over ends the old connection before the new one is told of', async (t) => {
	const b = await start(t);
	const op = await listen(b);
	const first = await b.device('lamp', undefined, { clean: false, will: { topic: 'gone', payload: 'x', qos: 1, retain: false } });
	await first.publish('x', '1');
	const one = await op.next(topic('connected', 'lamp'));
	await b.tls('lamp', { clean: false }).connect();
	await until('both events', () => op.inbox.length >= 2);
	assert.deepEqual(seen(op, 'lamp').map((e) => [e.eventType, e.disconnectReason, e.versionNumber, e.sessionIdentifier]), [
		['disconnected', 'DUPLICATE_CLIENTID', 0, one.sessionIdentifier],
		['connected', undefined, 1, one.sessionIdentifier],
	]);
});

test('a session keeps its identifier while it lives, and one that expired does not', async (t) => {
	const b = await start(t);
	const op = await listen(b);
	const session = async (options) => {
		const lamp = await b.tls('lamp', { version: 5, clean: false, ...options }).connect();
		const up = await op.next(topic('connected', 'lamp'));
		await lamp.publish('x', '1'); // 2.0.11 leaks the subscriptions of a session that expires
		await new Promise((done) => lamp.client.end(false, {}, done));
		const down = await op.next(topic('disconnected', 'lamp'));
		assert.deepEqual([down.sessionIdentifier, down.disconnectReason], [up.sessionIdentifier, 'CLIENT_INITIATED_DISCONNECT']);
		return [up.sessionIdentifier, lamp.connack.sessionPresent];
	};
	const listed = async () => (await b.call('ListClients', {})).clients.filter((c) => c.clientId === 'lamp' && 'cleanSession' in c).length;
	await b.provision('lamp');
	const lives = { properties: { sessionExpiryInterval: 600 } };
	const [first] = await session(lives);
	assert.deepEqual(await session(lives), [first, true]);
	assert.deepEqual(await session({ properties: { sessionExpiryInterval: 1 } }), [first, true]);
	await b.logged(/Expiring client lamp/, 0);
	await until('the session to be forgotten', async () => await listed() === (forgetsExpired ? 0 : 1));
	const [next, present] = await session(lives);
	assert.deepEqual([present, next === first], [false, false]);
	assert.equal(await listed(), 1);
});

test('a connection that breaks is lost, one that is silent has timed out, one that breaks its policy was not allowed to', async (t) => {
	const b = await start(t, { conf: 'max_keepalive 60' });
	const op = await listen(b);
	const lamp = await b.device('lamp');
	await lamp.publish('x', '1');
	lamp.client.stream.destroy();
	const lost = await op.next(topic('disconnected', 'lamp'));
	assert.deepEqual([lost.disconnectReason, lost.clientInitiatedDisconnect], ['CONNECTION_LOST', false]);
	const silent = await b.device('silent', undefined, { keepalive: 1 });
	await silent.publish('x', '1').catch((e) => assert.equal(e.code, 'closed')); /* a second of silence may be over already */
	silent.client.keepaliveManager && silent.client.keepaliveManager.destroy();
	assert.equal((await op.next(topic('disconnected', 'silent'))).disconnectReason, 'MQTT_KEEP_ALIVE_TIMEOUT');
	const bad = await b.device('bad', DENY);
	await bad.publish('secret', 'x').catch(() => {});
	assert.deepEqual([(await op.next(topic('disconnected', 'bad'))).disconnectReason], ['AUTH_ERROR']);
	const revoked = await b.device('revoked');
	await b.call('UpdateCertificate', { certificateId: pki.certificate('revoked').id, newStatus: 'REVOKED' });
	assert.equal((await op.next(topic('disconnected', 'revoked'))).disconnectReason, 'FORBIDDEN_ACCESS');
	await revoked.closed();
});

test('who was refused is told as failed and never as connected', async (t) => {
	const b = await start(t, { plain: true, conf: 'allow_anonymous false' });
	const op = await listen(b);
	const stranger = pki.certificate('stranger');
	assert.ok(await b.tls('stranger').refusedConnect());
	const failed = await op.next(topic('connect_failed', 'stranger'));
	assert.deepEqual([failed.eventType, failed.connectFailureReason, failed.principalIdentifier, failed.ipAddress],
		['connect_failed', 'AUTHORIZATION_FAILED', stranger.id, '127.0.0.1']);
	assert.ok(await b.plain({ clientId: 'nobody' }).refusedConnect());
	assert.ok(await b.plain({ clientId: 'nobody', username: 'u', password: 'p' }).refusedConnect());
	await b.device('lamp');
	await op.next(topic('connected', 'lamp'));
	assert.deepEqual(seen(op, 'nobody').concat(seen(op, 'stranger')).filter((e) => e.eventType !== 'connect_failed'), []);
	const clients = (await b.call('ListClients', {})).clients;
	const known = clients.find((c) => c.clientId === 'stranger');
	assert.match(known.lastDenial.text, /not registered/);
	assert.ok(Math.abs(known.lastDenial.at * 1000 - Date.now()) < 60000);
	assert.deepEqual([known.connected, known.connectedAt, clients.some((c) => c.clientId === 'nobody')], [false, undefined, false]);
});

test('ids with + or #, operators, and a broker that is told not to, make no events', async (t) => {
	const b = await start(t, { plain: true, conf: 'allow_anonymous true', options: { auth: { others: 'allow' } } });
	const op = await listen(b);
	for (const clientId of ['a+b', 'a#b', 'fine'])
		await b.plain({ clientId }).connect();
	await op.next(topic('connected', 'fine'));
	assert.deepEqual(op.inbox, []);
	const quiet = await start(t, { options: { core: { presence: 'false', activity: '0', remember: '0' } } });
	const ear = await listen(quiet);
	await quiet.device('lamp');
	await ear.publish('$aws/things/lamp/shadow/get', '{}');
	const [lamp] = (await quiet.call('ListClients', {})).clients.filter((c) => c.clientId === 'lamp');
	assert.ok(lamp.connected && lamp.connectedAt);
	assert.deepEqual(ear.inbox.filter((m) => m.topic.startsWith('$aws/events')), []);
});

test('a device hears of others if its policy lets it', async (t) => {
	const b = await start(t);
	const ear = await b.device('ear', ALLOW_ALL);
	await ear.subscribe('$aws/events/presence/connected/+');
	await b.device('lamp');
	assert.equal((await ear.next(topic('connected', 'lamp'))).clientId, 'lamp');
});

test('ListClients remembers when a client was here and what it was denied last', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const bad = await b.device('bad', DENY);
	await bad.publish('secret', 'x');
	const find = async () => (await b.call('ListClients', {})).clients.filter((c) => c.clientId === 'bad');
	const [online] = await find();
	assert.match(online.lastDenial.text, /deny publish bad -> secret: no statement of bad-policy/);
	assert.ok(online.connected && online.connectedAt <= online.lastSeen && online.disconnectedAt === undefined);
	await bad.end();
	const [away] = await until('it to be away', async () => { const found = await find(); return !found[0].connected && found; });
	assert.ok(away.disconnectedAt >= away.lastSeen && away.lastDenial.text === online.lastDenial.text && away.address === '127.0.0.1');
	assert.equal((await find()).length, 1);
});

test('ListActivity tells what a client did and was refused', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const bad = await b.device('bad', DENY);
	await bad.publish('ok', 'x');
	await bad.publish('ok', 'y');
	await bad.publish('secret', 'x', { retain: true });
	await bad.subscribe('a/+').catch(() => {});
	const { activity, principal } = await b.call('ListActivity', { clientId: 'bad' });
	assert.equal(principal, pki.certificate('bad').id);
	assert.deepEqual(activity.map((a) => [a.action, a.topic || a.topicFilter || a.clientId, a.allowed, a.count]).sort(), [
		['iot:Connect', 'bad', true, 1], ['iot:Publish', 'ok', true, 2], ['iot:Publish', 'secret', false, 1],
		['iot:RetainPublish', 'secret', false, 1], ['iot:Subscribe', 'a/+', false, 1]]);
	assert.deepEqual((await b.call('ListActivity', { clientId: 'bad', since: Date.now() / 1000 + 100 })).activity, []);
	assert.equal(await b.refused('ListActivity', { clientId: 'ghost' }), 'ResourceNotFoundException 404 Nothing is remembered of client ghost.');
	assert.match(await b.refused('ListActivity', {}), /^InvalidRequestException 400/);
});

test('a connection that opens and never speaks makes nothing', async (t) => {
	const b = await start(t, { plain: true });
	const op = await listen(b);
	const s = net.connect(b.plainPort, '127.0.0.1');
	await new Promise((done) => s.on('connect', done));
	s.destroy();
	await b.device('lamp');
	await op.next(topic('connected', 'lamp'));
	assert.deepEqual(op.inbox, []);
});
