#!/usr/bin/env bats
# make service: the unit's name, what systemd says of it, and the programs under its restrictions.
# shellcheck disable=SC2154 # what bats' run sets
load ../lib/project

UNITS=.config/systemd/user
LOCAL=iot_system_infra/local

eval "make_$(declare -f teardown)"
teardown() {
    "$SENSORFORGE" -C "$T/project" down --quiet 2>/dev/null || true
    make_teardown
}

needs_systemd() { command -v systemd-analyze >/dev/null || skip "systemd is not here"; }

# The values of a setting.
setting() { sed -n "s/^$1=//p" "$HOME/$UNITS/${2:-sensorforge-project}.service"; }

@test "each project has a unit of its own" {
    works mk service
    says "unit  $HOME/$UNITS/sensorforge-project.service"
    says "systemctl --user enable --now sensorforge-project"
    same "$T/project" "$(setting WorkingDirectory)"
    same "\"$SENSORFORGE\" up --foreground" "$(setting ExecStart)"
    same "\"$T/project\"" "$(setting ReadWritePaths)"
    run ! grep -q '@[A-Z]' "$HOME/$UNITS/sensorforge-project.service"
    works mk service # again: the same one
    same 1 "$(find "$HOME/$UNITS" -name '*.service' | wc -l)"
    # another project whose folder has the same name
    make_project "$T/other/project"
    cd "$T/other/project"
    works mk service
    local name
    name=$(grep -o 'sensorforge-project-[0-9a-f]*' <<<"$output" | head -1)
    same "$T/other/project" "$(setting WorkingDirectory "$name")"
    same "$T/project" "$(setting WorkingDirectory)" "the first one's is as it was"
    # a folder with letters that a unit's name does not take, and with those that systemd reads as something else
    make_project "$T/my \"house\" 50%"
    cd "$T/my \"house\" 50%"
    works mk service
    name=sensorforge-my__house__50_
    same "$T/my \"house\" 50%%" "$(setting WorkingDirectory $name)"
    same "\"$T/my \\\"house\\\" 50%%\"" "$(setting ReadWritePaths $name)"
    [ ! -e "$T/project/$LOCAL/run/mosquitto.pid" ]
}

@test "the unit of before, of this project: how to take it away" {
    mkdir -p "$HOME/$UNITS"
    printf '[Service]\nWorkingDirectory=%s\n' "$T/project" >"$HOME/$UNITS/sensorforge.service"
    works mk service
    says "systemctl --user disable --now sensorforge "
    printf '[Service]\nWorkingDirectory=/another\n' >"$HOME/$UNITS/sensorforge.service"
    works mk service
    run ! grep -q '^old' <<<"$output"
}

@test "systemd takes the unit, and rates it" {
    needs_systemd
    works mk service
    local unit=$HOME/$UNITS/sensorforge-project.service
    run systemd-analyze verify --man=no "$unit"
    [[ "$output" != *sensorforge-project.service:* ]] || say_and_fail "systemd does not understand it"
    works systemd-analyze security --offline=yes --threshold=40 --no-pager "$unit"
}

@test "nothing is taken that the programs need: up --foreground, a reading, down" {
    needs_systemd
    command -v strace >/dev/null || skip "strace is not here"
    unshare -m true 2>/dev/null || skip "mount namespaces are not allowed here"
    works mk service
    local port unit=$HOME/$UNITS/sensorforge-project.service seconds pid
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
    sed -i "s/mqtt_port: 8883/mqtt_port: $port/" iot_system_infra/system.yaml
    works sf deploy esp32air
    works sf create air -t esp32air
    # ProtectSystem=strict and PrivateTmp=yes as far as they go here: nothing but the project can be written to.
    # shellcheck disable=SC2016 # the inner shell's
    unshare -m bash -c 'mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / && cd "$1" &&
        ! touch /usr/x "$2/x" 2>/dev/null &&
        exec setpriv --no-new-privs strace -f -qq -o "$1/trace" "$3" up --foreground' \
        _ "$T/project" "$T" "$SENSORFORGE" >"$T/said" 2>&1 3>&- &
    pid=$!
    for ((seconds = 0; seconds < 60; seconds++)); do
        [ -s $LOCAL/run/mosquitto.pid ] && sf status >/dev/null 2>&1 && break
        kill -0 $pid 2>/dev/null || say_and_fail "it ended" "$(cat "$T/said")"
        sleep 1
    done
    mosquitto_pub -h 127.0.0.1 -p "$port" --cafile iot_system_infra/authority/ca.pem --cert certificates/air/cert.pem \
        --key certificates/air/key.pem --insecure -i air -q 1 -t esp32air/air -m '{"temperature":21.5,"humidity":50.5,"pressure":1000.5,"zone":"1","altitude":"0"}'
    for ((seconds = 0; seconds < 30; seconds++)); do
        sf query --type esp32air --last 5m 2>/dev/null | grep -q 21.5 && break
        sleep 1
    done
    works sf query --type esp32air --last 5m
    says 21.5
    works sf down
    wait $pid || say_and_fail "it failed" "$(cat "$T/said")"
    run "$LIB/confined.py" "$unit" trace
    same 0 "$status" "$output"
    # what the check itself is worth: with a smaller list it finds what is missing
    sed 's/^SystemCallFilter=.*/SystemCallFilter=@basic-io/; s/^RestrictAddressFamilies=.*/RestrictAddressFamilies=AF_UNIX/' "$unit" >"$T/narrow"
    run "$LIB/confined.py" "$T/narrow" trace
    same 1 "$status"
    [[ "$output" == *"refused: a socket of AF_INET"* ]] || say_and_fail "nothing was found"
}
