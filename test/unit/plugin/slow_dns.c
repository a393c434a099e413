/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/plugin/slow_dns.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define DEADLINE_S 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int hanging;
static bool leaving;

typedef int resolver(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **out);

static struct timespec
deadline(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += DEADLINE_S;
	return end;
}

/* Not for ever: who waits for us would never say that he had to. */
static void
hang(void)
{
	struct timespec end = deadline();
	int error = 0;

	pthread_mutex_lock(&lock);
	hanging++;
	pthread_cond_broadcast(&changed);
	while (!leaving && error == 0) {
		error = pthread_cond_timedwait(&changed, &lock, &end);
	}
	hanging--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
	resolver *real;

	if (node != NULL && strcmp(node, SLOW_DNS_NAME) == 0) {
		hang();
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, out);
}

bool
slow_dns_await(void)
{
	struct timespec end = deadline();
	int error = 0;

	pthread_mutex_lock(&lock);
	while (hanging == 0 && error == 0) {
		error = pthread_cond_timedwait(&changed, &lock, &end);
	}
	pthread_mutex_unlock(&lock);
	return error == 0;
}

void
slow_dns_let_go(void)
{
	pthread_mutex_lock(&lock);
	leaving = true;
	pthread_cond_broadcast(&changed);
	while (hanging > 0) {
		pthread_cond_wait(&changed, &lock);
	}
	leaving = false;
	pthread_mutex_unlock(&lock);
}
