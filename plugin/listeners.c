/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/listeners.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/conf.h"

#define PORT_MAX     65535
#define PORT_DEFAULT 1883
#define PORTS_LEN    (PORT_MAX / 8 + 1)
#define OR_BROKER    ", or write plugin_opt_tls_verify broker"

struct listeners {
	bool are_all;
	uint8_t ports[PORTS_LEN]; /* a bit each; that of 0 has no meaning */
	/* Of every listener, ours or not. */
	uint8_t tls[PORTS_LEN], plain[PORTS_LEN];
	bool has_tls, has_plain;
	bool has_unsure_plain; /* on a port that is not known */
};

/* What the lines of one listener say. */
struct section {
	long port; /* 0: a socket that has none */
	bool is_ours;
	bool is_unsure; /* 2.0 and 2.1 read another port */
	bool has_certfile, has_keyfile;
	bool is_proxied; /* TLS, if there is any, ends before us */
};

/* Where we are in a file. */
struct place {
	struct section own;      /* of the last "listener" line */
	struct section *section; /* own, or the default listener */
	bool has_listener;
	bool is_unsure; /* 2.0 and 2.1 are in another section */
};

struct reader {
	const char *plugin_path;
	struct listeners *listeners;
	uint8_t others[PORTS_LEN]; /* ports of listeners without the plugin */
	struct section standard;   /* the default listener */
	bool has_standard;
	bool has_port;          /* and a line says which port is its */
	struct place places[2]; /* in a file of -c, and in one it includes */
	struct place *place;
	bool per_listener;
	bool has_global; /* some plugin is for every listener */
	bool has_load;   /* some plugin is for those that use it */
	bool is_used;    /* this one is used by a listener */
	char *names[LISTENERS_NAMES_MAX]; /* plugin_load gave this one */
	size_t names_count;
	const struct conf_line *line;
	struct diag *why;
};

static bool
has_port(const uint8_t ports[PORTS_LEN], long port)
{
	return (ports[port / 8] & 1u << port % 8) != 0;
}

static void
set_port(uint8_t ports[PORTS_LEN], long port)
{
	uint8_t *byte = &ports[port / 8];

	*byte = (uint8_t)(*byte | 1u << port % 8);
}

/* Without a port of its own 2.0 opens one in the place of the default
 * listener, to this machine alone and without TLS. */
static bool
is_tls(const struct reader *reader, const struct section *section)
{
	return section->has_certfile && section->has_keyfile &&
	    !section->is_proxied &&
	    (section != &reader->standard || reader->has_port);
}

static void
end_section(struct reader *reader, const struct section *section)
{
	struct listeners *listeners = reader->listeners;

	set_port(section->is_ours ? listeners->ports : reader->others,
	    section->port);
	if (is_tls(reader, section)) {
		listeners->has_tls = true;
		set_port(listeners->tls, section->port);
		return;
	}
	listeners->has_plain = true;
	listeners->has_unsure_plain |= section->is_unsure;
	set_port(listeners->plain, section->port);
}

static enum res
refuse(const struct reader *reader, enum res r, const char *what)
{
	return diag_res(reader->why, r, "%s:%lu: %s", reader->line->path,
	    reader->line->number, what);
}

static bool
is_same_file(const char *ours, const char *text)
{
	const char *slash = strrchr(ours, '/');
	struct stat a, b;

	if (strchr(text, '/') == NULL) { /* dlopen(3) looks for the name */
		return strcmp(text, slash == NULL ? ours : slash + 1) == 0;
	}
	if (stat(ours, &a) == 0 && stat(text, &b) == 0) {
		return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	}
	return strcmp(ours, text) == 0;
}

/* The path is the rest of the line, since 2.1.3 its first word.  The broker
 * has loaded it, so a file that is not there is not what it read. */
static bool
is_this_plugin(const struct reader *reader, char *path)
{
	if (is_same_file(reader->plugin_path, path)) {
		return true;
	}
	if (access(path, F_OK) == 0) {
		return false;
	}
	path[strcspn(path, " ")] = '\0';
	return is_same_file(reader->plugin_path, path);
}

/* Two files may have one name, but not one path. */
static enum res
check_path(const struct reader *reader, const char *path)
{
	if (strchr(path, '/') == NULL) {
		return refuse(reader, RES_UNAVAIL,
		    "write the whole path of the plugin" OR_BROKER);
	}
	return RES_OK;
}

static enum res
use_here(struct reader *reader)
{
	struct place *place = reader->place;

	if (place->is_unsure || place->section->is_unsure) {
		return refuse(reader, RES_UNAVAIL,
		    "Mosquitto 2.0 and 2.1 differ in which listener this line "
		    "is for: write it under a \"listener\" line with a decimal "
		    "port, above port, bind_address and include_dir" OR_BROKER);
	}
	place->section->is_ours = true;
	reader->is_used = true;
	return RES_OK;
}

