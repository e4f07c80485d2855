#!/bin/sh
# Asks govulncheck about what the functions and the command are made of, and writes the answer to a file of the release:
#
#   vulnerabilities.sh FILE GO GOVULNCHECK [UNCHECKED]
#
# A weakness that is called, or a database that cannot be reached, fails. UNCHECKED is the reason why somebody wants the release all the same, without
# the database; it stands in the file then.
set -eu
file=$1 go=$2 tool=$3 unchecked=${4:-}
database=${GOVULNDB:-https://vuln.go.dev}

if "$go" run "$tool" -db "$database" ./functions/... ./cmd/... >"$file" 2>"$file.log"; then
	rm "$file.log"
	exit 0
fi
if grep -q '^Vulnerability #' "$file"; then
	cat "$file" >&2
	echo "govulncheck found weaknesses that are called: update what it names, then make the release again" >&2
	exit 1
fi
if [ -n "$unchecked" ]; then
	echo "Not checked for known vulnerabilities: $unchecked" >"$file"
	cat "$file" >&2
	rm "$file.log"
	exit 0
fi
echo "known vulnerabilities were not checked, since govulncheck got no answer of $database ($(grep -v '^exit status' "$file.log" | tail -n 1)): make the release where it can be reached, or say UNCHECKED='why not'" >&2
exit 1
