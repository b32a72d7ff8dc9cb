/* The command table, and nothing else. The parser, --help, the man page and the completions are
 * made from it. */
#include "generator/cli/cli.h"
#include "generator/commands/commands.h"

/* The formatter takes these rows for blocks of code. */
/* clang-format off */
#define TARGET_OPTION \
    {"target", 0, "TARGET", "local or aws, instead of system.yaml's", COMPLETE_TARGETS}
#define DATABASE_OPTION \
    {"database", 0, "NAME", "the central database, instead of system.yaml's", COMPLETE_NOTHING}
#define PROFILE_OPTION \
    {"profile", 0, "NAME", "the AWS profile, instead of AWS_PROFILE or system.yaml's", COMPLETE_NOTHING}

/* Which things: they and NAME... are one mechanism (commands/things.h). */
#define FILTER_OPTIONS \
    {"type", 't', "TYPE", "things of this type", COMPLETE_TYPES}, \
    {"attribute", 'a', "NAME=VALUE", "things with this attribute (may be repeated)", COMPLETE_NOTHING}
#define SELECTION_OPTIONS \
    FILTER_OPTIONS, \
    {"all", 0, NULL, "all things", COMPLETE_NOTHING}

#define CHANGE_OPTIONS \
    {"set", 0, "NAME=VALUE", "a new value of an attribute (may be repeated)", COMPLETE_NOTHING}, \
    {"wifi-ssid", 0, "NAME", "another wifi network (and its password)", COMPLETE_NOTHING}, \
    {"wifi-password", 0, NULL, "another wifi password: environment, secrets.yaml or prompt", COMPLETE_NOTHING}
/* clang-format on */

#define SELECTION_DETAILS                                                                          \
    "Things are named, or chosen by --type and --attribute, which must all hold, or with --all."

const struct command_option global_options[] = {
    {"directory", 'C', "DIR", "work in this folder's project", COMPLETE_FOLDERS},
    {"json", 0, NULL, "write the answer as JSON, for programs", COMPLETE_NOTHING},
    {"verbose", 'v', NULL, "say more", COMPLETE_NOTHING},
    {"quiet", 'q', NULL, "say only what went wrong", COMPLETE_NOTHING},
    {"help", 'h', NULL, "show this help", COMPLETE_NOTHING},
    {"version", 0, NULL, "show the version", COMPLETE_NOTHING},
    {0},
};

