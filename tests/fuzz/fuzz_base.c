/* Any bytes as a time, a duration and base64. A time that is read is written and read back as the
 * same; base64 that is read is the only spelling of its bytes. */
#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "workplace.h"

static const int64_t day = INT64_C(86400000);

static void check_time(int64_t milliseconds)
{
    char text[CLOCK_TEXT];
    int64_t back;
    /* From year 0 to 9999, and an offset or a time zone to either side. */
    must_hold(milliseconds >= -62167219200000 - 2 * day &&
              milliseconds < 253402300800000 + 2 * day);
    clock_write_milliseconds(milliseconds, text);
    if (strlen(text) == strlen("2026-11-21T10:12:00.123Z")) /* within these years */
        must_hold(clock_read(text, &back) && back == milliseconds);
    clock_write_local_milliseconds(milliseconds, text);
}

static void check_base64(const char *characters, size_t length)
{
    owned char *bytes = must_alloc(base64_decoded_length(length));
    size_t count;
    if (!base64_decode(characters, length, bytes, &count))
        return;
    owned char *again = must_alloc(base64_encoded_length(count) + 1);
    base64_encode(bytes, count, again);
    must_hold(strlen(again) == length && memcmp(again, characters, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    owned char *text = must_copy_bytes((const char *)input, size);
    int64_t full, partial, typed, number = 0;
    bool is_full = clock_read(text, &full);
    if (is_full)
        check_time(full);
    if (clock_read_partial(text, &partial))
        check_time(partial);
    if (clock_read_typed(text, &typed))
        check_time(typed);
    /* What is a full time is read alike by the tolerant readers. */
    must_hold(!is_full || (partial == full && typed == full));
    double seconds = clock_duration(text);
    must_hold(seconds == -1 || seconds >= 0);
    check_base64(text, size);
    memcpy(&number, input, size < sizeof number ? size : sizeof number);
    clock_write_milliseconds(number, (char[CLOCK_TEXT]){0});
    clock_write_local_milliseconds(number, (char[CLOCK_TEXT]){0});
    return 0;
}
