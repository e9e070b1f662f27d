// device.js -- an MQTT client for tests: mqtt.js without reconnects, with an inbox per topic.
//
// connect() rejects with {code} of the CONNACK, or with code 'closed' when there was none. Messages are kept until
// next(topic) takes them; got(topic) looks without waiting.
'use strict';
const mqtt = require('mqtt');
const net = require('node:net');
const { until, SLOW } = require('./test');

let serial = 0;

class Device {
	constructor(options) {
		this.options = { clientId: `test-${process.pid}-${++serial}`, clean: true, version: 4, ...options };
		this.inbox = [];
		this.open = false;
		this.client = null;
	}

	make() {
		const { version, path, ...rest } = this.options;
		const options = { host: '127.0.0.1', protocolVersion: version, reconnectPeriod: 0, connectTimeout: 30000 * SLOW,
			resubscribe: false, manualConnect: true, rejectUnauthorized: true, servername: 'localhost', keepalive: 60, ...rest };
		return path ? new mqtt.MqttClient(() => net.connect(path), options) : mqtt.connect(options);
	}

	connect() {
		const client = this.client = this.make();
		this.disconnectReason = undefined;
		client.on('message', (topic, payload, packet) => this.inbox.push({ topic, payload, packet }));
		client.setMaxListeners(0);
		client.on('disconnect', (packet) => { this.disconnectReason = packet.reasonCode; });
		client.on('close', () => { this.open = false; });
		return new Promise((done, fail) => {
			client.once('connect', (connack) => { this.open = true; this.connack = connack; done(this); });
			client.on('error', (e) => fail(e));
			client.once('close', () => fail(Object.assign(new Error('closed without CONNACK'), { code: 'closed' })));
			client.connect();
		});
	}

	// The code with which CONNECT was refused; fails if it was not.
	async refusedConnect() {
		try {
			await this.connect();
		} catch (e) {
			return e.code;
		}
		throw new Error(`${this.options.clientId} was let in`);
	}

	static bytes(payload) {
		return payload === undefined ? '' : typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
	}

	// Resolves with the PUBACK; with QoS 0 when it is written. A closed connection is an error with code 'closed'.
	publish(topic, payload, options = {}) {
		return this.race((done) => this.client.publish(topic, Device.bytes(payload), { qos: 1, ...options }, done));
	}

	// Resolves with the granted codes, one per filter.
	subscribe(filters, options = {}) {
		return this.race((done) => this.client.subscribe(filters, { qos: 1, ...options }, (e, granted, packet) =>
			packet && packet.granted ? done(null, packet.granted) : done(e, granted && granted.map((g) => g.qos))));
	}
	unsubscribe(filters) {
		return this.race((done) => this.client.unsubscribe(filters, done));
	}

	race(start) {
		return new Promise((done, fail) => {
			const closed = () => fail(Object.assign(new Error('connection closed'), { code: 'closed' }));
			if (!this.open)
				return closed();
			this.client.once('close', closed);
			start((e, result) => {
				this.client.removeListener('close', closed);
				return e ? fail(e) : done(result);
			});
		});
	}

	got(topic) { return this.inbox.filter((m) => m.topic === topic); }

	async nextMessage(topic) {
		const seen = () => `${this.options.clientId}: a message on ${topic}; the inbox holds ${JSON.stringify(this.inbox.map((m) => [m.topic, String(m.payload).slice(0, 200)]))}`;
		return until(seen, () => { // seen and taken in one go: others may wait for the same topic
			const i = this.inbox.findIndex((m) => m.topic === topic);
			return i < 0 ? null : this.inbox.splice(i, 1)[0];
		});
	}

	// The next message on that topic, as JSON.
	async next(topic) { return JSON.parse(await this.nextMessage(topic).then((m) => m.payload)); }

	closed() { return until(`${this.options.clientId} to be disconnected`, () => !this.open); }

	// Subscribes to every answer below a shadow's prefix, sends `verb` and answers [suffix of the answer's topic, document].
	async request(prefix, verb, document) {
		await this.publish(`${prefix}/${verb}`, document);
		const answers = ['accepted', 'rejected'].map((w) => `${prefix}/${verb}/${w}`);
		await until(() => `${this.options.clientId}: an answer to ${prefix}/${verb}`, () => answers.some((a) => this.got(a).length));
		const topic = answers.find((a) => this.got(a).length);
		return [topic.slice(topic.lastIndexOf('/') + 1), await this.next(topic)];
	}

	end() {
		return new Promise((done) => this.client ? this.client.end(true, {}, () => done()) : done());
	}
}

module.exports = { Device };
