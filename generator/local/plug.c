#include "plug.h"
#include "capabilities.h"
#include "generator/project/types.h"

enum status plug_in(struct project *project, const char *type, struct error *error)
{
    struct emit_report written = {0};
    if (types_is_deployed(type))
        return FINE;
    enum status status = project_deploy(project, type, &written, error);
    if (status)
        return status;
    report_line(project->reporter, "%s  plugged in", type);
    capabilities_check(project->reporter, &type, 1);
    return FINE;
}
