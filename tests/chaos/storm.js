// storm.js -- hundreds of clients that drop and come back: some say goodbye, some vanish, some are taken over; a third keep their sessions.
//
// They speak just enough MQTT to be let in, subscribe and publish; a few use mutual TLS.
'use strict';
const net = require('node:net');
const { sleep, until } = require('../harness/test');

const PLAIN = 200, TLS = 8, WAVES = 2;
const BACKLOG = 80; /* what Mosquitto lets wait is 100; the kernel of one that does not get in tries again after seconds */

const text = (s) => Buffer.concat([Buffer.from([s.length >> 8, s.length & 255]), Buffer.from(s)]);
function packet(first, ...parts) {
	const body = Buffer.concat(parts), n = body.length;
	return Buffer.concat([Buffer.from(n < 128 ? [first, n] : [first, n % 128 | 128, n >> 7]), body]);
}
const connect = (id, clean) => packet(0x10, text('MQTT'), Buffer.from([4, clean ? 2 : 0, 0, 60]), text(id));
const subscribe = (filter) => packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([1]));
const publish = (topic, payload) => packet(0x32, text(topic), Buffer.from([0, 2]), Buffer.from(payload));
const DISCONNECT = Buffer.from([0xe0, 0]);

class Drop {
	constructor(port, i) {
		this.in = this.ended = false;
		this.socket = net.connect(port, '127.0.0.1');
		this.socket.on('data', (d) => { this.in = this.in || (d[0] === 0x20 && d[3] === 0); });
		this.socket.on('error', () => {});
		this.socket.on('close', () => { this.ended = true; });
		this.socket.write(Buffer.concat([connect(`storm${i}`, i % 3 !== 0), subscribe(`storm/${i % 20}/+`), publish(`storm/${i % 20}/${i}`, 'x')]));
	}
	leave(i) {
		if (i % 4 === 0)
			return this; // stays, and is taken over
		if (i % 4 === 1)
			this.socket.end(DISCONNECT);
		else
			this.socket.destroy();
		return null;
	}
}

async function tlsWave(b) {
	const devices = Array.from({ length: TLS }, (_, i) => b.tls('storm', { clientId: `tls-storm${i}`, clean: i % 2 === 0 }));
	const failed = await Promise.all(devices.map((d) => d.connect().then(() => d.subscribe('storm/tls')).then(() => null, (e) => e)));
	await Promise.all(devices.map((d) => d.end()));
	b.devices = b.devices.filter((d) => !devices.includes(d));
	return failed.filter(Boolean);
}

// Answers [connections asked for, let in, why not of those with TLS].
async function storm(b, living) {
	let stay = [], asked = 0, got = 0;
	const why = [];
	for (let wave = 0; wave < WAVES && living(); wave++) {
		const drops = [], tls = tlsWave(b), waiting = () => drops.filter((d) => !d.in && !d.ended).length;
		while (drops.length < PLAIN && living()) {
			if (waiting() < BACKLOG)
				drops.push(new Drop(b.plainPort, drops.length));
			else
				await sleep(2);
		}
		await until(() => `${waiting()} clients to be let in`, () => !living() || !waiting());
		asked += PLAIN + TLS;
		const failed = await tls;
		got += drops.filter((d) => d.in).length + TLS - failed.length;
		why.push(...failed.map(String));
		stay.forEach((d) => d.socket.destroy());
		stay = drops.map((d, i) => d.leave(i)).filter(Boolean);
		await sleep(30);
	}
	stay.forEach((d) => d.socket.destroy());
	return [asked, got, why];
}

module.exports = { storm };
