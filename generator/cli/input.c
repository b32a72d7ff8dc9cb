#include "input.h"
#include "common/base/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum status read_input(const char *path, size_t limit, struct text *out, struct error *error)
{
    char block[65536];
    if (strcmp(path, "-") != 0)
        return read_file(path, limit, out, error);
    for (;;) {
        ssize_t got = read(STDIN_FILENO, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(error, "cannot read standard input");
        if (got == 0)
            return FINE;
        text_add(out, block, (size_t)got);
        if (out->length > limit)
            return fail(error, WRONG_INPUT, "standard input has more than %zu bytes", limit);
    }
}
