#!/usr/bin/env bats
# What holds for every command: the parser, streams, colour, folders.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

commands() { sf --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'; }

@test "without a command: exit 2 and where help is" {
    refuses 2 "a command is missing" sf
    tells "sensorforge --help"
}

@test "--help lists every command, and each has help of its own" {
    works sf --help
    same "" "$stderr"
    local count=0 command
    for command in $(commands); do
        count=$((count + 1))
        works sf "$command" --help
        [[ "$output" == "usage: sensorforge $command"* ]] || say_and_fail "$command has no usage"
        works sf help "$command"
    done
    [ "$count" -ge 16 ] || say_and_fail "only $count commands"
}

@test "help alone is --help; help of an unknown command is refused" {
    works sf help
    local whole=$output
    works sf --help
    same "$whole" "$output"
    refuses 2 'there is no command "frob"' sf help frob
    refuses 2 'one word too many' sf help list show
}

@test "version, as a command, as an option, as JSON" {
    works sf version
    [[ "$output" =~ ^sensorforge\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || say_and_fail "not a version"
    local version=$output
    works sf --version
    same "$version" "$output"
    works sf version --json
    json .version "${version#sensorforge }"
    has_help version
}

@test "what only AWS, the broker or PostgreSQL needs is not loaded at a start" {
    run -0 ldd "$SENSORFORGE"
    says libcrypto
    for library in libcurl libmosquitto libssl; do
        [[ "$output" != *"$library"* ]] || say_and_fail "$library is loaded at every start"
    done
    run -0 ldd "$(dirname "$SENSORFORGE")/sensorhub"
    for library in libcurl libpq; do
        [[ "$output" != *"$library"* ]] || say_and_fail "$library is loaded at every start of sensorhub"
    done
}

@test "a library that cannot be loaded is told when it is needed" {
    mkdir "$T/lib"
    echo "no library" >"$T/lib/libcurl.so.4"
    export LD_LIBRARY_PATH=$T/lib AWS_ACCESS_KEY_ID=AKIATEST AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1
    works sf list
    refuses 3 "cannot load a library: $T/lib/libcurl.so.4" sf deploy esp8266temp --target aws
    tells "make deps installs it (Debian's package libcurl4)"
}

@test "unknown command: exit 2, the nearest one" {
    refuses 2 'there is no command "chek"' sf chek
    tells 'did you mean "check"?'
    refuses 2 'there is no command "frobnicate"' sf frobnicate
    [[ "$stderr" != *"did you mean"* ]] || say_and_fail "nothing is near"
}

@test "unknown option: exit 2, the nearest one, for every command" {
    refuses 2 "there is no option --jsn" sf --jsn list
    tells "did you mean --json?"
    refuses 2 "there is no option --tpye" sf list --tpye
    tells "did you mean --type?"
    local command
    for command in $(commands); do
        refuses 2 "there is no option --frobnicate" sf "$command" --frobnicate
        refuses 2 "there is no option -Z" sf "$command" -Z
    done
}

@test "options: values in every form, groups of letters, -- ends them" {
    works sf list --type=esp32air --json
    works sf list -t esp32air --json
    works sf list -tesp32air --json
    works sf --json -vq list
    refuses 2 "--type needs a value" sf list --type
    refuses 2 "--json takes no value" sf list --json=1
    refuses 1 'there is no thing "--json"' sf show -- --json
    refuses 2 "one word too many" sf version now
    refuses 2 "needs NAME" sf show
}

@test "an option with two values is refused; --attribute has one value for each name" {
    refuses 2 '--type is given twice: "aircon" and "esp32air"' sf list --type aircon -tesp32air
    refuses 2 '--attribute is given twice: "zone=1" and "zone=2"' sf delete -a zone=1 -a zone=2 --yes
    works sf list --type aircon --type aircon -a zone=1 -a zone=1 -a room=2
    refuses 2 "zone= is given twice" mk delete zone=1 zone=2 yes=yes
    refuses 2 "type= is given twice" mk list type=aircon type:=esp32air
    works mk list zone=1 zone=1
}

@test "--json: an error is JSON, also one of the command line and of sensorhub" {
    local words
    for words in "nope --json" "--json help nope" "list --jsn --json" "list --json --type" "query --json" \
        "query --type nope --json" "query --type aircon --last x --json" "show --json" "-C /nowhere types --json"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr sf $words
        [ "$status" -ne 0 ] || say_and_fail "$words ends with 0"
        json .error.status "$status"
        [[ "$stderr" == "error: $(jq -r .error.message <<<"$output")"* ]] || say_and_fail "$words: $stderr"
    done
    run --separate-stderr sf show $'a\xff\xe2\x82' --json
    same 'there is no thing "a���"' "$(jq -r .error.message <<<"$output")"
    sf show $'a\xff' --json 2>/dev/null | iconv -f UTF-8 -t UTF-8 >/dev/null || say_and_fail "not UTF-8"
    run --separate-stderr sf show -- --json
    [ "$status" -eq 1 ]
    same "" "$output"
}

@test "-C works in another folder's project" {
    cd /
    works sf -C "$T/project" types --json
    json length 4
    works sf types --json --directory="$T/project"
    json length 4
    refuses 1 "cannot go to the folder /nowhere" sf -C /nowhere types
}

@test "a folder below the project's is as good" {
    cd sensortypes/aircon/code
    works sf types --json
    json length 4
    works sf model aircon
    json .type.name aircon
}

@test "files that a person names are seen from where the person is" {
    cd sensortypes/aircon
    printf 'name,type\nAC-7,aircon\n' >mine.csv
    works sf create --from mine.csv --dry-run
    works sf generate aircon --out here
    [ -f "$T/project/sensortypes/aircon/here/awscli/rule.json" ] || say_and_fail "not there"
}

@test "outside of a project: exit 1, and what to do" {
    mkdir "$T/elsewhere"
    cd "$T/elsewhere"
    local command
    for command in check types list "show x" "model x" "create x" "rotate x" "delete x" "generate x" "deploy x" "new xy"; do
        # shellcheck disable=SC2086 # two words
        refuses 1 "is not in a Sensorforge project" sf $command
        tells "-C DIR"
    done
}

@test "--quiet says nothing when all is well" {
    local command
    for command in "check" "list" "deploy --all" "generate --all" "new greenhouse -p esp32"; do
        # shellcheck disable=SC2086 # several words
        works sf --quiet $command
        same "" "$stderr" "$command"
    done
    refuses 1 'no sensor type "nope"' sf --quiet check nope
}

@test "answers go to stdout, all else to stderr" {
    works sf check
    same "" "$output"
    tells "5 specs, no errors"
    works sf model aircon
    same "" "$stderr"
    works sf create air -t esp32air --json
    jq -e .name <<<"$output" >/dev/null
}

@test "every answer in JSON is JSON" {
    works sf create air -t esp32air --json
    local command
    for command in check "check aircon" types list "show air" "model aircon" "model system" "generate aircon" \
        "generate --all --diff" "deploy aircon" "rotate air" version "delete air"; do
        # shellcheck disable=SC2086 # several words
        works sf --json $command
        jq -e . <<<"$output" >/dev/null || say_and_fail "$command"
    done
}

@test "colour only on a terminal" {
    works sf --version
    run sf chek
    [[ "$output" != *$'\033['* ]] || say_and_fail "colour in a pipe"
    run env TERM=xterm "$LIB/terminal.py" -- "$SENSORFORGE" chek
    same 2 "$status"
    [[ "$output" == *$'\033[1;31merror\033[0m: '* ]] || say_and_fail "no colour on a terminal"
    run env TERM=xterm NO_COLOR=1 "$LIB/terminal.py" -- "$SENSORFORGE" chek
    [[ "$output" == *error* && "$output" != *$'\033['* ]] || say_and_fail "colour in spite of NO_COLOR"
    run env TERM=xterm NO_COLOR= "$LIB/terminal.py" -- "$SENSORFORGE" chek
    [[ "$output" == *$'\033['* ]] || say_and_fail "an empty NO_COLOR counts as none (no-color.org)"
    run env TERM=dumb "$LIB/terminal.py" -- "$SENSORFORGE" chek
    [[ "$output" == *error* && "$output" != *$'\033['* ]] || say_and_fail "colour on a dumb terminal"
}

@test "a full disk under stdout is noticed, by every command that answers" {
    works sf create air -t esp32air
    works sf deploy aircon
    local command
    for command in --help help man "completion bash" version types list "show air" "model aircon" "check --json" "deploy aircon"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr bash -c '"$SENSORFORGE" "$@" >/dev/full' - $command
        same 3 "$status" "$command"
        tells "cannot write to standard output: No space left"
    done
}

@test "a closed pipe under stdout is noticed, quietly by the shell's rules" {
    local command
    for command in --help man types "model aircon" "completion zsh"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr python3 -c '
import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
sys.exit(subprocess.run(sys.argv[1:], stdout=writer).returncode)' "$SENSORFORGE" $command
        same 3 "$status" "$command"
        tells "cannot write to standard output"
    done
}

@test "stdout closed from the start is noticed" {
    run --separate-stderr bash -c '"$SENSORFORGE" types >&-'
    same 3 "$status"
}

@test "types: a table, JSON, and a broken spec in between" {
    has_help types
    works sf types
    says "TYPE"
    says "esp8266climate"
    works sf deploy aircon
    echo "nonsense: true" >>sensortypes/esp32air/spec.yaml
    works sf types --json
    json '.[] | select(.type == "aircon") | .plugged_in' true
    json '.[] | select(.type == "esp8266temp") | .plugged_in' false
    json '.[] | select(.type == "esp32air") | .errors' 1
    json '.[] | select(.type == "aircon") | .platform' esp8266
    works sf types
    says "has errors: sensorforge check"
    refuses 2 "one word too many" sf types aircon
}
