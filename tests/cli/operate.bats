#!/usr/bin/env bats
# What make's targets hand to the program: each value byte for byte, or refused. The program is one that shows what it gets.
# shellcheck disable=SC1003,SC2016,SC2154 # quotes that keep backslashes and dollars; what bats' run sets
load ../lib/project

eval "make_$(declare -f setup)"
setup() {
    make_setup
    unset SENSORFORGE_WIFI_SSID SENSORFORGE_WIFI_PASSWORD
    shown=$T/shown
    mkdir -p "$T/bin"
    cat >"$T/bin/sensorforge" <<'SHOW'
#!/bin/bash
printf '<%s>' "$@" >"$SHOWN"
printf ' ssid<%s>' "${SENSORFORGE_WIFI_SSID-unset}" >>"$SHOWN"
printf ' password<%s>' "${SENSORFORGE_WIFI_PASSWORD-unset}" >>"$SHOWN"
env -0 | grep -qz "$LOOK_FOR" && printf ' in the environment' >>"$SHOWN"
exit 0
SHOW
    chmod +x "$T/bin/sensorforge"
    export SHOWN=$shown LOOK_FOR='^none='
}

op() { make --no-print-directory -o "$T/bin/sensorforge" -o hub -o plugin PROGRAM="$T/bin/sensorforge" HUB=hub PLUGIN=plugin "$@"; }

# gets WORDS: what the program got, without the wifi that was not given
gets() { same "$1" "$(sed 's/ ssid<unset> password<unset>//' "$shown")"; }

@test "each target calls its command" {
    works op all dbName=iot TARGET=aws PROFILE=home yes=yes data=yes
    gets '<deploy><--all><--database><iot><--data><--yes><--target><aws><--profile><home>'
    works op sensortype NAME=aircon yes=no
    gets '<deploy><--><aircon>'
    works op new NAME=greenhouse
    gets '<new><--platform><esp8266><--><greenhouse>'
    works op new NAME=greenhouse PLATFORM=esp32
    gets '<new><--platform><esp32><--><greenhouse>'
    works op check
    gets '<check>'
    works op check NAME=--help
    gets '<check><--><--help>'
    works op esp32airCreate name=k zone=2
    gets '<create><--type><esp32air><--attribute><zone=2><--><k>'
    works op esp32airDelete name=k
    gets '<delete><--type><esp32air><--><k>'
    works op esp32air dbName=iot
    gets '<deploy><esp32air><--database><iot>'
    works op package name=k zone=2
    gets '<package><--set><zone=2><--><k>'
    works op package type=aircon zone=2 source=yes
    gets '<package><--type><aircon><--attribute><zone=2><--source>'
    works op rotate all=yes yes=yes
    gets '<rotate><--all><--yes>'
    works op delete zone=2
    gets '<delete><--attribute><zone=2>'
    works op list zone=2
    gets '<list><--attribute><zone=2>'
    works op query type=aircon last=1h json=yes
    gets '<query><--type><aircon><--last><1h><--json>'
}

@test "a value is handed on byte for byte" {
    local value
    for value in '$(shell touch injected)' '${shell touch injected}' 'a $(shell touch injected;b=c)' 'a $(shell=x)' 'a b' ' a' $'\ta' 'a ' '$$' '$(touch injected)' '`touch injected`' '"' "'" "'; touch injected; '" 'a=b c=d' 'name=x' \
        $'a\nb' $'a\n' '\' 'a\ b' '#' '%' '' $'\xff' 'ö' '*' '~' '$(MAKE)' 'a:=b'; do
        works op create name="$value"
        gets "<create><--><$value>"
        works op create name=k zone="$value"
        gets "<create><--attribute><zone=$value><--><k>"
        works op create name=k wifissid="$value" wifipassword="$value"
        same "<create><--><k> ssid<$value> password<$value>" "$(cat "$shown"; echo)"
    done
    [ ! -e injected ]
}

@test "passwords are in the environment, and only there" {
    export LOOK_FOR='^wifipassword='
    works op package name=k wifissid=Barn wifipassword=secret12
    same '<package><--wifi-ssid><Barn><--wifi-password><--><k> ssid<Barn> password<secret12>' "$(cat "$shown")"
    wifissid=Home wifipassword=from-outside works op create name=k
    same '<create><--><k> ssid<Home> password<from-outside>' "$(cat "$shown")"
    name=other works op create name=k
    gets '<create><--><k>'
}

@test "attributes may be called as make's own and the targets' variables" {
    local name
    for name in firmware port file cycles seconds confirm data fast source yes topic payload objects run comma typed words operands given target \
        takes program line shell makefile path home; do
        works op create name=k "$name"=v
        gets "<create><--attribute><$name=v><--><k>"
    done
}

@test "a variable that a target does not take is refused" {
    refuses 2 "make create takes no ZONE=" op create name=k ZONE=3
    tells "it takes: name type wifissid wifipassword TARGET PROFILE and the attributes of the type, in small letters"
    refuses 2 "make show takes no zone=" op show name=k zone=3
    refuses 2 "make types takes no name=" op types name=k
    refuses 2 "make query takes no minutes=" op query type=aircon minutes=3
    refuses 2 "make up takes no name=" op up name=k
    refuses 2 "data is yes or no, not \"maybe\"" op all data=maybe
    refuses 2 "write name=..." op create name+=k
    works op check V=1 CFLAGS=-g
    refuses 2 "make delete takes no ZONE=" op delete ZONE=3
    works op create name:=k
    gets '<create><--><k>'
    refuses 2 "name= is given twice" op create name=a name=b
    works op create name=b name=b
    gets '<create><--><b>'
}

@test "what is missing is said, with an example" {
    refuses 2 "name=... is missing: make create name=kitchen" op create
    refuses 2 "name=... is missing: make delete name=kitchen" op delete yes=yes
    refuses 2 "port=... is missing: make flash port=/dev/ttyUSB0" op flash name=k
    [ ! -e "$shown" ]
}

@test "several goals: a variable belongs to the one that takes it" {
    works op create show name=k zone=2
    works op -j1 create run name=k zone=2 cycles=3
    gets '<run><--cycles><3><--><k>'
}

@test "make's own options, and a make above" {
    works op -k -C . create -j 2 name=k
    gets '<create><--><k>'
    works op --directory=. create name=k
    gets '<create><--><k>'
    printf 'up-above:\n\t@$(MAKE) -f Makefile -o "%s" create\n' "$T/bin/sensorforge" >above.mk
    works op -f above.mk up-above name='a b$$c' 'zone=1 2'
    gets '<create><--attribute><zone=1 2><--><a b$$c>'
}

@test "targets that are none" {
    refuses 2 'there is no target "nonsense"' op nonsense
    refuses 2 'the sensor type is called esp8266temp here' op esp8266TempSensorCreate name=k
    tells "make esp8266tempCreate name=kitchen wifissid=... wifipassword=..."
    tells "docs/coming-from.md"
    refuses 2 'the sensor type is called esp8266temp here' op esp8266tempsensors
    tells "make esp8266temp dbName=iot"
    refuses 2 'there is no sensor type "toaster"' op toasterDelete name=k
    refuses 2 'there is no target' op "x'; touch injected; '"
    [ ! -e injected ]
}

@test "every target that the help lists under an operator's headings has a description" {
    local target
    while read -r target; do
        run --separate-stderr op "$target"
        [[ $stderr != *"there is no target"* ]] || say_and_fail "$target has none"
    done < <(sed -n '/^# --- types/,/^# --- checking/s/^## \([a-z-]*\).*/\1/p' Makefile)
}
