/* Where the programs of the local system are on this machine. Each path is NULL when there is no
 * such program, and is freed by the caller. */
#ifndef GENERATOR_LOCAL_PROGRAMS_H
#define GENERATOR_LOCAL_PROGRAMS_H

/* A program beside this one; otherwise on the PATH, in /usr/local/sbin or in /usr/sbin. */
char *programs_path(const char *name);

/* The broker's plugin, which is installed with this program. */
char *programs_plugin(void);

#endif
