/* Bytes that must not outlive their use: private keys, wifi passwords.
 *
 * A secret has a type of its own, so that it cannot be printed or copied by accident, and is
 * overwritten when it is freed. It does not grow, so that no copy stays behind. Where text is made
 * from it, that text is marked (text.secret); where JSON is made from it, the tree borrows it
 * (json_put_secret). */
#ifndef COMMON_BASE_SECRET_H
#define COMMON_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *at;      /* length bytes and a NUL; NULL when there is none (an empty secret is "") */
    size_t length; /* bytes, without the NUL */
};

/* A secret that holds a copy of length bytes; the caller frees it, and wipes the original. */
struct secret secret_copy(const char *bytes, size_t length);

/* Overwrites and frees; {0} is fine. */
void secret_free(struct secret *secret);

/* Asks a person, and fills the answer; false when there is no answer. echo: what is typed is shown.
 * A NULL pointer to such a function means that nobody can be asked. */
typedef bool secret_asker(const char *question, bool echo, struct secret *answer);

/* For `secret_owned struct secret key = {0};`: freed when the variable goes out of scope. */
#define secret_owned __attribute__((cleanup(secret_free)))

#endif
