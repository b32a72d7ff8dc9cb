#!/usr/bin/env bats
# rule, make try-rule: what would this message do? And what check says of rules and policies.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

TYPES="aircon esp32air esp8266climate esp8266temp"

# reading TYPE [FILTER]: one that is valid, made from the model, changed by a jq filter.
reading() {
    sf model "$1" | jq -c "[(.type.measures[] | {key: .name, value: (
            if .is_boolean then true elif .is_varchar then \"x\"
            else ((.minimum // 20) + (.maximum // 22)) / 2 + 0.5 | if . == floor then . + 0.25 else . end end)}),
        (.type.attributes[] | {key: .name, value: (.default // \"1\")})] | from_entries ${2:-}"
}

# rule_is NAME FILTER WANTED: what the answer's rule of that name has.
rule_is() { json ".rules[] | select(.rule == \"$1\") | $2" "$3"; }

store_dynamodb() { sed -i 's/^\( *store:\) timestream/\1 dynamodb/' iot_system_infra/system.yaml; }

# hand_written SQL [VERSION]: the type greenhouse with that rule.
hand_written() {
    mkdir -p sensortypes/greenhouse
    cat >sensortypes/greenhouse/spec.yaml <<YAML
version: 1
type: greenhouse
platform: esp8266
attributes:
  bed: {default: "1"}
measures:
  temperature: {type: double, driver: {name: ds18x20, pin: 14}}
rule:
  sql_version: ${2:-2015-10-08}
  sql: >-
    $1
YAML
}

# --- a type -----------------------------------------------------------------------------------------

@test "make try-rule, every shipped type: a valid reading lands in the central table, an empty one in the other" {
    local type
    for type in $TYPES; do
        reading "$type" >r.json
        works mk try-rule NAME="$type" payload=r.json
        says "topic   $type/kitchen"
        says 'policy  allowed by statement "Publish"'
        says "${type}_valid selects {"
        says "  timestream iot.$type at "
        says "${type}_invalid does not select it"
        echo '{}' >r.json
        works mk try-rule NAME="$type" payload=r.json
        says "${type}_valid does not select it"
        says "  dynamoDBv2 iot-$type-invalid"
    done
}

@test "make try-rule: topic, standard input, what is missing" {
    works bash -c 'make --no-print-directory -o "$SENSORFORGE" PROGRAM="$SENSORFORGE" try-rule NAME=aircon topic=aircon/AC-1 payload=- <<<"{}"'
    says "topic   aircon/AC-1"
    run --separate-stderr mk try-rule NAME=aircon
    [ "$status" -eq 2 ] || say_and_fail "expected make's 2"
    tells "payload=... is missing"
    run --separate-stderr mk try-rule payload=r.json
    tells "NAME=... is missing"
}

@test "rule: every shipped type, both stores, exactly one table for each reading" {
    local type store change
    has_help rule --topic --payload --sql --sql-version --client-id --source-ip --principal --time
    for store in timestream dynamodb; do
        [ "$store" = timestream ] || store_dynamodb
        for type in $TYPES; do
            for change in "" '| map_values(null)' '| map_values("x")' '| map_values(true)' '| map_values(1)' '| {}' \
                '| .time = "x"' '| .time = 0' '| .zone = 7' '| del(.zone)' '| map_values(-1e9)' '| .more = 1'; do
                reading "$type" "$change" >r.json
                works sf rule "$type" --payload r.json --json --time 2026-11-21T10:00:00Z
                json '[.rules[] | select(.outcome == "selected")] | length' 1
            done
        done
    done
}

@test "rule: records have the time, the dimensions, and the type of their column" {
    echo '{"temperature": 25, "zone": "7"}' >r.json
    works sf rule esp8266temp --payload r.json --json --time 1795255200000
    rule_is esp8266temp_valid '.actions[0] | "\(.action) \(.database) \(.table) \(.time) \(.unit)"' \
        "timestream iot esp8266temp 1795255200000 MILLISECONDS"
    rule_is esp8266temp_valid '.actions[0].dimensions | tojson' '{"thing":"kitchen","zone":"7"}'
    rule_is esp8266temp_valid '.actions[0].records[0].type' double
    [[ "$output" == *'"value": 25.0'* ]] || say_and_fail "25 must stay a double"
    echo '{"temperature": 24.6, "zone": "7", "time": 1795255100000.7}' >r.json
    works sf rule esp8266temp --payload r.json --json --time 1795255200000
    rule_is esp8266temp_valid '.actions[0].time' 1795255100000
    rule_is esp8266temp_valid '.actions[0].records[0].value' 24.6
}

@test "rule: DynamoDB gets an item with the keys of the table" {
    store_dynamodb
    echo '{"temperature": 24.6, "zone": "7"}' >r.json
    works sf rule esp8266temp --topic esp8266temp/attic --payload r.json --json --time 1795255200000
    rule_is esp8266temp_valid '.actions[0].item | "\(.thing) \(.time) \(.expires) \(.zone) \(.temperature)"' \
        "attic 1795255200000 1826791200 7 24.6"
    rule_is esp8266temp_valid '.actions[0].table' iot-esp8266temp
}

@test "rule: a message that is no JSON is kept whole" {
    echo -n 'hot!' >r.json
    works sf rule esp8266temp --payload r.json --json
    rule_is esp8266temp_valid .outcome "not selected"
    rule_is esp8266temp_invalid '.selected.payload' "$(base64 <r.json)"
}

@test "rule: the policy is asked for the thing of the topic" {
    echo '{}' >r.json
    works sf rule aircon --topic aircon/AC-1 --payload r.json --json
    json '"\(.policy.thing) \(.policy.allowed)"' "AC-1 true"
    works sf rule aircon --topic esp32air/AC-1 --payload r.json --json
    json '"\(.policy.thing) \(.policy.allowed)"' "AC-1 false"
    json '.policy.because' "denied: no statement allows iot:Publish on topic/esp32air/AC-1"
    json '[.rules[].outcome] | unique | join(" ")' "other topic"
    works sf rule aircon --topic aircon/AC-1/command --payload r.json
    says "policy  denied: no statement allows iot:Publish on topic/aircon/AC-1/command"
}

@test "rule: without a topic a thing that is there" {
    works sf deploy aircon
    works sf create cooler --type aircon
    echo '{}' >r.json
    works sf rule aircon --payload r.json
    says "topic   aircon/cooler"
}

@test "rule: nothing is written" {
    local before
    echo '{}' >r.json
    before=$(tree_sum)
    works sf rule aircon --payload r.json
    same "$before" "$(tree_sum)"
}

@test "rule: what is wrong on the command line" {
    echo '{}' >r.json
    refuses 2 "rule needs a TYPE, or --sql" sf rule --payload r.json
    refuses 2 "a TYPE has its own rules" sf rule aircon --sql "SELECT * FROM 'a'" --payload r.json
    refuses 2 "--payload is missing" sf rule aircon
    refuses 2 "without + and #" sf rule aircon --topic 'aircon/+' --payload r.json
    refuses 2 '"noon" is not a time' sf rule aircon --payload r.json --time noon
    refuses 2 "--sql-version goes with --sql" sf rule aircon --payload r.json --sql-version 2016-03-23
    refuses 2 "(2015-10-08, 2016-03-23)" sf rule --sql "SELECT * FROM 'a'" --topic a --payload r.json --sql-version 2017
    refuses 2 "--sql needs a --topic" sf rule --sql "SELECT * FROM 'a'" --payload r.json
    refuses 1 'there is no sensor type "aircom"' sf rule aircom --payload r.json
    refuses 1 "none.json" sf rule aircon --payload none.json
    head -c 131073 /dev/zero >big
    refuses 1 "big" sf rule aircon --payload big
}

# --- any statement ----------------------------------------------------------------------------------

@test "rule --sql: one line, or nothing; also outside of a project" {
    mkdir "$T/elsewhere" && cd "$T/elsewhere"
    echo '{"t": 21.5, "a": {"b": [1, 2]}}' >m.json
    works sf rule --sql "SELECT t, a.b AS b FROM 'x/+'" --topic x/y --payload m.json
    same '{"t":21.5,"b":[1,2]}' "$output"
    same "" "$stderr"
    works sf rule --sql "SELECT * FROM 'x/+' WHERE t > 30" --topic x/y --payload m.json
    same "" "$output"
    tells "WHERE is not true"
    works sf rule --sql "SELECT * FROM 'x/+'" --topic z/y --payload m.json --quiet
    same "" "$output$stderr"
    works bash -c '"$SENSORFORGE" rule --sql "SELECT t FROM '"'x'"'" --topic x --payload - <m.json'
    same '{"t":21.5}' "$output"
}

@test "rule --sql: the version that AWS takes by default is 2015-10-08, in which 25.0 stays" {
    echo '{"t": 25.0}' >m.json
    works sf rule --sql "SELECT t FROM 'x'" --topic x --payload m.json
    same '{"t":25.0}' "$output"
    works sf rule --sql "SELECT t FROM 'x'" --topic x --payload m.json --sql-version 2016-03-23
    same '{"t":25}' "$output"
}

@test "rule --sql --json: the outcome too" {
    echo '{"t": 25.0}' >m.json
    works sf rule --sql "SELECT t FROM 'x' WHERE t > 20" --topic x --payload m.json --json
    json '"\(.outcome) \(.sql_version)"' "selected 2015-10-08"
    says '"selected": {"t":25.0}'
    works sf rule --sql "SELECT t FROM 'x' WHERE t > 30" --topic x --payload m.json --json
    json .outcome "not selected"
    works sf rule --sql "SELECT get_thing_shadow('a', 'b') AS x FROM 'x'" --topic x --payload m.json --json --sql-version 2016-03-23
    json '"\(.outcome) \(.function)"' "refused get_thing_shadow"
}

@test "rule --sql: what functions see" {
    echo '{}' >m.json
    works sf rule --sql "SELECT clientid() AS c, principal() AS p, timestamp() AS t, topic(2) AS n FROM 'x/+'" --topic x/y \
        --payload m.json --client-id dev --principal abc --time 2026-11-21T10:00:00Z
    json '"\(.c) \(.p) \(.t) \(.n)"' "dev abc 1795255200000 y"
    works sf rule --sql "SELECT sourceip() AS ip FROM 'x'" --topic x --payload m.json --source-ip 192.0.2.7 \
        --sql-version 2016-03-23
    same '{"ip":"192.0.2.7"}' "$output"
    refuses 1 "sourceip() needs the address of the client, which is not here" sf rule --sql "SELECT sourceip() AS ip FROM 'x'" \
        --topic x --payload m.json --sql-version 2016-03-23
    refuses 1 "get_user_properties() needs the MQTT 5 header of the message" sf rule --sql "SELECT get_user_properties('a') FROM 'x'" \
        --topic x --payload m.json
}

@test "rule --sql: variables, and a topic of Basic Ingest" {
    echo '{"t": 75}' >m.json
    works sf rule --sql "SET @c = (t - 32) / 1.8 SELECT @c AS c FROM 'x' WHERE @c > 20" --topic x --payload m.json
    says '{"c":23.8'
    works sf rule --sql "SELECT t, topic() AS topic" --topic '$aws/rules/mine/x/y' --payload m.json
    same '{"t":75,"topic":"x/y"}' "$output"
    works sf rule --sql "SELECT t FROM 'x'" --topic '$aws/rules/mine/y' --payload m.json --json
    json '"\(.rule) \(.outcome)"' "mine selected"
    works sf rule --sql "SELECT t" --topic x --payload m.json
    same "" "$output"
    tells 'without FROM, a rule takes only $aws/rules/<rule>/...'
    works sf rule --sql "SELECT topic() AS t" --topic "\$aws/rules/mine/$(printf 'x%.0s' {1..256})" --payload m.json
    refuses 2 "1 to 256 bytes" sf rule --sql "SELECT 1" --topic "\$aws/rules/mine/$(printf 'x%.0s' {1..257})" --payload m.json
}

@test "rule TYPE: Basic Ingest goes to one of its rules" {
    reading esp8266temp "" >r.json
    works sf rule esp8266temp --topic '$aws/rules/esp8266temp_invalid/esp8266temp/kitchen' --payload r.json --json
    json '[.rules[].outcome] | join(", ")' "other topic, not selected"
    works sf rule esp8266temp --topic '$aws/rules/esp8266temp_valid/esp8266temp/kitchen' --payload r.json --json
    json '[.rules[].outcome] | join(", ")' "selected, other topic"
    json .policy.allowed false
}

@test "rule --sql: what does not parse has its line and column" {
    echo '{}' >m.json
    refuses 1 "--sql:1:" sf rule --sql "SELECT FROM 'x'" --topic x --payload m.json
    tells "^"
    refuses 1 "--sql:2:" sf rule --sql $'SELECT *\nFORM \'x\'' --topic x --payload m.json
    refuses 1 "aws_lambda() needs" sf rule --sql "SELECT aws_lambda('arn:aws:lambda:us-east-1:123456789012:function:f', *) AS x FROM 'x'" \
        --topic x --payload m.json
}

# --- what check says --------------------------------------------------------------------------------

@test "check: what ships has nothing to be warned of, in both stores" {
    works sf check
    never_says warning
    store_dynamodb
    works sf check
    never_says warning
}

@test "check: a rule that loses messages, with the first one" {
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE bed <> ''"
    works sf check greenhouse
    tells "spec.yaml:11:"
    tells 'warning: no table gets {"bed":"1"}'
    tells "Timestream refuses the time of "
}

@test "check: a rule for DynamoDB whose key can be missing" {
    store_dynamodb
    hand_written "SELECT temperature FROM 'greenhouse/+' WHERE temperature - 0 = temperature"
    works sf check greenhouse
    tells 'DynamoDB refuses {"temperature":21.5,"bed":"1","time":"x"}'
}

@test "check: a dimension that can be Undefined" {
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE temperature - 0 = temperature"
    works sf check greenhouse
    tells "the dimension bed is Undefined or empty for "
    never_says "lands in the column"
}

@test "check: a double that arrives as an integer, or as something else" {
    hand_written "SELECT temperature FROM 'greenhouse/+' WHERE temperature < 40"
    works sf check greenhouse
    tells "temperature lands in the column for a "
    hand_written "SELECT temperature FROM 'greenhouse/+' WHERE temperature - 0 = temperature"
    works sf check greenhouse
    tells "temperature lands in the column for a bigint, not a double, for "
    tells "temperature + 0.0 AS temperature"
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE temperature - 0 = temperature" 2016-03-23
    works sf check greenhouse
    tells "temperature lands in the column for a bigint, not a double, for "
}

@test "check: a rule written by hand that is right" {
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE temperature - 0 = temperature AND
      abs(temperature) <= 1000 AND bed + '' = bed AND bed <> '' AND replace(bed, chr(0), '') = bed AND substring(bed, 100) = '' AND nanvl(time, 0) - 0 = nanvl(time, 0) AND
      nanvl(time, timestamp()) >= timestamp() - 86400000 AND nanvl(time, timestamp()) <= timestamp() + 900000"
    works sf check greenhouse
    never_says warning
}

@test "check: values that the table refuses, of each kind, in both stores" {
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE temperature - 0 = temperature AND
      bed + '' = bed AND bed <> '' AND nanvl(time, 0) - 0 = nanvl(time, 0) AND
      nanvl(time, timestamp()) >= timestamp() - 86400000 AND nanvl(time, timestamp()) <= timestamp() + 900000"
    mkdir sensortypes/greenhouse/code
    echo 'def read(): return {}' >sensortypes/greenhouse/code/sensor.py
    sed -i 's/^measures:/&\n  count: {type: bigint}\n  state: {type: varchar}/; s/, driver: {name: ds18x20, pin: 14}//
        s/SELECT /SELECT count, state, /' sensortypes/greenhouse/spec.yaml
    run --separate-stderr sf check greenhouse
    tells 'Timestream refuses the value of temperature in '
    tells '"temperature":1e309'
    tells 'Timestream refuses the value of bed in '
    tells 'Timestream refuses the value of count in '
    tells 'Timestream refuses the value of state in '
    store_dynamodb
    run --separate-stderr sf check greenhouse
    tells 'DynamoDB refuses the value of temperature in '
    tells '"temperature":1e126'
    tells 'DynamoDB refuses the value of count in '
}

@test "check: an OR of which one side can be missing" {
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE temperature > 40 OR bed = '2'"
    works sf check greenhouse
    tells "where this is Undefined, as with a field that is missing, the whole OR is Undefined and not true"
    tells 'spec.yaml:11:'
    hand_written "SELECT temperature + 0.0 AS temperature FROM 'greenhouse/+' WHERE temperature > 40 OR temperature < 5"
    works sf check greenhouse
    never_says "the whole OR"
}

@test "check, rule: variables of a rule written by hand are in both of its rules" {
    hand_written "SET @t = temperature, @limit = 40 SELECT @t + 0.0 AS temperature FROM 'greenhouse/+' WHERE @t - 0 = @t AND
      bed + '' = bed AND bed <> '' AND replace(bed, chr(0), '') = bed AND substring(bed, 100) = '' AND
      nanvl(time, 0) - 0 = nanvl(time, 0) AND @t < @limit AND @t > -1000 AND
      nanvl(time, timestamp()) >= timestamp() - 86400000 AND nanvl(time, timestamp()) <= timestamp() + 900000"
    works sf check greenhouse
    never_says warning
    echo '{"temperature": 25, "bed": "1"}' >r.json
    works sf rule greenhouse --payload r.json --json
    rule_is greenhouse_valid '.selected.temperature' 25
    rule_is greenhouse_invalid .outcome "not selected"
    for payload in '{"temperature": 41, "bed": "1"}' '{"bed": "1"}' '{"temperature": "x", "bed": "1"}' '{}' 'no json'; do
        echo "$payload" >r.json
        works sf rule greenhouse --payload r.json --json
        rule_is greenhouse_valid .outcome "not selected"
        rule_is greenhouse_invalid .outcome selected
    done
    store_dynamodb
    echo '{"temperature": 25, "bed": "1"}' >r.json
    works sf rule greenhouse --payload r.json --json
    rule_is greenhouse_valid '.selected | "\(.thing) \(.temperature)"' "kitchen 25"
    hand_written "SET @t = temperature SELECT @T AS t FROM 'greenhouse/+'"
    refuses 1 "there is no variable @T" sf check greenhouse
    tells "upper and lower case are different"
}

@test "check: templates that double a message, widen a policy, or hold no statement" {
    rm templates
    cp -RL "$REPO/templates" templates
    works sf check aircon
    never_says warning
    cp templates/awscli/type/rule.json.mustache templates/awscli/type/copy.json.mustache
    works sf check aircon
    tells "2 tables get "
    rm templates/awscli/type/copy.json.mustache
    sed -i 's/"{{type.policy.document}}"/"{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"iot:*\\",\\"Resource\\":\\"*\\"}}"/' \
        templates/awscli/type/policy.json.mustache
    works sf check aircon
    tells "the policy is wider than the type: it allows a thing called kitchen iot:Connect on client/attic"
    sed -i 's/"iot:\*/"iot:Fly/; s/iot:\*/iot:Connect/' templates/awscli/type/policy.json.mustache
    works sf check aircon
    tells "the policy is narrower than the type: it does not allow a thing called kitchen iot:Connect on client/kitchen"
    sed -i 's/"{{type.rules.valid.sql}}"/"SELECT"/' templates/awscli/type/rule.json.mustache
    works sf check aircon
    tells "its rules and policy cannot be tried: awscli/rule.json: sql:1:"
}
