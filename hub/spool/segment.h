/* How a segment lies on the disk, in the byte order of this machine: a spool never leaves it.
 *
 *   header, 64 bytes | record, padded to 8 | record ... | SEALED or 0
 *
 * The word at the end is where the next record's length will be: 0 as long as there is none,
 * SEALED when the segment is full and the next one follows. */
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
    uint64_t first;    /* number of its first record; 0: its name tells it */
    uint64_t capacity; /* bytes of the file */
    uint32_t begins;   /* 1: the spool was begun anew with it */
    uint32_t reserved[9];
};

struct record_header {
    _Atomic uint32_t length; /* of header and contents; written last */
    uint32_t checksum;       /* lower half of XXH3 (64 bits) of all behind it */
    uint64_t number;
    int64_t time;
    uint32_t topic_length, client_id_length, principal_length, payload_length;
};

/* A segment in memory. */
struct segment {
    int descriptor;
    char *at; /* NULL: none */
    uint64_t capacity, first;
    bool begins;
};

/* What both sides share beside the segments: the reader sleeps on it, the writer rings, and says
 * how far it is. Nothing waits for it to be on the disk, so after a power cut it may be an old one;
 * whether the machine was started since tells boot. */
enum { BOOT_ID = 36 };
struct bell {
    _Atomic uint32_t rung;
    _Atomic uint32_t asleep;
    _Atomic uint64_t last; /* number of the last record; 0: not known */
    char boot[BOOT_ID];    /* of the start of the machine that the writer opened the spool in */
};

static inline uint64_t record_room(uint64_t length)
{
    return (length + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* The record at offset, if it is whole: its length; 0 when there is none (yet), SEALED at the end,
 * and *torn when there is one that is not whole. */
uint32_t segment_record(const struct segment *segment, uint64_t offset, struct spool_record *record,
                        bool *torn);

uint32_t record_checksum(const struct record_header *header, uint32_t length);

/* Opens and maps one that is there; false with errno (0: it is no segment). */
bool segment_open(const char *folder, uint64_t first, bool write, struct segment *segment);
void segment_close(struct segment *segment);

/* First numbers of all segments, ascending; -1 with errno. *list is freed by the caller. *bytes, if
 * not NULL: what they take on the disk. */
ssize_t segment_list(const char *folder, uint64_t **list, uint64_t *bytes);

/* "<folder>/<20 digits>.segment" */
enum { SEGMENT_PATH = 4096 };
void segment_path(const char *folder, uint64_t first, char path[SEGMENT_PATH]);

struct bell *bell_open(const char *folder); /* NULL with errno */
void bell_close(struct bell *bell);
/* Whether the writer opened the spool since the machine was started. bell_mark: now it did. */
bool bell_is_current(const struct bell *bell);
void bell_mark(struct bell *bell);
void bell_ring(struct bell *bell);
void bell_wait(struct bell *bell, uint32_t seen, double seconds);

#endif
