#!/usr/bin/env bats
# check, new, model: the commands around a spec. (What the checker says of which spec is tests/schema's.)
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

# spec TYPE: writes standard input as that type's spec.
spec() { mkdir -p "sensortypes/$1" && cat >"sensortypes/$1/spec.yaml"; }

broken_greenhouse() {
    spec greenhouse <<'YAML'
version: 1
type: greenhouse
platform: esp8266
publish_every: 5m
measures:
  temperature:
    type: duble
retention: {magnetic: 0d}
YAML
}

@test "check: all that ships is right" {
    has_help check
    works sf check
    tells "5 specs, no errors"
    same "" "$output"
    works sf check --json
    json .specs 5
    json .errors 0
    json '.problems | length' 0
    works mk check
    works mk check NAME=aircon
}

@test "check: every error in one run, with line, caret and the nearest word" {
    broken_greenhouse
    refuses 1 'sensortypes/greenhouse/spec.yaml:7:11: error: ' sf check
    tells '  7 |     type: duble'
    tells '^~~~'
    tells 'did you mean "double"?'
    tells 'sensortypes/greenhouse/spec.yaml:8:'
    tells 'sensortypes/greenhouse/spec.yaml:6:3: error: nothing reads "temperature"'
    tells '3 errors in 1 of 6 specs'
    refuses 1 '3 errors in 1 of 1 spec' sf check greenhouse
    works sf check aircon
}

@test "check: JSON has each problem with its place" {
    broken_greenhouse
    run --separate-stderr sf check greenhouse --json
    same 1 "$status"
    json .errors 3
    json '.problems[1] | "\(.file) \(.line) \(.column)"' "sensortypes/greenhouse/spec.yaml 7 11"
    json '.problems | map(.line) | . == sort' true
}

@test "check: a broken system.yaml is said by every command that reads it" {
    sed -i 's/^database:.*/databse: iot/' iot_system_infra/system.yaml
    refuses 1 "iot_system_infra/system.yaml:6:" sf check
    tells 'did you mean "database"?'
    local command
    for command in "generate aircon" "deploy aircon" "create x -t aircon" "model aircon" "delete x"; do
        # shellcheck disable=SC2086 # several words
        refuses 1 "iot_system_infra/system.yaml:6:" sf $command
    done
}

@test "check: a type that is not there" {
    refuses 1 'there is no sensor type "airconn"' sf check airconn
    tells 'did you mean "aircon"?'
    refuses 1 'there is no sensor type "../aircon"' sf check ../aircon
    mkdir sensortypes/empty
    refuses 1 'there is no sensor type "empty"' sf check empty
    works sf check
}

@test "check: a folder whose name no type may have is named, and hides no other error" {
    mkdir sensortypes/Bad-Name
    cp sensortypes/aircon/spec.yaml sensortypes/Bad-Name/
    broken_greenhouse
    run --separate-stderr sf check
    same 1 "$status"
    tells "sensortypes/Bad-Name"
    tells "sensortypes/greenhouse/spec.yaml:7:11"
    [[ "$stderr" != *'did you mean "Bad-Name"'* ]] || say_and_fail "a hint that helps nobody"
    works sf types
    says "greenhouse"
}

@test "check: a spec that cannot be read, a folder or a pipe in its place" {
    rm sensortypes/aircon/spec.yaml
    mkdir sensortypes/aircon/spec.yaml
    refuses 1 "sensortypes/aircon/spec.yaml" sf check aircon
    rmdir sensortypes/aircon/spec.yaml
    mkfifo sensortypes/aircon/spec.yaml
    refuses 1 "sensortypes/aircon/spec.yaml is not a regular file" timeout 5 "$SENSORFORGE" check aircon
}

@test "check: NUL, bad UTF-8, recursion, laughs and size end with an error, in time" {
    printf 'version: 1\ntype: a\0b\n' | spec bad
    refuses 1 "sensortypes/bad/spec.yaml:" timeout 10 "$SENSORFORGE" check bad
    printf 'version: 1\ndescription: "\xff\xfe"\n' | spec bad
    refuses 1 "sensortypes/bad/spec.yaml:" timeout 10 "$SENSORFORGE" check bad
    printf 'a: &a [*a]\n' | spec bad
    refuses 1 "sensortypes/bad/spec.yaml:" timeout 10 "$SENSORFORGE" check bad
    {
        echo 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
        for i in 1 2 3 4 5 6 7 8 9; do
            echo "a$i: &a$i [*a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1))]"
        done
    } | spec bad
    refuses 1 "sensortypes/bad/spec.yaml:" timeout 10 "$SENSORFORGE" check bad
    printf '[%.0s' {1..5000} | spec bad
    refuses 1 "sensortypes/bad/spec.yaml:" timeout 10 "$SENSORFORGE" check bad
    truncate -s 100M sensortypes/bad/spec.yaml
    refuses 1 "sensortypes/bad/spec.yaml" timeout 10 "$SENSORFORGE" check bad
}

