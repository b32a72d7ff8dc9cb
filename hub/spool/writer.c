#include "segment.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_SEGMENT = 4096, END_ROOM = sizeof(struct record_header) };
enum { UNMAP_BYTES = 65536 /* unmap_written(); a multiple of any page size */ };

/* Names of files before they become segments. */
#define TEMPORARY_NAME ".sf-segment"
#define SPARE_NAME "spare"

/* While the spool is full or the disk refuses, a new segment is tried at this interval, not for
 * each message. */
static const double look_again_seconds = 0.05;

/* While clients are held back, removed segments are looked for at this interval. */
static const double check_shares_seconds = 0.2;

struct spool_writer {
    struct spool_options options;
    char *folder;
    int lock;
    struct bell *bell;
    struct segment segment;
    struct buffer record; /* the one that is appended */
    uint64_t offset;      /* of the next record in the segment */
    uint64_t gone;        /* the pages before this offset are not mapped any more */
    uint64_t id;          /* the spool's */
    uint64_t next;        /* number of the next record */
    bool begins;          /* the spool is begun anew with the next segment */

    char note[SEGMENT_PATH + 256]; /* spool_writer_note(); "": nothing */
    char told[SEGMENT_PATH + 256]; /* what it returned last */
    char refusal[256];             /* why there is no next segment; "": it was not refused */
    double look_again;             /* time of the next try after a refusal (monotonic clock) */

    struct shares *shares;
    bool of_one;           /* the last refusal concerns its client alone */
    double shares_checked; /* when removed segments were looked for (monotonic clock) */

    _Atomic uint64_t appended; /* number of the last record; set after the record is written */

    /* For the thread that flushes. The mutex guards all that follows. Segments are known by the
     * numbers of their first records. */
    pthread_t flusher;
    bool flushing, stop; /* the thread runs; it shall end */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t flushed;  /* number of the last record that is on the disk */
    uint64_t current;  /* the segment that is written; 0: none */
    uint64_t capacity; /* its bytes */
    uint64_t *sealed;  /* segments before it that are not flushed yet */
    size_t sealed_count, sealed_room;
    bool renamed;            /* a segment was renamed since the folder was flushed */
    bool has_spare;          /* the spare file is there: it becomes the next segment */
    bool wants_spare;        /* the thread shall make a spare file */
    _Atomic int flush_errno; /* not 0: a flush failed, so the segment takes no more records */
};

/* --- flushing --- */

static bool flush_folder(const struct spool_writer *writer)
{
    int descriptor = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return done;
}

/* Whether the segment that is written is not there any more. The reader removes a segment only when
 * another one follows it. */
static bool is_removed(const struct spool_writer *writer, uint64_t current)
{
    char path[SEGMENT_PATH];
    uint64_t *list = NULL;
    segment_path(writer->folder, current, path);
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return false;
    ssize_t count = segment_list(writer->folder, &list, NULL);
    bool followed = count > 0 && list[count - 1] > current;
    free(list);
    return !followed;
}

/* Returns 0, an errno, or TRUNCATED: the file is smaller than this. A segment that does not exist was
 * stored, and removed by the reader. */
