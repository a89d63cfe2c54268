/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What credd promises, said a second time and as plainly as it goes: arrays of structs and ifs. It
 * shares no code with the daemon and takes no short cuts; what it is asked is what a caller would ask,
 * and each answer is what the daemon has to say to the same. All moments are on the time line.
 *
 * Left out: what is seen of processes, and how long an end takes. The test tells it when an end is
 * through. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MODEL_CREDENTIALS 6000
#define MODEL_LOGINS      12000
#define MODEL_NONE        UINT64_MAX

#define M_SECOND UINT64_C(1000000)
#define M_MINUTE (60 * M_SECOND)
#define M_HOUR   (60 * M_MINUTE)
#define M_DAY    (24 * M_HOUR)

/* The defaults of credd.conf, as credd.conf(5) has them. */
#define M_DEFAULT_TTL  M_HOUR
#define M_MAX_TTL      (12 * M_HOUR)
#define M_MAX_LIFETIME (24 * M_HOUR)
#define M_BIND_TIMEOUT (2 * M_MINUTE)
/* Without logind a login that nobody claims is waited for twice as long. */
#define M_LAPSE (2 * M_BIND_TIMEOUT)
/* Later than this is late: the grace, and a second. */
#define M_LATE (2 * M_SECOND + M_SECOND)

typedef enum ModelEnd { M_OPEN, M_USED, M_EXPIRED, M_REVOKED, M_RETURNED } ModelEnd;
typedef enum ModelService { M_SSHD = 1, M_LOGIN = 2 } ModelService;
typedef enum ModelSource { M_ANYWHERE, M_TEN, M_LOCAL, M_TEN_OR_SIX, M_SOURCES } ModelSource;
typedef enum ModelRhost {
        M_FROM_TEN,
        M_FROM_OTHER,
        M_FROM_CONSOLE,
        M_FROM_SIX,
        M_FROM_NAME,
        M_RHOSTS
} ModelRhost;

typedef struct ModelIssue {
        uint64_t ttl, session_ttl, lifetime; /* MODEL_NONE: not given */
        uint64_t not_before;                 /* 0: not given */
        int64_t uses;                        /* 0: not given */
        int services;                        /* 0: not given */
        ModelSource source;
} ModelIssue;

typedef struct ModelCredential {
        char id[16], token[64];
        int user;
        uint64_t not_before, limit, ceiling, session_ttl;
        int64_t uses, left;
        int services;
        ModelSource source;
        ModelEnd end;
        int64_t open;         /* logins that are not over */
        bool final;           /* closed, and nothing of it is open: nothing changes any more */
        uint64_t late, later; /* its worst session was late by something between the two */
        int rank;             /* how far it has come: see model_rank() */
} ModelCredential;

typedef enum ModelLoginState { M_ACCEPTED, M_LAPSED, M_LIVE, M_OVER } ModelLoginState;

typedef struct ModelLogin {
        char text[64];
        int64_t num;
        size_t credential;
        ModelService service;
        unsigned boot;
        uint64_t accepted;
        ModelLoginState state;
        /* of its session */
        uint64_t deadline, bind_by;
        bool announced;
        bool dead;      /* its leader is */
        bool ended;     /* it is ended: its time was over while it lived */
        bool gone;      /* nothing of it lives, and it was seen */
        bool early;     /* it was ended for another reason than its time */
        uint64_t since; /* when it was first seen to be over */
} ModelLogin;

typedef struct Model {
        uint64_t now;
        unsigned boot;
        bool behind, frozen;
        ModelCredential credentials[MODEL_CREDENTIALS];
        ModelLogin logins[MODEL_LOGINS];
        size_t n_credentials, n_logins;
        size_t first_login; /* all before it are over or have lapsed */
} Model;

static inline bool model_gives_up(ModelEnd end)
{
        return end == M_REVOKED || end == M_RETURNED;
}

/* --- issue --- */

