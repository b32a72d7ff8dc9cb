#!/usr/bin/env bats
# What is in certificates and revocation lists, word for word as the openssl command prints it; files of the authority that
# are broken, foreign or too large; and clocks that are wrong.
# shellcheck disable=SC2154 # what bats' run sets
load ../lib/project

authority=iot_system_infra/authority
ca=$authority/ca.pem
list=$authority/crl.pem

create() { works sf create "$@"; }
# (The sanitizer's runtime wants to be the first library, which faketime is.)
at() { ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" faketime -f "$1" "${@:2}"; }

# printed x509|crl FILE: its text, without what is another each time. Dates keep their year, counted from this one.
printed() {
    openssl "$1" -in "$2" -noout -text | YEAR=$(date -u +%Y) awk '
        /^ *[0-9a-fA-F:]+$/ && /:/ { next }  # keys, signatures, identifiers, the serial of a certificate
        {
            sub(/Serial Number: [0-9A-F]+/, "Serial Number: RANDOM")
            if (match($0, /(Before|After ): .*/) || match($0, /(Last|Next) Update: .*/) || match($0, /Revocation Date: .*/))
                sub(/: [A-Z][a-z][a-z] .*/, ": in " ($(NF - 1) - ENVIRON["YEAR"]) " years")
            if (NF == 1 && length($1) == 13) sub(/[0-9]+$/, "NUMBER")
            sub(/ +$/, "")  # which openssl writes behind the name of an extension
            print
        }'
}

# prints x509|crl FILE, and on standard input what it must be.
prints() {
    printed "$1" "$2" >"$T/printed"
    diff - "$T/printed" || say_and_fail "other text than expected: $2"
}

# fails TEXT COMMAND...: exit code 1 and TEXT, and the list as it was. (The record says already that the thing is being deleted.)
fails() {
    local before
    before=$(sha256sum $list)
    run --separate-stderr "${@:2}"
    same 1 "$status"
    tells "$1"
    same "$before" "$(sha256sum $list)"
}

crl_number() { openssl crl -in $list -noout -crlnumber | sed 's/crlNumber=0x//'; }

@test "the authority's certificate" {
    create air --type esp32air
    prints x509 $ca <<END
Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number:
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN = Sensorforge authority of home
        Validity
            Not Before: in 0 years
            Not After : in 20 years
        Subject: CN = Sensorforge authority of home
        Subject Public Key Info:
            Public Key Algorithm: rsaEncryption
                Public-Key: (2048 bit)
                Modulus:
                Exponent: 65537 (0x10001)
        X509v3 extensions:
            X509v3 Basic Constraints: critical
                CA:TRUE, pathlen:0
            X509v3 Key Usage: critical
                Certificate Sign, CRL Sign
            X509v3 Subject Key Identifier:
            X509v3 Authority Key Identifier:
    Signature Algorithm: sha256WithRSAEncryption
    Signature Value:
END
}

@test "a thing's certificate: an EC key and an RSA key" {
    create air --type esp32air
    create kitchen --type esp8266temp
    cat >"$T/extensions" <<END
        X509v3 extensions:
            X509v3 Basic Constraints: critical
                CA:FALSE
            X509v3 Key Usage: critical
                Digital Signature
            X509v3 Extended Key Usage:
                TLS Web Client Authentication
            X509v3 Subject Key Identifier:
            X509v3 Authority Key Identifier:
    Signature Algorithm: sha256WithRSAEncryption
    Signature Value:
END
    prints x509 certificates/air/cert.pem <<END
Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number:
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN = Sensorforge authority of home
        Validity
            Not Before: in 0 years
            Not After : in 10 years
        Subject: OU = esp32air, CN = air
        Subject Public Key Info:
            Public Key Algorithm: id-ecPublicKey
                Public-Key: (256 bit)
                pub:
                ASN1 OID: prime256v1
                NIST CURVE: P-256
$(cat "$T/extensions")
END
    prints x509 certificates/kitchen/cert.pem <<END
Certificate:
    Data:
        Version: 3 (0x2)
        Serial Number:
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN = Sensorforge authority of home
        Validity
            Not Before: in 0 years
            Not After : in 10 years
        Subject: OU = esp8266temp, CN = kitchen
        Subject Public Key Info:
            Public Key Algorithm: rsaEncryption
                Public-Key: (2048 bit)
                Modulus:
                Exponent: 65537 (0x10001)
$(cat "$T/extensions")
END
    # The identifiers are those of the two keys: SHA-1 of the bits of the public key (RFC 5280, 4.2.1.2).
    local thing key
    for thing in air kitchen; do
        openssl x509 -in certificates/$thing/cert.pem -noout -ext authorityKeyIdentifier | tail -1 |
            cmp - <(openssl x509 -in $ca -noout -ext subjectKeyIdentifier | tail -1)
        key=$(openssl pkey -in certificates/$thing/key.pem -pubout -outform DER | openssl asn1parse -inform DER |
            sed -n 's/^ *\([0-9]*\):.*BIT STRING.*/\1/p')
        key=$(openssl pkey -in certificates/$thing/key.pem -pubout -outform DER |
            openssl asn1parse -inform DER -strparse "$key" -noout -out - | openssl sha1 | sed 's/.*= //')
        same "$key" "$(openssl x509 -in certificates/$thing/cert.pem -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :' | tr A-F a-f)"
    done
}

@test "the revocation list: empty, then with entries; its number grows" {
    local before number
    before=$(date +%s)000
    create air --type esp32air
    prints crl $list <<END
Certificate Revocation List (CRL):
        Version 2 (0x1)
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN = Sensorforge authority of home
        Last Update: in 0 years
        Next Update: in 20 years
        CRL extensions:
            X509v3 Authority Key Identifier:
            X509v3 CRL Number:
                NUMBER
No Revoked Certificates.
    Signature Algorithm: sha256WithRSAEncryption
    Signature Value:
END
    number=$((16#$(crl_number)))
    [ "$number" -ge "$before" ] && [ "$number" -le "$(date +%s)999" ] || say_and_fail "number $number"
    create kitchen --type esp32air
    works sf delete air
    works sf rotate kitchen
    prints crl $list <<END
Certificate Revocation List (CRL):
        Version 2 (0x1)
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN = Sensorforge authority of home
        Last Update: in 0 years
        Next Update: in 20 years
        CRL extensions:
            X509v3 Authority Key Identifier:
            X509v3 CRL Number:
                NUMBER
Revoked Certificates:
    Serial Number: RANDOM
        Revocation Date: in 0 years
    Serial Number: RANDOM
        Revocation Date: in 0 years
    Signature Algorithm: sha256WithRSAEncryption
    Signature Value:
END
    same $((number + 2)) $((16#$(crl_number)))
    openssl crl -in $list -CAfile $ca -noout 2>&1 | grep -q 'verify OK'
}

@test "a list that counts from 1, as older versions began it, goes on counting" {
    create air --type esp32air
    echo 01 >"$T/number"
    : >"$T/index"
    printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s\ncrlnumber=%s\ndefault_md=sha256\n' "$T/index" "$T/number" >"$T/ca.conf"
    openssl ca -gencrl -config "$T/ca.conf" -cert $ca -keyfile $authority/ca.key -crldays 7000 -out $list 2>/dev/null
    same 01 "$(crl_number)"
    works sf delete air
    same 02 "$(crl_number)"
    same 1 "$(crl_serials | wc -l)"
}

@test "files of the authority that are cut off, of another authority, or none" {
    local file
    create air --type esp32air
    mkdir "$T/kept"
    cp $authority/* "$T/kept"
    for file in ca.key ca.pem; do
        head -c 500 "$T/kept/$file" >$authority/$file
        refuses 1 "$authority/$file" sf create b --type esp32air
        tells "restore $authority from a backup"
        : >$authority/$file
        refuses 1 "$authority/$file" sf rotate air
        cp "$T/kept/$file" $authority/
    done
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/cert" -days 10 -subj "/CN=Sensorforge authority of home" 2>/dev/null
    cp "$T/cert" $ca
    refuses 1 "do not belong together" sf create b --type esp32air
    cp "$T/key" $authority/ca.key
    cp $ca "$T/foreign"
    fails "$list: the revocation list is not one that this authority has signed" sf delete air
    cp "$T/kept/ca.key" "$T/kept/ca.pem" $authority/
    openssl req -x509 -key $authority/ca.key -out $ca -days 10 -subj "/CN=x" -addext basicConstraints=CA:FALSE 2>/dev/null
    refuses 1 "is not that of an authority" sf create b --type esp32air
    openssl genpkey -algorithm ED25519 -out $authority/ca.key 2>/dev/null
    refuses 1 "$authority/ca.key: the private key is neither RSA nor EC P-256" sf create b --type esp32air
    cp "$T/kept/ca.key" "$T/kept/ca.pem" $authority/
    head -c 300 "$T/kept/crl.pem" >$list
    fails "$list: there is no revocation list that can be read" sf delete air
    tells "restore $list from a backup"
    truncate -s 65M $list
    fails "$list" sf delete air
    tells "has 68157440 bytes; at most 67108864 are read"
    cp "$T/kept/crl.pem" $list
    works sf delete air
    works sf create b --type esp32air
}

@test "an older revocation list that was restored: doctor says so, and makes it whole" {
    create air --type esp32air
    create kitchen --type esp32air
    works sf delete air
    cp $list "$T/older.pem"
    works sf delete kitchen
    cp $list "$T/newer.pem"
    cp "$T/older.pem" $list
    run sf doctor
    [[ $status = 3 && $output = *"$list is older than its copy certificates/revoked.pem"* ]]
    works sf doctor --clean
    openssl crl -in "$T/newer.pem" -noout -text | grep 'Serial Number' | sort >"$T/serials"
    openssl crl -in $list -noout -text | grep 'Serial Number' | sort | diff "$T/serials" -
    works sf doctor
}

@test "a thing's own key and certificate that are broken or foreign" {
    create air --type esp32air
    create kitchen --type esp32air
    local key=certificates/air/key.pem certificate=certificates/air/cert.pem
    cp $key $certificate "$T/"
    head -c 100 "$T/key.pem" >$key
    refuses 1 "$key: there is no private key that can be read" sf package air
    cp "$T/key.pem" $key
    head -c 300 "$T/cert.pem" >$certificate
    refuses 1 "$certificate: there is no certificate that can be read" sf package air
    cp certificates/kitchen/cert.pem $certificate
    refuses 1 "$certificate is not the certificate that the record names" sf package air
    cp "$T/cert.pem" $certificate
    works sf package air
}

@test "a clock before the authority's first day, or past its last: nothing is signed, and nothing is changed" {
    local clock why before
    create air --type esp32air
    printf 'name,type,zone\nb,esp32air,1\nc,esp32air,2\n' >"$T/things.csv"
    for clock in "@1970-01-01 00:10:00" "@2020-02-02 02:02:02" "@2099-01-01 00:00:00"; do
        why="the authority's certificate is valid from $(date -u +%Y)-"
        [[ $clock != @2099* ]] || why="the authority's certificate expired at $(($(date -u +%Y) + 20))-"
        refuses 3 "$why" at "$clock" "$SENSORFORGE" create b --type esp32air
        tells "this machine's clock says ${clock:1:10}T"
        tells "date -u"
        before=$(tree_sum)
        run --separate-stderr at "$clock" "$SENSORFORGE" create --from "$T/things.csv"
        same 3 "$status"
        same 1 "$(grep -c "$why" <<<"$stderr")" "said once, not for each thing"
        same "$before" "$(tree_sum)"
        refuses 3 "$why" at "$clock" "$SENSORFORGE" rotate air
    done
    works at "@2020-02-02 02:02:02" "$SENSORFORGE" package air # needs no authority
    works at "@2020-02-02 02:02:02" "$SENSORFORGE" delete air # who is put out stays out, whatever the clock says
    same 1 "$(crl_serials | wc -l)"
    create b --type esp32air
    no_leftovers
}

@test "a list that is lost: nothing begins another; doctor reports it, and makes it anew from its copy" {
    create air --type esp32air
    create kitchen --type esp32air
    create attic --type esp32air
    works sf delete air
    local before after
    before=$(crl_serials)
    rm $list
    run --separate-stderr sf delete kitchen
    same 3 "$status"
    tells "$list is missing"
    tells "doctor --clean"
    run --separate-stderr sf rotate attic
    same 3 "$status"
    tells "$list is missing"
    works sf create other --type esp32air
    [ ! -e $list ] || say_and_fail "a new list was begun"
    run --separate-stderr sf doctor
    same 3 "$status"
    says "$list is missing"
    works sf doctor --clean
    works sf delete kitchen
    works sf rotate attic
    after=$(crl_serials)
    [[ $after == *"$before"* ]] || say_and_fail "what was revoked before is forgotten"
    same 3 "$(wc -l <<<"$after")"
    works sf doctor
}

@test "the authority's end: list and doctor say it a year ahead, commands that sign in its last months" {
    create air --type esp32air
    works at "+6900d" "$SENSORFORGE" list
    [[ $stderr != *authority* ]]
    run --separate-stderr at "+6900d" "$SENSORFORGE" doctor # the certificate of air has ended, too
    says "ok     authority"
    works at "+7000d" "$SENSORFORGE" list
    tells "the local authority ends on $(($(date -u +%Y) + 20))-"
    tells "sensorforge renew"
    run --separate-stderr at "+7000d" "$SENSORFORGE" doctor # the certificate of air has ended, too
    says "look   authority"
    works at "+7000d" "$SENSORFORGE" create b --type esp32air
    [[ $stderr != *authority* ]]
    works at "+7200d" "$SENSORFORGE" create c --type esp32air
    tells "warning: the local authority ends on "
    works at "+7200d" "$SENSORFORGE" rotate air
    tells "warning: the local authority ends on "
    printf 'name,type,zone\nd,esp32air,1\n' >"$T/things.csv"
    works at "+7200d" "$SENSORFORGE" create --from "$T/things.csv"
    tells "warning: the local authority ends on "
    run --separate-stderr at "+7400d" "$SENSORFORGE" doctor
    same 3 "$status"
    says "wrong  authority        the local authority ended on "
    works at "+7400d" "$SENSORFORGE" list
    tells "the local authority ended on "
}

@test "renew: both authorities are trusted, the new one signs, and the old one goes when no thing needs it" {
    works sf renew
    says "made with the first thing"
    works sf renew --finish
    create air --type esp32air
    create kitchen --type esp8266temp
    cp $ca "$T/old.pem"
    refuses 3 "the authority is valid until $(($(date -u +%Y) + 20))-" sf renew
    tells "sensorforge renew --yes"
    works sf renew --dry-run
    works sf renew --finish
    cmp $ca "$T/old.pem"
    works mk renew yes=yes
    says "authority  made anew, until $(($(date -u +%Y) + 20))-"
    says "left       air"
    says "           kitchen"
    openssl x509 -in $ca -out "$T/new.pem"
    same 2 "$(grep -c BEGIN $ca)"
    works cmp <(cat "$T/new.pem" "$T/old.pem") $ca
    openssl crl -in $list -CAfile "$T/new.pem" -noout 2>&1 | grep -q 'verify OK'
    for thing in air kitchen; do
        openssl verify -CAfile "$T/old.pem" certificates/$thing/cert.pem
        openssl verify -CAfile $ca certificates/$thing/cert.pem
        run ! openssl verify -CAfile "$T/new.pem" certificates/$thing/cert.pem
    done
    works sf renew --json
    json .under_way true
    json .done false
    json '.left | join(" ")' "air kitchen"
    refuses 3 "2 things still have certificates of the old authority: air, kitchen" sf renew --finish
    works sf package air
    works cmp <(openssl x509 -in "$T/new.pem" -outform DER; openssl x509 -in "$T/old.pem" -outform DER) sensortypes/esp32air/sensors/air/ca.der
    works sf rotate air
    openssl verify -CAfile "$T/new.pem" certificates/air/cert.pem
    works sf delete kitchen
    same 2 "$(crl_serials | wc -l)"
    works sf renew
    says "no thing needs the old one any more"
    works mk renew finish=yes
    cmp $ca "$T/new.pem"
    cmp <(openssl x509 -in "$T/new.pem" -outform DER) $authority/ca.der
    [ ! -e $authority/former ]
    same 2 "$(crl_serials | wc -l)"
    works sf renew --finish
    create b --type esp32air
    openssl verify -CAfile "$T/new.pem" certificates/b/cert.pem
}

@test "renew: an authority that has ended, that begins later, or whose list is lost" {
    create air --type esp32air
    run --separate-stderr at "@2020-02-02 02:02:02" "$SENSORFORGE" renew --yes
    same 3 "$status"
    tells "the authority's certificate is valid from"
    mv $list "$T/list"
    refuses 3 "doctor --clean" sf renew --yes
    [ ! -e $authority/former ]
    mv "$T/list" $list
    works at "+7400d" "$SENSORFORGE" renew
    says "left       air"
    works at "+7400d" "$SENSORFORGE" rotate air
    works at "+7400d" "$SENSORFORGE" renew --finish
    works at "+7400d" "$SENSORFORGE" doctor
    says "there, and whole"
}
