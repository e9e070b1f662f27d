/* rules_replay.c -- `skeeter rules replay`: what the flight recorder has kept, through a changed set of rules, and nothing is done.
 *
 * Reading changes nothing, so the broker may record on meanwhile. With --state the place and the sums are kept in a file, written whole or not at
 * all: the same command goes on there. Exit code 0: nothing differs (or no --diff), 1: something does. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/flags.h"
#include "cli/replay.h"
#include "cli/rules.h"
#include "cli/value.h"
#include "cli/when.h"
#include "core/segments.h"
#include "core/topic.h"

enum { DIFFERS = 1, ROOM = 256 << 10, ARENA_MOST = 64 << 20, SHOWN = 2000, LOOK_MS = 200, SAVE_MS = 5000 };

enum sum { MESSAGES, ACTING, ACTIONS, DIFFERING, LESS, MORE, FAILING, UNKNOWN, UNREADABLE, DAMAGED, SUMS };
static const char *const sum_names[SUMS] = { "messages", "acting", "actions", "differing", "less", "more", "failing", "unknown", "unreadable", "damaged" };

struct replay {
	struct cli *cli;
	const char *from, *to, *with, *base, *recorder, *topic, *limit, *state;
	bool diff, strict;
	int64_t from_ms, to_ms, most; /* most: messages that are printed */
	struct sk_segments *records;
	struct sk_place place;
	struct replay_set next, before;
	struct replay_run run;
	struct sk_arena arena;     /* of one message */
	struct replay_actions does, did;
	int64_t sum[SUMS], printed;
	int64_t damaged_before;    /* in the runs that this one goes on from */
	uint64_t total, done;      /* bytes, for people */
	int64_t looked_ms, saved_ms;
	bool watched;              /* somebody looks at stderr */
};

/* -- lines -- */

/* What a device has sent does nothing to a terminal, and is cut. */
static void put_text(const char *text)
{
	size_t n = strlen(text), most = n > SHOWN ? SHOWN : n;
	for (size_t i = 0; i < most; i++) {
		unsigned char c = (unsigned char)text[i];
		bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) || (c >= 0x80 && c < 0xa0 && i && (unsigned char)text[i - 1] == 0xc2);
		if (control)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	if (n > most)
		printf("... (%zu bytes)", n);
}

static void put_action(const char *sign, const struct replay_action *a)
{
	printf("  %s%s: ", sign, a->rule);
	put_text(a->text);
	putchar('\n');
}

static bool begin_message(struct replay *r, const struct rules_recorded *m)
{
	if (r->printed >= r->most)
		return false;
	r->printed++;
	printf("%s ", when_printed(&r->arena, m->time_ms));
	put_text(m->topic);
	putchar('\n');
	return true;
}

/* -- what a message comes to -- */

static bool same(const struct replay_action *a, const struct replay_action *b)
{
	return a->kind == b->kind && !strcmp(a->text, b->text);
}

/* Takes out of both what both have, each once: a rule's name may differ. What is left keeps its order. */
static void take_out_same(struct replay_actions *a, struct replay_actions *b)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->n; i++) {
		size_t k = 0;
		while (k < b->n && !same(&a->action[i], &b->action[k]))
			k++;
		if (k == b->n) {
			a->action[kept++] = a->action[i];
			continue;
		}
		memmove(b->action + k, b->action + k + 1, (b->n - k - 1) * sizeof(*b->action));
		b->n--;
	}
	a->n = kept;
}

static void count(struct replay *r, const struct replay_actions *all)
{
	bool unknown = false, failing = false;
	for (size_t i = 0; i < all->n; i++) {
		r->sum[ACTIONS] += all->action[i].kind == REPLAY_DOES;
		unknown = unknown || all->action[i].kind == REPLAY_UNKNOWN;
		failing = failing || all->action[i].kind == REPLAY_FAILS;
	}
	r->sum[ACTING] += all->n > 0;
	r->sum[UNKNOWN] += unknown;
	r->sum[FAILING] += failing;
}

static void show_difference(struct replay *r, const struct rules_recorded *m)
{
	take_out_same(&r->did, &r->does);
	if (!r->did.n && !r->does.n)
		return;
	r->sum[DIFFERING]++;
	r->sum[LESS] += (int64_t)r->did.n;
	r->sum[MORE] += (int64_t)r->does.n;
	if (!begin_message(r, m))
		return;
	for (size_t i = 0; i < r->did.n; i++)
		put_action("- ", &r->did.action[i]);
	for (size_t i = 0; i < r->does.n; i++)
		put_action("+ ", &r->does.action[i]);
}

