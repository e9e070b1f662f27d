// tested.js -- which client tests call each operation, as a table: from the rows of tests/clients/cases and the names in tests/clients/*.test.js.
//
//   skeeter list-operations | tested.js
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const clients = path.join(__dirname, '../clients');
const read = (...name) => fs.readFileSync(path.join(clients, ...name), 'utf8');
const tables = fs.readdirSync(path.join(clients, 'cases')).map((name) => JSON.parse(read('cases', name)));
const others = fs.readdirSync(clients).filter((name) => name.endsWith('.test.js')).map((name) => [name, read(name)]);

// A row's errors: what it expects, when that is a name.
function row({ name, service, tier }) {
	const table = tables.find((t) => t.cases.some(([operation]) => operation === name));
	if (!table) {
		const named = others.filter(([, text]) => new RegExp(`\\b${name}\\b`).test(text)).map(([file]) => `tests/clients/${file}`);
		return `| ${name} | ${service} | ${tier} | ${named.join(', ')} | |`;
	}
	const errors = table.cases.filter(([operation, , expected]) => operation === name && typeof expected === 'string').map(([, , expected]) => expected);
	const by = table.newer.includes(name) ? 'SDK v3' : 'boto3, aws, SDK v3';
	return `| ${name} | ${service} | ${tier} | ${by} | ${[...new Set(errors)].map((e) => e.replace(/Exception$/, '')).sort().join(' ')} |`;
}

const { operations } = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(`
## Tested by

Which of AWS's clients call an operation: boto3 and the SDK v3 with success and with the errors named here, aws with success. To these come
ThrottlingException for all, InternalFailureException for what reads and ServiceUnavailableException for what writes; and each constraint that
boto3's model, or where it has none our rows, put on an input is broken once.

| operation | of | tier | tested by | errors |
|---|---|---|---|---|
${operations.map(row).join('\n')}`);
