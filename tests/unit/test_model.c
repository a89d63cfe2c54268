/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ten thousand random steps on a whole daemon and on the model of model.h, and after each the two agree:
 * on what was answered, and on what is then there. Between two steps each end that was begun is let come
 * through. CREDD_TEST_SEED and CREDD_TEST_STEPS choose another walk; a failure names the one it was. */
#include "tests/unit/model_walk.h"

/* --- asking --- */

static json_t *ask(Walk *walk, const char *method, json_t *parameters)
{
        return rig_call(&walk->machine.rig, walk->machine.rig.admin, method, parameters);
}

static json_t *question(int user, uid_t uid, ModelService service, ModelRhost rhost,
                        const char *name, const char *secret)
{
        static const char *const hosts[M_RHOSTS] = {
                [M_FROM_TEN] = "10.1.2.3",    [M_FROM_OTHER] = "192.168.1.1", [M_FROM_CONSOLE] = "",
                [M_FROM_SIX] = "2001:db8::7", [M_FROM_NAME] = "host.example",
        };
        char text[] = "user0";

        text[4] = (char)('0' + user);
        return json_pack("{ss si ss ss ss ss}", "user", text, "uid", uid, "service",
                         service == M_SSHD ? "sshd" : "login", "tty", "ssh", "rhost", hosts[rhost],
                         name, secret);
}

/* error NULL: it went well. */
static void expect(Walk *walk, const json_t *reply, const char *error)
{
        const char *is = json_string_value(json_object_get(reply, "error"));
        bool expected = is && error ? strcmp(is, error) == 0 : !is && !error;

        if (!expected) {
                AUTO_FREE char *text = json_dumps(reply, 0);

                fail_msg("expected %s, and the answer is %s", error ?: "no error", text);
        }
        walk->refused += is != NULL;
}

static const char *number(const json_t *reply, const char *name, uint64_t *ret)
{
        *ret = (uint64_t)json_integer_value(reply_at(reply, name, NULL));
        return name;
}

/* --- the steps --- */

static void put_length(json_t *parameters, const char *name, uint64_t usec)
{
        if (usec != MODEL_NONE)
                assert_int_equal(
                        json_object_set_new(parameters, name, json_integer((json_int_t)usec)), 0);
}

static void put_lists(json_t *parameters, const ModelIssue *q)
{
        json_t *services = json_array(), *sources = json_array();

        if (q->services & M_SSHD)
                (void)json_array_append_new(services, json_string("sshd"));
        if (q->services & M_LOGIN)
                (void)json_array_append_new(services, json_string("login"));
        if (q->source == M_TEN || q->source == M_TEN_OR_SIX)
                (void)json_array_append_new(sources, json_string("10.0.0.0/8"));
        if (q->source == M_TEN_OR_SIX)
                (void)json_array_append_new(sources, json_string("2001:db8::/32"));
        if (q->source == M_LOCAL)
                (void)json_array_append_new(sources, json_string("local"));
        assert_int_equal(json_object_set_new(parameters, "services", services), 0);
        assert_int_equal(json_object_set_new(parameters, "sources", sources), 0);
}

static json_t *issue_call(Walk *walk, int user, const ModelIssue *q)
{
        char name[] = "user0";
        json_t *call;

        name[4] = (char)('0' + user);
        call = json_pack("{ss si}", "user", name, "uid", UID_FIRST + user);
        put_length(call, "ttl_usec", q->ttl);
        put_length(call, "session_ttl_usec", q->session_ttl);
        put_length(call, "max_lifetime_usec", q->lifetime);
        if (q->not_before > 0) /* people mean the wall clock */
                put_length(call, "not_before_usec",
                           walk->machine.hands.real_usec + q->not_before - walk->model.now);
        if (q->uses > 0)
                put_length(call, "uses", (uint64_t)q->uses);
        put_lists(call, q);
        return call;
}

static unsigned alive(const Model *m)
{
        unsigned n = 0;

        for (size_t i = 0; i < m->n_credentials; i++)
                n += !m->credentials[i].final;
        return n;
}

