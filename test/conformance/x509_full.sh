#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# The whole set of path validation cases, which is kept compressed.
# CERTID_X509_FULL names the file; without it, exit 77 where there is none.
# usage: x509_full.sh X509_TEST
set -eu

cases=${CERTID_X509_FULL:-$(dirname "$0")/../../../shared/x509/limbo-client-full.jsonl.xz}
if [ ! -r "$cases" ] && [ -z "${CERTID_X509_FULL:-}" ]; then
	echo "skipped: $cases is not there; set CERTID_X509_FULL to a file of" \
		"cases"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
xz -dc -- "$cases" >"$folder/cases.jsonl"
CERTID_X509_CASES=$folder/cases.jsonl "$1" --all
