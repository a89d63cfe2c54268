/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of credd and the sentences of credctl, held to each other. */
#include "tests/unit/scratch.h"

#include "credctl/reason.h"
#include "credd/policy.h"

static void assert_sentence(const char *word, const char *text)
{
        size_t len = text ? strlen(text) : 0;

        if (len < 20 || text[len - 1] != '.' || text[0] < 'A' || text[0] > 'Z')
                fail_msg("of %s \"%s\" is no sentence", word, text ?: "nothing");
}

static void test_reason__each_refusal_of_credd__is_explained(void **state)
{
        (void)state;
        for (int i = REFUSAL_NONE + 1; i < REFUSAL_MAX; i++) {
                const char *word = refusal_to_string((Refusal)i);
                const Reason *reason;

                assert_non_null(word);
                reason = reason_find(word);
                if (!reason)
                        fail_msg("%s is not explained", word);
                assert_sentence(word, reason->means);
                assert_sentence(word, reason->advice);
        }
}

static void test_reason__login_without_a_session__is_explained(void **state)
{
        (void)state;
        assert_non_null(reason_find("unclaimed"));
        assert_sentence("unclaimed", reason_find("unclaimed")->means);
}

static void test_reason__word_of_a_newer_credd__is_none(void **state)
{
        (void)state;
        assert_null(reason_find("none"));
        assert_null(reason_find(""));
        assert_null(reason_find("moon-phase"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reason__each_refusal_of_credd__is_explained),
                cmocka_unit_test(test_reason__login_without_a_session__is_explained),
                cmocka_unit_test(test_reason__word_of_a_newer_credd__is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