/* What fits, most often; else anything. */
static ModelIssue any_issue(Walk *walk)
{
        static const uint64_t ttls[] = {MODEL_NONE, M_SECOND, M_MINUTE,  10 * M_MINUTE, M_HOUR,
                                        5 * M_HOUR, 1,        M_MAX_TTL, M_MAX_TTL + 1, 0};
        static const uint64_t lengths[] = {
                MODEL_NONE, M_SECOND,       M_MINUTE, 20 * M_MINUTE,
                2 * M_HOUR, M_MAX_LIFETIME, 0,        M_MAX_LIFETIME + 1};
        static const uint64_t lifetimes[] = {MODEL_NONE, M_MAX_LIFETIME, 6 * M_HOUR,
                                             M_HOUR,     M_MINUTE,       M_MAX_LIFETIME + 1};
        static const uint64_t starts[] = {M_SECOND, M_MINUTE, M_HOUR, 365 * M_DAY, 365 * M_DAY + 1};
        static const int64_t uses[] = {1, 2, 3, 5, 1000, 1001};
        bool fits = chance(walk, 80);

        return (ModelIssue){
                .ttl = ttls[draw(walk, fits ? 6 : ELEMENTSOF(ttls))],
                .session_ttl = lengths[draw(walk, fits ? 4 : ELEMENTSOF(lengths))],
                .lifetime = lifetimes[draw(walk, fits ? 3 : ELEMENTSOF(lifetimes))],
                .not_before =
                        chance(walk, 80) ? 0 : walk->model.now + starts[draw(walk, fits ? 3 : 5)],
                .uses = uses[draw(walk, fits ? 4 : ELEMENTSOF(uses))],
                .services = chance(walk, 50) ? 0 : (int)draw(walk, 4),
                .source = chance(walk, 70) ? M_ANYWHERE : (ModelSource)draw(walk, M_SOURCES),
        };
}

static void revoke_one(Walk *walk, size_t n)
{
        ModelCredential *c = &walk->model.credentials[n];
        json_auto_t *reply = ask(walk, ADMIN("Revoke"), json_pack("{ss}", "id", c->id));

        if (model_closed(c)) {
                expect(walk, reply, ADMIN("Final"));
                return;
        }
        expect(walk, reply, NULL);
        c->end = M_REVOKED;
        model_finish(c);
        model_end_sessions(&walk->model, n, false);
}

static void step_issue(Walk *walk)
{
        Model *m = &walk->model;
        const ModelIssue q = any_issue(walk);
        int user = (int)draw(walk, USERS);
        ModelCredential new = {0};
        json_auto_t *reply = NULL;

        if (alive(m) >= ALIVE_MAX) {
                for (size_t i = 0; i < m->n_credentials; i++)
                        if (!m->credentials[i].final) {
                                revoke_one(walk, i);
                                return;
                        }
                return;
        }
        reply = ask(walk, ADMIN("Issue"), issue_call(walk, user, &q));
        if (!model_issue(m->now, &q, &new)) {
                expect(walk, reply, ADMIN("Refused"));
                return;
        }
        expect(walk, reply, NULL);
        (void)snprintf(new.id, sizeof(new.id), "%s", reply_text(reply, "credential", "id"));
        (void)snprintf(new.token, sizeof(new.token), "%s", reply_text(reply, "token", NULL));
        new.user = user;
        assert_true(m->n_credentials < MODEL_CREDENTIALS);
        walk->focus = m->n_credentials;
        m->credentials[m->n_credentials++] = new;
}

/* Of the same id, and another secret. */
static void wrong_token(Walk *walk, const char *right, char ret_text[static TOKEN_TEXT_LEN + 1])
{
        CLEANUP(token_done) Token token = {0}, other = {0};
        uint8_t bytes[TOKEN_RANDOM_LEN];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)draw(walk, 256);
        assert_int_equal(token_parse(right, strlen(right), &token), 0);
        token_from_random(bytes, &other);
        if (chance(walk, 80))
                memcpy(other.id, token.id, sizeof(other.id));
        token_format(&other, ret_text);
}

