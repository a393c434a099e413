/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * commands: every command and option of certid, and the functions behind
 * them.  Each of those prints its answer and returns an exit code.
 */
#ifndef MANAGE_COMMANDS_H
#define MANAGE_COMMANDS_H

#include "manage/call.h"

extern const struct command commands[];
extern const struct option global_options[];

/* What "certid help TOPIC" prints: a command, a noun, or "" for all. */
int print_help(const char *topic);

int run_init(struct call *call);
int run_status(struct call *call);
int run_help(struct call *call);
int run_explain(struct call *call);
int run_set(struct call *call);
int run_import(struct call *call);
int run_export(struct call *call);
int run_metrics(struct call *call);

int run_org_add(struct call *call);
int run_org_list(struct call *call);
int run_org_remove(struct call *call);

int run_ca_add(struct call *call);
int run_ca_list(struct call *call);
int run_ca_show(struct call *call);
int run_ca_activate(struct call *call);
int run_ca_deactivate(struct call *call);
int run_ca_remove(struct call *call);
int run_ca_set(struct call *call);
int run_ca_code(struct call *call);
int run_ca_verify(struct call *call);
int run_ca_crl(struct call *call);

int run_type_list(struct call *call);
int run_type_show(struct call *call);
int run_type_set(struct call *call);
int run_type_unset(struct call *call);

int run_rule_list(struct call *call);
int run_rule_set(struct call *call);
int run_rule_unset(struct call *call);
int run_compliance(struct call *call);

int run_device_add(struct call *call);
int run_device_set(struct call *call);
int run_device_list(struct call *call);
int run_device_show(struct call *call);
int run_device_lock(struct call *call);
int run_device_unlock(struct call *call);
int run_device_approve(struct call *call);
int run_device_remove(struct call *call);
int run_device_token(struct call *call);
int run_device_pin(struct call *call);
int run_device_attach(struct call *call);
int run_device_detach(struct call *call);

int run_hook_add(struct call *call);
int run_hook_list(struct call *call);
int run_hook_show(struct call *call);
int run_hook_remove(struct call *call);

int run_topic_list(struct call *call);
int run_topic_add(struct call *call);
int run_topic_remove(struct call *call);

int run_admin_add(struct call *call);
int run_admin_list(struct call *call);
int run_admin_remove(struct call *call);

int run_event_list(struct call *call);
int run_event_follow(struct call *call);

#endif /* MANAGE_COMMANDS_H */
