#!/usr/bin/env bats
# Wifi names and passwords are data: every byte arrives, none is shown.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

CASES=$BATS_TEST_DIRNAME/wifi-cases.json

arrives() {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    run --separate-stderr "$LIB/wifi.py" "$1" "$CASES"
    same 0 "$status"
}

@test "the cases hold every printable ASCII character, in a password and in a name" {
    same 95 "$(jq -r '[.[].password | explode[] | select(. >= 32 and . < 127)] | unique | length' "$CASES")"
    same 95 "$(jq -r '[.[].ssid | explode[] | select(. >= 32 and . < 127)] | unique | length' "$CASES")"
}
@test "byte for byte through make wifissid= wifipassword=" { arrives make; }
@test "byte for byte through the environment" { arrives environment; }
@test "byte for byte through a CSV file" { arrives csv; }
@test "byte for byte through secrets.yaml, in double quotes" { arrives secrets-double; }
@test "byte for byte through secrets.yaml, in single quotes" { arrives secrets-single; }

config() { jq -j ".wifi.$1" sensortypes/esp32air/sensors/"${2:-air}"/config.json; }

@test "make: wifissid and wifipassword from make's environment" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    export wifissid=' $x' wifipassword='pa$$word `id` '
    works mk create name=air type=esp32air
    same ' $x|' "$(config ssid)|"
    same 'pa$$word `id` |' "$(config password)|"
}

@test "make esp32airCreate takes wifi too" {
    works mk esp32airCreate name=air wifissid=' x' wifipassword='$(shell touch injected)'
    same '$(shell touch injected)' "$(config password)"
    [ ! -e injected ]
}

@test "the order: --wifi-ssid, environment, secrets.yaml, prompt" {
    printf 'wifi_ssid: "Third"\nwifi_password: "third password"\n' >secrets.yaml
    works sf create a -t esp32air --wifi-ssid First
    same "First|$PASSWORD" "$(config ssid a)|$(config password a)"
    works sf create b -t esp32air
    same "Home|$PASSWORD" "$(config ssid b)|$(config password b)"
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    works sf create c -t esp32air
    same "Third|third password" "$(config ssid c)|$(config password c)"
    works sf create d -t esp32air --wifi-ssid Third
    same "Third|third password" "$(config ssid d)|$(config password d)"
    # the password of secrets.yaml is for its own network only
    refuses 2 "the wifi password is missing" sf create e -t esp32air --wifi-ssid Other
}

@test "nothing given, nobody to ask: exit 2, and the ways to give it" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    refuses 2 "the wifi network's name is missing" sf create air -t esp32air
    tells "secrets.yaml"
    SENSORFORGE_WIFI_SSID=Home refuses 2 "the wifi password is missing" sf create air -t esp32air
    refuses 2 "the wifi network's name is missing" mk create name=air type=esp32air
}

@test "secrets.yaml that is wrong: place, never the line" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    printf 'wifi_ssid: "Home"\nwifi_pasword: "%s"\n' "$PASSWORD" >secrets.yaml
    refuses 1 "secrets.yaml:2:1:" sf create air -t esp32air
    never_says "$PASSWORD"
    # YAML would end the value at the "#".
    printf 'wifi_ssid: "Home"\nwifi_password: password #1\n' >secrets.yaml
    refuses 1 "secrets.yaml:2:16:" sf create air -t esp32air
    never_says "password #1"
    printf '\357\273\277wifi_ssid: "Home" # of the house\nwifi_password: "password #1"\n' >secrets.yaml
    works sf create marked -t esp32air
    same "Home|password #1" "$(config ssid marked)|$(config password marked)"
    # Other keys are other programs' (ESPHome's): what is missing is asked for.
    printf 'wifi_ssid: "Home"\napi_password: "%s"\nota: 1\n' "$PASSWORD" >secrets.yaml
    refuses 2 "the wifi password is missing" sf create air -t esp32air
    never_says "$PASSWORD"
    printf 'wifi_ssid: "Home"\nwifi_ssid2: "Other"\nwifi_password2: "x"\nwifi_password: "12345678"\nap_password: "y"\n' >secrets.yaml
    works sf create air -t esp32air
    same 12345678 "$(config password)"
    works sf delete air
    printf 'wifi_ssid: "Home"\nwifi_password: "\\ud83d"\n' >secrets.yaml
    refuses 1 "secrets.yaml:2:" sf create air -t esp32air
    printf 'wifi_ssid: "Home"\nwifi_password: "%s\n' "$PASSWORD" >secrets.yaml
    refuses 1 "secrets.yaml:" sf create air -t esp32air
    never_says "$PASSWORD"
    printf 'wifi_ssid: "Home"\nwifi_password: ["%s"]\n' "$PASSWORD" >secrets.yaml
    refuses 1 "secrets.yaml:2:" sf create air -t esp32air --verbose
    never_says "$PASSWORD"
}

@test "a prompt on a terminal, without echo" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    run "$LIB/terminal.py" --answer "wifi network: " "My Home" --answer 'wifi password for "My Home"' ' p$ `#"\ ' \
        -- "$SENSORFORGE" create air -t esp32air
    same 0 "$status"
    [[ "$output" == *"My Home"* ]] || say_and_fail "the name is shown"
    [[ "$output" != *'p$ `#'* ]] || say_and_fail "the password was shown"
    same 'My Home| p$ `#"\ ' "$(config ssid)|$(config password)"
}

