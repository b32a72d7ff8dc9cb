/* Taking things out of an account, in the order that AWS demands. A certificate is made inactive, and
 * then the thing's connection is ended: an inactive certificate keeps a client from connecting, not
 * from staying connected. The certificate is rid of its policies, detached from its thing and
 * deleted; the thing is deleted last. Detaching is asynchronous: a deletion that is refused because
 * something is still attached is retried for a while. Every "already gone" is success, so that the
 * same command can be run again. That this is the account and the region that they were made in was
 * checked before (place). */
#include "aws_target.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "aws/iot.h"
#include "aws/iot_data.h"
#include "aws/pages.h"

#include <stdlib.h>
#include <string.h>

/* "Detaches the specified principal from the specified thing ... This call is asynchronous. It
 * might take several seconds for the detachment to propagate" (IoT API reference,
 * DetachThingPrincipal). */
static const double first_pause = 0.2, longest_pause = 5, patience = 60; /* seconds */

const char *thing_claim(const cJSON *described)
{
    return json_string(json_get(described, "attributes"), CLAIM_ATTRIBUTE, "");
}

static bool is_gone(const struct aws_call *call)
{
    return aws_failed_with(call, "ResourceNotFoundException");
}

/* Ends a call that also succeeds when the resource does not exist any more. */
static enum status finish_or_gone(struct aws *aws, struct aws_call *call, struct error *error)
{
    enum status status = aws_finish(aws, call, NULL);
    if (status && is_gone(call))
        status = FINE;
    else if (status) {
        *error = call->error;
        call->error = (struct error){0};
    }
    aws_call_free(call);
    return status;
}

/* --- certificates --- */

struct detaching {
    struct aws *aws;
    const char *thing, *arn;
};

static void ask_policies(struct aws *aws, struct aws_call *call, const char *token,
                         const void *about)
{
    iot_list_attached_policies(aws, call, about, token);
}

static enum status detach_policy(void *context, const cJSON *policy, struct error *error)
{
    const struct detaching *detaching = context;
    struct aws_call call = {0};
    iot_detach_policy(detaching->aws, &call, json_string(policy, "policyName", ""), detaching->arn);
    enum status status = finish_or_gone(detaching->aws, &call, error);
    fault_point("retire:policy");
    return status;
}

static enum status detach_policies(struct aws *aws, const char *arn, struct error *error)
{
    const struct aws_list list = {ask_policies, arn, "policies", "nextMarker"};
    struct detaching detaching = {.aws = aws, .arn = arn};
    return aws_each(aws, &list, detach_policy, &detaching, NULL, error);
}

/* Repeats a deletion that is refused because something is still attached. */
static enum status delete_patiently(struct aws *aws,
                                    void (*ask)(struct aws *, struct aws_call *, const char *),
                                    const char *what, const char *refusal, struct error *error)
{
    double pause = 0, waited = 0;
    for (;;) {
        struct aws_call call = {.pause = pause};
        ask(aws, &call, what);
        enum status status = aws_finish(aws, &call, NULL);
        bool again = status && aws_failed_with(&call, refusal) && waited < patience;
        if (status && !again && !is_gone(&call)) {
            *error = call.error;
            call.error = (struct error){0};
        } else if (!again) {
            status = FINE;
        }
        aws_call_free(&call);
        if (!again)
            return status;
        pause = pause <= 0 ? first_pause : pause < longest_pause ? 2 * pause : pause;
        waited += pause;
    }
}

/* Ends the connection of a thing, whose client id is its name, and deletes its session. One that is
 * not connected is fine. */
static enum status end_connection(struct aws_target *target, const char *thing, struct error *error)
{
    struct aws_call call = {0};
    const char *host;
    enum status status = account_host(target, &host, error);
    if (status)
        return status;
    iot_data_delete_connection(target->aws, &call, host, thing);
    status = finish_or_gone(target->aws, &call, error);
    fault_point("retire:disconnected");
    return status;
}

enum status remove_certificate(struct aws_target *target,
                               const struct removed_certificate *certificate, struct error *error)
{
    struct aws *aws = target->aws;
    struct aws_call call = {0};
    iot_update_certificate(aws, &call, certificate->id, false);
    enum status status = finish_or_gone(aws, &call, error);
    fault_point("retire:inactive");
    if (!status && certificate->connected)
        status = end_connection(target, certificate->thing, error);
    if (!status)
        status = detach_policies(aws, certificate->arn, error);
    if (!status && certificate->thing) {
        iot_detach_thing_principal(aws, &call, certificate->thing, certificate->arn);
        status = finish_or_gone(aws, &call, error);
        fault_point("retire:detached");
    }
    if (!status)
        status = delete_patiently(aws, iot_delete_certificate, certificate->id,
                                  "DeleteConflictException", error);
    fault_point("retire:deleted");
    return status;
}

