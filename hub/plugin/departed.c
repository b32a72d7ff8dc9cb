#include "departed.h"
#include "common/base/files.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "version.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LONGEST_NOTE = 256,         /* bytes */
    EXPIRED = 61 * 24 * 60 * 60 /* seconds: mosquitto.conf keeps no session for longer */
};

struct note {
    char *thing, *path;
    struct version version;
    bool claimed;         /* the old session is gone from the memory of the broker */
    struct version saved; /* of the broker's saved sessions when that was so */
    struct note *next;
};

struct departed {
    char *folder, *sessions;
    struct version version; /* of the folder */
    void (*left)(void *context, const char *thing, const char *type);
    void *context;
    struct note *notes;
};

static struct note *find(struct departed *departed, const char *thing)
{
    struct note *note = departed->notes;
    while (note && strcmp(note->thing, thing) != 0)
        note = note->next;
    return note;
}

static struct note *add(struct departed *departed, const char *thing)
{
    struct note *note = must_alloc(sizeof *note);
    note->thing = must_copy(thing);
    note->path = path_join(departed->folder, thing);
    note->next = departed->notes;
    return departed->notes = note;
}

static void remove_first(struct note **list)
{
    struct note *note = *list;
    *list = note->next;
    free(note->thing);
    free(note->path);
    free(note);
}

/* A note that was written again is of another deletion. */
static void read_note(struct departed *departed, const char *thing)
{
    struct note *note = find(departed, thing);
    struct text type = {0};
    struct error none = {0};
    if (!note)
        note = add(departed, thing);
    const struct version version = version_of(note->path);
    if (!version.there || version_same(&version, &note->version))
        return;
    note->version = version;
    note->claimed = false;
    read_file(note->path, LONGEST_NOTE, &type, &none);
    departed->left(departed->context, thing, text_string(&type));
    text_free(&type);
    error_free(&none);
}

static void read_notes(struct departed *departed)
{
    DIR *folder = opendir(departed->folder);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (valid_thing_name(entry->d_name))
            read_note(departed, entry->d_name);
    if (folder)
        closedir(folder);
}

/* Whether the sessions were saved after the note was made, or no saved file is as old as it. */
static bool is_done(const struct note *note, const struct version *sessions)
{
    return (note->claimed && !version_same(sessions, &note->saved)) ||
           time(NULL) - note->version.changed.tv_sec > EXPIRED;
}

static void remove_done(struct departed *departed)
{
    const struct version sessions = version_of(departed->sessions);
    for (struct note **note = &departed->notes; *note;) {
        struct error none = {0};
        if (!is_done(*note, &sessions)) {
            note = &(*note)->next;
            continue;
        }
        remove_tree((*note)->path, &none);
        error_free(&none);
        remove_first(note);
    }
}

void departed_refresh(struct departed *departed)
{
    const struct version version = version_of(departed->folder);
    if (!version_same(&version, &departed->version)) {
        departed->version = version;
        read_notes(departed);
    }
    remove_done(departed);
}

bool departed_claim(struct departed *departed, const char *thing)
{
    departed_refresh(departed);
    struct note *note = find(departed, thing);
    if (!note || note->claimed)
        return false;
    note->claimed = true;
    note->saved = version_of(departed->sessions);
    return true;
}

struct departed *departed_open(const char *project,
                               void (*left)(void *context, const char *thing, const char *type),
                               void *context)
{
    struct departed *departed = must_alloc(sizeof *departed);
    departed->folder = path_join(project, DEPARTED_FOLDER);
    departed->sessions = path_join(project, BROKER_SESSIONS);
    departed->left = left;
    departed->context = context;
    return departed;
}

void departed_close(struct departed *departed)
{
    if (!departed)
        return;
    remove_done(departed); /* the broker has just saved its sessions */
    while (departed->notes)
        remove_first(&departed->notes);
    free(departed->folder);
    free(departed->sessions);
    free(departed);
}
