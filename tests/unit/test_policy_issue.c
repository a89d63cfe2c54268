/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/policy.h"

#define YEAR HOURS(365 * 24)

static const Config house = {
        .default_ttl_usec = HOURS(1),
        .max_ttl_usec = HOURS(12),
        .max_lifetime_usec = HOURS(24),
};

static IssueRequest plain(void)
{
        return (IssueRequest){
                .user = "deploy",
                .uid = 1001,
                .ttl_usec = USEC_INFINITY,
                .session_ttl_usec = USEC_INFINITY,
                .max_lifetime_usec = USEC_INFINITY,
        };
}

/* The reason, or NULL: it was granted. */
static const char *ask(const Config *config, const IssueRequest *request, Grant *grant,
                       char refusal[static POLICY_TEXT_MAX])
{
        const PolicyRules rules = {.config = config};
        const Grant untouched = {.uses = -77};
        int r;

        *grant = untouched;
        refusal[0] = '\0';
        r = policy_grant(&rules, request, NOON, grant, refusal);
        if (r == 0) {
                assert_string_equal(refusal, "");
                return NULL;
        }
        assert_int_equal(r, 1);
        assert_memory_equal(grant, &untouched, sizeof(untouched));
        assert_true(strlen(refusal) > 0);
        return refusal;
}

static void expect_refused(const Config *config, const IssueRequest *request, const char *word)
{
        char refusal[POLICY_TEXT_MAX];
        const char *is;
        Grant grant;

        is = ask(config, request, &grant, refusal);
        if (!is)
                fail_msg("granted, and \"%s\" was expected", word);
        else if (!strstr(is, word))
                fail_msg("refused with \"%s\", and \"%s\" was expected", is, word);
}

static Grant expect_granted(const Config *config, const IssueRequest *request)
{
        char refusal[POLICY_TEXT_MAX];
        const char *is;
        Grant grant;

        is = ask(config, request, &grant, refusal);
        if (is)
                fail_msg("refused: %s", is);
        return grant;
}

static void test_policy_issue__nothing_asked_for__gets_the_defaults(void **state)
{
        IssueRequest request = plain();
        Grant grant = expect_granted(&house, &request);

        (void)state;
        assert_true(grant.not_before_usec == NOON);
        assert_true(grant.login_limit_usec == NOON + HOURS(1));
        assert_true(grant.ceiling_usec == NOON + HOURS(1));
        assert_true(grant.session_ttl_usec == USEC_INFINITY);
        assert_int_equal(grant.uses, 1);
}

/* "how long" of interface.md, a row a line: what is asked, and what becomes of it. 0: default. */
static void test_policy_issue__each_length__fits_up_to_its_limit_and_not_past_it(void **state)
{
        static const struct {
                uint64_t ttl, session, lifetime;
                const char *refused; /* NULL: granted, with these */
                uint64_t limit, ceiling;
        } table[] = {
                {HOURS(12), 0, 0, NULL, HOURS(12), HOURS(12)},
                {HOURS(12) + 1, 0, 0, "MaxTTL", 0, 0},
                {1, 0, 0, NULL, 1, 1},
                {0, HOURS(23), 0, NULL, HOURS(1), HOURS(24)},
                {0, HOURS(23) + 1, 0, "MaxLifetime", 0, 0},
                {0, HOURS(24), 0, "a lifetime of 1d 1h", 0, 0},
                {0, HOURS(24) + 1, 0, "--session-ttl", 0, 0},
                {0, INT64_MAX, 0, "--session-ttl", 0, 0},
                {INT64_MAX, 0, 0, "MaxTTL", 0, 0},
                {0, 0, INT64_MAX, "MaxLifetime", 0, 0},
                {0, 1, 0, NULL, HOURS(1), HOURS(1) + 1},
                {0, 0, HOURS(24), NULL, HOURS(1), HOURS(24)},
                {0, 0, HOURS(24) + 1, "MaxLifetime", 0, 0},
                {0, 0, HOURS(1), NULL, HOURS(1), HOURS(1)},
                {0, 0, HOURS(1) - 1, "--max-lifetime", 0, 0},
                {HOURS(2), HOURS(3), HOURS(5), NULL, HOURS(2), HOURS(5)},
                {HOURS(2), HOURS(3), HOURS(5) - 1, "--max-lifetime", 0, 0},
                {HOURS(2), HOURS(3), HOURS(8), NULL, HOURS(2), HOURS(8)},
                {HOURS(12), HOURS(12), 0, NULL, HOURS(12), HOURS(24)},
                {HOURS(12), HOURS(12) + 1, 0, "MaxLifetime", 0, 0},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                IssueRequest request = plain();
                Grant grant;

                request.ttl_usec = table[i].ttl ?: USEC_INFINITY;
                request.session_ttl_usec = table[i].session ?: USEC_INFINITY;
                request.max_lifetime_usec = table[i].lifetime ?: USEC_INFINITY;
                if (table[i].refused) {
                        expect_refused(&house, &request, table[i].refused);
                        continue;
                }
                grant = expect_granted(&house, &request);
                assert_true(grant.login_limit_usec == NOON + table[i].limit);
                assert_true(grant.ceiling_usec == NOON + table[i].ceiling);
                assert_true(grant.session_ttl_usec == request.session_ttl_usec);
        }
}

