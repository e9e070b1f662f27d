// The REST API: operations by verb and path, AWS's errors, ids, health and metrics, and what a start refuses.
'use strict';
const assert = require('node:assert/strict');
const http = require('node:http');
const { test, until } = require('../../harness/test');
const { freePort } = require('../../harness/broker');
const { serve, prepare } = require('../../harness/http');

test.smoke('things are created, described, listed and deleted over HTTP, and are the same over $CONTROL', async (t) => {
	const h = await serve(t);
	const made = await h.ask('POST', '/things/lamp', { attributePayload: { attributes: { room: 'hall' } } });
	assert.equal(made.status, 200);
	assert.equal(made.headers['content-type'], 'application/json');
	assert.match(made.headers['x-amzn-requestid'], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	assert.equal(made.json.thingArn, 'arn:aws:iot:us-east-1:123456789012:thing/lamp');
	assert.equal((await h.b.call('DescribeThing', { thingName: 'lamp' })).attributes.room, 'hall');
	await h.b.call('CreateThing', { thingName: 'fan' });
	const page = (await h.ask('GET', '/things?maxResults=1')).json;
	assert.deepEqual(page.things.map((x) => x.thingName), ['fan']);
	assert.deepEqual((await h.ask('GET', `/things?maxResults=1&nextToken=${encodeURIComponent(page.nextToken)}`)).json.things.map((x) => x.thingName), ['lamp']);
	assert.equal((await h.ask('DELETE', '/things/lamp')).text, '{}');
	const gone = await h.ask('GET', '/things/lamp');
	assert.equal(`${gone.status} ${gone.headers['x-amzn-errortype']} ${gone.text}`, '404 ResourceNotFoundException {"message":"Thing lamp cannot be found."}');
	assert.notEqual(gone.headers['x-amzn-requestid'], made.headers['x-amzn-requestid']);
});

test('a shadow is a body that is not wrapped, and its update reaches who subscribed', async (t) => {
	const h = await serve(t);
	const device = await h.b.device('lamp');
	await device.subscribe('$aws/things/lamp/shadow/#');
	const up = await h.ask('POST', '/things/lamp/shadow', '{"state":{"desired":{"on":true}},"clientToken":"c"}');
	assert.equal(up.status, 200);
	assert.equal(up.json.version, 1);
	assert.equal(up.json.clientToken, 'c');
	await device.next('$aws/things/lamp/shadow/update/delta');
	assert.deepEqual((await h.ask('GET', '/things/lamp/shadow')).json.state, { desired: { on: true }, delta: { on: true } });
	assert.equal((await h.ask('POST', '/things/lamp/shadow?name=moon', '{"state":{"reported":{"a":1}}}')).json.version, 1);
	assert.deepEqual((await h.ask('GET', '/api/things/shadow/ListNamedShadowsForThing/lamp')).json.results, ['moon']);
	assert.equal((await h.ask('POST', '/things/lamp/shadow', '{')).status, 400);
	assert.equal((await h.ask('GET', '/things/lamp/shadow?name=none')).status, 404);
	assert.equal((await h.ask('DELETE', '/things/lamp/shadow?name=moon')).status, 200);
});

test('an unknown operation is AWS\'s error, and the log names it once a second at most', async (t) => {
	const h = await serve(t);
	const r = await h.ask('GET', '/nothing/of%20the/kind?a=b');
	assert.equal(`${r.status} ${r.headers['x-amzn-errortype']}`, '404 UnknownOperationException');
	await h.b.logged(/skeeter: http: no loaded plugin has the operation GET \/nothing\/of%20the\/kind$/m, 0);
	const s = await h.socket();
	s.write('\x1b[31mX /no\x1bthing HTTP/1.1\r\nHost: localhost\r\n\r\n');
	await s.reply();
	assert.ok(!h.b.log.includes('\x1b'));
	const began = Date.now();
	for (let i = 0; i < 50; i++)
		await h.ask('PUT', `/nothing/${i}`);
	const lines = h.b.log.match(/no loaded plugin has/g).length, seconds = (Date.now() - began) / 1000;
	assert.ok(lines <= seconds + 5, `${lines} lines in ${seconds} s`);
	assert.equal((await h.ask('PUT', '/things/lamp/shadow', '{}', { host: 'data-ats.iot.eu-west-1.amazonaws.com' })).headers['x-amzn-errortype'], 'MethodNotAllowedException');
	assert.equal((await h.ask('GET', '/things', undefined, { host: 'data-ats.iot.eu-west-1.amazonaws.com' })).status, 404);
	assert.equal((await h.ask('GET', '/things', undefined, { host: 'iot.eu-west-1.amazonaws.com' })).status, 200);
	assert.equal((await h.ask('HEAD', '/things')).status, 404);
	assert.equal((await h.ask('OPTIONS', '/things')).status, 404);
	assert.ok(await h.metric('skeeter_http_unknown_total') >= 55);
});

test('inputs out of shape get the sentence of AWS, wherever they stand', async (t) => {
	const h = await serve(t);
	const words = async (...a) => { const r = await h.ask(...a); return `${r.status} ${r.headers['x-amzn-errortype']} ${r.json.message}`; };
	assert.match(await words('GET', '/things/a%20b'), /^400 InvalidRequestException 1 validation error detected: Value 'a b' at 'thingName' failed/);
	assert.match(await words('GET', '/things/a%2Fb'), /^400 InvalidRequestException 1 validation error detected: Value 'a\/b' at 'thingName'/);
	assert.match(await words('GET', '/things/..%2f..%2fetc%2fpasswd'), /^400 InvalidRequestException 1 validation error/);
	assert.match(await words('GET', '/things/../../etc/passwd'), /^404 UnknownOperationException/);
	assert.match(await words('GET', '/things?maxResults=251'), /^400 InvalidRequestException .*'maxResults'.*less than or equal to 250/);
	assert.match(await words('GET', '/things?maxResults=x'), /^400 InvalidRequestException .*'maxResults'/);
	assert.match(await words('POST', '/things/lamp', '{"thingTypeName":5}'), /^400 InvalidRequestException .*'thingTypeName'/);
	assert.match(await words('POST', '/things/lamp', '[]'), /^400 InvalidRequestException The body is not a JSON object$/);
	assert.match(await words('POST', '/things/lamp', '{"a":'), /^400 InvalidRequestException The body is not a JSON object$/);
	assert.match(await words('GET', '/things/%zz'), /^400 InvalidRequestException The path holds a percent sign/);
	assert.match(await words('GET', '/things/a%00b'), /^400 InvalidRequestException The path holds a percent sign/);
	assert.match(await words('PUT', '/things/lamp/principals'), /^400 InvalidRequestException .*'principal'.*must not be null/);
	assert.match(await words('PUT', '/things/lamp/principals', undefined, { 'x-amzn-principal': 'arn:x' }), /^400 InvalidRequestException Invalid certificate ARN arn:x/);
	assert.match(await words('GET', `/things/${'a'.repeat(4000)}`), /^400 InvalidRequestException .*less than or equal to 128/);
	assert.match(await words('GET', `/things/${'a'.repeat(4000)}/shadow`), /^400 InvalidRequestException .*less than or equal to 128/);
});

test('lists in the query, headers and paths with slashes reach the operation', async (t) => {
	const h = await serve(t);
	await h.ask('POST', '/billing-groups/home', { tags: [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }] });
	const arn = 'arn:aws:iot:us-east-1:123456789012:billinggroup/home';
	assert.equal((await h.ask('GET', `/tags?resourceArn=${encodeURIComponent(arn)}`)).json.tags.length, 2);
	await h.b.provision('lamp');
	const cert = (await h.b.call('ListCertificates', {})).certificates[0].certificateArn;
	assert.deepEqual((await h.ask('GET', '/principals/things', undefined, { 'X-Amzn-Principal': cert })).json.things, ['lamp']);
	assert.deepEqual((await h.ask('GET', '/principal-policies', undefined, { 'x-amzn-iot-principal': cert })).json.policies.map((p) => p.policyName), ['lamp-policy']);
	assert.deepEqual((await h.ask('GET', '/policy-principals', undefined, { 'x-amzn-iot-policy': 'lamp-policy' })).json.principals, [cert]);
	assert.deepEqual((await h.ask('POST', `/attached-policies/${encodeURIComponent(cert)}`)).json.policies.map((p) => p.policyName), ['lamp-policy']);
	assert.equal((await h.ask('GET', '/certificates?isAscendingOrder=true&pageSize=5')).json.certificates.length, 1);
});

