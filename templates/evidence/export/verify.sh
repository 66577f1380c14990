#!/bin/sh
# Verifies this evidence with sha256sum and ssh-keygen: sh verify.sh ALLOWED_SIGNERS
# The file ALLOWED_SIGNERS must come from the company by another way than this folder.
set -eu
[ $# -eq 1 ] || { echo "usage: sh verify.sh ALLOWED_SIGNERS" >&2; exit 2; }
signers=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"
fail() { echo "NOT VERIFIED: $*" >&2; exit 1; }
digest() { sha256sum | cut -d ' ' -f 1; }

# The checkpoint is signed by somebody whom you trust.
set -- checkpoint-*.json
[ $# -eq 1 ] && [ -e "$1" ] || fail "there is not one checkpoint"
ssh-keygen -Y verify -f "$signers" -I {{ principal }} -n {{ namespace }} -s "$1.sig" < "$1" ||
  fail "the signature of $1 does not hold"
signed=$(sed -n 's/^{"number":\([0-9]*\),"sha256":"\([0-9a-f]*\)"}$/\1:\2/p' "$1")

# Each entry of the ledger holds the digest of the one before; up to the signed one nothing was changed.
number=0 previous=0000000000000000000000000000000000000000000000000000000000000000 seen=no
while IFS= read -r line; do
  number=$((number + 1))
  case $line in *"\"number\":$number,"*) ;; *) fail "ledger.jsonl: line $number is not entry $number" ;; esac
  case $line in *"\"previous\":\"$previous\""*) ;; *) fail "ledger.jsonl: line $number does not follow the one before" ;; esac
  previous=$(printf %s "$line" | digest)
  [ "$number:$previous" != "$signed" ] || seen=yes
done < ledger.jsonl
[ $seen = yes ] || fail "ledger.jsonl does not have the entry $signed that was signed"

# A key that the ledger names is trusted as far as a key that you trust has signed for the ledger.
keys=$(mktemp)
trap 'rm -f "$keys"' EXIT
cat "$signers" > "$keys"
head -n "${signed%%:*}" ledger.jsonl |
  sed -n 's/.*"fact":"key".*"signer":"{{ principal }} namespaces=\\"{{ namespace }}\\" \([^"]*\)".*/{{ principal }} namespaces="{{ namespace }}" \1/p' >> "$keys"

# Every bag of the period is there, and is the one that the ledger names.
from=$(sed -n 's/.*"from":"\([^"]*\)".*/\1/p' period.json)
to=$(sed -n 's/.*"to":"\([^"]*\)".*/\1/p' period.json)
grep '"fact":"recorded"' ledger.jsonl |
  sed -n 's/.*"bag":{"folder":"\([^"]*\)","sha256":"\([0-9a-f]*\)"}.*"fire_at":"*\([^",]*\).*"read_from":"\([^"]*\)".*/\1 \2 \3 \4/p' |
  awk -v from="$from" -v to="$to" '{ at = $3 == "null" ? $4 : $3 } at >= from && at < to { print $1, $2 }' |
  while read -r bag sha256; do
    if grep -q "\"bag\":{\"folder\":\"$bag\",\"sha256\":\"$sha256\"},\"fact\":\"bag_removed\"" ledger.jsonl; then
      continue
    fi
    [ -d "$bag" ] || fail "the bag $bag is not there"
    [ "$(digest < "$bag/tagmanifest-sha256.txt")" = "$sha256" ] || fail "$bag is not the bag that the ledger names"
  done
for bag in */; do
  [ -e "$bag/bagit.txt" ] || continue
  grep -q "\"bag\":{\"folder\":\"${bag%/}\",\"sha256\":\"$(digest < "$bag/tagmanifest-sha256.txt")\"}" ledger.jsonl ||
    fail "no entry of the ledger names $bag"
  sh "$bag/verify.sh" "$keys" > /dev/null || fail "$bag"
  echo "ok ${bag%/}"
done
echo "Verified: the ledger's $number entries up to the signed one, and every bag of the period."
