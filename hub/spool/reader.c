#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT = 8 /* the most segments over which the records of one call may be spread */ };

struct spool_reader {
    char *folder;
    int lock;
    struct bell *bell;
    uint32_t rung;             /* what bell->rung was before the last read */
    uint64_t next;             /* number of the next record */
    struct segment open[KEPT]; /* the last one is read; records of the others were handed out */
    size_t open_count;
    uint64_t offset; /* of the next record in the last open segment */
};

static struct segment *current(struct spool_reader *reader)
{
    return reader->open_count ? &reader->open[reader->open_count - 1] : NULL;
}

/* --- finding the next segment --- */

/* Finds the segment with the next record, or the first one if that is behind it. *found: there is
 * one. */
static enum status find_segment(const struct spool_reader *reader, uint64_t *first, bool *found,
                                struct error *error)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(reader->folder, &list, NULL);
    *found = false;
    if (count < 0 && errno != ENOENT)
        return fail_errno(error, "cannot read %s", reader->folder);
    for (ssize_t i = 0; i < count; i++) {
        if (!*found || list[i] <= reader->next)
            *first = list[i];
        *found = true;
    }
    free(list);
    return FINE;
}

/* Finds the segment that follows the one with this first number. */
static enum status find_following(const struct spool_reader *reader, uint64_t behind,
                                  uint64_t *first, bool *found, struct error *error)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(reader->folder, &list, NULL);
    *found = false;
    if (count < 0)
        return fail_errno(error, "cannot read %s", reader->folder);
    for (ssize_t i = 0; i < count && !*found; i++) {
        *first = list[i];
        *found = list[i] > behind;
    }
    free(list);
    return FINE;
}

static enum status damaged(const struct spool_reader *reader, uint64_t first, const char *what,
                           struct error *error)
{
    fail(error, REFUSED, "%s/%020" PRIu64 SPOOL_SUFFIX " %s", reader->folder, first, what);
    return advise(error,
                  "the records behind it are not stored: keep the file, and see docs/local.md, "
                  "\"When the spool is damaged\"");
}

static enum status open_segment(struct spool_reader *reader, uint64_t first, struct error *error)
{
    struct segment *segment = &reader->open[reader->open_count];
    if (!segment_open(reader->folder, first, false, segment)) {
        if (!errno)
            return damaged(reader, first, "is no segment of a spool", error);
        return fail_errno(error, "cannot open %s/%020" PRIu64 SPOOL_SUFFIX, reader->folder, first);
    }
    reader->open_count++;
    reader->offset = sizeof(struct segment_header);
    return FINE;
}

/* Skips the records of the segment that are stored already. Returns the number behind the last
 * record that was skipped. */
static uint64_t skip(struct spool_reader *reader)
{
    struct spool_record record;
    bool torn = false;
    uint32_t length;
    uint64_t behind = current(reader)->first;
    while ((length = segment_record(current(reader), reader->offset, &record, &torn)) &&
           length != SEALED && record.number < reader->next) {
        reader->offset += record_room(length);
        behind = record.number + 1;
    }
    return behind;
}

/* Called when the database has stored more records than the last segment has. A power cut can cause
 * that: the database is flushed with each commit, the spool less often. Then the writer begins the
 * spool anew when it opens it, and until then there is nothing to read. Otherwise somebody has put
 * an older spool there. That is refused: new records in it would count as stored already. */
static enum status lags_behind(struct spool_reader *reader, uint64_t ends, struct error *error)
{
    uint64_t following = 0, first = current(reader)->first;
    bool found = false;
    enum status status = find_following(reader, first, &following, &found, error);
    if (status || found)
        return status;
    segment_close(&reader->open[--reader->open_count]);
    if (!bell_is_current(reader->bell))
        return FINE;
    fail(error, REFUSED, "the database has stored record %" PRIu64 ", but %s ends with %" PRIu64,
         reader->next - 1, reader->folder, ends - 1);
    return advise(error, "an older spool was put there? make down, move it away, make up");
}

