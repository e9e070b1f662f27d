// The sanitizers and valgrind see what they are there for: a broker with a plugin that commits a fault fails its test, for each kind of
// fault that the tool of this run can see. Run by make asan, tsan and valgrind.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('../harness/test');
const { start, BUILD } = require('../harness/broker');

const SEEN = {
	asan: { heap: /heap-buffer-overflow/, leak: /LeakSanitizer.*4321 byte/s, undefined: /runtime error: signed integer overflow/ },
	tsan: { race: /ThreadSanitizer: data race/ },
	valgrind: { heap: /Invalid write/, leak: /4,321 bytes.*definitely lost/, uninitialised: /Conditional jump/ },
};
const faults = SEEN[process.env.SKEETER_TOOL];
const planted = path.join(BUILD, 'planted.so');

test('a broker without a fault passes', async (t) => {
	const b = await start(t, { plugins: ['core', planted] });
	await b.stop();
});

for (const [bug, seen] of Object.entries(faults)) {
	test(`a broker fails its test when a plugin of it has a fault: ${bug}`, async (t) => {
		const b = await start(t, { plugins: ['core', planted], options: { [planted]: { bug } } });
		await assert.rejects(b.stop(), seen);
	});
}
