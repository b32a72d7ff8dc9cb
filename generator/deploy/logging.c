#include "logging.h"
#include "aws/iam.h"
#include "aws/iot.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A new role is known everywhere after some seconds ("IAM eventual consistency", IAM user guide). */
enum { MOST_TRIES = 8 };

static const char trust[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
    "\"iot.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";

enum status logging_ask(struct aws *aws, bool *on, struct error *error)
{
    struct aws_call call = {0};
    iot_get_logging(aws, &call);
    enum status status = aws_finish(aws, &call, error);
    bool never = status && aws_failed_with(&call, "NotConfiguredException");
    const char *level = json_string(call.answer, "defaultLogLevel", "DISABLED");
    *on = !status && !json_true(call.answer, "disableAllLogs") && strcmp(level, "DISABLED") != 0;
    if (never) {
        error_free(error);
        status = FINE;
    }
    aws_call_free(&call);
    return status;
}

/* *arn: of the role that is there now; freed by the caller. */
static enum status need_role(struct aws *aws, const char *name, char **arn, struct error *error)
{
    struct aws_call call = {0};
    iam_create_role(aws, &call, name, trust);
    enum status status = aws_finish(aws, &call, error);
    const cJSON *role = json_get(json_get(call.answer, "CreateRoleResult"), "Role");
    if (status && aws_failed_with(&call, "EntityAlreadyExists")) {
        error_free(error);
        aws_call_free(&call);
        iam_get_role(aws, &call, name);
        status = aws_finish(aws, &call, error);
        role = json_get(json_get(call.answer, "GetRoleResult"), "Role");
    }
    *arn = must_copy(json_string(role, "Arn", ""));
    aws_call_free(&call);
    return status;
}

/* arn: of the role, "arn:aws:iam::123456789012:role/home-iot-logging". */
static enum status put_policy(struct aws *aws, const char *name, const char *arn,
                              struct error *error)
{
    struct aws_call call = {0};
    const char *partition = strchr(arn, ':'), *account = strstr(arn, "::");
    if (!partition || !account)
        return fail(error, REFUSED, "the role %s has the ARN \"%s\", which is none", name, arn);
    owned char *policy =
        must_format("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
                    "\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:PutLogEvents\","
                    "\"logs:PutMetricFilter\",\"logs:PutRetentionPolicy\"],\"Resource\":"
                    "\"arn:%.*s:logs:*:%.*s:log-group:AWSIotLogsV2*\"}]}",
                    (int)strcspn(partition + 1, ":"), partition + 1, (int)strcspn(account + 2, ":"),
                    account + 2);
    iam_put_role_policy(aws, &call, name, "logs", policy);
    enum status status = aws_finish(aws, &call, error);
    aws_call_free(&call);
    return status;
}

static enum status set_logging(struct aws *aws, const char *arn, struct error *error)
{
    for (int try = 1;; try++) {
        struct aws_call call = {0};
        iot_set_logging(aws, &call, arn, "ERROR");
        enum status status = aws_finish(aws, &call, error);
        bool again =
            status && try < MOST_TRIES && aws_failed_with(&call, "InvalidRequestException");
        aws_call_free(&call);
        if (!again)
            return status;
        error_free(error);
        nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    }
}

enum status logging_turn_on(struct aws *aws, const struct system *system, struct error *error)
{
    owned char *name = must_format("%s-iot-logging", system->name), *arn = NULL;
    enum status status = need_role(aws, name, &arn, error);
    if (!status)
        status = put_policy(aws, name, arn, error);
    return status ? status : set_logging(aws, arn, error);
}
