/* The spool: a durable queue of readings between the broker and the database.
 *
 * The broker's plugin appends each reading before the broker acknowledges it. sensorhub reads the
 * records in order. Its position in the spool is in the database, and changes in the transaction
 * that stores the rows. So each acknowledged reading is stored exactly once, whichever process is
 * killed at whichever moment.
 *
 * On the disk the spool is a folder of segments. A segment is called <20 digits>.segment after the
 * number of its first record; segment.h has the layout. It is preallocated, and mapped into memory
 * by both processes, so appending is a copy without a system call. The length of a record is
 * written last: a record exists when its length is not 0. Its checksum shows whether a power cut
 * tore it. Only the last record can be torn. The writer cuts it off when it opens the spool; the
 * reader waits before it.
 *
 * When spool_append() returns, the record is in the kernel, so it survives the kill of any process.
 * A thread flushes all new records to the disk together (fdatasync), every flush_seconds. So a
 * power cut loses at most the records of that time. With flush_seconds 0 each append waits for the
 * disk.
 *
 * A position is the number of a record. Numbers have no gaps, except where the spool is begun anew:
 * there they continue at milliseconds since 1970 times 65536, and at least 2^32 above the last
 * known number. So a position from before is never taken for one from after. The spool is begun
 * anew when there is none, and when the machine was started since the spool was written: then a
 * power cut may have torn off records that the database has stored already.
 *
 * The spool is bounded. When it is full, spool_append() refuses, and the publisher is refused;
 * nothing is dropped. The reader removes segments whose records are all stored.
 *
 * There is one writer and one reader, in two processes; each holds a lock of its own. No function
 * ends the program when memory is exhausted. */
#ifndef HUB_SPOOL_SPOOL_H
#define HUB_SPOOL_SPOOL_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPOOL_LONGEST_NAME = 1024, SPOOL_LARGEST_PAYLOAD = 1 << 20 };

struct spool_record {
    uint64_t number;       /* set by the writer */
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
    uint64_t segment_bytes; /* size of a segment; a larger record gets a larger one */
    double flush_seconds;   /* interval between two flushes; 0: each append waits for the disk */
};

/* --- the broker's side --- */

struct spool_writer;

/* Makes the folder if there is none, and cuts a torn record off. REFUSED: another writer has the
 * lock, or the disk refuses. */
enum status spool_writer_open(const struct spool_options *options, struct spool_writer **made,
                              struct error *error);

/* What was found damaged when the spool was opened, and where a copy is kept; NULL: nothing. */
const char *spool_writer_note(const struct spool_writer *writer);

/* REFUSED: the spool is full, or the disk refuses. Then the record is not in the spool, except when
 * flush_seconds is 0: a record whose flush failed may have been read already. error may be NULL. */
enum status spool_append(struct spool_writer *writer, const struct spool_record *record,
                         struct error *error);

/* Flushes all records to the disk. */
enum status spool_flush(struct spool_writer *writer, struct error *error);
void spool_writer_close(struct spool_writer *writer);

/* --- sensorhub's side --- */

struct spool_reader;

/* Begins behind the record of the number `behind` (0: at the first record). REFUSED: records that
 * follow `behind` are missing. That is no error where the spool was begun anew; then *anew is true.
 * The folder is made if there is none. */
enum status spool_reader_open(const char *folder, uint64_t behind, struct spool_reader **made,
                              bool *anew, struct error *error);

/* Reads up to `most` next records. What they point to is valid until the next call. *count is 0
 * when there is no record now. A wrong checksum in the middle of the spool is an error that names
 * the segment: no record is skipped. */
enum status spool_read(struct spool_reader *reader, struct spool_record *list, size_t most,
                       size_t *count, struct error *error);

/* Waits for a record, at most `seconds`. */
void spool_wait(struct spool_reader *reader, double seconds);

/* Removes the segments whose records are all stored. number: of the last record that is stored. */
enum status spool_done(struct spool_reader *reader, uint64_t number, struct error *error);

/* *last: number of the last record (0: the spool has none). *waiting: how many records follow the
 * one of the number `behind`. Needs no lock. */
void spool_extent(const char *folder, uint64_t behind, uint64_t *last, uint64_t *waiting);
void spool_reader_close(struct spool_reader *reader);

#endif
