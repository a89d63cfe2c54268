/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs. tests/unit/test_verb.c holds the manual against it. */
#include "credctl/verb.h"

#include <limits.h>
#include <string.h>

const Verb credctl_verbs[] = {
        {"issue", "", "issue a credential and print its token, once", verb_issue_options, "user", 0,
         0, VERB_TOKENS, verb_issue_run, "Credentials and their sessions"},
        {"list", "", "credentials that are not final yet", verb_list_options, NULL, 0, 0, false,
         verb_list_run, NULL},
        {"sessions", "", "sessions that credentials opened, with the time left",
         verb_sessions_options, NULL, 0, 0, false, verb_sessions_run, NULL},
        {"show", "ID", "one credential: its life, its sessions, its receipt", NULL, NULL, 1, 1,
         false, verb_show_run, NULL},
        {"extend", "ID", "give its sessions and its logins more time", verb_extend_options, "by", 1,
         1, false, verb_extend_run, NULL},
        {"revoke", "[ID...]", "end credentials and their sessions now", verb_revoke_options, NULL,
         0, INT_MAX, false, verb_revoke_run, NULL},
        {"request", "", "ask for a credential that others approve", verb_request_options, "role", 0,
         0, true, verb_request_run, "Requests and approvals"},
        {"requests", "", "what is asked for, and not decided or not collected", NULL, NULL, 0, 0,
         false, verb_requests_run, NULL},
        {"approve", "ID", "say yes to what somebody asked for", verb_approve_options, NULL, 1, 1,
         false, verb_approve_run, NULL},
        {"deny", "ID", "say no to it, for good", verb_deny_options, NULL, 1, 1, false,
         verb_deny_run, NULL},
        {"collect", "ID", "what you asked for and was approved: print its token", NULL, NULL, 1, 1,
         true, verb_collect_run, NULL},
        {"time", "", "inside a session: what is left of it", NULL, NULL, 0, 0, false, verb_time_run,
         "From inside a session"},
        {"done", "", "inside a session: give its credential back and leave", verb_done_options,
         NULL, 0, 0, false, verb_done_run, NULL},
        {"role", "COMMAND", "roles: list, show, enable or disable one, check a file",
         verb_role_options, NULL, 0, INT_MAX, false, verb_role_run, "Roles and the host"},
        {"freeze", "", "stop all logins with tokens on this host", verb_freeze_options, NULL, 0, 0,
         false, verb_freeze_run, NULL},
        {"thaw", "", "let logins with tokens in again", NULL, NULL, 0, 0, false, verb_thaw_run,
         NULL},
        {"ack", "ID", "say that break-glass, or an end that was missed, was seen", verb_ack_options,
         "reason", 1, 1, false, verb_ack_run, NULL},
        {"audit", "", "who had access, by whom and why, and when each ended", verb_audit_options,
         NULL, 0, 0, VERB_REPORTS, verb_audit_run, "The record"},
        {"explain", "[ID]", "why logins of a credential or a user were refused",
         verb_explain_options, NULL, 0, 1, false, verb_explain_run, NULL},
        {"watch", "[ID...]", "events as they happen, a line each", verb_watch_options, NULL, 0,
         INT_MAX, false, verb_watch_run, NULL},
        {"verify", "", "check the record of all events, and the journal's of it", NULL, NULL, 0, 0,
         false, verb_verify_run, NULL},
        {"backup", "FILE", "a copy of credd's store, without the key", NULL, NULL, 1, 1, false,
         verb_backup_run, NULL},
        {"status", "", "whether credd is well, and what needs an admin", NULL, NULL, 0, 0, false,
         verb_status_run, "Health"},
        {"doctor", "", "look for what is wrong on this host, and say what to do", NULL, NULL, 0, 0,
         false, verb_doctor_run, NULL},
        {"drill", "", "a canary credential from its issue to its receipt", verb_drill_options,
         "user", 0, 0, false, verb_drill_run, NULL},
        {"metrics", "", "figures for a monitoring system, as OpenMetrics text",
         verb_metrics_options, NULL, 0, 0, false, verb_metrics_run, NULL},
        {"help", "[VERB]", "this overview, or the help of one verb", NULL, NULL, 0, 2, false,
         verb_help_run, "Help"},
        {.name = NULL},
};

const Verb *verb_find(const char *name)
{
        for (const Verb *verb = credctl_verbs; verb->name; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

const Command *verb_commands(const Verb *verb)
{
        return verb->run == verb_role_run ? verb_role_commands : NULL;
}