test('a revoked certificate is gone for the broker before the answer comes', async (t) => {
	const h = await serve(t);
	const { certificateId } = await h.b.provision('lamp');
	for (let i = 0; i < 10; i++) {
		const device = h.b.tls('lamp');
		await device.connect();
		assert.equal((await h.ask('PUT', `/certificates/${certificateId}?newStatus=INACTIVE`)).status, 200);
		await assert.rejects(h.b.tls('lamp', { reconnectPeriod: 0 }).connect());
		await h.ask('PUT', `/certificates/${certificateId}?newStatus=ACTIVE`);
		await device.end();
	}
});

test('ARNs are in the region that a request is signed for', async (t) => {
	const h = await serve(t);
	const scope = (region, service) => ({ authorization: `AWS4-HMAC-SHA256 Credential=AK/20260101/${region}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`, 'x-amz-date': '20260101T000000Z' });
	assert.equal((await h.ask('POST', '/things/lamp', {}, scope('eu-west-1', 'execute-api'))).json.thingArn, 'arn:aws:iot:eu-west-1:123456789012:thing/lamp');
	assert.equal((await h.ask('GET', '/things/lamp', undefined, scope('ap-south-1', 'iot'))).json.thingArn, 'arn:aws:iot:ap-south-1:123456789012:thing/lamp');
	assert.equal((await h.ask('GET', '/things/lamp', undefined, scope('ap-south-1', 'iotdata'))).status, 404);
	assert.equal((await h.ask('GET', '/things/lamp')).json.thingArn, 'arn:aws:iot:us-east-1:123456789012:thing/lamp');
});

