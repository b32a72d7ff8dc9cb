#!/usr/bin/env bats
# generate and deploy: template sets into files.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

# facts DIR: inode and time of last change of every file.
facts() { find "$1" -type f -printf '%P %i %T@ %C@\n' | LC_ALL=C sort; }
sums() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }

# A store where no Timestream is.
use_dynamodb() { sed -i 's/^\( *store:\) timestream.*/\1 dynamodb/' iot_system_infra/system.yaml; }

# Own copy of the templates, to change them.
own_templates() { rm templates && cp -R "$REPO/templates" templates; }

@test "generate: every type and the system, JSON that parses" {
    has_help generate --all --set --out --diff --target --database
    works sf generate --all
    same "" "$output"
    tells "5 subjects: "
    local file count=0
    for file in $(find sensortypes/*/generated iot_system_infra/generated -name '*.json'); do
        jq -e . "$file" >/dev/null || say_and_fail "$file is not JSON"
        count=$((count + 1))
    done
    [ "$count" -gt 50 ] || say_and_fail "only $count files"
    no_leftovers
}

@test "generate: the same bytes in another locale, time zone, folder and umask" {
    works sf generate --all --out "$T/one"
    make_project "$T/other"
    cd "$T/other/sensortypes"
    run env -i HOME=/nowhere LC_ALL=C TZ=Asia/Kathmandu bash -c 'umask 077; "$0" generate --all --out "$1"' "$SENSORFORGE" "$T/two"
    same 0 "$status"
    diff -r "$T/one" "$T/two"
    locale -a | grep -qi '^de_DE\.utf' && env LC_ALL=de_DE.UTF-8 "$SENSORFORGE" generate --all --out "$T/three" && diff -r "$T/one" "$T/three"
    [ "$(find "$T/one" -type f | wc -l)" -gt 50 ]
}

@test "generate: writes only what changed" {
    works sf generate aircon
    local before changed
    before=$(facts sensortypes/aircon/generated)
    sleep 0.05
    works sf generate aircon --json
    json .written 0
    json .removed 0
    same "$before" "$(facts sensortypes/aircon/generated)"
    echo "{}" >sensortypes/aircon/generated/awscli/rule.json
    works sf generate aircon --json
    json .written 1
    changed=$(diff <(echo "$before") <(facts sensortypes/aircon/generated) | grep -c '^>')
    same 1 "$changed" "files touched"
}

@test "generate: what a removed or renamed template left is removed, and nothing else" {
    own_templates
    works sf generate --all
    echo mine >sensortypes/aircon/generated/awscli/notes.txt
    echo mine >sensortypes/aircon/generated/notes.txt
    mv templates/awscli/type/table.json.mustache templates/awscli/type/store.json.mustache
    works sf generate aircon --json
    json .removed 1
    json .written 1
    [ ! -e sensortypes/aircon/generated/awscli/table.json ] || say_and_fail "left behind"
    [ -e sensortypes/aircon/generated/awscli/store.json ]
    [ -e sensortypes/aircon/generated/awscli/notes.txt ]
    [ -e sensortypes/aircon/generated/notes.txt ]
    [ -e sensortypes/esp32air/generated/awscli/table.json ] || say_and_fail "another type's"
    rm -r templates/terraform
    works sf generate aircon
    [ ! -e sensortypes/aircon/generated/terraform ] || say_and_fail "an empty folder is left"
}

@test "generate: --set makes one set, and leaves the others alone" {
    works sf generate aircon --set awscli
    same awscli "$(ls sensortypes/aircon/generated)"
    works sf generate aircon
    local before
    before=$(facts sensortypes/aircon/generated)
    works sf generate aircon --set cloudformation --json
    json .written 0
    json .removed 0
    same "$before" "$(facts sensortypes/aircon/generated)"
    own_templates
    rm templates/awscli/type/rule.json.mustache
    works sf generate aircon --set cloudformation --json
    json .removed 0
    works sf generate aircon --set awscli --json
    json .removed 1
    refuses 2 'there is no template set "terrafrom"' sf generate aircon --set terrafrom
    tells 'did you mean "terraform"?'
}

@test "generate: an index that was tampered with removes nothing outside" {
    works sf generate aircon
    echo precious >"$T/project/precious"
    printf '../../../precious\n/etc/hostname\nawscli/../../../../precious\n' >>sensortypes/aircon/generated/.index
    works sf generate aircon
    [ -e "$T/project/precious" ] && [ -e /etc/hostname ]
}

@test "generate --diff: shows, changes nothing, agrees with what generate does" {
    refuses_nothing() {
        local before
        before=$(tree_sum)
        works sf generate aircon --diff "$@"
        same "$before" "$(tree_sum)" "a diff must change nothing"
    }
    refuses_nothing
    says "+++ b/sensortypes/aircon/generated/awscli/rule.json"
    works sf generate aircon
    refuses_nothing
    same "" "$output"
    sed -i 's/magnetic: 365d/magnetic: 300d/' sensortypes/aircon/spec.yaml
    echo old >sensortypes/aircon/generated/awscli/old.json
    echo awscli/old.json >>sensortypes/aircon/generated/.index
    refuses_nothing
    says '-    "MagneticStoreRetentionPeriodInDays": 365'
    says '+    "MagneticStoreRetentionPeriodInDays": 300'
    says "-old"
    refuses_nothing --json
    json .dry_run true
    local written
    written=$(jq .written <<<"$output")
    json .removed 1
    works sf generate aircon --json
    json .written "$written"
    json .removed 1
    sf generate aircon --diff | { ! grep .; }
}

@test "generate --diff: its output is a patch that patch(1) takes" {
    command -v patch >/dev/null || skip "patch is not installed"
    works sf generate aircon
    sed -i 's/magnetic: 365d/magnetic: 300d/' sensortypes/aircon/spec.yaml
    sf generate aircon --diff 2>/dev/null >"$T/change.patch"
    sf generate aircon --out "$T/wanted"
    patch -p1 --quiet <"$T/change.patch"
    diff -r -x .index "$T/wanted" sensortypes/aircon/generated
}

@test "generate --out: one subject straight, several in folders of their own" {
    works sf generate aircon --out "$T/one"
    [ -e "$T/one/awscli/rule.json" ]
    works sf generate aircon esp32air --out "$T/two"
    [ -e "$T/two/aircon/awscli/rule.json" ] && [ -e "$T/two/esp32air/awscli/rule.json" ]
    [ ! -e sensortypes/aircon/generated ] || say_and_fail "the type's own folder was written"
    works sf generate aircon -o relative/path
    [ -e relative/path/awscli/rule.json ]
}

@test "generate: DynamoDB in the place of Timestream" {
    use_dynamodb
    works sf generate --all
    jq -e '.AttributeDefinitions' sensortypes/aircon/generated/awscli/table.json >/dev/null
    [ -e sensortypes/aircon/generated/awscli/table-ttl.json ]
    run ! grep -rqi 'AWS::Timestream\|aws_timestreamwrite_table' sensortypes/*/generated
    sed -i 's/^\( *store:\) dynamodb/\1 timestream/' iot_system_infra/system.yaml
    works sf generate --all
    [ ! -e sensortypes/aircon/generated/awscli/table-ttl.json ] || say_and_fail "left of the other store"
    grep -q AWS::Timestream sensortypes/aircon/generated/cloudformation/stack.json
}

@test "generate: --database goes into every document" {
    works sf generate aircon --database other --set awscli --out "$T/out"
    jq -e '.DatabaseName == "other"' "$T/out/awscli/table.json" >/dev/null
    run ! grep -rq '"iot"' "$T/out/awscli/table.json"
    refuses 2 "--database: " sf generate aircon --database "no good"
    refuses 2 "--database: " sf generate aircon --database ""
}

@test "generate: a bad spec leaves the good output as it was" {
    works sf generate --all
    echo "nonsense: 1" >>sensortypes/aircon/spec.yaml
    refuses 1 "sensortypes/aircon/spec.yaml:" sf generate aircon
    refuses 1 "sensortypes/aircon/spec.yaml:" sf deploy aircon
}

@test "generate: a template that makes broken JSON, and one that names what is not there" {
    own_templates
    echo '{"a": {{type.name}}}' >templates/awscli/type/bad.json.mustache
    refuses 1 "templates/awscli/type/bad.json.mustache" sf generate aircon
    echo '{"a": "{{type.nmae}}"}' >templates/awscli/type/bad.json.mustache
    refuses 1 "templates/awscli/type/bad.json.mustache:1:" sf generate aircon
    tells "nmae"
    printf '{\n"a": "{{#type}}"}\n' >templates/awscli/type/bad.json.mustache
    refuses 1 "templates/awscli/type/bad.json.mustache:2:" sf generate aircon
}

@test "generate: usage" {
    refuses 2 "generate needs a TYPE, system, or --all" sf generate
    refuses 2 "--all leaves nothing to name" sf generate --all aircon
    refuses 1 'there is no sensor type "nope"' sf generate nope
    refuses 1 'there is no sensor type "nope"' sf generate aircon nope
}

@test "generate: an output folder that cannot be written, a file in its place" {
    : >sensortypes/aircon/generated
    refuses 3 "sensortypes/aircon/generated" sf generate aircon
    rm sensortypes/aircon/generated
    [ "$(id -u)" -ne 0 ] || skip "root may write everywhere (the full disk is a test of its own)"
    chmod a-w sensortypes/aircon
    refuses 3 "sensortypes/aircon/generated" sf generate aircon
}

@test "deploy: plugs in; --all; again changes nothing" {
    has_help deploy --all --target --database
    works sf deploy aircon
    says "aircon  plugged in: 17 files"
    [ -e sensortypes/aircon/deployed.json ]
    works sf deploy --all --json
    json length 4
    json '.[0].type' aircon
    json '.[0].written' 0
    works sf deploy --all
    says "0 of them new or changed"
    works sf deploy --all --database other
    jq -e '.database == "other"' sensortypes/aircon/deployed.json >/dev/null
    refuses 2 "deploy needs a TYPE, or --all" sf deploy
    refuses 2 "--all leaves nothing to name" sf deploy --all aircon
    no_leftovers
}

@test "deploy: errors plug nothing in" {
    refuses 1 'there is no sensor type "nope"' sf deploy nope
    refuses 1 'there is no sensor type "nope"' sf deploy aircon nope
    refuses 2 '--target: "mars" is not a target' sf deploy aircon --target mars
    unset AWS_ACCESS_KEY_ID AWS_PROFILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_WEB_IDENTITY_TOKEN_FILE
    export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=$T/none AWS_SHARED_CREDENTIALS_FILE=$T/none
    refuses 1 'no credentials for AWS' sf deploy aircon --target aws
    [ ! -e sensortypes/aircon/deployed.json ]
}

@test "deploy --dry-run: says what deploy would do, and does nothing" {
    has_help deploy --dry-run --yes --data --profile
    before=$(tree_sum)
    works sf deploy aircon --dry-run
    says "aircon  would be plugged in: 17 files"
    same "$before" "$(tree_sum)" "a dry run must change nothing"
}

@test "diff: on this machine, what generating would change" {
    has_help diff --target --database --profile
    works sf generate --all
    before=$(tree_sum)
    works sf diff
    works sf diff aircon system --json
    json .written 0
    json .unchanged 21
    sed -i 's/magnetic: 365d/magnetic: 300d/' sensortypes/aircon/spec.yaml
    works sf diff aircon
    says '+++ b/sensortypes/aircon/generated/'
    works sf diff esp32air
    same "" "$output"
    sed -i 's/magnetic: 300d/magnetic: 365d/' sensortypes/aircon/spec.yaml
    same "$before" "$(tree_sum)" "a diff must change nothing"
    refuses 1 'there is no sensor type "nope"' sf diff nope
}

@test "destroy: on this machine, a type is unplugged when no thing is of it" {
    has_help destroy --data --confirm --dry-run --target --profile
    works sf deploy aircon esp32air
    works sf destroy aircon --dry-run
    [ -e sensortypes/aircon/deployed.json ]
    works sf destroy aircon
    says "aircon  unplugged"
    [ ! -e sensortypes/aircon/deployed.json ]
    [ -e sensortypes/esp32air/deployed.json ]
    works sf destroy aircon --json
    json .outcome nothing
    works mk destroy NAME=esp32air
    [ ! -e sensortypes/esp32air/deployed.json ]
    refuses 2 "destroy needs TYPE|system, or --all" sf destroy
    refuses 2 "leaves nothing to name" sf destroy --all aircon
    refuses 1 'there is no sensor type "nope"' sf destroy nope
    refuses 2 "NAME=... is missing" mk destroy
    works sf create kitchen -t esp8266temp
    refuses 1 "there are things of esp8266temp: kitchen" sf destroy esp8266temp
    refuses 2 "there are things of esp8266temp: kitchen" mk destroy-all
    [ -e sensortypes/esp8266temp/deployed.json ]
    works sf delete kitchen
    works sf destroy --all --json
    json '[.[] | select(.outcome == "destroyed") | .subject] | join(" ")' esp8266temp
    [ ! -e sensortypes/esp8266temp/deployed.json ]
}

@test "make all dbName=, make sensortype NAME=, make <type> dbName=, make diff" {
    works mk diff
    works mk all dbName=greenhouses
    jq -e '.DatabaseName == "greenhouses"' sensortypes/aircon/generated/awscli/table.json >/dev/null
    jq -e '.DatabaseName == "greenhouses"' iot_system_infra/generated/awscli/database.json >/dev/null
    works mk sensortype NAME=aircon dbName=iot
    jq -e '.DatabaseName == "iot"' sensortypes/aircon/generated/awscli/table.json >/dev/null
    works mk esp32air dbName=iot3
    jq -e '.DatabaseName == "iot3"' sensortypes/esp32air/generated/awscli/table.json >/dev/null
    works mk diff NAME=esp32air
    says '+++ b/sensortypes/esp32air/generated/'
    works mk types
    works mk all TARGET=local
    refuses 2 "NAME=... is missing" mk sensortype
    refuses 2 '--target: "mars" is not a target' mk all TARGET=mars
}

@test "make all dbName=: a bad name, bytes that a shell would act on" {
    refuses 2 "--database: " mk all 'dbName=$(touch injected)'
    refuses 2 "--database: " mk all "dbName=a'; touch injected; '"
    [ ! -e injected ]
}
