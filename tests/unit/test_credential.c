/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include "credd/credential.h"

#define LIMIT (NOON + HOURS(1))

/* The final state tells the cause. Each cause that was added later has a state of its own. */
static CredentialState final_of(Cause cause)
{
        const Credential c = {.cause = cause, .login_limit_usec = LIMIT};
        CredentialState is = credential_state(&c, false, NOON);

        if (cause == CAUSE_NONE || cause == CAUSE_EXPIRED)
                return STATE_EXPIRED;
        if (cause == CAUSE_USED)
                return STATE_USED;
        if (cause == CAUSE_REVOKED)
                return STATE_REVOKED;
        if (cause == CAUSE_DENIED)
                return STATE_DENIED;
        if (cause == CAUSE_PENDING || cause == CAUSE_LAPSED)
                return STATE_LAPSED;
        if (cause == CAUSE_LOCKED)
                return STATE_LOCKED;
        assert_true(is != STATE_EXPIRED && is != STATE_USED && is != STATE_REVOKED);
        return is;
}

/* Every combination of what a state follows from, against sentences of interface.md. */
static void test_credential_state__every_combination__follows_from_the_stored_bytes(void **state)
{
        static const uint64_t moments[] = {0, NOON, LIMIT - 1, LIMIT, LIMIT + 1, UINT64_MAX};

        (void)state;
        for (int cause = 0; cause < CAUSE_MAX; cause++)
                for (int64_t open = 0; open <= (cause > CAUSE_RETURNED ? 0 : 3); open++)
                        for (int ending = 0; ending < 2; ending++)
                                for (size_t i = 0; i < ELEMENTSOF(moments); i++) {
                                        const Credential c = {.cause = (Cause)cause,
                                                              .open_logins = open,
                                                              .login_limit_usec = LIMIT};
                                        CredentialState is =
                                                credential_state(&c, ending != 0, moments[i]);
                                        bool may_log_in = cause == CAUSE_NONE && moments[i] < LIMIT;
                                        bool asked = cause == CAUSE_PENDING && moments[i] < LIMIT;

                                        assert_true(is >= 0 && is < STATE_MAX);
                                        /* a login is possible */
                                        assert_int_equal(is == STATE_ACTIVE, may_log_in);
                                        /* none is possible and nothing lives */
                                        assert_int_equal(credential_state_final(is),
                                                         !may_log_in && !asked && open == 0);
                                        assert_int_equal(is == STATE_PENDING, asked);
                                        /* none is possible, and what lives is on its way out */
                                        assert_int_equal(
                                                is == STATE_ENDING,
                                                !may_log_in && open > 0 &&
                                                        (ending || cause >= CAUSE_REVOKED));
                                        if (credential_state_final(is))
                                                assert_int_equal(is, final_of((Cause)cause));
                                }
}

/* Time alone never makes a final credential anything else, nor a closed one active. */
static void test_credential_state__as_time_passes__never_comes_back_to_active(void **state)
{
        (void)state;
        for (int cause = 0; cause < CAUSE_MAX; cause++)
                for (int64_t open = 0; open < 2; open++) {
                        const Credential c = {.cause = (Cause)cause,
                                              .open_logins = open,
                                              .login_limit_usec = LIMIT};
                        bool left_active = false;
                        CredentialState last = STATE_ACTIVE;

                        for (uint64_t now = LIMIT - 3; now < LIMIT + 3; now++) {
                                CredentialState is = credential_state(&c, false, now);

                                assert_false(left_active && is == STATE_ACTIVE);
                                assert_false(credential_state_final(last) && is != last);
                                left_active |= is != STATE_ACTIVE;
                                last = is;
                        }
                        assert_true(left_active);
                }
}

static void test_credential_state_names__each__comes_back_from_its_name(void **state)
{
        static const char *const unknown[] = {"",       "Active",  "active ",
                                              "in_use", "Pending", "final"};

        (void)state;
        for (int i = 0; i < STATE_MAX; i++) {
                const char *name = credential_state_to_string((CredentialState)i);

                assert_non_null(name);
                assert_int_equal(credential_state_from_string(name), i);
        }
        for (size_t i = 0; i < ELEMENTSOF(unknown); i++)
                assert_int_equal(credential_state_from_string(unknown[i]), STATE_INVALID);
}

static void test_credential_deadline__without_session_ttl__is_the_login_limit(void **state)
{
        const Credential c = {.login_limit_usec = LIMIT,
                              .session_ttl_usec = USEC_INFINITY,
                              .ceiling_usec = LIMIT + HOURS(4)};

        (void)state;
        assert_true(credential_deadline_usec(&c, NOON) == LIMIT);
        assert_true(credential_deadline_usec(&c, LIMIT - 1) == LIMIT);
}

static void test_credential_deadline__with_session_ttl__runs_from_the_login(void **state)
{
        const Credential c = {.login_limit_usec = LIMIT,
                              .session_ttl_usec = HOURS(2),
                              .ceiling_usec = LIMIT + HOURS(2)};

        (void)state;
        assert_true(credential_deadline_usec(&c, NOON) == NOON + HOURS(2));
        assert_true(credential_deadline_usec(&c, LIMIT - 1) == LIMIT + HOURS(2) - 1);
}