@test "a prompt through make, an open network, and the end of input" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    run "$LIB/terminal.py" --answer 'wifi password for "Home"' '' -- \
        make --no-print-directory -o "$SENSORFORGE" PROGRAM="$SENSORFORGE" create name=air type=esp32air wifissid=Home
    same 0 "$status"
    same "Home|" "$(config ssid)|$(config password)"
    run "$LIB/terminal.py" --answer 'wifi network: ' $'\x04' -- "$SENSORFORGE" create air2 -t esp32air
    [ "$status" -ne 0 ] || say_and_fail "no answer is not an answer"
    [ ! -e certificates/air2 ]
}

@test "a prompt that is broken off leaves the terminal as it was" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    run "$LIB/terminal.py" --answer 'wifi password for "Home"' $'\x03' -- \
        bash -c 'stty -a | grep -o " -\?echo " >before; "$SENSORFORGE" create air -t esp32air --wifi-ssid Home; stty -a | grep -o " -\?echo " >after'
    cmp before after
    [ ! -e certificates/air ]
}

@test "names and passwords that no network can have" {
    local password
    for password in x 1234567 "$(printf 'p%.0s' {1..65})" "$(printf 'g%.0s' {1..64})" $'tab\tin password' $'new\nline in it' \
        $'escape \033[31m' $'delete \177 here' $'\xff\xfe not UTF-8' "$(printf 'ü%.0s' {1..32})"; do
        SENSORFORGE_WIFI_PASSWORD=$password refuses 1 'the wifi password for "Home"' sf create air -t esp32air
        [[ "${#password}" -lt 2 ]] || never_says "$password"
    done
    local ssid
    for ssid in "" "$(printf 'n%.0s' {1..33})" "$(printf 'ü%.0s' {1..17})"; do
        SENSORFORGE_WIFI_SSID=$ssid refuses 1 "wifi network's name" sf create air -t esp32air
    done
    printf 'name,type,wifissid,wifipassword\na,esp32air,Home,short\nb,esp32air,Home,%s\n' "$PASSWORD" >things.csv
    refuses 1 "things.csv:2: the wifi password for \"Home\" has 5 bytes" sf create --from things.csv
    never_says "$PASSWORD"
}

@test "the password is on no command line" {
    command -v strace >/dev/null || skip "strace is not installed"
    export ASAN_OPTIONS=detect_leaks=0 # a traced program cannot look for leaks
    strace -qq -f -e trace=execve -s 4096 -o "$T/calls" true 2>/dev/null || skip "no tracing here"
    sf deploy esp32air 2>/dev/null
    strace -qq -f -e trace=execve -s 4096 -v -o "$T/calls" make --no-print-directory -o "$SENSORFORGE" PROGRAM="$SENSORFORGE" \
        create name=air type=esp32air wifissid=Home wifipassword='Xsecret1Y$$' >/dev/null
    [ -e certificates/air ] || say_and_fail "not made"
    grep -q sensorforge "$T/calls"
    # An execve of strace's reads: execve("path", ["argument", ...], ["NAME=value", ...]): look at the arguments.
    sed -n 's/.*execve("[^"]*", \[\(.*\)\], \[.*/\1/p' "$T/calls" >"$T/arguments"
    same 1 "$(grep -c 'Xsecret1Y' "$T/arguments")" "only make itself, where the person typed it"
    strace -qq -f -e trace=execve -s 4096 -v -o "$T/calls" "$SENSORFORGE" create air2 -t esp32air >/dev/null
    sed -n 's/.*execve("[^"]*", \[\(.*\)\], \[.*/\1/p' "$T/calls" >"$T/arguments"
    [ -s "$T/arguments" ]
    run ! grep -qF "$PASSWORD" "$T/arguments"
}

@test "a name that is not UTF-8: any bytes reach the record and the package, and none the terminal" {
    local name base64
    name=$(printf 'Caf\xe9\e[31m')
    base64=$(printf %s "$name" | base64)
    works sf create air -t esp32air --wifi-ssid "$name"
    same "$base64" "$(config ssid_base64)"
    same 'Caf\xE9\x1B[31m' "$(config ssid)"
    works sf show air
    says 'wifi         Caf\xE9\x1B[31m'
    works sf show air --json
    json .wifi.ssid_base64 "$base64"
    # the record is read again, and nothing of it is lost
    works sf package air --source
    same "$base64" "$(config ssid_base64)"
    grep -q a2b_base64 sensortypes/esp32air/sensors/air/wifi.py
    works sf package air --wifi-ssid Barn --source
    same "Barn|null" "$(config ssid)|$(config ssid_base64)"
    run ! grep -q base64 sensortypes/esp32air/sensors/air/wifi.py
    SENSORFORGE_WIFI_SSID=$(printf '\xff\xfe%030d' 0) works sf create most -t esp32air
    refuses 1 "has 1 to 32 bytes; this has 33" sf create x -t esp32air --wifi-ssid "$(printf '\xff%032d' 0)"
    jq '.wifi.ssid_base64 = "%%%"' certificates/air/thing.json >broken && mv broken certificates/air/thing.json
    refuses 1 "\"ssid_base64\" is not base64 of a name" sf show air
}
