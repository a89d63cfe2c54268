/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a role does to what is handed out, and to what is let in. Each case has one thing changed against
 * one that is good, so that what is refused is refused for that. */
#include "tests/unit/scratch.h"

#include "credd/policy.h"

static const Config house = {
        .default_ttl_usec = HOURS(1),
        .max_ttl_usec = HOURS(2),
        .max_lifetime_usec = HOURS(3),
};

/* A role that goes past the host in some things and is narrower in others. */
typedef struct World {
        Role role;
        char *users[3];
        Config config;
        PolicyRules rules;
        json_t *services, *sources;
        IssueRequest request;
        Credential credential;
        LoginFacts facts;
        bool frozen;
} World;

static int world_setup(void **state)
{
        static char deploy[] = "deploy", apps[] = "app-*", name[] = "oncall", holder[] = "Ann";
        static char reason[] = "ticket 7";
        World *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        w->users[0] = deploy;
        w->users[1] = apps;
        w->config = house;
        w->role = (Role){
                .name = name,
                .users = w->users,
                .services = json_pack("[s]", "sshd"),
                .sources = json_pack("[ss]", "10.0.0.0/8", "local"),
                .default_ttl_usec = HOURS(2),
                .max_ttl_usec = HOURS(4),
                .max_lifetime_usec = HOURS(8),
                .max_uses = 3,
                .max_sessions = 2,
        };
        w->rules = (PolicyRules){.config = &w->config, .role = &w->role};
        w->request = (IssueRequest){
                .user = "deploy",
                .uid = 1001,
                .role = name,
                .ttl_usec = USEC_INFINITY,
                .session_ttl_usec = USEC_INFINITY,
                .max_lifetime_usec = USEC_INFINITY,
        };
        w->services = json_pack("[s]", "sshd");
        w->sources = json_pack("[s]", "10.1.0.0/16");
        w->credential = (Credential){
                .user = deploy,
                .uid = 1001,
                .role = name,
                .holder = holder,
                .reason = reason,
                .services = w->services,
                .sources = w->sources,
                .uses = 3,
                .uses_left = 1,
                .ttl_usec = HOURS(4),
                .not_before_usec = NOON,
                .login_limit_usec = NOON + HOURS(4),
                .session_ttl_usec = USEC_INFINITY,
                .ceiling_usec = NOON + HOURS(8),
        };
        w->facts =
                (LoginFacts){.user = "deploy", .uid = 1001, .service = "sshd", .rhost = "10.1.2.3"};
        *state = w;
        return 0;
}

static int world_teardown(void **state)
{
        World *w = *state;

        json_decref(w->role.services);
        json_decref(w->role.sources);
        json_decref(w->services);
        json_decref(w->sources);
        free(w);
        return 0;
}

/* "" if it was granted. */
static const char *grant(const World *w, Grant *ret, char text[static POLICY_TEXT_MAX])
{
        int r;

        text[0] = '\0';
        r = policy_grant(&w->rules, &w->request, NOON, ret, text);
        assert_int_equal(r, text[0] ? 1 : 0);
        return text;
}

static void expect_refused(const World *w, const char *word)
{
        char text[POLICY_TEXT_MAX];
        Grant unused;

        if (!strstr(grant(w, &unused, text), word) || !text[0])
                fail_msg("\"%s\", and \"%s\" was expected", text, word);
}

static Grant expect_granted(const World *w)
{
        char text[POLICY_TEXT_MAX];
        Grant is = {0};

        assert_string_equal(grant(w, &is, text), "");
        return is;
}

static void set_list(json_t **list, const char *first, const char *second)
{
        json_decref(*list);
        *list = json_array();
        if (first)
                (void)json_array_append_new(*list, json_string(first));
        if (second)
                (void)json_array_append_new(*list, json_string(second));
}

