/* The registry of AWS IoT, as far as it is of this program: things with our claim. */
#include "aws_target.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "aws/iot.h"
#include "aws/pages.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>

#define OWN_ATTRIBUTES "sensorforge:"

/* thing: of ListThings, or an answer of DescribeThing. */
static struct registered_thing read_thing(const cJSON *thing)
{
    const char *claim = thing_claim(thing);
    const cJSON *attribute;
    struct registered_thing read = {.name = must_copy(json_string(thing, "thingName", "")),
                                    .type = must_copy(json_string(thing, "thingTypeName", "")),
                                    .claim = must_copy(claim),
                                    .made = claim_time(claim)};
    cJSON_ArrayForEach(attribute, json_get(thing, "attributes"))
    {
        if (cJSON_IsString(attribute) && !begins_with(attribute->string, OWN_ATTRIBUTES))
            attributes_put(&read.attributes, attribute->string, attribute->valuestring);
    }
    return read;
}

/* --- one thing, with its certificates --- */

struct looking {
    struct registered_thing *thing;
    const char *const *known;
    size_t known_count;
};

static bool is_known(const struct looking *looking, const char *id)
{
    for (size_t i = 0; i < looking->known_count; i++)
        if (looking->known[i] && strcmp(looking->known[i], id) == 0)
            return true;
    return false;
}

/* A principal is a certificate's ARN, or an identity of Amazon Cognito, which is left out. */
static enum status take_principal(void *context, const cJSON *principal, struct error *error)
{
    const struct looking *looking = context;
    struct registered_thing *thing = looking->thing;
    const char *arn = cJSON_GetStringValue(principal);
    const char *id = arn ? strstr(arn, ":cert/") : NULL;
    (void)error;
    if (!id)
        return FINE;
    id += strlen(":cert/");
    thing->certificates = must_grow(thing->certificates, thing->certificate_count,
                                    &thing->certificate_room, sizeof *thing->certificates);
    thing->certificates[thing->certificate_count++] = (struct registered_certificate){
        .id = must_copy(id), .arn = must_copy(arn), .known = is_known(looking, id)};
    return FINE;
}

static void ask_principals(struct aws *aws, struct aws_call *call, const char *token,
                           const void *about)
{
    iot_list_thing_principals(aws, call, about, token);
}

static void read_certificate(struct registered_certificate *certificate, const cJSON *described)
{
    const cJSON *facts = json_get(described, "certificateDescription");
    const char *pem = json_string(facts, "certificatePem", "");
    struct error unread = {0};
    X509 *read = NULL;
    certificate->active = strcmp(json_string(facts, "status", ""), "ACTIVE") == 0;
    if (!certificate_from_pem(pem, strlen(pem), &read, &unread)) {
        if (!certificate_mark(read, certificate->mark))
            *certificate->mark = '\0';
        if (certificate_key_digest(read, certificate->key_digest, &unread))
            *certificate->key_digest = '\0';
        if (certificate_describe(read, &certificate->facts, &unread))
            certificate->facts = (struct certificate_facts){0};
    }
    X509_free(read);
    error_free(&unread);
}

/* One that is gone meanwhile stays with its id alone, as one that is not ours. */
static enum status describe_certificates(struct aws_target *target, struct registered_thing *thing,
                                         struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < thing->certificate_count && !status; i++) {
        struct aws_call call = {0};
        if (thing->certificates[i].known)
            continue;
        iot_describe_certificate(target->aws, &call, thing->certificates[i].id);
        status = aws_finish(target->aws, &call, error);
        if (!status) {
            read_certificate(&thing->certificates[i], call.answer);
        } else if (aws_failed_with(&call, "ResourceNotFoundException")) {
            error_free(error);
            status = FINE;
        }
        aws_call_free(&call);
    }
    return status;
}

enum status aws_look(struct target *target, const char *name, const char *const *known,
                     size_t known_count, struct registered_thing *found, struct error *error)
{
    struct aws_target *state = target->state;
    struct aws_call call = {0};
    *found = (struct registered_thing){0};
    iot_describe_thing(state->aws, &call, name);
    enum status status = aws_finish(state->aws, &call, error);
    bool missing = aws_failed_with(&call, "ResourceNotFoundException");
    if (!status)
        *found = read_thing(call.answer);
    aws_call_free(&call);
    if (missing) {
        error_free(error);
        return FINE;
    }
    struct looking looking = {found, known, known_count};
    const struct aws_list principals = {ask_principals, name, "principals", "nextToken"};
    if (!status)
        status = aws_each(state->aws, &principals, take_principal, &looking, NULL, error);
    if (!status)
        status = describe_certificates(state, found, error);
    if (status)
        registered_thing_free(found);
    return status;
}

/* --- all things --- */

static void ask_things(struct aws *aws, struct aws_call *call, const char *token, const void *about)
{
    iot_list_things(aws, call, about, token);
}

struct listing {
    const char *system;
    struct registry *found;
};

static enum status take_thing(void *context, const cJSON *thing, struct error *error)
{
    const struct listing *listing = context;
    (void)error;
    if (!*thing_claim(thing) || claim_is_others(listing->system, thing_claim(thing)))
        return FINE;
    struct registered_thing read = read_thing(thing);
    registry_add(listing->found, &read);
    return FINE;
}

enum status aws_list_things(struct target *target, const char *const *types, size_t count,
                            struct registry *found, struct error *error)
{
    struct aws_target *state = target->state;
    struct listing listing = {state->system, found};
    enum status status = account_find(state, error);
    *found = (struct registry){0};
    for (size_t i = 0; i < count && !status; i++) {
        const struct aws_list list = {ask_things, types[i], "things", "nextToken"};
        status = aws_each(state->aws, &list, take_thing, &listing, NULL, error);
    }
    if (status) {
        registry_free(found);
        return status;
    }
    found->account = must_copy(state->account);
    found->region = must_copy(aws_region(state->aws));
    registry_sort(found);
    return FINE;
}
