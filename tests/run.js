// run.js -- run test files, two at a time, each in a process of its own, and count their tests.
//
//   node tests/run.js NAME [--smoke] FOLDER... [WORD...] [-WORD...]
//
// Every *.test.js below the folders (of tests/) whose path holds one of the words (all, if there are none) and none of
// the words after a minus. A file that ends
// without its count, that exceeds FILE_SECONDS, or that has left something behind which holds its output, is one failure. --smoke runs only what is marked with test.smoke.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const SLOW = Number(process.env.SKEETER_SLOW || (process.env.SKEETER_PRELOAD ? 4 : 1));
const FILE_SECONDS = 900 * SLOW;

function find(place) {
	if (fs.statSync(place).isFile())
		return [place];
	return fs.readdirSync(place).sort().map((name) => path.join(place, name)).flatMap((p) =>
		fs.statSync(p).isDirectory() ? find(p) : p.endsWith('.test.js') ? [p] : []);
}

function runFile(file, env) {
	return new Promise((done) => {
		const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
		let out = '';
		child.stdout.on('data', (d) => { out += d; });
		child.stderr.on('data', (d) => { out += d; });
		const timer = setTimeout(() => { out += `\nstopped after ${FILE_SECONDS} s\n`; child.kill('SIGTERM'); }, FILE_SECONDS * 1000);
		const last = setTimeout(() => child.kill('SIGKILL'), (FILE_SECONDS + 15) * 1000);
		let left = false, held = null;
		child.on('exit', () => {
			held = setTimeout(() => {
				left = true;
				out += '\nwhat it has started holds its output\n';
				[child.stdout, child.stderr].forEach((stream) => stream.destroy());
			}, 30000);
		});
		child.on('close', (code) => {
			[timer, last, held].forEach(clearTimeout);
			done({ file, code: left ? `${code}, but did not end,` : code, out });
		});
	});
}

function report(name, result, total) {
	const count = /^count: (\d+) passed, (\d+) failed$/m.exec(result.out);
	let [passed, failed] = count ? [Number(count[1]), Number(count[2])] : [0, 0];
	if ((result.code !== 0 && failed === 0) || !count) {
		failed++;
		result.out += `  FAILED ${result.file} ended with code ${result.code}${count ? '' : ' before it counted its tests'}\n`;
	}
	total.passed += passed;
	total.failed += failed;
	process.stdout.write(result.out.replace(/^count: .*\n/m, ''));
}

async function main([name, ...args]) {
	const smoke = args.includes('--smoke');
	const places = args.filter((a) => path.resolve(a).startsWith(__dirname + path.sep) && fs.existsSync(a)); // `shadow/` is a word
	const words = args.filter((a) => !a.startsWith('-') && !places.includes(a));
	const without = args.filter((a) => /^-[^-]/.test(a)).map((a) => a.slice(1));
	const found = places.flatMap(find).filter((f) => words.length === 0 || words.some((w) => f.includes(w)));
	const files = found.filter((f) => !without.some((w) => f.includes(w)));
	found.filter((f) => !files.includes(f)).forEach((f) => console.log(`  left out ${f}`));
	const env = { ...process.env, SKEETER_SMOKE: smoke ? '1' : '', SKEETER_SLOW: String(SLOW) };
	const total = { passed: 0, failed: 0 };
	const times = [];
	const runLane = async (file, lane) => {
		const start = performance.now();
		report(name, await runFile(file, { ...env, SKEETER_LANE: String(lane) }), total);
		times.push({ file: path.relative(__dirname, file), seconds: Math.round((performance.now() - start) / 1000) });
	};
	const lanes = Math.min(4, Number(process.env.SKEETER_LANES) || Math.min(2, os.cpus().length), files.length);
	await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
		for (let file = files.shift(); file; file = files.shift())
			await runLane(file, lane);
	}));
	console.log(`  longest: ${times.sort((a, b) => b.seconds - a.seconds).slice(0, 8).map((f) => `${f.file} ${f.seconds} s`).join(', ')}`);
	console.log(`${name}: ${total.passed} passed, ${total.failed} failed`);
	process.exitCode = total.failed || !total.passed ? 1 : 0;
}

main(process.argv.slice(2));