static enum status first_segment(struct spool_reader *reader, bool *anew, struct error *error)
{
    uint64_t first = 0;
    bool found = false;
    enum status status = find_segment(reader, &first, &found, error);
    if (status || !found)
        return status;
    uint64_t wanted = reader->next;
    status = open_segment(reader, first, error);
    if (status)
        return status;
    if (first > wanted) {
        if (wanted > 1 && !current(reader)->begins) {
            fail(error, REFUSED,
                 "%s begins with record %" PRIu64 ", but %" PRIu64
                 " is the next to be stored: the records between them are missing",
                 reader->folder, first, wanted);
            return advise(error, "restore the segments from a backup");
        }
        *anew = wanted > 1;
        reader->next = first;
    }
    uint64_t ends = skip(reader);
    return ends < reader->next ? lags_behind(reader, ends, error) : FINE;
}

/* --- opening --- */

static enum status lock_spool(struct spool_reader *reader, struct error *error)
{
    char path[SEGMENT_PATH];
    if (mkdir(reader->folder, 0700) && errno != EEXIST)
        return fail_errno(error, "cannot make %s", reader->folder);
    snprintf(path, sizeof path, "%s/reader", reader->folder);
    reader->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (reader->lock < 0)
        return fail_errno(error, "cannot open %s", path);
    if (flock(reader->lock, LOCK_EX | LOCK_NB) == 0)
        return FINE;
    fail(error, REFUSED, "another sensorhub reads %s", reader->folder);
    return advise(error, "make status shows which; make down stops it");
}

enum status spool_reader_open(const char *folder, uint64_t behind, struct spool_reader **made,
                              bool *anew, struct error *error)
{
    struct spool_reader *reader = calloc(1, sizeof *reader);
    *made = NULL;
    *anew = false;
    if (!reader)
        return fail_memory(error);
    reader->folder = strdup(folder);
    if (!reader->folder) {
        free(reader);
        return fail_memory(error);
    }
    reader->lock = -1;
    reader->next = behind + 1;
    enum status status = lock_spool(reader, error);
    if (!status && !(reader->bell = bell_open(folder)))
        status = fail_errno(error, "cannot open %s/bell", folder);
    if (!status) /* a reader that was killed while it slept is still counted */
        atomic_store(&reader->bell->asleep, 0);
    if (!status)
        status = first_segment(reader, anew, error);
    if (status)
        spool_reader_close(reader);
    else
        *made = reader;
    return status;
}

void spool_reader_close(struct spool_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->open_count; i++)
        segment_close(&reader->open[i]);
    bell_close(reader->bell);
    if (reader->lock >= 0)
        close(reader->lock);
    free(reader->folder);
    free(reader);
}

/* --- reading --- */

/* Closes the segments whose records were handed out by the last call. */
static void let_go(struct spool_reader *reader)
{
    if (reader->open_count < 2)
        return;
    struct segment last = *current(reader);
    for (size_t i = 0; i + 1 < reader->open_count; i++)
        segment_close(&reader->open[i]);
    reader->open[0] = last;
    reader->open_count = 1;
}

/* Opens the segment that follows. It begins with the next number, unless the spool was begun anew
 * with it. *more: there is one now. */
static enum status go_on(struct spool_reader *reader, bool *more, struct error *error)
{
    uint64_t first = 0, before = current(reader)->first;
    bool found = false;
    *more = false;
    if (reader->open_count == KEPT)
        return FINE;
    struct spool_record late;
    bool torn;
    enum status status = find_following(reader, before, &first, &found, error);
    if (status || !found)
        return status;
    /* A record may have been added to this segment before the next one was made. */
    uint32_t length = segment_record(current(reader), reader->offset, &late, &torn);
    if (torn || (length && length != SEALED)) {
        *more = !torn;
        return FINE;
    }
    status = open_segment(reader, first, error);
    if (status)
        return status;
    if (first != reader->next && !current(reader)->begins) {
        segment_close(&reader->open[--reader->open_count]);
        return damaged(reader, before, "is not followed by the next one", error);
    }
    reader->next = first;
    *more = true;
    return FINE;
}