static void test_policy_grant__under_a_role__takes_the_roles_defaults(void **state)
{
        World *w = *state;
        Grant is = expect_granted(w);

        assert_true(is.ttl_usec == HOURS(2));
        assert_true(is.login_limit_usec == NOON + HOURS(2));
        assert_true(is.ceiling_usec == NOON + HOURS(8));
        assert_int_equal(is.uses, 1);
}

static void test_policy_grant__role_without_limits__takes_the_hosts(void **state)
{
        World *w = *state;
        Grant is;

        w->role.default_ttl_usec = w->role.max_ttl_usec = w->role.max_lifetime_usec = 0;
        w->role.max_uses = 0;
        is = expect_granted(w);
        assert_true(is.ttl_usec == HOURS(1) && is.ceiling_usec == NOON + HOURS(1));
        w->request.ttl_usec = HOURS(2) + 1;
        expect_refused(w, "MaxTTL");
        w->request.ttl_usec = USEC_INFINITY;
        w->request.uses = 2;
        expect_refused(w, "MaxUses");
        w->request.uses = 0;
        /* the default bends to the limit, for nobody asked for it */
        w->role.max_ttl_usec = HOURS(1) / 2;
        assert_true(expect_granted(w).ttl_usec == HOURS(1) / 2);
}

static void test_policy_grant__past_the_role__is_refused_and_not_capped(void **state)
{
        World *w = *state;

        w->request.ttl_usec = HOURS(4);
        assert_true(expect_granted(w).ttl_usec == HOURS(4));
        w->request.ttl_usec++;
        expect_refused(w, "this role allows: at most 4h (MaxTTL)");
        w->request.ttl_usec = HOURS(1);
        w->request.max_lifetime_usec = HOURS(8) + 1;
        expect_refused(w, "this role allows: at most 8h (MaxLifetime)");
        w->request.max_lifetime_usec = USEC_INFINITY;
        w->request.session_ttl_usec = HOURS(7);
        (void)expect_granted(w);
        w->request.session_ttl_usec++;
        expect_refused(w, "--max-lifetime");
        w->request.session_ttl_usec = USEC_INFINITY;
        w->request.uses = 3;
        assert_int_equal(expect_granted(w).uses, 3);
        w->request.uses = 4;
        expect_refused(w, "at most 3 uses (MaxUses)");
}

static void test_policy_grant__the_roles_words__are_wanted(void **state)
{
        World *w = *state;

        w->role.holder_required = true;
        expect_refused(w, "--holder");
        w->request.holder = "Ann";
        (void)expect_granted(w);
        w->role.reason_required = true;
        expect_refused(w, "--reason");
        w->role.reason_required = false;
        w->role.break_glass = true;
        expect_refused(w, "--reason");
        w->request.reason = "fire";
        (void)expect_granted(w);
        w->request.reason = NULL;
        w->role.break_glass = false;
        w->config.reason_required = true;
        expect_refused(w, "on this host: --reason");
}

static void test_policy_grant__user__matches_a_name_or_pattern_whole(void **state)
{
        static const struct {
                const char *user;
                bool good;
        } table[] = {{"deploy", true},   {"app-1", true},   {"app-", true},    {"app", false},
                     {"deploy2", false}, {"Deploy", false}, {"xapp-1", false}, {"carol", false}};
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                w->request.user = table[i].user;
                if (table[i].good)
                        (void)expect_granted(w);
                else
                        expect_refused(w, "not for that user");
        }
        w->role.users = NULL;
        w->request.user = "deploy";
        expect_refused(w, "not for that user");
        w->request.uid = 0;
        expect_refused(w, "root");
}

static void test_policy_grant__role_gone_or_off__is_refused(void **state)
{
        World *w = *state;

        w->rules.role_off = true;
        expect_refused(w, "switched off");
        w->rules.role_off = false;
        w->rules.role = NULL;
        expect_refused(w, "no such role");
        /* and the other way round: no role's limits for who named none */
        w->request.role = NULL;
        (void)expect_granted(w);
        w->rules.role = &w->role;
        expect_refused(w, "no role");
}

