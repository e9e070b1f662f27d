// MQTT 5 beside the payload: what a rule reads of it, and what a republish says.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { rules, republish } = require('../../harness/rules');

const READ = `SELECT get_mqtt_property('content_type') AS type, get_mqtt_property('response_topic') AS answer, get_mqtt_property('correlation_data') AS id,
	get_mqtt_property('format_indicator') AS format, get_user_properties('site') AS site, get_user_properties() AS all FROM 'in/#'`;
const sent = { contentType: 'application/json', responseTopic: 'answers/1', correlationData: Buffer.from([1, 0, 255]), payloadFormatIndicator: true,
	userProperties: { site: ['Oslo', 'Bergen'], empty: '', 'key with ä': '€' } };
const plain = (o) => JSON.parse(JSON.stringify(o));

test.smoke('get_mqtt_property and get_user_properties read what came, of a message, of Basic Ingest, and of what is not there', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('read', READ, republish('out'));
	await op.subscribe('out');
	const five = await r.b.unix({ version: 5 }).connect();
	const expected = { type: 'application/json', answer: 'answers/1', id: 'AQD/', format: 'UTF8_DATA', site: ['Oslo', 'Bergen'] };
	for (const topic of ['in/a', '$aws/rules/read/a']) {
		await five.publish(topic, '{}', { properties: sent });
		const { all, ...rest } = await op.next('out');
		assert.deepEqual(rest, expected);
		assert.deepEqual(all.map((one) => JSON.stringify(one)).sort(), ['{"empty":""}', '{"key with ä":"€"}', '{"site":"Bergen"}', '{"site":"Oslo"}']);
	}
	await five.publish('in/b', '{}');
	const none = await op.next('out');
	assert.deepEqual([none.type, none.answer, none.id, none.site], [undefined, undefined, undefined, undefined]);
	await op.publish('in/c', '{}');
	assert.deepEqual(await op.next('out'), none);
});

test('a republish sets them all, from templates and from constants', async (t) => {
	const r = await rules(t), { op } = r;
	const headers = { payloadFormatIndicator: 'UTF8_DATA', contentType: '${type}', responseTopic: 'answers/${id}', correlationData: '${encode(id, "base64")}'.replace(/"/g, "'"),
		messageExpiry: '${expiry}', userProperties: [{ key: 'k${id}', value: 'v ${type}' }, { key: 'k', value: '1' }, { key: 'k', value: '2' }] };
	await r.make('say', "SELECT id FROM 'in'", republish('out', { qos: 1, headers }), { errorAction: republish('failed') });
	const five = await r.b.unix({ version: 5 }).connect();
	await five.subscribe(['out', 'failed']);
	await op.subscribe('out');
	await op.publish('in', { id: 'a1', type: 'text/plain', expiry: 100 });
	const { packet: { properties: p, qos } } = await five.nextMessage('out');
	assert.equal(qos, 1);
	assert.deepEqual({ ...plain(p), correlationData: String(p.correlationData) }, { payloadFormatIndicator: true, contentType: 'text/plain', responseTopic: 'answers/a1', correlationData: 'a1',
		messageExpiryInterval: 100, userProperties: { ka1: 'v text/plain', k: ['1', '2'] } });
	assert.deepEqual(await op.next('out'), { id: 'a1' });
	for (const bad of [{ id: 'a', type: 'x', expiry: -1 }, { id: 'a', type: 'x', expiry: 'soon' }, { id: '+', type: 'x', expiry: 1 }, { type: 'x', expiry: 1 }]) {
		await op.publish('in', bad);
		const { failures } = await five.next('failed');
		assert.equal(failures[0].failedAction, 'RepublishAction');
	}
	assert.deepEqual(five.inbox, []);
});

test('a republish whose payload is not UTF-8 although it says so fails; without headers nothing is passed on', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('utf8', "SELECT * FROM 'in'", [republish('utf8', { headers: { payloadFormatIndicator: 'UTF8_DATA' } }), republish('any')]);
	const five = await r.b.unix({ version: 5 }).connect();
	await five.subscribe(['utf8', 'any']);
	await five.publish('in', Buffer.from([0xff, 0xfe]), { properties: { ...sent, payloadFormatIndicator: false } });
	const { payload, packet } = await five.nextMessage('any');
	assert.deepEqual([[...payload], packet.properties === undefined || Object.keys(plain(packet.properties)).length === 0], [[0xff, 0xfe], true]);
	assert.match((await r.counted('utf8', { failed: 1 })).lastError, /^republish: .*UTF-8/);
	await op.publish('in', 'text');
	assert.equal((await five.nextMessage('utf8')).packet.properties.payloadFormatIndicator, true);
});

test('a message that expires keeps nobody waiting: the rule hears it, the expiry of its republish counts for a session that is away', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('brief', "SELECT * FROM 'in'", republish('out', { qos: 1, headers: { messageExpiry: '1' } }));
	const away = () => r.b.unix({ version: 5, clientId: 'away', clean: false, properties: { sessionExpiryInterval: 600 } });
	let five = await away().connect();
	await five.subscribe('out');
	await five.end();
	await op.subscribe('out');
	await op.publish('in', '{"n":1}');
	assert.deepEqual(await op.next('out'), { n: 1 }); // from now on it grows old
	await new Promise((done) => setTimeout(done, 2500));
	five = await away().connect();
	await op.publish('in', '{"n":2}');
	assert.deepEqual(await five.next('out'), { n: 2 });
});

test('a rule in Lua reads and says them too', async (t) => {
	const r = await rules(t, { lua: { 'mqtt.lua': `rule "echo" { topic = "in", run = function(m)
		publish(m.mqtt.response_topic, { type = m.mqtt.content_type, site = m.mqtt.user.site, qos = m.mqtt.qos, retain = m.mqtt.retain, ip = m.mqtt.source_ip, client = m.client },
			{ qos = 1, retain = true, expiry = 60, content_type = "text/plain", correlation = m.mqtt.correlation, response_topic = "back", utf8 = true, user = { a = "b" } })
	end }` } });
	const five = await r.b.device('five', undefined, { version: 5 });
	await five.subscribe('answers/#');
	const properties = { ...sent, correlationData: Buffer.from('id-1'), userProperties: { site: 'Oslo' } };
	await five.publish('in', '{}', { retain: true, properties });
	const { packet, payload } = await five.nextMessage('answers/1');
	assert.deepEqual(JSON.parse(payload), { type: 'application/json', site: 'Oslo', qos: 1, retain: true, ip: '127.0.0.1', client: 'five' });
	const { correlationData, messageExpiryInterval, ...rest } = packet.properties;
	assert.deepEqual([String(correlationData), messageExpiryInterval > 0], ['id-1', true]);
	assert.deepEqual(plain(rest), { payloadFormatIndicator: true, contentType: 'text/plain', responseTopic: 'back', userProperties: { a: 'b' } });
	const late = await r.b.unix().connect();
	await late.subscribe('answers/#');
	assert.equal((await late.nextMessage('answers/1')).packet.retain, true);
});
