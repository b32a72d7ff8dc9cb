#include "flash.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/documents/escape.h"
#include "generator/thing/package.h"

#include <stdlib.h>
#include <string.h>

/* Timeouts of one call of mpremote, in seconds: a package of 24 KB takes ten at 115200 baud. */
enum { GREET = 20, TALK = 60, COPY = 300 };
enum { LARGEST_FIRMWARE = 16 << 20, LARGEST_MANIFEST = 1 << 20 };

/* Below this version a board's MicroPython lacks what the firmware uses. */
enum { MAJOR = 1, MINOR = 22 };

/* --- the package --- */

static const cJSON *files_of(const struct flash *flash)
{
    return json_get(flash->manifest, "files");
}

enum status flash_open(struct flash *flash, const char *type, const char *thing,
                       struct error *error)
{
    flash->folder = package_folder(type, thing);
    owned char *path = path_join(flash->folder, "manifest.json");
    const cJSON *file;
    if (!path_exists(path)) {
        fail(error, WRONG_INPUT, "%s has no package", thing);
        return advise(error, "sensorforge package %s makes it", thing);
    }
    enum status status = json_read(path, LARGEST_MANIFEST, &flash->manifest, error);
    cJSON_ArrayForEach(file, files_of(flash))
    {
        flash->files++;
        flash->bytes += (size_t)json_number(file, "size", 0);
    }
    return status;
}

void flash_close(struct flash *flash)
{
    serial_free(&flash->serial);
    cJSON_Delete(flash->manifest);
    free(flash->folder);
}

const char *flash_platform(const struct flash *flash)
{
    return json_string(flash->manifest, "platform", "");
}

/* Adds a string literal of Python. */
static void add_literal(struct text *script, const char *value)
{
    text_add_char(script, '\'');
    escape_text(script, ESCAPE_PYTHON, value, strlen(value));
    text_add_char(script, '\'');
}

/* Runs a script on the board. */
static enum status run_script(struct flash *flash, const char *script, int seconds,
                              struct error *error)
{
    const char *command[] = {"exec", script, NULL};
    return serial_mpremote(&flash->serial, command, seconds, error);
}

/* --- MicroPython itself --- */

/* An ESP image begins with the byte 0xE9 (esptool, "Firmware Image Format"). */
static enum status check_image(const char *image, struct error *error)
{
    struct text bytes = {0};
    enum status status = read_file(image, LARGEST_FIRMWARE, &bytes, error);
    if (!status && (!bytes.length || (unsigned char)bytes.at[0] != 0xE9)) {
        status = fail(error, WRONG_INPUT, "%s is no firmware image for esptool", image);
        advise(error, "micropython.org/download has one for each board, ending in .bin");
    }
    text_free(&bytes);
    return status;
}

enum status flash_write_firmware(struct flash *flash, const char *image, const char *name,
                                 struct error *error)
{
    const cJSON *esptool = json_get(flash->platform, "esptool");
    if (!esptool) {
        fail(error, WRONG_USAGE, "esptool does not write MicroPython to %s",
             json_string(flash->platform, "platform", "this board"));
        return advise(error, "%s", json_string(flash->platform, "install", "see its manual"));
    }
    enum status status = check_image(image, error);
    if (status)
        return status;
    report_line(flash->serial.reporter, "writing %s", name);
    return serial_write(&flash->serial, json_string(esptool, "chip", ""),
                        (unsigned)json_number(esptool, "offset", 0), image, error);
}

/* --- the board --- */

enum status flash_check_board(struct flash *flash, struct error *error)
{
    static const char script[] = "import sys\n"
                                 "v = sys.implementation.version\n"
                                 "print('" SERIAL_MARK "platform', sys.platform)\n"
                                 "print('" SERIAL_MARK "version', '%d.%d' % (v[0], v[1]))\n";
    struct serial *serial = &flash->serial;
    enum status status = run_script(flash, script, GREET, error);
    if (status)
        return status;
    owned char *platform = serial_answer(serial, "platform");
    owned char *version = serial_answer(serial, "version");
    if (!platform || !version)
        return serial_refuse(serial, "the board does not answer as MicroPython does", NULL, error);
    if (strcmp(platform, flash_platform(flash)) != 0)
        return fail(error, REFUSED, "%s: the board is of the platform %s, the package for %s",
                    serial->port, platform, flash_platform(flash));
    const char *dot = strchr(version, '.');
    int major = atoi(version), minor = dot ? atoi(dot + 1) : 0;
    if (major > MAJOR || (major == MAJOR && minor >= MINOR))
        return FINE;
    fail(error, REFUSED, "%s: the board runs MicroPython %s; %d.%d or later is needed",
         serial->port, version, MAJOR, MINOR);
    return advise(error, "firmware=FILE.bin writes a newer one");
}

static enum status install(struct flash *flash, const char *module, struct error *error)
{
    const char *command[] = {"mip", "install", module, NULL};
    report_line(flash->serial.reporter, "installing %s", module);
    if (serial_mpremote(&flash->serial, command, COPY, error) == FINE)
        return FINE;
    error_free(error);
    owned char *what = must_format("%s could not be installed", module);
    return serial_refuse(&flash->serial, what,
                         "mpremote fetches it from micropython.org, which needs the network",
                         error);
}