static void test_credential_deadline__any_values__is_never_past_the_ceiling(void **state)
{
        static const uint64_t lengths[] = {1,        SECONDS(1), HOURS(1),     HOURS(2),
                                           HOURS(3), INT64_MAX,  USEC_INFINITY};
        const size_t n = ELEMENTSOF(lengths);

        (void)state;
        for (size_t i = 0; i < n * n * n; i++) {
                const Credential c = {.login_limit_usec = NOON + lengths[i % n] % HOURS(1000),
                                      .session_ttl_usec = lengths[i / n % n],
                                      .ceiling_usec = NOON + lengths[i / n / n] % HOURS(1000)};

                for (uint64_t at = NOON; at < NOON + HOURS(4); at += HOURS(1) / 2)
                        assert_true(credential_deadline_usec(&c, at) <= c.ceiling_usec);
        }
}

static void test_name_valid__table__takes_names_and_nothing_else(void **state)
{
        static const struct {
                const char *text;
                bool valid;
        } table[] = {
                {"a", true},
                {"deploy", true},
                {"app-7", true},
                {"_apt", true},
                {"www.data", true},
                {"A1", true},
                {"7eleven", true},
                {"host$", true},
                {"1$", true},
                {"abcdefghijklmnopqrstuvwxyz012345", true},   /* 32 */
                {"abcdefghijklmnopqrstuvwxyz0123456", false}, /* 33 */
                {"", false},
                {"-a", false},
                {".a", false},
                {"..", false},
                {"0", false},
                {"1001", false},
                {"a$b", false},
                {"a b", false},
                {"a\tb", false},
                {"a\n", false},
                {"a/b", false},
                {"a:b", false},
                {"a,b", false},
                {"a@b", false},
                {"@sre", false},
                {"a+b", false},
                {"a\\b", false},
                {"a*", false},
                {"\x7f", false},
                {"r\xc3\xb6t", false},
                {"a\x80", false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (name_valid(table[i].text) != table[i].valid)
                        fail_msg("\"%s\" is taken wrongly", table[i].text);
}

/* Each byte alone and each byte behind a letter: the grammar said a second time. */
static void test_name_valid__every_byte__is_in_the_grammar_or_refused(void **state)
{
        (void)state;
        for (int c = 1; c < 256; c++) {
                const char alone[] = {(char)c, '\0'}, behind[] = {'a', (char)c, 'a', '\0'};
                bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                bool digit = c >= '0' && c <= '9';

                assert_int_equal(name_valid(alone), letter || c == '_' || c == '$');
                assert_int_equal(name_valid(behind),
                                 letter || digit || c == '_' || c == '-' || c == '.');
        }
}

static void test_text_valid__table__takes_what_people_write_on_one_line(void **state)
{
        static const struct {
                const char *text;
                bool valid;
        } table[] = {
                {"x", true},
                {"disk full, ticket #4711", true},
                {"Gr\xc3\xbc\xc3\x9f"
                 "e",
                 true},
                {"\xe6\x97\xa5\xe6\x9c\xac", true},
                {"\xc2\xa0", true}, /* the first that is no C1 control */
                {"\xf0\x9f\x94\x91", true},
                {"12345678", true},
                {"", false},
                {"123456789", false},
                {"a\nb", false},
                {"a\tb", false},
                {"\x1b[2J", false},
                {"a\x7f", false},
                {"\xc2\x80", false},
                {"\xc2\x9b"
                 "1m",
                 false},
                {"\xc2\x9f", false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                size_t max = table[i].valid ? strlen(table[i].text) : 8;

                if (text_valid(table[i].text, max) != table[i].valid)
                        fail_msg("row %zu is taken wrongly", i);
                if (table[i].valid)
                        assert_false(text_valid(table[i].text, max - 1));
        }
}

static void test_credential_done__half_filled__frees_and_clears(void **state)
{
        Credential c = {.user = strdup("deploy"), .services = json_array()};
        const Credential empty = {0};

        (void)state;
        credential_done(&c);
        assert_memory_equal(&c, &empty, sizeof(c));
        credential_done(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_credential_state__every_combination__follows_from_the_stored_bytes),
                cmocka_unit_test(test_credential_state__as_time_passes__never_comes_back_to_active),
                cmocka_unit_test(test_credential_state_names__each__comes_back_from_its_name),
                cmocka_unit_test(test_credential_deadline__without_session_ttl__is_the_login_limit),
                cmocka_unit_test(test_credential_deadline__with_session_ttl__runs_from_the_login),
                cmocka_unit_test(test_credential_deadline__any_values__is_never_past_the_ceiling),
                cmocka_unit_test(test_name_valid__table__takes_names_and_nothing_else),
                cmocka_unit_test(test_name_valid__every_byte__is_in_the_grammar_or_refused),
                cmocka_unit_test(test_text_valid__table__takes_what_people_write_on_one_line),
                cmocka_unit_test(test_credential_done__half_filled__frees_and_clears),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
