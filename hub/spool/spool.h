/* The spool: a durable queue of readings between the broker and the database.
 *
 * The broker's plugin appends each reading before the broker acknowledges it. sensorhub reads the
 * records in order. Its position in the spool is in the database, and changes in the transaction
 * that stores the rows. So each acknowledged reading is stored exactly once, whichever process is
 * killed at whichever moment.
 *
 * On disk: a folder of segments, <20 digits>.segment, the number of its first record;
 * segment.h has the layout. A segment is preallocated, and mapped into the memory of the
 * writer, so to append is to copy, without a system call. The reader reads it by pread(). A record counts when its length is
 * written, which is done last. It has a checksum. A torn record at the end, which a power cut or a
 * kill left, is cut off by the writer when it opens the spool. Everything else that is not whole is
 * damage: the reader goes on behind it, where records are known by their numbers and checksums. It
 * keeps the segment as <20 digits>.damaged, and tells how many records are missing. The writer never
 * writes to a damaged segment again.
 *
 * When spool_append() returns, the record is in the kernel, so it survives the kill of any process.
 * A thread flushes all new records to the disk together (fdatasync), every flush_seconds. So a
 * power cut loses at most the records of that time. With flush_seconds 0 each append waits for the
 * disk.
 *
 * A place in the spool is the spool's id and the number of a record. Numbers have no gaps, except where
 * the spool is begun anew: there they continue at milliseconds since 1970 times 65536, and at least
 * 2^32 above the last known number. So a number from before is never taken for one from after. The
 * spool is begun anew when there is none, and when the machine was started since the spool was
 * written: then a power cut may have torn off records that the database has stored already. A spool
 * that is begun where there is none gets a new id, so it does not matter whether the clock was behind
 * then, and its numbers are lower than those of the spool before it.
 *
 * The spool is bounded. When it is full, spool_append() refuses, and the publisher is refused;
 * nothing is dropped. A client that holds its share of it is refused, too; others are not. The reader
 * removes segments whose records are all stored.
 *
 * There is one writer and one reader, in two processes; each holds a lock of its own. No function
 * ends the program when memory is exhausted. */
#ifndef HUB_SPOOL_SPOOL_H
#define HUB_SPOOL_SPOOL_H

#include "common/base/error.h"
#include "shares.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPOOL_LONGEST_NAME = 1024, SPOOL_LARGEST_PAYLOAD = 1 << 20, SPOOL_PATH = 4096 };

struct spool_record {
    uint64_t number;       /* set by the writer */
    uint64_t spool;        /* set by the reader: the spool's id; 0: not known */
    uint64_t missing;      /* set by the reader: records before this one that are damaged or gone */
    int64_t time;          /* when it was accepted: milliseconds since 1970 */
    const char *topic;     /* this and the next two are not NUL-terminated */
    const char *client_id; /* of a thing: its name */
    const char *principal; /* the certificate's id: SHA-256 of its DER, lower-case hexadecimal */
    const void *payload;
    uint32_t topic_length, client_id_length, principal_length, payload_length;
};

struct spool_options {
    const char *folder;
    uint64_t most_bytes;    /* of all segments together */
    uint64_t most_of_one;   /* bytes that one client may hold (shares.h); 0: any number */
    uint64_t segment_bytes; /* size of a segment; a larger record gets a larger one */
    double flush_seconds;   /* interval between two flushes; 0: each append waits for the disk */
};

/* --- the broker's side --- */

struct spool_writer;

/* Makes the folder, cuts a torn end off, leaves a damaged segment as it is. REFUSED when another writer has it. */
enum status spool_writer_open(const struct spool_options *options, struct spool_writer **made,
                              struct error *error);

/* What was found damaged when the spool was opened, or removed since; NULL: nothing new. Called by the
 * thread that appends. It is valid until the next call. */
const char *spool_writer_note(struct spool_writer *writer);

/* REFUSED: the spool is full, the disk refuses, or the client holds its share. Then the record is not in the spool, except when
 * flush_seconds is 0: a record whose flush failed may have been read already. error may be NULL. */
enum status spool_append(struct spool_writer *writer, const struct spool_record *record,
                         struct error *error);

/* Why the last record was refused where that concerns its client alone (a static text); NULL: no client
 * would be served. */
const char *spool_refusal(const struct spool_writer *writer);

/* Flushes all records to the disk. */
enum status spool_flush(struct spool_writer *writer, struct error *error);
void spool_writer_close(struct spool_writer *writer);

/* --- sensorhub's side --- */

struct spool_reader;

/* The record up to which a spool is stored. */
struct spool_place {
    uint64_t spool;  /* the spool's id: random, below 2^48; 0: not known */
    uint64_t number; /* of the record; 0: none is stored */
};

/* Begins behind this place; in another spool, at the first record that there is. *anew: the spool was
 * begun anew since then. A folder that is not there yet is waited for. REFUSED: the spool ends before
 * that record, so an older one was put there. */
enum status spool_reader_open(const char *folder, const struct spool_place *behind,
                              struct spool_reader **made, bool *anew, struct error *error);

/* The next records, at most `most` and about 16 MB, into list; pointers into memory that stays until the
 * next call. REFUSED: a file cannot be read, and is named; it is tried again with the next call.
 * 0 when there is none now. Records that are damaged or gone are passed over, and counted in the
 * next one that there is; spool_damage() tells them. */
enum status spool_read(struct spool_reader *reader, struct spool_record *list, size_t most,
                       size_t *count, struct error *error);

/* What was passed over since it was asked last: how many records are missing, and the file that is
 * kept of it (empty where the segment was gone). false: nothing. */
bool spool_damage(struct spool_reader *reader, uint64_t *missing, char kept[SPOOL_PATH]);

/* Whether the last records of the spool are damaged or gone, so that no record behind them has their count
 * yet. *place: of the last one of them; *missing: how many. Whoever notes that they are missing says so by
 * spool_pass_noted(); then the next record does not count them again. */
bool spool_passed(const struct spool_reader *reader, struct spool_place *place, uint64_t *missing);
void spool_pass_noted(struct spool_reader *reader);

/* How many files are kept of damaged segments. They stay until a person takes them away. */
size_t spool_damaged_files(const char *folder);

/* Waits for more, at most so long. */
void spool_wait(struct spool_reader *reader, double seconds);

/* Removes the segments whose records are all stored. number: of the last record that is stored. */
enum status spool_done(struct spool_reader *reader, uint64_t number, struct error *error);

/* Whether the writer refused the last record, and why, in words. Needs no lock. */
bool spool_refuses(const char *folder, char *words, size_t room);

/* How many clients are refused because each holds its share of the spool, and the name of one of them.
 * Needs no lock. */
size_t spool_held_back(const char *folder, char name[SHARES_NAME]);

/* *last: number of the last record (0: the spool has none). *waiting: how many records there are behind
 * the place. Needs no lock. */
void spool_extent(const char *folder, const struct spool_place *place, uint64_t *last,
                  uint64_t *waiting);
void spool_reader_close(struct spool_reader *reader);

#endif
