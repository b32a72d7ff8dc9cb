#!/usr/bin/env bats
# create, rotate, delete, list, show: one thing at a time, judged with the openssl command line.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

create() { works sf create "$@"; }
certificate() { openssl x509 -in "certificates/$1/cert.pem" -noout "${@:2}"; }
ca=iot_system_infra/authority/ca.pem

# certificate_is_right TYPE THING: chain, purpose, names, serial, key, dates, DER forms.
certificate_is_right() {
    local type=$1 name=$2 package=sensortypes/$1/sensors/$2 folder=certificates/$2
    openssl verify -CAfile $ca -x509_strict -purpose sslclient "$folder/cert.pem" >/dev/null
    run ! openssl verify -CAfile $ca -purpose sslserver "$folder/cert.pem"
    same "subject=OU = $type, CN = $name" "$(certificate "$name" -subject | sed 's/^subject=CN = \(.*\), OU = \(.*\)$/subject=OU = \2, CN = \1/')"
    local serial
    serial=$(serial_of "$name")
    [[ "$serial" =~ ^[0-9A-F]{32}$ ]] || say_and_fail "not a serial of 128 bits: $serial"
    certificate "$name" -ext keyUsage,extendedKeyUsage,basicConstraints >"$T/extensions"
    grep -q 'TLS Web Client Authentication' "$T/extensions"
    run ! grep -q 'Server Authentication\|CA:TRUE\|Certificate Sign' "$T/extensions"
    certificate "$name" -text | grep -q 'Signature Algorithm: sha256WithRSAEncryption'
    certificate "$name" -checkend $((9 * 365 * 86400)) >/dev/null
    # DER equals PEM, and all keys are the certificate's
    openssl x509 -in "$folder/cert.pem" -outform DER | cmp - "$package/cert.der"
    openssl x509 -in $ca -outform DER | cmp - "$package/ca.der"
    cmp iot_system_infra/authority/ca.der "$package/ca.der"
    certificate "$name" -pubkey | cmp - <(openssl pkey -in "$folder/key.pem" -pubout)
    openssl pkey -inform DER -in "$package/key.der" -pubout | cmp - <(openssl pkey -in "$folder/key.pem" -pubout)
    same 600 "$(stat -c %a "$folder/key.pem")"
    same 600 "$(stat -c %a "$folder/thing.json")"
    same 700 "$(stat -c %a "$folder")"
    package_is_whole "$type" "$name"
}

@test "create: an ESP8266 gets RSA-2048, its key in PKCS#1" {
    has_help create --type --attribute --wifi-ssid --from --dry-run --target
    create kitchen --type esp8266temp --attribute zone=2
    says "kitchen  esp8266temp  RSA-2048 key, certificate until "
    says "package  sensortypes/esp8266temp/sensors/kitchen/"
    certificate_is_right esp8266temp kitchen
    local key=sensortypes/esp8266temp/sensors/kitchen/key.der
    openssl pkey -inform DER -in $key -text -noout | grep -q '2048 bit'
    # SEQUENCE, version 0, then at once the modulus: no algorithm identifier in front, as PKCS#8 has.
    openssl asn1parse -inform DER -in $key >"$T/asn1"
    same 10 "$(wc -l <"$T/asn1")" "a SEQUENCE and nine INTEGERs"
    run ! grep -q 'OBJECT\|OCTET' "$T/asn1"
    openssl rsa -inform DER -in $key -traditional -outform DER 2>/dev/null | cmp - $key
    jq -e '.attributes.zone == "2"' sensortypes/esp8266temp/sensors/kitchen/config.json >/dev/null
}

@test "create: an ESP32 gets EC P-256" {
    create air --type esp32air
    says "EC P-256 key"
    certificate_is_right esp32air air
    openssl pkey -inform DER -in sensortypes/esp32air/sensors/air/key.der -text -noout | grep -q 'NIST CURVE: P-256'
    openssl ec -inform DER -in sensortypes/esp32air/sensors/air/key.der -outform DER 2>/dev/null |
        cmp - sensortypes/esp32air/sensors/air/key.der
}

