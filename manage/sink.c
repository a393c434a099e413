/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN "the registry"

/* What stands where lines were cut out. */
#define GAP "certid: warning: lines are left out here, for there are too many\n"

static bool
make_room(struct sink *sink, size_t len)
{
	size_t room = sink->room == 0 ? 4096 : sink->room;
	char *text;

	while (room < sink->len + len + 1) {
		room *= 2;
	}
	if (room > sink->room) {
		if ((text = realloc(sink->text, room)) == NULL) {
			return false;
		}
		sink->text = text;
		sink->room = room;
	}
	return true;
}

static bool
append(struct sink *sink, const char *bytes, size_t len)
{
	if (!make_room(sink, len)) {
		return false;
	}
	memcpy(sink->text + sink->len, bytes, len);
	sink->len += len;
	sink->text[sink->len] = '\0';
	return true;
}

/* Forget all lines but those in the first half of what is taken. */
static void
cut_lines(struct sink *sink)
{
	size_t at = sink->cut;

	if (at == 0) {
		at = sink->len < sink->most / 2 ? sink->len : sink->most / 2;
		while (at > 0 && sink->text[at - 1] != '\n') {
			at--;
		}
	}
	sink->len = at;
	if (sink->cut == 0 && append(sink, GAP, strlen(GAP))) {
		sink->cut = sink->len;
	}
}

static ssize_t
take_bytes(void *cookie, const char *bytes, size_t len)
{
	struct sink *sink = cookie;
	bool fits = len <= sink->most && sink->len <= sink->most - len;

	if (!fits && sink->keeps_ends) {
		sink->over = true;
		cut_lines(sink);
		fits = true;
		/* One line of the sentences that commands tell fits into the
		 * other half. */
		len = len > sink->most / 2 ? sink->most / 2 : len;
	}
	/* Else what does not fit is dropped, and all that follows. */
	sink->over |= !fits;
	if (sink->over && !sink->keeps_ends) {
		errno = EFBIG;
		return sink->ends ? 0 : (ssize_t)len;
	}
	sink->over |= !append(sink, bytes, len);
	return (ssize_t)len;
}

FILE *
sink_open(struct sink *sink)
{
	FILE *to = fopencookie(
	    sink, "w", (cookie_io_functions_t){.write = take_bytes});

	if (to != NULL && sink->keeps_ends) {
		(void)setvbuf(to, NULL, _IOLBF, BUFSIZ);
	}
	return to;
}

const char *
sink_text(const struct sink *sink)
{
	return sink->text == NULL ? "" : sink->text;
}

void
sink_prepend(struct sink *sink, const char *lines)
{
	size_t len = strlen(lines);

	if (!make_room(sink, len)) {
		sink->over = true;
		return;
	}
	memmove(sink->text + len, sink->text, sink->len);
	memcpy(sink->text, lines, len);
	sink->len += len;
	sink->text[sink->len] = '\0';
}

void
sink_hide(struct sink *sink, const char *name)
{
	struct sink made = {.room = 0};
	const char *at = sink_text(sink), *found;
	bool done = true;

	if (strstr(at, name) == NULL) {
		return;
	}
	while (done && (found = strstr(at, name)) != NULL) {
		done = append(&made, at, (size_t)(found - at)) &&
		    append(&made, HIDDEN, strlen(HIDDEN));
		at = found + strlen(name);
	}
	if (!done || !append(&made, at, strlen(at))) {
		free(made.text);
		made = (struct sink){.over = true};
	}
	free(sink->text);
	sink->text = made.text;
	sink->len = made.len;
	sink->room = made.room;
	sink->over |= made.over;
}

void
sink_done(struct sink *sink)
{
	free(sink->text);
	memset(sink, 0, sizeof(*sink));
}