/* --- things --- */

/* Whose the thing of this name in the account is. */
enum owner { NOBODYS, OURS, ANOTHERS };

struct removal {
    struct aws_target *target;
    const struct retirement *retirement;
    enum owner owner;
};

static enum status remove_one(const struct removal *removal, const char *id, const char *arn,
                              struct error *error)
{
    const char *thing = removal->retirement->thing;
    return remove_certificate(removal->target,
                              &(struct removed_certificate){
                                  .id = id,
                                  .arn = arn,
                                  .thing = thing,
                                  .connected = thing && removal->owner != ANOTHERS,
                              },
                              error);
}

static enum status remove_found(void *context, const char *id, const char *arn, struct error *error)
{
    return remove_one(context, id, arn, error);
}

/* Removes the recorded certificate, and, where an answer may have been lost, the certificates that
 * a search finds. */
static enum status retire_one(struct removal *removal,
                              const struct retired_certificate *certificate, struct error *error)
{
    const struct registration *registration = certificate->registration;
    enum status status = FINE;
    if (!registration)
        return FINE;
    const char *id = registration->certificate_id, *arn = registration->certificate_arn;
    if (id)
        status = remove_one(removal, id, arn ? arn : "", error);
    bool searching =
        (certificate->mark || certificate->key_digest) && (!id || needs_sweep(registration));
    if (!status && searching)
        status = search_certificates(removal->target, certificate->mark, certificate->key_digest,
                                     removal->retirement->since, remove_found, removal, error);
    return status;
}

static void ask_principals(struct aws *aws, struct aws_call *call, const char *token,
                           const void *about)
{
    iot_list_thing_principals(aws, call, about, token);
}

static enum status detach_principal(void *context, const cJSON *principal, struct error *error)
{
    const struct detaching *detaching = context;
    struct aws_call call = {0};
    if (!cJSON_IsString(principal))
        return FINE;
    iot_detach_thing_principal(detaching->aws, &call, detaching->thing, principal->valuestring);
    return finish_or_gone(detaching->aws, &call, error);
}

/* Detaches the principals that a person attached by hand, because a thing with principals cannot be
 * deleted. They are not deleted. */
static enum status detach_others(struct aws *aws, const char *thing, struct error *error)
{
    const struct aws_list list = {ask_principals, thing, "principals", "nextToken"};
    struct detaching detaching = {.aws = aws, .thing = thing};
    return aws_each(aws, &list, detach_principal, &detaching, NULL, error);
}

/* Whose the thing is. Another's may have been made by the same name since: it is left alone. */
static enum status find_owner(struct removal *removal, struct error *error)
{
    const struct retirement *retirement = removal->retirement;
    struct aws_call call = {0};
    iot_describe_thing(removal->target->aws, &call, retirement->thing);
    enum status status = aws_finish(removal->target->aws, &call, NULL);
    const char *claim = retirement->claim;
    if (!status)
        removal->owner = claim && strcmp(thing_claim(call.answer), claim) == 0 ? OURS : ANOTHERS;
    else if (is_gone(&call))
        status = FINE;
    else
        *error = call.error, call.error = (struct error){0};
    aws_call_free(&call);
    return status;
}

static enum status refuse_unknown(const struct retirement *retirement, struct error *error)
{
    fail(error, REFUSED,
         "%s is in the account, but the record that says whether it is this one is damaged",
         retirement->thing);
    return advise(error,
                  "restore " THINGS_FOLDER "/%s/thing.json from a backup, or delete the thing in "
                  "the AWS console first",
                  retirement->thing);
}

static enum status remove_thing(const struct removal *removal, struct error *error)
{
    const char *thing = removal->retirement->thing;
    struct aws *aws = removal->target->aws;
    if (removal->owner == ANOTHERS && !removal->retirement->claim)
        return refuse_unknown(removal->retirement, error);
    if (removal->owner != OURS)
        return FINE;
    enum status status = detach_others(aws, thing, error);
    if (!status)
        status = delete_patiently(aws, iot_delete_thing, thing, "InvalidRequestException", error);
    fault_point("retire:thing");
    return status;
}

enum status aws_retire(struct target *target, const struct retirement *retirement,
                       struct error *error)
{
    struct removal removal = {.target = target->state, .retirement = retirement};
    enum status status = retirement->thing ? find_owner(&removal, error) : FINE;
    for (size_t i = 0; i < retirement->count && !status; i++)
        status = retire_one(&removal, &retirement->certificates[i], error);
    if (!status && retirement->whole)
        status = remove_thing(&removal, error);
    return status;
}