@test "the authority: RSA-2048, self-signed, may sign and nothing else, 0600 and 0700" {
    create air --type esp32air
    same 700 "$(stat -c %a iot_system_infra/authority)"
    same 600 "$(stat -c %a iot_system_infra/authority/ca.key)"
    openssl verify -CAfile $ca -x509_strict -check_ss_sig $ca >/dev/null
    openssl x509 -in $ca -noout -text >"$T/ca"
    grep -q 'Public-Key: (2048 bit)' "$T/ca"
    grep -q 'rsaEncryption' "$T/ca"
    grep -q 'CA:TRUE' "$T/ca"
    openssl x509 -in $ca -noout -checkend $((19 * 365 * 86400)) >/dev/null
    openssl crl -in iot_system_infra/authority/crl.pem -CAfile $ca -noout 2>&1 | grep -q 'verify OK'
    same "" "$(crl_serials)"
}

@test "create: serials are random, keys are too" {
    local number # bats' run has an i of its own
    for number in 1 2 3 4 5 6 7 8; do
        create "air$number" --type esp32air
        serial_of "air$number" >>"$T/serials"
        sha256sum <"sensortypes/esp32air/sensors/air$number/key.der" >>"$T/keys"
    done
    same 8 "$(sort -u "$T/serials" | wc -l)"
    same 8 "$(sort -u "$T/keys" | wc -l)"
}

@test "create: things called ca, -, --json, with colons, with 64 letters" {
    local name
    for name in ca authority README - --json a:b _ "$(printf 'n%.0s' {1..64})"; do
        works sf create -t esp32air -- "$name"
        package_is_whole esp32air "$name"
        openssl verify -CAfile $ca "certificates/$name/cert.pem" >/dev/null
    done
    works sf list --json
    json length 8
    works sf delete -- --json - ca
    works sf list --json
    json length 5
}

@test "create: names that cannot be" {
    local name
    for name in "" a/b ../x . .. "a b" ä "a.b" "$(printf 'n%.0s' {1..65})" $'a\nb'; do
        refuses 1 "cannot be the name of a thing" sf create -t esp32air -- "$name"
    done
    tells "1 to 64 of letters"
}

@test "create: exists already" {
    create air -t esp32air
    refuses 1 "air exists already (esp32air, created " sf create air -t esp32air
    tells "sensorforge rotate air"
    refuses 1 "air exists already" sf create air -t esp8266temp
}

@test "create: the type may be left out when only one is plugged in" {
    refuses 2 "which type is air? None is plugged in yet" sf create air
    tells "esp8266climate"
    works sf deploy esp32air
    create air
    says "air  esp32air"
    works sf deploy aircon
    refuses 2 "which type is air2? Several are plugged in" sf create air2
    tells "(aircon, esp32air)"
    refuses 1 'there is no sensor type "esp32ari"' sf create air2 -t esp32ari
    tells 'did you mean "esp32air"?'
}

@test "create: attributes: defaults, unknown, against the pattern, twice, without =" {
    create air -t esp32air -a zone=7 -a altitude=-12
    works sf show air --json
    json .attributes.zone 7
    json .attributes.altitude -12
    create air2 -t esp32air
    works sf show air2 --json
    json .attributes.zone 1
    refuses 1 'esp32air has no attribute "zon"' sf create x -t esp32air -a zon=1
    tells 'did you mean "zone"?'
    refuses 1 '"UP" does not match the pattern of zone' sf create x -t esp32air -a zone=UP
    refuses 1 '"" cannot be the value of zone' sf create x -t esp32air -a zone=
    refuses 1 'cannot be the value of zone' sf create x -t esp32air -a 'zone=a b'
    refuses 2 '--attribute takes NAME=VALUE' sf create x -t esp32air -a zone
    refuses 2 '--attribute takes NAME=VALUE' sf create x -t esp32air -a =1
    sed -i 's/{default: "1", pattern/{pattern/' sensortypes/esp32air/spec.yaml
    refuses 1 'the attribute "zone" is missing' sf create x -t esp32air
}

