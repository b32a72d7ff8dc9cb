/* Copying a package to its board.
 *
 * The steps, in their order:
 *
 *   flash_open()            reads the manifest of the package
 *   serial_check()          the port
 *   flash_write_firmware()  MicroPython itself, where that is asked for
 *   flash_check_board()     it must run MicroPython 1.22 or later, on the package's platform
 *   flash_install_needs()   modules that its build of MicroPython does not have
 *   flash_copy()            the files into the folder /a, and boot.py, which chooses the folder, to
 *                           the top; main.py and boot.py last, so that a board that loses its power
 *                           in between does not start half of a package
 *   flash_verify()          the board computes the SHA-256 of every file; the manifest has the same
 *   flash_settle()          /a is chosen; what is left of other packages is removed: other files of
 *                           /a, the folder /b of an update, and the files of a package at the top,
 *                           where earlier versions of this program put it
 *   flash_reset()           the board starts the package
 *
 * Each may be repeated. Other files on the board stay as they are. */
#ifndef GENERATOR_BOARD_FLASH_H
#define GENERATOR_BOARD_FLASH_H

#include "serial.h"

#include <cjson/cJSON.h>

struct flash {
    struct serial serial;  /* reporter and port are set by the caller */
    char *folder;          /* of the package */
    cJSON *manifest;       /* package.h */
    const cJSON *platform; /* of the catalog; set by the caller before flash_write_firmware() */
    size_t files, bytes;   /* of the package, without the manifest */
};

/* WRONG_INPUT when the thing has no package. The caller closes, also after a failure. */
enum status flash_open(struct flash *flash, const char *type, const char *thing,
                       struct error *error);
void flash_close(struct flash *flash);

/* The platform that the package is made for. */
const char *flash_platform(const struct flash *flash);

/* image: the path of a firmware image. name: the same, for the report. WRONG_USAGE when the
 * platform is not written with esptool; WRONG_INPUT when the file is no image. */
enum status flash_write_firmware(struct flash *flash, const char *image, const char *name,
                                 struct error *error);
enum status flash_check_board(struct flash *flash, struct error *error);
enum status flash_install_needs(struct flash *flash, struct error *error);
enum status flash_copy(struct flash *flash, struct error *error);
enum status flash_verify(struct flash *flash, struct error *error);
enum status flash_settle(struct flash *flash, struct error *error);
enum status flash_reset(struct flash *flash, struct error *error);

#endif
