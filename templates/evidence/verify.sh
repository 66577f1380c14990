#!/bin/sh
# Verifies this bag with sha256sum, sha512sum and ssh-keygen: sh verify.sh ALLOWED_SIGNERS
# The file ALLOWED_SIGNERS must come from the company by another channel than this folder.
set -eu
[ $# -eq 0 ] || signers=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"
fail() { echo "NOT VERIFIED:" "$@" >&2; exit 1; }

{% include "evidence/bag.sh" %}

[ $# -eq 0 ] || [ ! -f {{ signature }} ] || check_signature tagmanifest-sha256.txt "$signers"
check_bag "the bag"
check_sheets "the bag"
[ -e {{ signature }} ] || fail "the digests match, but this bag is not signed"
[ $# -eq 1 ] || fail "the digests match; name the allowed_signers file to verify who sealed them"
echo "Verified: every file is as it was sealed, and the seal is signed by a key that you trust."