static int flush_segment(const struct spool_writer *writer, uint64_t first, uint64_t capacity)
{
    struct stat facts = {0};
    char path[SEGMENT_PATH];
    segment_path(writer->folder, first, path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return errno == ENOENT ? 0 : errno;
    int failed = fdatasync(descriptor) || fstat(descriptor, &facts) ? errno : 0;
    if (!failed && (uint64_t)facts.st_size < capacity)
        failed = TRUNCATED;
    close(descriptor);
    return failed;
}

/* Flushes all records that were appended before the call. The mutex is held, and released
 * meanwhile. The number is read before the list of segments, so the list has the segments of all
 * these records. */
static void flush_once(struct spool_writer *writer)
{
    uint64_t upto = atomic_load_explicit(&writer->appended, memory_order_acquire);
    uint64_t *sealed = writer->sealed, current = writer->current, capacity = writer->capacity;
    size_t count = writer->sealed_count;
    bool renamed = writer->renamed;
    int failed = 0, of_current = 0, last;
    writer->sealed = NULL;
    writer->sealed_count = writer->sealed_room = 0;
    writer->renamed = false;
    pthread_mutex_unlock(&writer->mutex);
    for (size_t i = 0; i < count; i++)
        if ((last = flush_segment(writer, sealed[i], 0)))
            failed = last;
    if (current)
        of_current =
            is_removed(writer, current) ? ENOENT : flush_segment(writer, current, capacity);
    if (renamed && !flush_folder(writer))
        failed = errno;
    free(sealed);
    pthread_mutex_lock(&writer->mutex);
    writer->flushed = upto;
    /* When another segment was begun meanwhile, the old one is sealed, and is flushed once more. */
    if (of_current && writer->current == current)
        failed = of_current;
    if (failed)
        atomic_store(&writer->flush_errno, failed);
    pthread_cond_broadcast(&writer->changed);
}

enum status spool_flush(struct spool_writer *writer, struct error *error)
{
    pthread_mutex_lock(&writer->mutex);
    if (writer->appended != writer->flushed)
        flush_once(writer);
    int failed = atomic_load(&writer->flush_errno);
    pthread_mutex_unlock(&writer->mutex);
    if (!failed)
        return FINE;
    return error ? fail(error, REFUSED, "%s could not be flushed to the disk: %s", writer->folder,
                        refusal_words(failed))
                 : REFUSED;
}

/* --- segments --- */

/* Notes that this segment is written from now on, and that the one before it must be flushed once
 * more. False: out of memory. */
static bool hand_over(struct spool_writer *writer, const struct segment *segment)
{
    bool done = true;
    pthread_mutex_lock(&writer->mutex);
    if (writer->current && writer->sealed_count == writer->sealed_room) {
        size_t wanted = writer->sealed_room ? 2 * writer->sealed_room : 8;
        uint64_t *grown = realloc(writer->sealed, wanted * sizeof *grown);
        done = grown != NULL;
        if (grown) {
            writer->sealed = grown;
            writer->sealed_room = wanted;
        }
    }
    if (done && writer->current)
        writer->sealed[writer->sealed_count++] = writer->current;
    if (done) {
        writer->current = segment->first;
        writer->capacity = segment->capacity;
        writer->renamed = writer->wants_spare = true;
        atomic_store(&writer->flush_errno, 0); /* of the one before it */
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->mutex);
    return done;
}

/* Makes a file that needs only a new name to be a segment. False, with errno. */
static bool make_file(const struct spool_writer *writer, const char *name,
                      const struct segment_header *header)
{
    char path[SEGMENT_PATH];
    snprintf(path, sizeof path, "%s/%s", writer->folder, name);
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return false;
    errno = posix_fallocate(descriptor, 0, (off_t)header->capacity);
    bool done = !errno &&
                pwrite(descriptor, header, sizeof *header, 0) == (ssize_t)sizeof *header &&
                fdatasync(descriptor) == 0;
    int failed = errno ? errno : EIO;
    close(descriptor);
    if (!done)
        unlink(path);
    errno = failed;
    return done;
}

/* The header of a spare file: the number of its first record is not known yet. */
static struct segment_header spare_header(const struct spool_writer *writer)
{
    struct segment_header header = {.capacity = record_room(writer->options.segment_bytes),
                                    .spool = writer->id};
    memcpy(header.magic, SPOOL_MAGIC, sizeof header.magic);
    return header;
}

/* The mutex is held, and released meanwhile. If it fails, the broker's thread makes the file when
 * it needs it, and reports the reason. */
static void make_spare(struct spool_writer *writer)
{
    struct segment_header header = spare_header(writer);
    writer->wants_spare = false;
    pthread_mutex_unlock(&writer->mutex);
    bool made = make_file(writer, SPARE_NAME, &header);
    pthread_mutex_lock(&writer->mutex);
    writer->has_spare = made;
}

/* Gives a file of the folder the name of the next segment; false with errno. */
static bool name_segment(const struct spool_writer *writer, const char *name)
{
    char path[SEGMENT_PATH], temporary[SEGMENT_PATH];
    segment_path(writer->folder, writer->next, path);
    snprintf(temporary, sizeof temporary, "%s/%s", writer->folder, name);
    if (rename(temporary, path) == 0)
        return true;
    int failed = errno;
    unlink(temporary);
    errno = failed;
    return false;
}

/* Makes the next segment by renaming a complete file. With a spare file the broker does not wait
 * for the disk; the new name is flushed together with the records. The mutex is held while the
 * spare is renamed, so that the thread does not make another one under the same name meanwhile. */
static bool make_segment(struct spool_writer *writer, uint64_t capacity)
{
    struct segment_header header = spare_header(writer);
    bool spare = false, named = false;
    pthread_mutex_lock(&writer->mutex);
    if (capacity == header.capacity && !writer->begins && !atomic_load(&writer->flush_errno) &&
        writer->has_spare) {
        spare = true;
        writer->has_spare = false;
        named = name_segment(writer, SPARE_NAME);
    }
    pthread_mutex_unlock(&writer->mutex);
    if (spare)
        return named;
    header.first = writer->next;
    header.capacity = capacity;
    header.begins = writer->begins;
    return make_file(writer, TEMPORARY_NAME, &header) && name_segment(writer, TEMPORARY_NAME);
}

static void *flush_now_and_then(void *context)
{
    struct spool_writer *writer = context;
    /* Gives the thread descriptors of its own. While threads share a table of descriptors, the
     * kernel counts references for each system call: 3 % of the broker's processor time. */
    if (unshare(CLONE_FILES) == 0)
        close_range(STDERR_FILENO + 1, ~0U, 0);
    pthread_mutex_lock(&writer->mutex);
    while (!writer->stop) {
        const struct timespec until = clock_deadline(writer->options.flush_seconds);
        pthread_cond_timedwait(&writer->changed, &writer->mutex, &until);
        if (writer->appended != writer->flushed)
            flush_once(writer);
        if (writer->wants_spare && !writer->has_spare && !writer->stop)
            make_spare(writer);
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

static void refuse(struct spool_writer *writer, int why)
{
    snprintf(writer->refusal, sizeof writer->refusal, "%s", refusal_words(why));
    atomic_store(&writer->bell->refuses, why);
    writer->look_again = clock_monotonic() + look_again_seconds;
}

/* Tells those who read the bell which clients are held back. */
static void note_shares(struct spool_writer *writer)
{
    char name[SHARES_NAME];
    size_t count = shares_held_back(writer->shares, name);
    memcpy(writer->bell->held_name, name, sizeof name);
    atomic_store(&writer->bell->held_back, (uint32_t)count);
}

/* Takes what was in segments that the reader has removed off the shares. */
static void check_shares(struct spool_writer *writer)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(writer->folder, &list, NULL);
    if (count >= 0)
        shares_drop(writer->shares, count ? list[0] : UINT64_MAX, writer->segment.first);
    free(list);
    writer->shares_checked = clock_monotonic();
    note_shares(writer);
}

static void check_held_back(struct spool_writer *writer)
{
    if (atomic_load_explicit(&writer->bell->held_back, memory_order_relaxed) &&
        clock_monotonic() - writer->shares_checked > check_shares_seconds)
        check_shares(writer);
}

/* Whether the client of this record holds less than its share. */
static bool in_share(struct spool_writer *writer, const struct spool_record *record)
{
    const char *client_id = record->client_id;
    const size_t length = record->client_id_length;
    uint64_t current = writer->segment.first;
    writer->of_one = false;
    if (shares_allow(writer->shares, client_id, length, current))
        return true;
    check_held_back(writer);
    writer->of_one = !shares_allow(writer->shares, client_id, length, current);
    note_shares(writer);
    return !writer->of_one;
}

static bool room_left(const struct spool_writer *writer, uint64_t capacity)
{
    uint64_t *list = NULL, bytes = 0;
    ssize_t count = segment_list(writer->folder, &list, &bytes);
    free(list);
    return count >= 0 && bytes + capacity <= writer->options.most_bytes;
}

static bool is_open(const struct spool_writer *writer)
{
    return writer->segment.descriptor >= 0;
}

/* Without the mark, the next segment's name says the same. */
static void seal(struct spool_writer *writer)
{
    const uint32_t mark = SEALED;
    if (is_open(writer) && writer->offset + sizeof mark <= writer->segment.capacity)
        segment_write(&writer->segment, writer->offset, &mark, sizeof mark);
    segment_close(&writer->segment);
}

/* Copies the open file, which has no name any more. */
static bool copy_segment(const struct segment *segment, int copy)
{
    char block[1 << 16];
    for (uint64_t done = 0; done < segment->capacity;) {
        ssize_t got = pread(segment->descriptor, block, sizeof block, (off_t)done);
        if (got <= 0 || write(copy, block, (size_t)got) != got)
            return false;
        done += (uint64_t)got;
    }
    return fdatasync(copy) == 0;
}

/* Gives the segment that somebody removed its name again. */
static void restore_segment(struct spool_writer *writer)
{
    char path[SEGMENT_PATH], temporary[SEGMENT_PATH];
    segment_path(writer->folder, writer->segment.first, path);
    snprintf(temporary, sizeof temporary, "%s/" TEMPORARY_NAME, writer->folder);
    int copy = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool whole = copy >= 0 && copy_segment(&writer->segment, copy) &&
                 renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    if (copy >= 0)
        close(copy);
    if (!whole)
        unlink(temporary);
    snprintf(writer->note, sizeof writer->note, "%s was removed while it was written: %s", path,
             whole ? "its records are there again, and a new segment is begun"
                   : "it could not be written again, and its records may be lost");
}

/* Notes why the segment that was written takes no more records, unless it is only full. */
static void note_failure(struct spool_writer *writer, int why)
{
    char path[SEGMENT_PATH];
    segment_path(writer->folder, writer->segment.first, path);
    if (why == ENOENT && is_removed(writer, writer->segment.first))
        restore_segment(writer);
    else if (why == TRUNCATED)
        snprintf(
            writer->note, sizeof writer->note,
            "%s was truncated while it was written: a new segment is begun; sensorhub says how "
            "many readings are missing",
            path);
    else if (why)
        snprintf(writer->note, sizeof writer->note,
                 "%s cannot be written: %s. A new segment is begun", path, refusal_words(why));
}

/* Makes the next segment, with room for a record of this length. The old one is sealed after the
 * new one exists. */
static bool next_segment(struct spool_writer *writer, uint64_t length)
{
    uint64_t least = sizeof(struct segment_header) + record_room(length) + END_ROOM;
    uint64_t capacity =
        writer->options.segment_bytes > least ? writer->options.segment_bytes : least;
    struct segment made;
    capacity = record_room(capacity);
    if (*writer->refusal && clock_monotonic() < writer->look_again)
        return false;
    if (is_open(writer))
        note_failure(writer, atomic_load(&writer->flush_errno));
    if (!room_left(writer, capacity)) {
        refuse(writer, FULL);
        return false;
    }
    if (!make_segment(writer, capacity) ||
        !segment_open(writer->folder, writer->next, true, &made)) {
        refuse(writer, errno ? errno : EIO);
        return false;
    }
    if (!hand_over(writer, &made)) {
        char path[SEGMENT_PATH];
        segment_path(writer->folder, writer->next, path);
        unlink(path);
        segment_close(&made);
        refuse(writer, ENOMEM);
        return false;
    }
    seal(writer);
    writer->segment = made;
    writer->offset = sizeof(struct segment_header);
    if (writer->begins)
        bell_mark(writer->bell);
    writer->begins = false;
    writer->gone = 0;
    *writer->refusal = '\0';
    atomic_store(&writer->bell->refuses, 0);
    check_shares(writer);
    return true;
}

/* --- appending --- */

static const char of_one_words[] =
    "its share of the spool is full: sensorhub does not store its readings as fast as they come";

const char *spool_refusal(const struct spool_writer *writer)
{
    return writer->of_one ? of_one_words : NULL;
}

static enum status refused(struct spool_writer *writer, struct error *error)
{
    if (!error)
        return REFUSED;
    if (writer->of_one)
        return fail(error, REFUSED, "%s", of_one_words);
    fail(error, REFUSED, "the spool %s refuses records: %s", writer->folder, writer->refusal);
    return advise(error, "is sensorhub running, and its database reachable? Is the disk full?");
}

/* The record as it is in a segment, with the place of the next one's length behind it: a record that a
 * killed writer did not finish must not be taken for the next one. */
static bool compose(struct spool_writer *writer, const struct spool_record *record, uint64_t length)
{
    static const char zeros[RECORD_ALIGN + sizeof(uint32_t)];
    struct buffer *out = &writer->record;
    const struct record_header header = {.length = (uint32_t)length,
                                         .number = writer->next,
                                         .time = record->time,
                                         .topic_length = record->topic_length,
                                         .client_id_length = record->client_id_length,
                                         .principal_length = record->principal_length,
                                         .payload_length = record->payload_length};
    buffer_clear(out);
    buffer_add(out, &header, sizeof header);
    buffer_add(out, record->topic, record->topic_length);
    buffer_add(out, record->client_id, record->client_id_length);
    buffer_add(out, record->principal, record->principal_length);
    buffer_add(out, record->payload, record->payload_length);
    buffer_add(out, zeros, record_room(length) - length + sizeof(uint32_t));
    if (out->failed)
        return false;
    struct record_header *made = (void *)out->at;
    made->checksum = record_checksum(made, (uint32_t)length);
    return true;
}

/* Writes the composed record. Returns 0, or why the segment takes no more. */
static int put(struct spool_writer *writer)
{
    int why =
        segment_write(&writer->segment, writer->offset, writer->record.at, writer->record.length);
    if (why)
        atomic_store(&writer->flush_errno, why);
    return why;
}

/* Removes written pages from this process; they stay in the kernel's cache. While they are mapped
 * here, each flush has to write-protect every one of them and to interrupt the other processors. */
static void unmap_written(struct spool_writer *writer)
{
    uint64_t upto = writer->offset / UNMAP_BYTES * UNMAP_BYTES;
    if (upto > writer->gone)
        madvise(writer->segment.at + writer->gone, upto - writer->gone, MADV_DONTNEED);
    writer->gone = upto;
}

/* Writes the record to the segment, and to the next one when this one is full or cannot be written. */
static bool write_record(struct spool_writer *writer, const struct spool_record *record,
                         uint64_t length)
{
    if (!compose(writer, record, length)) {
        refuse(writer, ENOMEM);
        return false;
    }
    bool fits = is_open(writer) &&
                writer->offset + record_room(length) + END_ROOM <= writer->segment.capacity;
    if (fits && !atomic_load_explicit(&writer->flush_errno, memory_order_relaxed) && !put(writer))
        return true;
    if (!next_segment(writer, length))
        return false;
    int why = put(writer);
    if (!why)
        return true;
    refuse(writer, why);
    return false;
}

enum status spool_append(struct spool_writer *writer, const struct spool_record *record,
                         struct error *error)
{
    uint64_t length = sizeof(struct record_header);
    length += record->topic_length;
    length += record->client_id_length;
    length += record->principal_length;
    length += record->payload_length;
    if (record->topic_length > SPOOL_LONGEST_NAME ||
        record->client_id_length > SPOOL_LONGEST_NAME ||
        record->principal_length > SPOOL_LONGEST_NAME ||
        record->payload_length > SPOOL_LARGEST_PAYLOAD)
        return error ? fail(error, WRONG_INPUT, "a message is too large for the spool")
                     : WRONG_INPUT;
    uint64_t room = record_room(length);
    if (!in_share(writer, record))
        return refused(writer, error);
    if (!write_record(writer, record, length))
        return refused(writer, error);
    writer->offset += room;
    if (writer->offset - writer->gone >= UNMAP_BYTES)
        unmap_written(writer);
    shares_add(writer->shares, record->client_id, record->client_id_length, writer->segment.first,
               room);

    uint64_t record_number = writer->next++;
    atomic_store_explicit(&writer->appended, record_number, memory_order_release);
    atomic_store_explicit(&writer->bell->last, record_number, memory_order_release);
    bell_ring(writer->bell);
    return writer->options.flush_seconds <= 0 ? spool_flush(writer, error) : FINE;
}

/* --- opening --- */

/* The last segment is damaged: it is left as it is, for the reader, which keeps it for a person where
 * records of it are missing. Another segment is begun. */
static void leave_damaged(struct spool_writer *writer, uint64_t missing)
{
    char path[SEGMENT_PATH];
    segment_path(writer->folder, writer->segment.first, path);
    snprintf(writer->note, sizeof writer->note,
             "the spool is damaged: %" PRIu64
             " readings are missing in %s; those behind them are stored. See docs/local.md, \"When "
             "the spool is damaged\"",
             missing, path);
    segment_close(&writer->segment);
}

/* Finds the end of the last segment. A torn record that nothing follows is cut off: a power cut or a
 * kill tore it. As long as the machine was not started again, the writer's count tells whether there
 * were more behind it. */
static void find_end(struct spool_writer *writer)
{
    struct segment *segment = &writer->segment;
    struct spool_record record;
    bool torn = false;
    uint64_t at, missing = 0, last = atomic_load(&writer->bell->last);
    writer->next = segment->first;
    writer->offset = sizeof(struct segment_header);
    while ((at = segment_search(segment, writer->offset, writer->next, &record))) {
        missing += record.number - writer->next;
        segment->damaged |= at != writer->offset;
        writer->next = record.number + 1;
        writer->offset = at + record_room(record_length(&record));
    }
    if (bell_is_current(writer->bell) && last >= writer->next) {
        segment->damaged = true;
        missing += last + 1 - writer->next;
        writer->next = last + 1;
    }
    if (segment->damaged) {
        leave_damaged(writer, missing);
        return;
    }
    segment_record(segment, writer->offset, &record, &torn);
    const uint32_t none = 0;
    if (torn)
        segment_write(segment, writer->offset, &none, sizeof none);
}

const char *spool_writer_note(struct spool_writer *writer)
{
    check_held_back(writer);
    if (!*writer->note)
        return NULL;
    memcpy(writer->told, writer->note, sizeof writer->told);
    *writer->note = '\0';
    return writer->told;
}

/* A number above those of all records before, including those that a power cut tore off. */
static uint64_t number_anew(uint64_t known)
{
    static const uint64_t margin = UINT64_C(1) << 32;
    uint64_t number = (uint64_t)clock_milliseconds() * 65536 + 1;
    return number > known + margin ? number : known + margin;
}

static uint64_t new_id(void)
{
    uint64_t id = 0;
    while (!id && getrandom(&id, sizeof id, 0) == sizeof id)
        id &= (UINT64_C(1) << 48) - 1;
    return id ? id : (uint64_t)clock_milliseconds();
}

static void begin_anew(struct spool_writer *writer)
{
    bool empty = is_open(writer) && writer->next == writer->segment.first;
    char path[SEGMENT_PATH];
    if (empty) {
        segment_path(writer->folder, writer->segment.first, path);
        unlink(path);
    }
    seal(writer);
    writer->next = number_anew(writer->next);
    writer->begins = true;
}

static void count_segment(struct spool_writer *writer, uint64_t first)
{
    struct segment segment;
    struct spool_record record;
    uint64_t next = first, at = sizeof(struct segment_header);
    if (!segment_open(writer->folder, first, false, &segment))
        return; /* the reader tells it */
    while ((at = segment_search(&segment, at, next, &record))) {
        uint64_t room = record_room(record_length(&record));
        shares_add(writer->shares, record.client_id, record.client_id_length, first, room);
        next = record.number + 1;
        at += room;
    }
    segment_close(&segment);
}

/* Counts what each client holds of the segments that are there. It reads them all: 1 GB that is in
 * the kernel's cache takes 0.8 s. */
static void count_shares(struct spool_writer *writer)
{
    uint64_t *list = NULL;
    ssize_t count = writer->options.most_of_one ? segment_list(writer->folder, &list, NULL) : 0;
    for (ssize_t i = 0; i < count; i++)
        count_segment(writer, list[i]);
    free(list);
}

static enum status take_up(struct spool_writer *writer, struct error *error)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(writer->folder, &list, NULL);
    uint64_t last = count > 0 ? list[count - 1] : 0;
    free(list);
    if (count < 0)
        return fail_errno(error, "cannot read %s", writer->folder);
    writer->id = new_id();
    if (!count) {
        begin_anew(writer);
        return FINE;
    }
    if (!segment_open(writer->folder, last, true, &writer->segment)) {
        if (errno)
            return fail_errno(error, "cannot open the last segment of %s", writer->folder);
        return fail(error, REFUSED,
                    "the last segment of %s was written by another version of sensorforge",
                    writer->folder);
    }
    if (writer->segment.spool)
        writer->id = writer->segment.spool;
    find_end(writer);
    if (writer->segment.failed) {
        errno = writer->segment.failed;
        return fail_errno(error, "cannot read %s/%020" PRIu64 SPOOL_SUFFIX, writer->folder, last);
    }
    if (is_open(writer) && !hand_over(writer, &writer->segment))
        return fail_memory(error);
    /* A segment is called as its first record: one that is there is not written over. */
    if (!bell_is_current(writer->bell) || (!is_open(writer) && writer->next == last))
        begin_anew(writer);
    return FINE;
}

static enum status lock_spool(struct spool_writer *writer, struct error *error)
{
    char path[SEGMENT_PATH];
    snprintf(path, sizeof path, "%s/writer", writer->folder);
    writer->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writer->lock < 0)
        return fail_errno(error, "cannot open %s", path);
    if (flock(writer->lock, LOCK_EX | LOCK_NB) == 0)
        return FINE;
    fail(error, REFUSED, "another broker writes to %s", writer->folder);
    return advise(error, "make status shows which; make down stops it");
}

