/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/policy.h"

#define START NOON
#define LIMIT (NOON + HOURS(1))

/* What may be wrong with a login, one bit each, in the order in which policy.c looks. A bit that is
 * set makes exactly that wrong. */
enum {
        WRONG_NAME = 1 << 0,
        WRONG_UID = 1 << 1,
        WRONG_REVOKED = 1 << 2,
        WRONG_CAUSE_EXPIRED = 1 << 3,
        WRONG_LATE = 1 << 4,
        WRONG_CAUSE_USED = 1 << 5,
        WRONG_NO_USES = 1 << 6,
        WRONG_EARLY = 1 << 7,
        WRONG_SERVICE = 1 << 8,
        WRONG_SOURCE = 1 << 9,
        WRONG_ALL = (1 << 10) - 1,
};

typedef struct Case {
        Credential credential;
        LoginFacts facts;
        uint64_t now;
} Case;

static bool possible(unsigned wrong)
{
        /* one cause at a time; one moment */
        unsigned causes = wrong & (WRONG_REVOKED | WRONG_CAUSE_EXPIRED | WRONG_CAUSE_USED);

        return (causes & (causes - 1)) == 0 && !((wrong & WRONG_LATE) && (wrong & WRONG_EARLY));
}

static Cause cause_of(unsigned wrong)
{
        if (wrong & WRONG_REVOKED)
                return CAUSE_REVOKED;
        if (wrong & WRONG_CAUSE_EXPIRED)
                return CAUSE_EXPIRED;
        return wrong & WRONG_CAUSE_USED ? CAUSE_USED : CAUSE_NONE;
}

static Case case_of(unsigned wrong, json_t *services, json_t *sources)
{
        static char user[] = "deploy";
        Case c = {
                .credential = {.user = user,
                               .uid = 1001,
                               .services = services,
                               .sources = sources,
                               .uses = 1,
                               .uses_left = wrong & WRONG_NO_USES ? 0 : 1,
                               .not_before_usec = START,
                               .login_limit_usec = LIMIT,
                               .session_ttl_usec = USEC_INFINITY,
                               .ceiling_usec = LIMIT,
                               .cause = cause_of(wrong)},
                .facts = {.user = wrong & WRONG_NAME ? "deploy2" : "deploy",
                          .uid = wrong & WRONG_UID ? 1002 : 1001,
                          .service = wrong & WRONG_SERVICE ? "login" : "sshd",
                          .rhost = wrong & WRONG_SOURCE ? "192.0.2.1" : "10.1.2.3"},
                .now = START,
        };

        if (wrong & WRONG_LATE)
                c.now = LIMIT;
        if (wrong & WRONG_EARLY)
                c.now = START - 1;
        return c;
}

/* Without a role, on a host that is not frozen; test_policy_role.c has the others. */
static Refusal login_at(const Case *c, uint64_t now)
{
        const PolicyRules rules = {.config = &(Config){0}};

        return policy_login(&rules, &c->credential, &c->facts, false, now);
}

static Refusal session_at(const Case *c, uint64_t accepted, uint64_t now)
{
        const PolicyRules rules = {.config = &(Config){0}};

        return policy_session(&rules, &c->credential, &c->facts, false, accepted, now);
}

/* The precedence, said a second time and in other words than policy.c: what a person may be told by
 * the journal goes from who, over why it ended, to where from. */
static Refusal expected(unsigned wrong)
{
        static const struct {
                unsigned mask;
                Refusal refusal;
        } order[] = {
                {WRONG_NAME | WRONG_UID, REFUSAL_USER},
                {WRONG_REVOKED, REFUSAL_REVOKED},
                {WRONG_CAUSE_EXPIRED | WRONG_LATE, REFUSAL_EXPIRED},
                {WRONG_CAUSE_USED | WRONG_NO_USES, REFUSAL_USED},
                {WRONG_EARLY, REFUSAL_NOT_YET},
                {WRONG_SERVICE, REFUSAL_SERVICE},
                {WRONG_SOURCE, REFUSAL_SOURCE},
        };

        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (wrong & order[i].mask)
                        return order[i].refusal;
        return REFUSAL_NONE;
}

static void test_policy_login__not_collected_or_locked__is_refused_as_that(void **state)
{
        static const Cause causes[] = {CAUSE_PENDING, CAUSE_DENIED, CAUSE_LAPSED};
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_pack("[s]", "10.0.0.0/8");
        Case c = case_of(0, services, sources);

        (void)state;
        assert_int_equal(login_at(&c, c.now), REFUSAL_NONE);
        for (size_t i = 0; i < ELEMENTSOF(causes); i++) {
                c.credential.cause = causes[i];
                assert_int_equal(login_at(&c, c.now), REFUSAL_PENDING);
        }
        c.credential.cause = CAUSE_LOCKED;
        assert_int_equal(login_at(&c, c.now), REFUSAL_LOCKED);
}

