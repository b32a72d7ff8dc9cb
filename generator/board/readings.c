#include "readings.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_MARK = 0x1e };

static void forget_message(struct readings *readings, size_t index)
{
    free(readings->sent[index].topic);
    free(readings->sent[index].payload);
    readings->sent_count--;
    memmove(&readings->sent[index], &readings->sent[index + 1],
            (readings->sent_count - index) * sizeof *readings->sent);
}

static void forget_reading(struct readings *readings, size_t index)
{
    free(readings->waiting[index].members);
    readings->waiting_count--;
    memmove(&readings->waiting[index], &readings->waiting[index + 1],
            (readings->waiting_count - index) * sizeof *readings->waiting);
}

/* --- events --- */

static const char *word(const cJSON *event, int index)
{
    const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(event, index));
    return value ? value : "";
}

static double number(const cJSON *event, int index)
{
    const cJSON *item = cJSON_GetArrayItem(event, index);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void take_reading(struct readings *readings, const cJSON *event)
{
    struct board_reading reading = {.time = (int64_t)number(event, 1),
                                    .members = must_copy(word(event, 2))};
    readings->waiting = must_grow(readings->waiting, readings->waiting_count + 1,
                                  &readings->waiting_room, sizeof *readings->waiting);
    readings->waiting[readings->waiting_count++] = reading;
    readings->taken++;
}

static void take_message(struct readings *readings, const cJSON *event)
{
    struct board_message message = {.id = (int)number(event, 1),
                                    .topic = must_copy(word(event, 2)),
                                    .payload = must_copy(word(event, 3))};
    readings->sent = must_grow(readings->sent, readings->sent_count + 1, &readings->sent_room,
                               sizeof *readings->sent);
    readings->sent[readings->sent_count++] = message;
}

/* The waiting reading that a payload begins with, the longest where several do; waiting_count when
 * the board's own code published something else. */
static size_t find_reading(const struct readings *readings, const char *payload)
{
    size_t found = readings->waiting_count, longest = 0;
    for (size_t i = 0; i < readings->waiting_count; i++) {
        const char *members = readings->waiting[i].members;
        size_t length = strlen(members);
        bool fits = *payload == '{' && strncmp(payload + 1, members, length) == 0 &&
                    (!length || payload[1 + length] == ',' || payload[1 + length] == '}');
        if (fits && (found == readings->waiting_count || length > longest)) {
            found = i;
            longest = length;
        }
    }
    return found;
}

/* A payload carries the time that the board believes; a clock that was set later corrects it. */
static int64_t time_of(const char *payload, int64_t otherwise)
{
    cJSON *message = cJSON_Parse(payload);
    double time = json_number(message, "time", (double)otherwise);
    cJSON_Delete(message);
    return (int64_t)time;
}

static void report_acknowledged(struct readings *readings, const struct board_message *message)
{
    size_t at = find_reading(readings, message->payload);
    bool ours = at < readings->waiting_count;
    struct board_reading other = {.time = clock_milliseconds()};
    struct board_reading *reading = ours ? &readings->waiting[at] : &other;
    struct reading_report report = {.fate = READING_ACKNOWLEDGED,
                                    .late = reading->reported,
                                    .time = time_of(message->payload, reading->time),
                                    .members = ours ? reading->members : "",
                                    .topic = message->topic,
                                    .payload = message->payload};
    readings->listener.reading(readings->listener.context, &report);
    if (!ours)
        return;
    readings->acknowledged++;
    readings->kept -= reading->reported;
    forget_reading(readings, at);
}

static void take_acknowledgement(struct readings *readings, const cJSON *event)
{
    for (size_t i = 0; i < readings->sent_count; i++)
        if (readings->sent[i].id == (int)number(event, 1)) {
            report_acknowledged(readings, &readings->sent[i]);
            forget_message(readings, i);
            return;
        }
}

static void report_kept(struct readings *readings)
{
    for (size_t i = 0; i < readings->waiting_count; i++) {
        struct board_reading *reading = &readings->waiting[i];
        if (reading->reported)
            continue;
        struct reading_report report = {
            .fate = READING_KEPT, .time = reading->time, .members = reading->members};
        readings->listener.reading(readings->listener.context, &report);
        reading->reported = true;
        readings->kept++;
    }
}

static void take_event(struct readings *readings, const cJSON *event)
{
    const char *kind = word(event, 0);
    if (strcmp(kind, "taken") == 0)
        take_reading(readings, event);
    else if (strcmp(kind, "published") == 0)
        take_message(readings, event);
    else if (strcmp(kind, "acknowledged") == 0)
        take_acknowledgement(readings, event);
    else if (strcmp(kind, "resting") == 0)
        report_kept(readings);
}

/* --- the whole --- */

/* What the board printed without a newline before the event stands in front of it. */
void readings_take_line(struct readings *readings, char *line)
{
    char *mark = strchr(line, EVENT_MARK);
    if (mark)
        *mark = '\0';
    if (*line || !mark)
        readings->listener.printed(readings->listener.context, line);
    if (!mark)
        return;
    cJSON *event = cJSON_Parse(mark + 1);
    take_event(readings, event);
    cJSON_Delete(event);
}

void readings_end_run(struct readings *readings)
{
    while (readings->sent_count)
        forget_message(readings, readings->sent_count - 1);
}

void readings_free(struct readings *readings)
{
    readings_end_run(readings);
    while (readings->waiting_count)
        forget_reading(readings, readings->waiting_count - 1);
    free(readings->sent);
    free(readings->waiting);
}
