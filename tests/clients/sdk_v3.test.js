// Every operation through the AWS SDK for JavaScript v3, which is newer than Debian's clients: the rows of cases/*.json, all of them.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../harness/test');
const { prepared, cases } = require('./account');

const SDKS = {
	iot: { ...require('@aws-sdk/client-iot'), make: (sdk, how) => new sdk.IoTClient(how) },
	'iot-data': { ...require('@aws-sdk/client-iot-data-plane'), make: (sdk, how) => new sdk.IoTDataPlaneClient(how) },
};

// The value with every <name> replaced, and bytes for {base64}.
function filled(value, values) {
	if (typeof value === 'string') {
		const whole = /^<([a-z0-9-]+)>$/.exec(value);
		return whole ? decoded(values[whole[1]]) : value.replace(/<([a-z0-9-]+)>/g, (_, name) => values[name]);
	}
	if (Array.isArray(value))
		return value.map((v) => filled(v, values));
	return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, values)])) : value;
}
const decoded = (value) => value && value.base64 !== undefined ? Buffer.from(value.base64, 'base64') : value;

// Is all that is expected in the answer? A list has as many elements as are expected.
function holds(answer, expected) {
	if (Array.isArray(expected))
		return Array.isArray(answer) && answer.length === expected.length && expected.every((e, i) => holds(answer[i], e));
	if (expected && typeof expected === 'object')
		return Boolean(answer) && Object.entries(expected).every(([k, v]) => k in answer && holds(answer[k], v));
	return answer === expected;
}

// An answer, or the error's name; an error that the SDK knows must be of its class.
async function ask(sdk, client, operation, inputs) {
	try {
		return await client.send(new sdk[`${operation}Command`](inputs));
	} catch (e) {
		assert.ok(e.$metadata && e.$metadata.httpStatusCode, `${operation}: ${e.stack}`);
		assert.ok(!sdk[e.name] || e instanceof sdk[e.name], `${operation}: ${e.name} is not of its class`);
		return e.name;
	}
}

function check(row, result, values) {
	const [operation, inputs, expected = {}] = row;
	const what = `${operation} ${JSON.stringify(inputs)}: ${JSON.stringify(result)}`.slice(0, 1000);
	if (typeof expected === 'string' || typeof result === 'string')
		return assert.equal(result, expected, what);
	assert.equal(result.$metadata.httpStatusCode, 200, what);
	assert.ok(holds(result, filled(expected.answer || {}, values)), `${what} does not hold ${JSON.stringify(expected.answer)}`);
	if (expected.payload)
		assert.ok(holds(JSON.parse(Buffer.from(result.payload).toString()), expected.payload), what);
	for (const [name, member] of Object.entries(expected.keep || {}))
		values[name] = member.split('.').reduce((at, part) => at[part], result);
}

async function run(sdk, client, rows, values) {
	const done = new Set();
	for (const row of rows) {
		const { times = 1, from = 0 } = row[2] || {};
		for (let i = from; i < from + times; i++) {
			const result = await ask(sdk, client, row[0], filled(row[1], { ...values, i }));
			check(row, result, values);
			if (typeof result !== 'string')
				done.add(row[0]);
		}
	}
	return done;
}

test('the SDK for JavaScript does each operation, and throws each error as its own class', async (t) => {
	const a = await prepared(t);
	for (const [service, sdk] of Object.entries(SDKS)) {
		const client = sdk.make(sdk, { endpoint: a.h.url, region: 'us-east-1', maxAttempts: 1,
			credentials: { accessKeyId: a.key.accessKeyId, secretAccessKey: a.key.secretAccessKey } });
		t.after(() => client.destroy());
		const done = await run(sdk, client, cases(service).cases, { ...a.values });
		assert.deepEqual(a.names[service].filter((name) => !done.has(name)), [], 'never answered with success');
	}
}, { seconds: 400 });
