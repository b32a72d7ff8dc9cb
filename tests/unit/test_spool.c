/* The spool: what goes in comes out, in order, once, whatever is torn, full or begun anew. */
#include "hub/spool/segment.h"
#include "workplace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/syscall.h>

enum { SEGMENT = 4096, MOST = 1000 };

static struct spool_record list[MOST];

static struct spool_writer *open_flushing(uint64_t most_bytes, double flush_seconds)
{
    const struct spool_options options = {.folder = "spool",
                                          .most_bytes = most_bytes,
                                          .segment_bytes = SEGMENT,
                                          .flush_seconds = flush_seconds};
    struct spool_writer *writer;
    assert_fine(spool_writer_open(&options, &writer, &error));
    return writer;
}

static struct spool_writer *open_writer(uint64_t most_bytes)
{
    return open_flushing(most_bytes, 0);
}

/* The id of the spool that is there; 0: there is none. */
static uint64_t spool_id(void)
{
    uint64_t *numbers, id = 0;
    ssize_t count = segment_list("spool", &numbers, NULL);
    struct segment segment;
    if (count > 0 && segment_open("spool", numbers[count - 1], false, &segment)) {
        id = segment.spool;
        segment_close(&segment);
    }
    if (count >= 0)
        free(numbers);
    return id;
}

/* Behind this record of the spool that is there. */
static enum status open_at(uint64_t behind, struct spool_reader **reader, bool *anew,
                           struct error *why)
{
    const struct spool_place place = {spool_id(), behind};
    return spool_reader_open("spool", &place, reader, anew, why);
}

static struct spool_reader *open_reader(uint64_t behind)
{
    struct spool_reader *reader;
    bool anew;
    assert_fine(open_at(behind, &reader, &anew, &error));
    return reader;
}

static enum status append_of(struct spool_writer *writer, const char *client, int number,
                             size_t length)
{
    static char payload[SPOOL_LARGEST_PAYLOAD + 1];
    char topic[32];
    snprintf(topic, sizeof topic, "type/thing-%d", number);
    memset(payload, 'a' + number % 26, length);
    const struct spool_record record = {.time = 1000 + number,
                                        .topic = topic,
                                        .topic_length = (uint32_t)strlen(topic),
                                        .client_id = client,
                                        .client_id_length = (uint32_t)strlen(client),
                                        .principal = "abc",
                                        .principal_length = 3,
                                        .payload = payload,
                                        .payload_length = (uint32_t)length};
    return spool_append(writer, &record, &error);
}

static enum status append(struct spool_writer *writer, int number, size_t length)
{
    char client[32];
    snprintf(client, sizeof client, "thing-%d", number);
    return append_of(writer, client, number, length);
}

static void assert_record(const struct spool_record *record, int number, size_t length)
{
    char topic[32];
    int wanted = snprintf(topic, sizeof topic, "type/thing-%d", number);
    assert_int_equal(record->topic_length, wanted);
    assert_memory_equal(record->topic, topic, (size_t)wanted);
    assert_memory_equal(record->client_id, topic + 5, record->client_id_length);
    assert_memory_equal(record->principal, "abc", 3);
    assert_int_equal(record->time, 1000 + number);
    assert_int_equal(record->payload_length, length);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(((const char *)record->payload)[i], 'a' + number % 26);
}

/* Reads all that there is; they must be numbered from..upto - 1. */
static uint64_t read_all(struct spool_reader *reader, int from, int upto, size_t length)
{
    size_t count;
    uint64_t last = 0;
    do {
        assert_fine(spool_read(reader, list, 7, &count, &error));
        for (size_t i = 0; i < count; i++, from++) {
            assert_record(&list[i], from, length);
            last = list[i].number;
        }
    } while (count);
    assert_int_equal(from, upto);
    return last;
}

