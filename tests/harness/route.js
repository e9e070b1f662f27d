// route.js -- a route to Redis as an object: the program tests/redis/route.c, which says what its lines are.
//
//   const d = route(t, 'redis://127.0.0.1:6379');      await d.ask([['GET', 'k'], { words: [...], replicas: 1 }], { ms: 500 })
//   await d.one('GET', 'k')                            that reply; throws if there is none
//   d.count({ counters: 2000, deep: 500 }); ...; await d.stopped()          what was counted
'use strict';
const { spawn } = require('node:child_process');
const path = require('node:path');
const watcher = require('./watcher');

const BUILD = process.env.SKEETER_BUILD || path.resolve(__dirname, '../../build');

class Route {
	constructor(t, url) {
		const command = [...watcher.around(1), path.join(BUILD, 'tests/route'), url];
		this.child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
		this.log = this.rest = '';
		this.waiting = [];
		this.child.stdin.on('error', () => {});
		this.child.stderr.on('data', (d) => { this.log += d; });
		this.child.stdout.setEncoding('utf8').on('data', (d) => this.take(d));
		this.exit = new Promise((done) => this.child.on('close', (code, signal) => {
			this.waiting.splice(0).forEach((w) => w.fail(new Error(`route has ended with ${signal || code}: ${this.log}`)));
			done(signal || code);
		}));
		t.onFail(() => `route ${url}:\n${this.log}`);
		t.after(async () => {
			const code = await this.end();
			if (code !== 0)
				throw new Error(`route has ended with ${code}: ${watcher.report(this.log) || this.log}`);
		});
	}
	take(text) {
		const lines = (this.rest + text).split('\n');
		this.rest = lines.pop();
		for (const line of lines)
			this.waiting.shift().done(JSON.parse(line));
	}
	say(what) {
		return new Promise((done, fail) => {
			this.waiting.push({ done, fail });
			this.child.stdin.write(`${JSON.stringify(what)}\n`);
		});
	}
	ask(asks, more = {}) { return this.say({ asks, ms: 10000, ...more }); }
	async one(...words) {
		const { replies: [reply], why } = await this.ask([words]);
		if (reply?.error || reply?.none)
			throw new Error(`${words[0]}: ${reply.error || why}`);
		return reply;
	}
	masters(ms = 10000) { return this.say({ masters: true, ms }); }
	count(spec) { this.counting = this.say(spec); }
	async stopped() {
		const last = this.say({});
		const counted = await this.counting;
		await last;
		return counted;
	}
	async end() {
		this.child.stdin.end();
		const timer = setTimeout(() => this.child.kill('SIGKILL'), 15000);
		const code = await this.exit;
		clearTimeout(timer);
		return code;
	}
}

module.exports = { route: (t, url) => new Route(t, url) };
