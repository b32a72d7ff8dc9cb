#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/system.h"
#include "generator/local/service.h"
#include "generator/project/project.h"
#include "generator/simulate/population.h"
#include "generator/simulate/fleet.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_THINGS = 100000 };

/* The value of an option that takes a number above 0. */
static enum status positive(struct context *context, const char *name, double otherwise,
                            double *number)
{
    const char *given = cli_value(context, name);
    char *end = NULL;
    *number = given ? strtod(given, &end) : otherwise;
    if (!given || (end != given && !*end && isfinite(*number) && *number > 0))
        return FINE;
    return fail(&context->error, WRONG_USAGE, "--%s takes a number above 0, not \"%s\"", name,
                given);
}

static enum status read_plan(struct context *context, struct fleet_plan *plan, size_t *things)
{
    double count;
    enum status status = positive(context, "things", 4, &count);
    if (!status && (count != floor(count) || count > MOST_THINGS))
        status = fail(&context->error, WRONG_USAGE, "--things takes a whole number up to %d",
                      MOST_THINGS);
    if (!status)
        status = positive(context, "seconds", 0, &plan->seconds);
    if (!status)
        status = positive(context, "speed", 60, &plan->speed);
    if (!status)
        status = positive(context, "rate", 0, &plan->rate);
    if (!status && cli_given(context, "speed") && cli_given(context, "rate"))
        status = fail(&context->error, WRONG_USAGE, "--rate leaves nothing for --speed to change");
    *things = status ? 0 : (size_t)count;
    return status;
}

/* Shows how a person can send the commands of the controls: a line for each thing that is
 * commanded. */
static void tell_commands(const struct context *context, const struct world *world, int port)
{
    const struct actor *last = NULL;
    for (size_t i = 0; i < world->count; i++) {
        for (size_t j = 0; j < world->actors[i].link_count; j++) {
            const struct link *link = &world->actors[i].links[j];
            struct text message = {0};
            if (link->by == last)
                continue;
            last = link->by;
            json_compact(link->on, &message);
            cli_say(context,
                    "to switch %s: mosquitto_pub -h localhost -p %d -q 1 "
                    "--cafile " AUTHORITY_CERTIFICATE " --cert " HUB_CERTIFICATE " --key " HUB_KEY
                    " -t %s/%s/command -m '%s'",
                    link->by->name, port, link->by->kind->name, link->by->name,
                    text_string(&message));
            text_free(&message);
        }
    }
}

/* The broker ends the connection of a thing that sends more than system.yaml allows. */
static void warn_of_limit(const struct context *context, const struct system *system,
                          const struct world *world, const struct fleet_plan *plan)
{
    double limit = system->local.messages_per_second;
    double most = plan->rate > 0 ? plan->rate / (double)world->count : 0;
    for (size_t i = 0; plan->rate == 0 && i < world->kind_count; i++)
        most = fmax(most, plan->speed / world->kinds[i]->publish_every);
    if (limit > 0 && most > limit)
        cli_say(context,
                "warning: a thing sends %.0f readings/s, and the broker takes %.0f of one: more "
                "things, or messages_per_second in " SYSTEM_FILE " (0: any), then make "
                "down, make up",
                most, limit);
}

static void put_count(cJSON *object, const char *name, uint64_t count)
{
    json_put_number(object, name, (double)count);
}

static void report_json(const struct world *world, const struct fleet_report *report,
                        size_t created, struct text *out)
{
    cJSON *answer = json_object(), *types = json_object();
    put_count(answer, "things", world->count);
    put_count(answer, "created", created);
    put_count(answer, "connected", report->most_connected);
    json_put_number(answer, "seconds", round(report->seconds * 1000) / 1000);
    put_count(answer, "sent", report->sent);
    put_count(answer, "acknowledged", report->acknowledged);
    put_count(answer, "commands", report->commands);
    put_count(answer, "breaks", report->breaks);
    for (size_t i = 0; i < world->kind_count; i++) {
        const struct kind *kind = world->kinds[i];
        cJSON *type = json_object();
        put_count(type, "things", kind->things);
        put_count(type, "sent", kind->sent);
        put_count(type, "acknowledged", kind->acknowledged);
        put_count(type, "artefacts", kind->artefacts);
        json_put(types, kind->name, type);
    }
    json_put(answer, "types", types);
    json_layout(answer, out);
    cJSON_Delete(answer);
}

static void report_words(const struct world *world, const struct fleet_report *report,
                         struct text *out)
{
    for (size_t i = 0; i < world->kind_count; i++) {
        const struct kind *kind = world->kinds[i];
        text_add_format(out,
                        "%s  %zu thing%s, %llu readings sent, %llu acknowledged, "
                        "%llu artefacts among them\n",
                        kind->name, kind->things, kind->things == 1 ? "" : "s",
                        (unsigned long long)kind->sent, (unsigned long long)kind->acknowledged,
                        (unsigned long long)kind->artefacts);
    }
    double rate = report->seconds > 0 ? (double)report->acknowledged / report->seconds : 0;
    text_add_format(out, "%llu in %.1f s, %.*f/s", (unsigned long long)report->acknowledged,
                    report->seconds, rate < 10, rate);
    if (report->commands)
        text_add_format(out, "; %llu commands obeyed", (unsigned long long)report->commands);
    if (report->breaks)
        text_add_format(out, "; %llu connections broke and came back",
                        (unsigned long long)report->breaks);
    text_add_char(out, '\n');
}

/* A run is successful when every thing could connect, and all readings were acknowledged. */
static enum status judge(struct context *context, const struct fleet_report *report)
{
    if (report->never && !report->interrupted) {
        fail(&context->error, REFUSED, "%zu thing%s never connected", report->never,
             report->never == 1 ? "" : "s");
        return *report->refusal
                   ? advise(&context->error, "%s (make logs tells why)", report->refusal)
                   : advise(&context->error, "was the time too short?");
    }
    if (report->acknowledged < report->sent)
        return fail(&context->error, REFUSED, "%llu readings were not acknowledged",
                    (unsigned long long)(report->sent - report->acknowledged));
    return FINE;
}

static enum status need_broker(struct context *context)
{
    struct daemon broker;
    bool there = service_find(BROKER, &broker);
    daemon_close(&broker);
    if (there)
        return FINE;
    fail(&context->error, REFUSED, "the local system is not running");
    return advise(&context->error, "make up starts it");
}

enum status command_simulate(struct context *context)
{
    struct project project = {0};
    struct world world = {0};
    struct fleet_plan plan = {0};
    struct fleet_report report;
    size_t things = 0, created = 0;
    enum status status = read_plan(context, &plan, &things);
    if (!status)
        status = command_load(context, &project);
    if (!status)
        status = need_broker(context);
    if (!status)
        status = population_choose(&project, cli_value(context, "type"), things, &world, &created,
                                   &context->error);
    random_seed(&world.random);
    plan.port = service_broker_port(0);
    if (!status)
        tell_commands(context, &world, plan.port);
    if (!status)
        warn_of_limit(context, &project.system, &world, &plan);
    if (!status &&
        !(status = fleet_run(project.reporter, &world, &plan, &report, &context->error))) {
        if (context->json)
            report_json(&world, &report, created, &context->out);
        else
            report_words(&world, &report, &context->out);
        status = judge(context, &report);
    }
    world_free(&world);
    project_free(&project);
    return status;
}
