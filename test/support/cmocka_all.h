/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* cmocka.h and the headers that it wants before it. */
#ifndef TEST_SUPPORT_CMOCKA_ALL_H
#define TEST_SUPPORT_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif /* TEST_SUPPORT_CMOCKA_ALL_H */
