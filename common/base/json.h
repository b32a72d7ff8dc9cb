/* JSON with cJSON, and what cJSON does not do: the file's canonical layout, UTF-8
 * left as it is, place of a syntax error, wiping.
 *
 * Ownership is cJSON's: who creates an item and has not added it to another deletes it. */
#ifndef COMMON_BASE_JSON_H
#define COMMON_BASE_JSON_H

#include "error.h"
#include "secret.h"
#include "text.h"

#include <cjson/cJSON.h>

/* The one layout of every JSON file that this program writes: two spaces a level, "key": value, an
 * empty object or array as {} or [], numbers as short as they round-trip, UTF-8 unescaped, a
 * newline at the end. Keys keep their order. */
void json_layout(const cJSON *value, struct text *out);

/* On one line, no spaces, no newline. */
void json_compact(const cJSON *value, struct text *out);

/* A number as JSON writes it: the shortest form that reads back as the same number, whole numbers
 * with all their digits as long as a double holds them exactly; "null" for what JSON cannot say. */
void json_format_number(double number, char made[32]);

/* Adds a JSON string with its quotes; bytes are UTF-8. */
void json_add_string(const char *bytes, size_t length, struct text *out);

/* Parses a whole text (RFC 8259; trailing white space is fine, anything else is not; duplicate keys
 * are an error). name is what messages call it. WRONG_INPUT: "name:line:column: ...". Nesting
 * deeper than 64 is refused. *parsed is the caller's. */
enum status json_parse(const char *name, const char *bytes, size_t length, cJSON **parsed,
                       struct error *error);

/* Lays a JSON text out anew, at the end of out: as json_parse() and json_layout() together do, in a
 * fourth of their time for what documents consist of. On failure out is as it was. */
enum status json_normalize(const char *name, const char *bytes, size_t length, struct text *out,
                           struct error *error);

/* As json_parse(), of a file of at most limit bytes. */
enum status json_read(const char *path, size_t limit, cJSON **parsed, struct error *error);

/* The member called name; NULL when object is no object or has none. Case matters. */
cJSON *json_get(const cJSON *object, const char *name);

/* The string or number called name, or what to take instead. The string belongs to the object. */
const char *json_string(const cJSON *object, const char *name, const char *otherwise);
double json_number(const cJSON *object, const char *name, double otherwise);
bool json_true(const cJSON *object, const char *name);

/* Adds (or replaces) a member. A NULL string adds null. json_put() takes over the value. */
void json_put(cJSON *object, const char *name, cJSON *value);
void json_put_string(cJSON *object, const char *name, const char *value);
void json_put_number(cJSON *object, const char *name, double value);
void json_put_bool(cJSON *object, const char *name, bool value);

/* Adds (or replaces) a string without copying it: the object borrows the secret's bytes, which must
 * outlive it. A secret without bytes adds null. */
void json_put_secret(cJSON *object, const char *name, const struct secret *secret);

cJSON *json_object(void); /* never NULL */
cJSON *json_array(void);

/* Overwrites every string of the tree (but not what it borrows), then deletes it: for trees that
 * hold a password. NULL is fine. */
void json_wipe(cJSON *value);

/* {"error": {"status": 1, "message": "...", "advice": "..."}}: the answer of a command with --json that
 * failed. Bytes that are not UTF-8 become U+FFFD. The caller deletes it. */
cJSON *json_error(const struct error *error);

#endif
