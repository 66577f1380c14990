#!/bin/sh
# Verifies this bag with sha256sum and ssh-keygen: sh verify.sh ALLOWED_SIGNERS
# The file ALLOWED_SIGNERS must come from the company by another way than this folder.
set -eu
[ $# -eq 0 ] || signers=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"
fail() { echo "NOT VERIFIED: $*" >&2; exit 1; }

# Nothing changed, nothing missing.
sha256sum --check --strict --quiet manifest-sha256.txt || fail "the payload is not what was sealed"
sha256sum --check --strict --quiet tagmanifest-sha256.txt || fail "the manifests are not what was sealed"

# Nothing added.
listed=$(cut -c 67- manifest-sha256.txt | LC_ALL=C sort)
found=$(find data -type f | LC_ALL=C sort)
[ "$listed" = "$found" ] || fail "data/ holds files that were not sealed"

[ -e {{ signature }} ] || fail "this bag is not signed"
[ $# -eq 1 ] || fail "the digests fit; name the allowed_signers file to verify who sealed them"
ssh-keygen -Y verify -f "$signers" -I {{ principal }} -n {{ namespace }} -s {{ signature }} < tagmanifest-sha256.txt ||
  fail "the signature does not hold"
echo "Verified: every file is as it was sealed, and sealed by whom you trust."
