#include "region.h"
#include "common/base/text.h"

#include <string.h>

/* The first whose prefix fits. */
static const struct partition partitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn", "cn-north-1", "cn-north-1.amazonaws.com.cn"},
    {"us-gov-", "aws-us-gov", "amazonaws.com", "us-gov-west-1", "us-gov.amazonaws.com"},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "us-iso-east-1", "us-iso-east-1.c2s.ic.gov"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1", "us-isob-east-1.sc2s.sgov.gov"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "eu-isoe-west-1", "eu-isoe-west-1.cloud.adc-e.uk"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov", "us-isof-south-1",
     "us-isof-south-1.csp.hci.ic.gov"},
    {"eusc-", "aws-eusc", "amazonaws.eu", "eusc-de-east-1", "eusc-de-east-1.amazonaws.eu"},
    {"", "aws", "amazonaws.com", "us-east-1", "amazonaws.com"},
};

const struct partition *region_partition(const char *region)
{
    const struct partition *partition = partitions;
    while (!begins_with(region, partition->prefix))
        partition++;
    return partition;
}

bool region_valid(const char *region)
{
    size_t length = strlen(region);
    return length && length <= 63 && region[0] != '-' && region[length - 1] != '-' &&
           strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               length &&
           strspn(region, "0123456789") < length;
}