@test "create: usage" {
    refuses 2 "create needs the NAME of a thing, or --from FILE" sf create
    refuses 2 "one word too many" sf create a b
    refuses 2 '--from FILE names the things itself' sf create a --from things.csv
    refuses 2 '--target: "mars" is not a target' sf create a -t esp32air --target mars
    AWS_EC2_METADATA_DISABLED=true refuses 1 'no credentials for AWS' env -u AWS_ACCESS_KEY_ID -u AWS_PROFILE "$SENSORFORGE" create a -t esp32air --target aws
}

@test "create --dry-run: says, makes nothing" {
    create air -t esp32air
    local before
    before=$(tree_sum)
    works sf create other -t esp32air --dry-run
    tells "other would be created, as esp32air"
    works sf create other -t esp32air --dry-run --json
    json .name other
    json .outcome planned
    same "$before" "$(tree_sum)"
    refuses 1 "exists already" sf create air -t esp32air -n
    refuses 1 "no attribute" sf create other -t esp32air -n -a nope=1
}

@test "create --dry-run on a fresh project: nothing at all is made" {
    local before
    before=$(tree_sum)
    works sf create other -t esp32air --dry-run
    same "$before" "$(tree_sum)" "not even an authority"
}

@test "create --json: the record without the password, and the package" {
    create air -t esp32air --json
    json .name air
    json .state active
    json .wifi.ssid Home
    json '.wifi | has("password")' false
    json .package.folder sensortypes/esp32air/sensors/air
    json .package.files "$(find sensortypes/esp32air/sensors/air -type f | wc -l)"
    json .package.bytes "$(($(find sensortypes/esp32air/sensors/air -type f -printf '%s\n' | paste -sd+)))"
    json .certificate.fingerprint "$(certificate air -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f)"
    json .serial "$(serial_of air)"
}

@test "create: the type's own code and drivers are in the package, its documentation is not" {
    create AC-1 -t aircon
    [ -s sensortypes/aircon/sensors/AC-1/sensor.mpy ]
    [ ! -e sensortypes/aircon/sensors/AC-1/sensor.py ]
    works sf package AC-1 --source
    [ ! -e sensortypes/aircon/sensors/AC-1/sensor.mpy ]
    cmp sensortypes/aircon/code/sensor.py sensortypes/aircon/sensors/AC-1/sensor.py
    cmp sensortypes/aircon/code/actuator.py sensortypes/aircon/sensors/AC-1/actuator.py
    [ ! -e sensortypes/aircon/sensors/AC-1/README.md ]
    jq -e '.command_topic == "aircon/AC-1/command"' sensortypes/aircon/sensors/AC-1/config.json >/dev/null
    create air -t esp32air
    works sf package air --source
    [ -e sensortypes/esp32air/sensors/air/driver_bme280.py ]
    [ ! -e sensortypes/esp32air/sensors/air/driver_ds18x20.py ]
    local file
    for file in sensortypes/*/sensors/*/*.py; do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file"
    done
}

@test "create: a package has the modules that its type uses, and names those that the board lacks" {
    mkdir sensortypes/hall
    cat >sensortypes/hall/spec.yaml <<'YAML'
version: 1
type: hall
platform: rp2
sleep: light
portal: true
display: {driver: ssd1306, scl: 5, sda: 4}
measures:
  temperature: {driver: {name: sht3x, scl: 5, sda: 4}}
YAML
    create upper -t hall
    local folder=sensortypes/hall/sensors/upper
    jq -e '.needs == ["umqtt.simple", "ssd1306"]' "$folder/manifest.json" >/dev/null
    python3 "$LIB/package.py" "$folder"
    works sf package upper --source
    [ -e "$folder/portal.py" ] && [ -e "$folder/display.py" ] && [ -e "$folder/driver_ssd1306.py" ]
    python3 "$LIB/package.py" "$folder"
    create kitchen -t esp8266temp
    works sf package kitchen --source
    jq -e '.needs == []' sensortypes/esp8266temp/sensors/kitchen/manifest.json >/dev/null
    [ ! -e sensortypes/esp8266temp/sensors/kitchen/portal.py ]
    # What is for people who read the templates is not for boards.
    run ! grep -l '{{' sensortypes/*/sensors/*/*.py
    local path
    for path in sensortypes/*/sensors/*/*.py; do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$path"
    done
}