/* mpremote downloads the modules to this machine, so the board needs no network. */
enum status flash_install_needs(struct flash *flash, struct error *error)
{
    const cJSON *need;
    enum status status = FINE;
    cJSON_ArrayForEach(need, json_get(flash->manifest, "needs"))
    {
        if (status)
            break;
        owned char *script = must_format("try:\n"
                                         " import %s\n"
                                         " print('" SERIAL_MARK "has it')\n"
                                         "except ImportError:\n"
                                         " print('" SERIAL_MARK "has not')\n",
                                         need->valuestring);
        status = run_script(flash, script, TALK, error);
        if (!status && !serial_said(&flash->serial, SERIAL_MARK "has it"))
            status = install(flash, need->valuestring, error);
    }
    return status;
}

/* --- copying --- */

static bool goes_last(const char *file)
{
    return strcmp(file, "main.py") == 0 || strcmp(file, "boot.py") == 0;
}

/* Copies the files without a folder, those that go last or all others. It is one call of mpremote,
 * because each call takes a second or two. */
static enum status copy_top(struct flash *flash, bool last, struct error *error)
{
    owned const char **command = must_array(flash->files + 5, sizeof *command);
    owned char **paths = must_array(flash->files + 1, sizeof *paths);
    size_t words = 0, count = 0;
    const cJSON *file;
    command[words++] = "fs";
    command[words++] = "cp";
    cJSON_ArrayForEach(file, files_of(flash))
    {
        const char *name = json_string(file, "file", "");
        if (!strchr(name, '/') && goes_last(name) == last)
            command[words++] = paths[count++] = path_join(flash->folder, name);
    }
    if (last)
        command[words++] = paths[count++] = path_join(flash->folder, "manifest.json");
    command[words++] = ":";
    enum status status = count ? serial_mpremote(&flash->serial, command, COPY, error) : FINE;
    while (count)
        free(paths[--count]);
    return status;
}

/* Copies a file in a folder, which the board may not have. */
static enum status copy_deep(struct flash *flash, const char *name, struct error *error)
{
    struct text script = {0};
    text_add_string(&script, "import os\np = ''\nfor n in ");
    add_literal(&script, name);
    text_add_string(&script, ".split('/')[:-1]:\n"
                             " p += '/' + n\n"
                             " try: os.mkdir(p)\n"
                             " except OSError: pass\n");
    owned char *from = path_join(flash->folder, name), *to = must_format(":%s", name);
    const char *command[] = {"fs", "cp", from, to, NULL};
    enum status status = run_script(flash, text_string(&script), TALK, error);
    if (!status)
        status = serial_mpremote(&flash->serial, command, TALK, error);
    text_free(&script);
    return status;
}

enum status flash_copy(struct flash *flash, struct error *error)
{
    enum status status = FINE;
    const cJSON *file;
    report_line(flash->serial.reporter, "copying %zu files, %.1f KB", flash->files,
                (double)flash->bytes / 1024);
    cJSON_ArrayForEach(file, files_of(flash))
    {
        const char *name = json_string(file, "file", "");
        if (!status && strchr(name, '/'))
            status = copy_deep(flash, name, error);
    }
    if (!status)
        status = copy_top(flash, false, error);
    return status ? status : copy_top(flash, true, error);
}

/* --- verifying --- */

/* The board reads its files in pieces: an ESP8266 has no memory for a whole file. */
static enum status ask_sums(struct flash *flash, struct error *error)
{
    static const char function[] = "import hashlib\n"
                                   "from binascii import hexlify\n"
                                   "def s(n):\n"
                                   " h = hashlib.sha256()\n"
                                   " try:\n"
                                   "  with open(n, 'rb') as f:\n"
                                   "   b = f.read(256)\n"
                                   "   while b:\n"
                                   "    h.update(b)\n"
                                   "    b = f.read(256)\n"
                                   "  print('" SERIAL_MARK "' + n, hexlify(h.digest()).decode())\n"
                                   " except OSError:\n"
                                   "  print('" SERIAL_MARK "' + n, 'missing')\n";
    struct text script = {0};
    const cJSON *file;
    text_add_string(&script, function);
    cJSON_ArrayForEach(file, files_of(flash))
    {
        text_add_string(&script, "s(");
        add_literal(&script, json_string(file, "file", ""));
        text_add_string(&script, ")\n");
    }
    enum status status = run_script(flash, text_string(&script), TALK, error);
    text_free(&script);
    return status;
}

enum status flash_verify(struct flash *flash, struct error *error)
{
    enum status status = ask_sums(flash, error);
    const cJSON *file;
    cJSON_ArrayForEach(file, files_of(flash))
    {
        const char *name = json_string(file, "file", "");
        if (status)
            break;
        owned char *sum = serial_answer(&flash->serial, name);
        if (sum && strcmp(sum, json_string(file, "sha256", "")) == 0)
            continue;
        status = fail(error, REFUSED, "%s: %s on the board is not what the package holds (%s)",
                      flash->serial.port, name, sum ? sum : "no answer");
        advise(error, "run the same command again; if it stays so, the board's flash is worn");
    }
    return status;
}

enum status flash_reset(struct flash *flash, struct error *error)
{
    static const char *const command[] = {"reset", NULL};
    return serial_mpremote(&flash->serial, command, TALK, error);
}
