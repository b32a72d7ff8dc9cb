/* Opens an account: reads its settings, makes the provider of its credentials, and hands both to the
 * client. */
#include "chain.h"
#include "client.h"

enum status aws_open(const struct aws_options *options, struct aws **aws, struct error *error)
{
    struct aws_settings *settings;
    enum status status = settings_read(options, &settings, error);
    *aws = NULL;
    if (status) {
        settings_free(settings);
        return status;
    }
    struct limits *limits = limits_open(settings->rate);
    return client_open(settings, limits, chain_open(settings, limits), aws, error);
}
