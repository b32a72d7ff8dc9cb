/* A package onto its board: MicroPython first where that is asked for (esptool), then what the
 * board's MicroPython lacks, then the files (mpremote), then the proof: the board itself says the
 * SHA-256 of every file, and each must be the manifest's. main.py and boot.py go last, so that a
 * board that was cut off in the middle does not start half of a package. */
#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "generator/project/project.h"
#include "generator/thing/thing.h"
#include "generator/thing/package.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Seconds that a step may take: a package of 24 KB takes ten at 115200 baud. */
enum { GREET = 20, TALK = 60, COPY = 300, WRITE_FIRMWARE = 600 };
enum { LARGEST_FIRMWARE = 16 << 20, LARGEST_MANIFEST = 1 << 20, MOST_WORDS = 256 };

#define MARK "sensorforge:" /* begins each line that a script of ours makes the board say */

struct flashing {
    struct context *context;
    const struct project *project;
    const char *port;
    char *folder; /* of the package */
    cJSON *manifest;
    const cJSON *platform;
    struct text said; /* by the last program */
    bool missing;     /* there is no such program */
    size_t bytes;     /* of all files */
};

/* --- programs --- */

static enum status refuse(struct flashing *flashing, const char *what, const char *advice)
{
    struct error *error = &flashing->context->error;
    const char *said = text_string(&flashing->said);
    size_t length = strlen(said);
    while (length && (said[length - 1] == '\n' || said[length - 1] == '\r'))
        length--;
    const char *last = said + length;
    while (last > said && last[-1] != '\n')
        last--;
    fail(error, REFUSED, "%s: %s", flashing->port, what);
    if (length)
        advise(error, "(%.*s)", (int)(said + length - last), last);
    return advice ? advise(error, "%s", advice) : REFUSED;
}

static bool said(const struct flashing *flashing, const char *words)
{
    return strstr(text_string(&flashing->said), words) != NULL;
}

/* What mpremote and the board say, as one clear message. */
static enum status explain(struct flashing *flashing, int code)
{
    if (process_interrupted())
        return fail(&flashing->context->error, REFUSED, "stopped; run the same command again");
    if (said(flashing, "it may be in use") || said(flashing, "Could not exclusively lock"))
        return refuse(flashing, "another program uses the port",
                      "end it: a serial monitor, an editor's terminal");
    if (said(flashing, "Errno 28") || said(flashing, "ENOSPC") || said(flashing, "No space left"))
        return refuse(flashing, "the board's file system is full",
                      "mpremote connect PORT fs ls shows what is there");
    if (code == PROCESS_TIMED_OUT || said(flashing, "could not enter raw repl") ||
        said(flashing, "timeout waiting"))
        return refuse(flashing, "the board does not answer",
                      "press its reset button and try again at once; does MicroPython run on it? "
                      "firmware=FILE.bin writes it");
    return refuse(flashing, "the board did not do as it was told", NULL);
}

static enum status run_program(struct flashing *flashing, const char *const *words, int seconds,
                               int *code)
{
    text_clear(&flashing->said);
    for (size_t i = 0; words[i]; i++)
        cli_say_more(flashing->context, "%s%s", i ? "  " : "", words[i]);
    return process_capture(words, seconds, &flashing->said, code, &flashing->missing,
                           &flashing->context->error);
}

static enum status mpremote(struct flashing *flashing, const char *const *command, int seconds)
{
    const char *words[MOST_WORDS] = {"mpremote", "connect", flashing->port};
    int code = 0;
    if (process_interrupted())
        return explain(flashing, 0);
    for (size_t i = 0; command[i]; i++)
        words[3 + i] = command[i];
    enum status status = run_program(flashing, words, seconds, &code);
    if (status && flashing->missing) {
        error_free(&flashing->context->error);
        fail(&flashing->context->error, REFUSED, "mpremote is not installed");
        return advise(&flashing->context->error,
                      "pipx install mpremote, or python3 -m pip install mpremote");
    }
    return status || !code ? status : explain(flashing, code);
}

/* --- the port --- */

