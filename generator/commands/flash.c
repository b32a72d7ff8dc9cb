#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "generator/board/flash.h"
#include "generator/project/project.h"
#include "generator/thing/thing.h"

static void answer(struct context *context, const struct flash *flash)
{
    const char *thing = context->operands[0];
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
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
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

static enum status flash_thing(struct context *context, struct project *project,
                               const struct record *record, struct flash *flash)
{
    struct error *error = &context->error;
    const char *firmware = cli_value(context, "firmware");
    owned char *image = firmware ? project_path(project, firmware) : NULL;
    enum status status = flash_open(flash, record->type, record->name, error);
    if (!status)
        status = catalog_read_platform(&project->catalog, flash_platform(flash), error);
    if (status)
        return status;
    flash->platform = catalog_platform(&project->catalog, flash_platform(flash));
    subprocess_watch();
    status = flash_board(context, flash, image);
    subprocess_end_watch();
    if (!status)
        answer(context, flash);
    return status;
}

enum status command_flash(struct context *context)
{
    struct project project;
    struct record *record = NULL;
    const char *port = cli_value(context, "port");
    if (!port) {
        fail(&context->error, WRONG_USAGE, "--port is missing: the board's serial port");
        return advise(&context->error, "sensorforge flash %s --port /dev/ttyUSB0",
                      context->operands[0]);
    }
    enum status status = command_load(context, &project);
    owned char *path = project_path(&project, port);
    struct flash flash = {.serial = {.reporter = project.reporter, .port = path}};
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (!status)
        status = flash_thing(context, &project, record, &flash);
    flash_close(&flash);
    record_free(record);
    project_free(&project);
    return status;
}