@test "create: the endpoint of system.yaml is in the package" {
    sed -i 's/host: iot.local/host: 192.168.7.9/; s/mqtt_port: 8883/mqtt_port: 8884/' iot_system_infra/system.yaml
    create air -t esp32air
    jq -e '.host == "192.168.7.9" and .port == 8884' sensortypes/esp32air/sensors/air/config.json >/dev/null
}

@test "list: for people, for programs, by type" {
    has_help list --type
    works sf list
    same "" "$output"
    tells "no things yet"
    works sf list --json
    json length 0
    create kitchen -t esp32air
    create AC-1 -t aircon
    works sf list
    says "NAME"
    [[ "$output" =~ AC-1\ +aircon\ +local\ +([a-z]+=[^ ]*\ )+\ *until\ 20[0-9]{2}-[0-9]{2}\ +20[0-9-]{8}\ +active ]] || say_and_fail "no such line"
    works sf list --type aircon --json
    json length 1
    json '.[0].name' AC-1
    json '.[0].state' active
    works sf list --type esp8266temp
    tells "there is no thing of type esp8266temp"
    never_says "$PASSWORD"
    works mk list
    works mk list type=aircon
    says AC-1
}

@test "a record that is broken is named, hides no other thing, and can be deleted" {
    create kitchen -t esp32air
    create attic -t esp32air
    cp certificates/kitchen/cert.pem was.pem
    echo '{' >certificates/kitchen/thing.json
    works sf list
    says "damaged: sensorforge delete kitchen removes it"
    says attic
    works sf list --json
    json '.[1].state' damaged
    json '.[1].fault | startswith("certificates/kitchen/thing.json:")' true
    refuses 1 "certificates/kitchen/thing.json" sf show kitchen
    echo '{}' >certificates/kitchen/thing.json
    refuses 1 "certificates/kitchen/thing.json is not a record" sf show kitchen
    works sf delete kitchen
    says "deleted, its certificate revoked"
    [ ! -e certificates/kitchen ] && [ ! -e sensortypes/esp32air/sensors/kitchen ]
    serial=$(openssl x509 -in was.pem -noout -serial | cut -d= -f2)
    openssl crl -in iot_system_infra/authority/crl.pem -noout -text | grep -q "$serial"
}

@test "package: rebuilt with what is new, key and certificate kept" {
    create kitchen -t esp32air
    before=$(sha256sum certificates/kitchen/key.pem certificates/kitchen/cert.pem)
    works mk package name=kitchen wifissid=Barn wifipassword='another one' zone=7
    package=sensortypes/esp32air/sensors/kitchen
    [ "$(jq -r .wifi.ssid $package/config.json)" = Barn ]
    [ "$(jq -r .wifi.password $package/config.json)" = "another one" ]
    [ "$(jq -r .attributes.zone $package/config.json)" = 7 ]
    [ "$before" = "$(sha256sum certificates/kitchen/key.pem certificates/kitchen/cert.pem)" ]
    # A wifi in the environment is for new things; an old one keeps its own.
    SENSORFORGE_WIFI_SSID=Other SENSORFORGE_WIFI_PASSWORD=otherpass works sf package kitchen
    [ "$(jq -r .wifi.ssid $package/config.json)" = Barn ]
    refuses 1 "has no attribute" sf package kitchen --set nope=1
    refuses 1 "there is no thing" sf package nope
}

@test "package: attributes follow the type" {
    create kitchen -t esp32air
    sed -i 's/^  altitude:.*/  floor: {default: "0"}/' sensortypes/esp32air/spec.yaml
    works sf package kitchen
    works sf show kitchen --json
    json '.attributes | keys | join(",")' "floor,zone"
}

@test "a lost authority is not replaced in silence" {
    create kitchen -t esp32air
    mv iot_system_infra/authority kept
    refuses 3 "is gone" sf create attic --type esp32air
    tells "restore it from a backup"
    refuses 3 "is gone" sf delete kitchen
    mv kept iot_system_infra/authority
    works sf delete kitchen
}

@test "delete --type: a thing of another type stays" {
    create kitchen -t esp32air
    refuses 1 "kitchen is not of type aircon but of type esp32air" sf delete kitchen --type aircon
    works sf show kitchen
    works mk esp32airDelete name=kitchen
}