static enum status no_such_port(struct flashing *flashing)
{
    struct error *error = &flashing->context->error;
    glob_t found = {0};
    fail(error, REFUSED, "there is no port %s", flashing->port);
    glob("/dev/ttyUSB*", 0, NULL, &found);
    glob("/dev/ttyACM*", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        advise(error, "there is %s", found.gl_pathv[i]);
    if (!found.gl_pathc)
        advise(error, "no board is plugged in; some cables carry power only");
    globfree(&found);
    return REFUSED;
}

/* Programs that talk to a serial port lock it, as mpremote and esptool do. */
static enum status check_port(struct flashing *flashing)
{
    struct error *error = &flashing->context->error;
    struct stat port;
    if (stat(flashing->port, &port) < 0)
        return no_such_port(flashing);
    if (!S_ISCHR(port.st_mode))
        return fail(error, REFUSED, "%s is not a port", flashing->port);
    int opened = open(flashing->port, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0 && errno == EACCES) {
        fail(error, REFUSED, "%s may not be opened by this user", flashing->port);
        return advise(error, "sudo usermod -a -G dialout $USER, then sign in anew");
    }
    if (opened < 0 && errno != EBUSY)
        return fail_errno(error, "cannot open %s", flashing->port);
    bool busy = opened < 0 || flock(opened, LOCK_EX | LOCK_NB) < 0;
    if (opened >= 0)
        close(opened);
    return busy ? refuse(flashing, "another program uses the port",
                         "end it: a serial monitor, an editor's terminal")
                : FINE;
}

/* --- the package --- */

static enum status read_package(struct flashing *flashing, const struct record *record)
{
    struct error *error = &flashing->context->error;
    const char *name = record->name;
    flashing->folder = package_folder(record->type, name);
    owned char *path = path_join(flashing->folder, "manifest.json");
    if (!path_exists(path)) {
        fail(error, WRONG_INPUT, "%s has no package", name);
        return advise(error, "sensorforge package %s makes it", name);
    }
    enum status status = json_read(path, LARGEST_MANIFEST, &flashing->manifest, error);
    const cJSON *file;
    cJSON_ArrayForEach(file, json_get(flashing->manifest, "files")) flashing->bytes +=
        (size_t)json_number(file, "size", 0);
    return status;
}

/* --- MicroPython itself --- */

/* An ESP image begins with this byte. */
static enum status check_image(struct flashing *flashing, const char *image)
{
    struct error *error = &flashing->context->error;
    struct text bytes = {0};
    enum status status = read_file(image, LARGEST_FIRMWARE, &bytes, error);
    if (!status && (!bytes.length || (unsigned char)bytes.at[0] != 0xE9)) {
        status = fail(error, WRONG_INPUT, "%s is no firmware image for esptool", image);
        advise(error, "micropython.org/download has one for each board, ending in .bin");
    }
    text_free(&bytes);
    return status;
}

static enum status run_esptool(struct flashing *flashing, const char *chip, const char *offset,
                               const char *image)
{
    static const char *const names[] = {"esptool", "esptool.py"};
    struct error *error = &flashing->context->error;
    int code = 0;
    for (size_t i = 0; i < 2; i++) {
        const char *words[] = {names[i],      "--chip",       chip,     "--port", flashing->port,
                               "write_flash", "--flash_size", "detect", offset,   image,
                               NULL};
        enum status status = run_program(flashing, words, WRITE_FIRMWARE, &code);
        if (!status)
            return code ? refuse(flashing, "esptool could not write MicroPython",
                                 "hold the board's BOOT (or FLASH) button while it begins")
                        : FINE;
        if (!flashing->missing)
            return status;
        error_free(error);
        *error = (struct error){0};
    }
    fail(error, REFUSED, "esptool is not installed");
    return advise(error, "pipx install esptool, or python3 -m pip install esptool");
}

static enum status write_firmware(struct flashing *flashing)
{
    const char *given = cli_value(flashing->context, "firmware");
    const cJSON *esptool = json_get(flashing->platform, "esptool");
    struct error *error = &flashing->context->error;
    if (!given)
        return FINE;
    if (!esptool) {
        fail(error, WRONG_USAGE, "esptool does not write MicroPython to %s",
             json_string(flashing->platform, "platform", "this board"));
        return advise(error, "%s", json_string(flashing->platform, "install", "see its manual"));
    }
    owned char *image = project_path(flashing->project, given);
    owned char *offset = must_format("0x%x", (unsigned)json_number(esptool, "offset", 0));
    enum status status = check_image(flashing, image);
    if (!status) {
        cli_say(flashing->context, "writing %s", given);
        status = run_esptool(flashing, json_string(esptool, "chip", ""), offset, image);
    }
    return status;
}

/* --- the board --- */

/* What follows MARK and key in what the board said, to the end of the line; freed by the caller. */
static char *answer(const struct flashing *flashing, const char *key)
{
    owned char *wanted = must_format(MARK "%s ", key);
    const char *found = strstr(text_string(&flashing->said), wanted);
    if (!found)
        return NULL;
    found += strlen(wanted);
    return must_copy_bytes(found, strcspn(found, "\r\n"));
}

static enum status check_board(struct flashing *flashing)
{
    static const char script[] = "import sys\n"
                                 "v = sys.implementation.version\n"
                                 "print('" MARK "platform', sys.platform)\n"
                                 "print('" MARK "version', '%d.%d' % (v[0], v[1]))\n";
    const char *command[] = {"exec", script, NULL};
    struct error *error = &flashing->context->error;
    const char *wanted = json_string(flashing->manifest, "platform", "");
    enum status status = mpremote(flashing, command, GREET);
    if (status)
        return status;
    owned char *platform = answer(flashing, "platform"), *version = answer(flashing, "version");
    int major = 0, minor = 0;
    if (!platform || !version)
        return refuse(flashing, "the board does not answer as MicroPython does", NULL);
    if (strcmp(platform, wanted) != 0)
        return fail(error, REFUSED, "%s: the board is of the platform %s, the package for %s",
                    flashing->port, platform, wanted);
    major = atoi(version);
    minor = strchr(version, '.') ? atoi(strchr(version, '.') + 1) : 0;
    if (major < 1 || (major == 1 && minor < 22)) {
        fail(error, REFUSED, "%s: the board runs MicroPython %s; 1.22 or later is needed",
             flashing->port, version);
        return advise(error, "firmware=FILE.bin writes a newer one");
    }
    return FINE;
}

/* Modules that the manifest names are fetched by this machine, unless the board has them. */
static enum status install_needs(struct flashing *flashing)
{
    const cJSON *need;
    enum status status = FINE;
    cJSON_ArrayForEach(need, json_get(flashing->manifest, "needs"))
    {
        if (status)
            break;
        owned char *script =
            must_format("try:\n import %s\n print('" MARK "has it')\nexcept ImportError:\n "
                        "print('" MARK "has not')\n",
                        need->valuestring);
        const char *ask[] = {"exec", script, NULL};
        const char *install[] = {"mip", "install", need->valuestring, NULL};
        status = mpremote(flashing, ask, TALK);
        if (status || said(flashing, MARK "has it"))
            continue;
        cli_say(flashing->context, "installing %s", need->valuestring);
        status = mpremote(flashing, install, COPY);
        if (status) {
            error_free(&flashing->context->error);
            flashing->context->error = (struct error){0};
            owned char *what = must_format("%s could not be installed", need->valuestring);
            status = refuse(flashing, what,
                            "mpremote fetches it from micropython.org, which needs the network");
        }
    }
    return status;
}

/* --- copying --- */

static bool goes_last(const char *file)
{
    return strcmp(file, "main.py") == 0 || strcmp(file, "boot.py") == 0;
}

static enum status copy_file(struct flashing *flashing, const char *file)
{
    owned char *from = path_join(flashing->folder, file), *to = must_format(":%s", file);
    const char *command[] = {"fs", "cp", from, to, NULL};
    return mpremote(flashing, command, TALK);
}

/* All files that lie at the top go in one call, each of which costs a second or two. */
static enum status copy_top(struct flashing *flashing, bool last)
{
    const char *command[MOST_WORDS - 4] = {"fs", "cp"};
    char *paths[MOST_WORDS];
    size_t words = 2, made = 0;
    const cJSON *file;
    cJSON_ArrayForEach(file, json_get(flashing->manifest, "files"))
    {
        const char *name = json_string(file, "file", "");
        if (!strchr(name, '/') && goes_last(name) == last && words < MOST_WORDS - 8)
            command[words++] = paths[made++] = path_join(flashing->folder, name);
    }
    if (last)
        command[words++] = paths[made++] = path_join(flashing->folder, "manifest.json");
    command[words++] = ":";
    command[words] = NULL;
    enum status status = made ? mpremote(flashing, command, COPY) : FINE;
    while (made)
        free(paths[--made]);
    return status;
}

/* Files in folders, which the board may not have. */
static enum status copy_deep(struct flashing *flashing)
{
    enum status status = FINE;
    const cJSON *file;
    cJSON_ArrayForEach(file, json_get(flashing->manifest, "files"))
    {
        const char *name = json_string(file, "file", "");
        if (status || !strchr(name, '/'))
            continue;
        owned char *script = must_format("import os\np = ''\n"
                                         "for n in '%s'.split('/')[:-1]:\n"
                                         " p += '/' + n\n"
                                         " try: os.mkdir(p)\n"
                                         " except OSError: pass\n",
                                         name);
        const char *make[] = {"exec", script, NULL};
        status = mpremote(flashing, make, TALK);
        if (!status)
            status = copy_file(flashing, name);
    }
    return status;
}

static enum status copy_package(struct flashing *flashing)
{
    cli_say(flashing->context, "copying %d files, %.1f KB",
            cJSON_GetArraySize(json_get(flashing->manifest, "files")),
            (double)flashing->bytes / 1024);
    enum status status = copy_deep(flashing);
    if (!status)
        status = copy_top(flashing, false);
    return status ? status : copy_top(flashing, true);
}

/* --- the proof --- */

/* Read in pieces: an ESP8266 has no room for a whole file. */
static enum status ask_sums(struct flashing *flashing)
{
    static const char script[] = "import hashlib\n"
                                 "from binascii import hexlify\n"
                                 "def s(n):\n"
                                 " h = hashlib.sha256()\n"
                                 " try:\n"
                                 "  with open(n, 'rb') as f:\n"
                                 "   b = f.read(256)\n"
                                 "   while b:\n"
                                 "    h.update(b)\n"
                                 "    b = f.read(256)\n"
                                 "  print('" MARK "' + n, hexlify(h.digest()).decode())\n"
                                 " except OSError:\n"
                                 "  print('" MARK "' + n, 'missing')\n";
    struct text whole = {0};
    const cJSON *file;
    text_add_string(&whole, script);
    cJSON_ArrayForEach(file, json_get(flashing->manifest, "files"))
        text_add_format(&whole, "s('%s')\n", json_string(file, "file", ""));
    const char *command[] = {"exec", text_string(&whole), NULL};
    enum status status = mpremote(flashing, command, TALK);
    text_free(&whole);
    return status;
}

static enum status verify(struct flashing *flashing)
{
    struct error *error = &flashing->context->error;
    enum status status = ask_sums(flashing);
    const cJSON *file;
    cJSON_ArrayForEach(file, json_get(flashing->manifest, "files"))
    {
        const char *name = json_string(file, "file", "");
        if (status)
            break;
        owned char *sum = answer(flashing, name);
        if (!sum || strcmp(sum, json_string(file, "sha256", "")) != 0) {
            status = fail(error, REFUSED, "%s: %s on the board is not what the package holds (%s)",
                          flashing->port, name, sum ? sum : "no answer");
            advise(error, "run the same command again; if it stays so, the board's flash is worn");
        }
    }
    return status;
}

static enum status reset_board(struct flashing *flashing)
{
    static const char *const command[] = {"reset", NULL};
    return mpremote(flashing, command, TALK);
}

static void report(struct flashing *flashing)
{
    struct context *context = flashing->context;
    const char *name = json_string(flashing->manifest, "thing", "");
    int files = cJSON_GetArraySize(json_get(flashing->manifest, "files"));
    if (!context->json) {
        text_add_format(&context->out, "%s  %d files, %.1f KB, verified on %s\n", name, files,
                        (double)flashing->bytes / 1024, flashing->port);
        return;
    }
    cJSON *answer = json_object();
    json_put_string(answer, "name", name);
    json_put_string(answer, "port", flashing->port);
    json_put_number(answer, "files", files);
    json_put_number(answer, "bytes", (double)flashing->bytes);
    json_put_bool(answer, "verified", true);
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

static enum status prepare_board(struct flashing *flashing)
{
    enum status status = check_port(flashing);
    if (!status)
        status = write_firmware(flashing);
    if (!status)
        status = check_board(flashing);
    return status ? status : install_needs(flashing);
}

static enum status flash(struct flashing *flashing)
{
    process_watch();
    enum status status = prepare_board(flashing);
    if (!status)
        status = copy_package(flashing);
    if (!status)
        status = verify(flashing);
    if (!status)
        status = reset_board(flashing);
    process_end_watch();
    if (!status)
        report(flashing);
    return status;
}

enum status command_flash(struct context *context)
{
    struct project project;
    struct flashing flashing = {
        .context = context, .project = &project, .port = cli_value(context, "port")};
    struct record *record = NULL;
    if (!flashing.port) {
        fail(&context->error, WRONG_USAGE, "--port is missing: the board's serial port");
        return advise(&context->error, "sensorforge flash %s --port /dev/ttyUSB0",
                      context->operands[0]);
    }
    enum status status = command_load(context, &project);
    owned char *port = project_path(&project, flashing.port);
    flashing.port = port;
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (!status)
        status = read_package(&flashing, record);
    const char *platform = json_string(flashing.manifest, "platform", "");
    if (!status)
        status = catalog_read_platform(&project.catalog, platform, &context->error);
    if (!status) {
        flashing.platform = catalog_platform(&project.catalog, platform);
        status = flash(&flashing);
    }
    text_free(&flashing.said);
    cJSON_Delete(flashing.manifest);
    free(flashing.folder);
    record_free(record);
    project_free(&project);
    return status;
}
