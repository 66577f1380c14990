#!/bin/sh
{%- if signed %}
# Verifies this evidence with sha256sum, sha512sum{% if timestamps %}, ssh-keygen and openssl: sh verify.sh ALLOWED_SIGNERS [AUTHORITIES]
{%- else %} and ssh-keygen: sh verify.sh ALLOWED_SIGNERS
{%- endif %}
# The file ALLOWED_SIGNERS must come from the company by another channel than this folder.
{%- if timestamps %}
# The file AUTHORITIES has the certificates, in PEM, of the timestamp authorities that you trust; without it, those that the
# ledger names are used.
{%- endif %}
{%- else %}
# Verifies this evidence with sha256sum{% if timestamps %}, sha512sum and openssl{% else %} and sha512sum{% endif %}: sh verify.sh
# It is not signed: matching digests rule out damage, but not forgery.
{%- endif %}
set -eu
{%- if !signed && timestamps %}
authorities=
{%- endif %}
{%- if signed %}
{%- if timestamps %}
[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: sh verify.sh ALLOWED_SIGNERS [AUTHORITIES]" >&2; exit 2; }
authorities=
[ $# -eq 1 ] || authorities=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
{%- else %}
[ $# -eq 1 ] || { echo "usage: sh verify.sh ALLOWED_SIGNERS" >&2; exit 2; }
{%- endif %}
signers=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
{%- endif %}
cd "$(dirname "$0")"
fail() { echo "NOT VERIFIED:" "$@" >&2; exit 1; }
digest() { sha256sum | cut -d ' ' -f 1; }

{% include "evidence/bag.sh" %}

# Every file of this export is listed with its digest{% if signed %}, signed by a key that you trust{% endif %}; nothing else is here.
[ -z "$(find . ! -type f ! -type d)" ] || fail "$(find . ! -type f ! -type d) is not a file"
[ -z "$(find . -type d -empty)" ] || fail "$(find . -type d -empty) is an empty folder"
[ -e {{ sums }} ] || fail "{{ sums }} is missing"
{%- if signed %}
[ -e {{ sums }}.sig ] || fail "{{ sums }}.sig is missing"
check_signature {{ sums }} "$signers"
{%- endif %}
sha256sum --check --strict --quiet {{ sums }} || fail "a file is not as it was sealed"
sealed=$({ cut -c 67- {{ sums }}; echo {{ sums }}{% if signed %}; echo {{ sums }}.sig{% endif %}; } | LC_ALL=C sort)
found=$(find . -type f | cut -c 3- | LC_ALL=C sort)
[ "$sealed" = "$found" ] || fail "these files were not sealed:" $(differ "$sealed" "$found")

# There is one checkpoint: it names the last entry of the ledger.
set -- checkpoint-*.json
[ $# -eq 1 ] && [ -e "$1" ] || fail "there must be exactly one checkpoint"
{%- if signed %}
check_signature "$1" "$signers"
{%- endif %}
checkpoint=$(sed -n 's/^{"number":\([0-9]*\),"sha256":"\([0-9a-f]*\)"}$/\1:\2/p' "$1")

# Each entry of the ledger holds the digest of the one before, and the last one is that of the checkpoint.
number=0 previous=0000000000000000000000000000000000000000000000000000000000000000
while IFS= read -r line; do
  number=$((number + 1))
  case $line in *"\"number\":$number,"*) ;; *) fail "ledger.jsonl: line $number is not entry $number" ;; esac
  case $line in *"\"previous\":\"$previous\""*) ;; *) fail "ledger.jsonl: line $number does not follow the one before" ;; esac
  previous=$(printf %s "$line" | digest)
done < ledger.jsonl
[ "$number:$previous" = "$checkpoint" ] ||
  fail "ledger.jsonl ends with entry $number:$previous, but the checkpoint names $checkpoint"
{%- if signed %}

# A key that the ledger names is trusted as far as a key that you trust has signed the ledger.
keys=$(mktemp)
cat "$signers" > "$keys"
echo >> "$keys"
sed -n 's/.*"fact":"key".*"signer":"{{ principal }} namespaces=\\"{{ namespace }}\\" \([^"]*\)".*/{{ principal }} namespaces="{{ namespace }}" \1/p' \
  ledger.jsonl >> "$keys"

