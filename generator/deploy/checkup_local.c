/* What would go wrong on this machine as the system: where boards look for it, their packages and
 * certificates, room on the disk, and the clock. */
#include "checkup.h"
#include "checkup_parts.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/types.h"
#include "generator/targets/host.h"
#include "generator/thing/outdated.h"
#include "generator/thing/package.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

enum {
    DAY = 24 * 60 * 60,
    SHOWN = 8,          /* names of things in a finding */
    LARGEST = 64 << 10, /* bytes of a package's config.json */
    MEGABYTE = 1 << 20
};

/* --- lists of things --- */

struct listed {
    struct text names;
    size_t count;
};

static void list(struct listed *listed, const char *name)
{
    if (listed->count++ < SHOWN)
        text_add_format(&listed->names, "%s%s", listed->count > 1 ? ", " : "", name);
    else if (listed->count == SHOWN + 1)
        text_add_string(&listed->names, ", ...");
}

/* --- where boards look for this machine --- */

/* The name of a platform whose boards do not resolve .local names, among the types that are plugged in;
 * NULL: none. It belongs to the catalog. */
static const char *find_deaf(struct project *project)
{
    struct names *types = types_deployed();
    const char *deaf = NULL;
    for (size_t i = 0; i < types->count && !deaf; i++) {
        struct error ignored = {0};
        cJSON *model = NULL;
        if (!project_model(project, types->at[i], &model, &ignored)) {
            const char *name = json_string(json_get(model, "type"), "platform", "");
            const cJSON *platform = catalog_platform(&project->catalog, name);
            if (platform && !json_true(platform, "resolves_local"))
                deaf = json_string(platform, "platform", NULL);
        }
        cJSON_Delete(model);
        error_free(&ignored);
    }
    names_free(types);
    return deaf;
}

static void look_at_host(struct checkup *checkup, struct project *project)
{
    owned char *shown = NULL;
    const char *host = project->system.local.host;
    char *fault = host_look(host, find_deaf(project), &shown);
    if (fault)
        checkup_add(checkup, "host", DOUBTFUL, fault, host_advice());
    else
        checkup_add(checkup, "host", WELL,
                    must_format("boards look for %s, which is %s", host, shown), NULL);
}

/* --- packages --- */

/* Whether the package names another endpoint than the system's. *missing: there is no package. */
static bool is_astray(const struct record *record, const struct system *system, bool *missing)
{
    owned char *folder = package_folder(record->type, record->name);
    owned char *path = path_join(folder, "config.json");
    struct error ignored = {0};
    cJSON *config = NULL;
    *missing = json_read(path, LARGEST, &config, &ignored) != FINE;
    bool astray = !*missing && (strcmp(json_string(config, "host", ""), system->local.host) != 0 ||
                                json_number(config, "port", 0) != system->local.mqtt_port);
    json_wipe(config);
    error_free(&ignored);
    return astray;
}

static void tell_packages(struct checkup *checkup, const struct listed *listed, const char *what)
{
    if (listed->count)
        checkup_add(checkup, "packages", DOUBTFUL,
                    must_format("%zu %s: %s", listed->count, what, text_string(&listed->names)),
                    hint_format("make package makes them again; copy them to their boards"));
}

static void look_at_packages(struct checkup *checkup, struct project *project,
                             const struct thing_records *records)
{
    const struct system *system = &project->system;
    struct type_versions versions = {.project = project};
    struct listed astray = {0}, without = {0}, behind = {0};
    size_t active = 0;
    for (size_t i = 0; i < records->names->count; i++) {
        const struct record *record = records->at[i];
        bool missing = false;
        if (!record || record->state != RECORD_ACTIVE)
            continue;
        active++;
        if (is_astray(record, system, &missing))
            list(&astray, record->name);
        if (missing)
            list(&without, record->name);
        else if (outdated_package(&versions, record) == PACKAGE_BEHIND)
            list(&behind, record->name);
    }
    owned char *other = must_format("look for another machine or port than %s:%d",
                                    system->local.host, system->local.mqtt_port);
    tell_packages(checkup, &astray, other);
    tell_packages(checkup, &behind, "are older than their type");
    tell_packages(checkup, &without, "are missing");
    if (!astray.count && !without.count && !behind.count)
        checkup_add(
            checkup, "packages", WELL,
            must_format("%zu, all for %s:%d", active, system->local.host, system->local.mqtt_port),
            NULL);
    text_free(&astray.names);
    text_free(&behind.names);
    text_free(&without.names);
    outdated_free_versions(&versions);
}