enum status spool_read(struct spool_reader *reader, struct spool_record *list, size_t most,
                       size_t *count, struct error *error)
{
    bool more = true, torn = false;
    enum status status = FINE;
    *count = 0;
    reader->rung = atomic_load(&reader->bell->rung);
    let_go(reader);
    if (!current(reader)) {
        status = first_segment(reader, &(bool){false}, error);
        more = current(reader) != NULL;
    }
    while (!status && more && *count < most) {
        uint32_t length = segment_record(current(reader), reader->offset, &list[*count], &torn);
        if (length == SEALED) {
            status = go_on(reader, &more, error);
        } else if (length) {
            if (list[*count].number != reader->next)
                return damaged(reader, current(reader)->first, "holds a record twice, or lacks one",
                               error);
            reader->offset += record_room(length);
            reader->next++;
            (*count)++;
        } else if (!*count && !torn) { /* a writer that was killed may have left it unsealed */
            status = go_on(reader, &more, error);
        } else {
            more = false;
        }
    }
    /* The writer cuts a torn record off when it opens the spool, but only in the last segment. */
    if (!status && torn && !*count) {
        uint64_t first = 0;
        bool found = false;
        status = find_following(reader, current(reader)->first, &first, &found, error);
        if (!status && found)
            status = damaged(reader, current(reader)->first, "has a record whose checksum is wrong",
                             error);
    }
    return status;
}

void spool_wait(struct spool_reader *reader, double seconds)
{
    bell_wait(reader->bell, reader->rung, seconds);
}

enum status spool_done(struct spool_reader *reader, uint64_t number, struct error *error)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(reader->folder, &list, NULL);
    enum status status = FINE;
    if (count < 0)
        return fail_errno(error, "cannot read %s", reader->folder);
    /* A segment ends where the next one begins. The last one is kept for the writer. */
    for (ssize_t i = 0; i + 1 < count && !status; i++) {
        char path[SEGMENT_PATH];
        if (list[i + 1] > number + 1)
            break;
        segment_path(reader->folder, list[i], path);
        if (unlink(path) && errno != ENOENT)
            status = fail_errno(error, "cannot remove %s", path);
    }
    free(list);
    return status;
}

/* The number of the last record as the writer noted it in the bell; 0: not known. */
static uint64_t last_noted(const char *folder)
{
    char path[SEGMENT_PATH];
    struct bell bell = {0};
    snprintf(path, sizeof path, "%s/bell", folder);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool whole = descriptor >= 0 && pread(descriptor, &bell, sizeof bell, 0) == sizeof bell;
    if (descriptor >= 0)
        close(descriptor);
    return whole ? bell.last : 0;
}

/* The number of the last record of a segment, found by reading it. Without records: the number
 * before its first. 0: it cannot be read. */
static uint64_t last_found(const char *folder, uint64_t first)
{
    struct segment segment;
    struct spool_record record;
    uint64_t offset = sizeof(struct segment_header), last = first - 1;
    uint32_t length;
    bool torn;
    if (!segment_open(folder, first, false, &segment))
        return 0;
    while ((length = segment_record(&segment, offset, &record, &torn)) && length != SEALED) {
        last = record.number;
        offset += record_room(length);
    }
    segment_close(&segment);
    return last;
}

/* The number of the last record of segment i of the list. */
static uint64_t last_of(const char *folder, const uint64_t *list, size_t count, size_t i)
{
    struct segment next;
    uint64_t last = i + 1 == count ? last_noted(folder) : 0;
    if (last >= list[i])
        return last;
    if (i + 1 == count || !segment_open(folder, list[i + 1], false, &next))
        return last_found(folder, list[i]);
    bool begins = next.begins;
    segment_close(&next);
    return begins ? last_found(folder, list[i]) : list[i + 1] - 1;
}

void spool_extent(const char *folder, uint64_t behind, uint64_t *last, uint64_t *waiting)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(folder, &list, NULL);
    *last = *waiting = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (i + 1 < count && list[i + 1] <= behind + 1)
            continue;
        uint64_t end = last_of(folder, list, (size_t)count, (size_t)i);
        uint64_t from = behind + 1 > list[i] ? behind + 1 : list[i];
        if (end >= list[i])
            *last = end;
        if (end >= from)
            *waiting += end - from + 1;
    }
    free(list);
}