# A bag may be unsigned only if no key was in use when it was started, as the ledger records.
check_unsigned() {
  begun=$(sed -n 's/^Rolecall-Ledger: \([0-9]*\):.*/\1/p' "$1/bag-info.txt")
  head -n "${begun:-$number}" ledger.jsonl | grep '"fact":"key"' | tail -n 1 | grep -q -v '"fingerprint":null' || return 0
  fail "$1 is not signed, although a key was in use"
}
{%- endif %}

# The period is the one that the README and the table name.
from=$(sed -n 's/.*"from":"\([^"]*\)".*/\1/p' period.json)
to=$(sed -n 's/.*"to":"\([^"]*\)".*/\1/p' period.json)
head -n 1 README.txt | grep -q -F ", $(echo "$from" | cut -c 1-10) TO " || fail "README.txt is of another period than period.json"
outside=$(sed 1d coverage.csv | grep -v -F "$from/$to" || true)
[ -z "$outside" ] || fail "coverage.csv is of another period than period.json"

# What the ledger names, one a line: removed bags, then bags (when, folder, digest), then mails that were kept.
named=$(mktemp)
trap 'rm -f "$named"{% if signed %} "$keys"{% endif %}{% if timestamps %} "$named.stamps"{% endif %}' EXIT
{
  grep '"fact":"bag_removed"' ledger.jsonl | sed -n 's/.*"bag":{"folder":"\([^"]*\)".*/removed \1/p'
  grep '"fact":"recorded"' ledger.jsonl |
    sed -n 's/.*"bag":{"folder":"\([^"]*\)","sha256":"\([0-9a-f]*\)"}.*"fire_at":"*\([^",]*\).*"read_from":"\([^"]*\)".*"run":"\([^"]*\)".*/bag \1 \2 \5 \3 \4/p'
  grep '"fact":"recorded"' ledger.jsonl | grep -F '"bag":null' |
    sed -n 's/.*"fire_at":"*\([^",]*\).*"read_from":"\([^"]*\)".*"run":"\([^"]*\)".*/bag - - \3 \1 \2/p'
  grep -E '"fact":"(bag_of_failure|review_sealed)"' ledger.jsonl |
    sed -n 's/.*"at":"\([^"]*\)".*"bag":{"folder":"\([^"]*\)","sha256":"\([0-9a-f]*\)"}.*/bag \2 \3 - \1 \1/p'
  grep '"fact":"delivery"' ledger.jsonl | grep -F '"kept":true' |
    sed -n 's/.*"at":"\([^"]*\)".*"run":"\([^"]*\)","sha256":"\([0-9a-f]*\)".*/mail \3 \2 \1/p'
} | awk -v from="$from" -v to="$to" '
  function within(at) { at = substr(at, 1, 19); return at >= substr(from, 1, 19) && at < substr(to, 1, 19) }
  $1 == "removed" { removed[$2] = 1 }
  $1 == "bag" { at = $5 == "null" ? $6 : $5; due[$4] = at; bag[$4] = $2
    if ($2 != "-" && within(at) && !($2 in removed)) print "bag", $2, $3 }
  $1 == "mail" { run = $3; gone = (run in bag) && (bag[run] in removed)
    if (!gone && within(run in due ? due[run] : $4)) print "mail", $2 }
' > "$named"

# Every bag of the period is there, is the one that the ledger names, and stands in the table.
sed -n 's/^bag //p' "$named" |
  while read -r bag sha256; do
    [ -d "$bag" ] || fail "the bag $bag is missing"
    [ "$(digest < "$bag/tagmanifest-sha256.txt")" = "$sha256" ] || fail "$bag is not the bag that the ledger names"
{%- if signed %}
    if [ -f "$bag/{{ signature }}" ]; then
      (cd "$bag" && check_signature tagmanifest-sha256.txt "$keys") || fail "$bag"
    else
      check_unsigned "$bag"
    fi
{%- endif %}
    (cd "$bag" && check_bag "$bag") || exit 1
{%- if signed %}
    (cd "$bag" && check_sheets "$bag") || exit 1
{%- endif %}
    [ -e "$bag/data/failure.json" ] || [ -e "$bag/data/events.jsonl" ] || grep -q -F ",$bag,$sha256," coverage.csv || fail "coverage.csv does not have $bag"
    echo "ok $bag"
  done

# Every mail of the period is there, and each has the digest in its name and is named by the ledger.
sed -n 's/^mail //p' "$named" |
  while read -r sha256; do
    [ -f "mail/$sha256.eml" ] || fail "the mail mail/$sha256.eml is missing"
  done