static void step_authenticate(Walk *walk)
{
        Model *m = &walk->model;
        size_t n = any_credential(walk);
        ModelService service = chance(walk, 80) ? M_SSHD : M_LOGIN;
        ModelRhost rhost = chance(walk, 70) ? M_FROM_TEN : (ModelRhost)draw(walk, M_RHOSTS);
        bool right_user = chance(walk, 95), right_uid = chance(walk, 95);
        bool right_token = chance(walk, 95), yes;
        char text[TOKEN_TEXT_LEN + 1];
        json_auto_t *reply = NULL;
        const ModelCredential *c;
        ModelLogin *login;
        uint64_t left;
        int user;

        if (n == MODEL_NONE)
                return;
        c = &m->credentials[n];
        user = c->user + !right_user;
        (void)snprintf(text, sizeof(text), "%s", c->token);
        if (!right_token)
                wrong_token(walk, c->token, text);
        reply = rig_call(&walk->machine.rig, walk->machine.rig.login, LOGIN("Authenticate"),
                         question(user, (uid_t)(UID_FIRST + c->user + !right_uid), service, rhost,
                                  "token", text));
        yes = right_user && right_uid && right_token && model_may_log_in(m, c, service, rhost);
        expect(walk, reply, yes ? NULL : LOGIN("Refused"));
        if (!yes)
                return;
        assert_true(m->now < c->limit);
        assert_true(m->n_logins < MODEL_LOGINS);
        login = model_log_in(m, n, service);
        (void)snprintf(login->text, sizeof(login->text), "%s", reply_text(reply, "login", NULL));
        login->num = strtoll(login->text, NULL, 10);
        (void)number(reply, "left_usec", &left);
        assert_int_equal(left, model_deadline(c, m->now) - m->now);
        walk->logins++;
        walk->focus = n;
}

/* A login to be claimed, most often one that can be, and how it is asked for. */
typedef struct Claim {
        size_t login;
        bool right_user, claimable, allowed;
        ModelService service;
        json_t *question;
} Claim;

static bool any_claim(Walk *walk, Claim *ret)
{
        static const ModelLoginState others[] = {M_LIVE, M_OVER, M_LAPSED};
        Model *m = &walk->model;
        size_t n = any_login(walk, chance(walk, 90) ? M_ACCEPTED : PICK(walk, others));
        bool right_nonce = chance(walk, 92);
        char text[sizeof(m->logins[0].text)];
        const ModelLogin *l;
        Claim claim;

        if (n == MODEL_NONE)
                return false;
        l = &m->logins[n];
        claim = (Claim){.login = n, .right_user = chance(walk, 92), .service = l->service};
        if (chance(walk, 8))
                claim.service ^= M_SSHD | M_LOGIN;
        (void)snprintf(text, sizeof(text), "%s", l->text);
        if (!right_nonce)
                text[strlen(text) - 1] ^= 1; /* of two hexadecimal digits, one of the same pair */
        claim.claimable = right_nonce && model_claimable(m, l, claim.service);
        claim.allowed = claim.claimable && model_may_open(m, l, claim.right_user);
        claim.question = question(m->credentials[l->credential].user + !claim.right_user,
                                  (uid_t)(UID_FIRST + m->credentials[l->credential].user),
                                  claim.service, M_FROM_TEN, "login", text);
        *ret = claim;
        return true;
}

static void step_account(Walk *walk)
{
        json_auto_t *reply = NULL;
        Claim claim;

        if (!any_claim(walk, &claim))
                return;
        reply = rig_call(&walk->machine.rig, walk->machine.rig.login, LOGIN("CheckAccount"),
                         claim.question);
        expect(walk, reply, claim.allowed ? NULL : LOGIN("Refused"));
}

static void step_open(Walk *walk)
{
        Model *m = &walk->model;
        json_auto_t *reply = NULL;
        uint64_t left, backstop;
        ModelLogin *l;
        Agent agent;
        Claim claim;

        if (!any_claim(walk, &claim))
                return;
        l = &m->logins[claim.login];
        agent = agent_new(&walk->machine);
        reply = agent_ask(&walk->machine, &agent, 'L', LOGIN("OpenSession"), claim.question);
        expect(walk, reply, claim.allowed ? NULL : LOGIN("Refused"));
        if (!claim.claimable) {
                agent_free(&walk->machine, &agent);
                return;
        }
        model_open(m, l, claim.allowed);
        walk->agents[claim.login] = agent;
        walk->focus = l->credential;
        if (!claim.allowed)
                return;
        walk->sessions++;
        (void)number(reply, "left_usec", &left);
        (void)number(reply, "backstop_usec", &backstop);
        assert_int_equal(left, l->deadline - m->now);
        assert_int_equal(backstop, m->credentials[l->credential].ceiling - m->now + 2 * M_SECOND);
}

static void step_announce(Walk *walk)
{
        Model *m = &walk->model;
        size_t n = any_login(walk, M_LIVE);

        if (n == MODEL_NONE)
                return;
        agent_announce(&walk->machine, &walk->agents[n],
                       (uid_t)(UID_FIRST + m->credentials[m->logins[n].credential].user),
                       m->logins[n].num);
        m->logins[n].announced = true;
}

