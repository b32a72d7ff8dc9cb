/* Stores what is in the spool, until a signal.
 *
 * The position in the spool is always the one in the database. After any failure the database is
 * opened again and asked for its position; then the batch in memory is processed again, or what is
 * already stored of it is skipped. The types are looked at between batches. */
#include "run.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/spec/system.h"
#include "hub/engine/engine.h"
#include "hub/engine/known_time.h"
#include "retention.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_IN_BATCH = 30000 /* records */
};

/* Bytes of payloads that may be set aside: as many as the spool holds by default. */
static const uint64_t most_waiting = UINT64_C(1) << 30;

static const double look_seconds = 1;      /* interval between two looks at the types */
static const double gather_seconds = 0.02; /* interval between two commits, if both are small */
static const double idle_seconds = 0.5;    /* timeout of the sleep while nothing comes */
static const double tidy_seconds = 1;      /* interval between two removals of stored segments */
static const double first_retry_seconds =
    0.1; /* delay after a failure; each further one doubles it */
static const double longest_retry_seconds = 10;
static const double ending_retry_seconds = 1;   /* the longest delay after a signal to end */
static const double drain_timeout_seconds = 20; /* for a database that refuses, after that signal */

static volatile sig_atomic_t told_to_end, told_to_reload; /* set by signals */

struct hub {
    const struct run_options *options;
    struct system system;
    struct deployed *deployed;
    struct delivery_queue *deliveries;
    struct engine *engine;
    struct status_page *page;
    struct store *store;         /* NULL: not open */
    struct spool_reader *reader; /* NULL: not open */

    /* The batch that was read from the spool. */
    struct spool_record records[MOST_IN_BATCH];
    size_t count, stored; /* its records; how many of them are stored */
    uint64_t position;    /* number of the last record that is stored */
    bool resuming;        /* there may be more records that were set aside and can be stored */
    bool damaged;         /* the spool was damaged where it was read */
    size_t aside;         /* types whose readings are set aside */
    uint64_t missing;     /* records that were damaged or gone there, since the start */
    struct counts counts; /* as they are in the database */

    /* Times of the monotonic clock, in seconds. 0: never. */
    double looked;     /* at the types */
    double tidied;     /* the spool */
    double committed;  /* a batch */
    double ended;      /* when it was told to end */
    double complained; /* when a failure was logged last; 0: there is none now */
    double retry;      /* delay before the next try; 0: there is no failure now */

    struct known_time known;
    struct retention retention;
};

/* --- signals --- */

static void on_signal(int number)
{
    if (number == SIGHUP)
        told_to_reload = 1;
    else
        told_to_end = 1;
}

static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

/* --- the lock: one sensorhub in a project --- */

static enum status lock_pid(int *lock, struct error *error)
{
    char pid[32];
    *lock = open(HUB_PID, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock < 0)
        return fail_errno(error, "cannot open " HUB_PID);
    if (flock(*lock, LOCK_EX | LOCK_NB)) {
        fail(error, REFUSED, "sensorhub is running here already");
        return advise(error, "make status shows it; make down stops it");
    }
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(*lock, 0) || pwrite(*lock, pid, (size_t)length, 0) != length)
        return fail_errno(error, "cannot write " HUB_PID);
    return FINE;
}

/* --- the database --- */

/* After a failure: logs it once a minute, and waits before the next try (exponential backoff). */
static void back_off(struct hub *hub, struct error *error)
{
    log_error_each_minute("", error, &hub->complained);
    status_trouble(hub->page, hub->reader != NULL, error);
    hub->retry =
        hub->retry == 0 ? first_retry_seconds : fmin(2 * hub->retry, longest_retry_seconds);
    if (hub->ended > 0)
        hub->retry = fmin(hub->retry, ending_retry_seconds);
    clock_sleep(hub->retry);
}

static void note_success(struct hub *hub)
{
    if (hub->complained > 0)
        log_line("readings are stored again");
    hub->complained = hub->retry = 0;
    status_works(hub->page);
}

static void close_store(struct hub *hub)
{
    store_close(hub->store);
    hub->store = NULL;
    if (hub->engine)
        engine_forget_store(hub->engine);
}

/* Skips records of the batch that are stored already. When the database has a position outside of
 * the batch (it was restored from a backup, or made anew), the spool is opened again at that
 * position. */
