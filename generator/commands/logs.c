#include "commands.h"
#include "common/base/files.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/local/service.h"
#include "generator/project/project.h"

#include <signal.h>
#include <unistd.h>

/* tail(1) takes the place of this process: it shows the last lines of both logs, and with --follow
 * new ones. */
enum status command_logs(struct context *context)
{
    const char *lines = cli_value(context, "lines");
    const char *words[8 + SERVICES] = {"tail", "-n", lines ? lines : "20"};
    char *logs[SERVICES] = {NULL};
    size_t count = 3, found = 0;
    struct project project;
    enum status status = command_find(context, &project);
    project_free(&project);
    if (status)
        return status;
    if (cli_given(context, "follow"))
        words[count++] = "-F";
    words[count++] = "--";
    for (int i = 0; i < SERVICES; i++) {
        logs[i] = daemon_log_file(service_names[i]);
        if (path_exists(logs[i])) {
            words[count++] = logs[i];
            found++;
        }
    }
    if (!found) {
        fail(&context->error, WRONG_INPUT, "there are no logs in " LOG_FOLDER " yet");
        status = advise(&context->error, "make up starts the local system");
    } else {
        signal(SIGPIPE, SIG_DFL);
        execvp(words[0], (char *const *)words);
        status = fail_errno(&context->error, "cannot run tail");
    }
    for (int i = 0; i < SERVICES; i++)
        free_owned(&logs[i]);
    return status;
}
