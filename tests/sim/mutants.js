// mutants.js -- the simulation simulated: bugs are planted in the runtime one at a time, each must be caught within SEEDS seeds.
//
// A row is a file, what is then broken, and the text that is replaced. The text must stand in the file exactly once: a row that no longer
// fits is a failure, not a bug less. Only that file is compiled anew; its object stands before the library's of the same name.
'use strict';
const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const rows = [
	// [file, what breaks, from, to]
	['core/commit.c', 'a publish leaves before its commit', 'if (note_watches(run) || pack_all(run)) {',
		'bool no = note_watches(run) || pack_all(run);\n\tif (!no)\n\t\tsk_out_list_move(&run->worker->out, &run->slot[0]->leaving);\n\tif (no) {'],
	['core/commit.c', 'a commit that collided counts as done', '\t\treturn conflict(run);', '\t\treturn false;'],
	['core/commit.c', 'a commit that failed counts as done', '\tdefault:\n\t\tfailed(run);', '\tdefault:'],
	['core/commit.c', 'what was read is not expected to stand', 'if (r->home && r->state == SK_READ_HAVE)', 'if (!r->key)'],
	['core/commit.c', 'the cache keeps what was there before', '\t\tupdate_cache(run);\n', ''],
	['core/commit.c', 'watches hear nothing', '\t\tsk_out_list_move(&w->out, &run->watched);', '\t\t;'],
	['core/commit.c', 'the write before the last one of a key wins', '\tfor (size_t k = i + 1; k < run->writes; k++)\n', '\tfor (size_t k = 0; k < i; k++)\n'],
	['core/run.c', 'a failed call stores what it wrote', '\tdrop_durable(s, sk_error_passes_by(s->result) ? s->overlay_mark : s->timer_mark);\n', ''],
	['core/run.c', 'a failed call sends what it meant to', '\tif (!s->request->topic)\n\t\ts->effects = NULL;\n', ''],
	['core/run.c', 'calls that are given back change their order', 'for (int i = run->slots; i-- > from;) {', 'for (int i = from; i < run->slots; i++) {'],
	['core/run.c', 'a timer is not consumed', '\tsk_remove(c, "%s/~timer/%s", c->home, r->timer);\n', ''],
	['core/run.c', 'a void run stores what it wrote', '\t\tstruct sk_slot *s = run->slot[run->decided];\n\t\tsk_run_cut_writes(run, s->overlay_mark);',
		'\t\tstruct sk_slot *s = run->slot[run->decided];'],
	['core/call_effects.c', 'slow work answers another question', 'r->ask == want.ask && r->size == want.size && !memcmp(r->in, want.in, want.size)', 'r->ask == want.ask'],
	['core/slow.c', 'who waits for slow work is not woken', '\tsk_worker_post_woken(j->worker, &j->note);', '\tfree(j);'],
	['core/worker.c', 'a worker is not woken for a commit', '\tw->inbox.committed_tail = &run->next;\n\tpthread_mutex_unlock(&w->inbox.lock);\n\tif (atomic_load(&w->inbox.asleep))',
		'\tw->inbox.committed_tail = &run->next;\n\tpthread_mutex_unlock(&w->inbox.lock);\n\tif (!w->rt)'],
	['core/worker.c', 'room in the inbox is not given back', '\tatomic_fetch_sub(&w->inbox.bytes[r->lane], r->bytes);\n', ''],
	['core/worker.c', 'without memory a place in flight is lost', '\tr->next = w->untold;\n\tw->untold = r;', '\tsk_request_free(r);'],
	['core/worker.c', 'a request that has been told of is not freed', '\titem->drop = free_request;\n', ''],
	['core/outbox.c', 'what has come back is not freed', '\twhile (item) {\n\t\tstruct sk_outgoing *next = item->next;\n\t\tsk_outgoing_free(item);', '\twhile (item) {\n\t\tstruct sk_outgoing *next = item->next;'],
	['core/effects.c', 'durable effects are not replayed', 'return rt->store->ops->scan(rt->store, &(struct sk_store_scan){ .space = SK_EFFECT, .prefix = "", .fn = replay_one, .ctx = rt });',
		'return rt->store && replay_one ? 0 : -1;'],
	['core/effects.c', 'an effect that met an error of the moment is not tried again', '\tif (sk_error_passes_by(result))\n\t\ttry_again(w->rt, r);', '\tif (!w)\n\t\ttry_again(w->rt, r);'],
	['core/effects.c', 'the first of two handlers ends an effect', 'bool last = atomic_fetch_sub(&e->left, 1) == 1;', 'bool last = atomic_exchange(&e->left, 0) > 0;'],
	['core/timers.c', 'a hint that met no memory is forgotten', '\t\thint_free(&h);\n\t\tk->rescan = true;\n\t\treturn;', '\t\thint_free(&h);\n\t\treturn;'],
	['core/outbox.c', 'the broker is not woken a second time', '\tatomic_store(&o->awake, false);\n', ''],
	['core/request.c', 'an inbox has no bound', 'return bytes > rt->inbox_limit;', 'return bytes > rt->inbox_limit * 4;'],
	['core/control.c', 'what the end meets half-way is not freed', '\titem->drop = job_free;\n', ''],
	['core/store_fold.c', 'a fold that is not committed leaves the map', '\t\trc = commit_fold(s);', '\t\trc = commit_fold && s->fd < 0;'],
	['core/store_open.c', 'the newest log row is not replayed', 'while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {\n\t\tconst char *data = sqlite3_column_blob(stmt, 1);',
		'while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) % 32) {\n\t\tconst char *data = sqlite3_column_blob(stmt, 1);'],
	['core/store_commit.c', 'a commit is answered before its row is written', '\tif (rc == SQLITE_OK && s->version != before)\n\t\trc = append_row(s, before + 1);\n', ''],
	['core/store_read.c', 'a scan does not see what waits to be folded', '\trc = pin_map(scan);', '\trc = 0;'],
	['core/broker_admission.c', 'tokens are not taken', '\tc->tokens--;\n', ''],
	['core/broker_admission.c', 'one call more may be in flight', 'c->in_flight >= sk_broker.options->device_in_flight', 'c->in_flight > sk_broker.options->device_in_flight'],
];

