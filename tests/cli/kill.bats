#!/usr/bin/env bats
# SIGKILL at every step, then the same command again, or delete. tests/lib/kill.py says what must hold.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

killed() {
    run --separate-stderr "$LIB/kill.py" "$@"
    [ "$status" -ne 77 ] || skip "$output"
    same 0 "$status"
    echo "# $output" >&3
}

@test "create, killed at each fault point and rename, then again" { killed create points again; }
@test "create, killed at each fault point and rename, then delete" { killed create points delete; }
@test "create of an RSA thing, killed at each fault point and rename, then again" { killed create points again esp8266temp; }
@test "the first create of all, killed at each fault point and rename, then again" { killed first-create points again; }
@test "the first create of all, killed at each fault point and rename, then delete" { killed first-create points delete; }
@test "rotate, killed at each fault point and rename, then again" { killed rotate points again; }
@test "rotate, killed at each fault point and rename, then delete" { killed rotate points delete; }
@test "delete, killed at each fault point and rename, then again" { killed delete points again; }

@test "generate, killed at each rename, then again: the same files, nothing else" {
    sf generate --all --quiet
    cp -R sensortypes/aircon/generated "$T/wanted"
    local number
    for number in 1 2 5 9 16 17; do
        rm -r sensortypes/aircon/generated
        run env SENSORFORGE_FAULT=rename:$number "$SENSORFORGE" generate aircon
        same 137 "$status"
        works sf generate aircon
        diff -r "$T/wanted" sensortypes/aircon/generated
        no_leftovers
    done
}

@test "new, killed, then again" {
    run env SENSORFORGE_FAULT=rename:1 "$SENSORFORGE" new greenhouse -p esp32
    same 137 "$status"
    works sf check
    works sf new greenhouse -p esp32
    works sf check greenhouse
    no_leftovers
}
