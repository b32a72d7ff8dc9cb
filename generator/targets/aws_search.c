#include "aws_target.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/iot.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLOCK_TOLERANCE = 3600, /* seconds, between this machine's clock and AWS's */
    LISTED_AFTER = 60       /* seconds, until a new certificate is surely listed */
};

struct seen_certificate {
    char *id;
    char mark[SERIAL_TEXT];           /* "" when it has none */
    char key_digest[KEY_DIGEST_TEXT]; /* "" when it cannot be read */
};

static const struct seen_certificate *find_seen(const struct aws_target *target, const char *id)
{
    for (size_t i = 0; i < target->seen_count; i++)
        if (strcmp(target->seen[i].id, id) == 0)
            return &target->seen[i];
    return NULL;
}

void search_free(struct aws_target *target)
{
    for (size_t i = 0; i < target->seen_count; i++)
        free(target->seen[i].id);
    free(target->seen);
}

static void look_at(struct aws_target *target, const char *id, const cJSON *described)
{
    const char *pem =
        json_string(json_get(described, "certificateDescription"), "certificatePem", "");
    struct seen_certificate seen = {.id = must_copy(id)};
    X509 *certificate = NULL;
    struct error unread = {0};
    bool readable = !certificate_from_pem(pem, strlen(pem), &certificate, &unread);
    if (!readable || !certificate_mark(certificate, seen.mark))
        *seen.mark = '\0';
    if (!readable || certificate_key_digest(certificate, seen.key_digest, &unread))
        *seen.key_digest = '\0';
    target->seen =
        must_grow(target->seen, target->seen_count, &target->seen_room, sizeof *target->seen);
    target->seen[target->seen_count++] = seen;
    X509_free(certificate);
    error_free(&unread);
}

/* A certificate of the list that could be it: inactive, and not older than the enrolment. */
static bool is_candidate(const cJSON *certificate, time_t since)
{
    return strcmp(json_string(certificate, "status", ""), "INACTIVE") == 0 &&
           json_number(certificate, "creationDate", 0) >= (double)(since - CLOCK_TOLERANCE);
}

/* Asks for all candidates of a page that have not been looked at, side by side. */
static enum status look_at_page(struct aws_target *target, const cJSON *page, time_t since,
                                struct error *error)
{
    size_t count = (size_t)cJSON_GetArraySize(page), asked = 0;
    struct aws_call *calls = must_array(count ? count : 1, sizeof *calls);
    const char **ids = must_array(count ? count : 1, sizeof *ids);
    const cJSON *certificate;
    enum status status = FINE;
    cJSON_ArrayForEach(certificate, page)
    {
        const char *id = json_string(certificate, "certificateId", "");
        if (!is_candidate(certificate, since) || find_seen(target, id))
            continue;
        ids[asked] = id;
        iot_describe_certificate(target->aws, &calls[asked++], id);
    }
    for (size_t i = 0; i < asked; i++) {
        enum status one = aws_finish(target->aws, &calls[i], NULL);
        if (!one)
            look_at(target, ids[i], calls[i].answer);
        else if (!aws_failed_with(&calls[i], "ResourceNotFoundException") && !status)
            status = fail(error, one, "%s", text_string(&calls[i].error.message));
        aws_call_free(&calls[i]);
    }
    free(calls);
    free(ids);
    return status;
}

/* The list is the newest first: a page that ends before since is the last that matters. */
static bool older_than(const cJSON *page, time_t since)
{
    int count = cJSON_GetArraySize(page);
    return count && json_number(cJSON_GetArrayItem(page, count - 1), "creationDate", 0) <
                        (double)(since - CLOCK_TOLERANCE);
}

static bool is_wanted(const struct seen_certificate *seen, const char *mark, const char *key_digest)
{
    return seen && ((mark && strcmp(seen->mark, mark) == 0) ||
                    (key_digest && strcmp(seen->key_digest, key_digest) == 0));
}

enum status search_certificates(struct aws_target *target, const char *mark, const char *key_digest,
                                time_t since,
                                enum status (*found)(void *context, const char *id, const char *arn,
                                                     struct error *error),
                                void *context, struct error *error)
{
    enum status status = FINE;
    bool last = false;
    char *marker = NULL;
    while (!last && !status) {
        struct aws_call list = {0};
        iot_list_certificates(target->aws, &list, marker);
        status = aws_finish(target->aws, &list, error);
        const cJSON *page = json_get(list.answer, "certificates"), *certificate;
        if (!status)
            status = look_at_page(target, page, since, error);
        cJSON_ArrayForEach(certificate, page)
        {
            const char *id = json_string(certificate, "certificateId", "");
            const struct seen_certificate *seen = find_seen(target, id);
            if (!status && is_wanted(seen, mark, key_digest) && is_candidate(certificate, since))
                status = found(context, id, json_string(certificate, "certificateArn", ""), error);
        }
        free(marker);
        const char *next = json_string(list.answer, "nextMarker", NULL);
        marker = next ? must_copy(next) : NULL;
        last = !marker || older_than(page, since);
        aws_call_free(&list);
    }
    free(marker);
    return status;
}

/* --- answers that may have been lost --- */

bool needs_sweep(const struct registration *registration)
{
    return registration->sweep != 0;
}

void note_sweep(struct registration *registration)
{
    registration->sweep = time(NULL);
}

void end_sweep(struct registration *registration)
{
    if (time(NULL) - registration->sweep >= LISTED_AFTER)
        registration->sweep = 0;
}

time_t claim_time(const char *claim)
{
    const char *at = strchr(claim, '@');
    int64_t made;
    if (!at)
        return 0;
    owned char *text = must_copy_bytes(at + 1, strcspn(at + 1, "@"));
    return clock_read(text, &made) ? (time_t)(made / 1000) : 0;
}
