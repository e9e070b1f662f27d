// service_kafka.js -- librdkafka's mock cluster as a process (tests/sinks/kafka_mock.c): brokers that speak Kafka over TCP and keep records in memory.
//
//   const k = await kafka(t, 2);      k.servers      await k.ask('down 1'), k.ask('push 0 3 7')      await k.read('topic') records
'use strict';
const { spawn } = require('node:child_process');
const path = require('node:path');
const { still } = require('./service');

const BUILD = process.env.SKEETER_BUILD || path.resolve(__dirname, '../../build');

class Kafka {
	constructor(t, brokers) {
		const child = this.child = spawn(path.join(BUILD, 'tests/kafka_mock'), [String(brokers)], { stdio: ['pipe', 'pipe', 'pipe'] });
		this.log = '';
		this.rest = '';
		this.asked = [];
		this.gone = new Promise((done) => child.on('close', done));
		child.stdin.on('error', () => {});
		child.stderr.on('data', (d) => { this.log += d; });
		child.stdout.setEncoding('utf8').on('data', (d) => {
			const lines = (this.rest + d).split('\n');
			this.rest = lines.pop();
			lines.forEach((l) => this.asked.shift()(JSON.parse(l)));
		});
		t.onFail(() => `kafka_mock:\n${this.log}`);
		t.after(() => this.end());
	}
	answer() {
		const late = this.gone.then(() => { throw new Error(`the mock cluster has ended: ${this.log}`); });
		return Promise.race([new Promise((done) => this.asked.push(done)), late]);
	}
	ask(line) {
		const answer = this.answer();
		this.child.stdin.write(`${line}\n`);
		return answer;
	}
	async read(topic) {
		const records = await this.ask(`read ${topic}`);
		if (!Array.isArray(records))
			throw new Error(`${topic}: ${records}\n${this.log}`);
		return records;
	}
	pause() {
		this.child.kill('SIGSTOP');
		return still((pid) => pid === this.child.pid);
	}
	async end() {
		this.gone.catch(() => {});
		this.child.kill('SIGCONT');
		this.child.stdin.end();
		await this.gone;
	}
}

async function kafka(t, brokers = 1) {
	const k = new Kafka(t, brokers);
	k.servers = (await k.answer()).servers;
	return k;
}

module.exports = { kafka };
