/* AWS IoT policies: may this client do that?
 *
 * A document (the JSON that CreatePolicy takes) is compiled once into a policy that never changes
 * again. A decision looks at all policies that are attached to a certificate, with what is asked
 * for and by whom:
 *
 *   policy_compile("esp8266temp", document, length, &policy, &error);
 *   struct policy_context client = {.client_id = "kitchen", .thing_name = "kitchen",
 *                                   .thing_attached = true};
 *   struct policy_request publish = {POLICY_PUBLISH, "arn:aws:iot:eu-west-1:123456789012:",
 *                                    "esp8266temp/kitchen"};
 *   struct policy_decision made = policy_decide(&policy, 1, &publish, &client);
 *   if (made.verdict == POLICY_ALLOWED) ...
 *   policy_free(policy);
 *
 * A statement that denies wins over any that allows; what no statement allows is denied.
 *
 * A decision allocates nothing, touches no global, does no I/O, and may be made by any number of
 * threads at once with the same policies. It costs at most the length of the policies times the
 * length of the name: "*" never makes it try combinations.
 *
 * From the AWS IoT developer guide ("AWS IoT Core policies" and the pages below it) and, where that
 * points to it, the IAM user guide ("IAM JSON policy elements"). docs/rules.md says what differs.
 */
#ifndef COMMON_POLICY_POLICY_H
#define COMMON_POLICY_POLICY_H

#include "common/base/error.h"
#include "common/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_LARGEST = 65536,        /* bytes of a document, white space and all */
    POLICY_MOST_CHARACTERS = 2048, /* of a document without white space (AWS's limit) */
    POLICY_MOST_VALUES = 5,        /* of a certificate's field that are looked at (AWS's limit) */
    POLICY_LONGEST_VALUE = 1024    /* bytes of a certificate's field that a variable takes */
};

/* What is asked for ("AWS IoT Core policy actions"). */
enum policy_action {
    POLICY_CONNECT,
    POLICY_DELETE_CONNECTION,
    POLICY_PUBLISH,
    POLICY_SUBSCRIBE,
    POLICY_RECEIVE,
    POLICY_RETAIN_PUBLISH,
    POLICY_GET_RETAINED_MESSAGE,
    POLICY_LIST_RETAINED_MESSAGES,
    POLICY_GET_THING_SHADOW,
    POLICY_UPDATE_THING_SHADOW,
    POLICY_DELETE_THING_SHADOW,
    POLICY_LIST_NAMED_SHADOWS,
    POLICY_DESCRIBE_JOB_EXECUTION,
    POLICY_GET_PENDING_JOB_EXECUTIONS,
    POLICY_START_NEXT_PENDING_JOB_EXECUTION,
    POLICY_UPDATE_JOB_EXECUTION,
    POLICY_ASSUME_ROLE_WITH_CERTIFICATE,
    POLICY_ACTION_COUNT
};

/* "iot:Publish". */
const char *policy_action_name(enum policy_action action);

/* The kind of thing that an action is about, as it stands in an ARN: "client/", "topic/",
 * "topicfilter/", "thing/", "rolealias/"; "" for actions that are about everything. */
const char *policy_resource_kind(enum policy_action action);

struct policy;

/* Compiles a document; name is what messages call it. WRONG_INPUT: "name:line:column: ...". *policy
 * is the caller's, NULL on failure. The document may go away afterwards. Ends the program when
 * there is no memory, as all that is compiled here does; deciding never does. */
enum status policy_compile(const char *name, const char *document, size_t length,
                           struct policy **policy, struct error *error);
void policy_free(struct policy *policy);

/* --- who asks, and for what --- */

/* What the request is about. All strings end in NUL: MQTT allows none inside of a name. */
struct policy_request {
    enum policy_action action;
    const char *arn;  /* up to the account and its colon: "arn:aws:iot:REGION:ACCOUNT:" */
    const char *name; /* client id, topic, topic filter, thing or role alias, as the action says */
};

/* A key with one value or several, or with none (count 0). */
struct policy_values {
    const char *name;
    const char *const *values;
    size_t count;
};

struct policy_attribute {
    const char *name, *value;
};

/* What variables and conditions see. Zeroed, nothing has a value; strings that are NULL have none.
 * The caller owns all of it, for as long as the decision takes. */
struct policy_context {
    const char *client_id;  /* iot:ClientId */
    const char *source_ip;  /* aws:SourceIp, IPv4 or IPv6 */
    const char *domain;     /* iot:DomainName */
    const char *thing_name; /* iot:Connection.Thing.ThingName; NULL: no such thing is registered */
    const char *thing_type; /* iot:Connection.Thing.ThingTypeName */
    const struct policy_attribute *attributes; /* iot:Connection.Thing.Attributes[name] */
    size_t attribute_count;
    bool thing_attached;        /* iot:Connection.Thing.IsAttached */
    const char *certificate_id; /* iot:CertificateId */
    /* iot:Certificate.<name>: "Subject.CommonName", "Issuer.AlternativeName.DNSName",
     * "SerialNumber", "AvailableKeys". Special characters of a value (, " \ + = < > ;) have a
     * backslash before them, as "X.509 Certificate policy variable limitations" asks. */
    const struct policy_values *certificate;
    size_t certificate_count;
    int64_t time; /* aws:CurrentTime, aws:EpochTime: seconds since 1970; 0: no value */
    /* Any other key by its whole name: "iot:ConnectAttributes", "iot:LastWillTopic",
     * "aws:SourceVpce". */
    const struct policy_values *others;
    size_t other_count;
};

/* --- which thing a connection is of --- */

/* A thing that the certificate of a connection is attached to in the registry. */
struct policy_attachment {
    const char *thing;
    bool exclusive; /* attached as EXCLUSIVE_THING: this is the certificate's only thing */
};

/* Sets thing_name and thing_attached of the context. Under exclusive association the name is that of
 * the certificate's thing, whatever the client id is. Otherwise the client id is taken as the name,
 * and it is attached when the certificate is attached to the thing of that name ("Thing policy
 * variables", "Associating an AWS IoT thing to an MQTT client connection"). The context borrows from
 * the attachments. Afterwards the caller fills in the type and the attributes of thing_name, and sets
 * thing_name to NULL where no such thing is registered. */
void policy_associate(struct policy_context *context, const struct policy_attachment *attachments,
                      size_t count);

/* --- deciding --- */

enum policy_verdict {
    POLICY_DENIED,   /* no statement allows it */
    POLICY_ALLOWED,  /* a statement allows it, and none denies it */
    POLICY_FORBIDDEN /* a statement denies it */
};

/* Which statement decided: of which policy in the list, and which of that one's, from 0. Denied:
 * the first that would have allowed it if its condition had held, else sid and statement are
 * nothing (found false). */
struct policy_decision {
    enum policy_verdict verdict;
    bool found;
    size_t policy, statement;
    const char *sid; /* belongs to the policy; NULL when the statement has none */
};

/* No policy is changed. count may be 0: then everything is denied. */
struct policy_decision policy_decide(struct policy *const *policies, size_t count,
                                     const struct policy_request *request,
                                     const struct policy_context *context);

/* Adds the decision as words: 'allowed by statement "Publish"', 'denied: no statement allows
 * iot:Publish on topic/esp8266temp/attic'. */
void policy_describe(const struct policy_decision *decision, const struct policy_request *request,
                     struct text *out);

#endif
