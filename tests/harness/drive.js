// drive.js -- a sink driven without a broker: the program tests/sinks/drive.c as an object.
//
//   const d = drive(t, 'sink_redis', 'redis', FIELDS, { timeout: '1s' });
//   await d.send({ payload: 'x' }, { fields: { key: 'other' } })   one batch: [{ id, result, why }, ...], in their order
//   await d.repeat(1000, { payload: 'x' })                         { ok, retry, fail, seconds }
//   await d.end()                                                  its code
//
// The options are the plugin's; { secrets: FILE } is what get_secret() reads. Time limits are a minute where a test says nothing of them: what it asks for comes at once,
// and on a busy machine a few seconds later.
'use strict';
const { spawn } = require('node:child_process');
const path = require('node:path');
const watcher = require('./watcher');

const MINUTE = { timeout: '60s' }, LIMITS = { sink_http: { ...MINUTE, connect_timeout: '60s' }, sink_file: {} };
const BUILD = process.env.SKEETER_BUILD || path.resolve(__dirname, '../../build');

class Drive {
	constructor(t, plugin, kind, fields, options = {}) {
		const { secrets, ...rest } = options;
		const command = [...watcher.around(1), path.join(BUILD, 'tests/drive'), path.join(BUILD, `skeeter_${plugin}.so`), kind, JSON.stringify(fields),
			...Object.entries({ ...LIMITS[plugin] || MINUTE, ...rest }).map(([k, v]) => `${k}=${v}`)];
		const env = { ...process.env, ...secrets ? { SECRETS: secrets } : {} };
		this.child = spawn(command[0], command.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe'] });
		this.log = '';
		this.lines = [];
		this.rest = '';
		this.last = Promise.resolve();
		this.child.stdin.on('error', () => {});
		this.child.stderr.on('data', (d) => { this.log += d; });
		this.child.stdout.setEncoding('utf8').on('data', (d) => this.take(d));
		this.exit = new Promise((done) => this.child.on('close', (code, signal) => { this.gone = true; this.wake(); done(signal || code); }));
		t.onFail(() => `drive ${kind}:\n${this.log}`);
		t.after(() => this.end());
	}

	take(text) {
		const lines = (this.rest + text).split('\n');
		this.rest = lines.pop();
		this.lines.push(...lines.map((l) => JSON.parse(l)));
		this.wake();
	}
	wake() { if (this.waiting) this.waiting(); }

	// Who asks first gets the first lines.
	results(n) {
		const mine = this.last.catch(() => {}).then(() => this.next(n));
		this.last = mine;
		return mine;
	}
	async next(n) {
		while (this.lines.length < n && !this.gone)
			await new Promise((done) => { this.waiting = done; });
		if (this.lines.length < n)
			throw new Error(`the driver has ended: ${this.log}`);
		return this.lines.splice(0, n);
	}

	// The empty line behind them delivers what is there.
	send(...items) {
		this.child.stdin.write(items.map((i) => `${JSON.stringify(i)}\n`).join('') + '\n');
		return this.results(items.length);
	}
	async repeat(n, item = {}) {
		this.child.stdin.write(`${JSON.stringify({ repeat: n, ...item })}\n`);
		return (await this.results(1))[0];
	}

	// Once; a sanitizer's report is an error.
	async end() {
		if (this.ended)
			return this.exit;
		this.ended = true;
		this.child.kill('SIGCONT');
		this.child.stdin.end();
		const code = await this.exit, found = watcher.report(this.log);
		if (found)
			throw new Error(`the driver was reported: ${found}`);
		return code;
	}
}

module.exports = { drive: (...args) => new Drive(...args) };
