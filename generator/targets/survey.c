#include "survey.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/iot.h"
#include "aws/pages.h"
#include "generator/pki/pki.h"
#include "aws_target.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256 /* calls that are prepared at once */ };

/* --- many calls, each with something to do it for --- */

/* Calls ask() for `count` items from `first` on, runs the calls, and reads each answer. An item
 * that was deleted in the meantime is skipped. */
static enum status
for_each(struct aws *aws, struct survey *survey, size_t count,
         void (*ask)(struct aws *, struct aws_call *, const struct survey *, size_t),
         void (*read)(struct survey *, size_t, const cJSON *), struct error *error)
{
    static const char verb[] = "looked at";
    struct aws_call *calls = must_array(WINDOW, sizeof *calls);
    enum status status = FINE;
    report_progress(survey->reporter, verb, 0, count);
    for (size_t first = 0; first < count && !status; first += WINDOW) {
        size_t size = count - first < WINDOW ? count - first : WINDOW;
        for (size_t i = 0; i < size; i++)
            ask(aws, &calls[i], survey, first + i);
        for (size_t i = 0; i < size; i++) {
            enum status one = aws_finish(aws, &calls[i], NULL);
            if (!one)
                read(survey, first + i, calls[i].answer);
            else if (!aws_failed_with(&calls[i], "ResourceNotFoundException") && !status) {
                status = one;
                *error = calls[i].error;
                calls[i].error = (struct error){0};
            }
            aws_call_free(&calls[i]);
        }
        report_progress(survey->reporter, verb, first + size, count);
    }
    report_end(survey->reporter);
    free(calls);
    return status;
}

/* --- things --- */

static enum status add_thing(void *context, const cJSON *thing, struct error *error)
{
    struct survey *survey = context;
    const char *claim = thing_claim(thing);
    (void)error;
    if (!*claim)
        return FINE;
    survey->things =
        must_grow(survey->things, survey->thing_count, &survey->thing_room, sizeof *survey->things);
    survey->things[survey->thing_count++] =
        (struct surveyed_thing){.name = must_copy(json_string(thing, "thingName", "")),
                                .type = must_copy(json_string(thing, "thingTypeName", "")),
                                .claim = must_copy(claim),
                                .made = claim_time(claim)};
    return FINE;
}

static void ask_all_things(struct aws *aws, struct aws_call *call, const char *token,
                           const void *about)
{
    (void)about;
    iot_list_things(aws, call, NULL, token);
}

static void ask_principals(struct aws *aws, struct aws_call *call, const struct survey *survey,
                           size_t index)
{
    iot_list_thing_principals(aws, call, survey->things[index].name, NULL);
}

static void read_principals(struct survey *survey, size_t index, const cJSON *answer)
{
    survey->things[index].principals = (size_t)cJSON_GetArraySize(json_get(answer, "principals"));
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct surveyed_thing *)one)->name,
                  ((const struct surveyed_thing *)other)->name);
}

const struct surveyed_thing *survey_find(const struct survey *survey, const char *name)
{
    const struct surveyed_thing key = {.name = (char *)name};
    return survey->thing_count
               ? bsearch(&key, survey->things, survey->thing_count, sizeof *survey->things, by_name)
               : NULL;
}

/* --- certificates --- */

static int by_text(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

struct listing {
    struct survey *survey;
    const char *const *known;
    size_t known_count;
};

static enum status add_certificate(void *context, const cJSON *certificate, struct error *error)
{
    const struct listing *listing = context;
    struct survey *survey = listing->survey;
    const char *id = json_string(certificate, "certificateId", "");
    (void)error;
    if (listing->known_count &&
        bsearch(&id, listing->known, listing->known_count, sizeof *listing->known, by_text))
        return FINE;
    survey->certificates = must_grow(survey->certificates, survey->certificate_count,
                                     &survey->certificate_room, sizeof *survey->certificates);
    survey->certificates[survey->certificate_count++] = (struct surveyed_certificate){
        .id = must_copy(id),
        .arn = must_copy(json_string(certificate, "certificateArn", "")),
        .active = strcmp(json_string(certificate, "status", ""), "ACTIVE") == 0,
        .created = (time_t)json_number(certificate, "creationDate", 0)};
    return FINE;
}

static void ask_all_certificates(struct aws *aws, struct aws_call *call, const char *token,
                                 const void *about)
{
    (void)about;
    iot_list_certificates(aws, call, token);
}

static void ask_certificate(struct aws *aws, struct aws_call *call, const struct survey *survey,
                            size_t index)
{
    iot_describe_certificate(aws, call, survey->certificates[index].id);
}

static void read_certificate(struct survey *survey, size_t index, const cJSON *answer)
{
    struct surveyed_certificate *certificate = &survey->certificates[index];
    const char *pem = json_string(json_get(answer, "certificateDescription"), "certificatePem", "");
    X509 *read = NULL;
    struct error unread = {0};
    if (certificate_from_pem(pem, strlen(pem), &read, &unread) ||
        !certificate_mark(read, certificate->mark))
        *certificate->mark = '\0';
    X509_free(read);
    error_free(&unread);
}

/* Skips what this program did not make. */
static void drop_others(struct survey *survey)
{
    size_t kept = 0;
    for (size_t i = 0; i < survey->certificate_count; i++) {
        if (*survey->certificates[i].mark) {
            survey->certificates[kept++] = survey->certificates[i];
            continue;
        }
        free(survey->certificates[i].id);
        free(survey->certificates[i].arn);
    }
    survey->certificate_count = kept;
}

static void ask_things(struct aws *aws, struct aws_call *call, const struct survey *survey,
                       size_t index)
{
    iot_list_principal_things(aws, call, survey->certificates[index].arn, NULL);
}

static void read_things(struct survey *survey, size_t index, const cJSON *answer)
{
    survey->certificates[index].things = (size_t)cJSON_GetArraySize(json_get(answer, "things"));
}

/* --- all of it --- */

enum status survey_take(struct aws *aws, const char *const *known, size_t known_count,
                        struct survey *survey, struct error *error)
{
    const struct aws_list things = {ask_all_things, NULL, "things", "nextToken"};
    const struct aws_list certificates = {ask_all_certificates, NULL, "certificates", "nextMarker"};
    struct listing listing = {survey, known, known_count};
    enum status status = aws_each(aws, &things, add_thing, survey, NULL, error);
    if (survey->thing_count)
        qsort(survey->things, survey->thing_count, sizeof *survey->things, by_name);
    if (!status)
        status = for_each(aws, survey, survey->thing_count, ask_principals, read_principals, error);
    if (!status)
        status = aws_each(aws, &certificates, add_certificate, &listing, NULL, error);
    if (!status)
        status = for_each(aws, survey, survey->certificate_count, ask_certificate, read_certificate,
                          error);
    drop_others(survey);
    if (!status)
        status = for_each(aws, survey, survey->certificate_count, ask_things, read_things, error);
    return status;
}

void survey_free(struct survey *survey)
{
    for (size_t i = 0; i < survey->thing_count; i++) {
        free(survey->things[i].name);
        free(survey->things[i].type);
        free(survey->things[i].claim);
    }
    for (size_t i = 0; i < survey->certificate_count; i++) {
        free(survey->certificates[i].id);
        free(survey->certificates[i].arn);
    }
    free(survey->things);
    free(survey->certificates);
    *survey = (struct survey){0};
}
