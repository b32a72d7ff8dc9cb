#!/usr/bin/env bats
# up, down, status, logs, simulate, query, make demo: the local system as its operator sees it, with a real broker.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

LOCAL=iot_system_infra/local
ca=iot_system_infra/authority/ca.pem

# Each test has a port of its own, and ends what it started.
eval "make_$(declare -f setup)" # make_setup: the one that all tests have
setup() {
    make_setup
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
    sed -i "s/mqtt_port: 8883/mqtt_port: $PORT/" iot_system_infra/system.yaml
}

eval "make_$(declare -f teardown)"
teardown() {
    "$SENSORFORGE" -C "$T/project" down --quiet 2>/dev/null || true
    [ -z "${kept:-}" ] || kill "$kept" 2>/dev/null || true
    make_teardown
}

pid() { cat "$LOCAL/run/$1.pid"; }
# One that has ended and that nobody has asked about yet (a zombie) is not up.
is_up() { [ -d "/proc/$1" ] && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }

# tls OPTION...: one handshake with the broker; what openssl said is in $T/tls.
tls() { openssl s_client -connect "localhost:$PORT" -CAfile $ca "$@" </dev/null >"$T/tls" 2>&1; }
as_hub() { "$@" -cert $LOCAL/hub/cert.pem -key $LOCAL/hub/key.pem; }

# publish TOPIC MESSAGE: as the system's own client, with nothing but openssl: CONNECT, PUBLISH (QoS 0), DISCONNECT.
publish() {
    python3 - "$@" "$PORT" <<'PYTHON'
import socket, ssl, sys
topic, message, port = sys.argv[1].encode(), sys.argv[2].encode(), int(sys.argv[3])
local = "iot_system_infra/local/hub/"
context = ssl.create_default_context(cafile="iot_system_infra/authority/ca.pem")
context.load_cert_chain(local + "cert.pem", local + "key.pem")
with context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost") as link:
    body = b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x05tests"
    link.sendall(bytes([0x10, len(body)]) + body)
    assert link.recv(4) == b"\x20\x02\x00\x00"
    body = len(topic).to_bytes(2, "big") + topic + message
    link.sendall(bytes([0x30, len(body)]) + body + b"\xe0\x00")
PYTHON
}

@test "up, status, down: from nothing to ready and back; again is success" {
    has_help up --foreground
    has_help down
    has_help status
    run --separate-stderr sf status
    same 3 "$status" "status of what never ran"
    works sf down
    tells "the local system is not running"
    works sf up
    tells "no type was plugged in: all 4 are now"
    says "port $PORT"
    local broker hub
    broker=$(pid mosquitto)
    hub=$(pid sensorhub)
    is_up "$broker"
    is_up "$hub"
    same 700 "$(stat -c %a $LOCAL)"
    works sf status --json
    json .running true
    json .broker.pid "$broker"
    json .broker.port "$PORT"
    json .sensorhub.pid "$hub"
    json .sensorhub.readings 0
    works sf up
    same "$broker $hub" "$(pid mosquitto) $(pid sensorhub)" "up again leaves them alone"
    kill -9 "$hub"
    run --separate-stderr sf status
    same 3 "$status" "status with half of it"
    says "sensorhub  is not running"
    works sf up
    same "$broker" "$(pid mosquitto)"
    hub=$(pid sensorhub)
    works mk down
    run ! is_up "$broker"
    run ! is_up "$hub"
    [ ! -e $LOCAL/run/mosquitto.pid ] && [ ! -e $LOCAL/run/sensorhub.pid ]
    works sf down
    run --separate-stderr mk status
    [ "$status" -ne 0 ]
}