static void test_policy_login__every_combination_of_faults__is_refused_for_the_first(void **state)
{
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_pack("[s]", "10.0.0.0/8");
        unsigned looked_at = 0;

        (void)state;
        for (unsigned wrong = 0; wrong <= WRONG_ALL; wrong++) {
                Case c;
                Refusal is;

                if (!possible(wrong))
                        continue;
                looked_at++;
                c = case_of(wrong, services, sources);
                is = login_at(&c, c.now);
                if (is != expected(wrong))
                        fail_msg("faults 0x%x: %s, and %s was expected", wrong,
                                 refusal_to_string(is), refusal_to_string(expected(wrong)));
        }
        assert_true(looked_at > 300);
}

static void test_policy_session__every_combination_of_faults__is_refused_for_the_first(void **state)
{
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_pack("[s]", "10.0.0.0/8");

        (void)state;
        for (unsigned wrong = 0; wrong <= WRONG_ALL; wrong++) {
                /* its use is spent and its login's source was looked at; a limit that has passed
                 * since is the deadline's business */
                const unsigned never = WRONG_CAUSE_EXPIRED | WRONG_CAUSE_USED | WRONG_NO_USES |
                                       WRONG_EARLY | WRONG_SOURCE;
                Case c;
                Refusal is;

                if (!possible(wrong))
                        continue;
                c = case_of(wrong, services, sources);
                is = session_at(&c, START, c.now);
                if (is != expected(wrong & ~never))
                        fail_msg("faults 0x%x: %s, and %s was expected", wrong,
                                 refusal_to_string(is),
                                 refusal_to_string(expected(wrong & ~never)));
        }
}

static void test_policy_login__at_its_limits__now_equal_to_the_limit_is_expired(void **state)
{
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_array();
        Case c = case_of(0, services, sources);

        (void)state;
        assert_int_equal(login_at(&c, START - 1), REFUSAL_NOT_YET);
        assert_int_equal(login_at(&c, START), REFUSAL_NONE);
        assert_int_equal(login_at(&c, LIMIT - 1), REFUSAL_NONE);
        assert_int_equal(login_at(&c, LIMIT), REFUSAL_EXPIRED);
        assert_int_equal(login_at(&c, LIMIT + 1), REFUSAL_EXPIRED);
        assert_int_equal(login_at(&c, UINT64_MAX), REFUSAL_EXPIRED);
}

static void test_policy_session__with_a_session_ttl__lasts_from_its_login(void **state)
{
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_array();
        Case c = case_of(0, services, sources);
        const uint64_t accepted = LIMIT - 1;

        (void)state;
        c.credential.session_ttl_usec = HOURS(2);
        c.credential.ceiling_usec = LIMIT + HOURS(2);
        /* the login limit has passed and closed it, the session may open all the same */
        c.credential.cause = CAUSE_EXPIRED;
        assert_int_equal(session_at(&c, accepted, LIMIT), REFUSAL_NONE);
        assert_int_equal(session_at(&c, accepted, accepted + HOURS(2) - 1), REFUSAL_NONE);
        assert_int_equal(session_at(&c, accepted, accepted + HOURS(2)), REFUSAL_EXPIRED);
        c.credential.ceiling_usec = LIMIT + HOURS(1);
        assert_int_equal(session_at(&c, accepted, LIMIT + HOURS(1)), REFUSAL_EXPIRED);
}

static void test_policy_login__user__wants_name_and_uid_both_and_whole(void **state)
{
        static const struct {
                const char *user;
                uid_t uid;
                Refusal refusal;
        } table[] = {
                {"deploy", 1001, REFUSAL_NONE}, {"deploy", 1002, REFUSAL_USER},
                {"deploy", 0, REFUSAL_USER},    {"deploy", UID_NONE, REFUSAL_USER},
                {"deplo", 1001, REFUSAL_USER},  {"deploy2", 1001, REFUSAL_USER},
                {"Deploy", 1001, REFUSAL_USER}, {"", 1001, REFUSAL_USER},
        };
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_array();
        Case c = case_of(0, services, sources);

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                c.facts.user = table[i].user;
                c.facts.uid = table[i].uid;
                assert_int_equal(login_at(&c, START), table[i].refusal);
                assert_int_equal(session_at(&c, START, START), table[i].refusal);
        }
}