static void comes_out_in_order(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    struct spool_reader *reader = open_reader(0);
    for (int i = 0; i < 200; i++)
        assert_fine(append(writer, i, 100));
    uint64_t last = read_all(reader, 0, 200, 100);
    for (int i = 200; i < 300; i++)
        assert_fine(append(writer, i, 0));
    read_all(reader, 200, 300, 0);
    spool_reader_close(reader);
    reader = open_reader(last);
    read_all(reader, 200, 300, 0);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void takes_the_largest(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(4 << 20);
    struct spool_reader *reader = open_reader(0);
    assert_fine(append(writer, 1, SPOOL_LARGEST_PAYLOAD));
    assert_int_equal(append(writer, 2, SPOOL_LARGEST_PAYLOAD + 1), WRONG_INPUT);
    assert_fine(append(writer, 2, 10));
    size_t count;
    assert_fine(spool_read(reader, list, MOST, &count, &error));
    assert_int_equal(count, 2);
    assert_record(&list[0], 1, SPOOL_LARGEST_PAYLOAD);
    assert_record(&list[1], 2, 10);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i += 10) {
        struct spool_writer *writer = open_writer(1 << 20);
        for (int k = i; k < i + 10; k++)
            assert_fine(append(writer, k, 200));
        spool_writer_close(writer);
    }
    struct spool_reader *reader = open_reader(0);
    read_all(reader, 0, 100, 200);
    spool_reader_close(reader);
}

static void refuses_when_full_and_drops_nothing(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(5 * SEGMENT);
    struct spool_reader *reader = open_reader(0);
    int taken = 0;
    while (append(writer, taken, 300) == FINE)
        taken++;
    assert_int_equal(error.status, REFUSED);
    assert_true(taken > 30 && taken < 100);
    uint64_t last = read_all(reader, 0, taken, 300);
    assert_fine(spool_done(reader, last, &error));
    usleep(100000); /* it looks again after a while */
    int again = taken;
    while (append(writer, again, 300) == FINE)
        again++;
    assert_true(again > taken + 20);
    read_all(reader, taken, again, 300);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* The offset behind the last record of the only segment, and its number. */
static off_t find_end(uint64_t *first)
{
    struct segment segment;
    struct spool_record record;
    uint64_t *numbers, offset = sizeof(struct segment_header);
    uint32_t length;
    bool torn;
    assert_int_equal(segment_list("spool", &numbers, NULL), 1);
    *first = numbers[0];
    free(numbers);
    assert_true(segment_open("spool", *first, false, &segment));
    while ((length = segment_record(&segment, offset, &record, &torn)) && length != SEALED)
        offset += record_room(length);
    segment_close(&segment);
    return (off_t)offset;
}

static void damage(uint64_t first, off_t offset, const void *bytes, size_t length)
{
    char path[SEGMENT_PATH];
    segment_path("spool", first, path);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, length, offset), length);
    close(file);
}

