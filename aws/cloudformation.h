/* AWS CloudFormation, one function for each API operation that deploying needs.
 *
 * Each prepares the call and submits it (see aws.h). Answers are XML as JSON (xml.h): every value
 * is a string, and what is empty is null; so {"DescribeStacksResult": {"Stacks": [{...}]}}. Strings
 * are copied. Shapes: the CloudFormation API reference, botocore's cloudformation model. */
#ifndef AWS_CLOUDFORMATION_H
#define AWS_CLOUDFORMATION_H

#include "aws.h"

/* The largest template that a request may carry itself ("CloudFormation quotas"). */
enum { CLOUDFORMATION_LARGEST_TEMPLATE = 51200 };

/* DescribeStacksResult.Stacks[0]: StackId, StackStatus, StackStatusReason, Parameters
 * [{"ParameterKey", "ParameterValue"}]. stack: a name, or the id, by which a deleted one is still
 * found. No such stack: see cloudformation_missing(). */
void cloudformation_describe_stack(struct aws *aws, struct aws_call *call, const char *stack);

/* Whether the call was refused because there is no such stack (or it has been deleted). */
bool cloudformation_missing(const struct aws_call *call);

/* GetTemplateResult.TemplateBody: the text as it was given. */
void cloudformation_get_template(struct aws *aws, struct aws_call *call, const char *stack);

struct change_set {
    const char *stack, *name; /* name: [a-zA-Z][-a-zA-Z0-9]*, at most 128 */
    bool create;              /* the stack is not there yet */
    const char *template_body;
    const cJSON *parameters; /* {"DatabaseName": "iot"} */
    const cJSON *tags;       /* {"sensorforge:system": "home"} */
    bool import;             /* take over what is there already under the same name */
};

/* AlreadyExistsException: one of this name is there. */
void cloudformation_create_change_set(struct aws *aws, struct aws_call *call,
                                      const struct change_set *set);

/* DescribeChangeSetResult: Status (CREATE_COMPLETE, FAILED, ...), StatusReason, ExecutionStatus,
 * Changes [{"ResourceChange": {"Action", "LogicalResourceId", "ResourceType", "Replacement"}}],
 * NextToken. token may be NULL. ChangeSetNotFound. */
void cloudformation_describe_change_set(struct aws *aws, struct aws_call *call, const char *stack,
                                        const char *name, const char *token);

/* ListChangeSetsResult: Summaries [{"ChangeSetName", "StackName", "ExecutionStatus"}], NextToken.
 */
void cloudformation_list_change_sets(struct aws *aws, struct aws_call *call, const char *stack,
                                     const char *token);

/* InvalidChangeSetStatus, ChangeSetNotFound: it has been executed, or another one has. request: a
 * token that makes a second call of the same one harmless, and that its events carry. clean: when
 * it fails, what it made is deleted again, also what has a deletion policy of Retain
 * (RetainExceptOnCreate). */
void cloudformation_execute_change_set(struct aws *aws, struct aws_call *call, const char *stack,
                                       const char *name, const char *request, bool clean);

/* One that is not there is success. */
void cloudformation_delete_change_set(struct aws *aws, struct aws_call *call, const char *stack,
                                      const char *name);

/* DescribeStackEventsResult: StackEvents, the newest first, [{"EventId", "StackId",
 * "PhysicalResourceId", "LogicalResourceId", "ResourceType", "ResourceStatus",
 * "ResourceStatusReason", "ClientRequestToken"}], NextToken. */
void cloudformation_describe_events(struct aws *aws, struct aws_call *call, const char *stack,
                                    const char *token);

/* Begins to delete; a stack that is not there is success. */
void cloudformation_delete_stack(struct aws *aws, struct aws_call *call, const char *stack,
                                 const char *request);

#endif
