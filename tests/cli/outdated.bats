#!/usr/bin/env bats
# Things whose packages are older than their type: what deploy, list and package say, and what becomes of their readings.
# shellcheck disable=SC2154 # what bats' run sets
load ../lib/project

spec=sensortypes/esp32air/spec.yaml

# measure MORE: the type has one measure more.
measure() { sed -i "s/^measures:/&\n  battery: {type: double,$1 driver: {name: adc, input: 34}}/" $spec; }

# a record as an earlier version of this program has written it
forget() { jq 'del(.built)' "certificates/$1/thing.json" >"$T/record" && cat "$T/record" >"certificates/$1/thing.json"; }

packages() { sf list --json | jq -r '[.[] | "\(.name) \(.package)"] | join(", ")'; }

@test "deploy, list, package: a measure that packages do not know" {
    works sf deploy esp32air
    never_says "without the measure"
    works sf create a --type esp32air
    works sf create b --type esp32air
    forget b
    same "a current, b unknown" "$(packages)"
    measure ""
    works sf deploy esp32air --dry-run
    tells "esp32air: 2 things have packages without the measure battery; all readings become invalid until"
    tells '"optional: true" on battery in spec.yaml lets them stay valid'
    works sf deploy esp32air
    tells "2 things have packages without the measure battery"
    same "a behind, b unknown" "$(packages)"
    works sf list
    says "active, package behind"
    tells "made of an earlier version of its type"
    works sf package --all --dry-run
    tells "a would get a new package"
    tells "b would get a new package" # nothing is known of its package
    works sf package a
    same "a current, b unknown" "$(packages)"
    works sf package --all --dry-run
    never_says "a would"
    tells "b would get a new package"
    tells "1 thing has the package that its type would give now"
    works sf package a --set zone=9 --dry-run
    tells "a would get a new package"
    works sf package --all
    works sf deploy esp32air
    never_says "without the measure"
}

@test "deploy: an optional measure leaves readings valid; without it the column has no value" {
    works sf deploy esp32air
    works sf create a --type esp32air
    measure " optional: true, valid: {min: 0, max: 5},"
    works sf deploy esp32air
    tells "esp32air: 1 thing has a package without the measure battery; readings stay valid, without it"
    never_says "invalid"
    local rest='"temperature": 20.5, "humidity": 40.5, "pressure": 1000.5, "zone": "1", "altitude": "0"'
    for more in '' ', "battery": null'; do
        echo "{$rest$more}" >r.json
        works sf rule esp32air --payload r.json --json
        json '.rules[0] | "\(.outcome) \(.selected | has("battery"))"' "selected false"
        json '.rules[1].outcome' "not selected"
    done
    echo "{$rest, \"battery\": 3}" >r.json
    works sf rule esp32air --payload r.json --json
    json '.rules[0].selected.battery' 3
    echo "{$rest, \"battery\": 6}" >r.json
    works sf rule esp32air --payload r.json
    says "  battery 6 is above 5"
    works sf check esp32air
    never_says warning
    sed -i 's/store: timestream/store: dynamodb/' iot_system_infra/system.yaml
    works sf check esp32air
    never_says warning
}

@test "list: packages stay unknown while their type is not right" {
    works sf deploy esp32air
    works sf create a --type esp32air
    echo 'nonsense: 1' >>$spec
    same "a unknown" "$(packages)"
}

@test "package: its version is the same on every run, and changes with the type's code" {
    works sf deploy esp32air
    works sf create a --type esp32air
    works sf create b --type esp32air
    same "$(jq -c .built certificates/a/thing.json)" "$(jq -c .built certificates/b/thing.json)"
    sf show a --json | jq -e '.built.measures == ["temperature", "humidity", "pressure"]' >/dev/null
    works sf package a --set zone=7
    same "$(jq -c .built certificates/a/thing.json)" "$(jq -c .built certificates/b/thing.json)"
    sed -i 's/^description: .*/description: Other words/' $spec # no board has them
    same "a current, b current" "$(packages)"
    sed -i 's/^publish_every: .*/publish_every: 10m/' $spec
    same "a behind, b behind" "$(packages)"
}
