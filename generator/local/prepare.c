#include "prepare.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/documents/model.h"
#include "capabilities.h"
#include "certificates.h"
#include "generator/project/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BROKER_SET "mosquitto"

enum { LARGEST_CONFIGURATION = 1 << 20 };

/* --- types --- */

/* Without any type plugged in, the local system would have nothing to do. */
static enum status plug_in_all(struct project *project, const struct names *types,
                               struct error *error)
{
    struct emit_report written = {0};
    enum status status = project_check(project, types->at, types->count, error);
    if (!status)
        status = project_deploy(project, "system", &written, error);
    for (size_t i = 0; i < types->count && !status; i++)
        status = project_deploy(project, types->at[i], &written, error);
    if (!status)
        report_line(project->reporter, "no type was plugged in: all %zu are now", types->count);
    return status;
}

/* The documents of an earlier version of this program are written anew, because its readings would
 * be decided by what has been mended since. The local system executes the documents, so a spec that
 * was edited later has no effect yet. */
static enum status compare_documents(struct project *project, const char *type, struct error *error)
{
    struct artifacts artifacts = {0};
    struct emit_report changes = {0};
    owned char *folder = project_folder(type);
    enum status status = project_render(project, type, NULL, &artifacts, error);
    if (!status)
        status = emit_write(folder, &artifacts, NULL, true, &changes, error);
    bool differ = !status && changes.written + changes.removed;
    if (differ && types_source_is_marked(type)) {
        status = project_deploy(project, type, &changes, error);
        if (!status)
            report_line(project->reporter,
                        "%s: its documents were of an earlier version, and are written anew", type);
    } else if (differ)
        report_line(project->reporter,
                    "%s: its spec has changed since it was plugged in; make sensortype "
                    "NAME=%s takes it over",
                    type, type);
    artifacts_free(&artifacts);
    return status;
}

static enum status check_types(struct project *project, struct error *error)
{
    struct names *deployed = types_deployed();
    enum status status = FINE;
    if (!deployed->count) {
        struct names *all = types_all();
        status = plug_in_all(project, all, error);
        names_free(deployed);
        deployed = all;
    } else {
        status = project_check(project, deployed->at, deployed->count, error);
        for (size_t i = 0; i < deployed->count && !status; i++)
            status = compare_documents(project, deployed->at[i], error);
    }
    if (!status)
        capabilities_check(project->reporter, deployed->at, deployed->count);
    names_free(deployed);
    return status;
}

/* --- files --- */

enum status prepare_folders(struct error *error)
{
    static const char *const folders[] = {LOCAL_FOLDER, BROKER_FOLDER, HUB_FOLDER, LOG_FOLDER,
                                          RUN_FOLDER};
    enum status status = FINE;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !status; i++)
        status = make_folders(folders[i], FOLDER_SECRET, error);
    return status;
}

/* mosquitto.conf names the plugin by a link, so that the file is the same on every machine. */
static enum status link_plugin(const char *plugin, struct error *error)
{
    char there[4096];
    ssize_t length = readlink(BROKER_PLUGIN, there, sizeof there - 1);
    if (length >= 0) {
        there[length] = '\0';
        if (strcmp(there, plugin) == 0)
            return FINE;
    }
    if (unlink(BROKER_PLUGIN) && errno != ENOENT)
        return fail_errno(error, "cannot remove " BROKER_PLUGIN);
    return symlink(plugin, BROKER_PLUGIN) ? fail_errno(error, "cannot write " BROKER_PLUGIN) : FINE;
}

static enum status render_configuration(struct project *project, struct text *bytes,
                                        struct error *error)
{
    struct artifacts artifacts = {0};
    enum status status = project_render(project, "system", BROKER_SET, &artifacts, error);
    for (size_t i = 0; i < artifacts.count; i++)
        if (strcmp(artifacts.at[i].path, BROKER_SET "/mosquitto.conf") == 0)
            text_add(bytes, text_string(&artifacts.at[i].bytes), artifacts.at[i].bytes.length);
    if (!status && !bytes->length)
        status = fail(error, WRONG_INPUT, "%s/" BROKER_SET "/system has no mosquitto.conf.mustache",
                      project->templates);
    artifacts_free(&artifacts);
    return status;
}

static enum status write_configuration(struct project *project, bool running, bool *changed,
                                       struct error *error)
{
    struct text wanted = {0}, there = {0};
    struct error none = {0};
    enum status status = render_configuration(project, &wanted, error);
    *changed = !status && (!path_exists(BROKER_CONFIGURATION) ||
                           read_file(BROKER_CONFIGURATION, LARGEST_CONFIGURATION, &there, &none) ||
                           strcmp(text_string(&there), text_string(&wanted)) != 0);
    if (*changed && !running)
        status = write_file(BROKER_CONFIGURATION, text_string(&wanted), wanted.length, FILE_PUBLIC,
                            error);
    text_free(&wanted);
    text_free(&there);
    error_free(&none);
    return status;
}

enum status prepare_system(struct project *project, const struct service_programs *programs,
                           struct prepared *prepared, struct error *error)
{
    const struct system *system = &project->system;
    prepared->port = system->local.mqtt_port;
    enum status status = check_types(project, error);
    if (!status)
        status = prepare_folders(error);
    if (!status)
        project_warn_of_authority(project);
    if (!status)
        status = certificates_renew(system, &prepared->renewed, error);
    if (!status)
        status = link_plugin(programs->plugin, error);
    return status ? status
                  : write_configuration(project, prepared->running, &prepared->changed, error);
}
