/* http_client.c -- requests over libcurl's multi interface. Glue: see http_client.h.
 *
 * A client has as many handles as it may have requests at once; each is set up once and then takes one request after the other. Connections
 * belong to the multi handle, which keeps them open. What libcurl says of an error is told, but for errors that quote a URL. */
#include "outbound/http_client.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "core/why.h"

enum {
	MOST_ANSWER = 2048,
	MOST_READ = 256 << 10, /* of a body that nobody keeps, before its connection is given up */
	MOST_HEADERS = 64 << 10,
	ANSWER_FIRST = 256,
	WANTED = sizeof ((struct outbound_settings *)0)->want / sizeof (char *),
};

struct slot {
	struct outbound *client;
	CURL *easy;
	struct outbound_request *request; /* NULL: free */
	struct curl_slist *headers;
	struct sk_arena *arena;
	char *answer;
	size_t room, header_bytes, read_bytes;
	bool answered;                    /* the final answer's headers are complete */
	char error[CURL_ERROR_SIZE];
};
struct outbound {
	struct sk_arena arena; /* of all this */
	struct outbound_settings set;
	CURLM *multi;
	int slots;
	struct slot *slot;
	int unanswered;        /* requests that ended without an answer since the last one that had one */
	const char *last;      /* why the last one had none */
};

int outbound_load(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

void outbound_unload(void)
{
	curl_global_cleanup();
}

/* -- what comes back -- */

static bool answer_grow(struct slot *s, size_t need)
{
	size_t room = s->room ? s->room : ANSWER_FIRST;
	char *more;

	while (room < need + 1)
		room *= 2;
	if (room == s->room)
		return true;
	more = sk_alloc_text(s->arena, room);
	if (!more)
		return false;
	if (s->request->answer_size)
		memcpy(more, s->answer, s->request->answer_size);
	s->answer = more;
	s->room = room;
	return true;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *ctx)
{
	struct slot *s = ctx;
	struct outbound_request *r = s->request;
	size_t left = s->client->set.most_answer - r->answer_size, n = size < left ? size : left;

	(void)one;
	if (n && !answer_grow(s, r->answer_size + n))
		return 0;
	if (n)
		memcpy(s->answer + r->answer_size, bytes, n);
	r->answer_size += n;
	r->cut |= n < size;
	s->read_bytes += size;
	return s->read_bytes > s->client->set.most_answer + MOST_READ ? 0 : size;
}

static void header_want(struct slot *s, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);
	size_t name = colon ? (size_t)(colon - line) : 0, from = name + 1;

	for (size_t i = 0; colon && i < WANTED && s->client->set.want[i]; i++) {
		if (strlen(s->client->set.want[i]) != name || strncasecmp(s->client->set.want[i], line, name) != 0)
			continue;
		while (from < size && (line[from] == ' ' || line[from] == '\t'))
			from++;
		while (size > from && strchr(" \t\r\n", line[size - 1]))
			size--;
		s->request->got[i] = sk_strndup(s->arena, line + from, size - from);
	}
}

static size_t on_header(char *line, size_t one, size_t size, void *ctx)
{
	struct slot *s = ctx;

	long status = 0;

	(void)one;
	s->header_bytes += size;
	header_want(s, line, size);
	if (*line == '\r' || *line == '\n')
		s->answered = curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status >= 200;
	return s->header_bytes > MOST_HEADERS ? 0 : size;
}

/* -- what goes out -- */

static const char *url_fault(struct sk_arena *a, const char *url)
{
	const char *why;

	if (!outbound_origin(a, url, &why))
		return why;
	for (; *url; url++)
		if (*url <= ' ' || *url >= 0x7f)
			return "the URL holds a blank, a control character or one that is not ASCII";
	return NULL;
}

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

	if (longer)
		*list = longer;
	return longer != NULL;
}

