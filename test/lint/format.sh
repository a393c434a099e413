#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# Fails on every C file that clang-format would write otherwise.
# usage: format.sh [ROOT]; exit 77 where there is no clang-format.
set -eu

root=${1:-$(dirname "$0")/../..}
cd "$root"
if ! command -v clang-format >/dev/null; then
	echo "format: no clang-format here; skipped"
	exit 77
fi
find . \( -path './build*' -o -name '.?*' \) -prune -o \
	-name '*.[ch]' -type f -print0 |
	sort -z | xargs -0 -r clang-format --dry-run -Werror
echo "format: every file is as clang-format would write it"
