#!/usr/bin/env bats
# run and flash: their command lines. What they do with a board is in tests/firmware.

load ../lib/project

create() {
    works sf deploy esp8266temp
    works sf create kitchen -t esp8266temp
}

@test "run, flash: help, unknown options" {
    has_help run --cycles --seconds --fast
    has_help flash --port --firmware
}

@test "create says what comes next" {
    create
    says "sensorforge flash kitchen --port /dev/ttyUSB0"
    says "sensorforge run kitchen --cycles 3 --fast"
    works mk create name=attic type=esp8266temp
    says "make flash name=attic port=/dev/ttyUSB0"
    says "make run name=attic cycles=3 fast=yes"
}

@test "run: what is wrong is said before anything is started" {
    create
    refuses 1 "there is no thing" sf run nobody
    refuses 2 "NAME" sf run
    refuses 2 "--cycles takes a number" sf run kitchen --cycles 0
    refuses 2 "--seconds takes a number" sf run kitchen --seconds 1h
    rm -r sensortypes/esp8266temp/sensors/kitchen
    refuses 1 "has no package" sf run kitchen
    tells "sensorforge package kitchen"
}

@test "run: without a simulator" {
    create
    cp -RL templates "$T/templates"
    rm templates
    mv "$T/templates" .
    refuses 3 "there is no scripts/micropython" env sh -c 'mv simulator s2; mv scripts s3; "$SENSORFORGE" run kitchen; code=$?; mv s2 simulator; mv s3 scripts; exit $code'
}

@test "flash: what is wrong is said before the port is touched" {
    create
    refuses 2 "--port is missing" sf flash kitchen
    refuses 1 "there is no thing" sf flash nobody --port /dev/null
    refuses 3 "there is no port" sf flash kitchen --port /dev/ttyNOWHERE
    refuses 3 "is not a port" sf flash kitchen --port sensortypes
    rm sensortypes/esp8266temp/sensors/kitchen/manifest.json
    refuses 1 "has no package" sf flash kitchen --port /dev/null
}

@test "flash: a manifest that is no JSON" {
    create
    echo '{' >sensortypes/esp8266temp/sensors/kitchen/manifest.json
    refuses 1 "manifest.json:" sf flash kitchen --port /dev/null
}

@test "make run, make flash" {
    create
    refuses 2 "name=... is missing" mk run
    refuses 2 "port=... is missing" mk flash name=kitchen
    refuses 2 "there is no port /dev/ttyNO WHERE" mk flash name=kitchen 'port=/dev/ttyNO WHERE'
    refuses 2 "--cycles takes a number" mk run name=kitchen 'cycles=$(touch injected)'
}
