#include "account.h"
#include "common/base/json.h"

enum status account_open(const cJSON *system, const struct account_options *options,
                         struct aws **aws, struct error *error)
{
    const cJSON *section = json_get(system, "aws");
    struct aws_options how = {
        .region = json_string(section, "region", NULL),
        .otherwise_profile = json_string(section, "profile", NULL),
        .rate = json_number(section, "requests_per_second", 10),
    };
    if (options) {
        how.profile = options->profile;
        how.log = options->log;
        how.log_context = options->log_context;
        how.ask = options->ask;
    }
    return aws_open(&how, aws, error);
}
