#!/usr/bin/env bats
# render: the Mustache engine for people who write templates.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

@test "every case of tests/unit/mustache-cases.json, through the command" {
    local cases=$REPO/tests/unit/mustache-cases.json
    [ -e "$cases" ] || skip "no $cases"
    run --separate-stderr python3 "$LIB/mustache.py" "$cases"
    same 0 "$status"
    echo "# $output" >&3
}

@test "from files, from standard input, escaping by name" {
    has_help render --escape --partials --strict
    echo '{"a": "x\"<&y"}' >data.json
    echo -n '{{a}}' >t.mustache
    works sf render t.mustache data.json
    same 'x"<&y' "$output" "plain text is not escaped"
    cp t.mustache t.json.mustache
    works sf render t.json.mustache data.json
    same 'x\"<&y' "$output"
    cp t.mustache t.html.mustache
    works sf render t.html.mustache data.json
    same 'x&quot;&lt;&amp;y' "$output"
    works sf render t.html.mustache data.json --escape none
    same 'x"<&y' "$output"
    run bash -c '"$SENSORFORGE" render - data.json <t.mustache'
    same 'x"<&y' "$output"
    run bash -c '"$SENSORFORGE" render t.mustache - <data.json'
    same 'x"<&y' "$output"
    run bash -c '"$SENSORFORGE" model aircon | "$SENSORFORGE" render <(echo -n "{{type.name}}") -'
    [ "$status" -ne 0 ] || same aircon "$output"
}

@test "works outside of a project" {
    mkdir "$T/elsewhere" && cd "$T/elsewhere"
    echo '{"a": 1}' >d.json
    echo '{{a}}' >t
    works sf render t d.json
    same 1 "$output"
}

@test "partials" {
    mkdir parts
    echo 'Hello {{name}}' >parts/hello.mustache
    echo '{"name": "you"}' >d.json
    printf '  {{>hello}}\n{{>none}}\n' >t
    works sf render t d.json --partials parts
    same '  Hello you' "$output"
    echo '{{>../t}}' >u
    works sf render u d.json --partials parts
    same "" "$output"
    echo 'a {{#open}}' >parts/bad.mustache
    echo '{{>bad}}' >v
    refuses 1 "parts/bad.mustache:1:" sf render v d.json --partials parts
    echo '{{>self}}' >parts/self.mustache
    echo '{{>self}}' >w
    refuses 1 "parts/self.mustache" sf render w d.json --partials parts
}

@test "--strict: a name that is not there, with its place" {
    echo '{"temperature": 1}' >d.json
    printf 'a\nb {{temprature}}\n' >t
    works sf render t d.json
    same $'a\nb ' "$output"
    refuses 1 "t:2:3" sf render t d.json --strict
    tells temprature
}

@test "errors: place of the template's or the data's fault, nothing half on stdout" {
    echo '{}' >d.json
    printf 'fine\n{{#a}}\n' >t
    refuses 1 "t:2:" sf render t d.json
    printf '{{a' >t
    refuses 1 "t:1:" sf render t d.json
    echo ok >t
    printf '{"a": 1,\n  b}' >bad.json
    refuses 1 "bad.json:2:" sf render t bad.json
    refuses 1 "nope: no such file" sf render nope d.json
    refuses 1 "nope: no such file" sf render t nope
    refuses 2 "only one of template and data can be standard input" sf render - -
    refuses 2 'there is no escaping called "xml"' sf render t d.json -e xml
    refuses 2 "render needs TEMPLATE DATA.json" sf render t
}
