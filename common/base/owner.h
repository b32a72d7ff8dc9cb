/* Files of another user. Where root once ran a command in somebody's project, it left files there that
 * the other cannot read or replace; the messages name the file, its owner, and the command that helps. */
#ifndef COMMON_BASE_OWNER_H
#define COMMON_BASE_OWNER_H

#include "error.h"

/* As fail_errno(error, "<what> <path>"). Where the kernel denied the access, and the file or the folder
 * that it is in belongs to another user, the advice says so. */
enum status fail_path(struct error *error, const char *what, const char *path);

/* Adds that advice, where it is so. */
void owner_advise(struct error *error, const char *path);

/* REFUSED when this process may not read and write the folder, or something below it, and that belongs
 * to another user. FINE where the folder is not there. */
enum status owner_check(const char *folder, struct error *error);

/* The user to whom the working folder belongs, where that is another one than the user of this process;
 * otherwise NULL. Freed by the caller. */
char *owner_of_project(void);

#endif