@test "show: all but secrets" {
    has_help show
    create kitchen -t esp32air -a zone=3
    works sf show kitchen
    says "kitchen"
    says "$(serial_of kitchen)"
    says "sensortypes/esp32air/sensors/kitchen"
    never_says "$PASSWORD"
    works sf show kitchen --json
    json .attributes.zone 3
    json '.wifi | has("password")' false
    works mk show name=kitchen
    refuses 1 'there is no thing "kitchne"' sf show kitchne
    tells 'did you mean "kitchen"?'
    refuses 1 'there is no thing "../kitchen"' sf show ../kitchen
    refuses 1 'there is no thing "README.md"' sf show README.md
    refuses 2 "show needs NAME" sf show
    refuses 2 "name=... is missing" mk show
}

@test "rotate: another key, serial and package; the old certificate is revoked, the new one is not" {
    has_help rotate --dry-run --target
    create kitchen -t esp8266temp -a zone=4
    local old key config
    old=$(serial_of kitchen)
    key=$(sha256sum <certificates/kitchen/key.pem)
    config=$(jq 'del(.made, .until)' sensortypes/esp8266temp/sensors/kitchen/config.json)
    cp certificates/kitchen/cert.pem "$T/old.pem"
    works sf rotate kitchen
    says "kitchen  esp8266temp  RSA-2048 key"
    [ "$old" != "$(serial_of kitchen)" ] || say_and_fail "the same serial"
    [ "$key" != "$(sha256sum <certificates/kitchen/key.pem)" ] || say_and_fail "the same key"
    same "$config" "$(jq 'del(.made, .until)' sensortypes/esp8266temp/sensors/kitchen/config.json)"
    certificate_is_right esp8266temp kitchen
    same "$old" "$(crl_serials)"
    cat $ca iot_system_infra/authority/crl.pem >"$T/ca-and-crl.pem"
    openssl verify -crl_check -CAfile "$T/ca-and-crl.pem" certificates/kitchen/cert.pem >/dev/null
    run openssl verify -crl_check -CAfile "$T/ca-and-crl.pem" "$T/old.pem"
    [[ "$status" -ne 0 && "$output$stderr" == *"certificate revoked"* ]] || say_and_fail "the old one is not revoked"
    same "cert.pem key.pem thing.json" "$(find certificates/kitchen -mindepth 1 -printf '%f\n' | sort | xargs)"
    no_leftovers
    works sf show kitchen --json
    json .state active
    json .serial "$(serial_of kitchen)"
    json '[has("retired"), has("next_serial")] | any' false
}

@test "rotate: several, --json, --dry-run, the type as it is now" {
    create a -t esp32air
    create b -t esp32air
    local before
    before=$(tree_sum)
    works sf rotate a b --dry-run
    works sf rotate a --dry-run --json
    json .what "would get a new key and certificate"
    same "$before" "$(tree_sum)"
    sed -i 's/^attributes:/attributes:\n  floor: {default: "3"}/' sensortypes/esp32air/spec.yaml
    works sf rotate a b
    jq -e '.attributes.floor == "3"' sensortypes/esp32air/sensors/b/config.json >/dev/null
    same 2 "$(crl_serials | wc -l)"
    works sf rotate a --json
    json .name a
    works mk rotate name=b
    same 4 "$(crl_serials | wc -l)"
}

@test "rotate: what is not there, what has a broken spec" {
    refuses 2 "rotate needs NAME..." sf rotate
    create kitchen -t esp32air
    refuses 1 'there is no thing "kitchn"' sf rotate kitchn
    tells 'did you mean "kitchen"?'
    refuses 1 'there is no thing "nope"' sf rotate kitchen nope
    echo "nonsense: 1" >>sensortypes/esp32air/spec.yaml
    refuses 1 "sensortypes/esp32air/spec.yaml:" sf rotate kitchen
    refuses 2 "name=... is missing" mk rotate
}

