/* segments_internal.h -- what segments.c (opening, appending, dropping) and segments_read.c share: frames, and the list of files. */
#ifndef SK_SEGMENTS_INTERNAL_H
#define SK_SEGMENTS_INTERNAL_H

#include "core/segments.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum { SK_FRAME_MAGIC = 0x31474553, SK_RECORD_MOST = 64 << 20 };

struct sk_frame {              /* before each record */
	uint32_t magic, size, check, mark; /* check: of the record's bytes; mark: of size, check, and the place where it stands */
};
_Static_assert(sizeof(struct sk_frame) == SK_SEGMENT_HEADER, "as segments.h says");
struct sk_segment_file {
	uint64_t number, size;
};
struct sk_hole {               /* damaged bytes, from `from` to the offset `to` */
	struct sk_place from;
	uint64_t to;
};
struct sk_segments {
	pthread_mutex_t lock;      /* of all but what is the reader's */
	int folder;
	bool reads_only;
	size_t segment;
	struct sk_segment_file *list;
	size_t n, room;
	uint64_t total;            /* of the sizes */
	struct sk_hole *hole;
	size_t holes, hole_room;
	struct sk_place first, end;
	int writes;                /* the file of end.segment; -1: not open */
	bool turned;               /* the next append begins a new file */
	bool untidy;               /* bytes of an append that failed may lie behind the end */
	char *frames;              /* what is being appended */
	size_t frames_room;
	int begin;                 /* a file of two slots */
	unsigned slot;
	int reads;                 /* the reader's: the file of reads_number */
	uint64_t reads_number;
	_Atomic uint64_t bytes, damaged;
};

void sk_segments_lock(const struct sk_segments *s);
void sk_segments_unlock(const struct sk_segments *s);

/* -- frames (segments_read.c) -- */
uint32_t sk_frame_mark(const struct sk_frame *h, struct sk_place at);
bool sk_frame_is_whole(const void *bytes, struct sk_place at, struct sk_frame *out);
/* The bytes of the whole records at the start of `bytes`, which stand at `at`. */
size_t sk_frames_whole(const char *bytes, size_t size, struct sk_place at);
/* The offset of the first header in [from, to); `to`: there is none. -1 with errno. */
int64_t sk_frame_find(int fd, struct sk_place from, uint64_t to);
/* The bytes read, fewer at the file's end; -1 with errno. */
ssize_t sk_read_at(int fd, void *buffer, size_t size, uint64_t offset);

/* -- the list (segments.c); under the lock -- */
bool sk_place_before(struct sk_place a, struct sk_place b);
/* The first file that is not before `number`. */
size_t sk_segments_find(const struct sk_segments *s, uint64_t number);
void sk_segment_name(uint64_t number, char name[24]);
/* These n files are not there any more. */
void sk_segments_forget(struct sk_segments *s, size_t from, size_t n);
/* Of one that only reads: what another process has changed. 0 or -1 with errno. */
int sk_segments_look(struct sk_segments *s);
/* Room for one more in a list of n. */
bool sk_segments_room(void **list, size_t *room, size_t n, size_t size);

#endif