/* Whatever is asked, what is granted keeps the promises; nothing in between is capped. */
static void test_policy_issue__any_lengths__a_grant_never_passes_its_ceiling(void **state)
{
        static const uint64_t lengths[] = {0,
                                           1,
                                           HOURS(1) - 1,
                                           HOURS(1),
                                           HOURS(11),
                                           HOURS(12),
                                           HOURS(12) + 1,
                                           HOURS(13),
                                           HOURS(23),
                                           HOURS(24),
                                           HOURS(24) + 1,
                                           INT64_MAX,
                                           USEC_INFINITY};
        const size_t n = ELEMENTSOF(lengths);
        size_t granted = 0;

        (void)state;
        for (size_t i = 0; i < n * n * n; i++) {
                char refusal[POLICY_TEXT_MAX];
                IssueRequest request = plain();
                uint64_t ttl, session;
                Grant grant;

                request.ttl_usec = lengths[i % n];
                request.session_ttl_usec = lengths[i / n % n];
                request.max_lifetime_usec = lengths[i / n / n];
                if (ask(&house, &request, &grant, refusal))
                        continue;
                granted++;
                ttl = request.ttl_usec == USEC_INFINITY ? HOURS(1) : request.ttl_usec;
                session = request.session_ttl_usec;
                assert_true(ttl > 0 && session > 0);
                assert_true(grant.login_limit_usec - NOON == ttl);
                assert_true(grant.login_limit_usec - NOON <= house.max_ttl_usec);
                assert_true(grant.ceiling_usec - NOON <= house.max_lifetime_usec);
                assert_true(grant.ceiling_usec >= grant.login_limit_usec);
                if (session != USEC_INFINITY)
                        assert_true(grant.login_limit_usec + session <= grant.ceiling_usec);
                if (request.max_lifetime_usec != USEC_INFINITY)
                        assert_true(grant.ceiling_usec - NOON == request.max_lifetime_usec);
        }
        assert_true(granted > 20);
}

static void test_policy_issue__zero_length__is_refused(void **state)
{
        IssueRequest request = plain();

        (void)state;
        request.ttl_usec = 0;
        expect_refused(&house, &request, "longer than zero");
        request = plain();
        request.session_ttl_usec = 0;
        expect_refused(&house, &request, "longer than zero");
        request = plain();
        request.max_lifetime_usec = 0;
        expect_refused(&house, &request, "--max-lifetime");
}

static void test_policy_issue__not_before__everything_runs_from_the_later_moment(void **state)
{
        IssueRequest request = plain();
        Grant grant;

        (void)state;
        request.session_ttl_usec = HOURS(2);
        request.not_before_usec = NOON + HOURS(100);
        grant = expect_granted(&house, &request);
        assert_true(grant.not_before_usec == NOON + HOURS(100));
        assert_true(grant.login_limit_usec == NOON + HOURS(101));
        assert_true(grant.ceiling_usec == NOON + HOURS(103));
        request.not_before_usec = NOON - 1;
        assert_true(expect_granted(&house, &request).not_before_usec == NOON);
        request.not_before_usec = NOON + YEAR;
        assert_true(expect_granted(&house, &request).not_before_usec == NOON + YEAR);
        request.not_before_usec = NOON + YEAR + 1;
        expect_refused(&house, &request, "--not-before");
        request.not_before_usec = UINT64_MAX;
        expect_refused(&house, &request, "--not-before");
}

static void test_policy_issue__uses__are_one_to_a_thousand(void **state)
{
        static const struct {
                int64_t asked, granted; /* -1: refused */
        } table[] = {{0, 1},     {1, 1},          {2, 2},   {999, 999},     {1000, 1000},
                     {1001, -1}, {INT64_MAX, -1}, {-1, -1}, {INT64_MIN, -1}};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                IssueRequest request = plain();

                request.uses = table[i].asked;
                if (table[i].granted < 0)
                        expect_refused(&house, &request, "uses are");
                else
                        assert_int_equal(expect_granted(&house, &request).uses, table[i].granted);
        }
}

static void test_policy_issue__user__is_a_name_and_never_root(void **state)
{
        static const char *const bad[] = {"",
                                          "-x",
                                          ".x",
                                          "a b",
                                          "a/b",
                                          "deploy\n",
                                          "a,b",
                                          "1001",
                                          "a$b",
                                          "r\xc3\xb6t",
                                          "abcdefghijklmnopqrstuvwxyz0123456"};
        IssueRequest request = plain();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                request.user = bad[i];
                expect_refused(&house, &request, "user name");
        }
        request = plain();
        request.uid = 0;
        expect_refused(&house, &request, "root");
        /* whoever is called root is not meant by that name alone: the uid counts */
        request.uid = UID_NONE;
        expect_refused(&house, &request, "root");
        request.user = "toor";
        request.uid = 0;
        expect_refused(&house, &request, "root");
}