/* What is asked for is inside what the role has: an address, a network, a word; each of them. */
static void test_policy_grant__lists__lie_within_the_roles(void **state)
{
        static const struct {
                const char *first, *second;
                bool good;
        } table[] = {
                {"10.0.0.0/8", NULL, true},
                {"10.1.2.3", NULL, true},
                {"10.1.0.0/16", "local", true},
                {"local", NULL, true},
                {"::ffff:10.0.0.0/104", NULL, true},
                {"11.0.0.0/8", NULL, false},
                {"10.0.0.0/7", NULL, false},
                {"0.0.0.0/0", NULL, false},
                {"::/0", NULL, false},
                {"10.1.0.0/16", "192.0.2.1", false},
        };
        World *w = *state;
        json_t *asked = json_array();

        w->request.sources = asked;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                set_list(&asked, table[i].first, table[i].second);
                w->request.sources = asked;
                if (table[i].good)
                        (void)expect_granted(w);
                else
                        expect_refused(w, "from 10.0.0.0/8, local: --from");
        }
        set_list(&w->role.sources, NULL, NULL);
        (void)expect_granted(w);
        w->request.sources = NULL;
        set_list(&asked, "sshd", NULL);
        w->request.services = asked;
        (void)expect_granted(w);
        set_list(&asked, "sshd", "login");
        w->request.services = asked;
        expect_refused(w, "the services sshd: --service");
        json_decref(asked);
}

static void test_policy_services__none_asked_for__are_all_of_the_role(void **state)
{
        World *w = *state;
        json_auto_t *asked = json_pack("[s]", "10.1.2.3");
        json_auto_t *own = policy_sources(&w->rules, asked);
        json_auto_t *all = policy_sources(&w->rules, NULL);
        json_auto_t *services = policy_services(&w->rules, NULL);
        const PolicyRules none = {.config = &house};
        json_auto_t *host = policy_services(&none, NULL), *anywhere = policy_sources(&none, NULL);

        assert_true(json_equal(own, asked));
        assert_true(json_equal(all, w->role.sources));
        assert_true(json_equal(services, w->role.services));
        assert_int_equal(json_array_size(host), 2);
        assert_int_equal(json_array_size(anywhere), 0);
}

static void test_policy_services__asked_for__are_those_and_no_more_of_the_role(void **state)
{
        World *w = *state;
        json_auto_t *asked = json_pack("[s]", "login"), *is = NULL;

        set_list(&w->role.services, "sshd", "login");
        is = policy_services(&w->rules, asked);
        assert_true(json_equal(is, asked));
}

static void test_policy_services__left_open_by_the_role__are_those_of_the_host(void **state)
{
        World *w = *state;
        json_auto_t *services = NULL, *sources = NULL;

        set_list(&w->role.services, NULL, NULL);
        json_decref(w->role.sources);
        w->role.sources = NULL;
        services = policy_services(&w->rules, NULL);
        sources = policy_sources(&w->rules, NULL);
        assert_int_equal(json_array_size(services), 2);
        assert_true(json_is_array(sources));
        assert_int_equal(json_array_size(sources), 0);
}

/* An empty list is any service, from anywhere: more than a role that names some allows. */
static void test_policy_fits__nothing_named__is_within_no_role_that_names_some(void **state)
{
        char text[POLICY_TEXT_MAX] = "";
        World *w = *state;

        set_list(&w->services, NULL, NULL);
        w->credential.services = w->services;
        assert_int_equal(policy_fits(&w->rules, &w->credential, text), 1);
        assert_non_null(strstr(text, "the services sshd"));
        set_list(&w->services, "sshd", NULL);
        w->credential.services = w->services;
        assert_int_equal(policy_fits(&w->rules, &w->credential, text), 0);
        set_list(&w->sources, NULL, NULL);
        w->credential.sources = w->sources;
        assert_int_equal(policy_fits(&w->rules, &w->credential, text), 1);
        assert_non_null(strstr(text, "from 10.0.0.0/8, local"));
}

