/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * member: what commands, arguments and options are called in JSON.
 *
 * The rules are here, once; the table of commands.c is the only list of names.
 */
#ifndef MANAGE_MEMBER_H
#define MANAGE_MEMBER_H

#include "manage/options.h"

#define MEMBER_MAX 63 /* bytes of a name */

/*
 * What a command is called: of two words the second, then the first, as in
 * "device lock", lockDevice; "list" wants the plural, listDevices.  Those of
 * one word have names of their own; "set" has two, for it lists without
 * arguments: with_args tells which.
 */
void member_of_command(
    const struct command *command, bool with_args, char name[MEMBER_MAX + 1]);

/* NULL: there is none.  *with_args as above. */
const struct command *member_find_command(
    const struct command *table, const char *name, bool *with_args);

/* The n-th argument: "identity" of IDENTITY, "type" of default|CLASS:TYPE.
 * False: the command has no such argument. */
MUST_CHECK bool member_of_argument(
    const struct command *command, size_t n, char name[MEMBER_MAX + 1]);

/* An option: "crlUrl" of crl-url.  Where every command has a member of this
 * name, or this one an argument, its noun stands before it: "hookFormat".
 * command may be NULL: an option that all have. */
void member_of_option(const struct command *command,
    const struct option *option, char name[MEMBER_MAX + 1]);

/* Members that are about the message: command, correlationData, ... */
bool member_is_reserved(const char *name);

/* Whether the n-th argument is a file. */
bool member_is_file(const struct command *command, size_t n);

/* Whether the value of an option is a file, or may be one, as FILE and
 * FILE|FINGERPRINT; and whether text then is a fingerprint and no file. */
bool member_takes_file(const struct option *option);
bool member_is_fingerprint(const struct option *option, const char *text);

#endif /* MANAGE_MEMBER_H */
