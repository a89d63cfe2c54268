/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authentication, account and session of one login.
 *
 * Invariants: each phase asks credd once at most, but for a session whose nonce was refused; a result
 * starts as a refusal; what has no token's shape is not sent, and what has a code's only from where
 * codes are good for, nor is a name that no account has; the nonce leaves the environment with the
 * session phase, whether that succeeds or not.
 *
 * require_credential: a key skips authentication, and what account sees of it is that a credential is
 * there, not that this person may use it. So account never says more than that it does not object,
 * and credd decides when the session opens, where it can end what it refuses.
 *
 * Left out: groups for setcred. */
#include "pam_ephemeral/phase.h"

#include <errno.h>
#include <inttypes.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/client.h"
#include "pam_ephemeral/nonce.h"
#include "pam_ephemeral/notice.h"
#include "pam_ephemeral/prompt.h"

#define BACKSTOP_DATA "systemd.runtime_max_sec"

Outcome phase_authenticate(const Visit *visit)
{
        CLEANUP(secret_done) Secret token = {.len = 0};
        CLEANUP(reply_done) Reply reply = {.error = REPLY_REFUSED};
        Outcome outcome = OUTCOME_REFUSED;
        uint64_t since;
        int r;

        /* A handle may authenticate twice; the second try must not inherit the first one's login.
         */
        nonce_forget(visit->pamh);
        r = prompt_for_token(visit->pamh, &visit->options, visit_takes_codes(visit), &token);
        if (r < 0)
                return OUTCOME_FAULT;
        if (r == PROMPT_NO_TOKEN)
                return OUTCOME_NO_TOKEN;
        if (!visit->person.known)
                return OUTCOME_REFUSED;
        since = client_now_usec();
        outcome = visit_ask(visit, LOGIN_VERB_AUTHENTICATE, token.text, &reply);
        if (outcome != OUTCOME_GOOD)
                return outcome;
        if (nonce_keep(visit->pamh, &reply, &visit->person, since) < 0) {
                nonce_forget(visit->pamh);
                return OUTCOME_FAULT;
        }
        return OUTCOME_GOOD;
}

/* Is this one of those who need a credential? NO_TOKEN: no; MISSING: yes; FAULT: not to be told. */
static Outcome gate_of(const Visit *visit)
{
        const char *group = visit->options.require_group;
        int r;

        if (!group)
                return OUTCOME_NO_TOKEN;
        /* Not to be found out: yes. */
        if (!visit->person.known)
                return OUTCOME_MISSING;
        r = person_in_group(&visit->person, group);
        if (r < 0) {
                pam_syslog(visit->pamh, LOG_ERR,
                           "require_credential=@%s: cannot tell who is in that group: %s", group,
                           r == -ENOENT ? "there is no such group" : strerror(-r));
                return OUTCOME_FAULT;
        }
        return r == 0 ? OUTCOME_NO_TOKEN : OUTCOME_MISSING;
}

/* Nobody came with a token. Is that all right? If so others say who this is, and whether the account
 * is in order: PAM_IGNORE, and a line that is `sufficient` does not let anybody past them. */
static Outcome account_without_login(const Visit *visit)
{
        CLEANUP(reply_done) Reply reply = {.error = REPLY_REFUSED};
        Outcome outcome = gate_of(visit);

        /* A mark that is there may be an older answer's, or somebody's own. */
        nonce_forget(visit->pamh);
        if (outcome != OUTCOME_MISSING || !visit->person.known)
                return outcome;
        outcome = visit_ask(visit, LOGIN_VERB_CHECK_ACCOUNT, NULL, &reply);
        if (outcome == OUTCOME_REFUSED)
                return OUTCOME_MISSING;
        if (outcome != OUTCOME_GOOD)
                return outcome;
        if (nonce_keep_gate(visit->pamh, &visit->person) < 0) {
                nonce_forget(visit->pamh);
                return OUTCOME_FAULT;
        }
        return OUTCOME_NO_TOKEN;
}

Outcome phase_account(const Visit *visit)
{
        CLEANUP(secret_done) Secret nonce = {.len = 0};
        CLEANUP(reply_done) Reply reply = {.error = REPLY_REFUSED};
        const Nonce *own = nonce_own(visit->pamh);
        int r;

        if (own && nonce_is_fresh(own, &visit->person, getpid(), client_now_usec()))
                return OUTCOME_GOOD;
        r = nonce_find(visit->pamh, &nonce);
        if (r == NONCE_NONE || r == NONCE_GATE)
                return account_without_login(visit);
        if (r < 0 || !visit->person.known)
                return OUTCOME_REFUSED;
        return visit_ask(visit, LOGIN_VERB_CHECK_ACCOUNT, nonce.text, &reply);
}

