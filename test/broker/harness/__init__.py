# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What the broker tests stand on: certificates, a registry, a broker, clients."""
