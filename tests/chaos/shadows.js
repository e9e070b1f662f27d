// shadows.js -- devices that update their shadows without a pause, and what they have been told.
//
// Each update carries a number that only grows. So whatever is stored later must be what was accepted last, or something sent after it: never an older
// version, never a number that was not sent, never one that was rejected.
'use strict';
const assert = require('node:assert/strict');
const { sleep, until } = require('../harness/test');

const UNDER_WAY = 4;

class Writer {
	constructor(stage, thing, name) {
		this.stage = stage;
		this.prefix = `$aws/things/${thing}/shadow${name ? `/name/${name}` : ''}`;
		Object.assign(this, { sent: 0, done: 0, accepted: 0, refused: 0, known: { version: 0, n: 0 }, rejected: new Set(), wrong: null,
			heardOf: 0, base: { version: 0, heardOf: 0 } }); /* all that were ever accepted */
	}

	async listen(device) {
		this.device = device;
		await device.subscribe(['update/accepted', 'update/rejected'].map((a) => `${this.prefix}/${a}`));
	}

	// Called for every message of the device.
	heard(topic, payload) {
		const [kind] = topic.startsWith(`${this.prefix}/update/`) ? topic.slice(this.prefix.length + 8).split('/') : [];
		if (kind === 'accepted')
			this.hearAccepted(JSON.parse(payload));
		else if (kind === 'rejected')
			this.hearRejected(JSON.parse(payload));
	}

	hearAccepted({ version, state }) {
		const { n } = state.reported;
		if (!(version > this.known.version && n > this.known.n && n <= this.sent && !this.rejected.has(n)))
			this.wrong = this.wrong || `${this.prefix}: version ${version} with ${n} was accepted after version ${this.known.version} with ${this.known.n}`;
		this.known = { version, n };
		this.done = n;
		this.accepted++;
		this.heardOf++;
	}

	hearRejected({ code, message, clientToken }) {
		const n = Number(clientToken);
		if (code !== 503 || !this.stage.mayRefuse)
			this.wrong = this.wrong || `${this.prefix}: update ${n} was rejected: ${code} ${message}`;
		this.rejected.add(n);
		this.done = Math.max(this.done, n);
		this.refused++;
	}

	async pour() {
		while (this.stage.loading && this.device.open) {
			while (this.sent - this.done < (this.stage.large ? 4 : 1) * UNDER_WAY) {
				const n = ++this.sent;
				this.device.publish(`${this.prefix}/update`, { state: { reported: { n, pad: 'x'.repeat(n % (this.stage.large ? 7000 : 200)) } }, clientToken: String(n) }).catch(() => {});
			}
			await sleep(3);
		}
		const settled = () => !this.device.open || this.done === this.sent;
		await until(() => `${this.prefix}: an answer to update ${this.done + 1} of ${this.sent}`, settled);
	}

	async check(operator) {
		const r = await operator.respond('GetThingShadow', { thingName: this.thing, shadowName: this.name });
		assert.ok(r.error === undefined, `${this.prefix}: ${r.code} ${r.error}; version ${this.known.version} was accepted`);
		const { version, state } = r.data.payload, { n } = state.reported, k = this.known;
		const said = `${this.prefix} holds version ${version} with ${n}; accepted was version ${k.version} with ${k.n}, sent ${this.sent}`;
		assert.equal(this.wrong, null);
		assert.ok(version >= k.version && n <= this.sent && (!this.rejected.has(n) || this.stage.unsure), said);
		this.stage.unheard += version - this.base.version - (this.heardOf - this.base.heardOf);
		this.base = { version, heardOf: this.heardOf };
		assert.ok(version === k.version ? n === k.n : n > k.n && version - k.version <= n - k.n, said);
		this.known = { version, n };
		this.done = this.sent; // what had no answer gets none any more
		this.rejected.clear();
	}
}

function writer(stage, thing, name) {
	return Object.assign(new Writer(stage, thing, name), { thing, name });
}

module.exports = { writer, UNDER_WAY };
