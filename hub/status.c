#include "status.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/hint.h"
#include "common/base/memory.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Seconds that a turn of the main loop may take, and that the status of a running sensorhub may be old,
 * before that is trouble. */
static const double longest_turn = 5, longest_silence = 5;

enum { LARGEST_PAGE = 1 << 16, LONGEST_TROUBLE = 512, SHOWN_REASONS = 8 };

/* The thread takes the lock for what it shares with the main thread. */
struct status_page {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stop, hurry; /* hurry: write at once, because the trouble changed */
    int64_t started;  /* milliseconds since 1970 */
    struct counts counts;
    uint64_t position;
    double lag;
    int64_t known; /* status_doubt() */
    struct delivery_counts deliveries;
    bool ready;
    double turned; /* monotonic clock: when the main loop's turn began */
    double moved;  /* and when the position changed, or nothing waited */
    char trouble[LONGEST_TROUBLE], advice[LONGEST_TROUBLE];
    char *aside; /* JSON of the types that are held; NULL: not known yet */
    /* Only the thread uses these: the readings, the position and the time when the file was written
     * last, and the readings per second since then. */
    uint64_t last_readings, last_position;
    uint64_t waiting; /* of the copy that is written */
    double last_time, rate;
};

static uint64_t records_behind(uint64_t spool, uint64_t position)
{
    uint64_t last, waiting;
    spool_extent(SPOOL_FOLDER, &(struct spool_place){spool, position}, &last, &waiting);
    return waiting;
}

/* A reader sees the whole file or the one before. It is not flushed to the disk: after a crash it
 * is worthless. It must be written when the disk is full, too. So its blocks are never freed: there
 * are two files, which are written over in turn and exchanged. */
