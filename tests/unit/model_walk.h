/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A walk: the daemon on its machine, the model beside it, chance and time for both, and how the two are
 * compared. What a step can be is test_model.c. */
#pragma once

#include "tests/unit/machine_rig.h"
#include "tests/unit/model.h"
#include "tests/unit/store_rig.h"

#include "common/token.h"
#include "credd/describe.h"

#define ADMIN(name) "io.credd.Admin." name
#define LOGIN(name) "io.credd.Login." name
#define SEED        20260101
#define STEPS       10000
#define ALIVE_MAX   25 /* so many credentials are not final at a time */
#define USERS       3
/* Nobody's, on any machine, and of no other run of this test that goes on beside it: their slices are. */
#define UID_FIRST   (600000000 + 8 * getpid())
#define LONG_ENOUGH 2000 /* ticks that no end takes */

/* The time line as it has to be, from the clocks alone. */
typedef struct Line {
        uint64_t now;
        bool behind, behind_noted;
        uint64_t mark_line, mark_real;
} Line;

typedef struct Walk {
        Machine machine;
        Model model;
        Line line;
        Agent agents[MODEL_LOGINS];
        uint64_t random, seed;
        unsigned steps, step;
        const char *doing;
        size_t focus; /* a credential that something is about to happen to */
        int64_t chain_checked;
        char slices[2 * USERS + 1][SCRATCH_PATH_MAX];
        size_t n_slices;
        unsigned logins, sessions, refused;
        bool done;
} Walk;

/* --- chance --- */

static inline uint64_t draw(Walk *walk, uint64_t below)
{
        walk->random ^= walk->random >> 12;
        walk->random ^= walk->random << 25;
        walk->random ^= walk->random >> 27;
        return (walk->random * UINT64_C(2685821657736338717) >> 11) % below;
}

static inline bool chance(Walk *walk, unsigned percent)
{
        return draw(walk, 100) < percent;
}

#define PICK(walk, list) (list)[draw(walk, ELEMENTSOF(list))]

/* A credential: most often one that something may still happen to. MODEL_NONE: there is none. */
static inline size_t any_credential(Walk *walk)
{
        const Model *m = &walk->model;

        if (m->n_credentials == 0)
                return MODEL_NONE;
        if (walk->focus < m->n_credentials && chance(walk, 50) &&
            (!m->credentials[walk->focus].final || chance(walk, 10)))
                return walk->focus;
        for (unsigned i = 0; i < 50; i++) {
                size_t last = m->n_credentials < 80 ? m->n_credentials : 80;
                size_t n = m->n_credentials - 1 - draw(walk, last);

                if (!m->credentials[n].final || chance(walk, 5))
                        return n;
        }
        return m->n_credentials - 1;
}

/* MODEL_NONE: there is none. */
static inline size_t any_login(Walk *walk, ModelLoginState state)
{
        const Model *m = &walk->model;
        size_t found = MODEL_NONE, n = 0;

        for (size_t i = m->first_login; i < m->n_logins; i++)
                if (m->logins[i].state == state && draw(walk, ++n) == 0)
                        found = i;
        return found;
}

/* --- time --- */

/* The wall clock has passed the moment that it stood before. */
static inline void line_trust(Walk *walk)
{
        Line *line = &walk->line;
        uint64_t real = walk->machine.hands.real_usec, due;

        if (!line->behind || real < line->mark_real)
                return;
        line->behind = false;
        due = line->mark_line + (real - line->mark_real);
        if (due > line->now)
                line->now = due;
}

static inline void now_is(Walk *walk)
{
        Manager *manager = walk->machine.rig.manager;

        line_trust(walk);
        walk->model.behind = walk->line.behind;
        assert_int_equal(clock_line_usec(&manager->clock), walk->line.now);
        assert_int_equal(!clock_trusted(&manager->clock), walk->line.behind);
        walk->model.now = walk->line.now;
}

static inline void pass(Walk *walk, uint64_t usec)
{
        hands_turn(&walk->machine.hands, usec);
        walk->line.now += usec;
        now_is(walk);
}

/* What the model says must be over, and the daemon is still at it. */
static inline bool something_ends(Walk *walk)
{
        Model *m = &walk->model;
        bool found = false;

        for (size_t i = m->first_login; i < m->n_logins; i++) {
                ModelLogin *l = &m->logins[i];

                if (l->state != M_LIVE || !(l->ended || l->gone))
                        continue;
                if (machine_session(&walk->machine, l->num)) {
                        found = true;
                        continue;
                }
                model_over(m, l);
                assert_true(l->dead || !agent_lives(&walk->agents[i]));
                agent_free(&walk->machine, &walk->agents[i]);
        }
        return found;
}

/* The model sees no moment that the daemon does not: where it slept over two, it can tell only that both
 * have passed. */
