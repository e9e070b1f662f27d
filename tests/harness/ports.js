// ports.js -- TCP ports of 127.0.0.1 for the listeners of tests.
//
// They lie below those that the kernel gives to clients: a connection of somebody else cannot sit on the port of a broker that is to start, or that
// starts again. The files that run.js runs at a time (four at most) take theirs in different lanes, so that neither takes what the other one is about to listen on.
'use strict';
const net = require('node:net');

const FIRST = 10240, COUNT = 22000; /* the kernel's begin with 32768 */
const LANES = 4, lane = Number(process.env.SKEETER_LANE || 0);
let next = process.pid * 97;

const listens = (port) => new Promise((done) => {
	const s = net.createServer();
	s.on('error', () => done(false));
	s.listen(port, '127.0.0.1', () => s.close(() => done(true)));
});

async function freePort() {
	for (let i = 0; i < COUNT; i++) {
		const port = FIRST + (LANES * next++ + lane) % COUNT;
		if (await listens(port))
			return port;
	}
	throw new Error('no port is free');
}

module.exports = { freePort };
