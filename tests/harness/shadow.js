// shadow.js -- a device and the answers of one of its shadows.
'use strict';

const ANSWERS = ['get/accepted', 'get/rejected', 'update/accepted', 'update/rejected', 'update/delta', 'update/documents', 'delete/accepted', 'delete/rejected'];

class Shadow {
	constructor(device, thing, name) {
		this.device = device;
		this.prefix = name === undefined ? `$aws/things/${thing}/shadow` : `$aws/things/${thing}/shadow/name/${name}`;
	}
	async listen(answers = ANSWERS) {
		await this.device.subscribe(answers.map((a) => `${this.prefix}/${a}`));
		return this;
	}
	publish(verb, document, options) { return this.device.publish(`${this.prefix}/${verb}`, document, options); }
	next(answer, ms) { return this.device.next(`${this.prefix}/${answer}`, ms); }
	got(answer) { return this.device.got(`${this.prefix}/${answer}`).map((m) => JSON.parse(m.payload)); }

	async accepted(verb, document) {
		const [kind, answer] = await this.device.request(this.prefix, verb, document);
		if (kind !== 'accepted')
			throw new Error(`${verb} was rejected: ${JSON.stringify(answer)}`);
		return answer;
	}
	// The rejection as "code message".
	async rejected(verb, document) {
		const [kind, answer] = await this.device.request(this.prefix, verb, document);
		if (kind !== 'rejected')
			throw new Error(`${verb} was accepted: ${JSON.stringify(answer)}`);
		return `${answer.code} ${answer.message}`;
	}
	update(document) { return this.accepted('update', document); }
	get(document) { return this.accepted('get', document); }
}

// Timestamps differ from run to run: every one that is near `now` becomes 1.
function timeless(value, now = Date.now() / 1000) {
	if (Array.isArray(value))
		return value.map((v) => timeless(v, now));
	if (!value || typeof value !== 'object')
		return value;
	return Object.fromEntries(Object.entries(value).map(([k, v]) =>
		[k, k === 'timestamp' && Number.isInteger(v) && Math.abs(v - now) < 120 ? 1 : timeless(v, now)]));
}

const stamp = { timestamp: 1 };

module.exports = { Shadow, timeless, stamp };
