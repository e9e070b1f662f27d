// control.js -- an operator on $CONTROL/skeeter/v1: Mosquitto's envelope, answered to the requester only.
'use strict';
const { Device } = require('./device');

const TOPIC = '$CONTROL/skeeter/v1';
let serial = 0;

class Operator extends Device {
	static connect(path, options = {}) { return new Operator({ path, ...options }).connect(); }

	// Any payload as it is; answers the whole response document.
	async raw(payload) {
		await this.publish(TOPIC, payload);
		return this.next(`${TOPIC}/response`);
	}

	// The response to one command: {command, correlationData, data} or {..., error, code, status}.
	async respond(command, input = {}) {
		const correlationData = String(++serial);
		const { responses } = await this.raw({ commands: [{ command, correlationData, ...input }] });
		const [response] = responses;
		if (responses.length !== 1 || response.command !== command || response.correlationData !== correlationData)
			throw new Error(`not the response to ${command} ${correlationData}: ${JSON.stringify(responses)}`);
		return response;
	}

	async call(command, input) {
		const response = await this.respond(command, input);
		if (response.error !== undefined)
			throw Object.assign(new Error(`${command} ${JSON.stringify(input)}: ${response.code} ${response.error}`), response);
		return response.data;
	}

	// For an operation that must fail: its "Code status message".
	async refused(command, input) {
		const r = await this.respond(command, input);
		if (r.error === undefined)
			throw new Error(`${command} ${JSON.stringify(input)} was not refused: ${JSON.stringify(r)}`);
		return `${r.code} ${r.status} ${r.error}`;
	}
}

module.exports = { Operator, TOPIC };
