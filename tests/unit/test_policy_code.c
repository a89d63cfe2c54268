/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/policy.h"

#define MINUTES(n) ((n)*60 * USEC_PER_SEC)

static IssueRequest plain(void)
{
        return (IssueRequest){.user = "deploy",
                              .uid = 1001,
                              .ttl_usec = USEC_INFINITY,
                              .session_ttl_usec = USEC_INFINITY,
                              .max_lifetime_usec = USEC_INFINITY,
                              .kind = KIND_CODE};
}

static void expect_refused(IssueRequest request, const char *word)
{
        char refusal[POLICY_TEXT_MAX] = "";

        assert_int_equal(policy_kind(HOURS(12), &request, refusal), 1);
        if (!strstr(refusal, word))
                fail_msg("refused with \"%s\", and \"%s\" was expected", refusal, word);
}

static IssueRequest expect_granted(uint64_t max_ttl_usec, IssueRequest request)
{
        char refusal[POLICY_TEXT_MAX] = "";

        if (policy_kind(max_ttl_usec, &request, refusal) != 0)
                fail_msg("refused with \"%s\"", refusal);
        return request;
}

static void test_policy_kind__nothing_asked__one_login_within_15min(void **state)
{
        IssueRequest request = expect_granted(HOURS(12), plain());

        (void)state;
        assert_int_equal(request.uses, 1);
        assert_int_equal(request.ttl_usec, MINUTES(15));
}

static void test_policy_kind__shorter_max_ttl__is_the_default(void **state)
{
        (void)state;
        assert_int_equal(expect_granted(MINUTES(5), plain()).ttl_usec, MINUTES(5));
}

static void test_policy_kind__ttl__as_asked_up_to_15min_and_never_cut(void **state)
{
        IssueRequest request = plain();

        (void)state;
        request.ttl_usec = MINUTES(15);
        assert_int_equal(expect_granted(HOURS(12), request).ttl_usec, MINUTES(15));
        /* what is beyond the host's limits is for policy_grant() to say */
        assert_int_equal(expect_granted(MINUTES(5), request).ttl_usec, MINUTES(15));
        request.ttl_usec = 0;
        assert_int_equal(expect_granted(HOURS(12), request).ttl_usec, 0);
        request.ttl_usec = MINUTES(15) + 1;
        expect_refused(request, "15min");
}

static void test_policy_kind__several_uses__refused(void **state)
{
        IssueRequest request = plain();

        (void)state;
        request.uses = 1;
        assert_int_equal(expect_granted(HOURS(12), request).uses, 1);
        request.uses = 2;
        expect_refused(request, "one login");
}

static void test_policy_kind__other_services_or_sources__refused(void **state)
{
        json_auto_t *login = json_pack("[s]", "login"), *local = json_pack("[s]", "local");
        json_auto_t *ssh = json_pack("[s]", "sshd"), *both = json_pack("[ss]", "login", "sshd");
        json_auto_t *net = json_pack("[s]", "10.0.0.0/8");
        IssueRequest request = plain();

        (void)state;
        request.services = login;
        request.sources = local;
        (void)expect_granted(HOURS(12), request);
        request.services = ssh;
        expect_refused(request, "console");
        request.services = both;
        expect_refused(request, "console");
        request.services = login;
        request.sources = net;
        expect_refused(request, "console");
}

static void test_policy_kind__a_token__is_none_of_its_business(void **state)
{
        IssueRequest request = plain(), same;

        (void)state;
        request.kind = KIND_TOKEN;
        request.uses = 7;
        request.ttl_usec = HOURS(3);
        same = expect_granted(MINUTES(5), request);
        assert_memory_equal(&same, &request, sizeof(request));
}

static void test_policy_extend__code_before_its_login__refused(void **state)
{
        Credential code = {.kind = KIND_CODE,
                           .login_limit_usec = NOON + MINUTES(15),
                           .ceiling_usec = NOON + HOURS(8)};
        char refusal[POLICY_TEXT_MAX];

        (void)state;
        assert_int_equal(policy_extend(&(PolicyRules){.config = &(Config){0}}, &code, true, 0,
                                       MINUTES(1), refusal),
                         1);
        /* its session may be: that is no matter of guessing */
        assert_int_equal(policy_extend(&(PolicyRules){.config = &(Config){0}}, &code, false,
                                       NOON + HOURS(1), MINUTES(1), refusal),
                         0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_policy_kind__nothing_asked__one_login_within_15min),
                cmocka_unit_test(test_policy_kind__shorter_max_ttl__is_the_default),
                cmocka_unit_test(test_policy_kind__ttl__as_asked_up_to_15min_and_never_cut),
                cmocka_unit_test(test_policy_kind__several_uses__refused),
                cmocka_unit_test(test_policy_kind__other_services_or_sources__refused),
                cmocka_unit_test(test_policy_kind__a_token__is_none_of_its_business),
                cmocka_unit_test(test_policy_extend__code_before_its_login__refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
