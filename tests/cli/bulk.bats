#!/usr/bin/env bats
# create --from: a table of things.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

# table COUNT [TYPE]: things.csv with that many rows.
table() {
    local number
    {
        echo name,type,zone
        for ((number = 1; number <= $1; number++)); do
            echo "t$number,${2:-esp32air},$((number % 5))"
        done
    } >things.csv
}
things() { find certificates -mindepth 1 -maxdepth 1 -type d | wc -l; }

# all_are_right COUNT: as many things, each with one certificate of the authority's, its package whole.
all_are_right() {
    same "$1" "$(things)"
    works sf list --json
    json length "$1"
    json '[.[] | select(.state != "active")] | length' 0
    json '[.[].serial] | unique | length' "$1"
    package=(sensortypes/*/sensors/*)
    same "$1" "${#package[@]}" "packages"
    python3 "$LIB/package.py" "${package[@]}"
    openssl verify -CAfile iot_system_infra/authority/ca.pem -purpose sslclient certificates/*/cert.pem >"$T/verified"
    same "$1" "$(grep -c ': OK$' "$T/verified")"
    same "" "$(crl_serials)"
    no_leftovers
}

@test "300 things, made, skipped the second time, only the missing made the third" {
    table 300
    works sf create --from things.csv
    says "created 300, existed 0, failed 0 in "
    tells "things.csv: 300 things of 1 type, 0 exist already"
    all_are_right 300
    jq -e '.attributes.zone == "2"' sensortypes/esp32air/sensors/t7/config.json >/dev/null
    local sum
    sum=$(tree_sum)
    works sf create --from things.csv
    says "created 0, existed 300, failed 0 in "
    same "$sum" "$(tree_sum)"
    works sf delete t3 t4 t5
    works sf create --from things.csv --json
    json '"\(.created) \(.existed) \(.failed) \(.failures | length)"' "3 297 0 0"
    same 300 "$(things)"
}

@test "make create-all file=" {
    table 3
    works mk create-all file=things.csv
    says "created 3"
    refuses 2 "file=... is missing" mk create-all
    works mk create-all file=things.csv wifissid=Home 'wifipassword=pa$$word1'
}

@test "types of several keys in one table, attribute columns empty or not of this type" {
    cat >things.csv <<'CSV'
name,type,zone,altitude
a,esp32air,2,100
b,esp8266temp,3,
c,aircon,,
"d",esp32air,"4",""
CSV
    works sf create --from things.csv
    says "created 4"
    works sf show a --json
    json .attributes.altitude 100
    works sf show c --json
    json .attributes.zone 1
    works sf show d --json
    json .attributes.altitude 0
    package_is_whole esp8266temp b
}

@test "columns in any order, CRLF, a byte order mark, quoted names, no last newline" {
    printf '\xef\xbb\xbfzone,type,name\r\n2,esp32air,"a"\r\n3,esp32air,b' >things.csv
    works sf create --from things.csv
    says "created 2"
    works sf show b --json
    json .attributes.zone 3
}

@test "every error of the table is said, with its line, and nothing is made" {
    cat >things.csv <<'CSV'
name,type,zone,altitude
good,esp32air,1,
bad name,esp32air,1,
x1,esp32ari,1,
x2,esp32air,UP,
x3,aircon,1,100
good,esp32air,2,
,esp32air,1,
CSV
    refuses 1 'things.csv:3: "bad name" cannot be the name of a thing' sf create --from things.csv
    tells 'things.csv:4: there is no sensor type "esp32ari"'
    tells 'things.csv:5: "UP" does not match the pattern of zone'
    tells 'things.csv:6: aircon has no attribute "altitude"'
    tells 'things.csv:7: "good" is in line 2 already'
    tells 'things.csv:8: "" cannot be the name of a thing'
    tells 'things.csv: 6 errors; nothing was made'
    same 0 "$(things)"
}

@test "a name in the table of an existing thing of another type" {
    works sf create a -t esp32air
    printf 'name,type\na,aircon\nb,aircon\n' >things.csv
    refuses 1 "things.csv:2: a exists already, as esp32air" sf create --from things.csv
}

@test "files that are no table" {
    refuses 1 "nothing.csv: no such file" sf create --from nothing.csv
    mkdir folder
    refuses 1 "folder is not a regular file" sf create --from folder
    : >empty.csv
    refuses 1 "empty.csv is empty" sf create --from empty.csv
    printf 'name,zone\na,1\n' >x.csv
    refuses 1 'x.csv:1: the column "type" is missing' sf create --from x.csv
    printf 'name,type,name\na,esp32air,b\n' >x.csv
    refuses 1 'x.csv:1: the column "name" is there twice' sf create --from x.csv
    printf 'name,type\na,esp32air,1\n' >x.csv
    refuses 1 'x.csv:2: 3 fields; the header has 2' sf create --from x.csv
    printf 'name,type\na\n' >x.csv
    refuses 1 'x.csv:2: 1 field; the header has 2' sf create --from x.csv
    printf 'name,type\na,esp"32air\n' >x.csv
    refuses 1 'x.csv:2: a quote in the wrong place' sf create --from x.csv
    printf 'name,type\na,"esp32air\nb,aircon\n' >x.csv
    refuses 1 'x.csv:2: a quoted field that begins here does not end' sf create --from x.csv
    printf 'name,type\na,esp32\0air\n' >x.csv
    refuses 1 'x.csv:2: a field is not UTF-8 text' sf create --from x.csv
    local encoding
    for encoding in UTF-16 UTF-16LE UTF-16BE; do
        printf 'name,type\na,esp32air\n' | iconv -t $encoding >x.csv
        refuses 1 'x.csv is UTF-16' sf create --from x.csv
        tells 'save it as UTF-8'
    done
    printf 'name,type\na,\xff\n' >x.csv
    refuses 1 'x.csv:2: a field is not UTF-8 text' sf create --from x.csv
    printf 'name,type,nonsense\na,esp32air,1\n' >x.csv
    refuses 1 'x.csv:2: esp32air has no attribute "nonsense"' sf create --from x.csv
}

@test "a table with a header alone makes nothing, and is no error" {
    echo name,type >things.csv
    works sf create --from things.csv
    says "created 0, existed 0, failed 0"
}

@test "--dry-run checks and makes nothing; --json of it is JSON" {
    table 5
    local sum
    sum=$(tree_sum)
    works sf create --from things.csv --dry-run
    tells "things.csv: 5 things of 1 type, 0 exist already"
    same "$sum" "$(tree_sum)"
    works sf create --from things.csv --dry-run --json
    json .create 5
    json .outcome planned
}

@test "wifi of the table's own columns; for an empty one everybody's" {
    cat >things.csv <<'CSV'
name,type,wifissid,wifipassword
a,esp32air,"First, ""quoted""",first password
b,esp32air,,
c,esp32air,Open,
CSV
    works sf create --from things.csv
    wifi() { jq -c '[.wifi.ssid, .wifi.password]' "sensortypes/esp32air/sensors/$1/config.json"; }
    same '["First, \"quoted\"","first password"]' "$(wifi a)"
    same "[\"Home\",\"$PASSWORD\"]" "$(wifi b)"
    same '["Open",""]' "$(wifi c)"
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    printf 'name,type,wifissid,wifipassword\nd,esp32air,Own,own password\n' >own.csv
    works sf create --from own.csv
    printf 'name,type\ne,esp32air\n' >none.csv
    refuses 2 "the wifi network's name is missing" sf create --from none.csv
}

@test "progress: a bar on a terminal, none in a log, nothing when quiet" {
    table 12 esp8266temp # RSA keys: some seconds on any machine
    run "$LIB/terminal.py" -- "$SENSORFORGE" create --from things.csv
    same 0 "$status"
    [[ "$output" == *"created 12, existed 0, failed 0"* ]] || say_and_fail "no report"
    if [[ "$output" =~ in\ ([0-9]+)\.[0-9]\ s ]] && [ "${BASH_REMATCH[1]}" -ge 2 ]; then
        [[ "$output" =~ \[=*\>\ *\]\ \ [0-9]+\ of\ 12\ \ [0-9.]+/s\ \ [0-9]+\ s\ left ]] || say_and_fail "no bar"
    else
        echo "# too quick for a bar" >&3
    fi
    table 24 esp8266temp
    works sf create --from things.csv
    [[ "$stderr" != *"["* && "$stderr" != *$'\r'* && "$stderr" != *$'\033'* ]] || say_and_fail "a bar in a log"
    table 26 esp8266temp
    works sf create --quiet --from things.csv
    same "" "$stderr"
}

@test "two bulk runs at once: the second is refused with exit 3, the first goes on" {
    table 300
    # The lock that a bulk run holds is its folder's.
    exec 9<certificates
    flock 9
    refuses 3 "is locked by another command" sf create --from things.csv
    tells "is another create --from running?"
    exec 9<&-
    works sf create --from things.csv
    says "created 300"
}

@test "two bulk runs of one table at once: together each thing once" {
    table 200
    sf create --from things.csv >"$T/one" 2>&1 &
    local first=$! codes=()
    local other=0
    sf create --from things.csv >"$T/two" 2>&1 || other=$?
    local code=0
    wait "$first" || code=$?
    codes=("$code" "$other")
    [[ "${codes[*]}" =~ ^(0\ 0|0\ 3|3\ 0)$ ]] || say_and_fail "exit codes ${codes[*]}" "$(cat "$T/one" "$T/two")"
    all_are_right 200
}

@test "creates of one thing at once: exactly one wins" {
    sf deploy esp32air 2>/dev/null
    local round number code won
    for round in 1 2 3 4 5 6 7 8; do
        won=0
        for number in 1 2 3 4; do
            { code=0; "$SENSORFORGE" create "r$round" -t esp32air >/dev/null 2>"$T/said$number" || code=$?; echo "$code" >"$T/code$number"; } &
        done
        wait
        for number in 1 2 3 4; do
            code=$(<"$T/code$number")
            case $code in
            0) won=$((won + 1)) ;;
            1) grep -q "exists already" "$T/said$number" ;;
            3) grep -q "is locked by another command" "$T/said$number" || say_and_fail "$(cat "$T/said$number")" ;;
            *) say_and_fail "exit code $code: $(cat "$T/said$number")" ;;
            esac
        done
        same 1 "$won" "winners"
        package_is_whole esp32air "r$round"
    done
    all_are_right 8
}

