/* YAML as a tree in which every node keeps its place: libyaml's events, made into nodes.
 *
 * Anchors, aliases and merge keys (<<) are resolved: an aliased node is shared, not copied, so a
 * small file cannot grow a large tree. Limits: 1 MiB of bytes, 64 levels, 100,000 nodes and merged
 * keys. One document a file; UTF-8 only; tags other than YAML's own core ones are refused.
 *
 * Scalars stay text. What a plain scalar means (YAML 1.1) is asked with yaml_plain(); spellings
 * that YAML's versions or readers disagree on (014, 1:30, 1_000, 1e3) are YAML_AMBIGUOUS and
 * refused by the checker, so that an editor and this program never read a file differently. */
#ifndef COMMON_SPEC_YAML_H
#define COMMON_SPEC_YAML_H

#include "problems.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_LARGEST = 1 << 20 };

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    struct place place;
    size_t offset; /* where it begins in the file, in bytes */
    /* YAML_SCALAR */
    const char *text; /* length bytes and a NUL; holds no other NUL */
    size_t length;
    bool quoted; /* in quotes, or a block scalar, or tagged !!str: text whatever it looks like */
    /* YAML_LIST: count items. YAML_MAP: count items and their keys (scalars, each once). */
    struct yaml_node **items;
    struct yaml_node **keys;
    size_t count;
};

struct yaml {
    struct yaml_node *root; /* NULL when the file is empty or could not be read to its end */
    struct yaml_node **nodes;
    size_t count, room;
};

/* Reads source. What is wrong is added to problems; after an error of syntax root is NULL. */
void yaml_tree_load(const struct source *source, struct yaml *yaml, struct problems *problems);
void yaml_tree_free(struct yaml *yaml);
void yaml_tree_wipe(struct yaml *yaml); /* overwrites all text first: for a file of secrets */

/* The value (or key) called name of a map; NULL when there is none, or node is no map or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *name);
const struct yaml_node *yaml_key(const struct yaml_node *node, const char *name);

enum yaml_meaning {
    YAML_NULL,
    YAML_TRUE,
    YAML_FALSE,
    YAML_INTEGER,
    YAML_NUMBER,
    YAML_STRING,
    YAML_AMBIGUOUS
};

/* What a scalar means. For YAML_INTEGER and YAML_NUMBER, *number (may be NULL) is its value. */
enum yaml_meaning yaml_meaning(const struct yaml_node *scalar, double *number);

/* The place of the byte at offset of a scalar's text, for errors inside of it (a rule's statement);
 * exact for plain, quoted and block scalars but for unusual escapes, where it is the scalar's own.
 */
struct place yaml_place_inside(const struct source *source, const struct yaml_node *scalar,
                               size_t offset);

#endif
