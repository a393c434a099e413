/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[SIGNAL_COUNT];
static bool is_watching;
static volatile sig_atomic_t came;
static _Thread_local const atomic_bool *asked;

static void
note(int signal)
{
	(void)signal;
	came = 1;
}

void
interrupt_watch(void)
{
	/* Without SA_RESTART, so that a read ends. */
	struct sigaction action = {.sa_flags = (int)SA_RESETHAND};
	size_t i;

	action.sa_handler = note;
	(void)sigemptyset(&action.sa_mask);
	came = 0;
	for (i = 0; i < SIGNAL_COUNT; i++) {
		(void)sigaction(signals[i], NULL, &before[i]);
		/* What nohup and shells let pass is to pass. */
		if (before[i].sa_handler != SIG_IGN) {
			(void)sigaction(signals[i], &action, NULL);
		}
	}
	is_watching = true;
}

void
interrupt_forget(void)
{
	size_t i;

	for (i = 0; is_watching && i < SIGNAL_COUNT; i++) {
		(void)sigaction(signals[i], &before[i], NULL);
	}
	is_watching = false;
}

bool
interrupt_came(void)
{
	return asked != NULL ? atomic_load(asked) : is_watching && came != 0;
}

void
interrupt_ask(const atomic_bool *stopping)
{
	asked = stopping;
}
