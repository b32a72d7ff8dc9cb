#!/usr/bin/env bats
# Man page, completions, make help, make install.
# shellcheck disable=SC2016,SC2154 # quotes that keep dollars; what bats' run sets
load ../lib/project

@test "the man page is without a complaint of mandoc" {
    sf man >"$T/sensorforge.1"
    run mandoc -T lint -W warning "$T/sensorforge.1"
    same "" "$output"
    same 0 "$status"
}

@test "the man page renders, with every command and option of the table" {
    sf man >"$T/sensorforge.1"
    mandoc -T utf8 "$T/sensorforge.1" | sed 's/.\x08//g' >"$T/page"
    local command option missing=()
    for command in $(sf --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
        grep -q "^ *$command" "$T/page" || missing+=("$command")
        for option in $(sf "$command" --help | grep -o '^  \(-[a-zA-Z], \)\?--[a-z-]*' | grep -o -- '--[a-z-]*'); do
            grep -q -- "$option" "$T/page" || missing+=("$command $option")
        done
    done
    [ ${#missing[@]} -eq 0 ] || say_and_fail "missing: ${missing[*]}"
    grep -q "EXIT STATUS" "$T/page"
    grep -q NO_COLOR "$T/page"
    has_help man
}

@test "man itself shows the page" {
    command -v man >/dev/null || skip "man is not installed"
    sf man >"$T/sensorforge.1"
    run man -l "$T/sensorforge.1"
    [ "$status" -eq 0 ] || run man "$T/sensorforge.1"
    same 0 "$status"
    [[ "$output" == *SYNOPSIS* ]] || say_and_fail "no page"
}

# complete_bash WORD...: the candidates for the last word, sorted, in one line.
complete_bash() {
    bash --norc -c '
        set -u
        source <("$SENSORFORGE" completion bash) || exit 1
        COMP_WORDS=(sensorforge "$@") COMP_CWORD=$#
        _sensorforge
        printf "%s\n" "${COMPREPLY[@]-}"' - "$@" | LC_ALL=C sort | xargs
}

@test "bash completion: commands, options, types, things, files" {
    has_help completion
    sf create kitchen -t esp32air
    sf create attic -t esp32air
    same "check" "$(complete_bash che)"
    same "check completion create" "$(complete_bash c)"
    same "--diff --directory" "$(complete_bash generate --di)"
    same "--json" "$(complete_bash list --js)"
    same "esp32air" "$(complete_bash check esp3)"
    same "aircon esp32air esp8266climate esp8266temp" "$(complete_bash list --type "")"
    same "aircon" "$(complete_bash create -t air)"
    same "kitchen" "$(complete_bash show k)"
    same "kitchen" "$(complete_bash -C . delete k)"
    same "rotate" "$(complete_bash help rot)"
    : >things.csv
    same "things.csv" "$(complete_bash create --from thin)"
    same "templates" "$(complete_bash render --partials templ)"
}

@test "bash completion: what is no thing or type is not offered" {
    sf create kitchen -t esp32air
    same "kitchen" "$(complete_bash show "")" "certificates/README.md is no thing"
}

@test "zsh completion: parses, and loads with compinit" {
    sf completion zsh >"$T/_sensorforge"
    zsh -n "$T/_sensorforge"
    run zsh -f -c "
        fpath=('$T' \$fpath)
        autoload -Uz compinit && compinit -u -D
        [[ \$_comps[sensorforge] == _sensorforge ]] || exit 3
        autoload +X -Uz _sensorforge || exit 4
        whence -w _sensorforge"
    same 0 "$status"
    [[ "$output" == *"_sensorforge: function"* ]] || say_and_fail "not loaded"
}

@test "zsh completion: completes on a terminal" {
    sf completion zsh >"$T/_sensorforge"
    sf create kitchen -t esp32air
    run python3 "$LIB/zsh_complete.py" "$T" "$PWD" "sensorforge show kit" "sensorforge gener" "sensorforge check esp32" "sensorforge list --ty" \
        "sensorforge -C . delete kit" "sensorforge create --type=air" "sensorforge create -t air"
    same 0 "$status"
    [[ "$output" == *"sensorforge show kitchen"* ]] || say_and_fail "no thing"
    [[ "$output" == *"sensorforge generate"* ]] || say_and_fail "no command"
    [[ "$output" == *"sensorforge check esp32air"* ]] || say_and_fail "no type"
    [[ "$output" == *"sensorforge list --type="* ]] || say_and_fail "no option"
    [[ "$output" == *"sensorforge -C . delete kitchen"* ]] || say_and_fail "no thing after -C"
    [[ "$output" == *"sensorforge create --type=aircon"* ]] || say_and_fail "no value of --type"
    [[ "$output" == *"sensorforge create -t aircon"* ]] || say_and_fail "no value of -t"
}

@test "an unknown shell is refused" {
    refuses 2 'there is no completion for "fish"' sf completion fish
    tells "(bash, zsh)"
    refuses 2 "completion needs" sf completion
}

@test "make help, and plain make, list every target" {
    works make --no-print-directory help
    local listed=$output target missing=()
    for target in $(sed -n 's/^\.PHONY: //p' Makefile | tr ' ' '\n' | grep '^[a-z-]*$' | grep -vx 'rooms\|unit-tests'); do
        grep -q "^  make $target\b" <<<"$listed" || missing+=("$target")
    done
    [ ${#missing[@]} -eq 0 ] || say_and_fail "not in make help: ${missing[*]}"
    works make --no-print-directory
    same "$listed" "$output"
}

# too_wide FILE: what is wider than 80 columns.
too_wide() { awk 'length > 80 { print FILENAME ": " $0 }' "$1"; }

@test "help of make and of each command, and the commands in the documents, fit into 80 columns" {
    local command page wide=
    for command in $(sf --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
        sf "$command" --help >"$T/$command.help"
        wide+=$(too_wide "$T/$command.help")
    done
    [ -e "$T/create.help" ] && [ -e "$T/version.help" ] || say_and_fail "not all commands were looked at"
    sf --help >"$T/help"
    make --no-print-directory >"$T/make"
    wide+=$(too_wide "$T/help"; too_wide "$T/make")
    for page in "$REPO"/README.md "$REPO"/CONTRIBUTING.md "$REPO"/docs/*.md; do
        grep -E '^    (make|sensorforge|build/bin)[^─]*$' "$page" >"$T/${page##*/}" || true
        wide+=$(too_wide "$T/${page##*/}")
    done
    [ -z "$wide" ] || say_and_fail "$wide"
}

@test "make install puts program, man page, completions and templates in place; uninstall removes them" {
    local root=$T/root
    rm templates schemas
    cp -R "$REPO/templates" "$REPO/schemas" "$REPO/LICENSE" .
    works mk install DESTDIR="$root" PREFIX=/opt/forge
    local wanted="bin/sensorforge bin/sensorhub lib/sensorforge/sensorforge_broker.so share/doc/sensorforge/copyright
        share/sensorforge/simulator/power_on.py share/sensorforge/scripts/micropython share/sensorforge/scripts/mpy-cross
        share/bash-completion/completions/sensorforge share/man/man1/sensorforge.1
        share/zsh/site-functions/_sensorforge share/sensorforge/templates/awscli/type/rule.json.mustache
        share/sensorforge/schemas/sensortype.schema.json"
    local file
    for file in $wanted; do
        [ -s "$root/opt/forge/$file" ] || say_and_fail "$file is missing"
    done
    [ -x "$root/opt/forge/bin/sensorforge" ]
    cmp "$root/opt/forge/bin/sensorforge" "$SENSORFORGE"
    sf man | cmp - "$root/opt/forge/share/man/man1/sensorforge.1"
    [ -z "$(find "$root" -type f -not -perm -044)" ] || say_and_fail "not for everybody to read"
    works "$root/opt/forge/bin/sensorforge" version
    : >"$root/opt/forge/bin/other"
    works mk uninstall DESTDIR="$root" PREFIX=/opt/forge
    same "$root/opt/forge/bin/other" "$(find "$root" -type f -o -type l)"
}

@test "make install into a folder with a space in its name" {
    cp "$REPO/LICENSE" .
    works mk install DESTDIR="$T/a root" PREFIX=/usr
    [ -x "$T/a root/usr/bin/sensorforge" ] || say_and_fail "not there"
    works mk uninstall DESTDIR="$T/a root" PREFIX=/usr
    same "" "$(find "$T/a root" -type f)"
}

@test "templates of make install are found where a project has none" {
    local prefix
    prefix=$(strings "$SENSORFORGE" | sed -n 's|/share/sensorforge/templates$||p' | head -n 1)
    prefix=${prefix:-/usr/local}
    [ ! -e "$prefix/share/sensorforge" ] || skip "$prefix/share/sensorforge is there already"
    rm templates
    refuses 3 "$prefix/share/sensorforge" sf types
}
