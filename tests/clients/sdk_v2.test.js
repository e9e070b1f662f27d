// The AWS IoT Device SDK v2 for JavaScript, unmodified: only the endpoint, the port and the CA are ours.
'use strict';
const assert = require('node:assert/strict');
const { iot, iotshadow, mqtt, mqtt5 } = require('aws-iot-device-sdk-v2');
const { test, until } = require('../harness/test');
const { start } = require('../harness/broker');
const pki = require('../harness/pki');

const QOS = mqtt.QoS.AtLeastOnce;
const allow = (...rows) => ({ Version: '2012-10-17', Statement: rows.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource })) });

// The policy that AWS's guide gives a device: its own id, its own shadow topics.
const DEVICE = allow(['iot:Connect', 'arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}'],
	['iot:Publish', ['arn:aws:iot:*:*:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*', 'arn:aws:iot:*:*:topic/sdk/*']],
	['iot:Subscribe', ['arn:aws:iot:*:*:topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*', 'arn:aws:iot:*:*:topicfilter/sdk/*']],
	['iot:Receive', ['arn:aws:iot:*:*:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*', 'arn:aws:iot:*:*:topic/sdk/*']]);

function deferred() {
	const d = {};
	d.promise = new Promise((done, fail) => Object.assign(d, { done, fail }));
	d.promise.catch(() => {});
	return d;
}

// -- MQTT 3.1.1: aws-crt's MqttClientConnection
async function connect311(t, b, name, clean = true) {
	const c = pki.certificate(name);
	const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(c.pem, c.keyPem)
		.with_certificate_authority(pki.authority().pem).with_clean_session(clean).with_client_id(name)
		.with_endpoint('localhost').with_port(b.port).with_reconnect_min_sec(1).with_reconnect_max_sec(1).build();
	const connection = new mqtt.MqttClient().new_connection(config);
	const present = await connection.connect();
	t.after(() => connection.disconnect().catch(() => {}));
	return { connection, present };
}

// -- MQTT 5: aws-crt's Mqtt5Client
async function connect5(t, b, name, session = {}) {
	const c = pki.certificate(name);
	const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory('localhost', c.pem, c.keyPem)
		.withCertificateAuthority(pki.authority().pem).withPort(b.port).withMinReconnectDelayMs(200).withMaxReconnectDelayMs(500)
		.withConnectProperties({ keepAliveIntervalSeconds: 60, clientId: name, ...(session.expiry ? { sessionExpiryIntervalSeconds: session.expiry } : {}) })
		.withSessionBehavior(session.expiry ? mqtt5.ClientSessionBehavior.RejoinAlways : mqtt5.ClientSessionBehavior.Clean).build();
	const client = new mqtt5.Mqtt5Client(config);
	client.on('error', () => {});
	const up = new Promise((done, fail) => {
		client.on('connectionSuccess', (e) => done(e.connack));
		client.on('connectionFailure', (e) => fail(Object.assign(new Error(String(e.error)), { connack: e.connack })));
	});
	client.start();
	let stopped = false;
	const stop = async () => {
		if (stopped)
			return;
		stopped = true;
		const end = new Promise((done) => client.on('stopped', done));
		client.stop();
		await end;
		client.close();
	};
	t.after(stop);
	return { client, stop, connack: await up };
}

async function lamp(t, policy = DEVICE) {
	const b = await start(t);
	await b.provision('lamp', policy);
	return b;
}

// One request of the shadow client: subscribes to both answers once, publishes, and resolves or rejects.
async function asks(shadow, { subscribe, publish, request, subscription = request }) {
	const answer = deferred();
	const [accepted, rejected] = subscribe;
	await shadow[accepted](subscription, QOS, (e, r) => e ? answer.fail(e) : answer.done(r));
	await shadow[rejected](subscription, QOS, (e, r) => e ? answer.fail(e) : answer.fail(Object.assign(new Error(r.message), r)));
	await shadow[publish](request, QOS);
	return answer.promise;
}

const verbs = (named) => Object.fromEntries(['Update', 'Get', 'Delete'].map((v) => [v.toLowerCase(),
	{ subscribe: ['Accepted', 'Rejected'].map((w) => `subscribeTo${v}${named}Shadow${w}`), publish: `publish${v}${named}Shadow` }]));

