/* The spool: readings between the broker and the database.
 *
 * The broker's plugin appends each accepted reading before the publisher gets its acknowledgement;
 * sensorhub reads them in order, and remembers how far in the database itself, in the transaction
 * that holds their rows. So what was acknowledged is stored, once, whatever is killed when.
 *
 * On disk: a folder of segments, <20 digits>.segment, the number of its first record;
 * spool_segment.h has the layout. A segment is preallocated, and mapped into the memory of both
 * sides: to append is to copy, without a system call. A record counts when its length is written,
 * which is done last; a checksum over all of it tells one that a power cut tore. Such a record is
 * the last there is: the writer cuts it off when it opens the spool, the reader waits in front of
 * it. A record is in the kernel when spool_append() returns, so it outlives any kill; it is on the
 * disk (fdatasync, for all records of the meantime together) at most flush_seconds later, so a
 * power cut costs at most that much of what was acknowledged. flush_seconds 0 waits for the disk
 * each time.
 *
 * A position is the number of a record. They have no gaps but where the spool was begun anew: there
 * they go on far above all that were before (milliseconds since 1970 times 65536, at least 2^32
 * more than the last one that is known), so that a position of before is never taken for one of
 * after. It is begun anew when there is none, and when the machine was started since it was
 * written: a power cut may have taken its last records, and the database have stored them.
 *
 * The spool is bounded: when it holds as many bytes as
 * it may, spool_append() refuses, and the publisher is refused; nothing is dropped. Segments that
 * the reader is done with are removed by it.
 *
 * One writer and one reader, in two processes; each holds a lock of its own. No function ends the
 * program: without memory there is a status. */
#ifndef HUB_SPOOL_SPOOL_H
#define HUB_SPOOL_SPOOL_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPOOL_LONGEST_NAME = 1024, SPOOL_LARGEST_PAYLOAD = 1 << 20 };

struct spool_record {
    uint64_t number;       /* the reader's; the writer gives it */
    int64_t time;          /* when it was accepted: milliseconds since 1970 */
    const char *topic;     /* all three with their length, not NUL-terminated */
    const char *client_id; /* = the thing's name */
    const char *principal; /* the certificate's id: SHA-256 of its DER, lower-case hexadecimal */
    const void *payload;
    uint32_t topic_length, client_id_length, principal_length, payload_length;
};

struct spool_options {
    const char *folder;
    uint64_t most_bytes; /* of all segments together */
    uint64_t segment_bytes;
    double flush_seconds;
};

/* --- the broker's side --- */

struct spool_writer;

/* Makes the folder, cuts a torn end off. REFUSED when another writer has it. */
enum status spool_writer_open(const struct spool_options *options, struct spool_writer **made,
                              struct error *error);

/* What was found damaged when it was opened, and where it is kept; NULL when all was well. */
const char *spool_writer_note(const struct spool_writer *writer);

/* REFUSED when it is full, or the disk refuses; then nothing of it is there, unless flush_seconds
 * is 0: a record whose flush failed may have been read before. error may be NULL. */
enum status spool_append(struct spool_writer *writer, const struct spool_record *record,
                         struct error *error);

/* Waits until all that was appended is on the disk. */
enum status spool_flush(struct spool_writer *writer, struct error *error);
void spool_writer_close(struct spool_writer *writer);

/* --- sensorhub's side --- */

struct spool_reader;

/* Begins behind the record of this number (0: at the first that there is). REFUSED when records
 * between that one and the first that there is are missing, unless the spool was begun anew: then
 * *anew is true. A folder that is not there yet is waited for. */
enum status spool_reader_open(const char *folder, uint64_t behind, struct spool_reader **made,
                              bool *anew, struct error *error);

/* The next records, at most `most`, into list; pointers into memory that stays until the next call.
 * 0 when there is none now. A record whose checksum is wrong although others follow it is an error
 * with its place: it is never skipped without a word. */
enum status spool_read(struct spool_reader *reader, struct spool_record *list, size_t most,
                       size_t *count, struct error *error);

/* Waits for more, at most so long. */
void spool_wait(struct spool_reader *reader, double seconds);

/* All up to this number are stored: whole segments of them are removed. */
enum status spool_done(struct spool_reader *reader, uint64_t number, struct error *error);

/* What there is behind the record of this number: the number of the last one (0: there is none at
 * all), and how many. */
void spool_extent(const char *folder, uint64_t behind, uint64_t *last, uint64_t *waiting);
void spool_reader_close(struct spool_reader *reader);

#endif