/* Whether it is allowed, and then what it amounts to. */
static inline bool model_issue(uint64_t now, const ModelIssue *q, ModelCredential *ret)
{
        uint64_t ttl = q->ttl == MODEL_NONE ? M_DEFAULT_TTL : q->ttl;
        uint64_t session = q->session_ttl == MODEL_NONE ? 0 : q->session_ttl;
        uint64_t lifetime = q->lifetime == MODEL_NONE ? ttl + session : q->lifetime;
        uint64_t start = q->not_before > now ? q->not_before : now;

        if (ttl == 0 || ttl > M_MAX_TTL)
                return false;
        if (q->session_ttl != MODEL_NONE && (session == 0 || session > M_MAX_LIFETIME))
                return false;
        if (lifetime > M_MAX_LIFETIME || lifetime < ttl + session)
                return false;
        if (q->uses > 1000 || start > now + 365 * M_DAY)
                return false;
        *ret = (ModelCredential){
                .not_before = start,
                .limit = start + ttl,
                .ceiling = start + lifetime,
                .session_ttl = q->session_ttl,
                .uses = q->uses ? q->uses : 1,
                .left = q->uses ? q->uses : 1,
                .services = q->services ? q->services : M_SSHD | M_LOGIN,
                .source = q->source,
        };
        return true;
}

/* --- logging in --- */

static inline bool model_from(ModelSource source, ModelRhost rhost)
{
        switch (source) {
        case M_ANYWHERE:
        case M_SOURCES:
                return true;
        case M_TEN:
                return rhost == M_FROM_TEN;
        case M_LOCAL:
                return rhost == M_FROM_CONSOLE;
        case M_TEN_OR_SIX:
                return rhost == M_FROM_TEN || rhost == M_FROM_SIX;
        }
        return false;
}

/* With the right user and token. */
static inline bool model_may_log_in(const Model *m, const ModelCredential *c, ModelService service,
                                    ModelRhost rhost)
{
        return !m->behind && !m->frozen && c->end == M_OPEN && c->left > 0 && m->now < c->limit &&
               m->now >= c->not_before && (c->services & (int)service) &&
               model_from(c->source, rhost);
}

static inline uint64_t model_deadline(const ModelCredential *c, uint64_t accepted)
{
        uint64_t end = c->session_ttl == MODEL_NONE ? c->limit : accepted + c->session_ttl;

        return end < c->ceiling ? end : c->ceiling;
}

static inline ModelLogin *model_log_in(Model *m, size_t credential, ModelService service)
{
        ModelCredential *c = &m->credentials[credential];
        ModelLogin *l = &m->logins[m->n_logins++];

        *l = (ModelLogin){
                .credential = credential, .service = service, .boot = m->boot, .accepted = m->now};
        c->open++;
        if (--c->left == 0)
                c->end = M_USED;
        return l;
}

/* The right secret of a login, from a service: is there something to be claimed? */
static inline bool model_claimable(const Model *m, const ModelLogin *l, ModelService service)
{
        return l->state == M_ACCEPTED && l->boot == m->boot && l->service == service;
}

static inline bool model_may_open(const Model *m, const ModelLogin *l, bool right_user)
{
        const ModelCredential *c = &m->credentials[l->credential];

        return right_user && !m->frozen && !model_gives_up(c->end) &&
               m->now < model_deadline(c, l->accepted);
}

static inline void model_open(Model *m, ModelLogin *l, bool allowed)
{
        l->state = M_LIVE;
        l->bind_by = m->now + M_BIND_TIMEOUT;
        l->deadline =
                allowed ? model_deadline(&m->credentials[l->credential], l->accepted) : m->now;
        l->early = !allowed;
}

/* --- changing it --- */

/* Live, and its time is not over. */
static inline bool model_running(const Model *m, const ModelLogin *l)
{
        return l->state == M_LIVE && l->deadline > m->now;
}

/* credential MODEL_NONE: those of all. */
static inline void model_end_sessions(Model *m, size_t credential, bool early)
{
        for (size_t i = m->first_login; i < m->n_logins; i++) {
                ModelLogin *l = &m->logins[i];

                if ((credential == MODEL_NONE || l->credential == credential) &&
                    model_running(m, l)) {
                        l->deadline = m->now;
                        l->early = early;
                }
        }
}