static void step_log_out(Walk *walk)
{
        size_t n = any_login(walk, M_LIVE);

        if (n == MODEL_NONE)
                return;
        agent_kill(&walk->agents[n]);
        walk->model.logins[n].dead = true;
}

static void step_extend(Walk *walk)
{
        static const uint64_t lengths[] = {0, 1, M_SECOND, 10 * M_MINUTE, M_HOUR, INT64_MAX};
        Model *m = &walk->model;
        size_t n = any_credential(walk);
        uint64_t left, by;
        json_auto_t *reply = NULL;
        bool yes;

        if (n == MODEL_NONE)
                return;
        left = model_extensible(m, n);
        by = PICK(walk, lengths);
        if (left != MODEL_NONE && chance(walk, 40))
                by = left + draw(walk, 3) - (left > 0);
        yes = left != MODEL_NONE && by > 0 && by <= left;
        reply = ask(walk, ADMIN("Extend"),
                    json_pack("{ss sI}", "id", m->credentials[n].id, "by_usec", (json_int_t)by));
        if (model_closed(&m->credentials[n])) {
                expect(walk, reply, ADMIN("Final"));
                return;
        }
        expect(walk, reply, yes ? NULL : ADMIN("Refused"));
        if (yes)
                model_extend(m, n, by);
}

/* One; now and then all of a user, or everybody's. */
static void step_revoke(Walk *walk)
{
        const Model *m = &walk->model;
        size_t n = any_credential(walk);
        int user = (int)draw(walk, USERS);
        bool many = chance(walk, 5), everybody = chance(walk, 20);

        if (n == MODEL_NONE)
                return;
        if (!many) {
                revoke_one(walk, n);
                return;
        }
        for (size_t i = 0; i < m->n_credentials; i++)
                if (!m->credentials[i].final && (everybody || m->credentials[i].user == user))
                        revoke_one(walk, i);
}

/* From within: the daemon sees it in its scope. */
static void step_return(Walk *walk)
{
        Model *m = &walk->model;
        size_t n = any_login(walk, M_LIVE);
        json_auto_t *reply = NULL;

        if (n == MODEL_NONE)
                return;
        reply = agent_ask(&walk->machine, &walk->agents[n], 'A', ADMIN("Return"), json_object());
        if (!walk->agents[n].in_scope) {
                expect(walk, reply, ADMIN("NotInSession"));
                return;
        }
        expect(walk, reply, NULL);
        m->credentials[m->logins[n].credential].end = M_RETURNED;
        model_end_sessions(m, m->logins[n].credential, true);
}

static void step_freeze(Walk *walk)
{
        Model *m = &walk->model;
        bool end = chance(walk, 25);
        json_auto_t *reply = NULL;

        reply = ask(walk, ADMIN("Freeze"), json_pack("{sb}", "end_sessions", end));
        expect(walk, reply, m->frozen && !end ? ADMIN("NothingToDo") : NULL);
        m->frozen = true;
        if (end)
                model_end_sessions(m, MODEL_NONE, true);
}

static void step_thaw(Walk *walk)
{
        Model *m = &walk->model;
        json_auto_t *reply = NULL;

        if (!m->frozen && chance(walk, 90))
                return;
        reply = ask(walk, ADMIN("Thaw"), json_object());
        expect(walk, reply, m->frozen ? NULL : ADMIN("NothingToDo"));
        m->frozen = false;
}

/* A moment at which something changes; MODEL_NONE: of that there is none. */
static uint64_t any_moment(Walk *walk)
{
        const Model *m = &walk->model;
        ModelLoginState state = chance(walk, 70) ? M_LIVE : M_ACCEPTED;
        size_t n = any_credential(walk), l = any_login(walk, state);

        if (n == MODEL_NONE)
                return MODEL_NONE;
        if (l == MODEL_NONE || chance(walk, 50)) {
                walk->focus = n;
                return chance(walk, 80) ? m->credentials[n].limit : m->credentials[n].not_before;
        }
        walk->focus = m->logins[l].credential;
        if (state == M_ACCEPTED)
                return chance(walk, 50) ? m->logins[l].accepted + M_LAPSE
                                        : model_deadline(&m->credentials[walk->focus],
                                                         m->logins[l].accepted);
        return m->logins[l].announced || chance(walk, 50) ? m->logins[l].deadline
                                                          : m->logins[l].bind_by;
}