for mail in mail/*; do
  [ "$mail" != "mail/*" ] || break
  sha256=$(digest < "$mail")
  [ "$mail" = "mail/$sha256.eml" ] || fail "$mail does not have the digest in its name"
  grep '"fact":"delivery"' ledger.jsonl | grep -q -F "\"sha256\":\"$sha256\"" || fail "no entry of the ledger names $mail"
done

{%- if timestamps %}

# Every timestamp is as it came, is of what the ledger names, and its authority's certificate was valid at its time.
command -v openssl > /dev/null || fail "openssl is needed to verify the timestamps"
stamps=$named.stamps
rest='.*"root":"\([0-9a-f]*\)","time":"\([^"]*\)","token":"\([0-9a-f]*\)".*'
grep '"fact":"timestamped"' ledger.jsonl | sed -n \
  -e 's/.*"covers":{"bag":{"folder":"\([^"]*\)"'"$rest"'/\1 - \2 \3 \4/p' \
  -e 's/.*"covers":{"ledger":{"number":\([0-9]*\),'"$rest"'/- \1 \2 \3 \4/p' |
  awk -v from="$from" -v to="$to" '
    # Those of the ledger are here that were given in the period, and the first one after it.
    $1 == "-" { at = substr($4, 1, 19); if (at < substr(from, 1, 19)) next; if (at >= substr(to, 1, 19) && over++) next }
    { print }' > "$stamps"
verified=0
while read -r bag entry root time token; do
  stamp=timestamps/$token.tsr
  if [ "$bag" = - ]; then
    [ -f "$stamp" ] || fail "the timestamp $stamp of the ledger is missing"
    data=timestamps/$(printf 'checkpoint-%08d.json' "$entry")
    sha256=$(sed -n "${entry}p" ledger.jsonl | tr -d '\n' | digest)
    [ "$(cat "$data")" = "{\"number\":$entry,\"sha256\":\"$sha256\"}" ] || fail "$data is not the checkpoint of entry $entry"
{%- if signed %}
    [ ! -f "$data.sig" ] || check_signature "$data" "$keys"
{%- endif %}
  else
    [ -d "$bag" ] || continue
    [ -f "$stamp" ] || fail "the timestamp $stamp of $bag is missing"
    data=$bag/tagmanifest-sha256.txt
  fi
  [ ! -f "$data.sig" ] || data=$data.sig
  [ "$(digest < "$stamp")" = "$token" ] || fail "$stamp is not the timestamp that the ledger names"
  said=$(openssl ts -reply -in "$stamp" -text 2> /dev/null | sed -n 's/^Time stamp: //p')
  at=$(date -u -d "$said" +%s) && [ "$at" = "$(date -u -d "$time" +%s)" ] || fail "$stamp is not of the time that the ledger names"
  openssl ts -verify -data "$data" -in "$stamp" -CAfile "${authorities:-timestamps/$root.pem}" -partial_chain -attime "$at" \
    > /dev/null 2>&1 || fail "$stamp is not a valid timestamp of $data"
  verified=$((verified + 1))
done < "$stamps"
for stamp in timestamps/*.tsr; do
  grep -q " $(basename "$stamp" .tsr)\$" "$stamps" || fail "no entry of the ledger names $stamp"
done
{%- endif %}

# And no other folder is here.
for bag in */; do
  case $bag in "*/") break ;; mail/{% if timestamps %} | timestamps/{% endif %}) continue ;; esac
  sha256=$(digest < "$bag/tagmanifest-sha256.txt")
  grep -E '"fact":"(recorded|bag_of_failure|review_sealed)"' ledger.jsonl | grep -q -F "\"bag\":{\"folder\":\"${bag%/}\",\"sha256\":\"$sha256\"}" ||
    fail "no entry of the ledger names $bag"
done
{%- if signed %}
echo "Verified: every file of this export, the $number entries of the ledger, and every bag and mail of the period."
{%- if timestamps %}
echo "Verified: $verified timestamps${authorities:+ by authorities that you trust}."
[ -n "$authorities" ] ||
  echo "Their authorities are those that the ledger names: compare the certificates in timestamps/ (openssl x509 -in FILE -noout -subject -fingerprint -sha256) with those that you trust."
{%- endif %}
echo "Not checked here: what coverage.csv, coverage.html and README.txt say about the period. To check it: rolecall evidence verify FOLDER --allowed-signers FILE"
{%- else %}
fail "every digest matches, but the export is not signed: anybody may have made it"
{%- endif %}
