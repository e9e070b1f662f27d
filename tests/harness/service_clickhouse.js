// service_clickhouse.js -- a real clickhouse-server in a folder and on ports of its own.
//
//   const c = await clickhouse(t);     c.url     await c.sql('SELECT ...')   lines, columns with a tab between them      c.kill(), c.start()
//
// The user is `skeeter` with password `sesame`.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { freePort } = require('./ports');
const { Service } = require('./service');

const config = (s) => `<?xml version="1.0"?>
<yandex>
	<logger><level>warning</level><console>1</console></logger>
	<http_port>${s.port}</http_port> <tcp_port>${s.tcpPort}</tcp_port> <listen_host>127.0.0.1</listen_host>
	<path>${s.dir}/data/</path> <tmp_path>${s.dir}/tmp/</tmp_path> <user_files_path>${s.dir}/files/</user_files_path>
	<format_schema_path>${s.dir}/schemas/</format_schema_path> <mark_cache_size>5368709</mark_cache_size>
	<users_config>users.xml</users_config> <default_profile>default</default_profile> <default_database>default</default_database>
</yandex>
`;
const USERS = `<?xml version="1.0"?>
<yandex>
	<profiles><default></default></profiles> <quotas><default></default></quotas>
	<users><skeeter><password>sesame</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></skeeter></users>
</yandex>
`;

class ClickHouse extends Service {
	get url() { return `http://127.0.0.1:${this.port}`; }
	sql(text) {
		const headers = { 'X-ClickHouse-User': 'skeeter', 'X-ClickHouse-Key': 'sesame' };
		return new Promise((done, fail) => {
			const q = http.request(this.url, { method: 'POST', headers, agent: false }, (s) => {
				let out = '';
				s.on('error', fail).setEncoding('utf8').on('data', (d) => { out += d; });
				s.on('end', () => (s.statusCode === 200 ? done(out.split('\n').filter((l) => l !== '')) : fail(new Error(out))));
			});
			q.on('error', fail);
			q.end(text);
		});
	}
}

async function clickhouse(t) {
	const s = new ClickHouse(t, {
		command: 'clickhouse-server',
		args: (self) => [`--config-file=${path.join(self.dir, 'config.xml')}`],
		ready: (self) => self.sql('SELECT 1').then(() => true, () => false),
	});
	s.port = await freePort();
	s.tcpPort = await freePort();
	fs.writeFileSync(path.join(s.dir, 'config.xml'), config(s));
	fs.writeFileSync(path.join(s.dir, 'users.xml'), USERS);
	return s.start();
}

module.exports = { clickhouse };
