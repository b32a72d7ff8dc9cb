/* Renewing the authority of this machine, without locking a board out.
 *
 * Boards in the field have certificates that the old authority signed, and those that verify the
 * broker know only the old one. So for a time there are two:
 *
 *                        before      under way              finished
 *   signs for things     old         new                    new
 *   the broker trusts    old         old and new            new
 *   packages carry       old         old and new            new
 *   signed the broker's
 *   own certificate      old         old                    new
 *
 * While it is under way, each thing is rotated. A board that connects with a certificate that the new
 * authority signed has got its package, with both authorities in it. So when no thing has a
 * certificate of the old one any more, every board that can connect at all also accepts a broker whose
 * certificate the new one signed.
 *
 * Both steps make the folder of the authority anew and put it in the place of the other at once.
 * Killed at any moment, the same step goes on. */
#include "local_target.h"

#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <stdlib.h>
#include <string.h>

/* --- how far it is --- */

static bool has_certificate_of(const struct authority *authority, const char *thing,
                               const char *file)
{
    owned char *path = must_format(THINGS_FOLDER "/%s/%s", thing, file);
    X509 *certificate = NULL;
    struct error none = {0};
    bool its = path_exists(path) && certificate_read(path, &certificate, &none) == FINE &&
               authority_issued(authority, certificate);
    X509_free(certificate);
    error_free(&none);
    return its;
}

/* Things that have a certificate of this authority, or are getting one. */
static struct names *things_of(const struct authority *authority)
{
    struct names *all = names_of_folders(THINGS_FOLDER, THING_CERTIFICATE),
                 *found = must_alloc(sizeof *found);
    for (size_t i = 0; i < all->count; i++)
        if (has_certificate_of(authority, all->at[i], THING_CERTIFICATE) ||
            has_certificate_of(authority, all->at[i], THING_NEXT_CERTIFICATE))
            names_append(found, all->at[i]);
    names_free(all);
    return found;
}

static enum status end_of(const struct authority *authority, time_t *ends, struct error *error)
{
    struct certificate_facts facts;
    enum status status = certificate_describe(authority->certificate, &facts, error);
    if (!status)
        *ends = facts.not_after;
    return status;
}

enum status local_renewal(struct target *target, struct renewal *renewal, struct error *error)
{
    const struct local *local = target->state;
    *renewal = (struct renewal){.under_way = local->former.key != NULL};
    enum status status =
        local->authority.key ? end_of(&local->authority, &renewal->ends, error) : FINE;
    if (!status && renewal->under_way)
        status = end_of(&local->former, &renewal->former_ends, error);
    if (!status && renewal->under_way)
        renewal->left = things_of(&local->former);
    return status;
}

void renewal_free(struct renewal *renewal)
{
    names_free(renewal->left);
    *renewal = (struct renewal){0};
}

/* --- its two steps --- */

/* With the clock of another year, the new authority would begin before the old one. One that has ended
 * is no obstacle. */
static enum status check_clock(const struct authority *old, struct error *error)
{
    struct certificate_facts facts;
    enum status status = certificate_describe(old->certificate, &facts, error);
    if (!status && time(NULL) < facts.not_before)
        status = authority_check_valid(old, error);
    return status;
}

static enum status begin_renewal(struct local *local, struct error *error)
{
    struct authority made = {0};
    struct text old_list = {0}, list = {0};
    owned char *name = local_authority_name(local);
    enum status status = check_clock(&local->authority, error);
    if (!status)
        status = local_read_list(&old_list, error);
    if (!status)
        status = authority_make(name, AUTHORITY_YEARS, &made, error);
    if (!status)
        status = local_resign_list(&local->authority, &made, &old_list, &list, error);
    if (!status)
        status = local_install_authority(&made, &local->authority, &list, error);
    text_free(&old_list);
    text_free(&list);
    authority_free(&made);
    return status ? status : local_load_authority(local, error);
}

static enum status refuse_left(const struct names *left, struct error *error)
{
    enum { SHOWN = 5 };
    struct text some = {0};
    for (size_t i = 0; i < left->count && i < SHOWN; i++)
        text_add_format(&some, "%s%s", i ? ", " : "", left->at[i]);
    fail(error, REFUSED, "%zu things still have certificates of the old authority: %s%s",
         left->count, text_string(&some), left->count > SHOWN ? ", ..." : "");
    text_free(&some);
    return advise(error, "make rotate name=..., make flash name=..., or make delete name=... for "
                         "a board that is lost");
}

static enum status finish_renewal(struct local *local, struct error *error)
{
    struct text list = {0};
    struct names *left = things_of(&local->former);
    enum status status = left->count ? refuse_left(left, error) : local_read_list(&list, error);
    if (!status)
        status = local_install_authority(&local->authority, &(struct authority){0}, &list, error);
    names_free(left);
    text_free(&list);
    return status ? status : local_load_authority(local, error);
}

/* The copy of the list is not in the folder. It is brought up to the list also where a step that was
 * killed before could not. */
static enum status copy_list(struct error *error)
{
    struct text list = {0};
    enum status status = local_read_list(&list, error);
    if (!status)
        status = local_copy_list(&list, error);
    text_free(&list);
    return status;
}

/* The authorities are read again under the lock: another command may have been quicker. */
enum status local_renew(struct target *target, bool finish, bool *done, struct error *error)
{
    struct local *local = target->state;
    int lock = -1;
    *done = false;
    if (!path_exists(AUTHORITY_FOLDER)) {
        fail(error, REFUSED, "there is no authority yet");
        return advise(error, "it is made with the first thing");
    }
    enum status status = lock_folder(AUTHORITY_FOLDER, true, &lock, error);
    if (!status)
        status = local_load_authority(local, error);
    bool under_way = !status && local->former.key;
    if (!status && finish && under_way)
        status = finish_renewal(local, error);
    else if (!status && !finish && !under_way)
        status = begin_renewal(local, error);
    *done = !status && finish == under_way;
    if (!status)
        status = copy_list(error);
    if (!status)
        status = remove_tree(AUTHORITY_IN_MAKING, error);
    unlock(&lock);
    return status;
}

/* --- telling of the end --- */

enum { WARNED_DAYS = 183, SOON_DAYS = 365, DAY = 24 * 60 * 60 };

char *local_authority_ending(bool last_months)
{
    struct certificate_facts facts = {0};
    struct error none = {0};
    char day[CLOCK_TEXT];
    X509 *certificate = NULL;
    if (path_exists(AUTHORITY_CERTIFICATE) &&
        !certificate_read(AUTHORITY_CERTIFICATE, &certificate, &none))
        certificate_describe(certificate, &facts, &none);
    X509_free(certificate);
    error_free(&none);
    double left = difftime(facts.not_after, time(NULL));
    if (!facts.not_after || left > (double)DAY * (last_months ? WARNED_DAYS : SOON_DAYS))
        return NULL;
    clock_write(facts.not_after, day);
    return must_format(
        "the local authority %s on %.10s, and with it every certificate that it signed",
        left > 0 ? "ends" : "ended", day);
}