@test "new: what it begins passes check, generates, and things can be made of it, on every platform" {
    has_help new --platform
    local platform type
    for platform in $(find -L templates/firmware -name platform.yaml -printf '%h\n' | xargs -n 1 basename); do
        type=new_$platform
        works sf new "$type" --platform "$platform"
        tells "$type"
        tells "check"
        works sf check "$type"
        tells "no errors"
        works sf model "$type"
        json .type.platform "$platform"
        works sf create "thing-$platform" --type "$type"
        package_is_whole "$type" "thing-$platform"
        python3 -m py_compile "sensortypes/$type/code/sensor.py"
        [ -s "sensortypes/$type/sensors/thing-$platform/sensor.mpy" ]
        works sf package "thing-$platform" --source
        cmp "sensortypes/$type/code/sensor.py" "sensortypes/$type/sensors/thing-$platform/sensor.py"
    done
    [ -n "$type" ] || say_and_fail "no platform"
    no_leftovers
}

@test "new: without a platform where there are several" {
    refuses 2 "new needs --platform" sf new greenhouse
    tells "esp8266"
}

@test "new: errors leave no folder" {
    refuses 1 'there is no platform "esp99"' sf new greenhouse -p esp99
    tells 'did you mean "esp32"?'
    refuses 1 'sensortypes/aircon exists already' sf new aircon -p esp32
    local name
    for name in X 9a a a-b a/b ../x "" "a b" "$(printf 'a%.0s' {1..49})"; do
        refuses 1 'cannot be the name of a type' sf new -p esp32 -- "$name"
    done
    works sf new -p esp32 "$(printf 'a%.0s' {1..48})"
    refuses 2 "new needs TYPE" sf new -p esp32
}

@test "make new NAME= PLATFORM=" {
    works mk new NAME=greenhouse PLATFORM=esp32
    works sf model greenhouse
    json .type.platform esp32
    works mk new NAME=greenhouse2
    works sf model greenhouse2
    json .type.platform esp8266
    refuses 2 "NAME=... is missing" mk new
}

@test "model: one JSON document, the same each time, whatever the locale" {
    has_help model --target --database
    works sf model esp8266temp
    local model=$output
    json .type.name esp8266temp
    works env LC_ALL=C TZ=Asia/Tokyo "$SENSORFORGE" model esp8266temp
    same "$model" "$output"
    works sf model esp8266temp --database other
    [[ "$output" == *'"other"'* ]] || say_and_fail "the database is not in it"
    works sf model system
    json .system.name home
    refuses 1 'there is no sensor type "nope"' sf model nope
    refuses 2 "model needs TYPE|system" sf model
    refuses 2 '--database: "x/y" is not' sf model aircon --database x/y
    refuses 2 '--target: "mars" is not a target' sf model aircon --target mars
}

@test "check: code that does not compile, with its line; by mpy-cross, by python3, and by nobody" {
    mkdir -p sensortypes/aircon/code/lib
    printf 'def read():\n    return {\n' >sensortypes/aircon/code/lib/broken.py
    refuses 1 "sensortypes/aircon/code/lib/broken.py:" sf check aircon
    tells "1 error in 1 of 1 spec"
    run --separate-stderr sf check --json
    [ "$status" -eq 1 ]
    json .errors 1
    json '.problems[0] | [.file, .severity] | join(" ")' "sensortypes/aircon/code/lib/broken.py error"
    json '.problems[0].line > 1' true
    # a folder of programs without a compiler, then with python3 in it
    local program
    mkdir "$T/bin"
    for program in bash sed head tr grep; do ln -s "$(command -v $program)" "$T/bin/"; done
    works env -u SENSORFORGE_MPY_CROSS PATH="$T/bin" SENSORFORGE_CACHE="$T/none" "$SENSORFORGE" check aircon
    tells "sensortypes/aircon/code/lib/broken.py: warning: not checked: neither mpy-cross nor python3 is here"
    [ ! -e "$T/none" ] || say_and_fail "something was fetched"
    ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$T/bin/python3"
    refuses 1 "sensortypes/aircon/code/lib/broken.py:" env -u SENSORFORGE_MPY_CROSS PATH="$T/bin" SENSORFORGE_CACHE="$T/none" "$SENSORFORGE" check aircon
    printf 'def read():\n    return {}\n' >sensortypes/aircon/code/lib/broken.py
    works sf check aircon
    [ -z "$(find sensortypes -name '__pycache__' -o -name '*.mpy')" ] || say_and_fail "left something"
}
