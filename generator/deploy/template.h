/* Changes to a CloudFormation template before it is compared and sent. */
#ifndef GENERATOR_DEPLOY_TEMPLATE_H
#define GENERATOR_DEPLOY_TEMPLATE_H

#include <cjson/cJSON.h>

/* In which resources references to parameters are replaced. RESOLVE_RETAINED: in those that outlive
 * their stack. CloudFormation imports an existing resource only when its name in the template is a
 * literal ("Import AWS resources into a CloudFormation stack automatically"). */
enum resolving { RESOLVE_ALL, RESOLVE_RETAINED };

/* A copy of a template in which references to parameters are replaced by their values. parameters:
 * {"DatabaseName": "iot"}. The caller deletes. */
cJSON *template_resolve(const cJSON *from, const cJSON *parameters, enum resolving which);

/* Sets each property that CloudFormation cannot change (resource_kind.fixed) to the value that is
 * deployed. The caller deletes what was wanted instead: {logical id: value}. */
cJSON *template_keep_fixed(cJSON *template, const cJSON *deployed);

#endif
