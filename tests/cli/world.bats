#!/usr/bin/env bats
# When the world refuses: disk full, folders that cannot be written, secrets, git.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

# small_disk SIZE: moves the project onto a file system of its own of that size, and goes there.
small_disk() {
    mkdir -p "$T/mounted/disk"
    mount -t tmpfs -o "size=$1" none "$T/mounted/disk" 2>/dev/null || skip "mounting is not permitted here"
    cp -a "$T/project" "$T/mounted/disk/"
    cd "$T/mounted/disk/project" || return 1
}
fill() { head -c 100M /dev/zero >"$T/mounted/disk/filler" 2>/dev/null || true; }

@test "disk full: create says so with exit 3, and goes on when there is room" {
    small_disk 2M
    works sf create first -t esp32air
    fill
    run --separate-stderr sf create kitchen -t esp32air
    same 3 "$status"
    tells "No space left on device"
    rm "$T/mounted/disk/filler"
    no_leftovers
    package_is_whole esp32air first
    works sf create kitchen -t esp32air
    package_is_whole esp32air kitchen
    no_leftovers
}

@test "disk full: rotate leaves the old package and certificate whole" {
    small_disk 2M
    works sf create kitchen -t esp32air
    local serial
    serial=$(serial_of kitchen)
    fill
    run --separate-stderr sf rotate kitchen
    same 3 "$status"
    tells "No space left on device"
    same "$serial" "$(serial_of kitchen)"
    package_is_whole esp32air kitchen
    rm "$T/mounted/disk/filler"
    works sf rotate kitchen
    [ "$serial" != "$(serial_of kitchen)" ]
    no_leftovers
}

@test "disk full: generate leaves what was there" {
    small_disk 2M
    works sf generate aircon
    local before
    before=$(tree_sum sensortypes/aircon/generated)
    sed -i 's/magnetic: 365d/magnetic: 300d/' sensortypes/aircon/spec.yaml
    fill
    run --separate-stderr sf generate aircon
    same 3 "$status"
    tells "No space left on device"
    same "$before" "$(tree_sum sensortypes/aircon/generated)"
    rm "$T/mounted/disk/filler"
    works sf generate aircon
    no_leftovers
}

