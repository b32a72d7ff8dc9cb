/* AWS IoT's control plane, one function for each API operation that a thing's life needs.
 *
 * Each prepares the call and submits it (see aws.h); what the answer holds is said beside it, and
 * the errors that callers have to tell apart. Shapes: the IoT API reference, botocore's iot model.
 * Strings are copied; bodies and attributes that are passed as cJSON stay the caller's. */
#ifndef AWS_IOT_H
#define AWS_IOT_H

#include "aws.h"

extern const struct aws_service iot_service;

/* --- things --- */

/* {"thingName", "thingArn", "thingId"}. Idempotent: the same configuration again is success,
 * another one ResourceAlreadyExistsException. No such type: ResourceNotFoundException. */
void iot_create_thing(struct aws *aws, struct aws_call *call, const char *name, const char *type,
                      const cJSON *attributes);

/* {"thingName", "thingArn", "thingTypeName", "attributes": {...}, "version"};
 * ResourceNotFoundException. */
void iot_describe_thing(struct aws *aws, struct aws_call *call, const char *name);

/* Sets these attributes, and leaves the others as they are. */
void iot_update_thing(struct aws *aws, struct aws_call *call, const char *name,
                      const cJSON *attributes);

/* Success where there is none. InvalidRequestException while a principal is attached. */
void iot_delete_thing(struct aws *aws, struct aws_call *call, const char *name);

/* {"things": [{"thingName", "thingTypeName", "attributes", ...}], "nextToken"}. type and token may
 * be NULL. */
void iot_list_things(struct aws *aws, struct aws_call *call, const char *type, const char *token);

/* {"principals": ["arn:...:cert/..."], "nextToken"}; ResourceNotFoundException. */
void iot_list_thing_principals(struct aws *aws, struct aws_call *call, const char *name,
                               const char *token);

/* --- certificates --- */

/* {"certificateArn", "certificateId", "certificatePem"}; inactive. Not idempotent: the same request
 * twice makes two certificates. */
void iot_create_certificate(struct aws *aws, struct aws_call *call, const char *request_pem);

/* active: else INACTIVE. ResourceNotFoundException. */
void iot_update_certificate(struct aws *aws, struct aws_call *call, const char *id, bool active);

/* CertificateStateException while it is active, DeleteConflictException while something is attached
 * to it, ResourceNotFoundException. */
void iot_delete_certificate(struct aws *aws, struct aws_call *call, const char *id);

/* {"certificateDescription": {"certificatePem", "status", "creationDate", ...}} */
void iot_describe_certificate(struct aws *aws, struct aws_call *call, const char *id);

/* {"certificates": [{"certificateArn", "certificateId", "status", "creationDate": seconds}],
 * "nextMarker"}, the newest first. */
void iot_list_certificates(struct aws *aws, struct aws_call *call, const char *marker);

/* {"things": ["kitchen"], "nextToken"} */
void iot_list_principal_things(struct aws *aws, struct aws_call *call, const char *principal,
                               const char *token);

/* --- what ties them --- */

void iot_attach_policy(struct aws *aws, struct aws_call *call, const char *policy,
                       const char *target);
void iot_detach_policy(struct aws *aws, struct aws_call *call, const char *policy,
                       const char *target);
/* {"policies": [{"policyName", "policyArn"}], "nextMarker"} */
void iot_list_attached_policies(struct aws *aws, struct aws_call *call, const char *target,
                                const char *marker);
/* Exclusively: the certificate cannot be attached to another thing, and the thing's name in policies
 * comes from the certificate ("Associating an AWS IoT thing to an MQTT client connection", IoT
 * developer guide). */
void iot_attach_thing_principal(struct aws *aws, struct aws_call *call, const char *thing,
                                const char *principal);
/* Asynchronous: AWS may go on calling it attached for some seconds. */
void iot_detach_thing_principal(struct aws *aws, struct aws_call *call, const char *thing,
                                const char *principal);

/* {"rules": [{"ruleName", ...}], "nextToken"} */
void iot_list_topic_rules(struct aws *aws, struct aws_call *call, const char *token);

/* {"roleArn", "defaultLogLevel": "ERROR", "disableAllLogs": false}; NotConfiguredException: it was
 * never set. */
void iot_get_logging(struct aws *aws, struct aws_call *call);

/* InvalidRequestException also while the role is so new that AWS IoT cannot assume it. */
void iot_set_logging(struct aws *aws, struct aws_call *call, const char *role, const char *level);

/* {"endpointAddress"} of the type iot:Data-ATS. */
void iot_describe_endpoint(struct aws *aws, struct aws_call *call);

/* Whether the service is called somewhere else than at AWS: at an emulator (endpoint.h). */
bool iot_is_elsewhere(const struct aws *aws);

#endif
