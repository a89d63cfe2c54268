/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be asked, by whom, and who answers: one table. */
#pragma once

#include <jansson.h>

#include "credd/peer.h"
#include "credd/policy.h"
#include "credd/rights.h"

/* A call. What its method alone asks for has been allowed; what depends on the thing it is about is the
 * handler's to ask (find_allowed()). */
typedef struct Request {
        Manager *manager;
        Peer *peer;
        const Caller *caller; /* nobody on the Login socket, whose peers are root */
        json_t *parameters;   /* an object, never NULL */
        const char *method;   /* a literal: refusals keep it */
        bool more;
} Request;

/* What goes back: parameters, or an error and its parameters. Both owned. */
typedef struct Answer {
        const char *error; /* NULL: none */
        json_t *parameters;
        bool keep; /* though it is an error, what the handler changed stays */
        /* No answer now: the peer follows the events from then on, those after this one first. */
        bool follows;
        int64_t after;
        bool stream; /* no answer yet: peer_stream() has been told who sends it */
} Answer;

/* 0: *answer is set, and what was changed is to be kept unless it is an error. Negative: nothing
 * could be decided; the peer is told "Unavailable". */
typedef int (*VerbHandler)(const Request *request, Answer *answer);

/* Parses, authorises, runs, answers. text is erased. Negative: this was no varlink message, and the
 * connection is to be closed; else the peer may be gone when this returns. */
int verbs_dispatch(Manager *manager, Peer *peer, char *text, size_t len);

/* Answers for handlers. */
int answer_refused(Answer *answer, const char *error);
int answer_reason(Answer *answer, const char *error, const char *name, const char *value);
/* {"credential": as it is now, "token": token}; token NULL: without it. */
int answer_with_credential(Manager *manager, int64_t num, const char *token, Answer *answer);
/* The same without a token, and beside it "request". */
int answer_with_request(Manager *manager, int64_t num, Answer *answer);
/* The credential of that id, if the caller has that right to it. 0; 1: answered already, and one that is
 * not the caller's to see exactly as one that is not there. */
int find_allowed(const Request *request, Right right, const char *id, Credential *ret,
                 Answer *answer);
/* 0: granted; 1: answered, and kept for the journal. id: what was asked for, for NotFound. */
int answer_verdict(const Request *request, const RightsVerdict *verdict, const char *id,
                   Answer *answer);
/* Policy said no. */
int answer_policy(const Request *request, const char *refusal, Answer *answer);
/* It is in a final state. */
int answer_final(Manager *manager, const Credential *credential, Answer *answer);
/* {name: found, "next": last}; end: there are no more, and next is null. */
int answer_page(Answer *answer, const char *name, json_t *found, bool end, int64_t last);
/* So many records a page. */
#define PAGE 200
/* So many rows a call, found or not: others wait for this one. */
#define LOOKED_AT_MAX (10 * PAGE)
/* The free text of a person, or NULL. 0; 1: answered already. */
int check_reason(const char *reason, Answer *answer);
/* Parameters of a call: name, type ('s' string, 'i' integer; 'S', 'I', 'B' boolean and 'A' array of
 * strings may be absent or null), and where it goes. */
typedef struct Parameter {
        const char *name;
        char kind;
        void *ret; /* const char **; int64_t *; bool *; json_t ** (borrowed) */
} Parameter;
/* 0; 1: *answer names what is missing, unknown or of a wrong type. Optional ones that are absent
 * leave *ret as it was. Integers are not negative. */
int parameters_read(json_t *object, const Parameter *parameters, size_t n, Answer *answer);

/* verbs-audit.c */
int verb_audit(const Request *request, Answer *answer);
/* verbs-verify.c */
int verb_events(const Request *request, Answer *answer);
int verb_verify(const Request *request, Answer *answer);
/* subscribe.c */
int verb_subscribe(const Request *request, Answer *answer);
/* verbs-metrics.c */
int verb_metrics(const Request *request, Answer *answer);
/* verbs-backup.c */
int verb_backup(const Request *request, Answer *answer);
/* verbs-login.c */
int verb_authenticate(const Request *request, Answer *answer);
int verb_check_account(const Request *request, Answer *answer);
int verb_open_session(const Request *request, Answer *answer);
/* verbs-issue.c */
int verb_issue(const Request *request, Answer *answer);
/* What policy granted, with all but id and hash. */
int issue_fill(const Request *request, const PolicyRules *rules, const IssueRequest *q,
               const Grant *grant, Credential *ret);
void issue_draw(Token *ret_token);
/* Draws an id, and the secret if it is to have one, until the id is free. ret_text: room for what is given
 * out, TOKEN_TEXT_LEN + 1; NULL: it is to have no secret yet. */
int issue_add(Manager *manager, Credential *credential, const char *key, char *ret_text);
/* Who may not see a role is told what one is told whose role does not exist. 0: granted; 1: answered. */
int issue_check_right(const Request *request, Right right, const char *role, Answer *answer);
/* Who stands behind it is compared later with who approves or acknowledges it, so it must be known. 0; 1: answered. */
int issue_check_known(const Request *request, Answer *answer);
/* verbs-request.c */
int verb_request(const Request *request, Answer *answer);
int verb_requests(const Request *request, Answer *answer);
/* verbs-decide.c */
int verb_approve(const Request *request, Answer *answer);
int verb_deny(const Request *request, Answer *answer);
int verb_collect(const Request *request, Answer *answer);
/* verbs-change.c */
int verb_extend(const Request *request, Answer *answer);
int verb_time(const Request *request, Answer *answer);
int verb_return(const Request *request, Answer *answer);
int verb_freeze(const Request *request, Answer *answer);
int verb_thaw(const Request *request, Answer *answer);
/* verbs-role.c */
int verb_role_list(const Request *request, Answer *answer);
int verb_role_show(const Request *request, Answer *answer);
int verb_role_enable(const Request *request, Answer *answer);
int verb_role_disable(const Request *request, Answer *answer);
/* alarms.c */
int verb_ack(const Request *request, Answer *answer);
/* verbs-admin.c */
int verb_list(const Request *request, Answer *answer);
int verb_show(const Request *request, Answer *answer);
int verb_revoke(const Request *request, Answer *answer);
int verb_sessions(const Request *request, Answer *answer);
int verb_status(const Request *request, Answer *answer);
/* verbs-explain.c */
int verb_explain(const Request *request, Answer *answer);