static void test_policy_login__service__is_compared_whole(void **state)
{
        static const struct {
                const char *allowed[2], *service;
                Refusal refusal;
        } table[] = {
                {{"sshd", "login"}, "sshd", REFUSAL_NONE},
                {{"sshd", "login"}, "login", REFUSAL_NONE},
                {{"login", "login"}, "sshd", REFUSAL_SERVICE},
                {{"sshd", "login"}, "ssh", REFUSAL_SERVICE},
                {{"sshd", "login"}, "sshd2", REFUSAL_SERVICE},
                {{"sshd", "login"}, "SSHD", REFUSAL_SERVICE},
                {{"sshd", "login"}, "sshd login", REFUSAL_SERVICE},
                {{"sshd", "login"}, "", REFUSAL_SERVICE},
                {{"sshd", "login"}, "su", REFUSAL_SERVICE},
        };
        json_auto_t *nowhere = json_array();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_auto_t *services = json_pack("[ss]", table[i].allowed[0], table[i].allowed[1]);
                Case c = case_of(0, services, nowhere);

                c.facts.service = table[i].service;
                assert_int_equal(login_at(&c, START), table[i].refusal);
                c.credential.services = nowhere;
                assert_int_equal(login_at(&c, START), REFUSAL_SERVICE);
        }
}

static void test_policy_login__source__is_in_one_of_the_networks(void **state)
{
        static const struct {
                const char *allowed[2], *rhost;
                Refusal refusal;
        } table[] = {
                {{"10.0.0.0/8", "local"}, "10.255.255.255", REFUSAL_NONE},
                {{"10.0.0.0/8", "local"}, NULL, REFUSAL_NONE},
                {{"10.0.0.0/8", "local"}, "11.0.0.0", REFUSAL_SOURCE},
                {{"10.0.0.0/8", "local"}, "localhost", REFUSAL_SOURCE},
                {{"10.0.0.0/8", "::1"}, NULL, REFUSAL_SOURCE},
                {{"10.0.0.0/8", "::1"}, "::1", REFUSAL_NONE},
                {{"10.0.0.0/8", "::1"}, "::ffff:10.0.0.1", REFUSAL_NONE},
                {{"0.0.0.0/0", "::/0"}, "example.org", REFUSAL_SOURCE},
                {{"0.0.0.0/0", "::/0"}, NULL, REFUSAL_SOURCE},
                {{"0.0.0.0/0", "::/0"}, "2001:db8::1", REFUSAL_NONE},
                {{"nonsense", "nonsense"}, "10.0.0.1", REFUSAL_SOURCE},
        };
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *anywhere = json_array();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_auto_t *sources = json_pack("[ss]", table[i].allowed[0], table[i].allowed[1]);
                Case c = case_of(0, services, sources);

                c.facts.rhost = table[i].rhost;
                assert_int_equal(login_at(&c, START), table[i].refusal);
                c.credential.sources = anywhere;
                assert_int_equal(login_at(&c, START), REFUSAL_NONE);
        }
}

static void test_policy_login__uses_left__at_least_one_is_wanted(void **state)
{
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_array();
        Case c = case_of(0, services, sources);

        (void)state;
        for (int64_t left = -2; left <= 2; left++) {
                c.credential.uses_left = left;
                assert_int_equal(login_at(&c, START), left > 0 ? REFUSAL_NONE : REFUSAL_USED);
        }
}

/* A cause that this version does not know is not a reason to let anybody in. */
static void test_policy_login__unknown_cause__is_refused(void **state)
{
        json_auto_t *services = json_pack("[s]", "sshd");
        json_auto_t *sources = json_array();
        Case c = case_of(0, services, sources);

        (void)state;
        c.credential.cause = CAUSE_MAX;
        assert_int_not_equal(login_at(&c, START), REFUSAL_NONE);
}

static void test_refusal_to_string__each__has_a_name_of_its_own(void **state)
{
        (void)state;
        for (int i = 0; i < REFUSAL_MAX; i++) {
                const char *name = refusal_to_string((Refusal)i);

                assert_non_null(name);
                assert_true(strlen(name) > 0);
                assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
                for (int j = 0; j < i; j++)
                        assert_string_not_equal(name, refusal_to_string((Refusal)j));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_policy_login__not_collected_or_locked__is_refused_as_that),
                cmocka_unit_test(
                        test_policy_login__every_combination_of_faults__is_refused_for_the_first),
                cmocka_unit_test(
                        test_policy_session__every_combination_of_faults__is_refused_for_the_first),
                cmocka_unit_test(
                        test_policy_login__at_its_limits__now_equal_to_the_limit_is_expired),
                cmocka_unit_test(test_policy_session__with_a_session_ttl__lasts_from_its_login),
                cmocka_unit_test(test_policy_login__user__wants_name_and_uid_both_and_whole),
                cmocka_unit_test(test_policy_login__service__is_compared_whole),
                cmocka_unit_test(test_policy_login__source__is_in_one_of_the_networks),
                cmocka_unit_test(test_policy_login__uses_left__at_least_one_is_wanted),
                cmocka_unit_test(test_policy_login__unknown_cause__is_refused),
                cmocka_unit_test(test_refusal_to_string__each__has_a_name_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
