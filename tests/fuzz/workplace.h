/* What the fuzz targets share: a folder of their own to work in, and a way to say what must hold.
 */
#ifndef TESTS_FUZZ_WORKPLACE_H
#define TESTS_FUZZ_WORKPLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static inline void must_hold(bool fact)
{
    if (!fact)
        abort();
}

/* A new folder in memory, where it is then. tests/fuzz/run removes what is left of earlier ones. */
static inline void go_to_workplace(void)
{
    const char *root = getenv("FUZZ_WORKPLACE");
    char folder[256];
    snprintf(folder, sizeof folder, "%s/sensorforge-fuzz-XXXXXX", root ? root : "/dev/shm");
    must_hold(mkdtemp(folder) && chdir(folder) == 0);
}

static inline void put_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    must_hold(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

#endif
