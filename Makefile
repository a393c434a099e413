# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# The few words that a person types.  CMake does the building.

.PHONY: all packages build asan demo test install format clean

PYTEST = /usr/bin/python3 -m pytest -q -p no:cacheprovider

all: build

packages:
	@scripts/install-packages.sh

build: packages
	@cmake --preset dev >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build --preset dev

asan: packages
	@cmake --preset asan >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build --preset asan

# Throw-away certificates, a real broker, devices that get in and do not.
demo: packages
	@echo "Building the plugin and certid ..."
	@{ cmake --preset dev && cmake --build --preset dev \
		--target mosquitto_certid certid; } >build.log 2>&1 || \
		{ cat build.log; exit 1; }
	@scripts/demo.sh

# Everything, with AddressSanitizer and UndefinedBehaviorSanitizer; then the
# broker tests once more against the plugin as it is installed.
test: build asan
	ctest --test-dir build-asan --output-on-failure -j2
	CERTID_BUILD=$(CURDIR)/build-asan $(PYTEST) test/ctl test/broker
	scripts/check-install.sh build
	CERTID_BUILD=$(CURDIR)/build $(PYTEST) test/broker

install: build
	cmake --install build

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-asan build-tsan build-release build.log