/* What the readers of rows and files keep out is refused here, too. */
static void test_policy_fits__sources_that_are_none_or_very_many__refused_in_words(void **state)
{
        char text[POLICY_TEXT_MAX] = "";
        World *w = *state;

        set_list(&w->sources, "nonsense", NULL);
        w->credential.sources = w->sources;
        assert_int_equal(policy_fits(&w->rules, &w->credential, text), 1);
        assert_non_null(strstr(text, "from 10.0.0.0/8, local"));
        for (unsigned i = 0; i < 40; i++)
                assert_int_equal(
                        json_array_append_new(w->role.sources, json_sprintf("172.16.%u.0/24", i)),
                        0);
        assert_int_equal(policy_fits(&w->rules, &w->credential, text), 1);
        assert_non_null(strstr(text, "172.16.0.0/24, 172.16.1.0/24"));
        assert_null(strstr(text, "172.16.39.0/24"));
}

static void test_policy_suspended__role_off_or_gone_or_host_frozen__while_that_lasts(void **state)
{
        World *w = *state;

        assert_false(policy_suspended(&w->rules, &w->credential, false));
        assert_true(policy_suspended(&w->rules, &w->credential, true));
        w->rules.role_off = true;
        assert_true(policy_suspended(&w->rules, &w->credential, false));
        w->rules = (PolicyRules){.config = &w->config};
        assert_true(policy_suspended(&w->rules, &w->credential, false));
        w->credential.role = NULL;
        assert_false(policy_suspended(&w->rules, &w->credential, false));
}

static void test_policy_approvals__then_or_now__the_larger(void **state)
{
        static const int64_t table[][3] = {{0, 0, 0}, {1, 0, 1}, {0, 1, 1},
                                           {2, 2, 2}, {3, 2, 3}, {1, 2, 2}};
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                w->role.approvals = table[i][1];
                assert_int_equal(policy_approvals(&w->rules, table[i][0]), table[i][2]);
        }
        w->rules.role = NULL;
        assert_int_equal(policy_approvals(&w->rules, 2), 2);
}

/* --- the role as it is now --- */

typedef void (*Change)(World *w);

static void nothing(World *w)
{
        (void)w;
}
static void gone(World *w)
{
        w->rules.role = NULL;
}
static void off(World *w)
{
        w->rules.role_off = true;
}
static void gone_and_off(World *w)
{
        gone(w);
        off(w);
}
static void other_user(World *w)
{
        w->users[0] = w->users[1];
}
static void other_service(World *w)
{
        set_list(&w->role.services, "login", NULL);
}
static void other_source(World *w)
{
        set_list(&w->role.sources, "10.2.0.0/16", "local");
}
static void shorter_ttl(World *w)
{
        w->role.max_ttl_usec = HOURS(4) - 1;
}
static void shorter_life(World *w)
{
        w->role.max_lifetime_usec = HOURS(8) - 1;
}
static void fewer_uses(World *w)
{
        w->role.max_uses = 2;
}
static void full(World *w)
{
        w->credential.open_logins = 2;
}
static void host_full(World *w)
{
        w->rules.host_full = true;
}
static void wider(World *w)
{
        w->role.max_ttl_usec = HOURS(100);
        w->role.max_lifetime_usec = HOURS(100);
        set_list(&w->role.sources, NULL, NULL);
        set_list(&w->role.services, "login", "sshd");
}
static void unlimited_sessions(World *w)
{
        w->credential.open_logins = 1000;
        w->role.max_sessions = 0;
}
static void holder_wanted(World *w)
{
        w->role.holder_required = true;
        w->credential.holder = NULL;
}
static void reason_of_holder_wanted(World *w)
{
        w->role.holder_required = w->role.reason_required = true;
        w->credential.reason = NULL;
}
static void reason_wanted(World *w)
{
        w->role.reason_required = true;
        w->credential.reason = NULL;
}
static void break_glass_now(World *w)
{
        w->role.break_glass = true;
        w->credential.reason = NULL;
}
static void all_said(World *w)
{
        w->role.holder_required = w->role.reason_required = w->role.break_glass = true;
}

