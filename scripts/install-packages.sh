#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# Install what packaging/debian-packages.txt names and the machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing+=("$package")
done < <(grep -v '^#' packaging/debian-packages.txt)

[ ${#missing[@]} -gt 0 ] || exit 0
as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "these packages are missing, and only root can install them: ${missing[*]}" >&2
		exit 1
	}
	as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
# The package starts a broker of its own on port 1883; nothing here needs it.
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
