/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Configurations of a broker, in a folder of their own. */
#ifndef TEST_UNIT_PLUGIN_LISTENERS_FIXTURE_H
#define TEST_UNIT_PLUGIN_LISTENERS_FIXTURE_H

#include <stddef.h>

#include "plugin/listeners.h"

#define PER "per_listener_settings true\n"
#define US  "plugin @/us.so\n"
#define ONE PER "listener 8883\n" US

/* It has us.so, the plugin; alias.so, a link to it; and them.so. */
extern char listeners_folder[];
extern char listeners_us[64];

/* A file of the folder; '@' in its text is the folder. */
void listeners_write(const char *name, const char *text, size_t len);
void listeners_drop(const char *name);

struct included {
	const char *name, *text;
};

/* Write the text, and the files that it includes (or NULL), and read them. */
enum res listeners_try(const char *text, size_t len,
    const struct included files[3], struct listeners **out, struct diag *why);

int listeners_make_folder(void **state);
int listeners_remove_folder(void **state);

#endif /* TEST_UNIT_PLUGIN_LISTENERS_FIXTURE_H */
