// The data plane for devices: a certificate on HTTPS is judged as on MQTT, payloads are bytes, and nothing but the data plane is there.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const { test, until } = require('../../harness/test');
const { devicePlane } = require('../../harness/devices');
const pki = require('../../harness/pki');

const allow = (...statements) => ({ Version: '2012-10-17', Statement: statements.map(([Action, Resource, Effect = 'Allow']) => ({ Effect, Action, Resource })) });
const arn = (rest) => `arn:aws:iot:us-east-1:123456789012:${rest}`;
const forbidden = ({ status, type }) => `${status} ${type}`;
const FORBIDDEN = '403 ForbiddenException';

test.smoke('a message that a device posts reaches subscribers as bytes, with its QoS and its properties', async (t) => {
	const d = await devicePlane(t);
	const listener = await d.b.device('listener', undefined, { version: 5 });
	await listener.subscribe('#');
	await d.b.provision('lamp');
	const bytes = Buffer.from([0, 1, 255, 10, 195, 40]);
	const headers = {
		'x-amz-mqtt5-user-properties': Buffer.from(JSON.stringify([{ a: '1' }, { a: '2', b: 'ü' }])).toString('base64'),
		'x-amz-mqtt5-correlation-data': Buffer.from([0, 255]).toString('base64'), 'x-amz-mqtt5-payload-format-indicator': 'UNSPECIFIED_BYTES',
	};
	const r = await d.ask('lamp', 'POST', '/topics/a%2Fb%20c/%C3%BC?qos=1&contentType=text%2Fplain&responseTopic=r/1&messageExpiry=300', bytes, headers);
	assert.deepEqual([r.status, r.json.message], [200, 'OK']);
	const { payload, packet } = await listener.nextMessage('a/b c/ü');
	assert.deepEqual(payload, bytes);
	assert.equal(packet.qos, 1);
	const { userProperties, messageExpiryInterval, ...rest } = packet.properties;
	assert.deepEqual({ ...userProperties }, { a: ['1', '2'], b: 'ü' });
	assert.ok(messageExpiryInterval <= 300 && messageExpiryInterval > 200);
	assert.deepEqual([rest.contentType, rest.responseTopic, [...rest.correlationData]], ['text/plain', 'r/1', [0, 255]]);
	await d.ask('lamp', 'POST', '/topics/plain/slashes', 'x');
	assert.equal((await listener.nextMessage('plain/slashes')).packet.qos, 0);
});

test('UTF8_DATA is declared to subscribers, and refused where it is not true', async (t) => {
	const d = await devicePlane(t);
	const listener = await d.b.device('listener', undefined, { version: 5 });
	await listener.subscribe('#');
	await d.b.provision('lamp');
	const utf8 = { 'x-amz-mqtt5-payload-format-indicator': 'UTF8_DATA' };
	assert.equal((await d.ask('lamp', 'POST', '/topics/t', 'ü', utf8)).status, 200);
	assert.equal((await listener.nextMessage('t')).packet.properties.payloadFormatIndicator, true);
	assert.equal(forbidden(await d.ask('lamp', 'POST', '/topics/t', Buffer.from([255]), utf8)), '400 InvalidRequestException');
});

test('what is answered 200 has been delivered: 200 levels, odd characters, the largest payload', async (t) => {
	const d = await devicePlane(t);
	const listener = await d.b.device('listener', undefined, { version: 5 });
	await listener.subscribe('#');
	await d.b.provision('lamp');
	for (const topic of [`${'a/'.repeat(199)}a`, '/', '//', ' ', '\u{1f600}\u00a0', "a'b\"c\\d?e&f=%"]) {
		const r = await d.ask('lamp', 'POST', `/topics/${encodeURIComponent(topic)}`, topic, { 'x-amz-mqtt5-user-properties': Buffer.from(JSON.stringify([{ [topic]: topic }])).toString('base64') });
		assert.equal(r.status, 200, topic + r.text);
		assert.equal((await listener.nextMessage(topic)).payload.toString(), topic);
	}
	assert.equal((await d.ask('lamp', 'POST', '/topics/large', Buffer.alloc(128 * 1024, 1))).status, 200);
	assert.equal((await listener.nextMessage('large')).payload.length, 128 * 1024);
	for (const topic of ['a%01', 'a%7f', '%c2%85', `${'a/'.repeat(200)}a`])
		assert.equal(forbidden(await d.ask('lamp', 'POST', `/topics/${topic}`, 'x')), '400 InvalidRequestException', topic);
});

