#include "retention.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#include <inttypes.h>

enum { EXPIRE_AT_ONCE = 2000 /* rows */ };

static const double round_seconds = 600;

/* *entry: the type where the round is. False: the round is finished. */
static bool next_to_expire(struct retention *retention, const struct deployed *deployed,
                           const struct deployed_type **entry)
{
    while (retention->type < deployed_count(deployed)) {
        *entry = deployed_at(deployed, retention->type);
        const struct type *type = (*entry)->type;
        if (type && (retention->table < type->table_count || retention->log < type->log_count))
            return true;
        retention->type++;
        retention->table = retention->log = 0;
    }
    return false;
}

/* Logs what this round deleted of one table or log group, and goes to the next one. */
static void finish(struct retention *retention, const char *what, const char *name, size_t *place)
{
    char time[CLOCK_TEXT];
    clock_write_milliseconds(retention->sum.before, time);
    if (retention->sum.count)
        log_line("retention: %" PRIu64 " %s of %s \"%s\" are deleted: older than %s",
                 retention->sum.count, retention->sum.unit, what, name, time);
    retention->sum = (struct expired){0};
    (*place)++;
}

static void add(struct retention *retention, const struct expired *expired)
{
    uint64_t count = retention->sum.count + expired->count;
    retention->sum = *expired;
    retention->sum.count = count;
}

static enum status expire_table(struct retention *retention, const struct type *type,
                                struct store *store, int64_t now, struct error *error)
{
    const struct table_definition *definition = &type->tables[retention->table].definition;
    struct store_table *table = NULL;
    struct expired expired = {0};
    enum status status = store_table(store, definition, &table, error);
    if (!status)
        status = store_expire(table, now, EXPIRE_AT_ONCE, &expired, error);
    if (status == REFUSED && store_troubled(store)) {
        log_error("nothing is deleted: ", error);
        status = WRONG_INPUT;
    }
    if (status == WRONG_INPUT) { /* the other tables can be used; why it cannot is logged */
        error_free(error);
        status = FINE;
    }
    add(retention, &expired);
    if (!expired.more)
        finish(retention, "table", definition->name, &retention->table);
    return status;
}

static enum status expire_log(struct retention *retention, const struct log_retention *log,
                              struct store *store, int64_t now, struct error *error)
{
    struct expired expired = {0};
    enum status status = FINE;
    if (log->seconds > 0)
        status = store_expire_log(store, log->group, now - (int64_t)(log->seconds * 1000),
                                  EXPIRE_AT_ONCE, &expired, error);
    add(retention, &expired);
    if (!expired.more)
        finish(retention, "log group", log->group, &retention->log);
    return status;
}

enum status retention_turn(struct retention *retention, const struct deployed *deployed,
                           struct store *store, int64_t now, bool *ended, struct error *error)
{
    const struct deployed_type *entry;
    double time = clock_monotonic();
    *ended = false;
    if (!retention->at_work && retention->began > 0 && time - retention->began < round_seconds)
        return FINE;
    if (!retention->at_work)
        *retention = (struct retention){.began = time, .at_work = true};
    if (!next_to_expire(retention, deployed, &entry)) {
        *ended = true;
        retention->at_work = false;
        return FINE;
    }
    return retention->table < entry->type->table_count
               ? expire_table(retention, entry->type, store, now, error)
               : expire_log(retention, &entry->type->logs[retention->log], store, now, error);
}
