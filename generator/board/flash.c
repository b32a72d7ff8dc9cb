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
    owned char *path = path_join(flash->folder, PACKAGE_MANIFEST);
    const cJSON *file;
    if (!path_exists(path)) {
        fail(error, WRONG_INPUT, "%s has no package", thing);
        return advise(error, "make package name=%s makes it", thing);
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

/* A package of source has no format. */
static enum status check_format(struct flash *flash, struct error *error)
{
    owned char *answer = serial_answer(&flash->serial, "format");
    int wanted = (int)json_number(flash->manifest, "format", 0), loads = answer ? atoi(answer) : 0;
    if (!wanted || wanted == loads)
        return FINE;
    fail(error, REFUSED, "%s: the board loads bytecode of the format %d, the package has %d",
         flash->serial.port, loads, wanted);
    return advise(error, "make package name=%s source=yes makes it of source",
                  json_string(flash->manifest, "thing", "THING"));
}

enum status flash_check_board(struct flash *flash, struct error *error)
{
    static const char script[] = "import sys\n"
                                 "v = sys.implementation.version\n"
                                 "print('" SERIAL_MARK "platform', sys.platform)\n"
                                 "print('" SERIAL_MARK "format',"
                                 " getattr(sys.implementation, '_mpy', 0) & 255)\n"
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
        return check_format(flash, error);
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

/* What chooses the package when the board starts. All other files are in the package's folder. */
#define CHOOSER "boot.py"
#define SLOT "a"

static char *place_of(const char *file)
{
    return strcmp(file, CHOOSER) == 0 ? must_copy("/" CHOOSER) : must_format("/" SLOT "/%s", file);
}

enum when { EARLY, LATE, LAST }; /* a file is copied */

static enum when when_copied(const char *file)
{
    return strcmp(file, CHOOSER) == 0 ? LAST : strcmp(file, "main.py") == 0 ? LATE : EARLY;
}

/* Copies the files without a folder whose time it is. It is one call of mpremote, because each call
 * takes a second or two. */
static enum status copy_top(struct flash *flash, enum when when, struct error *error)
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
        if (!strchr(name, '/') && when_copied(name) == when)
            command[words++] = paths[count++] = path_join(flash->folder, name);
    }
    if (when == LATE)
        command[words++] = paths[count++] = path_join(flash->folder, PACKAGE_MANIFEST);
    command[words++] = when == LAST ? ":/" : ":/" SLOT "/";
    enum status status = count ? serial_mpremote(&flash->serial, command, COPY, error) : FINE;
    while (count)
        free(paths[--count]);
    return status;
}

/* Copies a file in a folder, which the board may not have. */
static enum status copy_deep(struct flash *flash, const char *name, struct error *error)
{
    struct text script = {0};
    owned char *to = must_format(":/" SLOT "/%s", name);
    text_add_string(&script, "import os\np = ''\nfor n in ");
    add_literal(&script, to + strlen(":/"));
    text_add_string(&script, ".split('/')[:-1]:\n"
                             " p += '/' + n\n"
                             " try: os.mkdir(p)\n"
                             " except OSError: pass\n");
    owned char *from = path_join(flash->folder, name);
    const char *command[] = {"fs", "cp", from, to, NULL};
    enum status status = run_script(flash, text_string(&script), TALK, error);
    if (!status)
        status = serial_mpremote(&flash->serial, command, TALK, error);
    text_free(&script);
    return status;
}

enum status flash_copy(struct flash *flash, struct error *error)
{
    /* Without the main.py of before, what is copied half does not start. */
    static const char make_folder[] = "import os\n"
                                      "try: os.mkdir('/" SLOT "')\n"
                                      "except OSError: pass\n"
                                      "try: os.remove('/" SLOT "/main.py')\n"
                                      "except OSError: pass\n";
    const cJSON *file;
    report_line(flash->serial.reporter, "copying %zu files, %.1f KB", flash->files,
                (double)flash->bytes / 1024);
    enum status status = run_script(flash, make_folder, TALK, error);
    cJSON_ArrayForEach(file, files_of(flash))
    {
        const char *name = json_string(file, "file", "");
        if (!status && strchr(name, '/'))
            status = copy_deep(flash, name, error);
    }
    for (enum when when = EARLY; when <= LAST && !status; when++)
        status = copy_top(flash, when, error);
    return status;
}

/* --- verifying --- */

/* The board reads its files in pieces: an ESP8266 has no memory for a whole file. */
static enum status ask_sums(struct flash *flash, struct error *error)
{
    static const char function[] = "import hashlib\n"
                                   "from binascii import hexlify\n"
                                   "def s(n, p):\n"
                                   " h = hashlib.sha256()\n"
                                   " try:\n"
                                   "  with open(p, 'rb') as f:\n"
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
        const char *name = json_string(file, "file", "");
        owned char *place = place_of(name);
        text_add_string(&script, "s(");
        add_literal(&script, name);
        text_add_string(&script, ", ");
        add_literal(&script, place);
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

/* --- choosing it --- */

/* Files of an earlier layout, which lay at the top, are those of the manifest that lies there. */
enum status flash_settle(struct flash *flash, struct error *error)
{
    static const char head[] = "import json, os\n"
                               "def r(p):\n"
                               " try:\n"
                               "  for n in os.listdir(p): r(p + '/' + n)\n"
                               "  os.rmdir(p)\n"
                               " except OSError:\n"
                               "  try: os.remove(p)\n"
                               "  except OSError: pass\n"
                               "try:\n"
                               " with open('/" PACKAGE_MANIFEST "') as f: m = json.load(f)\n"
                               " for n in m['files']:\n"
                               "  if n['file'] != '" CHOOSER "': r('/' + n['file'])\n"
                               " r('/" PACKAGE_MANIFEST "')\n"
                               "except (OSError, ValueError, KeyError): pass\n"
                               "k = {'" PACKAGE_MANIFEST "'";
    static const char tail[] = "}\n"
                               "for n in os.listdir('/" SLOT "'):\n"
                               " if n not in k: r('/" SLOT "/' + n)\n"
                               "with open('/slot.new', 'w') as f: f.write('" SLOT "')\n"
                               "r('/slot')\n"
                               "os.rename('/slot.new', '/slot')\n"
                               "r('/b')\n";
    struct text script = {0};
    const cJSON *file;
    text_add_string(&script, head);
    cJSON_ArrayForEach(file, files_of(flash))
    {
        const char *name = json_string(file, "file", "");
        owned char *top = must_copy_bytes(name, strcspn(name, "/"));
        if (strcmp(name, CHOOSER) == 0)
            continue;
        text_add_string(&script, ", ");
        add_literal(&script, top);
    }
    text_add_string(&script, tail);
    enum status status = run_script(flash, text_string(&script), TALK, error);
    text_free(&script);
    return status;
}

enum status flash_reset(struct flash *flash, struct error *error)
{
    static const char *const command[] = {"reset", NULL};
    return serial_mpremote(&flash->serial, command, TALK, error);
}
