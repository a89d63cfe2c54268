/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_ephemeral/verdict: every cell of the table, and what lies outside it. Also nonce_is_fresh(),
 * the other decision that can end in PAM_SUCCESS without asking credd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "pam_ephemeral/nonce.h"
#include "pam_ephemeral/verdict.h"

static const struct {
        Outcome outcome;
        int auth, account, open;
} table[] = {
        {OUTCOME_GOOD, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS},
        {OUTCOME_REFUSED, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_SESSION_ERR},
        {OUTCOME_MISSING, PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_SESSION_ERR},
        {OUTCOME_UNAVAILABLE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL, PAM_SESSION_ERR},
        {OUTCOME_NO_TOKEN, PAM_CRED_INSUFFICIENT, PAM_IGNORE, PAM_SUCCESS},
        {OUTCOME_FAULT, PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, PAM_SYSTEM_ERR},
        {OUTCOME_ASIDE, PAM_CRED_INSUFFICIENT, PAM_IGNORE, PAM_SUCCESS},
};

static void test_verdict__every_cell__as_documented(void **state)
{
        (void)state;
        assert_int_equal(ELEMENTSOF(table), OUTCOME_MAX);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Outcome o = table[i].outcome;

                assert_int_equal(verdict_pam_code(o, PHASE_AUTH), table[i].auth);
                assert_int_equal(verdict_pam_code(o, PHASE_ACCOUNT), table[i].account);
                assert_int_equal(verdict_pam_code(o, PHASE_SESSION_OPEN), table[i].open);
                assert_int_equal(verdict_pam_code(o, PHASE_SESSION_CLOSE), PAM_SUCCESS);
                assert_int_equal(verdict_pam_code(o, PHASE_SETCRED), PAM_SUCCESS);
                assert_int_equal(verdict_pam_code(o, PHASE_CHAUTHTOK), PAM_AUTHTOK_ERR);
        }
}

static void test_verdict__zeroed_outcome__denies(void **state)
{
        Outcome outcome = {0};

        (void)state;
        assert_int_equal(verdict_pam_code(outcome, PHASE_AUTH), PAM_AUTH_ERR);
        assert_int_equal(verdict_pam_code(outcome, PHASE_ACCOUNT), PAM_ACCT_EXPIRED);
        assert_int_equal(verdict_pam_code(outcome, PHASE_SESSION_OPEN), PAM_SESSION_ERR);
}

static void test_verdict__outside_the_enums__system_err(void **state)
{
        const int outcomes[] = {OUTCOME_INVALID, -1, OUTCOME_MAX, OUTCOME_MAX + 1, 1000};
        const int phases[] = {PHASE_INVALID, -1, PHASE_MAX, PHASE_MAX + 1, 1000};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                for (int phase = 0; phase < PHASE_MAX; phase++)
                        assert_int_equal(verdict_pam_code((Outcome)outcomes[i], (Phase)phase),
                                         PAM_SYSTEM_ERR);
        for (size_t i = 0; i < ELEMENTSOF(phases); i++)
                for (int outcome = 0; outcome < OUTCOME_MAX; outcome++)
                        assert_int_equal(verdict_pam_code((Outcome)outcome, (Phase)phases[i]),
                                         PAM_SYSTEM_ERR);
}

static void test_verdict__names__distinct_and_never_null(void **state)
{
        (void)state;
        for (int i = 0; i < OUTCOME_MAX; i++) {
                assert_string_not_equal(verdict_outcome_name((Outcome)i), "invalid");
                for (int k = 0; k < i; k++)
                        assert_string_not_equal(verdict_outcome_name((Outcome)i),
                                                verdict_outcome_name((Outcome)k));
        }
        for (int i = 0; i < PHASE_MAX; i++) {
                assert_string_not_equal(verdict_phase_name((Phase)i), "invalid");
                for (int k = 0; k < i; k++)
                        assert_string_not_equal(verdict_phase_name((Phase)i),
                                                verdict_phase_name((Phase)k));
        }
        assert_string_equal(verdict_outcome_name(OUTCOME_MAX), "invalid");
        assert_string_equal(verdict_phase_name(PHASE_INVALID), "invalid");
        assert_string_equal(verdict_outcome_name((Outcome)1000), "invalid");
        assert_string_equal(verdict_phase_name((Phase)1000), "invalid");
}

static const Nonce nonce = {
        .text = "n",
        .person = {.known = true, .uid = 1001, .gid = 1001, .name = "alice"},
        .pid = 77,
        .since_mono_usec = 10 * USEC_PER_SEC,
        .left_usec = 3600 * USEC_PER_SEC,
};
static const Person alice = {.known = true, .uid = 1001, .gid = 1001, .name = "alice"};

static void test_nonce__same_process_within_two_seconds__fresh(void **state)
{
        (void)state;
        assert_true(nonce_is_fresh(&nonce, &alice, 77, 10 * USEC_PER_SEC));
        assert_true(nonce_is_fresh(&nonce, &alice, 77, 12 * USEC_PER_SEC - 1));
}

static void test_nonce__two_seconds_or_clock_behind__stale(void **state)
{
        (void)state;
        assert_false(nonce_is_fresh(&nonce, &alice, 77, 12 * USEC_PER_SEC));
        assert_false(nonce_is_fresh(&nonce, &alice, 77, 10 * USEC_PER_SEC - 1));
        assert_false(nonce_is_fresh(&nonce, &alice, 77, USEC_INFINITY));
}

static void test_nonce__other_process_or_person__stale(void **state)
{
        Person other = alice;

        (void)state;
        assert_false(nonce_is_fresh(&nonce, &alice, 78, 10 * USEC_PER_SEC));
        other.uid = 1002;
        assert_false(nonce_is_fresh(&nonce, &other, 77, 10 * USEC_PER_SEC));
        other = alice;
        (void)snprintf(other.name, sizeof(other.name), "alicf");
        assert_false(nonce_is_fresh(&nonce, &other, 77, 10 * USEC_PER_SEC));
        other = alice;
        other.known = false;
        assert_false(nonce_is_fresh(&nonce, &other, 77, 10 * USEC_PER_SEC));
}

static void test_nonce__access_over_before_two_seconds__stale(void **state)
{
        Nonce shorter = nonce;

        (void)state;
        shorter.left_usec = USEC_PER_SEC;
        assert_true(nonce_is_fresh(&shorter, &alice, 77, 11 * USEC_PER_SEC - 1));
        assert_false(nonce_is_fresh(&shorter, &alice, 77, 11 * USEC_PER_SEC));
        shorter.left_usec = 0;
        assert_false(nonce_is_fresh(&shorter, &alice, 77, 10 * USEC_PER_SEC));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verdict__every_cell__as_documented),
                cmocka_unit_test(test_verdict__zeroed_outcome__denies),
                cmocka_unit_test(test_verdict__outside_the_enums__system_err),
                cmocka_unit_test(test_verdict__names__distinct_and_never_null),
                cmocka_unit_test(test_nonce__same_process_within_two_seconds__fresh),
                cmocka_unit_test(test_nonce__two_seconds_or_clock_behind__stale),
                cmocka_unit_test(test_nonce__other_process_or_person__stale),
                cmocka_unit_test(test_nonce__access_over_before_two_seconds__stale),
        };

        return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
