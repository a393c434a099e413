/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * interrupt: Ctrl-C while something is under way that must not be left half
 * done.  For the main thread of the command line; elsewhere signals are
 * somebody else's and are left alone, and a flag says that it is time to end.
 */
#ifndef MANAGE_INTERRUPT_H
#define MANAGE_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP are noted, each once: the second one
 * ends the program. */
void interrupt_watch(void);

/* They do again what they did before. */
void interrupt_forget(void);

/* Whether one came, or the flag of this thread is set.  Cheap. */
bool interrupt_came(void);

/* From now on this thread asks the flag, and no signal; NULL: it does not. */
void interrupt_ask(const atomic_bool *stopping);

#endif /* MANAGE_INTERRUPT_H */
