# shellcheck shell=bash
# What every test of the command line stands on: a project of its own in a temporary folder, a home of
# its own, and assertions that say what they saw. Loaded by each .bats file with `load ../lib/project`.

bats_require_minimum_version 1.8.0

REPO=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
LIB=$REPO/tests/lib
SENSORFORGE=${SENSORFORGE:-$REPO/build/bin/sensorforge}
export REPO LIB SENSORFORGE

# A secret that no output may hold; password_leaks looks for it.
# shellcheck disable=SC2016 # a dollar is what is meant
PASSWORD='correct horse $battery'
export PASSWORD

setup() {
    T=$(mktemp -d "${BATS_TMPDIR:-/tmp}/sensorforge.XXXXXX")
    mkdir "$T/home"
    export HOME=$T/home T
    unset SENSORFORGE_FAULT NO_COLOR MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
    export SENSORFORGE_WIFI_SSID=Home SENSORFORGE_WIFI_PASSWORD=$PASSWORD
    export LC_ALL=C.UTF-8 TERM=dumb
    make_project "$T/project"
    cd "$T/project" || return 1
}

teardown() {
    cd / || return 1
    if [ -n "${T:-}" ]; then
        for mounted in "$T"/mounted/*; do
            [ ! -d "$mounted" ] || umount "$mounted" 2>/dev/null || true
        done
        chmod -R u+rwX "$T" 2>/dev/null || true
        rm -rf "$T"
    fi
}

# make_project DIR: a project as a fresh clone has it. What no command writes to is a link.
make_project() {
    local name
    mkdir -p "$1/certificates" "$1/iot_system_infra"
    ln -s "$REPO/templates" "$REPO/schemas" "$REPO/scripts" "$REPO/simulator" "$REPO/share" "$1/"
    cp "$REPO/Makefile" "$1/"
    cp "$REPO/certificates/README.md" "$1/certificates/"
    cp "$REPO/iot_system_infra/system.yaml" "$1/iot_system_infra/"
    for name in aircon esp32air esp8266climate esp8266temp; do
        mkdir -p "$1/sensortypes/$name"
        cp -R "$REPO/sensortypes/$name/spec.yaml" "$1/sensortypes/$name/"
        [ ! -d "$REPO/sensortypes/$name/code" ] || cp -R "$REPO/sensortypes/$name/code" "$1/sensortypes/$name/"
    done
}

# make with the programs under test, which it must not build.
mk() {
    local folder
    folder=$(dirname "$SENSORFORGE")
    local hub=$folder/sensorhub plugin=$folder/../lib/sensorforge_broker.so
    make --no-print-directory -o "$SENSORFORGE" -o "$hub" -o "$plugin" \
        PROGRAM="$SENSORFORGE" HUB="$hub" PLUGIN="$plugin" "$@"
}

sf() {
    "$SENSORFORGE" "$@"
}

# --- what is on the disk ----------------------------------------------------------------------------

# tree_sum [DIR]: one number for every name, kind, mode, link and byte below DIR.
tree_sum() {
    (
        cd "${1:-$T/project}" || exit 1
        find . -printf '%P %y %m %l\n' | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
    ) | sha256sum
}

# no_leftovers [DIR]: no temporary file or folder of a command is there.
no_leftovers() {
    local found
    found=$(find "${1:-.}" \( -name '.sf-*' -o -path '*/sensors/.*' -o -name .authority -o -path '*/sensortypes/.*' \) -print)
    [ -z "$found" ] || say_and_fail "left over: $found"
}

# --- assertions -------------------------------------------------------------------------------------

say_and_fail() {
    printf '%s\n' "$@" >&2
    if [ -n "${status+x}" ]; then
        printf 'status: %s\nstdout: %s\nstderr: %s\n' "$status" "${output:-}" "${stderr:-}" >&2
    fi
    return 1
}

# works COMMAND...: exit code 0; $output and $stderr are what it said.
works() {
    run --separate-stderr "$@"
    # shellcheck disable=SC2154 # run sets it
    [ "$status" -eq 0 ] || say_and_fail "expected to work: $*"
}

# refuses CODE TEXT COMMAND...: that exit code, "error: " and TEXT on stderr, nothing on stdout, and
# every file as it was.
refuses() {
    local code=$1 text=$2 before
    shift 2
    before=$(tree_sum)
    run --separate-stderr "$@"
    [ "$status" -eq "$code" ] || say_and_fail "expected exit code $code: $*"
    [ -z "$output" ] || say_and_fail "expected nothing on stdout: $*"
    # shellcheck disable=SC2154 # run sets it
    [[ "$stderr" == *error* ]] || say_and_fail "expected an error on stderr: $*"
    [[ "$stderr" == *"$text"* ]] || say_and_fail "expected on stderr: $text"
    [ "$before" = "$(tree_sum)" ] || say_and_fail "expected everything as it was: $*"
}

# says TEXT: $output holds it.  tells TEXT: $stderr holds it.
says() { [[ "$output" == *"$1"* ]] || say_and_fail "expected on stdout: $1"; }
tells() { [[ "$stderr" == *"$1"* ]] || say_and_fail "expected on stderr: $1"; }
never_says() { [[ "$output$stderr" != *"$1"* ]] || say_and_fail "expected nowhere: $1"; }

# same WANTED GOT [WHAT]
same() { [ "$1" = "$2" ] || say_and_fail "${3:-wrong value}" "wanted: $1" "got:    $2"; }

# json FILTER WANTED: what jq makes of $output.
json() {
    local got
    got=$(jq -r "$1" <<<"$output") || say_and_fail "not JSON"
    same "$2" "$got" "$1"
}

# has_help COMMAND [WORD...]: `COMMAND --help`, `-h` and `help COMMAND` are one text, on stdout.
has_help() {
    local command=$1 word text
    shift
    works sf "$command" --help
    text=$output
    [ -z "$stderr" ] || say_and_fail "help belongs on stdout"
    [[ "$text" == "usage: sensorforge $command"* ]] || say_and_fail "help begins with the usage"
    for word in "$@" --json --directory --quiet --verbose; do
        says "$word"
    done
    [ "$(awk 'length > 80' <<<"$text" | grep -vc '^  -' || true)" -eq 0 ] || say_and_fail "lines over 80"
    works sf "$command" -h
    same "$text" "$output"
    works sf help "$command"
    same "$text" "$output"
    refuses 2 "there is no option --frobnicate" sf "$command" --frobnicate
}

# crl_serials: what the authority has revoked, one upper-case serial a line.
crl_serials() {
    openssl crl -in iot_system_infra/authority/crl.pem -noout -text |
        sed -n 's/^ *Serial Number: //p' | tr -d ': ' | LC_ALL=C sort
}
serial_of() { openssl x509 -in "certificates/$1/cert.pem" -noout -serial | sed 's/^serial=//'; }

# package_is_whole TYPE THING: exactly the files of its manifest, with their sizes and sums; no PEM.
package_is_whole() {
    python3 "$LIB/package.py" "sensortypes/$1/sensors/$2"
}
