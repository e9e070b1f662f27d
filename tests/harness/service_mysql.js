// service_mysql.js -- a real MariaDB in a folder and on a port of its own, with TLS and a unix socket: never the machine's.
//
//   const m = await mysql(t);   m.url, user skeeter with password `secret`      await m.sql('SELECT ...') lines      m.kill(), m.start()
//   const one = m.session(t);      await one.sql('BEGIN')
'use strict';
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const pki = require('./pki');
const { freePort } = require('./ports');
const { Service, Session } = require('./service');
const run = promisify(execFile);

const root = process.getuid() === 0;

class Mysql extends Service {
	get url() { return `mysql://127.0.0.1:${this.port}/plant`; }
	get socket() { return path.join(this.dir, 's.sock'); }
	get data() { return path.join(this.dir, 'data'); }

	async make() {
		fs.mkdirSync(this.data);
		if (root)
			await run('chown', ['-R', 'mysql:mysql', this.dir]);
		const user = root ? ['--user=mysql'] : [];
		// --force: it does not look this machine's name up.
		await run('mariadb-install-db', ['--no-defaults', `--datadir=${this.data}`, '--auth-root-authentication-method=normal', '--skip-test-db', '--force', ...user], { cwd: this.dir, env: { ...process.env, TMPDIR: this.dir } });
	}

	get client() { return ['--no-defaults', '-uroot', `-S${this.socket}`, '-N', '-B']; }
	session(t) { return new Session(t, 'mariadb', [...this.client, '-n', 'plant'], process.env); }
	// Rows as lines, columns with | between them.
	async sql(text, db = 'plant') {
		const { stdout } = await run('mariadb', [...this.client, ...db ? [db] : [], '-e', text], { maxBuffer: 1 << 26 });
		return stdout.split('\n').filter((l) => l !== '').map((l) => l.split('\t').join('|'));
	}
}

async function mysql(t, more = []) {
	const server = pki.server();
	const s = new Mysql(t, {
		command: 'mariadbd',
		args: (self) => ['--no-defaults', ...root ? ['--user=mysql'] : [], `--datadir=${self.data}`, `--port=${self.port}`, '--bind-address=127.0.0.1', `--socket=${self.socket}`,
			`--pid-file=${self.dir}/pid`, '--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M', '--skip-name-resolve', `--ssl-cert=${self.dir}/crt`, `--ssl-key=${self.dir}/key`,
			`--ssl-ca=${self.dir}/ca`, ...more],
		ready: (self) => self.sql('SELECT 1', '').then(() => true, () => false),
	});
	s.port = await freePort();
	for (const [name, from] of [['crt', server.crt], ['key', server.key], ['ca', pki.authority().crt]])
		fs.copyFileSync(from, path.join(s.dir, name));
	await s.make();
	await s.start();
	await s.sql("CREATE DATABASE plant CHARACTER SET utf8mb4; CREATE USER skeeter@'%' IDENTIFIED BY 'secret'; GRANT ALL ON plant.* TO skeeter@'%'", '');
	return s;
}

module.exports = { mysql };