static void write_page(const struct buffer *page)
{
    static const char other[] = HUB_STATUS ".other";
    int file = open(other, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return;
    bool done = !page->failed && write(file, page->at, page->length) == (ssize_t)page->length &&
                ftruncate(file, (off_t)page->length) == 0;
    close(file);
    if (done && renameat2(AT_FDCWD, other, AT_FDCWD, HUB_STATUS, RENAME_EXCHANGE) &&
        rename(other, HUB_STATUS))
        unlink(other);
}

/* Damage stops nothing, so the status is the only place where an operator sees it. */
static void add_damage(const struct status_page *page, struct buffer *out)
{
    char words[LONGEST_TROUBLE] = "";
    if (spool_damaged_files(SPOOL_FOLDER))
        snprintf(words, sizeof words,
                 "the spool was damaged, %" PRIu64 " readings are missing\n" DAMAGE_ADVICE,
                 page->counts.missing);
    buffer_add_string(out, ", \"damage\": ");
    buffer_add_json(out, words, strlen(words));
}

/* Things whose readings the broker refuses; the others are served. */
static void add_held_back(struct buffer *out)
{
    char words[LONGEST_TROUBLE] = "", others[64] = "", name[SHARES_NAME];
    size_t count = spool_held_back(SPOOL_FOLDER, name);
    if (count > 1)
        snprintf(others, sizeof others, " and %zu other things", count - 1);
    if (count)
        snprintf(words, sizeof words,
                 "readings of %s%s: the share of the spool is full\nwhat was sent before is stored "
                 "first; the other things are served",
                 name, others);
    buffer_add_string(out, ", \"held_back\": ");
    buffer_add_json(out, words, strlen(words));
}

static void add_doubt(const struct status_page *page, struct buffer *out)
{
    char words[LONGEST_TROUBLE] = "", shown[CLOCK_TEXT], known[CLOCK_TEXT];
    clock_write(time(NULL), shown);
    clock_write(page->known / 1000, known);
    if (page->known)
        snprintf(words, sizeof words,
                 "the clock of this machine shows %s, and by all that is known it is %s\n"
                 "nothing is deleted by it: see docs/local.md, \"Retention and the clock\"",
                 shown, known);
    buffer_add_string(out, ", \"doubt\": ");
    buffer_add_json(out, words, strlen(words));
}

static void compose(struct status_page *page, struct buffer *out)
{
    char counts[LONGEST_COUNTS], line[LONGEST_COUNTS + 256];
    counts_write(&page->counts, counts);
    counts[strlen(counts) - 1] = '\0'; /* its brace: more follows */
    snprintf(line, sizeof line,
             "{\"pid\": %ld, \"version\": \"%s\", \"time\": %" PRId64 ", \"started\": %" PRId64
             ", %s",
             (long)getpid(), VERSION, clock_milliseconds(), page->started, counts + 1);
    buffer_add_string(out, line);
    snprintf(line, sizeof line,
             ", \"position\": \"%" PRIu64 "\", \"waiting\": %" PRIu64
             ", \"lag\": %.3f, \"rows_per_second\": %.1f, \"sent\": %" PRIu64
             ", \"unsent\": %zu, \"ready\": %s, \"trouble\": ",
             page->position, page->waiting, page->lag, page->rate, page->deliveries.sent,
             page->deliveries.waiting, page->ready ? "true" : "false");
    buffer_add_string(out, line);
    buffer_add_json(out, page->trouble, strlen(page->trouble));
    buffer_add_string(out, ", \"advice\": ");
    buffer_add_json(out, page->advice, strlen(page->advice));
    add_damage(page, out);
    add_doubt(page, out);
    buffer_add_string(out, ", \"aside\": ");
    buffer_add_string(out, page->aside ? page->aside : "[]");
    add_held_back(out);
    buffer_add_string(out, "}\n");
}

/* What keeps readings from being stored, or accepted, and is not known to the main loop. */
static void add_trouble(struct status_page *page, double time)
{
    double turn = time - page->turned;
    char why[LONGEST_TROUBLE / 2];
    if (*page->trouble)
        return;
    if (turn > longest_turn) {
        snprintf(page->trouble, sizeof page->trouble, "the database has not answered for %.0f s",
                 turn);
        snprintf(page->advice, sizeof page->advice,
                 "is it running, and does another program hold a lock? Readings wait in the spool");
    } else if (spool_refuses(SPOOL_FOLDER, why, sizeof why)) {
        snprintf(page->trouble, sizeof page->trouble, "the broker refuses readings: %s", why);
        snprintf(page->advice, sizeof page->advice,
                 "the spool takes none; the boards keep them and send them again. Free the disk; "
                 "it goes on with the next reading");
    }
}

static void write_now(struct status_page *page)
{
    struct buffer out = {0};
    struct status_page now;
    double time = clock_monotonic(), passed = time - page->last_time;
    pthread_mutex_lock(&page->mutex);
    now = *page;
    owned char *aside = page->aside ? must_copy(page->aside) : NULL;
    pthread_mutex_unlock(&page->mutex);
    now.aside = aside;
    now.waiting = records_behind(now.counts.spool, now.position);
    if (now.position != page->last_position || !now.waiting)
        page->moved = time;
    page->last_position = now.position;
    if (time - page->moved > now.lag)
        now.lag = time - page->moved;
    add_trouble(&now, time);
    if (passed > 0)
        page->rate = (double)(now.counts.readings - page->last_readings) / passed;
    page->last_readings = now.counts.readings;
    page->last_time = time;
    now.rate = page->rate;
    compose(&now, &out);
    write_page(&out);
    buffer_free(&out);
}

static void *write_each_second(void *context)
{
    struct status_page *page = context;
    bool stop = false;
    owned char *log = must_format(LOG_FILE, "sensorhub");
    write_now(page); /* and again below: then both files have their blocks */
    while (!stop) {
        log_turn(log);
        write_now(page);
        const struct timespec until = clock_deadline(1);
        pthread_mutex_lock(&page->mutex);
        while (!page->stop && !page->hurry &&
               pthread_cond_timedwait(&page->changed, &page->mutex, &until) != ETIMEDOUT)
            ;
        stop = page->stop;
        page->hurry = false;
        pthread_mutex_unlock(&page->mutex);
    }
    write_now(page);
    return NULL;
}

enum status status_start(struct status_page **made, struct error *error)
{
    struct status_page *page = must_alloc(sizeof *page);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&page->mutex, NULL);
    pthread_cond_init(&page->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    page->started = clock_milliseconds();
    page->last_time = page->turned = page->moved = clock_monotonic();
    int failed = pthread_create(&page->thread, NULL, write_each_second, page);
    if (failed) {
        free(page);
        errno = failed;
        return fail_errno(error, "cannot start a thread");
    }
    *made = page;
    return FINE;
}

void status_note(struct status_page *page, const struct counts *counts, uint64_t position,
                 double lag, const struct delivery_counts *deliveries, const char *aside)
{
    pthread_mutex_lock(&page->mutex);
    if (page->counts.readings == 0 && page->last_readings == 0)
        page->last_readings = counts->readings; /* they were counted before this start */
    page->counts = *counts;
    page->position = position;
    page->lag = lag;
    page->deliveries = *deliveries;
    if (!page->aside || strcmp(page->aside, aside) != 0)
        must_replace(&page->aside, aside);
    pthread_mutex_unlock(&page->mutex);
}

void status_doubt(struct status_page *page, int64_t known)
{
    pthread_mutex_lock(&page->mutex);
    page->known = known;
    pthread_mutex_unlock(&page->mutex);
}

void status_turn(struct status_page *page)
{
    double time = clock_monotonic();
    pthread_mutex_lock(&page->mutex);
    page->turned = time;
    pthread_mutex_unlock(&page->mutex);
}

static void tell(struct status_page *page, bool ready, const char *trouble, const char *advice)
{
    char cut[LONGEST_TROUBLE];
    snprintf(cut, sizeof cut, "%s", trouble);
    pthread_mutex_lock(&page->mutex);
    page->hurry |= ready != page->ready || strcmp(cut, page->trouble) != 0;
    page->ready = ready;
    memcpy(page->trouble, cut, sizeof cut);
    snprintf(page->advice, sizeof page->advice, "%s", advice);
    if (page->hurry)
        pthread_cond_signal(&page->changed);
    pthread_mutex_unlock(&page->mutex);
}

void status_trouble(struct status_page *page, bool ready, const struct error *error)
{
    tell(page, ready, text_string(&error->message), text_string(&error->advice));
}

void status_works(struct status_page *page)
{
    tell(page, true, "", "");
}

void status_stop(struct status_page *page)
{
    if (!page)
        return;
    pthread_mutex_lock(&page->mutex);
    page->stop = true;
    pthread_cond_signal(&page->changed);
    pthread_mutex_unlock(&page->mutex);
    pthread_join(page->thread, NULL);
    pthread_mutex_destroy(&page->mutex);
    pthread_cond_destroy(&page->changed);
    free(page->aside);
    free(page);
}

/* --- showing --- */

static bool is_running(void)
{
    int lock = open(HUB_PID, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool running = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    if (lock >= 0)
        close(lock);
    return running;
}

static void show_rare(const cJSON *page, const char *key, const char *words)
{
    if (json_number(page, key, 0) > 0)
        printf("          %.0f %s\n", json_number(page, key, 0), words);
}

static void show_reasons(const cJSON *reasons)
{
    const cJSON *reason;
    int shown = 0;
    cJSON_ArrayForEach(reason, reasons)
    {
        if (shown++ < SHOWN_REASONS)
            printf("          %.0f %s\n", reason->valuedouble, reason->string);
    }
    if (shown > SHOWN_REASONS)
        printf("          and %d more reasons: --json shows all\n", shown - SHOWN_REASONS);
}

static void show_counts(const cJSON *page)
{
    printf("readings  %.0f accepted: %.0f valid, %.0f invalid\n", json_number(page, "readings", 0),
           json_number(page, "valid", 0), json_number(page, "invalid", 0));
    show_reasons(json_get(page, "reasons"));
    show_rare(page, "unmatched", "that no rule selected, which are not stored");
    show_rare(page, "duplicates", "sent twice, stored once");
    show_rare(page, "rejected", "rejected: their table has other values (table _log)");
    show_rare(page, "errors", "errors of rules and actions (table _log)");
    show_rare(page, "missing", "missing: damaged or removed in the spool");
    printf("rate      %.0f readings/s\n", json_number(page, "rows_per_second", 0));
}

static void show_aside(const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
        printf("held      %s: %.0f readings are set aside: %s\n", json_string(item, "type", ""),
               json_number(item, "count", 0), json_string(item, "why", ""));
    if (cJSON_GetArraySize(list))
        printf("          %s\n", WAITING_ADVICE);
}

static void show_words(const cJSON *page)
{
    bool ready = json_true(page, "ready"); /* what was counted is in the database */
    if (ready)
        show_counts(page);
    printf("waiting   %s%.0f in the spool, %.1f s behind\n", ready ? "" : "up to ",
           json_number(page, "waiting", 0), json_number(page, "lag", 0));
    if (*json_string(page, "trouble", ""))
        printf("trouble   %s\n", json_string(page, "trouble", ""));
    if (*json_string(page, "advice", ""))
        printf("          %s\n", json_string(page, "advice", ""));
    if (*json_string(page, "held_back", ""))
        printf("refused   %s\n", json_string(page, "held_back", ""));
    if (*json_string(page, "damage", ""))
        printf("damage    %s\n", json_string(page, "damage", ""));
    if (*json_string(page, "doubt", ""))
        printf("clock     %s\n", json_string(page, "doubt", ""));
    show_aside(json_get(page, "aside"));
}

/* A sensorhub that is stopped or hangs writes no status. */
static void note_silence(cJSON *page)
{
    double age = (double)clock_milliseconds() / 1000 - json_number(page, "time", 0) / 1000;
    if (age <= longest_silence)
        return;
    owned char *words = must_format("sensorhub does not answer: its status is %.0f s old", age);
    json_put_string(page, "trouble", words);
    owned char *advice = hint_format("is its process stopped, or the disk full? make down ends it");
    json_put_string(page, "advice", advice);
}

/* For a sensorhub that is not running: counts the records behind its last position. That may be
 * more than really wait, if it was killed before it wrote its last position; it is never fewer. */
static void count_waiting(cJSON *page)
{
    uint64_t position = strtoull(json_string(page, "position", "0"), NULL, 10);
    uint64_t spool = (uint64_t)json_number(page, "spool", 0);
    json_put_number(page, "waiting", (double)records_behind(spool, position));
}

enum status status_show(bool json, struct error *error)
{
    struct error unread = {0};
    struct text line = {0};
    cJSON *page = NULL;
    bool running = is_running();
    if (json_read(HUB_STATUS, LARGEST_PAGE, &page, &unread))
        page = json_object();
    if (!running)
        count_waiting(page);
    else
        note_silence(page);
    if (json) {
        json_put_bool(page, "running", running);
        json_compact(page, &line);
        puts(text_string(&line));
    } else if (running) {
        printf("sensorhub runs, process %.0f\n", json_number(page, "pid", 0));
        show_words(page);
    }
    text_free(&line);
    error_free(&unread);
    cJSON_Delete(page);
    if (running)
        return FINE;
    fail(error, REFUSED, "sensorhub is not running");
    return advise(error, "make up starts it");
}
