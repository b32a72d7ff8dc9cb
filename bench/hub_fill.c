/* Fills a spool with readings, as the broker's plugin would.
 *
 *   hub_fill FOLDER COUNT THINGS TYPE...
 *
 * COUNT readings of THINGS things, in turn; with several types, each reading is of the next one.
 * Each has a time of its own, one millisecond after the one before, ending now. */
#include "common/base/clock.h"
#include "hub/spool/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct spool_writer *writer;
    struct error error = {0};
    if (argc < 5)
        return 2;
    const struct spool_options options = {.folder = argv[1],
                                          .most_bytes = UINT64_C(1) << 40,
                                          .segment_bytes = 16 << 20,
                                          .flush_seconds = 1};
    int64_t count = atoll(argv[2]), things = atoll(argv[3]), begin = clock_milliseconds() - count;
    if (spool_writer_open(&options, &writer, &error)) {
        fprintf(stderr, "%s\n", text_string(&error.message));
        return 1;
    }
    for (int64_t i = 0; i < count; i++) {
        char topic[128], thing[32], payload[128];
        const char *type = argv[4 + i % (argc - 4)];
        static const char principal[] =
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        int thing_length = snprintf(thing, sizeof thing, "thing-%" PRId64, i % things);
        int topic_length = snprintf(topic, sizeof topic, "%s/%s", type, thing);
        int length = snprintf(payload, sizeof payload,
                              "{\"time\": %" PRId64 ", \"temperature\": %d.%02d, \"zone\": \"%d\"}",
                              begin + i, (int)(i % 30), (int)(i % 100), (int)(i % things % 4 + 1));
        const struct spool_record record = {.time = begin + i,
                                            .topic = topic,
                                            .topic_length = (uint32_t)topic_length,
                                            .client_id = thing,
                                            .client_id_length = (uint32_t)thing_length,
                                            .principal = principal,
                                            .principal_length = sizeof principal - 1,
                                            .payload = payload,
                                            .payload_length = (uint32_t)length};
        if (spool_append(writer, &record, &error)) {
            fprintf(stderr, "%s\n", text_string(&error.message));
            return 1;
        }
    }
    spool_writer_close(writer);
    return 0;
}