@test "delete: nothing is left, the certificate is revoked" {
    has_help delete --dry-run --target
    create kitchen -t esp32air
    create attic -t esp32air
    local serial
    serial=$(serial_of kitchen)
    cp certificates/kitchen/cert.pem "$T/old.pem"
    works sf delete kitchen
    says "kitchen  deleted"
    same "" "$(find . -name '*kitchen*')"
    same "$serial" "$(crl_serials)"
    cat $ca iot_system_infra/authority/crl.pem >"$T/ca-and-crl.pem"
    run openssl verify -crl_check -CAfile "$T/ca-and-crl.pem" "$T/old.pem"
    [[ "$output$stderr" == *"certificate revoked"* ]] || say_and_fail "not revoked"
    openssl verify -crl_check -CAfile "$T/ca-and-crl.pem" certificates/attic/cert.pem >/dev/null
    package_is_whole esp32air attic
    works sf list --json
    json length 1
    refuses 1 'there is no thing "kitchen"' sf delete kitchen
    no_leftovers
    works sf create kitchen -t esp32air
    [ "$serial" != "$(serial_of kitchen)" ]
}

@test "delete: several, all or none named wrongly, --json, --dry-run" {
    create a -t esp32air
    create b -t esp32air
    create c -t aircon
    refuses 1 'there is no thing "x"' sf delete a b x
    local before
    before=$(tree_sum)
    works sf delete a b --dry-run
    same "$before" "$(tree_sum)"
    works sf delete a b --json
    json 'join(" ")' "a b"
    same 2 "$(crl_serials | wc -l)"
    works mk delete name=c
    same "" "$(find certificates sensortypes/*/sensors -mindepth 1 -not -name README.md -not -name revoked.pem)"
    refuses 2 "delete needs NAME..." sf delete
    refuses 2 "name=... is missing" mk delete
    refuses 1 'there is no thing "../iot_system_infra"' sf delete ../iot_system_infra
    refuses 1 'there is no thing "README.md"' sf delete README.md
    refuses 1 'there is no thing "."' sf delete .
    refuses 1 'there is no thing ".."' sf delete ..
}

@test "delete: the same thing named twice" {
    create a -t esp32air
    works sf delete a a
    same 1 "$(crl_serials | wc -l)"
    same "" "$(find . -name a)"
}

@test "delete: a thing whose type is gone" {
    create a -t esp32air
    rm -r sensortypes/esp32air/spec.yaml
    works sf delete a
    same "" "$(find . -name a)"
}

@test "an authority without its key or list: said, with what to do, nothing changed" {
    create a -t esp32air
    mv iot_system_infra/authority/ca.key "$T/"
    refuses 1 "iot_system_infra/authority/ca.key" sf create b -t esp32air
    tells "restore iot_system_infra/authority from a backup"
    refuses 1 "iot_system_infra/authority/ca.key" sf rotate a
    refuses 1 "iot_system_infra/authority/ca.key" sf delete a
    openssl genrsa -out iot_system_infra/authority/ca.key 2048 2>/dev/null
    run --separate-stderr sf create b -t esp32air
    [ "$status" -ne 0 ] || say_and_fail "a key that is not the certificate's was taken"
    [ ! -e certificates/b ]
}

@test "make create, with attributes; make <type>Create and <type>Delete" {
    works mk create name=kitchen type=esp32air zone=5 altitude=300
    works sf show kitchen --json
    json .attributes.zone 5
    json .attributes.altitude 300
    works mk esp32airCreate name=attic zone=2
    works sf show attic --json
    json .type esp32air
    works mk esp32airDelete name=attic
    [ ! -e certificates/attic ]
    refuses 2 "name=... is missing: make create name=kitchen" mk create
    refuses 2 "name=... is missing" mk esp32airCreate
    refuses 2 '"" cannot be the name of a thing' mk create name=
    refuses 2 'esp32air has no attribute "zon"' mk create name=x type=esp32air zon=1
}

@test "make: values reach the program byte for byte, and run nothing" {
    local value
    for value in '$(touch injected)' '`touch injected`' "'; touch injected; '" '"; touch injected; "' '${shell touch injected}' '$(shell touch injected)' 'a b' 'x\' '--json x' '$x' 'a#b' '%'; do
        refuses 2 "cannot be the name of a thing" mk create type=esp32air name="$value"
        tells "\"$value\" cannot be"
        refuses 2 "\"$value \" cannot be the value of zone" mk create type=esp32air name=x zone="$value "
    done
    [ ! -e injected ]
}
