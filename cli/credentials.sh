#!/bin/sh
# credentials.sh FILE DESCRIPTION -- an access key that may do everything, in FILE as AWS's clients read it, unless the key in it is known.
#
# SKEETER is the skeeter command (skeeter). A key that the store does not know is of no use: another one is made.
set -eu
umask 077
file=$1 skeeter=${SKEETER:-skeeter}
id=$(sed -n 's/^aws_access_key_id = //p' "$file" 2>/dev/null) || true
[ -z "$id" ] || ! "$skeeter" list-access-keys --max-results 250 | grep -q "\"$id\"" || exit 0
"$skeeter" create-access-key --policy-names '*' --description "$2" >"$file.json"
sed -n '1i[default]
	s/.*"accessKeyId": "\(.*\)".*/aws_access_key_id = \1/p
	s/.*"secretAccessKey": "\(.*\)".*/aws_secret_access_key = \1/p
	$aregion = us-east-1' "$file.json" >"$file.new"
rm "$file.json"
mv "$file.new" "$file"