static void take_position(struct hub *hub, uint64_t position)
{
    size_t i = 0;
    while (i < hub->count && hub->records[i].number <= position)
        i++;
    bool here = hub->count == 0 ? position == hub->position
                : i == hub->count
                    ? hub->records[i - 1].number == position
                    : i > 0 || hub->records[0].number == position + 1 || position == hub->position;
    hub->position = position;
    hub->stored = i;
    if (here)
        return;
    hub->count = hub->stored = 0;
    spool_reader_close(hub->reader);
    hub->reader = NULL;
}

static enum status open_store(struct hub *hub, struct error *error)
{
    uint64_t position;
    char counts[LONGEST_COUNTS];
    enum status status = store_open(hub->system.local.store, false, &hub->store, error);
    if (status && !error->advice.length)
        advise(error, "local.store of " SYSTEM_FILE " names it; it is tried again");
    if (!status && store_upgraded(hub->store))
        log_line("%s", store_upgraded(hub->store));
    if (!status)
        status = store_position(hub->store, &position, counts, error);
    if (!status)
        status = deployed_attach(hub->deployed, hub->store, error);
    if (status) {
        close_store(hub);
        return status;
    }
    counts_read(counts, &hub->counts);
    if (!hub->known.time)
        hub->known =
            (struct known_time){.time = (int64_t)hub->counts.clock, .at = clock_since_boot()};
    take_position(hub, position);
    return FINE;
}

static enum status open_spool(struct hub *hub, struct error *error)
{
    bool anew = false;
    const struct spool_place place = {hub->counts.spool, hub->position};
    enum status status = spool_reader_open(SPOOL_FOLDER, &place, &hub->reader, &anew, error);
    if (!status && anew)
        log_line("the spool was begun anew");
    return status;
}

static void note_damage(struct hub *hub)
{
    uint64_t missing;
    char kept[SPOOL_PATH];
    if (!hub->reader || !spool_damage(hub->reader, &missing, kept))
        return;
    hub->damaged = true;
    hub->missing += missing;
    log_line("the spool is damaged: %" PRIu64
             " readings are missing, the file is kept as %s; what is behind it is stored",
             missing, kept);
}

/* --- types --- */

static enum status look_at_types(struct hub *hub, struct error *error)
{
    struct error ignored = {0};
    if (told_to_reload) {
        told_to_reload = 0;
        if (log_open(hub->options->log, &ignored))
            log_error("", &ignored);
        log_line("told to look at the types again");
        error_free(&ignored);
    }
    hub->looked = clock_monotonic();
    return deployed_refresh(hub->deployed) ? deployed_attach(hub->deployed, hub->store, error)
                                           : deployed_retry(hub->deployed, hub->store, error);
}

/* --- retention --- */

static void note_doubt(struct hub *hub, int64_t wall, int64_t time)
{
    char shown[CLOCK_TEXT], known[CLOCK_TEXT];
    clock_write_milliseconds(wall, shown);
    clock_write_milliseconds(time, known);
    if (hub->known.doubted)
        log_line("the clock shows %s, and by all that is known it is %s: nothing is deleted by the "
                 "clock until things send readings with times near it",
                 shown, known);
    else
        log_line("the clock shows %s, and retention goes by it again", shown);
}

/* The time that retention goes by. */
static int64_t look_at_clock(struct hub *hub)
{
    bool doubted = hub->known.doubted;
    int64_t wall = clock_milliseconds();
    int64_t time =
        known_time_now(&hub->known, wall, clock_since_boot(), (int64_t)hub->counts.newest);
    if (doubted != hub->known.doubted)
        note_doubt(hub, wall, known_time_reached(&hub->known, clock_since_boot()));
    int64_t reached = known_time_reached(&hub->known, clock_since_boot());
    status_doubt(hub->page, hub->known.doubted ? reached : 0);
    hub->counts.clock = (uint64_t)reached;
    if (!hub->known.doubted && hub->counts.newest > (uint64_t)wall)
        hub->counts.newest = (uint64_t)wall; /* of a time when the clock was ahead */
    return time;
}

/* At the end of a round, the time is noted in the database, also while no readings come. */
static enum status expire(struct hub *hub, int64_t now, struct error *error)
{
    bool ended = false;
    size_t none;
    enum status status =
        retention_turn(&hub->retention, hub->deployed, hub->store, now, &ended, error);
    return status || !ended ? status
                            : engine_batch(hub->engine, hub->store, NULL, 0, &none, hub->position,
                                           &hub->counts, error);
}