test('what is no message is refused: wildcards, reserved topics, wrong QoS, bad properties, too many bytes', async (t) => {
	const d = await devicePlane(t, { options: { messages: { publish_size: '1k' } } });
	await d.b.provision('lamp');
	const post = async (where, body, headers) => forbidden(await d.ask('lamp', 'POST', where, body, headers));
	for (const where of ['/topics/a%23', '/topics/%2B', '/topics/$SYS/x', '/topics/$CONTROL/skeeter/v1', '/topics/$aws/nothing', '/topics/$',
		'/topics/a?qos=2', '/topics/a?qos=x', '/topics/a?retain=perhaps', '/topics/a?messageExpiry=-1', '/topics/a?responseTopic=a%23'])
		assert.equal(await post(where, ''), '400 InvalidRequestException', where);
	for (const headers of [{ 'x-amz-mqtt5-correlation-data': 'a' }, { 'x-amz-mqtt5-user-properties': '!' }, { 'x-amz-mqtt5-user-properties': 'eyJhIjoxfQ==' },
		{ 'x-amz-mqtt5-payload-format-indicator': 'X' }])
		assert.equal(await post('/topics/a', '', headers), '400 InvalidRequestException', JSON.stringify(headers));
	assert.equal(await post('/topics/a', Buffer.alloc(1025)), '413 RequestEntityTooLargeException');
	assert.equal(await post('/topics/a', Buffer.alloc(1024)), '200 undefined');
	assert.match(await post('/topics/', 'x'), /^40[04] /);
});

test.smoke('shadows are read, written and deleted as raw documents, and MQTT sees it', async (t) => {
	const d = await devicePlane(t);
	const app = await d.b.device('app');
	await app.subscribe('$aws/things/lamp/shadow/#');
	await d.b.provision('lamp');
	const made = await d.ask('lamp', 'POST', '/things/lamp/shadow', '{"state":{"desired":{"on":true}},"clientToken":"c"}');
	assert.deepEqual([made.status, made.json.version, made.json.clientToken], [200, 1, 'c']);
	assert.equal((await app.next('$aws/things/lamp/shadow/update/delta')).state.on, true);
	assert.deepEqual((await d.ask('lamp', 'GET', '/things/lamp/shadow')).json.state, { desired: { on: true }, delta: { on: true } });
	assert.equal((await d.ask('lamp', 'POST', '/things/lamp/shadow?name=night', '{"state":{"reported":{"dim":1}}}')).status, 200);
	assert.deepEqual((await d.ask('lamp', 'GET', '/api/things/shadow/ListNamedShadowsForThing/lamp')).json.results, ['night']);
	assert.equal((await d.ask('lamp', 'DELETE', '/things/lamp/shadow?name=night')).status, 200);
	assert.equal(forbidden(await d.ask('lamp', 'GET', '/things/lamp/shadow?name=night')), '404 ResourceNotFoundException');
	for (const body of ['', '{', '[]', '{"state":1}'])
		assert.equal(forbidden(await d.ask('lamp', 'POST', '/things/lamp/shadow', body)), '400 InvalidRequestException', body);
	assert.equal(forbidden(await d.ask('lamp', 'POST', '/things/lamp/shadow', '{"state":{},"version":9}')), '409 ConflictException');
});

test('a shadow that is updated through a topic is one step further, and a retained message is read over HTTPS', async (t) => {
	const d = await devicePlane(t);
	await d.b.provision('lamp');
	assert.equal((await d.ask('lamp', 'POST', '/topics/$aws/things/lamp/shadow/update?qos=1', '{"state":{"desired":{"on":1}}}')).status, 200);
	await until('the shadow', async () => (await d.ask('lamp', 'GET', '/things/lamp/shadow')).status === 200);
	assert.equal((await d.ask('lamp', 'POST', '/topics/a/b?qos=1&retain=true', 'kept')).status, 200);
	const m = await d.ask('lamp', 'GET', '/retainedMessage/a%2Fb');
	assert.deepEqual([m.status, m.json.topic, Buffer.from(m.json.payload, 'base64').toString(), m.json.qos], [200, 'a/b', 'kept', 1]);
	assert.equal((await d.ask('lamp', 'GET', '/retainedMessage/a/b')).status, 200);
	assert.deepEqual((await d.ask('lamp', 'GET', '/retainedMessage')).json.retainedTopics.map((x) => x.topic), ['a/b']);
	assert.equal(forbidden(await d.ask('lamp', 'GET', '/retainedMessage/none')), '404 ResourceNotFoundException');
});

