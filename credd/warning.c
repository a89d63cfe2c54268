/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines before the end, once each. A warning whose moment has passed unseen (credd was down, or the
 * session is shorter than that) is not given late: the next one is nearer the truth. */
#include "credd/warning.h"

#include <stdio.h>

#include "common/duration.h"
#include "common/moment.h"
#include "credd/batch.h"
#include "credd/terminal.h"

/* Its role's, as it is loaded now; the host's if it has none, or none any more. */
static size_t warnings_of(const Session *session, const uint64_t **ret_usec)
{
        const Role *role = roles_find(session->manager->roles, session->row.role);
        const Config *config = &session->manager->config;

        *ret_usec = role ? role->warn_usec : config->warn_usec;
        return role ? role->n_warn : config->n_warn;
}

/* The first of the warnings that still lies ahead. */
void warning_plan(Session *session)
{
        uint64_t now = clock_line_usec(&session->manager->clock);
        const uint64_t *before;
        size_t n = warnings_of(session, &before);

        session->warn_at_usec = USEC_INFINITY;
        for (size_t i = 0; i < n; i++) {
                uint64_t at = session->row.deadline_usec - before[i];

                if (at > now && at < session->row.deadline_usec) {
                        session->warn_at_usec = at;
                        return;
                }
        }
}

static int store_warned(Session *session)
{
        Manager *manager = session->manager;
        int r;

        r = batch_enter(manager->batch);
        if (r == 0)
                r = batch_leave(manager->batch,
                                event_session_warned(&manager->events, &session->row));
        return r < 0 ? r : batch_commit(manager->batch);
}

uint64_t warning_left_usec(uint64_t deadline_usec, uint64_t now_usec)
{
        if (now_usec >= deadline_usec)
                return 0;
        return (deadline_usec - now_usec + USEC_PER_SEC / 2) / USEC_PER_SEC * USEC_PER_SEC;
}

/* After a suspend the moment of a warning may be long past, and the deadline, too. */
void warning_give(Session *session)
{
        Clock *clock = &session->manager->clock;
        uint64_t left = warning_left_usec(session->row.deadline_usec, session_now_usec(session));
        char text[MOMENT_TEXT_MAX], length[DURATION_TEXT_MAX], line[256];

        (void)snprintf(
                line, sizeof(line),
                "credd: your access with credential %s ends in %s (%s), and this session with "
                "it. To go on, have it extended: credctl extend %s --by 30min",
                session->row.id, duration_format(left, length),
                moment_format_utc(clock_to_real_usec(clock, session->row.deadline_usec), text),
                session->row.id);
        warning_plan(session);
        if (left > 0 && !session->kill.begun && store_warned(session) == 0)
                terminal_tell(session, line);
}
