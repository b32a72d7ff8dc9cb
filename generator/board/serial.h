/* A board at a serial port, spoken to with the programs mpremote and esptool. */
#ifndef GENERATOR_BOARD_SERIAL_H
#define GENERATOR_BOARD_SERIAL_H

#include "common/base/error.h"
#include "common/base/report.h"
#include "common/base/text.h"

#include <stdbool.h>

struct serial {
    const struct reporter *reporter; /* may be NULL */
    const char *port;                /* "/dev/ttyUSB0" */
    struct text said;                /* the output of the last program */
};

void serial_free(struct serial *serial);

/* REFUSED, with what to do, when there is no such port, or another program uses it. */
enum status serial_check(struct serial *serial, struct error *error);

/* Runs mpremote with a command: its arguments after "connect PORT", ended by NULL. REFUSED, with
 * the reason in plain words, when it fails or takes longer than so many seconds. */
enum status serial_mpremote(struct serial *serial, const char *const *command, int seconds,
                            struct error *error);

/* Writes a firmware image to the board's flash with esptool. chip: esptool's name of it; offset: in
 * bytes. */
enum status serial_write(struct serial *serial, const char *chip, unsigned offset,
                         const char *image, struct error *error);

/* Whether the last program has written these words. */
bool serial_said(const struct serial *serial, const char *words);

/* A script that runs on the board answers with lines "sensorforge:<key> <value>". The value of the
 * first such line that the last program has written; NULL: there is none. Freed by the caller. */
#define SERIAL_MARK "sensorforge:"
char *serial_answer(const struct serial *serial, const char *key);

/* Fills the error with "<port>: <what>" and, as advice, the last line that the program has written,
 * and advice (may be NULL). Returns REFUSED. */
enum status serial_refuse(const struct serial *serial, const char *what, const char *advice,
                          struct error *error);

#endif
