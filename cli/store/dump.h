/* dump.h -- the dump format, version 1 (docs/STORE.md): lines of JSON, each ended by a line feed.
 *
 *   {"format":"skeeter-dump","version":1,"schema":1,"sequence":1234}
 *   {"space":"record","key":"registry/thing/lamp","version":7,"document":{...}}      any number, ordered by space and key
 *   {"records":1,"sha256":"of all lines before this one, in hexadecimal"}
 *
 * A document that is not what our printer makes of it travels as "bytes", and a key that is not UTF-8 as "keyBytes", both in base64: what
 * is loaded is bit for bit what was dumped. Both halves are pure: they know no file. */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include <openssl/evp.h>

#include "cli/store/view.h"
#include "core/arena.h"

#define DUMP_VERSION 1

/* -- writing -- */
struct dump_writer {
	int (*put)(void *ctx, const char *data, size_t n); /* 0, or -1: the dump ends with -1 */
	void *ctx;
	struct sk_arena arena;
	EVP_MD_CTX *digest;
	uint64_t records;
};

/* Each: 0, or -1 when memory is out or put refused. dump_end frees what the writer holds, also after a failure. */
int dump_begin(struct dump_writer *w, uint64_t sequence);
int dump_record(struct dump_writer *w, const struct view_record *r);
int dump_footer(struct dump_writer *w);
void dump_end(struct dump_writer *w);

/* -- reading -- */
enum dump_line { DUMP_WRONG = -1, DUMP_HEADER, DUMP_RECORD, DUMP_FOOTER };

struct dump_reader { /* all zero is a fresh one */
	struct sk_arena arena;
	EVP_MD_CTX *digest;
	uint64_t lines, records, sequence;
	enum sk_space space;       /* of the last record, with its key: the next one must be greater */
	char key[SK_KEY_MAX + 1];
	size_t key_size;
	bool begun, whole;
	struct view_record record; /* after DUMP_RECORD, until the next line */
	char why[200];             /* after DUMP_WRONG: "line 3: ..." */
};

/* The next line, its line feed included. After DUMP_WRONG the reader takes no more. */
enum dump_line dump_read(struct dump_reader *r, const char *line, size_t n);
/* After the last line: 0, or -1 and why[] when the footer has not been seen. */
int dump_read_end(struct dump_reader *r);
void dump_reader_free(struct dump_reader *r);

#endif
