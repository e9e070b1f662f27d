/* segments.h -- a queue of records in files: appended at one end, read and dropped at the other, the same after kill -9.
 *
 * A folder holds segments of about `segment` bytes, 0000000000000001.seg and so on, and `begin`, which says what has been dropped. Records are any bytes
 * of at most 64 MiB with a check of their own. Nothing waits for the disk: what append() has taken survives the process, not the power. Opening
 * cuts off a record that is torn; a damaged one in the middle is passed over, counted, and told. */
#ifndef SK_SEGMENTS_H
#define SK_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SK_SEGMENT_HEADER = 16 }; /* bytes before each record */

struct sk_segments;
struct sk_place {              /* {0, 0} is before all; places grow */
	uint64_t segment, offset;
};
struct sk_span {
	const void *bytes;
	size_t size;
};

/* Makes the folder (0700) if it is not there. `segment` 0: 1 MiB. NULL with why[]. */
struct sk_segments *sk_segments_open(const char *folder, size_t segment, char *why, size_t why_size);
/* For reading only, while another process may append: locks and changes nothing. */
struct sk_segments *sk_segments_open_read(const char *folder, char *why, size_t why_size);
void sk_segments_close(struct sk_segments **s);

/* Any thread: n records, all or none of them, with one write. 0, or -1 with errno (ENOSPC, ENOMEM, EFBIG): nothing has been added. */
int sk_segments_append(struct sk_segments *s, const struct sk_span *record, size_t n);

/* One thread at a time. Copies whole records from *at on, header and all, as many as fit into `room` bytes, and moves *at behind them: the bytes
 * copied, 0: there is nothing more (*need 0), or the next one alone needs *need bytes; -1 with errno. */
long sk_segments_read(struct sk_segments *s, struct sk_place *at, void *buffer, size_t room, size_t *need);
/* The next record of what was read (whose checks hold): moves *at (0 at first) and gives the place behind it. NULL: that was all. */
const void *sk_segments_next(const void *buffer, size_t size, size_t *at, size_t *record_size);
struct sk_place sk_segments_first(const struct sk_segments *s); /* what is not dropped yet begins here */
struct sk_place sk_segments_end(const struct sk_segments *s);
/* A place `bytes` (headers too) further on in what sk_segments_read() copied when it had begun at `from`. It skips to the next segment and over
 * damage as that reading did. */
struct sk_place sk_segments_after(const struct sk_segments *s, struct sk_place from, size_t bytes);

/* What lies before is not needed any more: noted in `begin`, and segments that are wholly before are deleted. 0, or -1 with errno. */
int sk_segments_drop(struct sk_segments *s, struct sk_place before);
/* Deletes the oldest segments until at most `most` bytes are left and none was last written before `oldest_ms` (since 1970; 0: any age), never the one
 * that is appended to. The number of bytes deleted. */
uint64_t sk_segments_trim(struct sk_segments *s, uint64_t most, int64_t oldest_ms);
/* Any thread: what is appended next begins a new segment, so that this one can go by its age. */
void sk_segments_turn(struct sk_segments *s);
uint64_t sk_segments_bytes(const struct sk_segments *s); /* from the first record to the end; any thread */
uint64_t sk_segments_damaged(const struct sk_segments *s); /* records passed over */

#endif