/* --- the loop --- */

static void note_status(struct hub *hub)
{
    const struct spool_record *last = hub->stored ? &hub->records[hub->stored - 1] : NULL;
    bool behind = hub->count == MOST_IN_BATCH || hub->stored < hub->count;
    double lag = behind && last ? (double)(clock_milliseconds() - last->time) / 1000 : 0;
    struct delivery_counts deliveries = delivery_queue_count(hub->deliveries);
    struct buffer aside = {0};
    hub->aside = engine_report_waiting(hub->engine, &aside);
    status_note(hub->page, &hub->counts, hub->position, lag, &deliveries, buffer_string(&aside));
    buffer_free(&aside);
}

/* Reports failed deliveries while no readings come whose batch would report them. */
static enum status report_returned(struct hub *hub, struct error *error)
{
    size_t none = 0;
    if (!delivery_queue_count(hub->deliveries).returned)
        return FINE;
    return engine_batch(hub->engine, hub->store, NULL, 0, &none, hub->position, &hub->counts,
                        error);
}

/* Records that are missing at the end of the spool: their number is in the database at once, and not
 * only with the next reading, which may never come. */
static enum status note_passed(struct hub *hub, struct error *error)
{
    struct counts counts = hub->counts;
    struct spool_place place;
    uint64_t missing;
    size_t none = 0;
    if (!hub->reader || !spool_passed(hub->reader, &place, &missing))
        return FINE;
    counts.missing += missing;
    if (place.spool)
        counts.spool = place.spool;
    enum status status =
        engine_batch(hub->engine, hub->store, NULL, 0, &none, place.number, &counts, error);
    if (status)
        return status;
    spool_pass_noted(hub->reader);
    hub->counts = counts;
    hub->position = place.number;
    return FINE;
}

/* Stores the batch that was read. */
static enum status store_records(struct hub *hub, struct error *error)
{
    enum status status = FINE;
    while (hub->stored < hub->count && !status) {
        size_t done = 0;
        status = engine_batch(hub->engine, hub->store, hub->records + hub->stored,
                              hub->count - hub->stored, &done, hub->position, &hub->counts, error);
        hub->stored += done;
        if (done)
            hub->position = hub->records[hub->stored - 1].number;
    }
    if (!status)
        status = note_passed(hub, error);
    if (!status && !hub->count)
        status = report_returned(hub, error);
    hub->committed = clock_monotonic();
    note_status(hub);
    return status;
}

static enum status tidy(struct hub *hub, struct error *error)
{
    double now = clock_monotonic();
    if (now - hub->tidied < tidy_seconds && hub->ended == 0)
        return FINE;
    hub->tidied = now;
    return spool_done(hub->reader, hub->position, error);
}

/* After a small batch: waits a moment, so that the next batch is larger. Sleeps while nothing
 * comes. */
static void wait_for_more(struct hub *hub)
{
    double now = clock_monotonic(), since = now - hub->committed;
    if (hub->count == MOST_IN_BATCH || hub->ended > 0)
        return;
    if (hub->count && since < gather_seconds)
        clock_sleep(gather_seconds - since);
    else if (!hub->count && !hub->retention.at_work && !hub->resuming)
        spool_wait(hub->reader, idle_seconds);
}

/* One turn of the loop: reads one batch and stores it; opens what is not open. */
static enum status turn(struct hub *hub, struct error *error)
{
    enum status status = FINE;
    status_turn(hub->page);
    if (!hub->store)
        status = open_store(hub, error);
    if (!status && !hub->reader)
        status = open_spool(hub, error);
    if (!status && (told_to_reload || clock_monotonic() - hub->looked > look_seconds))
        status = look_at_types(hub, error);
    if (!status && !hub->count)
        status = store_check(hub->store, error);
    if (!status && hub->stored == hub->count) {
        hub->stored = hub->count = 0;
        status = spool_read(hub->reader, hub->records, MOST_IN_BATCH, &hub->count, error);
        if (!status && !hub->count)
            deployed_drained(hub->deployed);
    }
    note_damage(hub);
    int64_t now = hub->store ? look_at_clock(hub) : 0;
    if (!status)
        status = engine_resume(hub->engine, hub->store, hub->position, &hub->counts, &hub->resuming,
                               error);
    if (!status)
        status = store_records(hub, error);
    if (!status)
        status = tidy(hub, error);
    if (!status && hub->ended == 0)
        status = expire(hub, now, error);
    return status;
}

