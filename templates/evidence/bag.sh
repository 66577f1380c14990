# Checks the bag in this folder: nothing changed, nothing missing, nothing added.
check_bag() {
  [ -z "$(find . ! -type f ! -type d)" ] || fail "$1 holds $(find . ! -type f ! -type d), which is not a file"
  [ -z "$(find . -type d -empty)" ] || fail "$1 holds the empty folder $(find . -type d -empty)"
  for list in manifest-sha256.txt manifest-sha512.txt tagmanifest-sha256.txt tagmanifest-sha512.txt; do
    [ -e $list ] || fail "$1: $list is missing"
  done
  sha256sum --check --strict --quiet manifest-sha256.txt || fail "$1: the payload is not what was sealed"
  sha256sum --check --strict --quiet tagmanifest-sha256.txt || fail "$1: the manifests are not what was sealed"
  sha512sum --check --strict --quiet manifest-sha512.txt || fail "$1: the payload is not what was sealed"
  # No signature covers this one; it must be what the files themselves give.
  cut -c 67- tagmanifest-sha256.txt | xargs sha512sum | cmp -s - tagmanifest-sha512.txt ||
    fail "$1: tagmanifest-sha512.txt is not what was sealed"
  sealed=$({ cut -c 67- manifest-sha256.txt tagmanifest-sha256.txt
    echo tagmanifest-sha256.txt
    echo tagmanifest-sha512.txt
    [ ! -e {{ signature }} ] || echo {{ signature }}; } | LC_ALL=C sort)
  found=$(find . -type f | cut -c 3- | LC_ALL=C sort)
  [ "$sealed" = "$found" ] || fail "$1 has files that were not sealed:" $(differ "$sealed" "$found")
}

# Checks the signatures of the spreadsheets that people decided with, by the keys that the bag names.
check_sheets() {
  for signature in data/sheets/*.sig; do
    [ -e "$signature" ] || return 0
    sheet=${signature%.sig}
    person=$(ssh-keygen -Y find-principals -s "$signature" -f data/sheets/allowed_signers) ||
      fail "$1: nobody is named for $signature"
    person=$(echo "$person" | head -n 1)
    ssh-keygen -Y verify -f data/sheets/allowed_signers -I "$person" -n {{ sheets }} -s "$signature" < "$sheet" > /dev/null ||
      fail "$1: the signature of $sheet is not valid"
    echo "ok $sheet, signed by $person"
  done
}

# The lines that are in only one of two texts.
differ() { printf '%s\n' "$1" "$2" | LC_ALL=C sort | uniq -u; }

# Checks that $1.sig is a signature of $1 by a key in the file $2, written as ssh-keygen writes signatures.
check_signature() {
  { echo "-----BEGIN SSH SIGNATURE-----"
    sed '1d;$d' "$1.sig" | base64 -d 2> /dev/null | base64 | tr -d '\n' | fold -w 70
    echo
    echo "-----END SSH SIGNATURE-----"; } | cmp -s - "$1.sig" || fail "$1.sig is not as ssh-keygen writes it"
  ssh-keygen -Y verify -f "$2" -I {{ principal }} -n {{ namespace }} -s "$1.sig" < "$1" > /dev/null ||
    fail "the signature of $1 is not valid"
}
