/* The layout of a segment on the disk. Numbers are in the byte order of this machine.
 *
 *   header, 64 bytes | record, padded to 8 bytes | record | ... | 0 or SEALED
 *
 * The last word is in the place of the next record's length. It is 0 while there is no next record,
 * and SEALED when the segment is full: then another segment follows. */
#ifndef HUB_SPOOL_SEGMENT_H
#define HUB_SPOOL_SEGMENT_H

#include "spool.h"

#include <stdatomic.h>
#include <sys/types.h>

#define SPOOL_MAGIC "SFSPOOL1"
#define SPOOL_SUFFIX ".segment"

enum { SEALED = 0x7FFFFFFF, RECORD_ALIGN = 8 };

struct segment_header {
    char magic[8];
    uint64_t first;    /* number of its first record; 0: it is in the file's name only */
    uint64_t capacity; /* size of the file, in bytes */
    uint32_t begins;   /* 1: the spool was begun anew with this segment; see spool.h */
    uint32_t reserved;
    uint64_t spool; /* the spool's id; 0: of an earlier version */
    uint32_t reserved_too[6];
};

struct record_header {
    uint32_t length;   /* of header and contents, without padding */
    uint32_t checksum; /* the low 32 bits of XXH3-64 of everything from number on */
    uint64_t number;
    int64_t time; /* milliseconds since 1970 */
    uint32_t topic_length, client_id_length, principal_length, payload_length;
};

/* A segment that is open. It is read by pread(), not through a mapping: a disk that fails, or a file that
 * somebody truncates, is then an error and not the signal SIGBUS. The writer has it mapped:
 * an append takes 0.2 us, and would take 1 us by pwrite(). guard.h makes an error of the signal. */
struct segment {
    int descriptor;    /* -1: not open */
    uint64_t capacity; /* bytes of the file; less when it was truncated since */
    uint64_t first;    /* number of its first record, by the file's name */
    uint64_t spool;    /* the spool's id; 0: not known */
    bool begins;       /* the spool was begun anew with it */
    bool damaged;      /* its header is not whole: records are found by their checksums */
    int failed;        /* errno of a read that failed; 0: none did */

    char *at;        /* the mapping; NULL: not for writing */
    uint64_t mapped; /* its bytes */

    /* What was read of the file last. */
    char *window;
    uint64_t from;
    size_t length, room;
};

/* A small file that both processes map: with it the writer wakes the reader. It is not flushed to
 * the disk, so after a power cut its content may be old; boot tells whether the machine was started
 * since it was written. */
enum { BOOT_ID = 36 };

/* In the place of an errno: the spool holds as much as it may; the segment that is written is shorter than
 * it was made. */
enum { FULL = -1, TRUNCATED = -2 };

struct bell {
    _Atomic uint32_t rung;   /* incremented for each record; the reader waits for it to change */
    _Atomic uint32_t asleep; /* how many readers wait */
    _Atomic uint64_t last;   /* number of the last record, set after it is written; 0: not known */
    char boot[BOOT_ID];      /* Linux's boot id when the writer opened the spool */
    _Atomic int
        refuses; /* why the writer refused the last record: an errno, or FULL; 0: it did not */

    /* Clients that are refused because they hold their share, and the name of one. The name may be
     * read while it changes. */
    _Atomic uint32_t held_back;
    char held_name[SHARES_NAME];
};

/* Bytes that a record takes in a segment. */
static inline uint64_t record_room(uint64_t length)
{
    return (length + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* Bytes of a record, header and contents. */
static inline uint64_t record_length(const struct spool_record *record)
{
    return sizeof(struct record_header) + (uint64_t)record->topic_length +
           record->client_id_length + record->principal_length + record->payload_length;
}

/* Reads the record at offset; record points into the segment's window, until the next call. Returns its
 * length; 0: there is no record (yet), or `failed` is set; SEALED: the segment ends here. *torn: there
 * is a record whose lengths or checksum are wrong; then 0 is returned. */
uint32_t segment_record(struct segment *segment, uint64_t offset, struct spool_record *record,
                        bool *torn);

/* Forgets what was read: the file is read again. */
void segment_refresh(struct segment *segment);

/* The first whole record at this offset or behind it: its offset; 0 when there is none, or `failed` is
 * set. next: the number that was to come. A record is known by its checksum, and by its number: at
 * least next, and no more above it than records fit in between. */
uint64_t segment_search(struct segment *segment, uint64_t offset, uint64_t next,
                        struct spool_record *record);

/* Writes at this offset, a multiple of RECORD_ALIGN; the first four bytes last, at least. Returns 0, an
 * errno, or TRUNCATED. */
int segment_write(const struct segment *segment, uint64_t offset, const void *bytes, size_t length);

uint32_t record_checksum(const struct record_header *header, uint32_t length);

/* Opens one that is there, also a damaged one; false with errno (0: it was written by another
 * version of this program). */
bool segment_open(const char *folder, uint64_t first, bool write, struct segment *segment);
void segment_close(struct segment *segment);

/* Lists the segments of the folder by the numbers of their first records, ascending. The caller
 * frees *list. *bytes, if not NULL: their size together. Returns how many there are; -1, with
 * errno. */
ssize_t segment_list(const char *folder, uint64_t **list, uint64_t *bytes);

/* "<folder>/<20 digits>.segment" */
enum { SEGMENT_PATH = SPOOL_PATH };
void segment_path(const char *folder, uint64_t first, char path[SEGMENT_PATH]);

/* Keeps a segment whose records are not all there under another name, "<20 digits>.damaged", by a hard
 * link: the file stays when the segment is removed. false with errno. */
#define DAMAGED_SUFFIX ".damaged"
bool segment_keep(const char *folder, uint64_t first, char kept[SEGMENT_PATH]);

const char *refusal_words(int why);

struct bell *bell_open(const char *folder); /* NULL with errno */
void bell_close(struct bell *bell);
/* Whether the writer opened the spool since the machine was started. bell_mark() notes that it did.
 */
bool bell_is_current(const struct bell *bell);
void bell_mark(struct bell *bell);
void bell_ring(struct bell *bell);

/* Waits until rung is not `seen` any more, at most `seconds`. */
void bell_wait(struct bell *bell, uint32_t seen, double seconds);

#endif
