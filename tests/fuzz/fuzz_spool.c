/* Any bytes at the end of the last segment, or as all of it, as a crash or a bad disk may leave
 * them. The writer opens the spool, or says why not, and appends; the reader finds what was whole,
 * in order, and what came after. The first byte of the input says which of the two. */
#include "common/base/files.h"
#include "hub/spool/segment.h"
#include "workplace.h"

#include <fcntl.h>

enum { SEGMENT = 4096, WHOLE = 3, MOST = 64 };

static const struct spool_options options = {
    .folder = "spool", .most_bytes = 1 << 20, .segment_bytes = SEGMENT};

static struct spool_record list[MOST];

static void append(struct spool_writer *writer, const char *payload)
{
    const struct spool_record record = {.topic = "t/a",
                                        .topic_length = 3,
                                        .client_id = "a",
                                        .client_id_length = 1,
                                        .principal = "p",
                                        .principal_length = 1,
                                        .payload = payload,
                                        .payload_length = (uint32_t)strlen(payload)};
    must_hold(spool_append(writer, &record, NULL) == FINE);
}

static bool is(const struct spool_record *record, const char *payload)
{
    return record->payload_length == strlen(payload) &&
           memcmp(record->payload, payload, record->payload_length) == 0;
}

/* A spool of one segment with some records; where they end. */
static off_t make_spool(uint64_t *first)
{
    struct spool_writer *writer;
    struct spool_record record;
    struct segment segment;
    uint64_t *numbers, offset = sizeof(struct segment_header);
    uint32_t length;
    bool torn;
    must_hold(spool_writer_open(&options, &writer, &(struct error){0}) == FINE);
    for (int i = 0; i < WHOLE; i++)
        append(writer, "whole");
    spool_writer_close(writer);
    must_hold(segment_list("spool", &numbers, NULL) == 1);
    *first = numbers[0];
    free(numbers);
    must_hold(segment_open("spool", *first, false, &segment));
    while ((length = segment_record(&segment, offset, &record, &torn)) && length != SEALED)
        offset += record_room(length);
    segment_close(&segment);
    return (off_t)offset;
}

static void overwrite(uint64_t first, off_t from, const uint8_t *bytes, size_t length)
{
    char path[SEGMENT_PATH];
    if (length > (size_t)(SEGMENT - from))
        length = (size_t)(SEGMENT - from);
    segment_path("spool", first, path);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    must_hold(file >= 0 && pwrite(file, bytes, length, from) == (ssize_t)length);
    close(file);
}

/* All that can be read: how many are whole ones at the beginning, whether the last is the new one.
 */
static enum status read_all(size_t *whole, bool *last_is_new)
{
    struct spool_reader *reader;
    struct error error = {0};
    bool anew, beginning = true;
    size_t count;
    *whole = 0;
    *last_is_new = false;
    enum status status =
        spool_reader_open("spool", &(struct spool_place){0}, &reader, &anew, &error);
    do {
        if (!status)
            status = spool_read(reader, list, MOST, &count, &error);
        for (size_t i = 0; !status && i < count; i++) {
            beginning = beginning && is(&list[i], "whole");
            *whole += beginning;
            *last_is_new = is(&list[i], "new");
        }
    } while (!status && count);
    spool_reader_close(reader);
    error_free(&error);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static bool here;
    struct spool_writer *writer;
    struct error error = {0};
    uint64_t first;
    size_t whole;
    bool last_is_new;
    if (!here)
        go_to_workplace();
    here = true;
    if (!size)
        return 0;
    must_hold(remove_tree("spool", &error) == FINE);
    off_t end = make_spool(&first);
    bool tail = input[0] & 1;
    overwrite(first, tail ? end : 0, input + 1, size - 1);
    enum status status = spool_writer_open(&options, &writer, &error);
    must_hold(!tail || status == FINE);
    if (!status) {
        append(writer, "new");
        spool_writer_close(writer);
    }
    enum status read = read_all(&whole, &last_is_new);
    must_hold(!tail || (read == FINE && whole >= WHOLE && last_is_new));
    error_free(&error);
    return 0;
}