@test "first creates at once make one authority" {
    local number
    for number in 1 2 3 4 5 6; do
        "$SENSORFORGE" create "t$number" -t esp32air >/dev/null 2>"$T/said$number" &
    done
    wait
    all_are_right 6
}

@test "a thing locked by another command" {
    works sf create a -t esp32air
    exec 9<certificates/a
    flock 9
    refuses 3 "certificates/a is locked by another command" sf rotate a
    refuses 3 "certificates/a is locked by another command" sf delete a
    works sf show a
    works sf list
    exec 9<&-
    works sf rotate a
}

@test "one thing that fails does not stop the others, and is in the report" {
    table 20
    works sf deploy esp32air
    : >certificates/t7 # in the way of its folder
    run --separate-stderr sf create --from things.csv --json
    same 3 "$status"
    json '"\(.created) \(.existed) \(.failed)"' "19 0 1"
    json '.failures[0].name' t7
    json '.failures[0].line' 8
    rm certificates/t7
    works sf create --from things.csv --json
    json '"\(.created) \(.existed) \(.failed)"' "1 19 0"
    all_are_right 20
}

@test "killed at any moment, the same command makes the rest" {
    table 300
    local round pid
    for round in 1 2 3 4 5 6; do
        "$SENSORFORGE" create --from things.csv >/dev/null 2>&1 &
        pid=$!
        sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    # The workers die with their parent, but not in the same moment.
    local code=3 tries=0
    while [ "$code" -eq 3 ] && [ "$((tries += 1))" -le 20 ]; do
        code=0
        sf create --from things.csv >"$T/said" 2>&1 || code=$?
        sleep 0.1
    done
    same 0 "$code" "$(cat "$T/said")"
    all_are_right 300
}

@test "a worker that dies is said, with exit 3; the same command makes the rest" {
    table 40
    run --separate-stderr env SENSORFORGE_FAULT=create:staged "$SENSORFORGE" create --from things.csv
    same 3 "$status"
    tells "a worker process ended before its work was done"
    tells "run the same command again"
    works sf create --from things.csv
    all_are_right 40
}