test('each operation needs its own permission on its own resource', async (t) => {
	const d = await devicePlane(t);
	await d.b.provision('lamp', allow(
		['iot:Publish', arn('topic/mine/*')], ['iot:RetainPublish', arn('topic/mine/kept')], ['iot:Publish', arn('topic/mine/never'), 'Deny'],
		['iot:GetThingShadow', [arn('thing/lamp'), arn('thing/lamp/night')]], ['iot:UpdateThingShadow', arn('thing/lamp/night')],
		['iot:GetRetainedMessage', arn('topic/mine/kept')]));
	const ask = async (method, where, body) => forbidden(await d.ask('lamp', method, where, body));
	assert.equal(await ask('POST', '/topics/mine/1', 'x'), '200 undefined');
	assert.equal(await ask('POST', '/topics/mine/kept?retain=true', 'x'), '200 undefined');
	assert.equal(await ask('GET', '/retainedMessage/mine/kept'), '200 undefined');
	assert.equal(await ask('POST', '/things/lamp/shadow?name=night', '{"state":{"desired":{"a":1}}}'), '200 undefined');
	assert.equal(await ask('GET', '/things/lamp/shadow?name=night'), '200 undefined');
	for (const [method, where] of [['POST', '/topics/other'], ['POST', '/topics/mine/1?retain=true'], ['POST', '/topics/mine/never'],
		['POST', '/things/lamp/shadow'], ['GET', '/things/other/shadow'], ['GET', '/things/lamp/shadow?name=day'], ['DELETE', '/things/lamp/shadow'],
		['DELETE', '/things/lamp/shadow?name=night'], ['GET', '/api/things/shadow/ListNamedShadowsForThing/lamp'], ['GET', '/retainedMessage'],
		['GET', '/retainedMessage/other']])
		assert.equal(await ask(method, where, '{"state":{}}'), FORBIDDEN, `${method} ${where}`);
	await d.b.logged(/deny https iot:GetThingShadow lamp\/day: no statement of lamp-policy v1 \(via certificate [0-9a-f]{4}…\) allows iot:GetThingShadow/, 0);
});

test('a certificate must be registered and ACTIVE now, and a policy counts at once', async (t) => {
	const d = await devicePlane(t);
	assert.equal(forbidden(await d.ask('stranger', 'POST', '/topics/a', 'x')), FORBIDDEN);
	assert.equal(forbidden(await d.ask(null, 'POST', '/topics/a', 'x')), FORBIDDEN);
	const { certificateId, policyName, certificateArn } = await d.b.provision('lamp');
	const post = async () => (await d.ask('lamp', 'POST', '/topics/a', 'x')).status;
	assert.equal(await post(), 200);
	await d.b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	assert.equal(await post(), 403);
	await d.b.call('UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
	assert.equal(await post(), 200);
	await d.b.call('DetachPolicy', { policyName, target: certificateArn });
	assert.equal(await post(), 403);
});

test('variables of the certificate and the address have values over HTTPS, those of a thing and the client id have none', async (t) => {
	const d = await devicePlane(t);
	const { certificateId } = await d.b.provision('lamp', allow(['iot:Publish', arn('topic/${iot:CertificateId}/*')], ['iot:Publish', arn('topic/${iot:ClientId}/*')],
		['iot:Publish', arn('topic/cn/${iot:Certificate.Subject.CommonName}')], ['iot:Publish', arn('topic/t/${iot:Connection.Thing.ThingName}')]));
	await d.b.call('CreatePolicy', { policyName: 'near', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Publish',
		Resource: arn('topic/near'), Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } }] }) });
	await d.b.call('AttachPolicy', { policyName: 'near', target: `arn:aws:iot:us-east-1:123456789012:cert/${certificateId}` });
	const post = async (topic) => (await d.ask('lamp', 'POST', `/topics/${topic}`, 'x')).status;
	assert.equal(await post(`${certificateId}/a`), 200);
	assert.equal(await post('cn/lamp'), 200);
	assert.equal(await post('near'), 200);
	for (const topic of ['t/lamp', 'lamp/a', '/a', 'cn/other'])
		assert.equal(await post(topic), 403, topic);
});