/* libcurl's own Content-Type and Expect are switched off. NULL, or what is wrong. */
static const char *headers_make(struct slot *s, const struct outbound_request *r)
{
	bool typed = false, all = add_line(&s->headers, "Expect:");

	for (size_t i = 0; i < r->headers; i++) {
		const struct outbound_header *h = &r->header[i];
		const char *why = outbound_header_fault(h->name, h->value), *value = h->value;
		if (why)
			return why;
		value += strspn(value, " \t");
		typed |= !strcasecmp(h->name, "content-type");
		all = all && add_line(&s->headers, *value ? sk_printf(s->arena, "%s: %s", h->name, value) : sk_printf(s->arena, "%s;", h->name));
	}
	all = all && (typed || add_line(&s->headers, "Content-Type:"));
	return all ? NULL : "memory is out";
}

static void method_set(CURL *easy, const struct outbound_request *r)
{
	const char *method = r->method ? r->method : "POST";
	bool body = r->size || !strcmp(method, "POST") || !strcmp(method, "PUT");

	if (body) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body ? r->body : "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->size);
	} else {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, strcmp(method, body ? "POST" : "GET") ? method : NULL);
}

static void fault(struct outbound_request *r, bool never, const char *why)
{
	r->status = 0;
	r->never = never;
	r->why = why;
}

/* Gives the request to the slot. false: it has its answer already, the slot is still free. */
static bool begin(struct slot *s, struct outbound_request *r, struct sk_arena *a)
{
	const char *why = url_fault(a, r->url);

	*s = (struct slot){ .client = s->client, .easy = s->easy, .request = r, .arena = a, .answer = "" };
	r->answer = "";
	r->status = 0, r->answer_size = 0, r->retry_ms = 0;
	r->cut = r->never = false;
	memset(r->got, 0, sizeof r->got);
	why = why ? why : headers_make(s, r);
	if (why) {
		fault(r, strcmp(why, "memory is out") != 0, why);
	} else if (curl_easy_setopt(s->easy, CURLOPT_URL, r->url) != CURLE_OK || (method_set(s->easy, r), curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers)) != CURLE_OK ||
	           curl_multi_add_handle(s->client->multi, s->easy) != CURLM_OK) {
		fault(r, false, "memory is out");
	} else {
		return true;
	}
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	s->request = NULL;
	return false;
}

/* The server's word stands when its headers were complete, whatever became of the body. */
static void end_failed(struct slot *s, CURLcode code)
{
	struct outbound_request *r = s->request;
	const char *text = code != CURLE_URL_MALFORMAT && code != CURLE_WRITE_ERROR && *s->error ? s->error : curl_easy_strerror(code);

	if (s->arena->failed)
		text = "memory is out";
	else if (s->header_bytes > MOST_HEADERS)
		text = "the answer's headers do not end";
	if (s->answered && !s->arena->failed) {
		r->cut = true;
		return;
	}
	fault(r, code == CURLE_URL_MALFORMAT, outbound_line(s->arena, text, strlen(text), 256));
	if (!r->why)
		r->why = "memory is out";
}

static void end(struct slot *s, CURLcode code)
{
	struct outbound_request *r = s->request;
	curl_off_t wait = 0;
	long status = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &wait);
	curl_multi_remove_handle(s->client->multi, s->easy);
	r->status = (int)status;
	r->retry_ms = wait > 0 && wait < INT64_MAX / 1000 ? (int64_t)wait * 1000 : 0;
	if (r->answer_size) {
		s->answer[r->answer_size] = '\0';
		r->answer = s->answer;
	}
	if (code != CURLE_OK)
		end_failed(s, code);
	else if (status < 200)
		fault(r, false, "the answer has no status");
	s->client->unanswered = r->status ? 0 : s->client->unanswered + 1;
	s->client->last = r->why;
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	s->request = NULL;
}

/* -- many at once -- */

static struct slot *slot_free(struct outbound *o)
{
	for (int i = 0; i < o->slots; i++)
		if (!o->slot[i].request)
			return &o->slot[i];
	return NULL;
}

