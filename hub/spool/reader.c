#include "segment.h"
#include "common/base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALL_BYTES = 16 << 20 /* of the records that one call hands out, about */ };

struct spool_reader {
    char *folder;
    int lock;
    struct bell *bell;
    uint32_t rung;          /* what bell->rung was before the last read */
    uint64_t spool;         /* id of the one that is read; 0: not known */
    uint64_t next;          /* number of the next record */
    struct segment segment; /* the one that is read */
    struct buffer bytes;    /* what the records that were handed out point to */
    uint64_t offset;        /* of the next record in the segment */
    uint64_t missing;       /* records that should be before the next one and are not there */
    uint64_t searched; /* next, after a search that found nothing; 0: none since it was opened */

    /* Damage that spool_damage() has not told yet. */
    uint64_t lost;           /* records */
    char kept[SEGMENT_PATH]; /* the file that has it; "": none */
};

static struct segment *current(struct spool_reader *reader)
{
    return reader->segment.descriptor >= 0 ? &reader->segment : NULL;
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

/* So many records are not there, and reading goes on behind them. The segment is kept for a person;
 * where it is gone, an empty file stands for it. */
static enum status pass_over(struct spool_reader *reader, uint64_t count, struct error *error)
{
    const struct segment *segment = current(reader);
    uint64_t first = segment && segment->first <= reader->next ? segment->first : reader->next;
    bool kept = segment_keep(reader->folder, first, reader->kept);
    if (!kept && errno == ENOENT) {
        int file = open(reader->kept, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        kept = file >= 0;
        if (kept)
            close(file);
    }
    if (!kept)
        return fail_errno(error, "the spool is damaged, and %s cannot be made", reader->kept);
    reader->missing += count;
    reader->lost += count;
    reader->next += count;
    return FINE;
}

/* Whether the spool was begun anew with this segment. One whose header is damaged tells it by the
 * distance of the numbers: see the top of spool.h. */
static bool begins_after(const struct segment *segment, uint64_t next)
{
    return segment->damaged ? segment->first - next >= UINT64_C(1) << 31 : segment->begins;
}

static enum status open_one(const struct spool_reader *reader, uint64_t first,
                            struct segment *segment, struct error *error)
{
    if (segment_open(reader->folder, first, false, segment))
        return FINE;
    if (errno)
        return fail_errno(error, "cannot read %s/%020" PRIu64 SPOOL_SUFFIX, reader->folder, first);
    fail(error, REFUSED,
         "%s/%020" PRIu64 SPOOL_SUFFIX " was written by another version of sensorforge",
         reader->folder, first);
    return advise(error, "let sensorhub run --drain of that version store it first");
}

/* Goes to the beginning of this segment. */
static void enter(struct spool_reader *reader, const struct segment *segment)
{
    segment_close(&reader->segment);
    reader->segment = *segment;
    reader->offset = sizeof(struct segment_header);
    if (segment->spool)
        reader->spool = segment->spool;
}

static enum status open_segment(struct spool_reader *reader, uint64_t first, struct error *error)
{
    struct segment segment;
    enum status status = open_one(reader, first, &segment, error);
    if (!status)
        enter(reader, &segment);
    return status;
}

/* FINE unless the last read of the segment failed. Then it is read again the next time. */
static enum status check_read(struct spool_reader *reader, struct error *error)
{
    struct segment *segment = current(reader);
    if (!segment || !segment->failed)
        return FINE;
    errno = segment->failed;
    segment->failed = 0;
    segment_refresh(segment);
    return fail_errno(error, "cannot read %s/%020" PRIu64 SPOOL_SUFFIX, reader->folder,
                      segment->first);
}

/* Skips records that are stored already, and damage between them. Returns the number behind the last
 * one of them, at least. */
static uint64_t skip(struct spool_reader *reader)
{
    struct spool_record record;
    uint64_t behind = current(reader)->first, at;
    while (behind < reader->next &&
           (at = segment_search(current(reader), reader->offset, behind, &record))) {
        if (record.number >= reader->next)
            return reader->next;
        behind = record.number + 1;
        reader->offset = at + record_room(record_length(&record));
    }
    return behind;
}

/* Whether this segment is of another spool than the one that the place is of. */
static bool is_other(const struct segment *segment, uint64_t spool)
{
    return segment->spool && spool && segment->spool != spool;
}

/* Goes to the first record of a spool of which nothing is stored. */
static enum status begin_at_first(struct spool_reader *reader, bool *anew, struct error *error)
{
    uint64_t first = 0;
    bool found = false;
    segment_close(&reader->segment);
    reader->spool = reader->next = 0;
    enum status status = find_following(reader, 0, &first, &found, error);
    if (!status && found)
        status = open_segment(reader, first, error);
    *anew = !status && found;
    reader->next = first;
    return status;
}

/* Called when the database has stored more records than the last segment has. A power cut can cause
 * that: the database is flushed with each commit, the spool less often. Then the writer begins the
 * spool anew when it opens it, and until then there is nothing to read. Otherwise somebody has put
 * an older spool there. That is refused: new records in it would count as stored already. A database
 * of an earlier version did not know the spool's id (knew is false), and one with an id is newer. */
static enum status lags_behind(struct spool_reader *reader, bool knew, uint64_t ends, bool *anew,
                               struct error *error)
{
    uint64_t following = 0, first = current(reader)->first;
    bool found = false;
    enum status status = find_following(reader, first, &following, &found, error);
    if (status || found)
        return status;
    bool told = bell_is_current(reader->bell);
    if (told && atomic_load(&reader->bell->last) + 1 >= reader->next)
        return FINE; /* they are damaged, and were stored before */
    if (told && !knew && current(reader)->spool)
        return begin_at_first(reader, anew, error);
    segment_close(&reader->segment);
    if (!told)
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
    uint64_t wanted = reader->next, spool = reader->spool;
    status = open_segment(reader, first, error);
    if (status)
        return status;
    if (is_other(current(reader), spool))
        return begin_at_first(reader, anew, error);
    if (first > wanted) {
        *anew = wanted > 1 && begins_after(current(reader), wanted);
        if (wanted > 1 && !*anew)
            status = pass_over(reader, first - wanted, error);
        if (status)
            return status;
        reader->next = first;
    }
    uint64_t ends = skip(reader);
    status = check_read(reader, error);
    return status                ? status
           : ends < reader->next ? lags_behind(reader, spool != 0, ends, anew, error)
                                 : FINE;
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

enum status spool_reader_open(const char *folder, const struct spool_place *behind,
                              struct spool_reader **made, bool *anew, struct error *error)
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
    reader->segment.descriptor = -1;
    reader->next = behind->number + 1;
    reader->spool = behind->spool;
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
    segment_close(&reader->segment);
    buffer_free(&reader->bytes);
    bell_close(reader->bell);
    if (reader->lock >= 0)
        close(reader->lock);
    free(reader->folder);
    free(reader);
}

/* --- reading --- */

/* Goes to the segment that begins with this number, which is behind the current one. */
static enum status go_on(struct spool_reader *reader, uint64_t first, bool *more,
                         struct error *error)
{
    struct segment opened;
    enum status status = open_one(reader, first, &opened, error);
    if (status)
        return status;
    if (first != reader->next && !begins_after(&opened, reader->next))
        status = pass_over(reader, first - reader->next, error);
    if (status) {
        segment_close(&opened);
        return status;
    }
    enter(reader, &opened);
    reader->next = first;
    *more = true;
    return FINE;
}

/* Reads the next record. What was read of the file before may be old. */
static uint32_t next_record(struct spool_reader *reader, struct spool_record *record)
{
    bool torn;
    uint32_t length = segment_record(current(reader), reader->offset, record, &torn);
    if (length || current(reader)->failed)
        return length;
    segment_refresh(current(reader));
    return segment_record(current(reader), reader->offset, record, &torn);
}

/* There is no next record where it should be. Either there is none yet, or the next segment has it,
 * or something is damaged: then the search goes on behind that.
 *
 * What the writer says is looked up first, and the place again afterwards: so a record that it has
 * just appended is never taken for one that is missing. */
static enum status look_behind(struct spool_reader *reader, bool *more, struct error *error)
{
    struct spool_record record;
    bool found = false, told = bell_is_current(reader->bell);
    uint64_t last = atomic_load_explicit(&reader->bell->last, memory_order_acquire), following = 0;
    enum status status = find_following(reader, current(reader)->first, &following, &found, error);
    segment_refresh(current(reader));
    uint32_t length = status ? 0 : next_record(reader, &record);
    if (!status)
        status = check_read(reader, error);
    *more = !status && length && length != SEALED && record.number == reader->next;
    if (status || *more)
        return status;
    if (found && following == reader->next)
        return go_on(reader, following, more, error);
    if (!found && (told ? last < reader->next : reader->searched == reader->next))
        return FINE;
    uint64_t at = segment_search(current(reader), reader->offset, reader->next, &record);
    status = check_read(reader, error);
    if (status)
        return status;
    if (at && (!found || record.number < following)) {
        if (record.number > reader->next) /* else they were passed over before */
            status = pass_over(reader, record.number - reader->next, error);
        reader->offset = at;
        *more = !status;
        return status;
    }
    if (found)
        return go_on(reader, following, more, error);
    if (told)
        return pass_over(reader, last + 1 - reader->next, error);
    reader->searched = reader->next;
    return FINE;
}

/* Copies what the record points to behind that of the records before it. Until place_records(), the
 * copy may move. */
static void take(struct spool_reader *reader, struct spool_record *record, uint32_t length)
{
    buffer_add(&reader->bytes, record->topic, length - sizeof(struct record_header));
    record->spool = reader->spool;
    record->missing = reader->missing;
    reader->missing = 0;
    reader->offset += record_room(length);
    reader->next++;
}

static void place_records(const struct spool_reader *reader, struct spool_record *list,
                          size_t count)
{
    const char *at = reader->bytes.at;
    for (size_t i = 0; i < count; i++) {
        list[i].topic = at;
        list[i].client_id = list[i].topic + list[i].topic_length;
        list[i].principal = list[i].client_id + list[i].client_id_length;
        list[i].payload = list[i].principal + list[i].principal_length;
        at = (const char *)list[i].payload + list[i].payload_length;
    }
}

/* There was no memory for what was read: it is read again. */
static void take_back(struct spool_reader *reader, const struct spool_record *list, size_t *count)
{
    segment_close(&reader->segment);
    if (*count) {
        reader->next = list[0].number;
        reader->missing = list[0].missing;
    }
    *count = 0;
}

enum status spool_read(struct spool_reader *reader, struct spool_record *list, size_t most,
                       size_t *count, struct error *error)
{
    bool more = true;
    enum status status = FINE;
    *count = 0;
    reader->rung = atomic_load(&reader->bell->rung);
    buffer_clear(&reader->bytes);
    if (!current(reader)) {
        status = first_segment(reader, &(bool){false}, error);
        more = current(reader) != NULL;
    }
    while (!status && more && *count < most && reader->bytes.length < CALL_BYTES) {
        struct spool_record *record = &list[*count];
        uint32_t length = next_record(reader, record);
        if (length && length != SEALED && record->number == reader->next) {
            take(reader, record, length);
            (*count)++;
        } else if (*count && length != SEALED) {
            more = false; /* mostly it is the end; the next call looks */
        } else if (!(status = check_read(reader, error))) {
            status = look_behind(reader, &more, error);
        }
    }
    if (reader->bytes.failed) {
        take_back(reader, list, count);
        return fail_memory(error);
    }
    place_records(reader, list, *count);
    return status;
}

bool spool_damage(struct spool_reader *reader, uint64_t *missing, char kept[SPOOL_PATH])
{
    if (!*reader->kept)
        return false;
    memcpy(kept, reader->kept, sizeof reader->kept);
    *missing = reader->lost;
    *reader->kept = '\0';
    reader->lost = 0;
    return true;
}

bool spool_passed(const struct spool_reader *reader, struct spool_place *place, uint64_t *missing)
{
    *place = (struct spool_place){reader->spool, reader->next - 1};
    *missing = reader->missing;
    return reader->missing;
}

void spool_pass_noted(struct spool_reader *reader)
{
    reader->missing = 0;
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

/* Reads what the writer notes in the bell. False: there is none. */
static bool read_bell(const char *folder, struct bell *bell)
{
    char path[SEGMENT_PATH];
    snprintf(path, sizeof path, "%s/bell", folder);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool whole = descriptor >= 0 && pread(descriptor, bell, sizeof *bell, 0) == sizeof *bell;
    if (descriptor >= 0)
        close(descriptor);
    return whole;
}

bool spool_refuses(const char *folder, char *words, size_t room)
{
    struct bell bell = {0};
    bool refuses = read_bell(folder, &bell) && bell.refuses;
    if (refuses)
        snprintf(words, room, "%s", refusal_words(bell.refuses));
    return refuses;
}

size_t spool_held_back(const char *folder, char name[SHARES_NAME])
{
    struct bell bell = {0};
    size_t count = read_bell(folder, &bell) ? bell.held_back : 0;
    snprintf(name, SHARES_NAME, "%.*s", SHARES_NAME - 1, count ? bell.held_name : "");
    return count;
}

/* The number of the last record, as the writer noted it; 0: it is not known. */
static uint64_t last_noted(const char *folder)
{
    struct bell bell = {0};
    return read_bell(folder, &bell) ? bell.last : 0;
}

/* The number of the last record of a segment, found by reading it. Without records: the number
 * before its first. 0: it cannot be read. */
static uint64_t last_found(const char *folder, uint64_t first)
{
    struct segment segment;
    struct spool_record record;
    uint64_t at = sizeof(struct segment_header), last = first - 1;
    if (!segment_open(folder, first, false, &segment))
        return 0;
    while ((at = segment_search(&segment, at, last + 1, &record))) {
        last = record.number;
        at += record_room(record_length(&record));
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

/* The number of the place in the spool that is there: 0 when it is another one. */
static uint64_t number_in(const char *folder, uint64_t last, const struct spool_place *place)
{
    struct segment segment;
    if (!segment_open(folder, last, false, &segment))
        return place->number;
    bool other = is_other(&segment, place->spool);
    segment_close(&segment);
    return other ? 0 : place->number;
}

void spool_extent(const char *folder, const struct spool_place *place, uint64_t *last,
                  uint64_t *waiting)
{
    uint64_t *list = NULL;
    ssize_t count = segment_list(folder, &list, NULL);
    uint64_t behind = count > 0 ? number_in(folder, list[count - 1], place) : 0;
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
