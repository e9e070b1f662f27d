// watcher.js -- the tool that a broker runs under, if any: a sanitizer's library (SKEETER_PRELOAD) or valgrind (SKEETER_VALGRIND=1).
//
// What a tool has to say stands in the broker's log; report() finds it there and whoever stops a broker fails on it.
'use strict';
const path = require('node:path');

const PRELOAD = process.env.SKEETER_PRELOAD;
const VALGRIND = process.env.SKEETER_VALGRIND === '1';
const REPORT = new RegExp([
	'ERROR: (Address|Leak)Sanitizer', 'WARNING: ThreadSanitizer', 'runtime error:',
	'^==\\d+== +(Invalid |Conditional jump|Use of uninit|Syscall param|Mismatched|Source and dest|Argument |Process terminating|[\\d,]+ .*bytes in .* definitely lost)',
].join('|'), 'm');

// Before the broker's command. Without leaks what is not freed at the end is not looked for.
function around(leaks) {
	if (VALGRIND)
		return ['valgrind', '-q', '--error-exitcode=99', '--num-callers=30', '--fair-sched=try', `--suppressions=${path.join(__dirname, 'valgrind.supp')}`,
			...leaks ? ['--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite'] : ['--leak-check=no']];
	if (PRELOAD)
		return ['env', `LD_PRELOAD=${PRELOAD}`, `ASAN_OPTIONS=detect_leaks=${leaks}:fast_unwind_on_malloc=0`, 'UBSAN_OPTIONS=print_stacktrace=1'];
	return [];
}

// The first report in a log, or undefined.
function report(log) {
	const at = log.search(REPORT);
	return at < 0 ? undefined : log.slice(at).slice(0, 4000);
}

module.exports = { around, report };
