#!/usr/bin/env bats
# Which things a command is about: names, --type, --attribute, --all; and a CSV file that was edited.
# shellcheck disable=SC2154 # what bats' run sets
load ../lib/project

# Four things: two zones, two types.
house() {
    printf 'name,type,zone\nattic,esp32air,2\ncellar,esp32air,1\nkitchen,esp8266temp,2\nloft,esp32air,2\n' >things.csv
    works sf create --from things.csv
}

# ends STATUS MESSAGE COMMAND...: as refuses, but the answer may have something to say.
ends() {
    run --separate-stderr "${@:3}"
    [ "$status" -eq "$1" ] || say_and_fail "expected exit code $1"
    tells "$2"
}

zone_of() { jq -r .attributes.zone "certificates/$1/thing.json"; }

@test "list: attributes are shown, and filter" {
    house
    works sf list
    [[ "$output" =~ kitchen\ +esp8266temp\ +local\ +zone=2\ +until ]] || say_and_fail "no such line"
    works sf list --attribute zone=2 --type esp32air --json
    json '[.[].name] | join(" ")' "attic loft"
    works sf list kitchen attic --json
    json '[.[].name] | join(" ")' "kitchen attic"
    works sf list --attribute zone=9
    same "" "$output"
    tells "there is no thing with zone=9"
    tells "values of zone: 2, 1"
    works sf list --attribute zoen=2
    tells "attributes that there are: zone"
    refuses 1 'there is no thing "attik"' sf list attik
    refuses 1 "attic is not of type esp8266temp but of type esp32air" sf list attic --type esp8266temp
    works mk list zone=1
    says cellar
    run ! grep -q attic <<<"$output"
    echo '{' >certificates/loft/thing.json
    works sf list
    says "damaged: sensorforge delete loft removes it"
    works sf list --type esp32air --json
    json '[.[].name] | join(" ")' "attic cellar"
}

@test "package: chosen by type and attribute, one line a thing; --set changes" {
    house
    works sf package --type esp32air --attribute zone=2 --set altitude=7
    same 2 "$(wc -l <<<"$output")" "one line a thing"
    says "attic  esp32air  EC P-256 key until "
    tells "each board needs its new package"
    jq -e '.attributes.altitude == "7"' sensortypes/esp32air/sensors/loft/config.json >/dev/null
    jq -e '.attributes.altitude == "0"' sensortypes/esp32air/sensors/cellar/config.json >/dev/null
    # what --attribute changed before is asked for now, and said
    refuses 1 "kitchen has zone=2, not zone=5" sf package kitchen --attribute zone=5
    tells "--set zone=5"
    works sf package attic loft --json
    json '[.[].name] | join(" ")' "attic loft"
    works sf package attic --json
    json .name attic
    works mk package name=attic zone=4
    same 4 "$(zone_of attic)"
    works mk package zone=4
    says "attic  esp32air"
    same 1 "$(wc -l <<<"$output")"
    refuses 2 "package needs NAME..., or --type, --attribute or --all" sf package
    refuses 2 "--all leaves nothing to choose" sf package attic --all
    refuses 1 "there is no thing of type esp32air with zone=9" sf package --type esp32air -a zone=9
}

@test "package: of several, one that fails does not stop the others" {
    house
    echo 'not a certificate' >certificates/attic/cert.pem
    ends 1 "1 of 4 things failed" sf package --all
    tells "attic: "
    says "loft  esp32air"
    run --separate-stderr sf package --all --json
    json '[.[] | select(.outcome == "failed") | .name] | join(" ")' attic
    json length 4
}

