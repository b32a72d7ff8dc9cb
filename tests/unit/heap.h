/* Whether a secret is still somewhere in this process's memory: the test that nothing forgets to
 * overwrite it, neither our code nor a library.
 *
 * Memory is read through /proc/self/mem, because a sanitizer would stop a program that reads freed
 * bytes. Stacks are left out: the test itself has the secret there. */
#ifndef TESTS_UNIT_HEAP_H
#define TESTS_UNIT_HEAP_H

#include "workplace.h"

#include <fcntl.h>

/* A password that the program's file does not hold: made when it is needed. */
MAYBE_UNUSED static void make_password(char password[33])
{
    for (int i = 0; i < 32; i++)
        password[i] = (char)('a' + (i * 7 + getpid()) % 26);
    password[32] = '\0';
}

static bool region_holds(int memory, unsigned long long from, unsigned long long to,
                         const char *bytes, size_t length)
{
    char part[1 << 16];
    bool found = false;
    for (unsigned long long at = from; at < to && !found;) {
        size_t wanted = to - at < sizeof part ? (size_t)(to - at) : sizeof part;
        ssize_t got = pread(memory, part, wanted, (off_t)at);
        if (got < (ssize_t)length)
            break;
        found = memmem(part, (size_t)got, bytes, length);
        at += (size_t)got - (at + (size_t)got < to ? length - 1 : 0);
    }
    explicit_bzero(part, sizeof part);
    return found;
}

/* Looks at everything that is writable and no file: what malloc() gives, used or freed. */
MAYBE_UNUSED static bool memory_holds(const char *bytes, size_t length)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512];
    bool found = false;
    assert_true(maps && memory >= 0);
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long long from, to;
        char rights[5], name[256] = "";
        if (sscanf(line, "%llx-%llx %4s %*s %*s %*s %255s", &from, &to, rights, name) < 3)
            continue;
        bool ours = rights[0] == 'r' && rights[1] == 'w' && (!*name || !strcmp(name, "[heap]"));
        if (ours && to - from < 1ULL << 30) /* larger: a sanitizer's own */
            found = region_holds(memory, from, to, bytes, length);
    }
    close(memory);
    fclose(maps);
    return found;
}

#endif
