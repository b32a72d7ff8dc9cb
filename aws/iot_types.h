/* AWS IoT: thing types and the versions of policies, which deploying and destroying need beside
 * what is in iot.h. Absent ones are ResourceNotFoundException. */
#ifndef AWS_IOT_TYPES_H
#define AWS_IOT_TYPES_H

#include "iot.h"

/* {"thingTypeName", "thingTypeArn", "thingTypeProperties": {...}, "thingTypeMetadata":
 * {"deprecated", "deprecationDate": seconds since 1970, "creationDate"}} */
void iot_describe_thing_type(struct aws *aws, struct aws_call *call, const char *type);

/* properties: as DescribeThingType gives them. The service refuses changes of thingTypeDescription and
 * searchableAttributes by InvalidRequestException ("Can only update mqtt5Configuration."), although
 * its documentation has them (aws-cli issue 9884, 2025-11). */
void iot_update_thing_type(struct aws *aws, struct aws_call *call, const char *type,
                           const cJSON *properties);

/* Things can no longer be made of it; or, with undo, they can again. */
void iot_deprecate_thing_type(struct aws *aws, struct aws_call *call, const char *type, bool undo);

/* InvalidRequestException until five minutes after it was deprecated, and while a thing has it. */
void iot_delete_thing_type(struct aws *aws, struct aws_call *call, const char *type);

/* {"tags": [{"Key", "Value"}], "nextToken"}; token may be NULL. */
void iot_list_tags(struct aws *aws, struct aws_call *call, const char *arn, const char *token);

/* The same as iot_list_things() of a type. */
void iot_list_things_of_type(struct aws *aws, struct aws_call *call, const char *type,
                             const char *token);

/* {"policyName", "policyArn", "policyDocument", ...} */
void iot_get_policy(struct aws *aws, struct aws_call *call, const char *policy);

/* {"policyVersions": [{"versionId": "3", "isDefaultVersion", "createDate": seconds}]}; at most
 * five, in one answer. */
void iot_list_policy_versions(struct aws *aws, struct aws_call *call, const char *policy);

/* DeleteConflictException for the default version. */
void iot_delete_policy_version(struct aws *aws, struct aws_call *call, const char *policy,
                               const char *version);

/* {"targets": ["arn:...:cert/..."], "nextMarker"} */
void iot_list_targets_for_policy(struct aws *aws, struct aws_call *call, const char *policy,
                                 const char *marker);

#endif