static int collect(struct outbound *o)
{
	const CURLMsg *m;
	int left, ended = 0;

	while ((m = curl_multi_info_read(o->multi, &left))) {
		struct slot *s = NULL;
		CURLcode code = m->data.result;
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s) != CURLE_OK || !s->request)
			continue;
		end(s, code);
		ended++;
	}
	return ended;
}

static void give_up(struct outbound *o)
{
	for (int i = 0; i < o->slots; i++)
		if (o->slot[i].request)
			end(&o->slot[i], CURLE_OUT_OF_MEMORY);
}

/* When as many as may be under way have had no answer in a row, the others are not tried; and while one has had none, those that are still under way are
 * waited for. So a server that is away costs one time limit. */
static bool next_begun(struct outbound *o, struct outbound_request *r, struct sk_arena *a)
{
	if (o->unanswered < o->slots)
		return begin(slot_free(o), r, a);
	r->answer = "";
	r->answer_size = 0, r->retry_ms = 0;
	fault(r, false, o->last);
	return false;
}

void outbound_send(struct outbound *o, struct outbound_request *r, size_t n, struct sk_arena *a)
{
	size_t next = 0;
	int running = 0, open = 0;

	o->unanswered = 0;
	while (next < n || open) {
		while (next < n && open < o->slots && !(o->unanswered && open))
			open += next_begun(o, &r[next++], a);
		if (curl_multi_perform(o->multi, &running) != CURLM_OK) {
			give_up(o);
			open = 0;
			continue;
		}
		int ended = collect(o);
		open -= ended;
		if (open && !ended && curl_multi_poll(o->multi, NULL, 0, 1000, NULL) != CURLM_OK) {
			give_up(o);
			open = 0;
		}
	}
}

/* -- a client -- */

static bool easy_setup(struct slot *s, const struct outbound_settings *set)
{
	CURL *e = s->easy;
	bool good = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;

	good = good && curl_easy_setopt(e, CURLOPT_PROXY, set->proxy ? set->proxy : "") == CURLE_OK;
	good = good && (!set->ca || (curl_easy_setopt(e, CURLOPT_CAINFO, set->ca) == CURLE_OK && curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK));
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_NOPROXY, "");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "skeeter");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)set->connect_ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)set->total_ms);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, s);
	return good;
}

static bool slots_open(struct outbound *o)
{
	o->multi = curl_multi_init();
	if (!o->multi)
		return false;
	curl_multi_setopt(o->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)o->set.connections);
	for (int i = 0; i < o->set.connections; i++, o->slots++) {
		o->slot[i] = (struct slot){ .client = o, .easy = curl_easy_init() };
		if (!o->slot[i].easy)
			return false;
		if (!easy_setup(&o->slot[i], &o->set)) {
			curl_easy_cleanup(o->slot[i].easy);
			return false;
		}
	}
	return true;
}

struct outbound *outbound_open(const struct outbound_settings *s, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	struct outbound *o = sk_alloc(&a, sizeof *o);

	if (o) {
		o->set = *s;
		o->set.connect_ms = s->connect_ms ? s->connect_ms : 5000;
		o->set.total_ms = s->total_ms ? s->total_ms : 5000;
		o->set.connections = s->connections ? s->connections : 16;
		o->set.most_answer = s->most_answer ? s->most_answer : MOST_ANSWER;
		o->slot = sk_alloc(&a, (size_t)o->set.connections * sizeof *o->slot);
	}
	if (!o || !o->slot) {
		sk_arena_free(&a);
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	o->arena = a;
	if (!slots_open(o)) {
		sk_why(why, why_size, "libcurl could not be set up");
		outbound_close(&o);
	}
	return o;
}

void outbound_close(struct outbound **o)
{
	struct sk_arena a;

	if (!*o)
		return;
	for (int i = 0; i < (*o)->slots; i++)
		curl_easy_cleanup((*o)->slot[i].easy);
	if ((*o)->multi)
		curl_multi_cleanup((*o)->multi);
	a = (*o)->arena;
	sk_arena_free(&a);
	*o = NULL;
}