static void holder_named(World *w)
{
        w->role.holder_required = true;
}
static void any_service(World *w)
{
        set_list(&w->role.services, NULL, NULL);
}
static void source_that_is_none(World *w)
{
        set_list(&w->role.sources, "nonsense", NULL);
}

/* fits: what policy_fits() says, for approval, collection and extension. */
static const struct {
        const char *name;
        Change change;
        Refusal login, session;
        const char *fits;
} changes[] = {
        {"nothing", nothing, REFUSAL_NONE, REFUSAL_NONE, NULL},
        {"gone", gone, REFUSAL_ROLE, REFUSAL_ROLE, "does not exist"},
        {"off", off, REFUSAL_ROLE_OFF, REFUSAL_ROLE_OFF, "switched off"},
        {"gone and off", gone_and_off, REFUSAL_ROLE_OFF, REFUSAL_ROLE_OFF, "does not exist"},
        {"user", other_user, REFUSAL_ROLE, REFUSAL_ROLE, "not for that user"},
        {"service", other_service, REFUSAL_ROLE, REFUSAL_ROLE, "services login"},
        {"source", other_source, REFUSAL_ROLE, REFUSAL_ROLE, "10.2.0.0/16"},
        {"ttl", shorter_ttl, REFUSAL_ROLE, REFUSAL_ROLE, "MaxTTL"},
        {"lifetime", shorter_life, REFUSAL_ROLE, REFUSAL_ROLE, "MaxLifetime"},
        {"uses", fewer_uses, REFUSAL_ROLE, REFUSAL_ROLE, "MaxUses"},
        {"full", full, REFUSAL_SESSIONS, REFUSAL_NONE, NULL},
        {"host full", host_full, REFUSAL_HOST_FULL, REFUSAL_HOST_FULL, NULL},
        {"wider", wider, REFUSAL_NONE, REFUSAL_NONE, NULL},
        {"unlimited", unlimited_sessions, REFUSAL_NONE, REFUSAL_NONE, NULL},
        {"holder", holder_wanted, REFUSAL_ROLE, REFUSAL_ROLE, "for whom"},
        {"reason of a holder", reason_of_holder_wanted, REFUSAL_ROLE, REFUSAL_ROLE, "now why"},
        {"reason", reason_wanted, REFUSAL_ROLE, REFUSAL_ROLE, "now why"},
        {"break-glass", break_glass_now, REFUSAL_ROLE, REFUSAL_ROLE, "now why"},
        {"all is said", all_said, REFUSAL_NONE, REFUSAL_NONE, NULL},
        {"holder named", holder_named, REFUSAL_NONE, REFUSAL_NONE, NULL},
        {"any service", any_service, REFUSAL_NONE, REFUSAL_NONE, NULL},
        {"no source", source_that_is_none, REFUSAL_ROLE, REFUSAL_ROLE, "from nonsense"},
};

static void check_change(size_t i)
{
        char text[POLICY_TEXT_MAX] = "";
        void *state = NULL;
        World *w;
        Refusal login, session;
        int r;

        assert_int_equal(world_setup(&state), 0);
        w = state;
        changes[i].change(w);
        login = policy_login(&w->rules, &w->credential, &w->facts, false, NOON);
        session = policy_session(&w->rules, &w->credential, &w->facts, false, NOON, NOON);
        if (login != changes[i].login || session != changes[i].session)
                fail_msg("%s: login %s, session %s", changes[i].name, refusal_to_string(login),
                         refusal_to_string(session));
        r = policy_fits(&w->rules, &w->credential, text);
        if (r != (changes[i].fits ? 1 : 0) || (r && !strstr(text, changes[i].fits)))
                fail_msg("%s: fits %d \"%s\"", changes[i].name, r, text);
        /* an extension takes the same right */
        r = policy_extend(&w->rules, &w->credential, true, 0, HOURS(1), text);
        assert_int_equal(r, changes[i].fits ? 1 : 0);
        /* without a role none of it matters */
        w->credential.role = NULL;
        w->rules = (PolicyRules){.config = &w->config};
        assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, false, NOON), 0);
        assert_int_equal(policy_fits(&w->rules, &w->credential, text), 0);
        (void)world_teardown(&state);
}

