#!/usr/bin/env bats
# SIGKILL at every system call that changes the disk: finer than the fault points, and in no need of them.
# bats file_tags=slow
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

killed() {
    run --separate-stderr "$LIB/kill.py" "$@"
    [ "$status" -ne 77 ] || skip "$output"
    same 0 "$status"
    echo "# $output" >&3
}

@test "the first create of all, killed at each system call, then again" { killed first-create calls again; }
