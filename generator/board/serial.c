#include "serial.h"
#include "common/base/files.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_SECONDS = 600 /* of esptool, for 16 MB */ };

void serial_free(struct serial *serial)
{
    text_free(&serial->said);
}

/* --- the port --- */

static enum status no_such_port(const struct serial *serial, struct error *error)
{
    glob_t found = {0};
    fail(error, REFUSED, "there is no port %s", serial->port);
    glob("/dev/ttyUSB*", 0, NULL, &found);
    glob("/dev/ttyACM*", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        advise(error, "there is %s", found.gl_pathv[i]);
    if (!found.gl_pathc)
        advise(error, "no board is plugged in; some cables carry power only");
    globfree(&found);
    return REFUSED;
}

static enum status port_in_use(const struct serial *serial, struct error *error)
{
    return serial_refuse(serial, "another program uses the port",
                         "end it: a serial monitor, an editor's terminal", error);
}

/* Programs that use a serial port lock it, as mpremote and esptool do. */
enum status serial_check(struct serial *serial, struct error *error)
{
    struct stat port;
    text_clear(&serial->said);
    if (stat(serial->port, &port) < 0)
        return no_such_port(serial, error);
    if (!S_ISCHR(port.st_mode))
        return fail(error, REFUSED, "%s is not a port", serial->port);
    int opened = open(serial->port, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0 && errno == EACCES) {
        fail(error, REFUSED, "%s may not be opened by this user", serial->port);
        return advise(error, "sudo usermod -a -G dialout $USER, then sign in anew");
    }
    if (opened < 0 && errno != EBUSY)
        return fail_errno(error, "cannot open %s", serial->port);
    bool busy = opened < 0 || flock(opened, LOCK_EX | LOCK_NB) < 0;
    if (opened >= 0)
        close(opened);
    return busy ? port_in_use(serial, error) : FINE;
}

/* --- what programs say --- */

bool serial_said(const struct serial *serial, const char *words)
{
    return strstr(text_string(&serial->said), words) != NULL;
}

char *serial_answer(const struct serial *serial, const char *key)
{
    owned char *wanted = must_format(SERIAL_MARK "%s ", key);
    const char *found = strstr(text_string(&serial->said), wanted);
    if (!found)
        return NULL;
    found += strlen(wanted);
    return must_copy_bytes(found, strcspn(found, "\r\n"));
}

enum status serial_refuse(const struct serial *serial, const char *what, const char *advice,
                          struct error *error)
{
    const char *said = text_string(&serial->said);
    size_t length = strlen(said);
    while (length && (said[length - 1] == '\n' || said[length - 1] == '\r'))
        length--;
    const char *last = said + length;
    while (last > said && last[-1] != '\n')
        last--;
    fail(error, REFUSED, "%s: %s", serial->port, what);
    if (length)
        advise(error, "(%.*s)", (int)(said + length - last), last);
    return advice ? advise(error, "%s", advice) : REFUSED;
}

/* --- programs --- */

/* The output of mpremote and the board as one clear message. */
static enum status explain(const struct serial *serial, int code, struct error *error)
{
    if (subprocess_interrupted())
        return fail(error, REFUSED, "stopped; run the same command again");
    if (serial_said(serial, "it may be in use") ||
        serial_said(serial, "Could not exclusively lock"))
        return port_in_use(serial, error);
    if (serial_said(serial, "Errno 28") || serial_said(serial, "ENOSPC") ||
        serial_said(serial, "No space left"))
        return serial_refuse(serial, "the board's file system is full",
                             "mpremote connect PORT fs ls shows what is there", error);
    if (code == SUBPROCESS_TIMED_OUT || serial_said(serial, "could not enter raw repl") ||
        serial_said(serial, "timeout waiting"))
        return serial_refuse(serial, "the board does not answer",
                             "press its reset button and try again at once; does MicroPython run "
                             "on it? firmware=FILE.bin writes it",
                             error);
    return serial_refuse(serial, "the board did not do as it was told", NULL, error);
}

static enum status run(struct serial *serial, const char *const *words, int seconds, int *code,
                       bool *missing, struct error *error)
{
    text_clear(&serial->said);
    for (size_t i = 0; words[i]; i++)
        report_detail(serial->reporter, "%s%s", i ? "  " : "", words[i]);
    return subprocess_capture(words, seconds, &serial->said, code, missing, error);
}

enum status serial_mpremote(struct serial *serial, const char *const *command, int seconds,
                            struct error *error)
{
    size_t count = 0;
    int code = 0;
    bool missing = false;
    if (subprocess_interrupted())
        return explain(serial, 0, error);
    while (command[count])
        count++;
    owned const char **words = must_array(count + 4, sizeof *words);
    words[0] = "mpremote";
    words[1] = "connect";
    words[2] = serial->port;
    memcpy(words + 3, command, count * sizeof *words);
    enum status status = run(serial, words, seconds, &code, &missing, error);
    if (missing) {
        fail(error, REFUSED, "mpremote is not installed");
        return advise(error, "pipx install mpremote, or python3 -m pip install mpremote");
    }
    return status || !code ? status : explain(serial, code, error);
}

/* Debian calls the program esptool, PyPI esptool.py too. */
enum status serial_write(struct serial *serial, const char *chip, unsigned offset,
                         const char *image, struct error *error)
{
    static const char *const names[] = {"esptool", "esptool.py"};
    owned char *place = must_format("0x%x", offset);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *words[] = {names[i],      "--chip",       chip,     "--port", serial->port,
                               "write_flash", "--flash_size", "detect", place,    image,
                               NULL};
        int code = 0;
        bool missing = false;
        enum status status = run(serial, words, WRITE_SECONDS, &code, &missing, error);
        if (!status && code)
            return serial_refuse(serial, "esptool could not write MicroPython",
                                 "hold the board's BOOT (or FLASH) button while it begins", error);
        if (!missing)
            return status;
        error_free(error);
    }
    fail(error, REFUSED, "esptool is not installed");
    return advise(error, "pipx install esptool, or python3 -m pip install esptool");
}