/* To the moment before it, to it, or past it: the next step begins a microsecond later. */
static void step_pass(Walk *walk)
{
        static const uint64_t lengths[] = {1, M_SECOND, 10 * M_SECOND, M_MINUTE};
        uint64_t to = any_moment(walk);

        /* Soon, most often, so that many things are under way at once. */
        for (unsigned i = 0; i < 8; i++) {
                uint64_t other = any_moment(walk);

                if (to <= walk->model.now + 3 || (other > walk->model.now + 3 && other < to))
                        to = other;
        }
        if (to != MODEL_NONE && to > walk->model.now + 3 && to < walk->model.now + M_DAY &&
            chance(walk, 60))
                pass(walk, to - 3 + draw(walk, 4) - walk->model.now);
        else
                pass(walk, PICK(walk, lengths));
}

static void step_set_wall(Walk *walk)
{
        static const int64_t lengths[] = {1, 60, 3600, 86400};
        int64_t by = PICK(walk, lengths) * (int64_t)(chance(walk, 50) ? M_SECOND : -M_SECOND);

        if (!walk->line.behind && chance(walk, 60))
                return;
        /* Right again, as an NTP client would do it. */
        if (walk->line.behind && chance(walk, 90))
                by = (int64_t)(walk->line.mark_real - walk->machine.hands.real_usec) +
                     (int64_t)draw(walk, 3) - 1;
        machine_set_wall(&walk->machine, by);
        now_is(walk);
        walk->line.behind_noted = walk->line.behind;
}

/* A second later it has done waiting for logind; those that were announced are announced again. */
static void begin_again(Walk *walk)
{
        Model *m = &walk->model;

        machine_start(&walk->machine);
        for (size_t i = m->first_login; i < m->n_logins; i++)
                if (m->logins[i].state == M_LIVE && m->logins[i].announced && !m->logins[i].dead)
                        agent_announce(
                                &walk->machine, &walk->agents[i],
                                (uid_t)(UID_FIRST + m->credentials[m->logins[i].credential].user),
                                m->logins[i].num);
        pass(walk, M_SECOND + 1);
}

static void step_restart(Walk *walk)
{
        machine_stop(&walk->machine, chance(walk, 50));
        begin_again(walk);
}

/* The moment that the time line goes on from: the last that was recorded. */
static void line_mark(Walk *walk, uint64_t *ret_line)
{
        Store *store = walk->machine.rig.manager->store;
        CLEANUP(event_row_done) EventRow row = {0};
        Line *line = &walk->line;

        assert_int_equal(store_read_event(store, store_newest_event(store), &row), 1);
        *ret_line = row.line_usec;
        if (line->behind_noted && line->mark_real > row.real_usec)
                return;
        line->mark_line = row.line_usec;
        line->mark_real = row.real_usec;
}

static void line_reboot(Walk *walk, uint64_t floor)
{
        Line *line = &walk->line;
        uint64_t real = walk->machine.hands.real_usec;

        line->behind = line->behind_noted = real < line->mark_real;
        line->now = line->mark_line + (line->behind ? 0 : real - line->mark_real);
        if (line->now < floor)
                line->now = floor;
}

static void step_reboot(Walk *walk)
{
        static const int64_t away[] = {5, 60, 3600, 100000, -1, -600, -100000};
        Machine *machine = &walk->machine;
        Model *m = &walk->model;
        uint64_t floor = 0;

        assert_int_equal(batch_enter(machine->rig.manager->batch), 0);
        machine_record(machine, event_daemon_stopped(&machine->rig.manager->events));
        line_mark(walk, &floor);
        machine_stop(machine, false);
        for (size_t i = m->first_login; i < m->n_logins; i++)
                if (m->logins[i].state == M_LIVE) {
                        agent_kill(&walk->agents[i]);
                        m->logins[i].dead = true;
                }
        machine->hands.boot_usec = MACHINE_BOOT;
        machine->hands.real_usec += (uint64_t)(PICK(walk, away) * (int64_t)M_SECOND);
        m->boot = ++machine->boot;
        line_reboot(walk, floor);
        begin_again(walk);
}

static const struct {
        unsigned weight;
        const char *name;
        void (*step)(Walk *walk);
} steps[] = {
        {130, "issue", step_issue},
        {300, "authenticate", step_authenticate},
        {260, "open a session", step_open},
        {50, "check an account", step_account},
        {60, "announce a session", step_announce},
        {40, "log out", step_log_out},
        {100, "extend", step_extend},
        {40, "revoke", step_revoke},
        {20, "give back", step_return},
        {5, "freeze", step_freeze},
        {100, "thaw", step_thaw},
        {150, "let time pass", step_pass},
        {25, "set the wall clock", step_set_wall},
        {8, "restart", step_restart},
        {5, "reboot", step_reboot},
};