static void on_text_gone(pam_handle_t *pamh, void *data, int status)
{
        (void)pamh;
        (void)status;
        free(data);
}

/* pam_systemd, further down the stack, hands it to PID 1 as the scope's RuntimeMaxSec: the end of
 * the session if credd is dead for good. Rounded up, so that PID 1 never comes before credd. */
static int arm_backstop(pam_handle_t *pamh, uint64_t backstop_usec)
{
        AUTO_FREE char *seconds = NULL;

        if (asprintf(&seconds, "%" PRIu64, (backstop_usec + USEC_PER_SEC - 1) / USEC_PER_SEC) < 0) {
                seconds = NULL;
                return -ENOMEM;
        }
        if (pam_set_data(pamh, BACKSTOP_DATA, seconds, on_text_gone) != PAM_SUCCESS)
                return -EIO;
        seconds = NULL; /* the handle's now */
        return 0;
}

static int export_variable(pam_handle_t *pamh, const char *name, const char *value)
{
        char line[64];
        int n = snprintf(line, sizeof(line), "%s=%s", name, value);

        if (n < 0 || (size_t)n >= sizeof(line))
                return -E2BIG;
        return pam_putenv(pamh, line) == PAM_SUCCESS ? 0 : -EIO;
}

static int export_variables(pam_handle_t *pamh, const Reply *reply)
{
        char expires[NOTICE_EXPIRES_MAX];
        int r;

        r = notice_expires(reply->deadline_real_usec, expires);
        if (r == 0)
                r = export_variable(pamh, "CREDD_CREDENTIAL", reply->credential);
        return r < 0 ? r : export_variable(pamh, "CREDD_EXPIRES", expires);
}

/* A courtesy: whoever cannot be told is let in all the same. */
static void tell(const Visit *visit, const Reply *reply)
{
        char text[NOTICE_END_MAX];
        struct timespec now;

        if (((unsigned)visit->flags & PAM_SILENT) != 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
                return;
        if (notice_end(reply->deadline_real_usec, reply->left_usec,
                       (uint64_t)now.tv_sec * USEC_PER_SEC, text) == 0)
                (void)pam_info(visit->pamh, "%s", text);
}

/* nonce NULL: there was no token, and credd picks the credential. */
static Outcome open_login(const Visit *visit, const char *nonce)
{
        CLEANUP(reply_done) Reply reply = {.error = REPLY_REFUSED};
        Outcome outcome = OUTCOME_REFUSED;

        outcome = visit_ask(visit, LOGIN_VERB_OPEN_SESSION, nonce, &reply);
        if (outcome != OUTCOME_GOOD)
                return outcome;
        /* credd watches this process from here on, so what fails now leaves no session behind. */
        if (arm_backstop(visit->pamh, reply.backstop_usec) < 0 ||
            export_variables(visit->pamh, &reply) < 0)
                return OUTCOME_FAULT;
        tell(visit, &reply);
        return OUTCOME_GOOD;
}

/* No nonce and no mark: nobody came with a token, or what account left was taken away since. A line that
 * has the option looks for itself. */
static Outcome open_unmarked(const Visit *visit)
{
        Outcome outcome = gate_of(visit);

        if (outcome != OUTCOME_MISSING || !visit->person.known)
                return outcome;
        return open_login(visit, NULL);
}

/* A nonce that is no good and stands in the environment alone may be somebody's own. sshd would go on
 * without a session, so for those who need a credential credd decides, and ends whom it refuses. */
static Outcome open_after_refusal(const Visit *visit)
{
        if (!visit->person.known || gate_of(visit) != OUTCOME_MISSING)
                return OUTCOME_REFUSED;
        return open_login(visit, NULL);
}

Outcome phase_open_session(const Visit *visit)
{
        CLEANUP(secret_done) Secret nonce = {.len = 0};
        bool own = nonce_own(visit->pamh) != NULL;
        Outcome outcome = OUTCOME_REFUSED;
        int r;

        r = nonce_find(visit->pamh, &nonce);
        if (r == NONCE_NONE)
                return open_unmarked(visit);
        if (r == NONCE_GATE && visit->person.known)
                outcome = open_login(visit, NULL);
        if (r == 0 && visit->person.known)
                outcome = open_login(visit, nonce.text);
        if (outcome == OUTCOME_REFUSED && r != NONCE_GATE && !own)
                outcome = open_after_refusal(visit);
        /* sshd goes on after a failed open_session: the shell must not find the nonce. */
        nonce_forget(visit->pamh);
        return outcome;
}

Outcome phase_fault(const Visit *visit, Phase phase)
{
        /* As above. And a handle may authenticate twice. */
        if (phase == PHASE_AUTH || phase == PHASE_SESSION_OPEN)
                nonce_forget(visit->pamh);
        return OUTCOME_FAULT;
}
