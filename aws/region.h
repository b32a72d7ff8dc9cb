/* Regions and the partitions that they belong to: botocore's data/endpoints.json. */
#ifndef AWS_REGION_H
#define AWS_REGION_H

#include <stdbool.h>

struct partition {
    const char *prefix;        /* of its regions' names; "" for all others */
    const char *name;          /* "aws", "aws-cn", ... */
    const char *suffix;        /* of its hosts: "amazonaws.com" */
    const char *global_region; /* the region that requests to global services are signed for */
    const char *global_hosts;  /* what follows the service in the hosts of global services */
};

const struct partition *region_partition(const char *region);

/* Whether a name can be a region, and so a part of a host name. */
bool region_valid(const char *region);

#endif
