/* YAML as a tree in which every node keeps its place: libyaml's events, made into nodes.
 *
 * Anchors, aliases and merge keys (<<) are resolved: an aliased node is shared, not copied, so a
 * small file cannot grow a large tree. Limits: 1 MiB of bytes, 64 levels, 100,000 nodes and merged
 * keys. One document a file; UTF-8 only; tags other than YAML's own core ones are refused.
 *
 * Scalars stay text; yaml_meaning() tells what a scalar means in YAML 1.1. Spellings that have
 * different meanings in YAML 1.1, YAML 1.2 or common readers (014, 1:30, 1_000, 1e3) are
 * YAML_AMBIGUOUS. The checker refuses them, so that editors and this program read a file alike. */
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
    size_t offset; /* of its first byte in the file */
    /* YAML_SCALAR */
    const char *text; /* length bytes and a NUL; holds no other NUL */
    size_t length;
    bool quoted; /* in quotes, or a block scalar, or tagged !!str: text whatever it looks like */
    /* YAML_LIST, YAML_MAP */
    struct yaml_node **items; /* count of them; the values of a map */
    struct yaml_node **keys;  /* of a map: count scalars, all different */
    size_t count;
};

struct yaml {
    struct yaml_node *root;   /* NULL when the file is empty or could not be read to its end */
    struct yaml_node **nodes; /* all, for yaml_tree_free(); lists and maps share nodes */
    size_t count, room;       /* of nodes */
};

/* Reads source, and adds errors to problems. After a syntax error root is NULL. */
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
    YAML_AMBIGUOUS,
    YAML_TOO_LARGE /* a number that no double holds: 1.0e+309 */
};

/* What a scalar means. For YAML_INTEGER and YAML_NUMBER, *number (may be NULL) is its value. */
enum yaml_meaning yaml_meaning(const struct yaml_node *scalar, double *number);

/* The place of the byte at offset of a scalar's text, for errors inside of it (in the statement of
 * a rule). Where escapes in quotes make that impossible, it is the place of the scalar. */
struct place yaml_place_inside(const struct source *source, const struct yaml_node *scalar,
                               size_t offset);

#endif
