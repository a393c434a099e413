/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

int
main(void)
{
	return registry_suite(&backend_sqlite);
}
