/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all phases share: is this login ours, who is it, and the way to credd.
 *
 * Invariants: standing aside is decided first, before a wrong argument counts, and touches nothing:
 * no prompt, no socket. One deadline bounds the whole exchange. A log line names options, paths and
 * errors, never what was typed and never a user name, since people type passwords there.
 *
 * Standing aside is also what keeps a machine bootable: user credd and root are below min_uid, so
 * when PID 1 or su starts credd through a PAM stack that has us in it, we return before connecting,
 * and nothing waits for a daemon that waits for us.
 *
 * Left out: what an answer means (phase.c), PAM codes (verdict.c). */
#include "pam_ephemeral/visit.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

#include "common/cleanup.h"
#include "common/client.h"
#include "pam_ephemeral/nonce.h"

static int find_person(Visit *visit)
{
        const char *user = NULL;
        int r;

        /* Asked again in each phase: a module between two may have changed it. */
        if (pam_get_user(visit->pamh, &user, NULL) != PAM_SUCCESS || !user)
                return -EIO;
        /* The name service, which may be a network away, was asked in the phase before. */
        if (visit->phase == PHASE_ACCOUNT && nonce_recall(visit->pamh, user, &visit->person))
                return 0;
        r = person_lookup(user, &visit->person);
        if (r < 0)
                pam_syslog(visit->pamh, LOG_ERR,
                           "the name service failed: %s; see nsswitch.conf and its services",
                           strerror(-r));
        return r;
}

int visit_begin(Visit *visit, int argc, const char *const *argv)
{
        const void *service = NULL;
        int wrong, r;

        visit->service = "";
        wrong = options_from_argv(argc, argv, &visit->options);
        if (pam_get_item(visit->pamh, PAM_SERVICE, &service) != PAM_SUCCESS || !service)
                return -EIO;
        visit->service = service;
        if (!options_serve(&visit->options, service))
                return VISIT_ASIDE;
        r = find_person(visit);
        if (r < 0)
                return r;
        /* A name that nobody has is ours too, so that its refusal looks like any other. */
        if (visit->person.known && visit->person.uid < visit->options.min_uid)
                return VISIT_ASIDE;
        if (wrong < 0)
                pam_syslog(visit->pamh, LOG_ERR,
                           "unknown or wrong option \"%s\": all token logins through this line are "
                           "refused until it is corrected",
                           visit->options.wrong);
        return wrong;
}

/* Elsewhere what looks like a code is somebody's password. What cannot be told is no. */
bool visit_takes_codes(const Visit *visit)
{
        const void *rhost = NULL;

        if (strcmp(visit->service, "login") != 0 ||
            pam_get_item(visit->pamh, PAM_RHOST, &rhost) != PAM_SUCCESS)
                return false;
        return !rhost || *(const char *)rhost == '\0';
}

static int format(const Visit *visit, LoginVerb verb, const char *proof, QuestionText *ret_text)
{
        const void *tty = NULL, *rhost = NULL;
        Question question = {
                .verb = verb,
                .user = visit->person.name,
                .uid = visit->person.uid,
                .service = visit->service,
                .proof = proof,
        };

        if (pam_get_item(visit->pamh, PAM_TTY, &tty) != PAM_SUCCESS ||
            pam_get_item(visit->pamh, PAM_RHOST, &rhost) != PAM_SUCCESS)
                return -EIO;
        question.tty = tty;
        question.rhost = rhost;
        return question_format(&question, ret_text);
}

static Outcome outcome_of(ReplyError error)
{
        switch (error) {
        case REPLY_NONE:
                return OUTCOME_GOOD;
        case REPLY_UNAVAILABLE:
        case REPLY_OTHER:
                return OUTCOME_UNAVAILABLE;
        case REPLY_REFUSED:
                break;
        }
        return OUTCOME_REFUSED;
}

/* credd logs its own Unavailable; the rest only this side knows. */
static void log_no_answer(const Visit *visit, int error)
{
        const char *what = error == -EBADMSG || error == -EMSGSIZE ? "an answer that makes no sense"
                                                                   : strerror(-error);

        pam_syslog(
                visit->pamh, LOG_ERR,
                "no answer from credd at %s: %s; see `systemctl status credd-login.socket credd`",
                visit->options.socket, what);
}

/* Erases the reply with the buffer it came in. */
static int exchange(const Visit *visit, LoginVerb verb, const QuestionText *text, Reply *ret_reply)
{
        CLEANUP(frame_done) Frame frame;
        uint64_t deadline = client_deadline_usec(visit->options.timeout_usec);
        char *answer = NULL;
        size_t len = 0;
        int r;

        frame_init(&frame, REPLY_MAX);
        r = client_call(visit->options.socket, text->text, text->len, deadline, &frame, &answer,
                        &len);
        return r < 0 ? r : reply_parse(answer, len, verb, ret_reply);
}

Outcome visit_ask(const Visit *visit, LoginVerb verb, const char *proof, Reply *ret_reply)
{
        CLEANUP(question_text_done) QuestionText text = {.len = 0};
        CLEANUP(reply_done) Reply reply = {.error = REPLY_REFUSED};
        Outcome outcome = OUTCOME_REFUSED;
        int r;

        r = format(visit, verb, proof, &text);
        if (r < 0) {
                pam_syslog(visit->pamh, LOG_ERR,
                           "the host program gave a terminal, host or service name that cannot "
                           "be sent: %s",
                           strerror(-r));
                return OUTCOME_FAULT;
        }
        r = exchange(visit, verb, &text, &reply);
        if (r < 0) {
                log_no_answer(visit, r);
                return OUTCOME_UNAVAILABLE;
        }
        outcome = outcome_of(reply.error);
        if (reply.error == REPLY_OTHER)
                log_no_answer(visit, -EBADMSG);
        if (outcome == OUTCOME_GOOD)
                *ret_reply = reply;
        return outcome;
}

void visit_debug(const Visit *visit, Outcome outcome)
{
        if (visit->options.debug)
                pam_syslog(visit->pamh, LOG_DEBUG, "%s: %s", verdict_phase_name(visit->phase),
                           verdict_outcome_name(outcome));
}
