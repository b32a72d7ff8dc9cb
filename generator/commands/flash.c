#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "generator/board/flash.h"
#include "generator/project/project.h"
#include "generator/thing/thing.h"
#include "things.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The state of a command on several boards. */
struct flashing {
    struct project *project;
    char *port, *image; /* paths; image: NULL where --firmware was not given */
    bool alone;         /* one thing, which was named: its board is there */
    bool ended;         /* somebody said that it is enough */
};

static void answer(struct context *context, const char *thing, const struct flash *flash,
                   cJSON *answers)
{
    if (!context->json) {
        text_add_format(&context->out, "%s  %zu files, %.1f KB, verified on %s\n", thing,
                        flash->files, (double)flash->bytes / 1024, flash->serial.port);
        return;
    }
    cJSON *answer = json_object();
    json_put_string(answer, "name", thing);
    json_put_string(answer, "port", flash->serial.port);
    json_put_number(answer, "files", (double)flash->files);
    json_put_number(answer, "bytes", (double)flash->bytes);
    json_put_bool(answer, "verified", true);
    cJSON_AddItemToArray(answers, answer);
}

/* image: the path of --firmware; NULL where it was not given. */
static enum status flash_board(struct context *context, struct flash *flash, const char *image)
{
    struct error *error = &context->error;
    enum status status = serial_check(&flash->serial, error);
    if (!status && image)
        status = flash_write_firmware(flash, image, cli_value(context, "firmware"), error);
    if (!status)
        status = flash_check_board(flash, error);
    if (!status)
        status = flash_install_needs(flash, error);
    if (!status)
        status = flash_copy(flash, error);
    if (!status)
        status = flash_verify(flash, error);
    if (!status)
        status = flash_settle(flash, error);
    return status ? status : flash_reset(flash, error);
}

static enum status flash_thing(struct context *context, const struct flashing *flashing,
                               const struct record *record, cJSON *answers)
{
    struct error *error = &context->error;
    struct project *project = flashing->project;
    struct flash flash = {.serial = {.reporter = project->reporter, .port = flashing->port}};
    enum status status = flash_open(&flash, record->type, record->name, error);
    if (!status)
        status = catalog_read_platform(&project->catalog, flash_platform(&flash), error);
    if (!status) {
        flash.platform = catalog_platform(&project->catalog, flash_platform(&flash));
        subprocess_watch();
        status = flash_board(context, &flash, flashing->image);
        subprocess_end_watch();
    }
    if (!status)
        answer(context, record->name, &flash, answers);
    flash_close(&flash);
    return status;
}

/* Waits until somebody has put the board of this thing to the port. Returns whether it is there; it is
 * not where the thing is left out, or no more are wanted. */
static bool ask_for_board(struct flashing *flashing, const char *name)
{
    char line[16] = "";
    if (flashing->ended)
        return false;
    fprintf(stderr, "the board of %s at %s: Enter copies, s leaves it out, q ends: ", name,
            flashing->port);
    fflush(stderr);
    flashing->ended = !fgets(line, sizeof line, stdin) || *line == 'q';
    return !flashing->ended && *line != 's';
}

static enum status flash_one(struct context *context, void *state, const char *name, cJSON *answers)
{
    struct flashing *flashing = state;
    struct record *record = NULL;
    enum status status = thing_present(name, &record, &context->error);
    if (!status && (flashing->alone || ask_for_board(flashing, name)))
        status = flash_thing(context, flashing, record, answers);
    else if (!status && !context->json)
        text_add_format(&context->out, "%s  left out\n", name);
    record_free(record);
    return status;
}

static enum status check_port(struct context *context)
{
    if (cli_value(context, "port"))
        return FINE;
    fail(&context->error, WRONG_USAGE, "--port is missing: the board's serial port");
    return advise(&context->error, "make flash name=%s port=/dev/ttyUSB0",
                  context->operand_count ? context->operands[0] : "NAME");
}

/* There is one port: somebody has to put one board after the other there. */
static enum status check_helper(struct context *context, const struct chosen *chosen)
{
    if (chosen->alone || isatty(STDIN_FILENO))
        return FINE;
    return fail(
        &context->error, WRONG_USAGE,
        "several boards are flashed one after the other at a terminal, which asks for each; "
        "here is none");
}

enum status command_flash(struct context *context)
{
    struct project project;
    struct chosen chosen = {0};
    struct flashing flashing = {.project = &project};
    enum status status = check_port(context);
    if (status)
        return status;
    status = command_load(context, &project);
    if (!status)
        status = choose_things(context, &project, NULL, &chosen);
    if (!status)
        status = check_helper(context, &chosen);
    if (!status) {
        const char *firmware = cli_value(context, "firmware");
        flashing.port = project_path(&project, cli_value(context, "port"));
        flashing.image = firmware ? project_path(&project, firmware) : NULL;
        flashing.alone = chosen.alone;
        status = each_chosen(context, &chosen, NULL, flash_one, &flashing);
    }
    free(flashing.port);
    free(flashing.image);
    chosen_free(&chosen);
    project_free(&project);
    return status;
}
