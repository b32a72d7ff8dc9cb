#include "secret.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct secret secret_copy(const char *bytes, size_t length)
{
    return (struct secret){must_copy_bytes(bytes, length), length};
}

void secret_free(struct secret *secret)
{
    if (secret->at)
        explicit_bzero(secret->at, secret->length);
    free(secret->at);
    *secret = (struct secret){0};
}