static void test_policy_issue__role__is_not_known_yet(void **state)
{
        IssueRequest request = plain();

        (void)state;
        request.role = "oncall";
        expect_refused(&house, &request, "no such role");
}

static void test_policy_issue__holder_and_reason__are_plain_text_of_bounded_length(void **state)
{
        char longest[202];

        (void)state;
        memset(longest, 'x', sizeof(longest));
        for (int i = 0; i < 2; i++) {
                const char *const word = i == 0 ? "holder" : "reason";
                IssueRequest request = plain();
                const char **text = i == 0 ? &request.holder : &request.reason;

                *text = "Anna M\xc3\xbcller, ticket #7";
                (void)expect_granted(&house, &request);
                longest[200] = '\0';
                *text = longest;
                (void)expect_granted(&house, &request);
                longest[200] = 'x';
                longest[201] = '\0';
                expect_refused(&house, &request, word);
                *text = "";
                expect_refused(&house, &request, word);
                *text = "two\nlines";
                expect_refused(&house, &request, word);
                *text = "\x1b]0;title";
                expect_refused(&house, &request, word);
        }
}

static void test_policy_issue__reason_required__none_is_refused(void **state)
{
        IssueRequest request = plain();
        Config strict = house;

        (void)state;
        strict.reason_required = true;
        expect_refused(&strict, &request, "--reason");
        request.reason = "ticket 7";
        (void)expect_granted(&strict, &request);
        request.reason = "";
        expect_refused(&strict, &request, "reason");
}

static json_t *list_of(size_t n, const char *item)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                assert_int_equal(json_array_append_new(list, json_string(item)), 0);
        return list;
}

static void test_policy_issue__lists__are_known_and_short(void **state)
{
        static const struct {
                bool sources;
                size_t n;
                const char *item, *refused;
        } table[] = {
                {false, 0, "", NULL},
                {false, 1, "sshd", NULL},
                {false, 1, "login", NULL},
                {false, 16, "login", NULL},
                {false, 17, "login", "at most 16"},
                {false, 1, "su", "a service is"},
                {false, 1, "SSHD", "a service is"},
                {false, 1, "", "a service is"},
                {true, 0, "", NULL},
                {true, 1, "10.0.0.0/8", NULL},
                {true, 1, "local", NULL},
                {true, 1, "2001:db8::/32", NULL},
                {true, 16, "10.0.0.7", NULL},
                {true, 17, "10.0.0.7", "at most 16"},
                {true, 1, "10.0.0.1/24", "a source is"},
                {true, 1, "example.org", "a source is"},
                {true, 1, "", "a source is"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                json_auto_t *list = list_of(table[i].n, table[i].item);
                IssueRequest request = plain();

                if (table[i].sources)
                        request.sources = list;
                else
                        request.services = list;
                if (table[i].refused)
                        expect_refused(&house, &request, table[i].refused);
                else
                        (void)expect_granted(&house, &request);
        }
}

static void test_policy_issue__one_bad_item_behind_good_ones__is_refused(void **state)
{
        json_auto_t *services = json_pack("[sss]", "sshd", "login", "cron");
        json_auto_t *sources = json_pack("[sss]", "local", "10.0.0.0/8", "10.0.0.0/33");
        IssueRequest request = plain();

        (void)state;
        request.services = services;
        expect_refused(&house, &request, "a service is");
        request = plain();
        request.sources = sources;
        expect_refused(&house, &request, "a source is");
}

static void test_policy_issue__refusal__ends_within_its_buffer(void **state)
{
        IssueRequest request = plain();
        char refusal[POLICY_TEXT_MAX];
        Grant grant;

        (void)state;
        request.ttl_usec = INT64_MAX;
        assert_non_null(ask(&house, &request, &grant, refusal));
        assert_true(strlen(refusal) < POLICY_TEXT_MAX - 1);
        assert_non_null(strstr(refusal, "12h"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_policy_issue__nothing_asked_for__gets_the_defaults),
                cmocka_unit_test(
                        test_policy_issue__each_length__fits_up_to_its_limit_and_not_past_it),
                cmocka_unit_test(test_policy_issue__any_lengths__a_grant_never_passes_its_ceiling),
                cmocka_unit_test(test_policy_issue__zero_length__is_refused),
                cmocka_unit_test(
                        test_policy_issue__not_before__everything_runs_from_the_later_moment),
                cmocka_unit_test(test_policy_issue__uses__are_one_to_a_thousand),
                cmocka_unit_test(test_policy_issue__user__is_a_name_and_never_root),
                cmocka_unit_test(test_policy_issue__role__is_not_known_yet),
                cmocka_unit_test(
                        test_policy_issue__holder_and_reason__are_plain_text_of_bounded_length),
                cmocka_unit_test(test_policy_issue__reason_required__none_is_refused),
                cmocka_unit_test(test_policy_issue__lists__are_known_and_short),
                cmocka_unit_test(test_policy_issue__one_bad_item_behind_good_ones__is_refused),
                cmocka_unit_test(test_policy_issue__refusal__ends_within_its_buffer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
