// service_influx.js -- a real influxd 1.6 in a folder and on ports of its own.
//
//   const i = await influx(t);     i.url     await i.query('SELECT * FROM m')   rows as objects, times in ns as text      i.kill(), i.start()
//
// There is a database `iot`; the user `writer` with password `sesame` may write to it.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { freePort } = require('./ports');
const { Service } = require('./service');

function get(url, method = 'GET') {
	return new Promise((done, fail) => {
		const q = http.request(url, { method, agent: false }, (s) => {
			let text = '';
			s.on('error', fail).setEncoding('utf8').on('data', (d) => { text += d; });
			s.on('end', () => done({ status: s.statusCode, text }));
		});
		q.on('error', fail);
		q.end();
	});
}

const config = (s) => `reporting-disabled = true
bind-address = "127.0.0.1:${s.rpcPort}"
[meta]
  dir = "${s.dir}/meta"
[data]
  dir = "${s.dir}/data"
  wal-dir = "${s.dir}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${s.port}"
  auth-enabled = true
  log-enabled = false
[ifql]
  enabled = false
`;

class Influx extends Service {
	get url() { return `http://127.0.0.1:${this.port}`; }
	async ask(q, method) {
		const { status, text } = await get(`${this.url}/query?db=iot&epoch=ns&u=root&p=root&q=${encodeURIComponent(q)}`, method);
		if (status !== 200)
			throw new Error(text);
		// Nanoseconds are more than a double holds.
		return JSON.parse(text.replace(/\[(\d{16,})/g, '["$1"')).results[0].series || [];
	}
	async query(q) {
		return (await this.ask(q)).flatMap(({ columns, values }) => values.map((row) => Object.fromEntries(columns.map((c, i) => [c, row[i]]).filter(([, v]) => v !== null))));
	}
}

async function influx(t) {
	const s = new Influx(t, {
		command: 'influxd',
		args: (self) => ['run', '-config', path.join(self.dir, 'influxdb.conf')],
		ready: (self) => get(`${self.url}/ping`).then((a) => a.status === 204, () => false),
	});
	s.port = await freePort();
	s.rpcPort = await freePort();
	fs.writeFileSync(path.join(s.dir, 'influxdb.conf'), config(s));
	await s.start();
	for (const q of ["CREATE USER root WITH PASSWORD 'root' WITH ALL PRIVILEGES", 'CREATE DATABASE iot', "CREATE USER writer WITH PASSWORD 'sesame'", 'GRANT ALL ON iot TO writer'])
		await s.ask(q, 'POST');
	return s;
}

module.exports = { influx };
