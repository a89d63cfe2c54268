/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process opens a session. Invariants: what is answered with a deadline is watched from then on; what
 * is refused although it may go on is ended. sshd goes on after a session that was refused, without
 * pam_systemd and so without a session that anybody could see. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "credd/gate.h"
#include "credd/outcast.h"
#include "credd/proc.h"
#include "credd/residue.h"
#include "credd/session.h"
#include "credd/verbs-login.h"

static int session_answer(Manager *manager, const Credential *credential, const SessionRow *row,
                          Answer *answer)
{
        uint64_t now = row->opened_usec, ceiling = credential->ceiling_usec;
        uint64_t backstop = login_left_usec(ceiling, now) + manager->config.kill_grace_usec;

        answer->parameters =
                json_pack("{ss sI sI sI sI}", "credential", credential->id, "deadline",
                          (json_int_t)clock_to_real_usec(&manager->clock, row->deadline_usec),
                          "ceiling", (json_int_t)clock_to_real_usec(&manager->clock, ceiling),
                          "left_usec", (json_int_t)login_left_usec(row->deadline_usec, now),
                          "backstop_usec", (json_int_t)backstop);
        return answer->parameters ? 0 : -ENOMEM;
}

/* The process that opens the session, held fast. */
typedef struct Opener {
        int pidfd;
        pid_t pid;
        uint64_t ticks;
} Opener;

static void opener_done(Opener *opener)
{
        if (opener->pidfd >= 0)
                (void)close(opener->pidfd);
}

static void find_opener(const Request *request, Opener *ret)
{
        Opener opener = {.pidfd = -1, .pid = peer_identity(request->peer)->pid};

        if (peer_pidfd(request->peer, &opener.pidfd, &opener.ticks) == 0)
                *ret = opener;
}

static int make_session(Manager *manager, const Credential *credential, Login *login,
                        const Opener *opener, SessionRow *ret)
{
        int r;

        r = session_row_make(manager, credential, login, opener->pid, opener->ticks, ret);
        if (r < 0)
                return r;
        ret->deadline_usec = credential_deadline_usec(credential, ret->accepted_usec);
        ret->lingered = residue_lingers(credential->user);
        if (proc_cgroup(opener->pid, &ret->home) < 0)
                ret->home = NULL;
        return 0;
}

static int store_claim(Manager *manager, const SessionRow *row)
{
        int r;

        r = store_set_login(manager->store, row->login, LOGIN_CLAIMED);
        if (r == 0)
                r = store_add_session(manager->store, row);
        return r < 0 ? r : event_session_opened(&manager->events, row);
}

/* Everything that can fail comes before session_open(), which cannot be rolled back. */
static int claim(Manager *manager, const Credential *credential, Login *login, Opener *opener,
                 Answer *answer)
{
        CLEANUP(session_row_done) SessionRow row = {0};
        int r;

        r = make_session(manager, credential, login, opener, &row);
        if (r == 0)
                r = store_claim(manager, &row);
        if (r == 0)
                r = session_answer(manager, credential, &row, answer);
        if (r == 0)
                r = session_open(manager->sessions, &row, opener->pidfd);
        if (r == 0)
                opener->pidfd = -1;
        return r;
}

/* The caller has proved by the nonce that it is this login's: its processes are ended by the one way
 * there is, as a session whose time is over. */
static int refuse_and_end(Manager *manager, const Credential *credential, Login *login,
                          Opener *opener, Refusal refusal)
{
        CLEANUP(session_row_done) SessionRow row = {0};
        int r;

        r = make_session(manager, credential, login, opener, &row);
        row.deadline_usec = row.opened_usec;
        if (r == 0 && asprintf(&row.why, "its session was refused when it opened: %s",
                               refusal_to_string(refusal)) < 0) {
                row.why = NULL;
                r = -ENOMEM;
        }
        if (r == 0)
                r = store_claim(manager, &row);
        if (r == 0)
                r = session_open(manager->sessions, &row, opener->pidfd);
        if (r == 0)
                opener->pidfd = -1;
        return r;
}

static int open_named(const Request *request, const LoginQuestion *question, Opener *opener,
                      Answer *answer)
{
        CLEANUP(login_done) Login login = {0};
        AUTO_CREDENTIAL Credential credential = {0};
        Refusal refusal = REFUSAL_LOGIN;
        int r;

        r = login_check(request->manager, question, &login, &credential, &refusal);
        if (r < 0)
                return r;
        if (opener->pidfd < 0 && refusal == REFUSAL_NONE)
                refusal = REFUSAL_PEER;
        if (refusal == REFUSAL_NONE)
                return claim(request->manager, &credential, &login, opener, answer);
        if (credential.num > 0 && opener->pidfd >= 0) {
                r = refuse_and_end(request->manager, &credential, &login, opener, refusal);
                answer->keep = true;
        }
        return r < 0 ? r : login_refuse(request, credential.num, &question->facts, refusal, answer);
}

/* --- without a token --- */

/* The claim takes texts that are its own. */
static int own_texts(Login *login, const LoginFacts *facts)
{
        login->service = strdup(facts->service);
        login->tty = facts->tty ? strdup(facts->tty) : NULL;
        login->rhost = facts->rhost ? strdup(facts->rhost) : NULL;
        return login->service && !login->tty == !facts->tty && !login->rhost == !facts->rhost
                       ? 0
                       : -ENOMEM;
}

static int claim_for(const Request *request, const LoginFacts *facts, const Credential *credential,
                     Opener *opener, Answer *answer)
{
        CLEANUP(login_done) Login login = {0};
        Login accepted;
        int r;

        r = login_accept(request, credential, facts, "gate", &accepted);
        if (r < 0)
                return r;
        login = accepted;
        r = own_texts(&login, facts);
        return r < 0 ? r : claim(request->manager, credential, &login, opener, answer);
}

/* Spends a use and opens the session in one transaction. 0 and an error in the answer: refused. */
static int open_unnamed(const Request *request, const LoginFacts *facts, Opener *opener,
                        Answer *answer)
{
        AUTO_CREDENTIAL Credential credential = {0};
        Refusal refusal = REFUSAL_PEER;
        int r;

        r = store_may_begin(request->manager->store);
        if (r < 0)
                return r;
        r = gate_find(request->manager, facts, &credential, &refusal);
        if (r < 0)
                return r;
        /* A module that gave up long ago must not spend a use. */
        if (refusal == REFUSAL_NONE && (opener->pidfd < 0 || !peer_waits(request->peer)))
                refusal = REFUSAL_PEER;
        if (refusal != REFUSAL_NONE)
                return login_refuse(request, 0, facts, refusal, answer);
        return claim_for(request, facts, &credential, opener, answer);
}

/* There is no credential, and so no session, to end it by. Errors count: whoever asked goes on after
 * them, too. Nothing of this is rolled back with the request. */
static void end_outcast(Manager *manager, const LoginFacts *facts, Opener *opener)
{
        if (opener->pidfd >= 0 &&
            outcasts_add(manager->outcasts, facts, opener->pid, opener->ticks, opener->pidfd) == 0)
                opener->pidfd = -1;
}

int verb_open_session(const Request *request, Answer *answer)
{
        CLEANUP(opener_done) Opener opener = {.pidfd = -1};
        LoginQuestion question = {0};
        int r;

        r = login_question_read(request, "login", 'S', &question, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        find_opener(request, &opener);
        if (question.secret)
                return open_named(request, &question, &opener, answer);
        r = open_unnamed(request, &question.facts, &opener, answer);
        if (r < 0 || answer->error)
                end_outcast(request->manager, &question.facts, &opener);
        return r;
}