static void test_policy_login__role_changed_since__goes_by_the_role_as_it_is_now(void **state)
{
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                check_change(i);
}

/* The role is the last to be asked: it explains nothing that the credential itself explains. */
static void test_policy_login__own_fault_and_roles__the_own_is_named(void **state)
{
        World *w = *state;

        w->rules.role_off = true;
        w->facts.rhost = "192.0.2.1";
        assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, false, NOON),
                         REFUSAL_SOURCE);
        w->credential.cause = CAUSE_REVOKED;
        assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, false, NOON),
                         REFUSAL_REVOKED);
}

/* credential from anywhere, role since narrowed: where from is judged by the role. */
static void test_policy_login__sources_of_the_role__hold_beside_the_credentials(void **state)
{
        World *w = *state;

        set_list(&w->sources, NULL, NULL);
        w->credential.sources = w->sources;
        assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, false, NOON),
                         REFUSAL_NONE);
        w->facts.rhost = "192.0.2.1";
        assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, false, NOON),
                         REFUSAL_ROLE);
        w->facts.rhost = "host.example";
        assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, false, NOON),
                         REFUSAL_ROLE);
}

static void test_policy_login__frozen__lets_in_break_glass_alone_and_where_it_may(void **state)
{
        World *w = *state;

        for (unsigned i = 0; i < 16; i++) {
                bool frozen = i & 1, may = i & 2, glass = i & 4, has = i & 8;
                Refusal expected = frozen && !(may && glass && has) ? REFUSAL_FROZEN
                                   : has                            ? REFUSAL_NONE
                                                                    : REFUSAL_ROLE;

                w->config.break_glass_when_frozen = may;
                w->role.break_glass = glass;
                w->rules.role = has ? &w->role : NULL;
                assert_int_equal(policy_login(&w->rules, &w->credential, &w->facts, frozen, NOON),
                                 expected);
                assert_int_equal(
                        policy_session(&w->rules, &w->credential, &w->facts, frozen, NOON, NOON),
                        expected);
                assert_int_equal(policy_suspended(&w->rules, &w->credential, frozen),
                                 expected != REFUSAL_NONE);
        }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                T(test_policy_grant__under_a_role__takes_the_roles_defaults),
                T(test_policy_grant__role_without_limits__takes_the_hosts),
                T(test_policy_grant__past_the_role__is_refused_and_not_capped),
                T(test_policy_grant__the_roles_words__are_wanted),
                T(test_policy_grant__user__matches_a_name_or_pattern_whole),
                T(test_policy_grant__role_gone_or_off__is_refused),
                T(test_policy_grant__lists__lie_within_the_roles),
                T(test_policy_services__none_asked_for__are_all_of_the_role),
                T(test_policy_services__asked_for__are_those_and_no_more_of_the_role),
                T(test_policy_services__left_open_by_the_role__are_those_of_the_host),
                T(test_policy_fits__nothing_named__is_within_no_role_that_names_some),
                T(test_policy_suspended__role_off_or_gone_or_host_frozen__while_that_lasts),
                T(test_policy_approvals__then_or_now__the_larger),
                T(test_policy_fits__sources_that_are_none_or_very_many__refused_in_words),
                T(test_policy_login__role_changed_since__goes_by_the_role_as_it_is_now),
                T(test_policy_login__own_fault_and_roles__the_own_is_named),
                T(test_policy_login__sources_of_the_role__hold_beside_the_credentials),
                T(test_policy_login__frozen__lets_in_break_glass_alone_and_where_it_may),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
