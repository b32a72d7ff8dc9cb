#include "account.h"
#include "common/spec/system.h"

enum status account_open(const struct system *system, const struct account_options *options,
                         struct aws **aws, struct error *error)
{
    struct aws_options how = {
        .region = system->aws.region,
        .otherwise_profile = system->aws.profile,
        .rate = system->aws.requests_per_second,
    };
    if (options) {
        how.profile = options->profile;
        how.log = options->log;
        how.log_context = options->log_context;
        how.ask = options->ask;
    }
    return aws_open(&how, aws, error);
}