@test "delete and rotate: what was not named is asked for" {
    house
    local before
    before=$(tree_sum)
    refuses 2 "3 things would be deleted" sf delete --type esp32air
    tells "attic, cellar, loft"
    tells "--yes"
    refuses 2 "would get a new key and certificate" sf rotate --all
    works sf delete --type esp32air --dry-run
    says "cellar  would be deleted"
    same "$before" "$(tree_sum)"
    run script -qec "$SENSORFORGE delete --attribute zone=2" /dev/null <<<n
    [ "$status" -eq 1 ]
    [[ "$output" == *"nothing was changed"* ]]
    same "$before" "$(tree_sum)"
    works sf rotate --attribute zone=1 --yes
    same 1 "$(crl_serials | wc -l)"
    run script -qec "$SENSORFORGE delete --attribute zone=2" /dev/null <<<y
    [ "$status" -eq 0 ]
    [[ "$output" == *"loft  deleted, its certificate revoked"* ]]
    same 4 "$(crl_serials | wc -l)"
    works mk delete all=yes yes=yes
    works sf list --json
    json length 0
    refuses 1 "there are no things" sf delete --all
}

@test "create-all of a file that was edited: what differs is listed, --update applies it" {
    printf 'name,type,zone,wifissid,wifipassword\nattic,esp32air,1,Barn,password1\ncellar,esp32air,1,,\n' >things.csv
    works mk create-all file=things.csv
    works mk create-all file=things.csv
    says "created 0, existed 2, failed 0"
    sed -i 's/attic,esp32air,1,Barn,password1/attic,esp32air,5,Stable,password2/' things.csv
    echo 'loft,esp32air,3,,' >>things.csv
    local before
    before=$(tree_sum)
    ends 1 "1 of the 2 things that exist differs from things.csv" sf create --from things.csv --dry-run
    same "$before" "$(tree_sum)"
    ends 2 "update=yes" mk create-all file=things.csv
    [[ "$output" =~ attic\ +zone\ +1\ +5 ]] || say_and_fail "no zone"
    [[ "$output" =~ attic\ +wifissid\ +Barn\ +Stable ]] || say_and_fail "no network"
    [[ "$output" =~ attic\ +wifipassword\ +\(not\ shown\) ]] || say_and_fail "no password"
    never_says password1
    never_says password2
    says "created 1, existed 2, failed 0" # what is new is made
    same 1 "$(zone_of attic)"
    run --separate-stderr sf create --from things.csv --json
    [ "$status" -eq 1 ]
    json '[.differences[] | [.name, .column, .was, .is]] | tojson' \
        '[["attic","zone","1","5"],["attic","wifissid","Barn","Stable"],["attic","wifipassword",null,null]]'
    local key
    key=$(sha256sum certificates/attic/key.pem)
    works mk create-all file=things.csv update=yes
    says "created 0, existed 3, updated 1, failed 0"
    tells "new package"
    local package=sensortypes/esp32air/sensors/attic/config.json
    same '["5","Stable","password2"]' "$(jq -c '[.attributes.zone, .wifi.ssid, .wifi.password]' $package)"
    same "$key" "$(sha256sum certificates/attic/key.pem)"
    package_is_whole esp32air attic
    works mk create-all file=things.csv # nothing differs any more
    refuses 2 "--update goes with --from FILE" sf create x --update
}

@test "create-all: what the file does not say is not compared" {
    house
    works sf package attic --set altitude=30 --wifi-ssid Barn
    works sf create --from things.csv # has neither altitude nor wifi
    same 30 "$(jq -r .attributes.altitude certificates/attic/thing.json)"
    sed -i 's/attic,esp32air,2/attic,esp32air,3/' things.csv
    works sf create --from things.csv --update
    same '["3","30"]' "$(jq -c '[.attributes.zone, .attributes.altitude]' certificates/attic/thing.json)"
    same Barn "$(jq -r .wifi.ssid certificates/attic/thing.json)"
    # no wifi is asked for where every thing exists
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    works sf create --from things.csv
}

@test "flash: several boards are asked for one after the other, at a terminal only" {
    house
    refuses 2 "flash needs NAME..." sf flash --port /dev/null
    refuses 2 "one after the other" sf flash --type esp32air --port /dev/null
    run script -qec "$SENSORFORGE flash attic loft --port /dev/null" /dev/null <<<$'s\nq'
    [ "$status" -eq 0 ]
    [[ "$output" == *"the board of attic at /dev/null: "* && "$output" == *"the board of loft at /dev/null: "* ]]
    [[ "$output" == *"loft  left out"* ]]
    refuses 2 "one after the other" mk flash zone=2 port=/dev/null
}
