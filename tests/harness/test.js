// test.js -- the smallest test runner that prints what is needed to understand a failure.
//
//   test('a sentence', async (t) => { ... });     test.smoke(...) is run by `make check` too
//
// t.after(fn) runs at the end, last first, whatever happened; t.onFail(fn) returns text to print on a failure. The
// tests of a file run one after the other when the file has been read; it ends with "count: N passed, N failed" (SKEETER_COUNT is another word for it).
'use strict';
const path = require('node:path');

const SLOW = Number(process.env.SKEETER_SLOW || 1);
const SMOKE = process.env.SKEETER_SMOKE === '1';
const file = path.relative(process.cwd(), require.main.filename).replace(/^tests\/|\.test\.js$/g, '');
const tests = [];
const atExit = [];
let current = null;

function test(name, fn, options = {}) {
	tests.push({ name, fn, seconds: options.seconds || 240, smoke: Boolean(options.smoke) });
}
test.smoke = (name, fn, options = {}) => test(name, fn, { ...options, smoke: true });

class Context {
	constructor() {
		this.undo = [];
		this.notes = [];
	}
	after(fn) { this.undo.push(fn); }
	onFail(fn) { this.notes.push(fn); }
	async finish() {
		const errors = [];
		for (const fn of this.undo.reverse()) {
			try {
				await fn();
			} catch (e) {
				errors.push(e);
			}
		}
		return errors;
	}
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Waits until ask() answers something true and returns that; fails with `what` after `ms`. What is waited for comes within milliseconds; a machine
// that is busy with something else may take seconds for it, and a test that passes does not take longer for a patience that it does not need.
// A process that stood still has not waited: one look counts as a second at most, and the clock is one that nobody sets.
async function until(what, ask, ms = 30000) {
	let left = ms * SLOW, at = performance.now();
	for (;;) {
		const answer = await ask();
		if (answer)
			return answer;
		if (left < 0)
			throw new Error(`waited ${ms * SLOW} ms in vain for: ${typeof what === 'function' ? what() : what}`);
		await sleep(10);
		const now = performance.now();
		left -= Math.min(now - at, 1000);
		at = now;
	}
}

async function limited(one, t) {
	let timer;
	const late = new Promise((_, fail) => {
		timer = setTimeout(() => fail(new Error(`took more than ${one.seconds * SLOW} s`)), one.seconds * SLOW * 1000);
	});
	return Promise.race([one.fn(t), late]).finally(() => clearTimeout(timer));
}

// What went wrong and where in the tests; the harness's and the runtime's own frames say nothing new.
function explain(e) {
	const lines = String(e && e.stack || e).split('\n');
	return lines.filter((l) => !/^ {4}at /.test(l) || /\.test\.js:/.test(l)).join('\n');
}

async function runOne(one) {
	const t = current = new Context();
	const errors = [];
	await limited(one, t).catch((e) => errors.push(e));
	errors.push(...await t.finish());
	if (errors.length === 0) {
		console.log(`  ok     ${file}: ${one.name}`);
		return true;
	}
	console.log(`  FAILED ${file}: ${one.name}`);
	for (const e of errors)
		console.log(explain(e).replace(/^/gm, '    '));
	for (const note of t.notes)
		console.log(String(note()).replace(/^/gm, '    | '));
	return false;
}

async function main() {
	const chosen = tests.filter((one) => one.smoke || !SMOKE);
	let passed = 0;
	for (const one of chosen)
		passed += await runOne(one) ? 1 : 0;
	for (const fn of atExit.reverse())
		await fn();
	console.log(`${process.env.SKEETER_COUNT || 'count'}: ${passed} passed, ${chosen.length - passed} failed`);
	process.exit(passed === chosen.length ? 0 : 1);
}

// An error outside of the test's promise (a client's event) belongs to the test that runs.
process.on('unhandledRejection', (e) => current && current.after(() => { throw e; }));
process.on('SIGTERM', async () => {
	if (current)
		await current.finish();
	process.exit(1);
});
setImmediate(main);

module.exports = { test, until, sleep, SLOW, atEnd: (fn) => atExit.push(fn) };