static inline void ring(Walk *walk)
{
        model_pass(&walk->model, walk->line.now);
        machine_ring(&walk->machine);
}

static inline void settle(Walk *walk)
{
        ring(walk);
        for (unsigned i = 0; something_ends(walk); i++) {
                if (i == LONG_ENOUGH)
                        fail_msg("a session does not end");
                machine_bury(&walk->machine);
                for (size_t k = walk->model.first_login; k < walk->model.n_logins; k++)
                        if (walk->agents[k].in_scope && !agent_lives(&walk->agents[k]))
                                scope_await_empty(walk->agents[k].scope);
                pass(walk, MACHINE_TICK);
                ring(walk);
        }
}

/* --- the two agree --- */

static inline ModelEnd end_of(Cause cause)
{
        switch (cause) {
        case CAUSE_USED:
                return M_USED;
        case CAUSE_EXPIRED:
                return M_EXPIRED;
        case CAUSE_REVOKED:
                return M_REVOKED;
        case CAUSE_RETURNED:
                return M_RETURNED;
        case CAUSE_NONE:
        case CAUSE_PENDING:
        case CAUSE_DENIED:
        case CAUSE_LAPSED:
        case CAUSE_LOCKED:
        case CAUSE_MAX:
                break;
        }
        return M_OPEN;
}

static inline void check_receipt(Walk *walk, const Credential *c, const ModelCredential *as)
{
        CLEANUP(receipt_done) Receipt receipt = {0};
        int r = store_find_receipt(walk->machine.rig.manager->store, c->num, &receipt);

        assert_int_equal(r, as->final);
        if (r == 0)
                return;
        assert_true(receipt.late_usec >= as->late && receipt.late_usec <= as->later);
        if (as->later <= M_LATE)
                assert_string_equal(receipt.verdict, "confirmed");
        else if (as->late > M_LATE)
                assert_string_equal(receipt.verdict, "late");
        else
                assert_string_not_equal(receipt.verdict, "residue");
}

static inline void check_credential(Walk *walk, size_t n)
{
        Manager *manager = walk->machine.rig.manager;
        ModelCredential *as = &walk->model.credentials[n];
        AUTO_CREDENTIAL Credential c = {0};
        const char *state;

        assert_int_equal(store_find_credential(manager->store, as->id, &c), 1);
        state = credential_state_to_string(describe_state(manager, &c));
        assert_string_equal(state, model_state(&walk->model, as));
        assert_int_equal(end_of(c.cause), as->end);
        assert_int_equal(c.uses, as->uses);
        assert_int_equal(c.uses_left, as->left);
        assert_int_equal(c.open_logins, as->open);
        assert_int_equal(c.not_before_usec, as->not_before);
        assert_int_equal(c.login_limit_usec, as->limit);
        assert_int_equal(c.ceiling_usec, as->ceiling);
        assert_int_equal(c.session_ttl_usec, as->session_ttl);
        assert_int_equal(c.has_hash, c.cause == CAUSE_NONE);
        assert_true(c.uses_left >= 0 && c.login_limit_usec <= c.ceiling_usec);
        assert_true(model_rank(state) >= as->rank);
        as->rank = model_rank(state);
        check_receipt(walk, &c, as);
}

static inline void check_sessions(Walk *walk)
{
        Manager *manager = walk->machine.rig.manager;
        Model *m = &walk->model;
        unsigned live = 0;

        for (size_t i = m->first_login; i < m->n_logins; i++) {
                const ModelLogin *l = &m->logins[i];
                CLEANUP(session_row_done) SessionRow row = {0};
                const Session *session = machine_session(&walk->machine, l->num);

                assert_int_equal(session != NULL, l->state == M_LIVE);
                if (!session)
                        continue;
                live++;
                assert_int_equal(session->row.deadline_usec, l->deadline);
                assert_true(l->deadline > m->now && agent_lives(&walk->agents[i]));
                assert_true(l->deadline <= m->credentials[l->credential].ceiling);
                read_session(manager->store, l->num, &row);
                assert_int_equal(row.deadline_usec, l->deadline);
                assert_int_equal(row.ended_usec, USEC_INFINITY);
        }
        assert_int_equal(sessions_live(manager->sessions), live);
}

static inline void check(Walk *walk, bool all)
{
        Model *m = &walk->model;
        size_t from = m->n_credentials > 200 ? m->n_credentials - 200 : 0;

        assert_int_equal(batch_commit(walk->machine.rig.manager->batch), 0);
        assert_int_equal(store_frozen(walk->machine.rig.manager->store) != NULL, m->frozen);
        check_sessions(walk);
        for (size_t i = all ? 0 : from; i < m->n_credentials; i++)
                if (all || !m->credentials[i].final || i == walk->focus || chance(walk, 1))
                        check_credential(walk, i);
}
