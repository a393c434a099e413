# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# The few words that a person types.  CMake does the building.

.PHONY: all packages build asan demo test test-brokers install format clean

all: build

packages:
	@scripts/install-packages.sh

# What is installed; the tests are built by "make test", with sanitizers.
build: packages
	@cmake --preset dev >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build --preset dev --target mosquitto_certid certid

asan: packages
	@cmake --preset asan >build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build --preset asan

# Throw-away certificates, a real broker, devices that get in and do not.
demo: packages
	@echo "Building the plugin and certid ..."
	@$(MAKE) --no-print-directory build >build.log 2>&1 || \
		{ cat build.log; exit 1; }
	@scripts/demo.sh

# Everything, with AddressSanitizer and UndefinedBehaviorSanitizer; then the
# broker tests once more against the plugin as it is installed.
test: build asan
	ctest --test-dir build-asan --output-on-failure -j2
	scripts/broker-suite.sh build-asan test/ctl test/broker
	scripts/check-install.sh build
	scripts/broker-suite.sh build

# The broker tests on every Mosquitto that the plugin is made for, with both
# values of tls_verify; what "make test" runs is not run again.
test-brokers: build
	scripts/test-brokers.sh build

install: build
	cmake --install build

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-asan build-tsan build-release build.log