static void take_step(Walk *walk)
{
        unsigned total = 0, at;
        size_t i = 0;

        for (size_t k = 0; k < ELEMENTSOF(steps); k++)
                total += steps[k].weight;
        at = (unsigned)draw(walk, total);
        while (at >= steps[i].weight)
                at -= steps[i++].weight;
        walk->doing = steps[i].name;
        pass(walk, 1);
        settle(walk);
        steps[i].step(walk);
        pass(walk, 1);
        settle(walk);
        check(walk, false);
}

/* --- the end --- */

/* The chain holds, and of each credential that is final it has one receipt, of others none. */
static void check_events(Walk *walk)
{
        Store *store = walk->machine.rig.manager->store;
        Model *m = &walk->model;
        AUTO_FREE unsigned *receipts = calloc(m->n_credentials + 1, sizeof(*receipts));
        int64_t seq = 0;

        assert_non_null(receipts);
        (void)check_chain(store);
        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};

                if (store_next_event(store, seq, &row) == 0)
                        break;
                seq = row.seq;
                if (strcmp(row.name, "credential-deprovisioned") == 0) {
                        assert_in_range(row.credential, 1, m->n_credentials);
                        receipts[row.credential]++;
                }
                /* nothing can outlast four looks at a process that only sleeps */
                assert_string_not_equal(row.name, "session-residue");
        }
        for (size_t i = 0; i < m->n_credentials; i++)
                assert_int_equal(receipts[i + 1], m->credentials[i].final);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
        const char *text = getenv(name);

        return text ? strtoull(text, NULL, 10) : otherwise;
}

static int setup(void **state)
{
        Walk *walk = calloc(1, sizeof(*walk));

        assert_non_null(walk);
        walk->seed = from_environment("CREDD_TEST_SEED", SEED);
        walk->steps = (unsigned)from_environment("CREDD_TEST_STEPS", STEPS);
        walk->random = walk->seed * 2 + 1; /* never 0 */
        walk->doing = "start";
        *state = walk;
        return 0;
}

static int teardown(void **state)
{
        Walk *walk = *state;

        if (!walk->done && geteuid() == 0)
                print_error("CREDD_TEST_SEED=%llu, step %u: %s; credential %zu\n",
                            (unsigned long long)walk->seed, walk->step, walk->doing, walk->focus);
        for (size_t i = 0; i < walk->model.n_logins; i++)
                agent_free(&walk->machine, &walk->agents[i]);
        if (walk->machine.rig.folder)
                machine_done(&walk->machine);
        while (walk->n_slices > 0)
                (void)rmdir(walk->slices[--walk->n_slices]);
        free(walk);
        return 0;
}

static void make_slices(Walk *walk)
{
        Machine *machine = &walk->machine;
        char own[64];

        for (uid_t uid = (uid_t)UID_FIRST; uid < (uid_t)UID_FIRST + USERS; uid++)
                if (!machine_make_slice(machine, uid, walk->slices, &walk->n_slices)) {
                        print_message("no cgroup tree to write to: nothing is given back\n");
                        return;
                }
        assert_int_equal(proc_cgroup(getpid(), &machine->home), 0);
        (void)snprintf(own, sizeof(own), "/user.slice/credd-unit-%d", getpid());
        if (make_cgroup(machine->cgroups, own, walk->slices, &walk->n_slices))
                machine_enter(machine->cgroups, own);
}

static void test_model__ten_thousand_random_steps__daemon_and_model_agree(void **state)
{
        Walk *walk = *state;

        need_root();
        machine_init(&walk->machine);
        walk->model.boot = walk->machine.boot;
        walk->line.now = walk->machine.hands.real_usec;
        make_slices(walk);
        pass(walk, 2 * M_SECOND);
        for (walk->step = 0; walk->step < walk->steps; walk->step++)
                take_step(walk);
        print_message("%u logins, %u sessions, %u refusals, %zu credentials, boot %u\n",
                      walk->logins, walk->sessions, walk->refused, walk->model.n_credentials,
                      walk->model.boot);
        walk->doing = "the end";
        check(walk, true);
        check_events(walk);
        /* A walk that went nowhere would agree, too. */
        if (walk->steps >= STEPS)
                assert_true(walk->logins > STEPS / 40 && walk->sessions > STEPS / 80);
        walk->done = true;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_model__ten_thousand_random_steps__daemon_and_model_agree, setup,
                        teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