static void show_actions(struct replay *r, const struct rules_recorded *m)
{
	if (!r->does.n || !begin_message(r, m))
		return;
	for (size_t i = 0; i < r->does.n; i++)
		put_action("", &r->does.action[i]);
}

static void take(struct replay *r, const void *record, size_t size)
{
	struct rules_recorded m;
	if (rules_recorded_read(record, size, &m)) {
		r->sum[UNREADABLE]++;
		return;
	}
	if (m.time_ms < r->from_ms || m.time_ms >= r->to_ms || (r->topic && !sk_topic_filter_matches(r->topic, m.topic)))
		return;
	r->sum[MESSAGES]++;
	replay_message(&r->run, &r->next, &m, &r->does);
	count(r, &r->does);
	if (r->diff) {
		replay_message(&r->run, &r->before, &m, &r->did);
		show_difference(r, &m);
	} else
		show_actions(r, &m);
	sk_arena_reset(&r->arena, 1 << 20);
}

/* -- the place, from run to run -- */

/* What must be the same for going on. */
static const char *arguments(const struct replay *r)
{
	return sk_printf(&r->cli->arena, "--from %s --to %s --with %s %08x --base %s %08x --recorder %s --topic %s%s%s", r->from ? r->from : "", r->to ? r->to : "", r->with,
	                 r->next.print, r->base ? r->base : "", r->before.print, r->recorder, r->topic ? r->topic : "", r->diff ? " --diff" : "",
	                 r->strict ? " --strict-aws" : "");
}

static cJSON *state_document(const struct replay *r, struct sk_arena *a)
{
	cJSON *o = sk_json_object(a), *sums = sk_json_set_object(a, o, "sums");
	sk_json_set_string(a, o, "arguments", arguments(r));
	sk_json_set_int(a, o, "from", r->from_ms);
	sk_json_set_int(a, o, "to", r->to_ms);
	sk_json_set_int(a, o, "segment", (int64_t)r->place.segment);
	sk_json_set_int(a, o, "offset", (int64_t)r->place.offset);
	sk_json_set_int(a, o, "read", (int64_t)r->done);
	for (int i = 0; i < SUMS; i++)
		sk_json_set_int(a, sums, sum_names[i], r->sum[i]);
	sk_json_set(a, o, "with", replay_kept_write(r->next.kept, a));
	if (r->diff)
		sk_json_set(a, o, "base", replay_kept_write(r->before.kept, a));
	return o;
}

static int save(struct replay *r)
{
	struct sk_arena a = { 0 };
	size_t n = 0;
	const char *text = sk_json_print(&a, state_document(r, &a), &n), *fresh = sk_printf(&a, "%s.new", r->state);
	FILE *f = text && !a.failed ? fopen(fresh, "we") : NULL;
	bool written = f && fwrite(text, 1, n, f) == n;
	written = f && !fclose(f) && written;
	int rc = written && !rename(fresh, r->state) ? CLI_OK : cli_fail(CLI_FAILED, "%s: %s", r->state, text ? strerror(errno) : "memory is out");
	sk_arena_free(&a);
	return rc;
}

static int go_on(struct replay *r, const cJSON *o)
{
	const char *said = sk_json_text(o, "arguments");
	if (!said || !sk_json_get(o, "segment"))
		return cli_fail(CLI_USAGE, "%s is not the state of a replay", r->state);
	if (strcmp(said, arguments(r)))
		return cli_fail(CLI_USAGE, "%s is of another replay, or rules have changed since: delete it to begin anew (it was of %s)", r->state, said);
	r->from_ms = sk_json_int_of(o, "from", 0);
	r->to_ms = sk_json_int_of(o, "to", 0);
	r->place = (struct sk_place){ (uint64_t)sk_json_int_of(o, "segment", 0), (uint64_t)sk_json_int_of(o, "offset", 0) };
	for (int i = 0; i < SUMS; i++)
		r->sum[i] = sk_json_int_of(sk_json_get(o, "sums"), sum_names[i], 0);
	r->damaged_before = r->sum[DAMAGED];
	r->done = (uint64_t)sk_json_int_of(o, "read", 0);
	bool kept = !replay_kept_read(r->next.kept, sk_json_get(o, "with"), &r->arena) &&
	            (!r->diff || !replay_kept_read(r->before.kept, sk_json_get(o, "base"), &r->arena));
	return kept ? CLI_OK : cli_fail(CLI_FAILED, "memory is out");
}