static void a_torn_record_is_cut_off(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    uint64_t first;
    for (int i = 0; i < 5; i++)
        assert_fine(append(writer, i, 50));
    spool_writer_close(writer);
    off_t end = find_end(&first);
    uint32_t length = 120;
    damage(first, end, &length, sizeof length);
    struct spool_reader *reader = open_reader(0);
    read_all(reader, 0, 5, 50); /* waits in front of it */
    writer = open_writer(1 << 20);
    assert_null(spool_writer_note(writer));
    assert_fine(append(writer, 5, 50));
    read_all(reader, 5, 6, 50);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* Zeroes a part of the segment that is number `which`. */
static uint64_t wipe(size_t which, off_t offset, size_t length)
{
    static const char zeroes[SEGMENT];
    uint64_t *numbers;
    ssize_t count = segment_list("spool", &numbers, NULL);
    assert_true(count > (ssize_t)which);
    uint64_t first = numbers[which];
    free(numbers);
    damage(first, offset, zeroes, length);
    return first;
}

/* Reads all; what is missing must be told once, and what is left must be whole and in order. */
static size_t read_damaged(struct spool_reader *reader, uint64_t missing, size_t length)
{
    size_t count, sum = 0;
    uint64_t gaps = 0, told = 0, some, last = 0;
    char kept[SPOOL_PATH] = "";
    do {
        assert_fine(spool_read(reader, list, 7, &count, &error));
        for (size_t i = 0; i < count; i++) {
            gaps += list[i].missing;
            if (last)
                assert_int_equal(list[i].number, last + 1 + list[i].missing);
            last = list[i].number;
            assert_record(&list[i], (int)(list[i].time - 1000), length);
        }
        sum += count;
        if (spool_damage(reader, &some, kept))
            told += some;
    } while (count);
    assert_int_equal(told, missing);
    assert_true(gaps <= missing);
    assert_int_equal(access(kept, F_OK), missing ? 0 : -1);
    return sum;
}

/* 70 records in some segments. */
static struct spool_writer *write_some(uint64_t *first)
{
    struct spool_writer *writer = open_writer(1 << 20);
    uint64_t *numbers;
    for (int i = 0; i < 70; i++)
        assert_fine(append(writer, i, 120));
    assert_true(segment_list("spool", &numbers, NULL) >= 3);
    *first = numbers[0];
    free(numbers);
    return writer;
}

/* Each damage, in the first and in the last segment, while the broker runs and after it has ended. */
static void behind_damage_it_goes_on(void **state)
{
    (void)state;
    static const struct {
        off_t offset;
        size_t length;
    } damages[] = {
        {sizeof(struct segment_header), 8},         /* length and checksum of the first record */
        {sizeof(struct segment_header) + 60, 1},    /* its contents */
        {sizeof(struct segment_header) + 100, 700}, /* some records */
        {0, sizeof(struct segment_header)},         /* the header */
        {0, 1000},                                  /* both */
        {0, SEGMENT},                               /* all that there is */
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
        for (int last = 0; last < 2; last++)
            for (int again = 0; again < 2; again++) {
                uint64_t first, *numbers, kept = 0;
                struct spool_writer *writer = write_some(&first);
                ssize_t segments = segment_list("spool", &numbers, NULL);
                free(numbers);
                wipe(last ? (size_t)segments - 1 : 0, damages[i].offset, damages[i].length);
                if (again) {
                    spool_writer_close(writer);
                    writer = open_writer(1 << 20);
                    assert_true(!last == !spool_writer_note(writer));
                }
                for (int k = 70; k < 80; k++)
                    assert_fine(append(writer, k, 120));
                struct spool_reader *reader = open_reader(0);
                uint64_t gone = 0;
                size_t count;
                char path[SPOOL_PATH];
                for (bool more = true; more; more = count > 0) {
                    assert_fine(spool_read(reader, list, MOST, &count, &error));
                    uint64_t some;
                    if (spool_damage(reader, &some, path))
                        gone += some;
                    kept += count;
                }
                assert_int_equal(kept + gone, 80);
                assert_true(damages[i].length == sizeof(struct segment_header) || gone > 0);
                assert_true(gone < 25);
                spool_reader_close(reader);
                spool_writer_close(writer);
                clear_workplace(NULL);
            }
}

/* sensorhub run --drain: no broker runs, and nothing comes behind the damage. */
static void a_damaged_end_is_told_without_a_writer(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    for (int i = 0; i < 10; i++)
        assert_fine(append(writer, i, 120));
    spool_writer_close(writer);
    wipe(0, 1000, SEGMENT - 1000);
    struct spool_reader *reader = open_reader(0);
    size_t there = read_damaged(reader, 5, 120);
    assert_int_equal(there, 5);
    assert_int_equal(read_damaged(reader, 0, 120), 0); /* told once */
    assert_int_equal(spool_damaged_files("spool"), 1);
    struct spool_place place;
    uint64_t passed;
    assert_true(spool_passed(reader, &place, &passed));
    assert_int_equal(passed, 5);
    writer = open_writer(1 << 20);
    assert_fine(append(writer, 10, 120));
    size_t count;
    assert_fine(spool_read(reader, list, MOST, &count, &error));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].missing, 5);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* Somebody removes the segments of a running broker. */
static void a_removed_segment_is_written_again(void **state)
{
    (void)state;
    struct spool_writer *writer = open_flushing(1 << 20, 3600);
    uint64_t first;
    char path[SEGMENT_PATH];
    for (int i = 0; i < 10; i++)
        assert_fine(append(writer, i, 100));
    assert_int_equal(spool_flush(writer, NULL), FINE);
    find_end(&first);
    segment_path("spool", first, path);
    assert_int_equal(unlink(path), 0);
    assert_fine(append(writer, 10, 100)); /* it is noticed at the next flush */
    assert_int_equal(spool_flush(writer, NULL), REFUSED);
    assert_fine(append(writer, 11, 100));
    assert_int_equal(spool_flush(writer, NULL), FINE);
    const char *note = spool_writer_note(writer);
    assert_non_null(note);
    assert_non_null(strstr(note, path));
    assert_null(spool_writer_note(writer));
    struct spool_reader *reader = open_reader(0);
    read_all(reader, 0, 12, 100);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* What is stored already may be damaged: nothing is missing. */
static void damage_in_what_is_stored_loses_nothing(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    struct spool_reader *reader = open_reader(0);
    for (int i = 0; i < 10; i++)
        assert_fine(append(writer, i, 120));
    uint64_t last = read_all(reader, 0, 10, 120);
    spool_reader_close(reader);
    wipe(0, 200, 1000);
    for (int i = 10; i < 15; i++)
        assert_fine(append(writer, i, 120));
    reader = open_reader(last);
    read_all(reader, 10, 15, 120);
    spool_reader_close(reader);
    spool_writer_close(writer);
    wipe(0, 200, SEGMENT - 200);
    reader = open_reader(last + 5);
    read_all(reader, 0, 0, 0);
    spool_reader_close(reader);
}

/* Somebody truncates the file under the running programs. A mapping would end them by SIGBUS. */
static void a_truncated_segment_is_damage(void **state)
{
    (void)state;
    for (int length = 0; length < 2000; length += 700) {
        struct spool_writer *writer = open_flushing(1 << 20, 0.01);
        uint64_t *numbers, missing = 0;
        size_t count, got = 0;
        char path[SEGMENT_PATH];
        for (int i = 0; i < 15; i++)
            assert_fine(append(writer, i, 100));
        assert_int_equal(segment_list("spool", &numbers, NULL), 1);
        segment_path("spool", numbers[0], path);
        assert_int_equal(truncate(path, length), 0);
        for (int i = 15; i < 17; i++) { /* before and after it was noticed */
            assert_fine(append(writer, i, 100));
            usleep(100000);
        }
        const char *note = spool_writer_note(writer);
        assert_non_null(note);
        assert_non_null(strstr(note, path));
        assert_non_null(strstr(note, "truncated"));
        struct spool_reader *reader = open_reader(0);
        do {
            assert_fine(spool_read(reader, list, MOST, &count, &error));
            for (size_t i = 0; i < count; i++)
                missing += list[i].missing;
            got += count;
        } while (count);
        assert_int_equal(got + missing, 17);
        assert_true(missing >= 5 && got >= 2);
        free(numbers);
        spool_reader_close(reader);
        spool_writer_close(writer);
        assert_fine(remove_tree("spool", &error));
    }
}

/* The descriptor of an open file of the spool. */
static int find_descriptor(const char *name)
{
    for (int i = 3; i < 256; i++) {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", i);
        ssize_t length = readlink(link, path, sizeof path);
        if (length > 0 && memmem(path, (size_t)length, name, strlen(name)))
            return i;
    }
    return -1;
}

/* A file that cannot be read: a descriptor of a folder is put in its place. */
static void a_disk_that_fails_is_an_error(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    size_t count;
    for (int i = 0; i < 15; i++)
        assert_fine(append(writer, i, 100));
    spool_writer_close(writer);
    struct spool_reader *reader = open_reader(0);
    int folder = open(".", O_RDONLY), file = find_descriptor(SPOOL_SUFFIX), kept = dup(file);
    assert_true(file >= 0 && dup2(folder, file) == file);
    assert_int_equal(spool_read(reader, list, MOST, &count, &error), REFUSED);
    assert_non_null(strstr(text_string(&error.message), SPOOL_SUFFIX));
    error_free(&error);
    assert_true(dup2(kept, file) == file);
    read_all(reader, 0, 15, 100);
    spool_reader_close(reader);
    close(kept);
    close(folder);
}

static void another_version_is_refused(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20), *other = NULL;
    struct spool_reader *reader = NULL;
    uint64_t first;
    bool anew;
    assert_fine(append(writer, 0, 100));
    spool_writer_close(writer);
    find_end(&first);
    damage(first, 7, "9", 1);
    assert_int_equal(open_at(0, &reader, &anew, &error), REFUSED);
    error_free(&error);
    const struct spool_options options = {
        .folder = "spool", .most_bytes = 1 << 20, .segment_bytes = SEGMENT};
    assert_int_equal(spool_writer_open(&options, &other, &error), REFUSED);
    error_free(&error);
}

static void missing_records_are_said(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    struct spool_reader *reader;
    uint64_t *numbers;
    bool anew;
    char path[SEGMENT_PATH];
    for (int i = 0; i < 100; i++)
        assert_fine(append(writer, i, 100));
    spool_writer_close(writer);
    assert_true(segment_list("spool", &numbers, NULL) > 2);
    segment_path("spool", numbers[0], path);
    assert_int_equal(unlink(path), 0);
    assert_fine(open_at(numbers[0], &reader, &anew, &error));
    assert_false(anew);
    uint64_t missing = numbers[1] - numbers[0] - 1;
    assert_int_equal(read_damaged(reader, missing, 100), 99 - missing);
    spool_reader_close(reader);
    free(numbers);
}

static void begun_anew_is_told_apart(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    struct spool_reader *reader = open_reader(0);
    assert_fine(append(writer, 0, 10));
    uint64_t last = read_all(reader, 0, 1, 10);
    spool_reader_close(reader);
    spool_writer_close(writer);
    assert_fine(remove_tree("spool", &error));
    usleep(2000);
    writer = open_writer(1 << 20);
    assert_fine(append(writer, 0, 20));
    bool anew;
    assert_fine(open_at(last, &reader, &anew, &error));
    assert_true(anew);
    assert_true(read_all(reader, 0, 1, 20) > last);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* The clock was behind when the spool was begun, or the database comes from a machine whose clock was
 * ahead: the numbers are below those that are stored. */
static void another_spool_is_read_from_its_beginning(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20);
    struct spool_reader *reader;
    uint64_t last, waiting;
    bool anew;
    for (int i = 0; i < 100; i++)
        assert_fine(append(writer, i, 100));
    const struct spool_place places[] = {
        {spool_id() ^ 1, UINT64_MAX >> 1}, {0, UINT64_MAX >> 1}, {spool_id() ^ 1, 5}};
    for (int i = 0; i < 3; i++) {
        spool_extent("spool", &places[i], &last, &waiting);
        assert_int_equal(waiting, i == 1 ? 0 : 100); /* one without an id is known by its numbers */
        assert_fine(spool_reader_open("spool", &places[i], &reader, &anew, &error));
        assert_true(anew);
        read_all(reader, 0, 100, 100);
        assert_int_equal(list[0].spool, spool_id());
        spool_reader_close(reader);
    }
    spool_writer_close(writer);
    uint64_t id = spool_id();
    writer = open_writer(1 << 20);
    assert_fine(append(writer, 100, 100));
    assert_int_equal(spool_id(), id);
    spool_writer_close(writer);
    assert_fine(remove_tree("spool", &error));
    writer = open_writer(1 << 20);
    assert_fine(append(writer, 0, 100));
    assert_true(spool_id() && spool_id() != id);
    spool_writer_close(writer);
}

static void only_one_of_each(void **state)
{
    (void)state;
    struct spool_writer *writer = open_writer(1 << 20), *other;
    struct spool_reader *reader = open_reader(0), *second;
    const struct spool_options options = {
        .folder = "spool", .most_bytes = 1 << 20, .segment_bytes = SEGMENT};
    bool anew;
    assert_int_equal(spool_writer_open(&options, &other, &error), REFUSED);
    assert_int_equal(open_at(0, &second, &anew, &error), REFUSED);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void extent_is_what_there_is(void **state)
{
    (void)state;
    uint64_t last, waiting;
    spool_extent("spool", &(struct spool_place){0, 0}, &last, &waiting);
    assert_int_equal(last, 0);
    struct spool_writer *writer = open_writer(1 << 20);
    for (int i = 0; i < 50; i++)
        assert_fine(append(writer, i, 100));
    spool_extent("spool", &(struct spool_place){0, 0}, &last, &waiting);
    assert_int_equal(waiting, 50);
    struct spool_reader *reader = open_reader(0);
    assert_int_equal(read_all(reader, 0, 50, 100), last);
    spool_extent("spool", &(struct spool_place){0, last - 3}, &last, &waiting);
    assert_int_equal(waiting, 3);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* --- power cuts, disks that fail --- */

/* Another start of the machine. */
static void start_machine_again(void)
{
    struct bell *bell = bell_open("spool");
    assert_non_null(bell);
    memset(bell->boot, 'x', sizeof bell->boot);
    bell_close(bell);
}

/* Where a record of the last segment begins. */
static off_t find_record(uint64_t number, uint64_t *first)
{
    struct spool_record record;
    struct segment segment;
    uint64_t *segments, offset = sizeof(struct segment_header);
    uint32_t length;
    bool torn;
    ssize_t count = segment_list("spool", &segments, NULL);
    assert_true(count > 0);
    *first = segments[count - 1];
    free(segments);
    assert_true(segment_open("spool", *first, false, &segment));
    while ((length = segment_record(&segment, offset, &record, &torn)) && length != SEALED &&
           record.number < number)
        offset += record_room(length);
    segment_close(&segment);
    return (off_t)offset;
}

/* Records with these numbers and behind them never got to the disk. A spool of an older time says
 * also how far it was then. */
static void lose_from(uint64_t number)
{
    uint64_t first;
    off_t offset = find_record(number, &first);
    static const char none[SEGMENT];
    damage(first, offset, none, (size_t)(SEGMENT - offset));
    struct bell *bell = bell_open("spool");
    bell->last = number - 1;
    bell_close(bell);
}

static uint64_t five_stored(void)
{
    struct spool_writer *writer = open_writer(1 << 20);
    for (int i = 0; i < 5; i++)
        assert_fine(append(writer, i, 100));
    struct spool_reader *reader = open_reader(0);
    uint64_t last = read_all(reader, 0, 5, 100);
    spool_reader_close(reader);
    spool_writer_close(writer);
    return last;
}

/* Whole records behind one that is not: they are kept beside, and a person is told where. */
static void a_damaged_end_is_named_once(void **state)
{
    (void)state;
    uint64_t last = five_stored(), first;
    char path[SEGMENT_PATH] = "";
    off_t offset = find_record(last - 2, &first);
    damage(first, offset + 60, "?", 1);
    struct spool_writer *writer = open_writer(1 << 20);
    const char *said = spool_writer_note(writer), *note = said ? said : "";
    const char *found = strstr(note, "spool/"), *at = found ? found : "";
    assert_non_null(strstr(note, "When the spool is damaged"));
    snprintf(path, sizeof path, "%.*s", (int)strcspn(at, ";"), at);
    assert_true(ends_with(path, SPOOL_SUFFIX));
    assert_int_equal(access(path, F_OK), 0);
    spool_writer_close(writer);
    writer = open_writer(1 << 20); /* another segment follows it: it is not told again */
    assert_null(spool_writer_note(writer));
    spool_writer_close(writer);
}

static void after_a_power_cut_nothing_new_is_passed_over(void **state)
{
    (void)state;
    uint64_t last = five_stored(), end, waiting;
    lose_from(last - 2);
    start_machine_again();
    struct spool_writer *writer = open_writer(1 << 20);
    assert_fine(append(writer, 5, 100));
    assert_fine(append(writer, 6, 100));
    spool_extent("spool", &(struct spool_place){0, last}, &end, &waiting);
    assert_int_equal(waiting, 2);
    struct spool_reader *reader = open_reader(last);
    assert_true(read_all(reader, 5, 7, 100) > last + 1000000);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void after_a_power_cut_the_reader_waits_for_the_writer(void **state)
{
    (void)state;
    uint64_t last = five_stored();
    lose_from(last - 2);
    start_machine_again();
    struct spool_reader *reader = open_reader(last);
    read_all(reader, 5, 5, 100);
    struct spool_writer *writer = open_writer(1 << 20);
    read_all(reader, 5, 5, 100);
    assert_fine(append(writer, 5, 100));
    read_all(reader, 5, 6, 100);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void an_older_spool_is_refused(void **state)
{
    (void)state;
    uint64_t last = five_stored();
    struct spool_reader *reader;
    bool anew;
    lose_from(last - 2);
    assert_int_equal(open_at(last, &reader, &anew, &error), REFUSED);
    assert_non_null(strstr(text_string(&error.message), "the database has stored record"));
    error_free(&error);
}

static void starts_without_a_power_cut_go_on(void **state)
{
    (void)state;
    uint64_t last = five_stored();
    start_machine_again();
    struct spool_writer *writer = open_writer(1 << 20);
    spool_writer_close(writer); /* nothing came */
    start_machine_again();
    writer = open_writer(1 << 20);
    assert_fine(append(writer, 5, 100));
    struct spool_reader *reader = open_reader(0);
    assert_true(read_all(reader, 0, 6, 100) > last);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static _Atomic int disk_errno;

static _Atomic bool slow_disk;

int fdatasync(int fildes)
{
    if (slow_disk)
        usleep(1000);
    if (!disk_errno)
        return (int)syscall(SYS_fdatasync, fildes);
    errno = disk_errno;
    return -1;
}

int rename(const char *old, const char *new)
{
    if (slow_disk)
        usleep(5000);
    return (int)syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0);
}

static void spares_are_used_and_not_left(void **state)
{
    (void)state;
    struct spool_writer *writer = open_flushing(1 << 20, 0.001);
    struct spool_reader *reader = open_reader(0);
    for (int i = 0; i < 500; i++) {
        assert_fine(append(writer, i, 100));
        if (i % 20 == 0)
            usleep(2000); /* some segments find a spare, some do not */
    }
    read_all(reader, 0, 500, 100);
    spool_reader_close(reader);
    spool_writer_close(writer);
    assert_int_not_equal(access("spool/spare", F_OK), 0);
    assert_int_not_equal(access("spool/.sf-segment", F_OK), 0);
    writer = open_writer(1 << 20);
    assert_fine(append(writer, 500, 100));
    reader = open_reader(0);
    read_all(reader, 0, 501, 100);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* The spare that the broker renames is not the one that the flusher writes meanwhile. */
static void a_spare_that_is_taken_is_not_made_anew(void **state)
{
    (void)state;
    struct spool_writer *writer = open_flushing(1 << 24, 0.001);
    struct spool_reader *reader = open_reader(0);
    slow_disk = true;
    for (int i = 0; i < 3000; i++)
        assert_fine(append(writer, i, 1000));
    slow_disk = false;
    read_all(reader, 0, 3000, 1000);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void a_disk_that_fails_refuses_and_stores_nothing(void **state)
{
    (void)state;
    struct spool_writer *writer = open_flushing(1 << 20, 3600);
    assert_fine(append(writer, 0, 100));
    disk_errno = EIO;
    assert_int_equal(spool_flush(writer, NULL), REFUSED);
    assert_int_equal(append(writer, 1, 100), REFUSED);
    assert_int_equal(append(writer, 1, 100), REFUSED);
    disk_errno = 0;
    for (int i = 0; i < 100 && append(writer, 1, 100) != FINE; i++)
        usleep(10000); /* it looks again after a while */
    assert_fine(append(writer, 2, 100));
    assert_int_equal(spool_flush(writer, NULL), FINE);
    struct spool_reader *reader = open_reader(0);
    read_all(reader, 0, 3, 100);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static struct spool_writer *open_shared(uint64_t most_of_one)
{
    const struct spool_options options = {.folder = "spool",
                                          .most_bytes = 1 << 20,
                                          .most_of_one = most_of_one,
                                          .segment_bytes = SEGMENT,
                                          .flush_seconds = 0};
    struct spool_writer *writer;
    assert_fine(spool_writer_open(&options, &writer, &error));
    return writer;
}

/* All records that there are count as stored. */
static void store_all(struct spool_reader *reader)
{
    uint64_t last = 0;
    size_t count;
    do {
        assert_fine(spool_read(reader, list, MOST, &count, &error));
        if (count)
            last = list[count - 1].number;
    } while (count);
    assert_fine(spool_done(reader, last, &error));
}

static void assert_held_back(size_t count, const char *name)
{
    char held[SHARES_NAME];
    assert_int_equal(spool_held_back("spool", held), count);
    assert_string_equal(held, name);
}

static void fill_share(struct spool_writer *writer, const char *client, int *number)
{
    while (append_of(writer, client, *number, 300) == FINE)
        assert_true(++*number < 100);
    assert_int_equal(error.status, REFUSED);
    assert_non_null(strstr(text_string(&error.message), "its share of the spool is full"));
    assert_non_null(spool_refusal(writer));
}

static void a_client_that_holds_its_share_is_refused_alone(void **state)
{
    (void)state;
    struct spool_writer *writer = open_shared(3 * SEGMENT);
    struct spool_reader *reader = open_reader(0);
    int number = 0;
    assert_held_back(0, "");
    fill_share(writer, "greedy", &number);
    assert_true(number * 400 > 3 * SEGMENT - 400 && number * 300 < 4 * SEGMENT);
    assert_held_back(1, "greedy");
    assert_fine(append_of(writer, "modest", number, 300));
    assert_null(spool_refusal(writer));
    number++;
    assert_int_equal(append_of(writer, "greedy", number, 300), REFUSED);
    spool_writer_close(writer); /* what it holds is counted again */
    writer = open_shared(3 * SEGMENT);
    assert_held_back(0, "");
    assert_int_equal(append_of(writer, "greedy", number, 300), REFUSED);
    assert_held_back(1, "greedy");
    assert_fine(append_of(writer, "modest", number++, 300));
    store_all(reader);
    usleep(250000);
    assert_null(spool_writer_note(writer));
    assert_held_back(0, "");
    assert_fine(append_of(writer, "greedy", number, 300));
    assert_null(spool_refusal(writer));
    spool_reader_close(reader);
    spool_writer_close(writer);
}

/* What one client holds in the segment that is written does not count: nothing would remove it. */
static void a_small_share_holds_nobody_up_for_good(void **state)
{
    (void)state;
    struct spool_writer *writer = open_shared(1);
    struct spool_reader *reader = open_reader(0);
    int number = 0;
    fill_share(writer, "only", &number);
    assert_true(number >= 8);
    store_all(reader);
    usleep(250000);
    int before = number;
    fill_share(writer, "only", &number);
    assert_true(number >= before + 8);
    spool_reader_close(reader);
    spool_writer_close(writer);
}

static void all_that_are_held_back_are_counted(void **state)
{
    (void)state;
    struct spool_writer *writer = open_shared(SEGMENT);
    struct spool_reader *reader = open_reader(0);
    int number = 0;
    fill_share(writer, "one", &number);
    assert_int_equal(append_of(writer, "two", number, SEGMENT), FINE);
    number++;
    while (append_of(writer, "two", number, 300) == FINE)
        number++;
    assert_held_back(2, "two");
    assert_int_equal(append_of(writer, "one", number, 300), REFUSED);
    assert_held_back(2, "one");
    spool_reader_close(reader);
    spool_writer_close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(comes_out_in_order, clear_workplace),
        cmocka_unit_test_setup(takes_the_largest, clear_workplace),
        cmocka_unit_test_setup(goes_on_where_it_was, clear_workplace),
        cmocka_unit_test_setup(refuses_when_full_and_drops_nothing, clear_workplace),
        cmocka_unit_test_setup(a_torn_record_is_cut_off, clear_workplace),
        cmocka_unit_test_setup(a_damaged_end_is_named_once, clear_workplace),
        cmocka_unit_test_setup(behind_damage_it_goes_on, clear_workplace),
        cmocka_unit_test_setup(a_damaged_end_is_told_without_a_writer, clear_workplace),
        cmocka_unit_test_setup(damage_in_what_is_stored_loses_nothing, clear_workplace),
        cmocka_unit_test_setup(another_version_is_refused, clear_workplace),
        cmocka_unit_test_setup(a_removed_segment_is_written_again, clear_workplace),
        cmocka_unit_test_setup(a_truncated_segment_is_damage, clear_workplace),
        cmocka_unit_test_setup(a_disk_that_fails_is_an_error, clear_workplace),
        cmocka_unit_test_setup(missing_records_are_said, clear_workplace),
        cmocka_unit_test_setup(begun_anew_is_told_apart, clear_workplace),
        cmocka_unit_test_setup(another_spool_is_read_from_its_beginning, clear_workplace),
        cmocka_unit_test_setup(only_one_of_each, clear_workplace),
        cmocka_unit_test_setup(extent_is_what_there_is, clear_workplace),
        cmocka_unit_test_setup(after_a_power_cut_nothing_new_is_passed_over, clear_workplace),
        cmocka_unit_test_setup(after_a_power_cut_the_reader_waits_for_the_writer, clear_workplace),
        cmocka_unit_test_setup(an_older_spool_is_refused, clear_workplace),
        cmocka_unit_test_setup(starts_without_a_power_cut_go_on, clear_workplace),
        cmocka_unit_test_setup(spares_are_used_and_not_left, clear_workplace),
        cmocka_unit_test_setup(a_spare_that_is_taken_is_not_made_anew, clear_workplace),
        cmocka_unit_test_setup(a_disk_that_fails_refuses_and_stores_nothing, clear_workplace),
        cmocka_unit_test_setup(a_client_that_holds_its_share_is_refused_alone, clear_workplace),
        cmocka_unit_test_setup(a_small_share_holds_nobody_up_for_good, clear_workplace),
        cmocka_unit_test_setup(all_that_are_held_back_are_counted, clear_workplace),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
