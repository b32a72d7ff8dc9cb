#include "state.h"
#include "backlog.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "programs.h"
#include "service.h"

#include <string.h>

enum { SHOWN_REASONS = 8 };

static cJSON *state_of(enum service service)
{
    struct daemon process;
    cJSON *state = json_object();
    bool running = service_find(service, &process);
    json_put_bool(state, "running", running);
    if (running) {
        char since[CLOCK_TEXT];
        clock_write(process.since, since);
        json_put_number(state, "pid", process.id);
        json_put_string(state, "since", since);
    }
    daemon_close(&process);
    return state;
}

/* Corrects the status of a sensorhub that is not running: it has no rate, and more readings may
 * wait than it knew. */
static void correct(cJSON *hub)
{
    owned char *program = programs_path(service_names[HUB]);
    double waiting = program ? backlog_waiting(program) : -1;
    cJSON_DeleteItemFromObject(hub, "lag");
    cJSON_DeleteItemFromObject(hub, "rows_per_second");
    if (waiting >= 0)
        json_put_number(hub, "waiting", waiting);
}

cJSON *state_make(void)
{
    cJSON *state = json_object(), *broker = state_of(BROKER), *hub = state_of(HUB);
    cJSON *told = service_hub_status();
    bool working = json_true(hub, "running") && service_hub_ready(told);
    if (service_broker_port(0))
        json_put_number(broker, "port", service_broker_port(0));
    /* The position in the spool may have more digits than a number of JSON can hold. */
    for (const cJSON *item = told ? told->child : NULL; item; item = item->next)
        if (!json_get(hub, item->string) && strcmp(item->string, "position") != 0)
            json_put(hub, item->string, cJSON_Duplicate(item, true));
    if (told && !json_true(hub, "running"))
        correct(hub);
    json_put_bool(hub, "working", working);
    json_put_bool(state, "running", json_true(broker, "running") && working);
    json_put(state, "broker", broker);
    json_put(state, "sensorhub", hub);
    cJSON_Delete(told);
    return state;
}

static void write_service(const cJSON *state, const char *title, const char *more, struct text *out)
{
    if (json_true(state, "running"))
        text_add_format(out, "%-10s runs since %s, process %.0f%s\n", title,
                        json_string(state, "since", ""), json_number(state, "pid", 0), more);
    else
        text_add_format(out, "%-10s is not running\n", title);
}

/* Adds a line about a count that is usually 0, unless it is. */
static void write_rare(const cJSON *hub, const char *key, const char *words, struct text *out)
{
    if (json_number(hub, key, 0) > 0)
        text_add_format(out, "%-10s %.0f %s\n", "", json_number(hub, key, 0), words);
}

static void write_lines(const char *title, const char *lines, struct text *out)
{
    for (; *lines; title = "") {
        int length = (int)strcspn(lines, "\n");
        text_add_format(out, "%-10s %.*s\n", title, length, lines);
        lines += length + (lines[length] == '\n');
    }
}

/* hub/engine/counts.h has the list, the most frequent one first. */
static void write_reasons(const cJSON *reasons, struct text *out)
{
    const cJSON *reason;
    int shown = 0;
    cJSON_ArrayForEach(reason, reasons)
    {
        if (shown++ < SHOWN_REASONS)
            text_add_format(out, "%-10s %.0f %s\n", "", reason->valuedouble, reason->string);
    }
    if (shown > SHOWN_REASONS)
        text_add_format(out, "%-10s and %d more reasons: --json shows all\n", "",
                        shown - SHOWN_REASONS);
}

static void write_counts(const cJSON *hub, struct text *out)
{
    text_add_format(out, "%-10s %.0f accepted: %.0f valid, %.0f invalid", "readings",
                    json_number(hub, "readings", 0), json_number(hub, "valid", 0),
                    json_number(hub, "invalid", 0));
    if (json_true(hub, "running"))
        text_add_format(out, "; %.0f/s", json_number(hub, "rows_per_second", 0));
    text_add_char(out, '\n');
    write_reasons(json_get(hub, "reasons"), out);
    write_rare(hub, "unmatched", "that no rule took, which are not stored", out);
    write_rare(hub, "duplicates", "sent twice, stored once", out);
    write_rare(hub, "rejected", "rejected by their table, which has other values (table _log)",
               out);
    write_rare(hub, "errors", "errors of rules and actions (table _log)", out);
    write_rare(hub, "missing", "missing: damaged or removed in the spool", out);
    write_rare(hub, "unsent", "messages to people that are not sent yet", out);
}

/* Types whose readings cannot be stored for the time being; engine_report_waiting() has the list. */
static void write_aside(const cJSON *list, struct text *out)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        char since[CLOCK_TEXT];
        clock_write_local((int64_t)(json_number(item, "since", 0) / 1000), since);
        text_add_format(out, "%-10s %s: %.0f readings are set aside", "held",
                        json_string(item, "type", ""), json_number(item, "count", 0));
        if (json_get(item, "since"))
            text_add_format(out, ", the oldest of %s", since);
        text_add_char(out, '\n');
        write_lines("", json_string(item, "why", ""), out);
    }
    if (cJSON_GetArraySize(list))
        text_add_format(out,
                        "%-10s they are stored when the type is mended: docs/local.md, \"Readings "
                        "that are set aside\"\n",
                        "");
}

/* The counts are in the database, so sensorhub knows them only after it has connected. */
static void write_work(const cJSON *hub, struct text *out)
{
    bool ready = json_true(hub, "ready");
    if (ready)
        write_counts(hub, out);
    text_add_format(out, "%-10s %s%.0f in the spool", "waiting", ready ? "" : "up to ",
                    json_number(hub, "waiting", 0));
    if (ready && json_true(hub, "running"))
        text_add_format(out, ", %.1f s behind", json_number(hub, "lag", 0));
    text_add_char(out, '\n');
    write_lines("trouble", json_string(hub, "trouble", ""), out);
    write_lines("", json_string(hub, "advice", ""), out);
    write_lines("refused", json_string(hub, "held_back", ""), out);
    write_lines("damage", json_string(hub, "damage", ""), out);
    write_lines("clock", json_string(hub, "doubt", ""), out);
    write_aside(json_get(hub, "aside"), out);
}

void state_write(const cJSON *state, struct text *out)
{
    const cJSON *broker = json_get(state, "broker"), *hub = json_get(state, "sensorhub");
    owned char *port = must_format(", port %.0f", json_number(broker, "port", 0));
    write_service(broker, "broker", port, out);
    write_service(hub, "sensorhub", "", out);
    if (json_get(hub, "readings"))
        write_work(hub, out);
}