@test "up: documents of an earlier version are written anew, once; those of an edited spec are not" {
    local rule=sensortypes/aircon/generated/awscli/rule.json mark=sensortypes/aircon/deployed.json right
    works sf deploy aircon
    right=$(<$rule)
    sed -i 's/"sql": .*/"sql": "SELECT 1 AS one",/' $rule
    works sf up
    tells "aircon: its documents were of an earlier version, and are written anew"
    same "$right" "$(<$rule)"
    works sf up
    never_says "earlier version"
    # A mark that an earlier version made says nothing of the spec.
    sed -i 's/"sql": .*/"sql": "SELECT 1 AS one",/' $rule
    jq 'del(.source)' $mark >"$T/mark"
    cp "$T/mark" $mark
    touch -d '1 hour ago' sensortypes/aircon/spec.yaml iot_system_infra/system.yaml
    works sf up
    tells "earlier version"
    same "$right" "$(<$rule)"
    echo '# edited' >>sensortypes/aircon/spec.yaml
    sed -i 's/"sql": .*/"sql": "SELECT 1 AS one",/' $rule
    works sf up
    tells "aircon: its spec has changed since it was plugged in"
    [ "$right" != "$(<$rule)" ]
}

@test "up: the broker's certificate has every name, and is made anew when it does not fit" {
    works sf up
    local broker=$LOCAL/broker first
    same 600 "$(stat -c %a $broker/key.pem)"
    openssl verify -CAfile $ca -x509_strict -purpose sslserver $broker/cert.pem >/dev/null
    run ! openssl verify -CAfile $ca -purpose sslclient $broker/cert.pem
    openssl x509 -in $broker/cert.pem -noout -text | grep -q 'Public-Key: (2048 bit)'
    local name
    for name in iot.local localhost "$(hostname)"; do
        openssl x509 -in $broker/cert.pem -noout -checkhost "$name" | grep -q 'does match'
    done
    for name in 127.0.0.1 ::1; do
        openssl x509 -in $broker/cert.pem -noout -checkip "$name" | grep -q 'does match'
    done
    same "subject=OU = sensorforge-service, CN = sensorhub" "$(openssl x509 -in $LOCAL/hub/cert.pem -noout -subject)"
    same 600 "$(stat -c %a $LOCAL/hub/key.pem)"
    first=$(sha256sum $broker/cert.pem $LOCAL/hub/cert.pem)
    works sf up
    same "$first" "$(sha256sum $broker/cert.pem $LOCAL/hub/cert.pem)" "what fits stays"
    # A new name: a new certificate, which the running broker shows at once.
    sed -i 's/host: iot.local/host: 192.168.7.9/' iot_system_infra/system.yaml
    works sf up
    openssl x509 -in $broker/cert.pem -noout -checkip 192.168.7.9 | grep -q 'does match'
    openssl x509 -in $broker/cert.pem -noout -checkhost 192.168.7.9 | grep -q 'does match'
    sleep 1
    as_hub tls -tls1_2 -verify_ip 192.168.7.9
    grep -q 'Verify return code: 0 (ok)' "$T/tls"
    # One that ends within thirty days; one that lasts longer stays.
    local days
    for days in 31 29; do
        openssl req -new -key $broker/key.pem -subj /OU=sensorforge-broker/CN=home |
            openssl x509 -req -CA $ca -CAkey iot_system_infra/authority/ca.key -set_serial 99 -days $days -out $broker/cert.pem -extfile <(
                echo "subjectAltName = IP:192.168.7.9, DNS:localhost, IP:127.0.0.1, IP:::1, DNS:$(hostname)"
            ) 2>/dev/null
        works sf up
        same "$([ $days -eq 31 ] && echo 0 || echo 1)" "$(openssl x509 -in $broker/cert.pem -noout -checkend $((3000 * 86400)) >/dev/null && echo 1 || echo 0)"
    done
    # A key that is not the certificate's, as a kill between two renames leaves it.
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $broker/key.pem 2>/dev/null
    works sf up
    openssl x509 -in $broker/cert.pem -noout -pubkey | cmp - <(openssl pkey -in $broker/key.pem -pubout)
}

