#include "shares.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Otherwise uthash ends the program when memory is exhausted. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Bytes of one client in one segment. */
struct part {
    uint64_t segment, bytes;
};

struct share {
    char *client_id; /* the key; not NUL-terminated */
    size_t length;
    struct part *parts; /* by ascending segments */
    size_t count, room;
    uint64_t bytes; /* of all parts */
    bool held_back;
    UT_hash_handle hh;
};

struct shares {
    uint64_t most;
    struct share *all;
    size_t held_back;
    char last[SHARES_NAME]; /* the client that was refused last */
};

struct shares *shares_open(uint64_t most)
{
    struct shares *shares = calloc(1, sizeof *shares);
    if (shares)
        shares->most = most;
    return shares;
}

static void free_share(struct share *share)
{
    if (share) {
        free(share->client_id);
        free(share->parts);
    }
    free(share);
}

void shares_close(struct shares *shares)
{
    if (!shares)
        return;
    struct share *share = shares->all, *next;
    HASH_CLEAR(hh, shares->all);
    for (; share; share = next) {
        next = share->hh.next;
        free_share(share);
    }
    free(shares);
}

static struct share *find(const struct shares *shares, const char *client_id, size_t length)
{
    struct share *found = NULL;
    HASH_FIND(hh, shares->all, client_id, length, found);
    return found;
}

/* NULL: out of memory. */
static struct share *find_or_make(struct shares *shares, const char *client_id, size_t length)
{
    struct share *found = find(shares, client_id, length), *made;
    if (found)
        return found;
    made = calloc(1, sizeof *made);
    if (made && (made->client_id = malloc(length + 1))) {
        memcpy(made->client_id, client_id, length);
        made->length = length;
        HASH_ADD_KEYPTR(hh, shares->all, made->client_id, length, made);
    }
    found = find(shares, client_id, length);
    if (found != made)
        free_share(made);
    return found;
}

static bool make_room(struct share *share)
{
    if (share->count < share->room)
        return true;
    size_t wanted = share->room ? 2 * share->room : 2;
    struct part *grown = realloc(share->parts, wanted * sizeof *grown);
    if (grown) {
        share->parts = grown;
        share->room = wanted;
    }
    return grown;
}

void shares_add(struct shares *shares, const char *client_id, size_t length, uint64_t segment,
                uint64_t bytes)
{
    struct share *share = shares->most ? find_or_make(shares, client_id, length) : NULL;
    if (!share)
        return;
    if (!share->count || share->parts[share->count - 1].segment != segment) {
        if (!make_room(share))
            return;
        share->parts[share->count++] = (struct part){.segment = segment};
    }
    share->parts[share->count - 1].bytes += bytes;
    share->bytes += bytes;
}

static uint64_t sealed_bytes(const struct share *share, uint64_t current)
{
    const struct part *last = share->count ? &share->parts[share->count - 1] : NULL;
    return share->bytes - (last && last->segment == current ? last->bytes : 0);
}

static void hold_back(struct shares *shares, struct share *share)
{
    size_t length = share->length < SHARES_NAME ? share->length : SHARES_NAME - 1;
    shares->held_back += !share->held_back;
    share->held_back = true;
    memcpy(shares->last, share->client_id, length);
    shares->last[length] = '\0';
}

bool shares_allow(struct shares *shares, const char *client_id, size_t length, uint64_t current)
{
    struct share *share = shares->most ? find(shares, client_id, length) : NULL;
    if (!share || sealed_bytes(share, current) < shares->most)
        return true;
    hold_back(shares, share);
    return false;
}

static void drop_parts(struct share *share, uint64_t first)
{
    size_t gone = 0;
    while (gone < share->count && share->parts[gone].segment < first)
        share->bytes -= share->parts[gone++].bytes;
    share->count -= gone;
    if (gone)
        memmove(share->parts, share->parts + gone, share->count * sizeof *share->parts);
}

static void forget(struct shares *shares, struct share *share)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc,clang-analyzer-core.NullDereference): it is in the table */
    HASH_DEL(shares->all, share);
    free_share(share);
}

void shares_drop(struct shares *shares, uint64_t first, uint64_t current)
{
    struct share *share = shares->all, *next;
    for (; share; share = next) {
        next = share->hh.next;
        drop_parts(share, first);
        if (share->held_back && sealed_bytes(share, current) < shares->most) {
            share->held_back = false;
            shares->held_back--;
        }
        if (!share->count)
            forget(shares, share);
    }
}

/* The last one that was refused, as long as it is held back; otherwise any that is. */
size_t shares_held_back(const struct shares *shares, char name[SHARES_NAME])
{
    const struct share *share = find(shares, shares->last, strlen(shares->last));
    *name = '\0';
    if (!shares->held_back)
        return 0;
    if (!share || !share->held_back)
        for (share = shares->all; share && !share->held_back;)
            share = share->hh.next;
    if (share)
        snprintf(name, SHARES_NAME, "%.*s", (int)share->length, share->client_id);
    return shares->held_back;
}