/* --- certificates --- */

static void tell_certificates(struct checkup *checkup, enum health health, const char *what,
                              const struct listed *listed)
{
    if (listed->count)
        checkup_add(
            checkup, "certificates", health,
            must_format("%zu %s: %s", listed->count, what, text_string(&listed->names)),
            hint_format("make rotate name=... makes a new one; its board needs the package"));
}

static void look_at_certificates(struct checkup *checkup, const struct thing_records *records)
{
    struct listed lists[CERTIFICATE_ENDED + 1] = {0};
    time_t now = time(NULL);
    size_t count = 0, wrong = 0;
    for (size_t i = 0; i < records->names->count; i++) {
        const struct record *record = records->at[i];
        if (!record || !record_has_certificate(record))
            continue;
        enum certificate_validity validity = record_validity(record, now);
        count++;
        wrong += validity != CERTIFICATE_VALID;
        list(&lists[validity], record->name);
    }
    tell_certificates(checkup, ILL, "ended", &lists[CERTIFICATE_ENDED]);
    tell_certificates(checkup, ILL, "not valid yet, by this machine's clock",
                      &lists[CERTIFICATE_NOT_YET_VALID]);
    tell_certificates(checkup, DOUBTFUL, "end within 30 days", &lists[CERTIFICATE_ENDS_SOON]);
    if (!wrong)
        checkup_add(checkup, "certificates", WELL, must_format("%zu, all valid", count), NULL);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        text_free(&lists[i].names);
}

/* --- this machine --- */

/* Readings, logs and the spool go to the project's folder. */
static void look_at_disk(struct checkup *checkup)
{
    static const double little = 1024, nothing = 64; /* megabytes */
    struct statvfs disk;
    if (statvfs(".", &disk))
        return;
    double left = (double)disk.f_bavail * (double)disk.f_frsize / MEGABYTE;
    double all = (double)disk.f_blocks * (double)disk.f_frsize / MEGABYTE;
    char *text = must_format("%.1f of %.1f GB are free", left / 1024, all / 1024);
    if (left < little)
        checkup_add(checkup, "disk", left < nothing ? ILL : DOUBTFUL, text,
                    must_copy("a full disk refuses readings: make room, or shorten retention"));
    else
        checkup_add(checkup, "disk", WELL, text, NULL);
}

/* When the newest thing was made: the clock was there once. */
static time_t newest(const struct thing_records *records)
{
    time_t newest = 0;
    for (size_t i = 0; i < records->names->count; i++)
        if (records->at[i] && records->at[i]->created > newest)
            newest = records->at[i]->created;
    return newest;
}

static void look_at_clock(struct checkup *checkup, const struct thing_records *records)
{
    time_t now = time(NULL), made = newest(records);
    char text[CLOCK_TEXT];
    struct timex state = {0};
    clock_write(now, text);
    if (made > now + DAY)
        checkup_add(checkup, "clock", ILL,
                    must_format("%s: before a thing of this project was made", text),
                    must_copy("set it: readings, certificates and retention depend on it"));
    else if (adjtimex(&state) == TIME_ERROR)
        checkup_add(checkup, "clock", DOUBTFUL,
                    must_format("%s, and the kernel knows of nothing that keeps it right", text),
                    must_copy("a time service (systemd-timesyncd, chrony): the rules refuse "
                              "readings from the future"));
    else
        checkup_add(checkup, "clock", WELL, must_copy(text), NULL);
}

void checkup_local(struct checkup *checkup, struct project *project,
                   const struct thing_records *records)
{
    look_at_host(checkup, project);
    look_at_packages(checkup, project, records);
    look_at_certificates(checkup, records);
    look_at_disk(checkup);
    look_at_clock(checkup, records);
}
