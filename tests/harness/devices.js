// devices.js -- HTTPS as a device speaks it: a client certificate, the data plane's paths, raw bodies.
//
//   const d = await devicePlane(t, { plugins, options });   a broker with plugin_opt_listen_devices
//   await d.ask('lamp', 'POST', '/topics/a%2Fb?qos=1', 'bytes', headers)   {status, type, body, json}
'use strict';
const https = require('node:https');
const { create, freePort, ALL } = require('./broker');
const pki = require('./pki');
const { until } = require('./test');

class DevicePlane {
	constructor(b) {
		this.b = b;
	}

	// certificate: a name, or {pem, keyPem}, or null for none.
	ask(certificate, method, path, body = '', headers = {}, tls = {}) {
		const c = typeof certificate === 'string' ? pki.certificate(certificate) : certificate;
		const options = { host: '127.0.0.1', port: this.b.devicePort, servername: 'localhost', ca: pki.authority().pem, agent: false,
			method, path, headers: { 'content-length': Buffer.byteLength(body), ...headers }, ...(c ? { cert: c.pem, key: c.keyPem } : {}), ...tls };
		return new Promise((done, fail) => {
			const q = https.request(options, (r) => {
				const parts = [];
				r.on('data', (p) => parts.push(p));
				r.on('end', () => {
					const text = Buffer.concat(parts).toString();
					done({ status: r.statusCode, type: r.headers['x-amzn-errortype'], text, alpn: q.socket.alpnProtocol,
						json: /json/.test(r.headers['content-type']) && text ? JSON.parse(text) : null });
				});
				r.on('error', fail);
			});
			q.on('error', fail);
			q.end(body);
		});
	}
}

async function devicePlane(t, spec = {}) {
	const port = await freePort(), server = pki.server();
	const options = { ...spec.options, http: { listen_devices: `127.0.0.1:${port}`, tls_cert: server.crt, tls_key: server.key, ...(spec.options || {}).http } };
	const b = create(t, { ...spec, plugins: [...spec.plugins || ALL, 'messages', 'http'], options });
	b.devicePort = port;
	await b.start();
	const d = new DevicePlane(b);
	await until('HTTPS to answer', () => d.ask(null, 'GET', '/').then(() => true, () => false));
	return d;
}

module.exports = { devicePlane };
