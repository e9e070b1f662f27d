// tests/sum: what a run of many parts ends with tells what failed and why, however deep the part stood; what passed is kept, not printed.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('../../harness/test');

const SUM = path.resolve(__dirname, '../../sum');

// Parts of a run: the name of each, and the shell's words that stand for it. Answers the lines that sum printed.
async function sum(t, parts, names, env = {}) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-sum-'));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	const make = path.join(dir, 'make');
	const cases = Object.entries(parts).map(([name, words]) => `${name})\n${words}\n;;`).join('\n');
	fs.writeFileSync(make, `#!/bin/sh\nfor part; do :; done\ncase $part in\n${cases}\nesac\n`, { mode: 0o755 });
	const clean = { ...process.env, MAKE: make, LOGS: path.join(dir, 'logs'), SUM_PROGRAM: SUM, V: '', ...env };
	delete clean.SUM;
	return new Promise((done) => execFile(SUM, names, { env: clean }, (error, stdout) => done({
		code: error ? error.code : 0, lines: stdout.trimEnd().split('\n'), log: (part) => fs.readFileSync(path.join(dir, 'logs', part), 'utf8'),
	})));
}

const failing = (n) => `for i in $(seq ${n}); do echo "  FAILED case $i"; for why in first '[  ERROR   ] 3 != 4' third fourth; do echo "    | $why"; done; done
	echo "unit: 5 passed, ${n} failed"; exit 1`;
const PARTS = {
	all: 'exec "$SUM_PROGRAM" lint unit', more: 'exec "$SUM_PROGRAM" odd',
	lint: 'echo "  ok     lines"; echo "  CC   a.o"; echo "lint: 7 passed, 0 failed"', unit: failing(1), many: failing(30),
	odd: 'echo "seed 9: not so"; echo "make: *** [x] Error 1"; exit 2', none: 'true',
};

test('the end names each failure with its part and why, the seconds of each part, and the sum', async (t) => {
	const { code, lines } = await sum(t, PARTS, ['all', 'more']);
	assert.equal(code, 1);
	const end = lines.slice(lines.findIndex((l) => /^== more: /.test(l)) + 1).map((l) => l.replace(/ \d+ s /g, ' N s ').replace(/ +/g, ' '));
	assert.deepEqual(end.map((l) => l.replace(/ in \/.*:$/, ':').replace(/\d+ more \d+$/, 'N more N')), [
		' lint N s 7 passed 0 failed | unit N s 5 passed 1 failed', ' odd N s 0 passed 1 failed', 'failed, all of it:',
		' unit: case 1', ' [ ERROR ] 3 != 4', ' first', ' third', ' odd: ended with code 2', ' seed 9: not so',
		'seconds: all N more N', '12 passed, 2 failed']);
	assert.equal(lines.filter((l) => l === '    | fourth').length, 1, 'a failure is printed whole where it happens');
});

test('what passed is not printed but kept, and printed with V=1', async (t) => {
	const quiet = await sum(t, PARTS, ['lint']);
	assert.equal(quiet.code, 0);
	assert.ok(!quiet.lines.some((l) => /ok|CC/.test(l)), quiet.lines.join('\n'));
	assert.match(quiet.log('lint'), / {2}ok {5}lines\n {2}CC {3}a\.o\nlint: 7 passed, 0 failed\n/);
	const all = await sum(t, PARTS, ['lint'], { V: '1' });
	assert.ok(all.lines.includes('  ok     lines') && all.lines.includes('  CC   a.o'));
});

test('many failures stay within twenty lines; a part that counts nothing is one', async (t) => {
	const { code, lines } = await sum(t, PARTS, ['many', 'none']);
	assert.equal(code, 1);
	const from = lines.findIndex((l) => l.startsWith('failed, all of it'));
	assert.deepEqual(lines.slice(-3)[0].trim(), 'and 12 others');
	assert.equal(lines.length - 3 - from, 20);
	assert.equal(lines.at(-1), '5 passed, 31 failed');
});