@test "the broker: TLS 1.2 and later, an ESP8266's ciphers, nobody without a certificate" {
    works sf up
    local cipher
    for cipher in AES128-SHA256 AES128-SHA AES256-SHA256 AES256-SHA ECDHE-RSA-AES128-GCM-SHA256; do
        as_hub tls -tls1_2 -cipher $cipher
        grep -q "Cipher is $cipher" "$T/tls" || say_and_fail "no $cipher"
    done
    as_hub tls -tls1_3
    run as_hub tls -tls1_1 -cipher 'ALL:@SECLEVEL=0'
    run ! grep -q 'Cipher is AES\|Cipher is ECDHE' "$T/tls"
    tls -tls1_2 || true
    grep -q 'alert' "$T/tls" || say_and_fail "let in without a certificate"
    grep -qx 'set_tcp_nodelay true' $LOCAL/mosquitto.conf
    run ! grep -qv 'root' <(grep -i warn $LOCAL/log/mosquitto.log) # of running as root it may warn
}

@test "up: a port that is taken, and by whom" {
    python3 -c 'import socket, sys, time
s = socket.socket(); s.bind(("", int(sys.argv[1]))); s.listen(); print("there", flush=True); time.sleep(60)' "$PORT" >"$T/there" &
    kept=$!
    while ! grep -q there "$T/there"; do sleep 0.05; done
    run --separate-stderr sf up
    same 3 "$status"
    tells "the broker cannot listen on port $PORT"
    tells "(process $kept) listens there"
    [ ! -e $LOCAL/run/sensorhub.pid ] || say_and_fail "sensorhub was left running"
}

@test "up: programs that are missing, or end at once" {
    mkdir -p "$T/bin" "$T/lib"
    cp "$SENSORFORGE" "$T/bin/sensorforge"
    PATH=/usr/bin:/bin run --separate-stderr "$T/bin/sensorforge" up
    same 3 "$status"
    tells 'no program "sensorhub"'
    printf '#!/bin/sh\necho "no luck today" >&2\nexit 3\n' >"$T/bin/sensorhub"
    chmod +x "$T/bin/sensorhub"
    run --separate-stderr "$T/bin/sensorforge" up
    same 3 "$status"
    tells "sensorforge_broker.so"
    cp "$(dirname "$SENSORFORGE")/../lib/sensorforge_broker.so" "$T/lib/"
    run --separate-stderr "$T/bin/sensorforge" up
    same 3 "$status"
    tells "sensorhub ended before it was ready"
    tells "no luck today"
    run --separate-stderr sf status --json
    json .broker.running false
}

@test "up, status, down: a database that cannot be reached keeps the broker from nothing" {
    local free
    free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
    sed -i "s#store: sqlite .*#store: postgresql://nobody@127.0.0.1:$free/none#" iot_system_infra/system.yaml
    works sf up
    tells "warning: sensorhub runs, and cannot store readings yet"
    tells "cannot reach the database"
    tells "local.store of iot_system_infra/system.yaml"
    works sf simulate --things 2 --seconds 2 --speed 1500 --json
    local sent
    sent=$(jq .sent <<<"$output")
    json ".sent == .acknowledged and .sent > 0" true
    sleep 1.5 # it says each second how much waits
    run --separate-stderr sf status
    same 3 "$status" "status in trouble"
    says "trouble    cannot reach the database"
    says "           local.store of iot_system_infra/system.yaml"
    says "up to $sent in the spool"
    never_says "accepted"
    works sf down
    tells "warning: up to $sent readings are in the spool and not stored"
    tells "the local system is down"
    # Another database: down stores them, though nothing runs.
    sed -i "s#store: postgresql.*#store: sqlite#" iot_system_infra/system.yaml
    works sf down
    tells "storing what is in the spool"
    run --separate-stderr sf status
    says "waiting    0 in the spool"
    says "$sent accepted"
    never_says "/s"
    # The same for one that its parent keeps.
    sed -i "s#store: sqlite#store: postgresql://nobody@127.0.0.1:$free/none#" iot_system_infra/system.yaml
    "$SENSORFORGE" up --foreground 2>"$T/said" &
    kept=$!
    for _ in {1..400}; do
        ! grep -q 'cannot store readings yet' "$T/said" || break
        sleep 0.1
    done
    grep -q 'ready on port' "$T/said"
    kill -9 "$(pid sensorhub)"
    sed -i "s#store: postgresql.*#store: sqlite#" iot_system_infra/system.yaml
    kill $kept
    wait $kept
    kept=
}

