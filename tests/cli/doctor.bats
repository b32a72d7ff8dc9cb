#!/usr/bin/env bats
# doctor on the target local: where boards look for this machine, packages, certificates, disk, clock.
# shellcheck disable=SC2154 # what bats' run sets
load ../lib/project

finding() { jq -r --arg what "$1" '[.findings[] | select(.what == $what) | .health + ": " + .text] | join("\n")' <<<"$output"; }
host() { sed -i "s/^  host: .*/  host: $1/" iot_system_infra/system.yaml; }
own_address() { hostname -I | tr ' ' '\n' | grep -m 1 '^[0-9.]*$'; }

@test "host: the name that ships, a .local name with an ESP8266, addresses" {
    works sf create air -t esp32air
    tells 'warning: "iot.local" is the name that ships'
    tells "local.host: "
    works sf create kitchen -t esp8266temp
    tells 'warning: boards of the platform esp8266 do not resolve "iot.local" by themselves, which is the name that ships'
    host house.local
    works sf create attic -t esp8266temp
    tells 'do not resolve "house.local" by themselves'
    works sf create attic2 -t esp32air
    run ! grep -q warning <<<"$stderr"
    host 192.0.2.7
    works sf create a1 -t esp32air
    tells "192.0.2.7 is not an address of this machine"
    works sf doctor --json
    [[ "$(finding host)" == "doubtful: 192.0.2.7 is not"* ]] || say_and_fail "host"
    host 127.0.0.1
    works sf doctor --json
    [[ "$(finding host)" == "doubtful: 127.0.0.1 is each machine's own address"* ]] || say_and_fail "host"
    local address
    address=$(own_address)
    [ -n "$address" ] || skip "no address"
    host "$address"
    works sf create a2 -t esp32air
    run ! grep -q warning <<<"$stderr"
    works sf doctor --json
    [[ "$(finding host)" == "well: boards look for $address"* ]] || say_and_fail "host"
}

@test "things: a record that cannot be read is not well" {
    works sf create air -t esp32air
    works sf create attic -t esp32air
    echo '{' >certificates/attic/thing.json
    run --separate-stderr sf doctor --json
    [ "$status" -eq 3 ]
    [[ "$(finding things)" == "ill: 1 of 2 cannot be read: attic (certificates/attic/thing.json:"* ]] ||
        say_and_fail "things: $(finding things)"
    works sf delete attic
    run --separate-stderr sf doctor --json
    same "well: 1, none half-made" "$(finding things)"
}

@test "host: one warning for the things of a file" {
    printf 'name,type\na,esp8266temp\nb,esp32air\nc,esp8266climate\n' >things.csv
    works sf create --from things.csv
    same 1 "$(grep -c warning <<<"$stderr")"
    works sf create --from things.csv
    run ! grep -q warning <<<"$stderr"
}

@test "packages: for another host or port, older than their type, missing" {
    works sf create air -t esp32air
    works sf create kitchen -t esp32air
    works sf doctor --json
    same "well: 2, all for iot.local:8883" "$(finding packages)"
    host 192.0.2.7
    works sf package kitchen
    works sf doctor --json
    same "doubtful: 1 look for another machine or port than 192.0.2.7:8883: air" "$(finding packages)"
    sed -i 's/publish_every: 5m/publish_every: 10m/' sensortypes/esp32air/spec.yaml
    works sf doctor
    says "2 are older than their type: air, kitchen"
    works sf package --all
    works sf doctor --json
    same "well: 2, all for 192.0.2.7:8883" "$(finding packages)"
    rm -r sensortypes/esp32air/sensors/kitchen
    works sf doctor
    says "1 are missing: kitchen"
}

@test "certificates: ended, ending, not valid yet; list says so" {
    works sf create air -t esp32air
    works sf create kitchen -t esp32air
    works sf doctor --json
    same "well: 2, all valid" "$(finding certificates)"
    jq '.certificate.not_after = "2020-01-01T00:00:00Z"' certificates/air/thing.json >new && mv new certificates/air/thing.json
    jq --arg soon "$(date -u -d '+20 days' +%FT%TZ)" '.certificate.not_after = $soon' certificates/kitchen/thing.json >new && mv new certificates/kitchen/thing.json
    run --separate-stderr sf doctor --json
    [ "$status" -eq 3 ]
    same $'ill: 1 ended: air\ndoubtful: 1 end within 30 days: kitchen' "$(finding certificates)"
    works sf list
    says "ended 2020-01-01"
    says "certificate ended: sensorforge rotate air"
    says "ends $(date -u -d '+20 days' +%F)"
    jq '.certificate.not_before = "2090-01-01T00:00:00Z" | .created = "2090-01-01T00:00:00Z"' certificates/kitchen/thing.json >new && mv new certificates/kitchen/thing.json
    run --separate-stderr sf doctor --json
    [[ "$(finding certificates)" == *"ill: 1 not valid yet, by this machine's clock: kitchen"* ]] || say_and_fail "certificates"
    [[ "$(finding clock)" == "ill: "*"before a thing of this project was made" ]] || say_and_fail "clock"
}

@test "disk and clock are looked at" {
    works sf doctor --json
    [[ "$(finding disk)" == *" GB are free" ]] || say_and_fail "disk"
    [[ "$(finding clock)" == *"$(date -u +%Y-%m)"* ]] || say_and_fail "clock"
}