test('health, readiness and metrics need no signature, and metrics can be closed', async (t) => {
	const h = await serve(t, { options: { http: { auth: 'signed' } } });
	assert.equal((await h.ask('GET', '/healthz')).text, 'ok\n');
	assert.equal((await h.ask('GET', '/readyz')).text, 'ok\n');
	assert.equal((await h.ask('GET', '/things')).status, 403);
	const { text } = await h.ask('GET', '/metrics');
	for (const name of ['skeeter_calls_total', 'skeeter_http_requests_total', 'skeeter_http_connections_open', 'skeeter_store_commits_total'])
		assert.match(text, new RegExp(`^# TYPE ${name} (counter|gauge)\n${name} \\d+$`, 'm'));
	for (const line of text.trimEnd().split('\n'))
		assert.match(line, /^(# (HELP|TYPE) skeeter_\w+ .+|skeeter_\w+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+)$/);
	await h.b.call('CreateThing', { thingName: 'lamp' });
	assert.equal(await h.metric('skeeter_row_calls_total{plugin="registry",kind="operation",row="CreateThing"}'), 1);
	assert.equal(await h.metric('skeeter_row_seconds_count{plugin="registry",kind="operation",row="CreateThing"}'), 1);
	const closed = await serve(t, { options: { http: { metrics: 'false' } } });
	assert.equal((await closed.ask('GET', '/metrics')).status, 404);
});

test('an operation of the broker\'s own thread answers too', async (t) => {
	const h = await serve(t);
	const { json } = await h.ask('GET', '/skeeter/broker');
	assert.equal(json.pid, h.b.pid);
	assert.ok(json.plugins.some((p) => p.name === 'http'));
	assert.equal((await h.ask('GET', '/skeeter/clients/nobody/activity')).status, 404);
});

test('a start is refused with one line that says what would do', async (t) => {
	const cases = [
		[{ auth: 'open', listen: '0.0.0.0:0' }, /skeeter: http: plugin_opt_listen 0\.0\.0\.0:0: plugin_opt_auth open is for loopback addresses only/],
		[{ auth: 'open', listen: '[::]:0' }, /plugin_opt_listen \[::\]:0: plugin_opt_auth open is for loopback/],
		[{ listen: '8080' }, /plugin_opt_listen 8080: expected an address and a port, like 127\.0\.0\.1:8080 or \[::1\]:8080/],
		[{ listen: ':8080' }, /plugin_opt_listen :8080: expected an address and a port/],
		[{ listen: 'localhost:8080' }, /plugin_opt_listen localhost:8080: expected an address/],
		[{ listen: '127.0.0.1:99999' }, /plugin_opt_listen 127\.0\.0\.1:99999: expected an address and a port/],
		[{ listen: '192.0.2.1:0', auth: 'signed' }, /plugin_opt_listen 192\.0\.2\.1:0: Cannot assign requested address/],
		[{ listen: undefined, listen_tls: '127.0.0.1:0' }, /plugin_opt_listen_tls needs plugin_opt_tls_cert and plugin_opt_tls_key/],
		[{ body: '65m' }, /plugin_opt_body must be at most 64m/],
		[{ header: '10' }, /plugin_opt_header must be 1k to 1m/],
	];
	for (const [options, line] of cases) {
		const h = await prepare(t, { options: { http: options } });
		assert.notEqual(await h.b.refuses(), 0);
		assert.match(h.b.log, line);
	}
});

test('a port that is in use is said at start', async (t) => {
	const h = await serve(t);
	const second = await prepare(t, { options: { http: { listen: `127.0.0.1:${h.port}` } } });
	await second.b.refuses();
	assert.match(second.b.log, /plugin_opt_listen 127\.0\.0\.1:\d+: Address already in use/);
});

test('what is under way when the broker stops is answered, and nothing new is taken', async (t) => {
	const h = await serve(t);
	const s = await h.socket();
	s.write('GET /things HTTP/1.1\r\nHost: localhost\r\n\r\n');
	assert.equal((await s.reply()).status, 200);
	const asked = Array.from({ length: 50 }, (_, i) => h.ask('POST', `/things/t${i}`, {}).then((r) => r.status, () => 'cut'));
	await until('the first to be there', () => h.b.call('DescribeThing', { thingName: 't0' }).then(() => true, () => false));
	await h.b.stop();
	const got = await Promise.all(asked);
	assert.ok(got.every((r) => r === 200 || r === 503 || r === 'cut'), String(got));
	await s.closes();
	await h.b.start();
	for (let i = 0; i < 50; i++)
		assert.ok(got[i] !== 200 || (await h.b.call('DescribeThing', { thingName: `t${i}` })).version === 1);
});

test('under auth open a page in a browser is refused, by its origin or by a name that is not ours', async (t) => {
	const h = await serve(t);
	for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { host: 'evil.example' }, { host: `evil.example:${h.port}` }, { host: '127.evil' }, { host: 'localhost.evil' },
		{ host: 'a.iot.evil' }, { host: 'iot.evil' }, { host: '.amazonaws.com' }]) {
		const r = await h.ask('POST', '/things/lamp', {}, headers);
		assert.equal(`${r.status} ${r.headers['x-amzn-errortype']}`, '403 ForbiddenException', JSON.stringify(headers));
	}
	for (const host of ['localhost', `localhost:${h.port}`, `127.0.0.1:${h.port}`, '[::1]:80', 'iot.us-east-1.amazonaws.com'])
		assert.equal((await h.ask('GET', '/things', undefined, { host })).status, 200, host);
	assert.equal((await h.ask('GET', '/things/lamp')).status, 404);
});

test('several addresses are listened on, of both kinds', async (t) => {
	const more = await freePort();
	const h = await prepare(t);
	h.b.spec.options.http.listen += ` [::1]:${more}  127.0.0.2:${more}`;
	await h.b.start();
	const at = (host) => new Promise((done, fail) => http.get({ host, port: more, path: '/healthz' }, (r) => { r.resume(); done(r.statusCode); }).on('error', fail));
	await h.b.logged(/listening on http:\/\/127\.0\.0\.2:\d+ for anybody/, 0);
	assert.deepEqual([await at('::1'), await at('127.0.0.2'), (await h.ask('GET', '/healthz')).status], [200, 200, 200]);
});
