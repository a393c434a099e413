#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# broker-suite.sh BUILD [FOLDER...] - the tests in these folders (default:
# test/broker), with the plugin and the certid of a build folder.
#
# Two at a time; afterwards, one by one, those that measure time.  Both parts
# run, whatever becomes of the first.  Environment, besides what
# test/broker/conftest.py tells: PYTEST_ADDOPTS, further options of pytest.
set -euo pipefail

build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- test/broker

export CERTID_BUILD=$build
pytest=(/usr/bin/python3 -m pytest -rs -p no:cacheprovider)
failed=0
"${pytest[@]}" -n 2 -m 'not alone' "$@" || failed=1
"${pytest[@]}" -m alone "$@" || failed=1
exit $failed