static enum res
take_per_listener(struct reader *reader, char *value)
{
	const char *word = conf_word(&value);

	if (strcmp(word, "true") == 0 || strcmp(word, "1") == 0) {
		reader->per_listener = true;
		return RES_OK;
	}
	if (strcmp(word, "false") != 0 && strcmp(word, "0") != 0) {
		return refuse(reader, RES_SYNTAX, "write true or false");
	}
	if (reader->per_listener) {
		return refuse(reader, RES_UNAVAIL,
		    "Mosquitto 2.0 takes an earlier true back here, 2.1 does "
		    "not: remove a line" OR_BROKER);
	}
	return RES_OK;
}

/* 2.0 reads the decimal digits up to what is none, modulo 2^32; 2.1 also
 * octal and hexadecimal, and nothing else in the word. */
static void
read_port(const char *word, struct section *section)
{
	long port = strtol(word, NULL, 10);

	section->is_unsure =
	    port < 0 || port > PORT_MAX || port != strtol(word, NULL, 0);
	section->port = section->is_unsure ? 0 : port;
}

static void
end_place(struct reader *reader, struct place *place)
{
	if (place->section == &place->own) {
		end_section(reader, &place->own);
	}
}

static enum res
take_listener(struct reader *reader, char *value)
{
	struct place *place = reader->place;

	end_place(reader, place);
	memset(&place->own, 0, sizeof(place->own));
	read_port(conf_word(&value), &place->own);
	place->section = &place->own;
	place->has_listener = true;
	place->is_unsure = false;
	return RES_OK;
}

/* Behind it 2.1 is in the section of the default listener; 2.0 stays where it
 * was. */
static enum res
take_bind_address(struct reader *reader, char *value)
{
	struct place *place = reader->place;

	(void)value;
	reader->has_standard = true;
	place->is_unsure = place->section != &reader->standard;
	return RES_OK;
}

static enum res
take_port(struct reader *reader, char *value)
{
	reader->has_port = true;
	read_port(conf_word(&value), &reader->standard);
	return take_bind_address(reader, value);
}

/* There is a default listener with TLS, even if nobody gave it a port.  Where
 * 2.0 and 2.1 differ in whose file it is, it is nobody's. */
static enum res
take_certfile(struct reader *reader, char *value)
{
	struct place *place = reader->place;

	(void)value;
	if (place->section == &reader->standard) {
		reader->has_standard = true;
	}
	place->section->has_certfile |= !place->is_unsure;
	return RES_OK;
}

static enum res
take_keyfile(struct reader *reader, char *value)
{
	struct place *place = reader->place;

	(void)value;
	place->section->has_keyfile |= !place->is_unsure;
	return RES_OK;
}

/* 2.1: what stands before the broker may speak TLS with the client, or not.
 * Where it is unclear whom this is for it is for both that it may be. */
static enum res
take_proxy(struct reader *reader, char *value)
{
	(void)value;
	reader->place->section->is_proxied = true;
	reader->standard.is_proxied |= reader->place->is_unsure;
	return RES_OK;
}

static enum res
take_global_plugin(struct reader *reader, char *value)
{
	reader->has_global = true;
	if (is_this_plugin(reader, conf_trim(value))) {
		reader->listeners->are_all = true;
	}
	return RES_OK;
}

static enum res
take_plugin(struct reader *reader, char *value)
{
	char *path = conf_trim(value);
	enum res r;

	if (!reader->per_listener) {
		return take_global_plugin(reader, path);
	}
	if (!is_this_plugin(reader, path)) {
		return RES_OK;
	}
	r = check_path(reader, path);
	return r == RES_OK ? use_here(reader) : r;
}

static enum res
take_plugin_load(struct reader *reader, char *value)
{
	const char *name = conf_word(&value);
	char *path = conf_trim(value), *copy;
	enum res r;

	reader->has_load = true;
	if (*path == '\0') {
		return refuse(reader, RES_SYNTAX, "the path is missing");
	}
	if (!is_this_plugin(reader, path)) {
		return RES_OK;
	}
	if ((r = check_path(reader, path)) != RES_OK) {
		return r;
	}
	if (reader->names_count == LISTENERS_NAMES_MAX) {
		return refuse(reader, RES_LIMIT,
		    "the plugin is loaded too often: several listeners may "
		    "use one name");
	}
	if ((copy = strdup(name)) == NULL) {
		return refuse(reader, RES_NOMEM, "no memory");
	}
	reader->names[reader->names_count++] = copy;
	return RES_OK;
}

static enum res
take_plugin_use(struct reader *reader, char *value)
{
	const char *name = conf_trim(value);
	size_t i;

	for (i = 0; i < reader->names_count; i++) {
		if (strcmp(reader->names[i], name) == 0) {
			return use_here(reader);
		}
	}
	return RES_OK;
}