async function shadowLife(shadow, named) {
	const of = { thingName: 'lamp', ...(named ? { shadowName: 'night' } : {}) };
	const verb = verbs(named);
	const delta = deferred(), documents = deferred();
	await shadow[`subscribeTo${named}ShadowDeltaUpdatedEvents`](of, QOS, (e, r) => e ? delta.fail(e) : delta.done(r));
	await shadow[`subscribeTo${named}ShadowUpdatedEvents`](of, QOS, (e, r) => e ? documents.fail(e) : documents.done(r));
	await assert.rejects(asks(shadow, { ...verb.get, request: of }), (e) => e.code === 404);
	const updated = await asks(shadow, { ...verb.update, request: { ...of, state: { desired: { on: true }, reported: { on: false } }, clientToken: 'tok' } });
	assert.deepEqual([updated.version, updated.state, updated.clientToken], [1, { desired: { on: true }, reported: { on: false } }, 'tok']);
	assert.deepEqual((await delta.promise).state, { on: true });
	assert.deepEqual((await documents.promise).current.state, { desired: { on: true }, reported: { on: false } });
	const got = await asks(shadow, { ...verb.get, request: of });
	assert.deepEqual([got.version, got.state.delta], [1, { on: true }]);
	await assert.rejects(asks(shadow, { ...verb.update, request: { ...of, state: { desired: {} }, version: 9 } }), (e) => e.code === 409 && e.message === 'Version conflict');
	assert.equal((await asks(shadow, { ...verb.delete, request: of })).version, 1);
	await assert.rejects(asks(shadow, { ...verb.get, request: of }), (e) => e.code === 404);
}

for (const [named, kind] of [['', 'classic'], ['Named', 'named']]) {
	test(`its shadow client on MQTT 3.1.1 works through the life of a ${kind} shadow`, async (t) => {
		const b = await lamp(t);
		const { connection } = await connect311(t, b, 'lamp');
		await shadowLife(new iotshadow.IotShadowClient(connection), named);
	});

	test(`its shadow client on MQTT 5 works through the life of a ${kind} shadow`, async (t) => {
		const b = await lamp(t);
		const { client } = await connect5(t, b, 'lamp');
		await shadowLife(iotshadow.IotShadowClient.newFromMqtt5Client(client), named);
	});

	test(`its request-response shadow client works through the life of a ${kind} shadow`, async (t) => {
		const b = await lamp(t);
		const { client } = await connect5(t, b, 'lamp');
		const shadow = iotshadow.IotShadowClientv2.newFromMqtt5(client, { maxRequestResponseSubscriptions: 6, maxStreamingSubscriptions: 4, operationTimeoutInSeconds: 60 });
		t.after(() => shadow.close());
		const of = { thingName: 'lamp', ...(named ? { shadowName: 'night' } : {}) };
		const events = { delta: deferred(), documents: deferred() };
		for (const [create, event] of [[`create${named}ShadowDeltaUpdatedStream`, events.delta], [`create${named}ShadowUpdatedStream`, events.documents]]) {
			const stream = shadow[create](of);
			t.after(() => stream.close());
			const ready = new Promise((done) => stream.on('subscriptionStatus', done));
			stream.on('incomingPublish', (e) => event.done(e.message));
			stream.open();
			await ready;
		}
		await assert.rejects(shadow[`get${named}Shadow`](of), (e) => e.modeledError.code === 404);
		const updated = await shadow[`update${named}Shadow`]({ ...of, state: { desired: { n: 1 } } });
		assert.deepEqual([updated.version, updated.state], [1, { desired: { n: 1 } }]);
		assert.deepEqual((await events.delta.promise).state, { n: 1 });
		assert.equal((await events.documents.promise).current.version, 1);
		assert.deepEqual((await shadow[`get${named}Shadow`](of)).state.delta, { n: 1 });
		assert.equal((await shadow[`delete${named}Shadow`](of)).version, 1);
	});
}

test('it passes messages both ways, and its own topics only', async (t) => {
	const b = await lamp(t);
	const { connection } = await connect311(t, b, 'lamp');
	const message = deferred();
	await connection.subscribe('sdk/#', QOS, (topic, payload) => message.done([topic, Buffer.from(payload).toString()]));
	await connection.publish('sdk/1', 'hello', QOS);
	assert.deepEqual(await message.promise, ['sdk/1', 'hello']);
	const from = b.log.length;
	const interrupted = new Promise((done) => connection.on('interrupt', done));
	connection.publish('other/1', 'x', QOS).catch(() => {});
	await interrupted;
	await b.logged(/deny publish lamp -> other\/1: no statement of lamp-policy v1 \(via certificate [0-9a-f]+…\) allows iot:Publish/, from);
});