static enum status start_flusher(struct spool_writer *writer, struct error *error)
{
    if (writer->options.flush_seconds <= 0)
        return FINE;
    int failed = pthread_create(&writer->flusher, NULL, flush_now_and_then, writer);
    if (failed) {
        errno = failed;
        return fail_errno(error, "cannot start a thread");
    }
    writer->flushing = true;
    return FINE;
}

enum status spool_writer_open(const struct spool_options *options, struct spool_writer **made,
                              struct error *error)
{
    *made = NULL;
    struct spool_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return fail_memory(error);
    *writer = (struct spool_writer){.options = *options,
                                    .folder = strdup(options->folder),
                                    .lock = -1,
                                    .segment = {.descriptor = -1}};
    guard_begin();
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_condattr_t steady;
    /* The monotonic clock: when the wall clock is set back, records are flushed all the same. */
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->changed, &steady);
    pthread_condattr_destroy(&steady);
    if (writer->options.segment_bytes < LEAST_SEGMENT)
        writer->options.segment_bytes = LEAST_SEGMENT;
    enum status status = FINE;
    if (!writer->folder || !(writer->shares = shares_open(options->most_of_one)))
        status = fail_memory(error);
    else if (mkdir(writer->folder, 0700) && errno != EEXIST)
        status = fail_errno(error, "cannot make %s", writer->folder);
    if (!status)
        status = lock_spool(writer, error);
    if (!status && !(writer->bell = bell_open(writer->folder)))
        status = fail_errno(error, "cannot open %s/bell", writer->folder);
    if (!status)
        status = take_up(writer, error);
    if (!status) {
        atomic_store(&writer->bell->last, writer->begins ? 0 : writer->next - 1);
        atomic_store(&writer->bell->refuses, 0);
        atomic_store(&writer->bell->held_back, 0);
        count_shares(writer);
        if (!writer->begins)
            bell_mark(writer->bell);
        /* Another segment follows a damaged one, so that it is not found again at the next start. When
         * there is no room for it, the next record makes it. */
        if (*writer->note)
            next_segment(writer, 0);
        status = start_flusher(writer, error);
    }
    if (status)
        spool_writer_close(writer);
    else
        *made = writer;
    return status;
}

static void drop_spare(struct spool_writer *writer)
{
    char path[SEGMENT_PATH];
    snprintf(path, sizeof path, "%s/%s", writer->folder, SPARE_NAME);
    unlink(path);
}

void spool_writer_close(struct spool_writer *writer)
{
    if (!writer)
        return;
    if (writer->flushing) {
        pthread_mutex_lock(&writer->mutex);
        writer->stop = true;
        pthread_cond_broadcast(&writer->changed);
        pthread_mutex_unlock(&writer->mutex);
        pthread_join(writer->flusher, NULL);
    }
    spool_flush(writer, NULL);
    segment_close(&writer->segment);
    if (writer->has_spare)
        drop_spare(writer);
    bell_close(writer->bell);
    if (writer->lock >= 0)
        close(writer->lock);
    guard_end();
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
    free(writer->sealed);
    buffer_free(&writer->record);
    free(writer->folder);
    shares_close(writer->shares);
    free(writer);
}
