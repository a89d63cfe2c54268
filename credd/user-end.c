/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant: a production account's own services are never touched, unless its role says in so many words
 * that they end with its sessions. Whatever cannot be told (logind is away, /proc cannot be read) counts
 * as something that stands there. */
#include "credd/user-end.h"

#include "credd/batch.h"
#include "credd/residue.h"

static void on_acted_user(void *userdata, int error, const char *text)
{
        Session *session = userdata;

        (void)error;
        (void)text;
        session->acting_user = logind_call_free(session->acting_user);
}

static bool elsewhere(const Session *session)
{
        return announced_elsewhere(sessions_announced(session->manager->sessions), session->row.uid,
                                   session->row.leader);
}

/* EndScope=user: what its user has ends with a session that is ended; a logout ends itself alone. */
static bool takes_all(const Session *session)
{
        const Role *role = roles_find(session->manager->roles, session->row.role);

        return session->kill.begun && role && role->end_scope_user;
}

static bool may_end(const Session *session)
{
        return logind_connected(session->manager->logind) &&
               (takes_all(session) || (!elsewhere(session) && !residue_user_stood_before(session)));
}

void user_end_gently(Session *session)
{
        /* After a logout nothing else was committed for: the session's own row must be there. */
        if (session->user_ended || session->acting_user || !may_end(session) ||
            batch_commit(session->manager->batch) < 0 ||
            logind_terminate_user(session->manager->logind, session->row.uid, on_acted_user,
                                  session, &session->acting_user) < 0)
                return;
        session->user_ended = true;
        session->user_ended_usec = session_now_usec(session);
        session_note_step(session, "terminate-user");
}

static bool may_be_killed(const Session *session)
{
        return session->user_ended && !session->user_killed && !session->acting_user &&
               session_now_usec(session) - session->user_ended_usec >=
                       session->manager->config.kill_grace_usec &&
               (takes_all(session) || !elsewhere(session));
}

void user_end_forcibly(Session *session)
{
        if (!may_be_killed(session))
                return;
        session->user_killed = true;
        session_note_step(session, "kill-user");
        (void)logind_kill_user(session->manager->logind, session->row.uid, on_acted_user, session,
                               &session->acting_user);
}
