/* Calls AWS as it is told to on standard input, for tests in other languages (tests/aws/core.py).
 *
 * Each line is a call: {"service", "operation", "method", "path", "query", "body", "wanted",
 * "changes", "secret", "anonymous", "pause"}; all of them are under way at once. Each line that
 * comes back is a result: {"place", "status", "http", "code", "message", "advice", "request_id",
 * "attempts", "uncertain", "answer"}. Where AWS cannot be opened, the one line has no place. What
 * --verbose would say goes to standard error.
 *
 * usage: aws_driver [PROFILE [RATE [IN_FLIGHT [PROCESSES]]]]  ("" for none; with PROCESSES the
 * calls are shared among so many after a fork) */
#include "common/base/json.h"
#include "common/base/memory.h"
#include "aws/aws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct aws_service services[] = {
    {.name = "iot",
     .endpoint = "iot",
     .variable = "IOT",
     .section = "iot",
     .protocol = AWS_REST_JSON},
    {.name = "dynamodb",
     .endpoint = "dynamodb",
     .variable = "DYNAMODB",
     .section = "dynamodb",
     .target = "DynamoDB_20120810",
     .json = "1.0",
     .protocol = AWS_JSON},
    {.name = "cloudformation",
     .endpoint = "cloudformation",
     .variable = "CLOUDFORMATION",
     .section = "cloudformation",
     .version = "2010-05-15",
     .protocol = AWS_QUERY},
    {.name = "sts",
     .endpoint = "sts",
     .variable = "STS",
     .section = "sts",
     .version = "2011-06-15",
     .protocol = AWS_QUERY},
    {.name = "iam",
     .endpoint = "iam",
     .variable = "IAM",
     .section = "iam",
     .version = "2010-05-08",
     .protocol = AWS_QUERY,
     .global = true},
};

enum { MOST_CALLS = 20000 };

static struct aws_call calls[MOST_CALLS];
static cJSON *requests[MOST_CALLS];

static const struct aws_service *service_of(const char *name)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    fprintf(stderr, "no service %s\n", name);
    exit(2);
}

static void print_line(cJSON *line)
{
    struct text text = {0};
    json_compact(line, &text);
    puts(text_string(&text));
    fflush(stdout);
    text_free(&text);
    cJSON_Delete(line);
}

static cJSON *line_of(const struct error *error)
{
    cJSON *line = json_object();
    json_put_number(line, "status", error->status);
    json_put_string(line, "message", text_string(&error->message));
    json_put_string(line, "advice", text_string(&error->advice));
    return line;
}

static void print_result(struct aws_call *call, void *context)
{
    cJSON *line = line_of(&call->error);
    json_put_number(line, "place", (double)(size_t)((cJSON **)context - requests));
    json_put_number(line, "http", call->http_status);
    json_put_string(line, "code", call->code);
    json_put_string(line, "request_id", call->request_id);
    json_put_number(line, "attempts", call->attempts);
    json_put_bool(line, "uncertain", call->uncertain);
    if (call->answer)
        json_put(line, "answer", cJSON_Duplicate(call->answer, true));
    print_line(line);
    aws_call_free(call);
}

static void submit(struct aws *aws, size_t place)
{
    const cJSON *request = requests[place];
    calls[place] = (struct aws_call){.done = print_result,
                                     .context = &requests[place],
                                     .pause = json_number(request, "pause", 0)};
    const cJSON *body = json_get(request, "body");
    aws_submit(aws, &calls[place],
               &(struct aws_request){.service = service_of(json_string(request, "service", "")),
                                     .operation = json_string(request, "operation", ""),
                                     .method = json_string(request, "method", NULL),
                                     .path = json_string(request, "path", NULL),
                                     .query = json_string(request, "query", NULL),
                                     .body = body ? cJSON_Duplicate(body, true) : NULL,
                                     .wanted = json_string(request, "wanted", NULL),
                                     .changes = json_true(request, "changes"),
                                     .secret = json_true(request, "secret"),
                                     .anonymous = json_true(request, "anonymous")});
}

static void log_line(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

static size_t read_requests(void)
{
    char *line = NULL;
    size_t room = 0, count = 0;
    ssize_t length;
    struct error error = {0};
    while (count < MOST_CALLS && (length = getline(&line, &room, stdin)) > 0) {
        if (json_parse("line", line, (size_t)length, &requests[count++], &error)) {
            fprintf(stderr, "%s\n", text_string(&error.message));
            exit(2);
        }
    }
    free(line);
    return count;
}

static bool answer_code(const char *question, bool echo, struct secret *answer)
{
    const char *code = getenv("DRIVER_MFA");
    (void)echo;
    fprintf(stderr, "%s\n", question);
    if (code)
        *answer = secret_copy(code, strlen(code));
    return code != NULL;
}

static void run(struct aws *aws, size_t count, size_t first, size_t step)
{
    for (size_t i = first; i < count; i += step)
        submit(aws, i);
    aws_run(aws);
}

static void run_in_processes(struct aws *aws, size_t count, size_t processes)
{
    struct error error = {0};
    if (aws_before_fork(aws, &error)) {
        print_line(line_of(&error));
        error_free(&error);
        return;
    }
    for (size_t i = 0; i < processes; i++) {
        if (fork() == 0) {
            aws_after_fork(aws);
            run(aws, count, i, processes);
            aws_close(aws);
            exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
}

int main(int argc, char **argv)
{
    struct aws *aws;
    struct error error = {0};
    struct aws_options options = {.profile = argc > 1 && *argv[1] ? argv[1] : NULL,
                                  .rate = argc > 2 ? strtod(argv[2], NULL) : 1000,
                                  .in_flight = argc > 3 ? strtoul(argv[3], NULL, 10) : 0,
                                  .ask = getenv("DRIVER_ALONE") ? NULL : answer_code,
                                  .log = log_line};
    size_t processes = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (aws_open(&options, &aws, &error)) {
        print_line(line_of(&error));
        error_free(&error);
        return 1;
    }
    fprintf(stderr, "region %s, partition %s, profile %s, credentials of %s\n", aws_region(aws),
            aws_partition(aws), aws_profile(aws), aws_credentials_source(aws));
    fflush(stderr);
    size_t count = read_requests();
    if (processes)
        run_in_processes(aws, count, processes);
    else
        run(aws, count, 0, 1);
    aws_close(aws);
    for (size_t i = 0; i < count; i++)
        cJSON_Delete(requests[i]);
    return 0;
}
