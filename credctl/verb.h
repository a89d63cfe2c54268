/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One table makes usage, help, parsing and dispatch. A new verb is a file verb_NAME.c and a row. */
#pragma once

#include "credctl/arguments.h"
#include "credctl/context.h"

enum { VERB_TOKENS = 1, VERB_REPORTS = 2 };

typedef struct Verb {
        const char *name;
        const char *operands;  /* as the usage shows them; "" if there are none */
        const char *line;      /* what it does, in one line */
        const Option *options; /* ended by one without a name; NULL: none */
        const char *required;  /* the name of the option it cannot do without; NULL: none */
        int operands_min, operands_max;
        unsigned forms; /* of --output, beside table and json: VERB_... */
        int (*run)(const Context *context, const Arguments *arguments);
        const char *heading; /* of the group in the overview that it begins; NULL: it begins none */
} Verb;

/* What a verb such as "role" has of its own: each with the operand that must follow it (NULL: none)
 * and the options of the verb that it takes, each between blanks. */
typedef struct Command {
        const char *name;
        const char *operand;
        const char *options;
        int (*run)(const Context *context, const Arguments *arguments, const char *operand);
} Command;

/* Ended by a row without a name. */
extern const Verb credctl_verbs[];
extern const Command verb_role_commands[];

const Verb *verb_find(const char *name);
/* NULL: it has none. Ended by one without a name. */
const Command *verb_commands(const Verb *verb);

extern const Option verb_approve_options[];
extern const Option verb_deny_options[];
extern const Option verb_audit_options[];
extern const Option verb_ack_options[];
extern const Option verb_done_options[];
extern const Option verb_drill_options[];
extern const Option verb_explain_options[];
extern const Option verb_extend_options[];
extern const Option verb_freeze_options[];
extern const Option verb_issue_options[];
extern const Option verb_list_options[];
extern const Option verb_request_options[];
extern const Option verb_metrics_options[];
extern const Option verb_revoke_options[];
extern const Option verb_role_options[];
extern const Option verb_sessions_options[];
extern const Option verb_watch_options[];

/* What "credctl" alone shows; 0 even if there are problems. */
int verb_status_overview(const Context *context);

int verb_approve_run(const Context *context, const Arguments *arguments);
int verb_collect_run(const Context *context, const Arguments *arguments);
int verb_deny_run(const Context *context, const Arguments *arguments);
int verb_audit_run(const Context *context, const Arguments *arguments);
int verb_ack_run(const Context *context, const Arguments *arguments);
int verb_doctor_run(const Context *context, const Arguments *arguments);
int verb_backup_run(const Context *context, const Arguments *arguments);
int verb_done_run(const Context *context, const Arguments *arguments);
int verb_drill_run(const Context *context, const Arguments *arguments);
int verb_explain_run(const Context *context, const Arguments *arguments);
int verb_extend_run(const Context *context, const Arguments *arguments);
int verb_freeze_run(const Context *context, const Arguments *arguments);
int verb_help_run(const Context *context, const Arguments *arguments);
int verb_issue_run(const Context *context, const Arguments *arguments);
int verb_list_run(const Context *context, const Arguments *arguments);
int verb_request_run(const Context *context, const Arguments *arguments);
int verb_requests_run(const Context *context, const Arguments *arguments);
int verb_metrics_run(const Context *context, const Arguments *arguments);
int verb_revoke_run(const Context *context, const Arguments *arguments);
int verb_role_run(const Context *context, const Arguments *arguments);
int verb_sessions_run(const Context *context, const Arguments *arguments);
int verb_show_run(const Context *context, const Arguments *arguments);
int verb_status_run(const Context *context, const Arguments *arguments);
int verb_thaw_run(const Context *context, const Arguments *arguments);
int verb_time_run(const Context *context, const Arguments *arguments);
int verb_verify_run(const Context *context, const Arguments *arguments);
int verb_watch_run(const Context *context, const Arguments *arguments);