const struct command commands[] = {
    {
        .name = "check",
        .group = GROUP_TYPES,
        .operands = "[TYPE...]",
        .most = -1,
        .completion = COMPLETE_TYPES,
        .summary = "check the specs of types, and the system's",
        .details =
            "Reports everything that is wrong, each with its place. Without a TYPE all types "
            "and the system are checked.",
        .examples = "sensorforge check\nsensorforge check esp8266temp --json",
        .run = command_check,
    },
    {
        .name = "new",
        .group = GROUP_TYPES,
        .operands = "TYPE",
        .least = 1,
        .most = 1,
        .summary = "begin a new sensor type",
        .details =
            "Writes sensortypes/TYPE/ with a commented spec.yaml and code/sensor.py that pass "
            "check as they are.",
        .examples = "sensorforge new greenhouse --platform esp32",
        .run = command_new,
        .options = {{"platform", 'p', "PLATFORM",
                     "the kind of board (a folder of templates/firmware)", COMPLETE_PLATFORMS}},
    },
    {
        .name = "generate",
        .group = GROUP_TYPES,
        .operands = "TYPE...|system",
        .most = -1,
        .completion = COMPLETE_TYPES,
        .summary = "write the cloud documents of types",
        .details =
            "Writes sensortypes/TYPE/generated/ (iot_system_infra/generated/ for system), only "
            "what changed, and removes what a removed template left behind.",
        .examples = "sensorforge generate esp8266temp --diff\n"
                    "sensorforge generate --all --set cloudformation --out build/cloud",
        .run = command_generate,
        .options = {{"all", 0, NULL, "every type, and the system", COMPLETE_NOTHING},
                    {"set", 0, "SET", "only this template set", COMPLETE_SETS},
                    {"out", 'o', "DIR",
                     "write there: DIR/<set>/..., or DIR/<type>/<set>/... for several",
                     COMPLETE_FOLDERS},
                    {"diff", 0, NULL, "show what would change, change nothing", COMPLETE_NOTHING},
                    TARGET_OPTION,
                    DATABASE_OPTION},
    },
    {
        .name = "deploy",
        .group = GROUP_TYPES,
        .operands = "TYPE...",
        .most = -1,
        .completion = COMPLETE_TYPES,
        .summary = "plug sensor types in",
        .details =
            "Checks the specs, generates the documents, and makes the types known to the target. "
            "On the target local, things can then be created; rules that cannot run there are "
            "listed.\n"
            "On the target aws each type is a CloudFormation stack, and the database that they "
            "share is another one. The changes are shown first. Additions are made at once. Other "
            "changes are confirmed at a prompt, or with --yes. Replacing or removing a table needs "
            "--data, too. After an interruption the same command continues.",
        .examples = "sensorforge deploy esp8266temp\nsensorforge deploy --all --database iot",
        .run = command_deploy,
        .options = {{"all", 0, NULL, "every type", COMPLETE_NOTHING},
                    {"yes", 'y', NULL, "apply changes without asking", COMPLETE_NOTHING},
                    {"data", 0, NULL, "tables may be replaced or removed", COMPLETE_NOTHING},
                    {"logging", 0, NULL, "turn on the log of AWS IoT, where it is off",
                     COMPLETE_NOTHING},
                    {"dry-run", 'n', NULL, "say what would be done", COMPLETE_NOTHING},
                    TARGET_OPTION,
                    DATABASE_OPTION,
                    PROFILE_OPTION},
    },
    {
        .name = "diff",
        .group = GROUP_TYPES,
        .operands = "[TYPE...|system]",
        .most = -1,
        .completion = COMPLETE_TYPES,
        .summary = "show what deploying would change",
        .details =
            "On the target local, the documents; on the target aws, the stacks: + what is made, = "
            "what is there and taken over, ~ what changes, - what is replaced or removed. Without "
            "a TYPE all of them and the system. What was changed in the account by other means is "
            "not looked at.",
        .examples = "sensorforge diff\nsensorforge diff esp8266temp --target aws",
        .run = command_diff,
        .options = {TARGET_OPTION, DATABASE_OPTION, PROFILE_OPTION},
    },
    {
        .name = "destroy",
        .group = GROUP_TYPES,
        .operands = "TYPE|system",
        .most = 1,
        .completion = COMPLETE_TYPES,
        .summary = "remove what deploying a type, or the system, made",
        .details =
            "Refuses while the type has things. What will be removed is shown first, and the name "
            "has to be typed. Readings stay, and a later deploy uses their tables again, unless "
            "--data is given. AWS lets a thing type be deleted five minutes after it was "
            "deprecated. After an interruption, also of that wait, the same command continues. "
            "--all waits once for all types, and asks for the name of the system.",
        .examples = "sensorforge destroy esp8266temp --target aws\n"
                    "sensorforge destroy system --target aws --data --confirm system",
        .run = command_destroy,
        .options = {{"all", 0, NULL, "every type, and the system", COMPLETE_NOTHING},
                    {"data", 0, NULL, "tables and the database go too", COMPLETE_NOTHING},
                    {"confirm", 0, "NAME", "the name, instead of typing it", COMPLETE_TYPES},
                    {"dry-run", 'n', NULL, "say what would be removed", COMPLETE_NOTHING},
                    TARGET_OPTION,
                    DATABASE_OPTION,
                    PROFILE_OPTION},
    },
    {
        .name = "create",
        .group = GROUP_THINGS,
        .operands = "NAME",
        .most = 1,
        .summary = "create a thing: key, certificate, package",
        .details =
            "The type may be left out when only one is plugged in. The wifi network's name and "
            "password come from --wifi-ssid (the name only), the environment "
            "(SENSORFORGE_WIFI_SSID, SENSORFORGE_WIFI_PASSWORD), secrets.yaml, or a prompt, in "
            "that order; a password is never an argument.\n"
            "With --from, things come from a CSV file: columns name and type, one for each "
            "attribute, and wifissid, wifipassword where they differ. The whole file is checked "
            "before the first thing is made. After an interruption the same command makes the "
            "rest. Where a thing that exists differs from its row, the differences are listed, and "
            "the exit code is 1; --update applies them and makes the packages again.",
        .examples = "sensorforge create kitchen --type esp8266temp --attribute zone=1\n"
                    "sensorforge create --from things.csv --dry-run",
        .run = command_create,
        .options =
            {{"type", 't', "TYPE", "the thing's type", COMPLETE_TYPES},
             {"attribute", 'a', "NAME=VALUE", "an attribute (may be repeated)", COMPLETE_NOTHING},
             {"wifi-ssid", 0, "NAME", "the wifi network that the board joins", COMPLETE_NOTHING},
             {"from", 0, "FILE", "create the things of a CSV file", COMPLETE_FILES},
             {"update", 0, NULL, "with --from: change the things that differ", COMPLETE_NOTHING},
             {"dry-run", 'n', NULL, "check and say what would be made", COMPLETE_NOTHING},
             TARGET_OPTION,
             PROFILE_OPTION},
    },
    {
        .name = "rotate",
        .group = GROUP_THINGS,
        .operands = "[NAME...]",
        .most = -1,
        .completion = COMPLETE_THINGS,
        .summary = "give things a new key and certificate",
        .details =
            "The new key and certificate are made beside the old ones, the package is rebuilt, and "
            "the old certificate is revoked last. The board can connect again when it has the new "
            "package. New attributes and wifi can be given.\n"
            "" SELECTION_DETAILS,
        .examples = "sensorforge rotate kitchen\n"
                    "sensorforge rotate --type esp8266temp --attribute zone=2",
        .run = command_rotate,
        .options = {CHANGE_OPTIONS,
                    SELECTION_OPTIONS,
                    {"yes", 'y', NULL, "do not ask", COMPLETE_NOTHING},
                    {"dry-run", 'n', NULL, "say what would be done", COMPLETE_NOTHING},
                    TARGET_OPTION,
                    PROFILE_OPTION},
    },
    {
        .name = "package",
        .group = GROUP_THINGS,
        .operands = "[NAME...]",
        .most = -1,
        .completion = COMPLETE_THINGS,
        .summary = "rebuild the packages of things",
        .details =
            "After a change of the spec, code, templates, wifi or attributes. Key and certificate "
            "stay. The change takes effect when the new package is on the board.\n"
            "" SELECTION_DETAILS,
        .examples = "sensorforge package kitchen\n"
                    "sensorforge package kitchen --wifi-ssid Barn --set zone=2\n"
                    "sensorforge package --type esp8266temp",
        .run = command_package,
        .options = {CHANGE_OPTIONS,
                    SELECTION_OPTIONS,
                    {"source", 0, NULL, "as source, for people who edit it on the board",
                     COMPLETE_NOTHING},
                    {"dry-run", 'n', NULL, "say what would be done", COMPLETE_NOTHING},
                    TARGET_OPTION,
                    PROFILE_OPTION},
    },
    {
        .name = "delete",
        .group = GROUP_THINGS,
        .operands = "[NAME...]",
        .most = -1,
        .completion = COMPLETE_THINGS,
        .summary = "delete things: certificate revoked, all files removed",
        .details =
            "Half-made things are deleted, too. Readings in the central database stay. Before "
            "things are deleted that were not named, they are listed, and you are asked.\n"
            "" SELECTION_DETAILS,
        .examples = "sensorforge delete kitchen attic\n"
                    "sensorforge delete --type esp8266temp --attribute zone=2 --dry-run",
        .run = command_delete,
        .options = {SELECTION_OPTIONS,
                    {"yes", 'y', NULL, "do not ask", COMPLETE_NOTHING},
                    {"dry-run", 'n', NULL, "say what would be deleted", COMPLETE_NOTHING},
                    TARGET_OPTION,
                    PROFILE_OPTION},
    },
    {
        .name = "flash",
        .group = GROUP_THINGS,
        .operands = "[NAME...]",
        .most = -1,
        .completion = COMPLETE_THINGS,
        .summary = "copy the packages of things to their boards",
        .details =
            "Copies with mpremote the files that the board does not have yet, installs the modules "
            "that its MicroPython lacks, compares the SHA-256 of every file with the package's "
            "manifest, and resets the board. Other files on the board stay. With --firmware, "
            "MicroPython itself is written first, with esptool. Several things are copied one "
            "after the other; before each one you are asked to connect its board.\n"
            "" SELECTION_DETAILS,
        .examples = "sensorforge flash kitchen --port /dev/ttyUSB0\n"
                    "sensorforge flash kitchen --port /dev/ttyUSB0 --firmware ESP8266_GENERIC.bin",
        .run = command_flash,
        .options = {{"port", 'p', "PORT", "the board's serial port", COMPLETE_FILES},
                    {"firmware", 'f', "FILE", "write this MicroPython first", COMPLETE_FILES},
                    SELECTION_OPTIONS},
    },
    {
        .name = "run",
        .group = GROUP_THINGS,
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .completion = COMPLETE_THINGS,
        .summary = "run a thing's package here, with simulated sensors",
        .details =
            "Runs the package on MicroPython's unix port (fetched once where it is not installed). "
            "Sensors measure what the spec simulates, and the board connects to the endpoint that "
            "the package names. Each reading is a line: when it was taken, its values, and whether "
            "it was stored as valid, stored as invalid, or not sent. A cycle is one reading and "
            "the pause after it. Without --cycles and --seconds it runs until Ctrl-C. The exit "
            "code is 3 when a reading could not be sent.\n"
            "With --fast the board's clock starts in the past, so that no reading has a time in "
            "the future.",
        .examples = "sensorforge run kitchen --cycles 3 --fast",
        .run = command_run,
        .options = {{"cycles", 'n', "N", "stop after N readings", COMPLETE_NOTHING},
                    {"seconds", 's', "N", "stop after N seconds of the board's time",
                     COMPLETE_NOTHING},
                    {"fast", 0, NULL, "make sleep 20 times shorter, and skip deep sleep",
                     COMPLETE_NOTHING}},
    },
    {
        .name = "list",
        .group = GROUP_THINGS,
        .operands = "[NAME...]",
        .most = -1,
        .completion = COMPLETE_THINGS,
        .summary = "list the things",
        .details =
            "Where the target is an AWS account, the account is asked, too: the list has things "
            "that other machines made, and says which exist only in the account, or only here.",
        .examples =
            "sensorforge list --type esp8266temp --json\nsensorforge list --attribute zone=2",
        .run = command_list,
        .options = {FILTER_OPTIONS, TARGET_OPTION, PROFILE_OPTION},
    },
    {
        .name = "show",
        .group = GROUP_THINGS,
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .completion = COMPLETE_THINGS,
        .summary = "show all about a thing (but for its secrets)",
        .examples = "sensorforge show kitchen",
        .run = command_show,
        .options = {TARGET_OPTION, PROFILE_OPTION},
    },
    {
        .name = "up",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "bring the local system up: broker, rules, database",
        .details =
            "Makes what is missing (the authority, certificates, configuration; with no type "
            "plugged in, all types are), starts sensorhub and the broker in the background and "
            "waits until both are ready. What runs already is left alone. A database that cannot "
            "be reached is a warning: the broker works, and readings wait in the spool.\n"
            "With --foreground both stay children of this command, are started again when they "
            "die, and end with it: for systemd and containers.",
        .examples = "sensorforge up\nsensorforge up --foreground",
        .run = command_up,
        .options = {{"foreground", 'f', NULL, "keep both running, until SIGTERM",
                     COMPLETE_NOTHING}},
    },
    {
        .name = "down",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "end the local system, once all readings are stored",
        .details =
            "The broker ends first, then sensorhub, after it has stored what the broker "
            "took in. What a sensorhub that was killed has left is stored now. What cannot be "
            "stored within two minutes stays in the spool for the next up.",
        .examples = "sensorforge down",
        .run = command_down,
    },
    {
        .name = "status",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "show what the local system does",
        .details = "The exit code is 0 only when all of it is up.",
        .examples = "sensorforge status\nsensorforge status --json",
        .run = command_status,
    },
    {
        .name = "logs",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "show the logs of broker and sensorhub",
        .examples = "sensorforge logs --follow",
        .run = command_logs,
        .options = {{"follow", 'f', NULL, "go on with new lines until Ctrl-C", COMPLETE_NOTHING},
                    {"lines", 'n', "COUNT", "number of lines of each log (20)", COMPLETE_NOTHING}},
    },
    {
        .name = "query",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "read readings from the central database of the local system",
        .details =
            "The newest come last. Without --limit a table ends at the newest 1,000 readings, and "
            "says so; --json and --csv have all. A TIME is 2026-11-21T12:00:00Z or seconds since "
            "1970. "
            "With --json each reading is an object on a line of its own, with times and payloads "
            "as they are stored; the table has them as people read them.",
        .examples = "sensorforge query --type esp8266temp --thing kitchen --last 1h\n"
                    "sensorforge query --type esp8266temp --last 7d --csv",
        .run = command_query,
        .options = {{"type", 't', "TYPE", "readings of this type", COMPLETE_TYPES},
                    {"thing", 0, "NAME", "readings of this thing", COMPLETE_THINGS},
                    {"last", 0, "DURATION", "readings of the last 30m, 1h, 7d", COMPLETE_NOTHING},
                    {"from", 0, "TIME", "readings from this time on", COMPLETE_NOTHING},
                    {"to", 0, "TIME", "readings until this time", COMPLETE_NOTHING},
                    {"limit", 0, "COUNT", "only the newest COUNT readings", COMPLETE_NOTHING},
                    {"invalid", 0, NULL, "invalid readings", COMPLETE_NOTHING},
                    {"csv", 0, NULL, "comma-separated", COMPLETE_NOTHING}},
    },
    {
        .name = "simulate",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "run simulated things that publish readings",
        .details =
            "Creates the things that are missing (sim-TYPE-1 and so on), each with its own key and "
            "certificate, connects each of them over TLS, and publishes until Ctrl-C what the "
            "simulate: sections of the specs describe. Each reading has its own time, waits for "
            "its acknowledgement, and is sent again after a lost connection.\n"
            "Without --type a house is simulated: the first type that controls another one, its "
            "things in two groups, and for each group the thing that its control commands. That "
            "thing obeys commands. While it is on, the readings of its group go the other way.",
        .examples = "sensorforge simulate --things 4 --seconds 60\n"
                    "sensorforge simulate --type esp8266temp --things 1000 --rate 5000",
        .run = command_simulate,
        .options = {{"things", 'n', "COUNT", "number of things that measure (4)", COMPLETE_NOTHING},
                    {"type", 't', "TYPE", "the type of the things that measure", COMPLETE_TYPES},
                    {"seconds", 's', "SECONDS", "stop after so many seconds", COMPLETE_NOTHING},
                    {"speed", 0, "FACTOR", "how many times faster than real time (60)",
                     COMPLETE_NOTHING},
                    {"rate", 0, "RATE", "readings a second of all things together",
                     COMPLETE_NOTHING}},
    },
    {
        .name = "types",
        .group = GROUP_TYPES,
        .operands = "",
        .summary = "list the sensor types, and which are plugged in",
        .examples = "sensorforge types",
        .run = command_types,
    },
    {
        .name = "renew",
        .group = GROUP_LOCAL,
        .operands = "",
        .summary = "renew the local authority, which signs the certificates of things",
        .details =
            "It lasts 20 years; doctor and list say its end a year ahead. For a time there are "
            "two: "
            "the new one signs, the broker and new packages trust both, and the broker's own "
            "certificate stays signed by the old one. rotate gives each thing a certificate of the "
            "new one. The answer names the things that are left; without any, --finish ends the "
            "trust in the old one. Programs of the local system that run are started again. "
            "Stopped at any moment, the same command goes on.",
        .examples = "sensorforge renew\nsensorforge renew --finish",
        .run = command_renew,
        .options = {{"finish", 0, NULL, "the old one is not trusted any more", COMPLETE_NOTHING},
                    {"yes", 'y', NULL, "also more than a year before its end", COMPLETE_NOTHING},
                    {"dry-run", 'n', NULL, "say how far it is, change nothing", COMPLETE_NOTHING}},
    },
    {
        .name = "doctor",
        .group = GROUP_TRYING,
        .operands = "",
        .summary = "look for what would go wrong, and for what was left behind",
        .details =
            "On the target aws: credentials, region, clock, reachability, permissions, store, "
            "quotas, log of AWS IoT, certificates of the endpoint, and orphans (certificates "
            "without a thing, things without a certificate, records without a thing). On the "
            "target local: the authority and its list of revoked certificates, the host and age of "
            "packages, certificates that end, disk space, and clock. Nothing is changed without "
            "--clean, which removes orphans and makes a lost list anew, and asks before.",
        .examples = "sensorforge doctor\nsensorforge doctor --clean --target aws",
        .run = command_doctor,
        .options = {{"clean", 0, NULL, "remove orphans, mend the list", COMPLETE_NOTHING},
                    {"yes", 'y', NULL, "do not ask", COMPLETE_NOTHING},
                    {"policy", 0, NULL, "print the IAM policy that an operator needs",
                     COMPLETE_NOTHING},
                    TARGET_OPTION,
                    PROFILE_OPTION},
    },
    {
        .name = "model",
        .group = GROUP_TRYING,
        .operands = "TYPE|system",
        .least = 1,
        .most = 1,
        .completion = COMPLETE_TYPES,
        .summary = "print the JSON that templates see",
        .examples = "sensorforge model esp8266temp",
        .run = command_model,
        .options = {TARGET_OPTION, DATABASE_OPTION},
    },
    {
        .name = "rule",
        .group = GROUP_TRYING,
        .operands = "[TYPE]",
        .most = 1,
        .completion = COMPLETE_TYPES,
        .summary = "say what a type's rules would do with a message",
        .details =
            "Runs the documents that AWS would get: which rules match, what each selects, which "
            "table gets what, and whether the policy lets the thing publish it. Without --topic "
            "the message is one of the type's own.\n"
            "With --sql any statement: what it selects, on one line, or nothing.",
        .examples = "sensorforge rule esp8266temp --payload reading.json\n"
                    "sensorforge rule --sql \"SELECT t FROM 'a/+'\" --topic a/b --payload -",
        .run = command_rule,
        .options = {{"topic", 0, "TOPIC", "what the message is published to", COMPLETE_NOTHING},
                    {"payload", 0, "FILE", "the message; - is standard input", COMPLETE_FILES},
                    {"sql", 0, "STATEMENT", "try this statement", COMPLETE_NOTHING},
                    {"sql-version", 0, "VERSION", "2015-10-08 (AWS's default) or 2016-03-23",
                     COMPLETE_NOTHING},
                    {"client-id", 0, "ID", "the value of clientid()", COMPLETE_NOTHING},
                    {"source-ip", 0, "ADDRESS", "the value of sourceip()", COMPLETE_NOTHING},
                    {"principal", 0, "TEXT", "the value of principal()", COMPLETE_NOTHING},
                    {"time", 0, "TIME", "when it arrives: milliseconds, or an ISO 8601 date",
                     COMPLETE_NOTHING}},
    },
    {
        .name = "render",
        .group = GROUP_TRYING,
        .operands = "TEMPLATE DATA.json",
        .least = 2,
        .most = 2,
        .completion = COMPLETE_FILES,
        .summary = "render a Mustache template",
        .details = "Either file may be - for standard input. Escaping follows the template's name "
                   "(x.json.mustache: JSON) unless --escape says otherwise.",
        .examples = "sensorforge model esp8266temp | sensorforge render t.mustache - --strict",
        .run = command_render,
        .options = {{"escape", 'e', "KIND", "html, json, python, yaml, terraform or none",
                     COMPLETE_ESCAPES},
                    {"partials", 0, "DIR", "where partials are: DIR/NAME.mustache",
                     COMPLETE_FOLDERS},
                    {"strict", 0, NULL, "a name that the data does not have is an error",
                     COMPLETE_NOTHING}},
    },
    {
        .name = "help",
        .group = GROUP_PROGRAM,
        .operands = "[COMMAND]",
        .most = 1,
        .completion = COMPLETE_COMMANDS,
        .summary = "show help",
        .run = command_help,
    },
    {
        .name = "man",
        .group = GROUP_PROGRAM,
        .operands = "",
        .summary = "print the man page (roff)",
        .examples = "sensorforge man | man -l -",
        .run = command_man,
    },
    {
        .name = "completion",
        .group = GROUP_PROGRAM,
        .operands = "bash|zsh",
        .least = 1,
        .most = 1,
        .completion = COMPLETE_SHELLS,
        .summary = "print the tab completion of a shell",
        .examples = "source <(sensorforge completion bash)",
        .run = command_completion,
    },
    {
        .name = "version",
        .group = GROUP_PROGRAM,
        .operands = "",
        .summary = "show the version",
        .run = command_version,
    },
};

const size_t command_count = sizeof commands / sizeof *commands;

int main(int count, char **words)
{
    return cli_run(count, words);
}