test('nothing but the data plane is there, whatever a signature says', async (t) => {
	const d = await devicePlane(t);
	await d.b.provision('lamp');
	for (const [method, where] of [['POST', '/things/new'], ['GET', '/things'], ['GET', '/metrics'], ['GET', '/healthz'], ['GET', '/policies'], ['GET', '/']])
		assert.match(forbidden(await d.ask('lamp', method, where, '', { authorization: 'AWS4-HMAC-SHA256 Credential=A/20200101/us-east-1/iot/aws4_request, SignedHeaders=host, Signature=0', host: 'iot.us-east-1.amazonaws.com' })),
			/^40[45] /, where);
	assert.equal(forbidden(await d.ask('lamp', 'PUT', '/things/lamp/shadow', '{}')), '405 MethodNotAllowedException');
});

test('curl speaks to it as AWS documents, with ALPN x-amzn-http-ca and TLS 1.2 and 1.3', async (t) => {
	const d = await devicePlane(t);
	const app = await d.b.device('app');
	await app.subscribe('my/topic');
	await d.b.provision('lamp');
	const c = pki.certificate('lamp');
	const file = (name, text) => { fs.writeFileSync(path.join(d.b.dir, name), text); return path.join(d.b.dir, name); };
	const cert = file('c.pem', c.pem), key = file('c.key', c.keyPem), ca = file('ca.pem', pki.authority().pem);
	for (const version of ['1.2', '1.3']) {
		const out = execFileSync('curl', ['-sS', '--noproxy', '*', '--tlsv1.2', '--tls-max', version, '--cacert', ca, '--cert', cert, '--key', key, '--request', 'POST', '--data', '{"m":1}',
			`https://localhost:${d.b.devicePort}/topics/my/topic?qos=1`, '--resolve', `localhost:${d.b.devicePort}:127.0.0.1`]);
		assert.equal(JSON.parse(out).message, 'OK');
		assert.deepEqual(await app.next('my/topic'), { m: 1 });
	}
	const offered = await d.ask('lamp', 'POST', '/topics/my/topic', '1', {}, { ALPNProtocols: ['x-amzn-http-ca'] });
	assert.deepEqual([offered.status, offered.alpn], [200, 'x-amzn-http-ca']);
	assert.equal((await d.ask('lamp', 'POST', '/topics/my/topic', '1', {}, { ALPNProtocols: ['http/1.1'] })).alpn, 'http/1.1');
});

test('devices that leave in the middle, and bytes that are no TLS, harm nobody', async (t) => {
	const d = await devicePlane(t);
	await d.b.provision('lamp');
	const c = pki.certificate('lamp');
	const open = () => new Promise((done, fail) => {
		const s = tls.connect({ host: '127.0.0.1', port: d.b.devicePort, servername: 'localhost', ca: pki.authority().pem, cert: c.pem, key: c.keyPem }, () => done(s));
		s.on('error', fail);
	});
	for (let i = 0; i < 40; i++) {
		const s = await open();
		s.on('error', () => {});
		s.write(`POST /topics/a?retain=true HTTP/1.1\r\nhost: x\r\ncontent-length: ${i % 4 ? 3 : 4}\r\n\r\nabc`);
		s.write('GET /retainedMessage/a HTTP/1.1\r\nhost: x\r\n\r\n');
		await new Promise((done) => setTimeout(done, i % 3));
		s.destroy();
	}
	const bare = await Promise.all(Array.from({ length: 20 }, (_, i) => new Promise((done) => {
		const s = net.connect(d.b.devicePort, '127.0.0.1', () => s.write(i % 2 ? 'GET / HTTP/1.1\r\nhost: x\r\n\r\n' : Buffer.from([22, 3, 1, 255, 255, 1, 0])));
		s.on('error', () => {});
		s.on('close', () => done(i));
		setTimeout(() => s.destroy(), 300);
	})));
	assert.equal(bare.length, 20);
	assert.equal((await d.ask('lamp', 'POST', '/topics/a', 'x')).status, 200);
});

test('a device port without certificate and key, or skeeter_auth, does not pass for one', async (t) => {
	const d = await devicePlane(t, { plugins: ['core', 'registry', 'shadow'] });
	assert.equal(forbidden(await d.ask('lamp', 'POST', '/topics/a', 'x')), '503 ServiceUnavailableException');
	await d.b.stop();
	d.b.spec.options.http.tls_key = undefined;
	assert.notEqual(await d.b.refuses(), 0);
	assert.match(d.b.log, /plugin_opt_listen_devices needs plugin_opt_tls_cert and plugin_opt_tls_key/);
});