/* By how much it can be extended; MODEL_NONE: nothing is open. */
static inline uint64_t model_extensible(const Model *m, size_t credential)
{
        const ModelCredential *c = &m->credentials[credential];
        uint64_t latest = c->end == M_OPEN && m->now < c->limit ? c->limit : 0;

        for (size_t i = m->first_login; i < m->n_logins; i++) {
                const ModelLogin *l = &m->logins[i];

                if (l->credential == credential && model_running(m, l) && l->deadline > latest)
                        latest = l->deadline;
        }
        return latest == 0 ? MODEL_NONE : c->ceiling - latest;
}

static inline void model_extend(Model *m, size_t credential, uint64_t by)
{
        ModelCredential *c = &m->credentials[credential];

        if (c->end == M_OPEN && m->now < c->limit)
                c->limit += by;
        for (size_t i = m->first_login; i < m->n_logins; i++)
                if (m->logins[i].credential == credential && model_running(m, &m->logins[i]))
                        m->logins[i].deadline += by;
}

/* "" if it can be changed, else its last word. */
static inline bool model_closed(const ModelCredential *c)
{
        return c->final || model_gives_up(c->end);
}

/* --- time --- */

static inline void model_finish(ModelCredential *c)
{
        if (c->end != M_OPEN && c->open == 0)
                c->final = true;
}

static inline void model_pass_login(Model *m, ModelLogin *l)
{
        if (l->state == M_ACCEPTED && m->now >= l->accepted + M_LAPSE) {
                l->state = M_LAPSED;
                m->credentials[l->credential].open--;
                model_finish(&m->credentials[l->credential]);
        }
        if (l->state != M_LIVE || l->ended || l->gone)
                return;
        if (!l->announced && !l->dead && m->now >= l->bind_by && m->now < l->deadline) {
                l->deadline = m->now;
                l->early = true;
        }
        l->ended = m->now >= l->deadline;
        l->gone = !l->ended && l->dead;
        if (l->ended || l->gone)
                l->since = m->now;
}

/* It is now. */
static inline void model_pass(Model *m, uint64_t now)
{
        m->now = now;
        for (size_t i = m->first_login; i < m->n_logins; i++)
                model_pass_login(m, &m->logins[i]);
        for (size_t i = 0; i < m->n_credentials; i++) {
                ModelCredential *c = &m->credentials[i];

                if (c->end == M_OPEN && now >= c->limit)
                        c->end = M_EXPIRED;
                model_finish(c);
        }
        while (m->first_login < m->n_logins && (m->logins[m->first_login].state == M_LAPSED ||
                                                m->logins[m->first_login].state == M_OVER))
                m->first_login++;
}

/* Its end is through. What was ended at its time did not end by being used. */
static inline void model_over(Model *m, ModelLogin *l)
{
        ModelCredential *c = &m->credentials[l->credential];
        uint64_t least = l->since > l->deadline ? l->since - l->deadline : 0;
        uint64_t most = l->ended ? m->now - l->deadline : 0;

        l->state = M_OVER;
        c->open--;
        c->late = least > c->late ? least : c->late;
        c->later = most > c->later ? most : c->later;
        if (l->ended && !l->early && c->end == M_USED)
                c->end = M_EXPIRED;
        model_finish(c);
}

/* --- what is seen of it --- */

static inline const char *model_state(const Model *m, const ModelCredential *c)
{
        static const char *const last[] = {
                [M_USED] = "used",
                [M_EXPIRED] = "expired",
                [M_REVOKED] = "revoked",
                [M_RETURNED] = "returned",
        };

        if (c->end == M_OPEN)
                return m->frozen ? "suspended" : "active";
        if (c->final)
                return last[c->end];
        return model_gives_up(c->end) ? "ending" : "in-use";
}

/* No state goes back to one of a lower rank. Between two steps nothing is half ended, so "ending" is
 * what was revoked or given back. */
static inline int model_rank(const char *state)
{
        static const char *const ranks[] = {"active", "in-use", "ending"};

        if (strcmp(state, "suspended") == 0)
                return 0;
        for (int i = 0; i < 3; i++)
                if (strcmp(state, ranks[i]) == 0)
                        return i;
        return 3;
}
