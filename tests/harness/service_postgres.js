// service_postgres.js -- a real PostgreSQL 15 in a folder and on a port of its own: never the machine's.
//
//   const pg = await postgres(t);   pg.url, user skeeter with password `secret`      await pg.sql('SELECT ...') lines      pg.kill(), pg.start()
//   const one = pg.session(t);      await one.sql('BEGIN')
//
// PostgreSQL refuses to run as root: then it runs as the user of its package.
'use strict';
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { freePort } = require('./ports');
const { Service, Session } = require('./service');
const run = promisify(execFile);

const BIN = '/usr/lib/postgresql/15/bin';
const root = process.getuid() === 0;
const as = (user, ...command) => (root ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...command] : command);

class Postgres extends Service {
	get url() { return `postgresql://127.0.0.1:${this.port}/postgres`; }
	get data() { return path.join(this.dir, 'data'); }

	async make() {
		const password = path.join(this.dir, 'password');
		fs.writeFileSync(password, 'secret\n');
		if (root)
			await run('chown', ['-R', 'postgres:postgres', this.dir]);
		const [command, ...args] = as('postgres', `${BIN}/initdb`, '-D', this.data, '-U', 'skeeter', '-A', 'scram-sha-256', `--pwfile=${password}`,
			'-E', 'UTF8', '--locale=C', '--no-instructions');
		await run(command, args, { cwd: this.dir });
	}

	get env() { return { ...process.env, PGPASSWORD: 'secret' }; }
	get client() { return [this.url, '-U', 'skeeter', '-XAtq', '-v', 'ON_ERROR_STOP=1']; }
	session(t) { return new Session(t, `${BIN}/psql`, this.client, this.env); }
	// Rows as lines, columns with | between them.
	async sql(text) {
		const { stdout } = await run(`${BIN}/psql`, [...this.client, '-c', text], { env: this.env, maxBuffer: 1 << 26 });
		return stdout.split('\n').filter((l) => l !== '');
	}
}

async function postgres(t, more = {}) {
	const flags = (self) => ({ listen_addresses: '127.0.0.1', port: self.port, unix_socket_directories: self.dir, max_connections: 20, deadlock_timeout: '100ms',
		dynamic_shared_memory_type: 'mmap', ...more });
	const [command, ...first] = as('postgres', `${BIN}/postgres`);
	const s = new Postgres(t, {
		command,
		args: (self) => [...first, '-D', self.data, ...Object.entries(flags(self)).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
		ready: (self) => self.sql('SELECT 1').then(() => true, () => false),
	});
	s.port = await freePort();
	await s.make();
	return s.start();
}

module.exports = { postgres };
