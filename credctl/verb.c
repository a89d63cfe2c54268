/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs. tests/unit/test_verb.c holds the manual against it. */
#include "credctl/verb.h"

#include <limits.h>
#include <string.h>

const Verb credctl_verbs[] = {
        {"issue", "", "issue a credential and print its token, once", verb_issue_options, "user", 0,
         0, VERB_TOKENS, verb_issue_run},
        {"list", "", "credentials that are not final yet", verb_list_options, NULL, 0, 0, false,
         verb_list_run},
        {"show", "ID", "one credential: its life, its sessions, its receipt", NULL, NULL, 1, 1,
         false, verb_show_run},
        {"extend", "ID", "give its sessions and its logins more time", verb_extend_options, "by", 1,
         1, false, verb_extend_run},
        {"request", "", "ask for a credential that others approve", verb_request_options, "role", 0,
         0, true, verb_request_run},
        {"requests", "", "what is asked for, and not decided or not collected", NULL, NULL, 0, 0,
         false, verb_requests_run},
        {"approve", "ID", "say yes to what somebody asked for", verb_approve_options, NULL, 1, 1,
         false, verb_approve_run},
        {"deny", "ID", "say no to it, for good", verb_deny_options, NULL, 1, 1, false,
         verb_deny_run},
        {"collect", "ID", "what you asked for and was approved: print its token", NULL, NULL, 1, 1,
         true, verb_collect_run},
        {"revoke", "[ID...]", "end credentials and their sessions now", verb_revoke_options, NULL,
         0, INT_MAX, false, verb_revoke_run},
        {"sessions", "", "sessions that credentials opened, with the time left",
         verb_sessions_options, NULL, 0, 0, false, verb_sessions_run},
        {"role", "COMMAND", "roles: list, show, enable or disable one, check a file",
         verb_role_options, NULL, 0, INT_MAX, false, verb_role_run},
        {"ack", "ID", "say that break-glass, or an end that was missed, was seen", verb_ack_options,
         "reason", 1, 1, false, verb_ack_run},
        {"time", "", "inside a session: what is left of it", NULL, NULL, 0, 0, false,
         verb_time_run},
        {"done", "", "inside a session: give its credential back and leave", verb_done_options,
         NULL, 0, 0, false, verb_done_run},
        {"freeze", "", "stop all logins with tokens on this host", verb_freeze_options, NULL, 0, 0,
         false, verb_freeze_run},
        {"thaw", "", "let logins with tokens in again", NULL, NULL, 0, 0, false, verb_thaw_run},
        {"audit", "", "who had access, by whom and why, and when each ended", verb_audit_options,
         NULL, 0, 0, VERB_REPORTS, verb_audit_run},
        {"verify", "", "check the record of all events, and the journal's of it", NULL, NULL, 0, 0,
         false, verb_verify_run},
        {"backup", "FILE", "a copy of credd's store, without the key", NULL, NULL, 1, 1, false,
         verb_backup_run},
        {"explain", "[ID]", "why logins of a credential or a user were refused",
         verb_explain_options, NULL, 0, 1, false, verb_explain_run},
        {"watch", "[ID...]", "events as they happen, a line each", verb_watch_options, NULL, 0,
         INT_MAX, false, verb_watch_run},
        {"metrics", "", "figures for a monitoring system, as OpenMetrics text",
         verb_metrics_options, NULL, 0, 0, false, verb_metrics_run},
        {"status", "", "whether credd is well, and what needs an admin", NULL, NULL, 0, 0, false,
         verb_status_run},
        {"doctor", "", "look for what is wrong on this host, and say what to do", NULL, NULL, 0, 0,
         false, verb_doctor_run},
        {"drill", "", "a canary credential from its issue to its receipt", verb_drill_options,
         "user", 0, 0, false, verb_drill_run},
        {"help", "[VERB]", "this overview, or the help of one verb", NULL, NULL, 0, 1, false,
         verb_help_run},
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