static int read_state(struct replay *r)
{
	struct value_error e;
	size_t n = 0;
	if (!r->state || access(r->state, F_OK))
		return CLI_OK;
	const char *text = value_file(&r->cli->arena, r->state, &n, &e);
	if (!text)
		return cli_fail(CLI_USAGE, "%s", e.text);
	return go_on(r, sk_json_parse(&r->cli->arena, text, n, NULL, NULL));
}

/* -- reading -- */

static void show_progress(struct replay *r, bool last)
{
	int64_t now = control_clock_ms();
	if (!r->watched || (!last && now - r->looked_ms < LOOK_MS))
		return;
	r->looked_ms = now;
	uint64_t part = r->total ? r->done * 100 / r->total : 100;
	fprintf(stderr, "\r\033[K%llu%%  %lld messages", (unsigned long long)(part > 100 ? 100 : part), (long long)r->sum[MESSAGES]);
	if (r->diff)
		fprintf(stderr, ", %lld differ", (long long)r->sum[DIFFERING]);
	if (last)
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

/* The records of one piece; the place is behind the last of them that was taken. */
static int take_piece(struct replay *r, const char *piece, size_t n)
{
	struct sk_place from = r->place;
	const void *record;
	size_t at = 0, size, before = 0;
	while (!rule_stopped() && (record = sk_segments_next(piece, n, &at, &size))) {
		take(r, record, size);
		r->done += at - before;
		before = at;
		show_progress(r, false);
	}
	r->place = sk_segments_after(r->records, from, at);
	r->sum[DAMAGED] = r->damaged_before + (int64_t)sk_segments_damaged(r->records);
	if (!r->state || control_clock_ms() - r->saved_ms < SAVE_MS)
		return CLI_OK;
	r->saved_ms = control_clock_ms();
	fflush(stdout); /* what the sums count has been printed */
	return save(r);
}

static int read_all(struct replay *r)
{
	size_t room = ROOM, need = 0;
	char *piece = malloc(room), *larger;
	int rc = piece ? CLI_OK : cli_fail(CLI_FAILED, "memory is out");
	while (rc == CLI_OK && !rule_stopped()) {
		struct sk_place at = r->place;
		long n = sk_segments_read(r->records, &at, piece, room, &need);
		if (n > 0)
			rc = take_piece(r, piece, (size_t)n);
		else if (n < 0)
			rc = cli_fail(CLI_FAILED, "%s: %s", r->recorder, strerror(errno));
		else if (!need)
			break;
		else if (!(larger = realloc(piece, need)))
			rc = cli_fail(CLI_FAILED, "memory is out");
		else {
			piece = larger;
			room = need;
		}
	}
	free(piece);
	show_progress(r, true);
	return rc;
}

/* -- the end -- */

static void put_sums(const struct replay *r)
{
	const int64_t *n = r->sum;
	if (r->diff)
		printf("%lld messages, %lld differ: %lld actions less, %lld more\n", (long long)n[MESSAGES], (long long)n[DIFFERING], (long long)n[LESS], (long long)n[MORE]);
	else
		printf("%lld messages, %lld with something to do: %lld actions\n", (long long)n[MESSAGES], (long long)n[ACTING], (long long)n[ACTIONS]);
	if (n[FAILING])
		printf("%lld messages let a rule fail\n", (long long)n[FAILING]);
	if (n[UNKNOWN])
		printf("%lld messages let a rule ask for shadows, the registry or functions, which cannot be known here\n", (long long)n[UNKNOWN]);
	if (n[DAMAGED] + n[UNREADABLE])
		printf("%lld records were passed over: damaged, or of another version\n", (long long)(n[DAMAGED] + n[UNREADABLE]));
}

static int finish(struct replay *r, int rc)
{
	if (rc != CLI_OK)
		return rc;
	if (rule_stopped()) {
		rc = r->state ? save(r) : CLI_OK;
		put_sums(r);
		return rc != CLI_OK ? rc : cli_fail(CLI_FAILED, "interrupted: %s", r->state ? "the same command goes on from here" : "with --state FILE it could go on");
	}
	put_sums(r);
	if (r->state)
		unlink(r->state);
	return r->diff && r->sum[DIFFERING] ? DIFFERS : CLI_OK;
}

/* -- the command line -- */

static int read_moment(const char *flag, const char *text, int64_t otherwise, int64_t *ms)
{
	*ms = otherwise;
	if (text && !when_moment(text, cli_wall_ms(), ms))
		return cli_fail(CLI_USAGE, "--%s: expected a time like 15m (ago), 2026-11-23T16:05 or now, got '%s'", flag, text);
	return CLI_OK;
}

static int read_limit(struct replay *r)
{
	char *end = NULL;
	r->most = INT64_MAX;
	if (!r->limit)
		return CLI_OK;
	r->most = strtoll(r->limit, &end, 10);
	if (end == r->limit || *end || r->most < 0)
		return cli_fail(CLI_USAGE, "--limit: expected a number of messages to print, got '%s'", r->limit);
	return CLI_OK;
}

static int read_arguments(struct replay *r)
{
	int rc = read_moment("from", r->from, 0, &r->from_ms);
	rc = rc == CLI_OK ? read_moment("to", r->to, cli_wall_ms() + 1, &r->to_ms) : rc;
	rc = rc == CLI_OK ? read_limit(r) : rc;
	if (rc == CLI_OK && r->to_ms <= r->from_ms)
		rc = cli_fail(CLI_USAGE, "--to %s is not after --from %s", r->to ? r->to : "now", r->from ? r->from : "");
	if (rc == CLI_OK && r->topic && !rules_filter_valid(r->topic))
		rc = cli_fail(CLI_USAGE, "--topic: '%s' is no topic filter", r->topic);
	if (rc == CLI_OK && r->base && !r->diff)
		rc = cli_fail(CLI_USAGE, "--base is what --diff compares with");
	return rc;
}

static int open_records(struct replay *r)
{
	char why[512];
	if (!r->recorder)
		r->recorder = sk_printf(&r->cli->arena, "%s/data/rules/recorder", cli_run_folder(r->cli));
	r->records = sk_segments_open_read(r->recorder, why, sizeof(why));
	if (!r->records)
		return cli_fail(CLI_USAGE, "%s; --recorder FOLDER is rules/recorder below plugin_opt_data, where plugin_opt_recorder keeps messages", why);
	r->total = sk_segments_bytes(r->records);
	r->place = sk_segments_first(r->records);
	return CLI_OK;
}

static int read_rules(struct replay *r)
{
	r->next.settings.strict_aws = r->before.settings.strict_aws = r->strict;
	int rc = replay_read_folder(r->cli, &r->next, r->with);
	if (rc == CLI_OK && r->diff)
		rc = r->base ? replay_read_folder(r->cli, &r->before, r->base) : replay_read_broker(r->cli, &r->before);
	if (rc == CLI_OK && r->before.left_out)
		fprintf(stderr, "%d rules of the broker's files run Lua, which it does not give away: --base FOLDER takes them along\n", r->before.left_out);
	return rc;
}

static int replay(struct replay *r)
{
	int rc = read_arguments(r);
	rc = rc == CLI_OK ? open_records(r) : rc;
	rc = rc == CLI_OK ? read_rules(r) : rc;
	rc = rc == CLI_OK ? read_state(r) : rc;
	if (rc != CLI_OK)
		return rc;
	rule_until_stopped();
	r->watched = isatty(STDERR_FILENO);
	r->saved_ms = control_clock_ms();
	return finish(r, read_all(r));
}

int rule_replay(struct cli *cli, int argc, char **argv)
{
	struct replay r = { .cli = cli };
	const struct flag flags[] = {
		{ "from", &r.from, NULL, false }, { "to", &r.to, NULL, false }, { "with", &r.with, NULL, true }, { "base", &r.base, NULL, false },
		{ "recorder", &r.recorder, NULL, false }, { "topic", &r.topic, NULL, false }, { "limit", &r.limit, NULL, false }, { "state", &r.state, NULL, false },
		{ "diff", NULL, &r.diff, false }, { "strict-aws", NULL, &r.strict, false }, { 0 }
	};
	char why[256];
	int left = 0;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left)
		return cli_fail(CLI_USAGE, "unknown argument %s", argv[0]);
	sk_arena_init(&r.arena, ARENA_MOST);
	r.run.arena = &r.arena;
	int rc = replay(&r);
	sk_segments_close(&r.records);
	replay_set_free(&r.next);
	replay_set_free(&r.before);
	zones_free(&r.run.zones);
	sql_patterns_free(&r.run.patterns);
	sk_arena_free(&r.arena);
	return rc;
}