@test "down: stores what a sensorhub that was killed has left" {
    works sf up
    kill -9 "$(pid sensorhub)"
    works sf simulate --type aircon --things 2 --seconds 2 --rate 50 --json
    local sent
    sent=$(jq .sent <<<"$output")
    run --separate-stderr sf status
    says "waiting    $sent in the spool"
    works sf down
    tells "storing what is in the spool"
    never_says "warning"
    works sf query --type aircon --json
    same "$sent" ${#lines[@]}
    works sf down
    never_says "storing what is in the spool"
    [ ! -e $LOCAL/run/sensorhub.pid ]
}

@test "deploy, create: what cannot run here is told when a type is plugged in" {
    rm templates
    cp -R "$REPO/templates" .
    local rule=templates/awscli/type/rule.json.mustache s3='{"s3": {"roleArn": "r", "bucketName": "b", "key": "k"}},'
    sed -i "s/\"actions\": \[/\"actions\": [$s3/" $rule
    works sf deploy esp32air
    says "esp32air  plugged in"
    tells "warning: sensortypes/esp32air/generated/awscli/rule.json: actions[0]: s3 cannot run here"
    works sf deploy esp32air --json
    tells "s3 cannot run here"
    json '.[0].type' esp32air
    works sf deploy esp32air --quiet
    never_says "s3 cannot run"
    works sf deploy esp8266climate --dry-run
    never_says "s3 cannot run"
    works sf create one --type esp8266climate
    tells "sensortypes/esp8266climate/generated/awscli/rule.json: actions[0]: s3 cannot run here"
    printf 'name,type,zone\ntwo,aircon,1\n' >things.csv
    works sf create --from things.csv
    tells "sensortypes/aircon/generated/awscli/rule.json: actions[0]: s3 cannot run here"
    works sf up
    tells "sensortypes/esp32air/generated/awscli/rule.json: actions[0]: s3 cannot run here"
    # Without sensorhub, as a generator alone is installed, there is nobody to ask.
    mkdir -p "$T/bin"
    cp "$SENSORFORGE" "$T/bin/sensorforge"
    PATH=/usr/bin:/bin works "$T/bin/sensorforge" deploy esp32air
    never_says "s3 cannot run"
}

@test "down: a number in a file is not believed" {
    works sf up
    works sf down
    sleep 60 &
    kept=$!
    echo $kept >$LOCAL/run/mosquitto.pid
    works sf down
    is_up $kept || say_and_fail "down ended a stranger"
    kill $kept
    for text in "" 0 1 -1 x 99999999999999; do
        echo "$text" >$LOCAL/run/sensorhub.pid
        works sf down
    done
}

@test "up --foreground: keeps both running, ends both on SIGTERM" {
    "$SENSORFORGE" up --foreground 2>"$T/said" &
    kept=$!
    for _ in {1..400}; do
        ! grep -q 'ready on port' "$T/said" || break
        sleep 0.1
    done
    works sf status
    run --separate-stderr sf up --foreground
    same 3 "$status"
    tells "running already"
    works sf up
    tells "process $kept keeps the local system running"
    local broker hub
    broker=$(pid mosquitto)
    kill -9 "$broker"
    local again=$broker
    for _ in {1..50}; do
        again=$(pid mosquitto 2>/dev/null || echo "$broker")
        [ "$again" = "$broker" ] || break
        sleep 0.1
    done
    [ "$again" != "$broker" ] || say_and_fail "it was not started again"
    broker=$again
    hub=$(pid sensorhub)
    works sf status
    kill $kept
    wait $kept
    run ! is_up "$broker"
    run ! is_up "$hub"
    grep -q 'the broker ended; it is started again' "$T/said"
    [ -z "$(ls $LOCAL/run/*.pid 2>/dev/null)" ]
    # down ends it too, and its children with it
    "$SENSORFORGE" up --foreground 2>"$T/said" &
    kept=$!
    for _ in {1..400}; do
        ! grep -q 'ready on port' "$T/said" || break
        sleep 0.1
    done
    hub=$(pid sensorhub)
    works sf down
    wait $kept
    run ! is_up "$hub"
}

@test "simulate: the house; every number is the same, from the things to the database" {
    has_help simulate --things --type --seconds --speed --rate
    works sf up
    works sf simulate --seconds 5 --speed 600 --json
    json .things 6
    json .created 6
    json .connected 6
    json .breaks 0
    json .types.esp8266temp.things 4
    json .types.aircon.things 2
    json '.sent > 100 and .sent == .acknowledged' true
    tells "to switch AC-1: mosquitto_pub"
    local sent absurd
    sent=$(jq .sent <<<"$output")
    absurd=$(jq .types.esp8266temp.artefacts <<<"$output")
    works sf down # all is stored when it is through
    works sf query --type esp8266temp --json
    jq -se 'all(.temperature <= 40 and .temperature > 20)' <<<"$output" >/dev/null
    local rooms=${#lines[@]}
    works sf query --type aircon --json
    same "$sent" $((rooms + ${#lines[@]} + absurd))
    works sf query --type esp8266temp --invalid --json
    same "$absurd" "$(grep -c . <<<"$output" || true)"
    jq -se 'map(.id) == (map(.id) | unique)' <<<"$output" >/dev/null
    works sf query --type esp8266temp --invalid # an id tells people nothing
    [ "$absurd" = 0 ] || says payload
    [ "$absurd" = 0 ] || says 'is above 40'
    run ! grep -w id <<<"$output"
    same "1 1 2 2" "$(for number in 1 2 3 4; do sf show sim-esp8266temp-$number --json | jq -r .attributes.zone; done | xargs)"
    works sf up
    works sf status
    [ "$absurd" = 0 ] || says "$absurd esp8266temp: temperature is above 40"
    works sf status --json
    [ "$absurd" = 0 ] || json '.sensorhub.reasons["esp8266temp: temperature is above 40"]' "$absurd"
    works sf simulate --seconds 1 --json
    json .created 0
}

@test "simulate: an air conditioner obeys, and its zone cools" {
    works sf up
    "$SENSORFORGE" simulate --seconds 20 --speed 1500 --json >"$T/sent" 2>/dev/null &
    kept=$!
    for _ in {1..100}; do # a thing subscribes to its commands before it publishes
        ! "$SENSORFORGE" query --type aircon --thing AC-1 --limit 1 --csv 2>/dev/null | grep -q AC-1 || break
        sleep 0.2
    done
    publish aircon/AC-1/command '{"state": {"enabled": true}}'
    sleep 3
    kill -INT $kept
    wait $kept
    kept=
    same 1 "$(jq .commands "$T/sent")"
    works sf down
    works sf query --type aircon --thing AC-1 --limit 1 --json
    json .enabled true
    works sf query --type aircon --thing AC-2 --limit 1 --json
    json .enabled false
    last_of() { sf query --type esp8266temp --thing "$1" --limit 1 --json | jq .temperature; }
    jq -ne "$(last_of sim-esp8266temp-1) + 1 < $(last_of sim-esp8266temp-3)" >/dev/null
}

# Of a type without absurd readings: what is sent again is known by its own time, which the table of invalid ones has not.
@test "simulate: the broker is killed under it; what was sent arrives, once" {
    works sf up
    "$SENSORFORGE" simulate --type aircon --things 3 --seconds 6 --rate 300 --json >"$T/sent" 2>/dev/null &
    kept=$!
    for _ in {1..300}; do # until all things send; on a busy machine it takes them a while to be made
        [ "$(sf status --json | jq .sensorhub.readings)" -lt 100 ] || break
        sleep 0.1
    done
    kill -9 "$(pid mosquitto)"
    works sf up
    wait $kept
    kept=
    jq -e '.sent == .acknowledged and .breaks == 3 and .sent > 300' "$T/sent" >/dev/null
    works sf down
    works sf query --type aircon --json
    same "$(jq .sent "$T/sent")" ${#lines[@]}
}

@test "simulate: a real thing's place is never taken" {
    works sf create AC-1 --type aircon --attribute zone=1
    works sf up
    works sf simulate --seconds 1 --json
    works sf list --type aircon --json
    json 'map(.name) | join(" ")' "AC-1 AC-2 AC-3"
    works sf create sim-esp32air-1 --type esp32air
    run --separate-stderr sf simulate --type esp32air --things 1 --seconds 1
    same 1 "$status"
    tells "sim-esp32air-1 is a real thing"
}

@test "simulate: what it cannot do" {
    refuses 3 "the local system is not running" sf simulate
    tells "sensorforge up"
    refuses 2 '--things takes a whole number' sf simulate --things 1.5
    refuses 2 'takes a number above 0, not "0"' sf simulate --seconds 0
    refuses 2 'takes a number above 0, not "-3"' sf simulate --rate -3
    refuses 2 'takes a number above 0, not "fast"' sf simulate --speed fast
    refuses 2 'takes a number above 0, not "nan"' sf simulate --things nan
    refuses 2 "--rate leaves nothing" sf simulate --rate 3 --speed 3
    works sf up
    run --separate-stderr sf simulate --type nothere
    same 1 "$status"
}

@test "simulate: Ctrl-C is a clean end" {
    works sf up
    # In the background a shell ignores SIGINT for its children; python gives it back.
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.argv[1], sys.argv[1:])' "$SENSORFORGE" simulate --json >"$T/sent" 2>/dev/null &
    kept=$!
    for _ in {1..200}; do # its things have to be made first
        [ -z "$("$SENSORFORGE" query --type esp8266temp --limit 1 --json 2>/dev/null)" ] || break
        sleep 0.2
    done
    kill -INT $kept
    wait $kept
    kept=
    jq -e '.sent > 0 and .sent == .acknowledged' "$T/sent" >/dev/null
}

@test "query, logs: handed on" {
    has_help query --type --last
    has_help logs --follow
    refuses 1 "there are no logs" sf logs
    works sf up
    works sf logs -n 5
    says "sensorhub.log"
    works mk logs lines=1
    works mk simulate things=1 seconds=2 speed=1500
    works mk down
    works mk query type=esp8266temp last=1h
    says "sim-esp8266temp-1"
    run --separate-stderr sf query
    same 2 "$status"
    run --separate-stderr mk query
    tells "type=... is missing"
    run --separate-stderr sf query --type esp8266temp --last soon
    [ "$status" -eq 2 ] || [ "$status" -eq 1 ]
}

@test "query: a table that is cut says so; programs get all" {
    works sf up
    works sf simulate --type esp8266temp --things 4 --rate 600 --seconds 3
    works sf down
    works sf query --type esp8266temp --last 1d --csv
    local all=$((${#lines[@]} - 1))
    [ $all -gt 1000 ] || say_and_fail "$all readings are too few"
    same "" "$stderr"
    works sf query --type esp8266temp --last 1d
    same 1001 "${#lines[@]}"
    tells "these are the newest 1000, and there are more: --limit 10000 shows so many"
    works sf query --type esp8266temp --last 1d --limit 10000
    same $((all + 1)) "${#lines[@]}"
    same "" "$stderr"
    works sf query --type esp8266temp --last 1d --limit 7
    same 8 "${#lines[@]}"
    same "" "$stderr"
    works sf query --type esp8266temp --last 1d --json
    same "$all" "${#lines[@]}"
}

@test "query: what there is not, and a table that can be read" {
    works sf deploy --all
    refuses 1 'there is no type "nosuch"' sf query --type nosuch
    tells "there are: aircon, esp32air"
    refuses 1 'there is no type "../x"' sf query --type ../x
    works sf up
    run --separate-stderr sf query --type esp32air --thing nobody # (what runs writes its status meanwhile)
    same 1 "$status"
    tells 'there is no thing "nobody"'
    works sf create real --type esp32air
    works sf query --type esp32air --thing real
    tells "no readings"
    publish esp32air/real '{"temperature": "warm"}' # by the system itself: it is no reading
    works mk simulate things=2 seconds=2 speed=1500
    works sf down
    run --separate-stderr sf query --type esp8266temp --thing nobody # (SQLite makes files for a reader)
    same 1 "$status"
    tells 'there is no thing "nobody"'
    works mk query type=esp8266temp json=yes limit=1
    json 'has("temperature")' true
    works mk query type=esp8266temp csv=yes limit=1
    says "time,thing"
    run --separate-stderr mk query type=esp8266temp csv=maybe
    [ "$status" -ne 0 ]
    tells 'csv is yes or no, not "maybe"'
    # An invalid one, as it is stored and as it is read.
    sqlite3 $LOCAL/central.sqlite 'DELETE FROM "iot-esp8266temp-invalid"'
    local item
    for item in eyJ0IjogIndhcm0ifQ== /wAB eyJhIjoxfQ "$(printf 'a long one %200s' . | base64 -w 0)"; do
        sqlite3 $LOCAL/central.sqlite "INSERT INTO \"iot-esp8266temp-invalid\" (thing, time, id, expires, item) VALUES
            ('x', $((++at * 1000)) + 1795264779000, $at, 1795264839, '{\"thing\":\"x\",\"payload\":\"$item\",\"expires\":1795264839}')"
    done
    TZ=UTC works sf query --type esp8266temp --invalid --from 2026-11-01
    says 'zone is missing; temperature is missing'
    says 'the message is not a JSON object'
    says '{"t": "warm"}'
    says ' /wAB'
    says ' eyJhIjoxfQ'
    says 'a long one   '
    says '...'
    says '2026-11-21 '
    never_says '1795264839'
    works mk query type=esp8266temp invalid=yes json=yes limit=4 last=1000d
    says eyJ0IjogIndhcm0ifQ==
    says 1795264839
    same '["zone is missing","temperature is missing"]' "$(head -1 <<<"$output" | jq -c .reasons)"
    works mk query type=esp8266temp invalid=yes csv=yes limit=4 last=1000d
    says 'zone is missing; temperature is missing'
}

@test "the broker takes so much of one thing; system.yaml says how much" {
    works sf up
    grep -qx 'plugin_opt_messages_per_second 200' $LOCAL/mosquitto.conf
    grep -qx 'plugin_opt_bytes_per_second 65536' $LOCAL/mosquitto.conf
    works sf simulate --type aircon --things 2 --rate 300 --seconds 1
    never_says warning
    run --separate-stderr sf simulate --type aircon --things 2 --rate 900 --seconds 2
    tells "warning: a thing sends 450 readings/s, and the broker takes 200 of one"
    grep -q 'sim-aircon-. .* is refused: it exceeds messages_per_second' $LOCAL/log/mosquitto.log
    works sf down
    sed -i "s/^  mqtt_port:/  messages_per_second: 0\n  bytes_per_second: 0\n&/" iot_system_infra/system.yaml
    works sf up
    works sf simulate --type aircon --things 2 --rate 900 --seconds 1 --json
    never_says warning
    json .breaks 0
}

@test "make demo: equal numbers and a chart; it runs again, and leaves the system up" {
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    works mk demo seconds=4
    says "readings sent"
    never_says "differs"
    [[ "$output" == *▁* && "$output" == *█* ]] || say_and_fail "no chart"
    works sf status
    LC_ALL=C works mk demo seconds=3
    [[ "$output" != *▁* && "$output" == *@* ]] || say_and_fail "no plain chart"
    works sf list --json
    json length 6
    no_leftovers
}