const { B, CC, CFLAGS, CPPFLAGS, LDFLAGS, LIBS, OBJECTS, SEEDS } = process.env;
const words = (text) => (text || '').split(' ').filter(Boolean);
const folder = path.join(B, 'sim', 'mutants');

function plant([file, , from, to]) {
	const source = fs.readFileSync(file, 'utf8'), parts = source.split(from);
	if (parts.length !== 2)
		throw new Error(`the row no longer fits: its text stands ${parts.length - 1} times in ${file}`);
	const planted = path.join(folder, path.basename(file));
	fs.writeFileSync(planted, parts.join(to));
	return planted;
}

function build(row) {
	const source = plant(row), object = source.replace(/c$/, 'o'), program = path.join(folder, 'seeds');
	execFileSync(CC, [...words(CPPFLAGS), ...words(CFLAGS), '-w', '-c', source, '-o', object], { stdio: 'pipe' });
	execFileSync('objcopy', ['--redefine-syms=tests/sim/memory.syms', object]);
	const others = words(OBJECTS).filter((o) => path.basename(o) !== path.basename(object));
	execFileSync(CC, [...words(LDFLAGS), ...others, object, path.join(B, 'sim', 'libpure.a'), ...words(LIBS), '-o', program], { stdio: 'pipe' });
	return program;
}

// The line that says how it was caught, or nothing.
function caught(row) {
	const run = spawnSync(build(row), { env: { ...process.env, SEED: '', FIRST: '' }, encoding: 'utf8', timeout: 600000 });
	const seeds = /^sim: (\d+) passed, (\d+) failed$/m.exec(run.stdout), why = /^seed \d+: (.*)$/m.exec(run.stderr);
	return seeds && why && seeds[2] !== '0' ? `after ${Number(seeds[1]) + 1} seeds: ${why[1]}` : '';
}

function main() {
	let passed = 0, failed = 0;
	fs.mkdirSync(folder, { recursive: true });
	for (const row of rows.filter((r) => !process.argv[2] || `${r[0]} ${r[1]}`.includes(process.argv[2]))) {
		let how;
		try {
			how = caught(row);
		} catch (e) {
			how = `\n           ${e.stderr || e.message}`;
			row.broken = true;
		}
		const ok = how && !row.broken;
		console.log(`  ${ok ? 'caught' : 'FAILED'} ${row[0]}: ${row[1]} ${how || `was not caught within ${SEEDS} seeds`}`);
		ok ? passed++ : failed++;
	}
	console.log(`sim-mutants: ${passed} passed, ${failed} failed`);
	process.exitCode = failed || !passed ? 1 : 0;
}

main();