test('a connect that the policy refuses is an error with MQTT 3.1.1, and 0x87 with MQTT 5', async (t) => {
	const b = await lamp(t, allow(['iot:Connect', 'arn:aws:iot:*:*:client/somebody-else']));
	await assert.rejects(connect311(t, b, 'lamp'));
	await assert.rejects(connect5(t, b, 'lamp'), (e) => e.connack && e.connack.reasonCode === 0x87);
});

test('a subscription that the policy refuses is not granted', async (t) => {
	const b = await lamp(t);
	const { client } = await connect5(t, b, 'lamp');
	const down = new Promise((done) => client.on('disconnection', done));
	const outcome = client.subscribe({ subscriptions: [{ topicFilter: 'other/#', qos: 1 }] }).then((s) => s.reasonCodes[0], () => 'error');
	const result = await Promise.race([outcome, down.then(() => 'disconnected')]);
	assert.ok(result === 'error' || result === 'disconnected' || result >= 0x80, `${result}`);
});

test('a persistent session of MQTT 3.1.1 gets the delta that came while the device was away', async (t) => {
	const b = await lamp(t);
	const first = await connect311(t, b, 'lamp', false);
	await new iotshadow.IotShadowClient(first.connection).subscribeToShadowDeltaUpdatedEvents({ thingName: 'lamp' }, QOS, () => {});
	await first.connection.disconnect();
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { open: true } } } });
	const c = pki.certificate('lamp');
	const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(c.pem, c.keyPem).with_certificate_authority(pki.authority().pem)
		.with_clean_session(false).with_client_id('lamp').with_endpoint('localhost').with_port(b.port).build();
	const second = new mqtt.MqttClient().new_connection(config);
	t.after(() => second.disconnect().catch(() => {}));
	const message = deferred();
	second.on('message', (topic, payload) => message.done([topic, JSON.parse(Buffer.from(payload).toString())]));
	assert.equal(await second.connect(), true);
	const [topic, delta] = await message.promise;
	assert.deepEqual([topic, delta.state], ['$aws/things/lamp/shadow/update/delta', { open: true }]);
});

test('a persistent session of MQTT 5 gets the delta that came while the device was away', async (t) => {
	const b = await lamp(t);
	const first = await connect5(t, b, 'lamp', { expiry: 600 });
	await first.client.subscribe({ subscriptions: [{ topicFilter: '$aws/things/lamp/shadow/update/delta', qos: 1 }] });
	await first.stop();
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { open: true } } } });
	const c = pki.certificate('lamp');
	const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory('localhost', c.pem, c.keyPem).withCertificateAuthority(pki.authority().pem)
		.withPort(b.port).withConnectProperties({ keepAliveIntervalSeconds: 60, clientId: 'lamp', sessionExpiryIntervalSeconds: 600 })
		.withSessionBehavior(mqtt5.ClientSessionBehavior.RejoinAlways).build();
	const second = new mqtt5.Mqtt5Client(config);
	const message = deferred();
	second.on('messageReceived', (e) => message.done(JSON.parse(Buffer.from(e.message.payload).toString())));
	second.start();
	t.after(async () => {
		const end = new Promise((done) => second.on('stopped', done));
		second.stop();
		await end;
		second.close();
	});
	assert.deepEqual((await message.promise).state, { open: true });
});

test('after a restart of the broker it reconnects by itself and goes on', async (t) => {
	const b = await lamp(t);
	const { connection } = await connect311(t, b, 'lamp', false);
	const shadow = new iotshadow.IotShadowClient(connection);
	const seen = [];
	await shadow.subscribeToUpdateShadowAccepted({ thingName: 'lamp' }, QOS, (e, r) => seen.push(r && r.version));
	await shadow.publishUpdateShadow({ thingName: 'lamp', state: { reported: { a: 1 } } }, QOS);
	await until('the first answer', () => seen.length === 1);
	const resumed = new Promise((done) => connection.on('resume', done));
	await b.restart();
	await resumed;
	await connection.resubscribe_existing_topics?.();
	await shadow.subscribeToUpdateShadowAccepted({ thingName: 'lamp' }, QOS, (e, r) => seen.push(r && r.version));
	await shadow.publishUpdateShadow({ thingName: 'lamp', state: { reported: { a: 2 } } }, QOS);
	await until('the second answer', () => seen.includes(2));
});