static bool has_ended(struct hub *hub, bool idle)
{
    if (hub->ended == 0 && (told_to_end || hub->options->drain)) {
        hub->ended = clock_monotonic();
        log_line(told_to_end ? "told to end" : "draining the spool");
        return false;
    }
    return hub->ended > 0 && idle;
}

static enum status loop(struct hub *hub, struct error *error)
{
    uint64_t last = 0, waiting;
    for (;;) {
        enum status status = turn(hub, error);
        bool idle = !status && !hub->count && !hub->resuming;
        if (status) {
            close_store(hub);
            back_off(hub, error);
        } else {
            note_success(hub);
            wait_for_more(hub);
        }
        bool ending = hub->ended > 0;
        if (has_ended(hub, idle))
            return FINE;
        if (!ending && hub->ended > 0)
            spool_extent(SPOOL_FOLDER, &(struct spool_place){hub->counts.spool, hub->position},
                         &last, &waiting);
        if (hub->ended > 0 && !status && hub->position >= last && hub->stored == hub->count &&
            !(hub->resuming && hub->options->drain))
            return FINE; /* what comes from now on is stored after the next start */
        if (hub->ended > 0 && status && clock_monotonic() - hub->ended > drain_timeout_seconds) {
            advise(error, "what is in the spool is stored after the next start");
            return status;
        }
    }
}

/* --- beginning and end --- */

static enum status begin(struct hub *hub, int *lock, struct error *error)
{
    const char *folders[] = {LOCAL_FOLDER, RUN_FOLDER, LOG_FOLDER};
    sigset_t all, before;
    enum status status = system_read(&hub->system, error);
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !status; i++)
        status = make_folders(folders[i], FOLDER_SECRET, error);
    if (!status)
        status = log_open(hub->options->log, error);
    if (!status)
        status = lock_pid(lock, error);
    /* Only this thread handles signals: they end its sleep. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (!status)
        status = delivery_queue_start(hub->system.local.mqtt_port, &hub->deliveries, error);
    if (!status)
        status = status_start(&hub->page, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status)
        return status;
    hub->deployed = deployed_new(&hub->system.local.notify);
    const struct engine_options options = {.deployed = hub->deployed,
                                           .deliveries = hub->deliveries,
                                           .notify = &hub->system.local.notify,
                                           .account = hub->system.aws.account,
                                           .most_waiting = most_waiting};
    hub->engine = engine_new(&options);
    deployed_refresh(hub->deployed);
    deployed_drained(hub->deployed); /* from now on, types leave when nothing of theirs is left */
    hub->looked = clock_monotonic();
    return FINE;
}

static void end(struct hub *hub)
{
    struct error ignored = {0};
    if (hub->deliveries)
        delivery_queue_wait(hub->deliveries, drain_timeout_seconds / 2);
    if (hub->store && report_returned(hub, &ignored))
        log_error("", &ignored);
    if (hub->page && hub->engine)
        note_status(hub);
    delivery_queue_stop(hub->deliveries);
    error_free(&ignored);
    status_stop(hub->page);
    close_store(hub);
    spool_reader_close(hub->reader);
    engine_free(hub->engine);
    deployed_free(hub->deployed);
    system_free(&hub->system);
}

enum status run_hub(const struct run_options *options, struct error *error)
{
    struct hub *hub = must_alloc(sizeof *hub);
    int lock = -1;
    hub->options = options;
    umask(077);
    listen_to_signals();
    enum status status = begin(hub, &lock, error);
    if (!status) {
        log_line("sensorhub %s starts", VERSION);
        status = loop(hub, error);
        if (!status && hub->damaged && options->drain) {
            fail(error, REFUSED, "the spool is damaged: %" PRIu64 " readings are missing",
                 hub->missing);
            status = advise(error, DAMAGE_ADVICE);
        } else if (!status && hub->aside && options->drain) {
            fail(error, REFUSED, "readings of %zu types are set aside in the database", hub->aside);
            status = advise(error, WAITING_ADVICE);
        }
        log_line(status ? "sensorhub ends; not all readings are stored" : "sensorhub ends");
    }
    end(hub);
    if (lock >= 0)
        close(lock);
    free(hub);
    return status;
}