@test "disk full in the middle of a bulk run: exit 3, a report, and the rest with the same command" {
    small_disk 3M
    {
        echo name,type
        for number in {1..80}; do echo "t$number,esp32air"; done
    } >things.csv
    run --separate-stderr sf create --from things.csv --json
    same 3 "$status"
    json '.failed > 0' true
    tells "things could not be made"
    mount -o remount,size=64M "$T/mounted/disk"
    works sf create --from things.csv --json
    json .failed 0
    works sf list --json
    json length 80
    python3 "$LIB/package.py" sensortypes/esp32air/sensors/*
    no_leftovers
}

@test "a read-only disk: exit 3 for what writes, reading goes on" {
    small_disk 4M
    works sf create kitchen -t esp32air
    mount -o remount,ro "$T/mounted/disk"
    local command
    for command in "create x -t esp32air" "rotate kitchen" "delete kitchen" "generate aircon" "deploy aircon" "new greenhouse -p esp32"; do
        # shellcheck disable=SC2086 # several words
        refuses 3 "Read-only file system" sf $command
    done
    works sf check
    works sf list
    works sf show kitchen
    works sf generate aircon --diff
    mount -o remount,rw "$T/mounted/disk"
}

@test "folders that the user may not write: exit 3, named" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    works sf create kitchen -t esp32air
    chmod 755 "$T"
    chmod -R a+rX .
    local as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${as[@]}" test -x "$SENSORFORGE" || skip "nobody may not run $SENSORFORGE"
    refuses 3 "Permission denied" "${as[@]}" "$SENSORFORGE" generate aircon
    refuses 3 "Permission denied" "${as[@]}" "$SENSORFORGE" new greenhouse -p esp32
}

@test "modes do not depend on the umask" {
    umask 000
    works sf create kitchen -t esp32air
    umask 022
    same "" "$(find certificates/kitchen sensortypes/esp32air/sensors/kitchen -perm /077)"
    same "" "$(find iot_system_infra/authority -maxdepth 0 -perm /077)"
    same "" "$(find iot_system_infra/authority -name ca.key -perm /077)"
    same "" "$(find . -type f -perm /022 -not -path './templates/*')"
}

@test "files in the way of folders: exit 3, named" {
    : >iot_system_infra/authority
    run --separate-stderr sf create kitchen -t esp32air
    [ "$status" -ne 0 ]
    tells "iot_system_infra/authority"
    rm iot_system_infra/authority
    mkdir -p sensortypes/esp32air
    : >sensortypes/esp32air/sensors
    run --separate-stderr sf create kitchen -t esp32air
    same 3 "$status"
    tells "sensortypes/esp32air/sensors"
    rm sensortypes/esp32air/sensors
    works sf create kitchen -t esp32air
    package_is_whole esp32air kitchen
}

@test "nothing secret in any output of any command" {
    export NO_COLOR=
    {
        sf create kitchen -t esp32air -v
        sf create kitchen2 -t esp8266temp -v --json
        sf create kitchen -t esp32air -v || true
        printf 'name,type,wifissid,wifipassword\nt1,esp32air,Home,%s\nt2,esp32air,Home,\n,x,Home,%s\n' "$PASSWORD" "$PASSWORD" >bad.csv
        sf create -v --from bad.csv || true
        printf 'name,type,wifissid,wifipassword\nt1,esp32air,Home,%s\n' "$PASSWORD" >good.csv
        sf create -v --from good.csv
        sf create -v --from good.csv --json
        local command
        for command in list "list --json" "show kitchen" "show kitchen --json" "rotate kitchen" "rotate kitchen2 --json" \
            "generate --all --diff" "deploy --all" types check "model esp32air" "delete kitchen2"; do
            # shellcheck disable=SC2086 # several words
            sf -v $command
        done
        mk create name=kitchen3 type=esp32air
        mk list
        mk show name=kitchen3
    } >"$T/said" 2>&1
    [ "$(wc -l <"$T/said")" -gt 100 ]
    run ! grep -F -e "$PASSWORD" -e "PRIVATE KEY" "$T/said"
    # the keys themselves, in any of their encodings' lines
    local file line
    for file in certificates/*/key.pem iot_system_infra/authority/ca.key; do
        line=$(sed -n 2p "$file")
        [ ${#line} -ge 60 ]
        run ! grep -qF "$line" "$T/said"
    done
    # and in no file but those that are secret
    same "" "$(grep -rlF "$PASSWORD" . --exclude=*.csv | xargs -r ls -l | grep -v '^-rw------- ')"
}

@test "git sees nothing that was generated" {
    rm -rf "$T/clone"
    git clone -q "$REPO" "$T/clone" 2>/dev/null || skip "no git repository here"
    cp "$REPO/.gitignore" "$REPO/Makefile" "$T/clone/"
    # as it is now, committed or not
    rm -rf "$T/clone"/{templates,schemas,iot_system_infra/system.yaml}
    cp -R "$REPO/templates" "$REPO/schemas" "$T/clone/"
    cp "$REPO/iot_system_infra/system.yaml" "$T/clone/iot_system_infra/"
    cd "$T/clone"
    git -c user.name=t -c user.email=t@t add -A
    git -c user.name=t -c user.email=t@t commit -qm "as it is" || true
    same "" "$(git status --porcelain)"
    printf 'wifi_ssid: "Home"\nwifi_password: "%s"\n' "$PASSWORD" >secrets.yaml
    sf generate --all
    sf deploy --all
    sf create kitchen -t esp32air
    sf create ca -t esp8266temp
    sf rotate kitchen
    sf delete ca
    same "" "$(git status --porcelain)"
    same "" "$(git add -An)"
}