static const struct {
	const char *key;
	enum res (*take)(struct reader *reader, char *value);
} keys[] = {
    {"per_listener_settings", take_per_listener},
    {"listener", take_listener},
    {"port", take_port},
    {"bind_address", take_bind_address},
    {"certfile", take_certfile},
    {"keyfile", take_keyfile},
    {"enable_proxy_protocol", take_proxy},
    {"plugin", take_plugin},
    {"auth_plugin", take_plugin},
    {"global_plugin", take_global_plugin},
    {"plugin_load", take_plugin_load},
    {"plugin_use", take_plugin_use},
};

static enum res
take_line(void *context, const struct conf_line *line, struct diag *why)
{
	struct reader *reader = context;
	size_t i;

	reader->line = line;
	reader->why = why;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(line->key, keys[i].key) != 0) {
			continue;
		}
		if (line->value[strspn(line->value, " ")] == '\0') {
			return refuse(
			    reader, RES_SYNTAX, "the value is missing");
		}
		return keys[i].take(reader, line->value);
	}
	return RES_OK;
}

/* Every file begins in the section of the default listener. */
static void
begin_file(void *context, bool is_included)
{
	struct reader *reader = context;

	reader->place = &reader->places[is_included ? 1 : 0];
	memset(reader->place, 0, sizeof(*reader->place));
	reader->place->section = &reader->standard;
}

/* A listener in it has moved the others, and 2.0 goes on writing to where the
 * one was that the including file is at. */
static void
end_file(void *context, bool is_included)
{
	struct reader *reader = context;
	bool has_listener = reader->place->has_listener;

	end_place(reader, reader->place);
	if (is_included) {
		reader->place = &reader->places[0];
		reader->place->is_unsure |= has_listener;
	}
}

static enum res
check_ports(const struct reader *reader, struct diag *why)
{
	long port;

	for (port = 1; port <= PORT_MAX; port++) {
		if (has_port(reader->listeners->ports, port) &&
		    has_port(reader->others, port)) {
			return diag_res(why, RES_UNAVAIL,
			    "of the listeners on port %ld some use the plugin "
			    "and some do not: give them different "
			    "ports" OR_BROKER,
			    port);
		}
	}
	return RES_OK;
}

static enum res
conclude(struct reader *reader, struct diag *why)
{
	struct listeners *listeners = reader->listeners;

	if (reader->has_standard || reader->standard.is_ours) {
		end_section(reader, &reader->standard);
	}
	/* However they are written: one of the lines has loaded us. */
	if (reader->has_global && !reader->per_listener && !reader->has_load) {
		listeners->are_all = true;
	}
	if (listeners->are_all) {
		return RES_OK;
	}
	if (!reader->is_used) {
		return diag_res(why, RES_UNAVAIL,
		    "in the broker's configuration no listener uses %s, so "
		    "those that do are not known: write this path in the "
		    "plugin line" OR_BROKER,
		    reader->plugin_path);
	}
	if (reader->standard.is_ours && reader->standard.is_unsure) {
		return diag_res(why, RES_UNAVAIL,
		    "Mosquitto 2.0 and 2.1 differ in which port the \"port\" "
		    "line gives to the default listener: write it as a decimal "
		    "number" OR_BROKER);
	}
	return check_ports(reader, why);
}

enum res
listeners_parse(const char *plugin_path, const char *config_path,
    struct listeners **out, struct diag *why)
{
	struct reader reader = {.plugin_path = plugin_path};
	struct conf_sink sink = {begin_file, take_line, end_file, &reader};
	enum res r;

	reader.standard.port = PORT_DEFAULT;
	reader.listeners = calloc(1, sizeof(*reader.listeners));
	if (reader.listeners == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	r = config_path == NULL ? conf_read_started(&sink, why)
	                        : conf_read(config_path, &sink, why);
	if (r == RES_OK) {
		r = conclude(&reader, why);
	}
	while (reader.names_count > 0) {
		free(reader.names[--reader.names_count]);
	}
	if (r != RES_OK) {
		listeners_free(reader.listeners);
		return r;
	}
	*out = reader.listeners;
	return RES_OK;
}

enum res
listeners_read(
    const char *plugin_path, struct listeners **out, struct diag *why)
{
	return listeners_parse(plugin_path, NULL, out, why);
}

void
listeners_free(struct listeners *listeners)
{
	free(listeners);
}

bool
listeners_are_all(const struct listeners *listeners)
{
	return listeners->are_all;
}

bool
listeners_include(const struct listeners *listeners, int port)
{
	return listeners->are_all ||
	    (port > 0 && port <= PORT_MAX && has_port(listeners->ports, port));
}

bool
listeners_have_tls(const struct listeners *listeners, int port)
{
	return port > 0 && port <= PORT_MAX && !listeners->has_unsure_plain &&
	    has_port(listeners->tls, port) && !has_port(listeners->plain, port);
}

bool
listeners_all_have_tls(const struct listeners *listeners)
{
	return listeners->has_tls && !listeners->has_plain;
}
