/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pam_ephemeral/reply and /question: what is believed of an answer, and what is ever written.
 * jansson, which credd reads with, is the judge of what we write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/varlink.h"
#include "pam_ephemeral/question.h"
#include "pam_ephemeral/reply.h"
#include "pam_ephemeral/utf8.h"

#define AUTHENTICATED                                                                              \
        "{\"parameters\":{\"login\":\"n0nce-_\",\"credential\":\"k7m2q9xd\",\"left_usec\":"        \
        "3600000000}}"
#define OPENED                                                                                     \
        "{\"parameters\":{\"credential\":\"k7m2q9xd\",\"deadline\":1795379400000000,"              \
        "\"ceiling\":1795379500000000,\"left_usec\":1,\"backstop_usec\":2500000}}"

static int parse(const char *text, LoginVerb verb, Reply *ret_reply)
{
        return reply_parse(text, strlen(text), verb, ret_reply);
}

static void test_reply__authenticated__taken(void **state)
{
        Reply reply;

        (void)state;
        assert_int_equal(parse(AUTHENTICATED, LOGIN_VERB_AUTHENTICATE, &reply), 0);
        assert_int_equal(reply.error, REPLY_NONE);
        assert_string_equal(reply.login, "n0nce-_");
        assert_string_equal(reply.credential, "k7m2q9xd");
        assert_int_equal(reply.left_usec, 3600000000);
        reply_done(&reply);
        assert_int_equal(reply.error, REPLY_REFUSED);
        assert_int_equal(reply.login[0], 0);
}

static void test_reply__opened__taken(void **state)
{
        Reply reply;

        (void)state;
        assert_int_equal(parse(OPENED, LOGIN_VERB_OPEN_SESSION, &reply), 0);
        assert_int_equal(reply.error, REPLY_NONE);
        assert_int_equal(reply.deadline_real_usec, UINT64_C(1795379400000000));
        assert_int_equal(reply.ceiling_real_usec, UINT64_C(1795379500000000));
        assert_int_equal(reply.left_usec, 1);
        assert_int_equal(reply.backstop_usec, 2500000);
}

static void test_reply__blanks_and_unknown_plain_members__passed_over(void **state)
{
        Reply reply;

        (void)state;
        assert_int_equal(parse(" { \"continues\" : false , \"parameters\" : { \"credential\" : "
                               "\"abcd\" , \"x\":-1.5e+3, \"y\":null,\"z\":\"\\u0041 \\\"\","
                               "\"t\":true,\"f\":false,\"zero\":0, \" s\":\"\" } } ",
                               LOGIN_VERB_CHECK_ACCOUNT, &reply),
                         0);
        assert_string_equal(reply.credential, "abcd");
}

static void test_reply__errors__classified(void **state)
{
        static const struct {
                const char *text;
                ReplyError error;
        } cases[] = {
                {"{\"error\":\"io.credd.Login.Refused\"}", REPLY_REFUSED},
                {"{\"error\":\"io.credd.Login.Refused\",\"parameters\":{}}", REPLY_REFUSED},
                {"{\"parameters\":{},\"error\":\"io.credd.Login.Unavailable\"}", REPLY_UNAVAILABLE},
                {"{\"error\":\"org.varlink.service.InvalidParameter\","
                 "\"parameters\":{\"parameter\":\"uid\"}}",
                 REPLY_OTHER},
                {"{\"error\":\"\"}", REPLY_OTHER},
                {"{\"error\":\"io.credd.Login.Refused2\"}", REPLY_OTHER},
                {"{\"error\":\"io.credd.Login.Refuse\"}", REPLY_OTHER},
                /* An error beside all that a success needs is an error. */
                {"{\"error\":\"io.credd.Login.Refused\",\"parameters\":{\"login\":\"n\","
                 "\"credential\":\"k\",\"left_usec\":1}}",
                 REPLY_REFUSED},
        };
        Reply reply;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(parse(cases[i].text, LOGIN_VERB_AUTHENTICATE, &reply), 0);
                assert_int_equal(reply.error, cases[i].error);
        }
}

static const char *const not_json[] = {
        "",
        " ",
        "{",
        "}",
        "{}",
        "[]",
        "null",
        "true",
        "\"parameters\"",
        "garbage",
        "\xff\xfe",
        "{\"parameters\"}",
        "{\"parameters\":}",
        "{\"parameters\":{}",
        "{\"parameters\":null}",
        "{\"parameters\":[]}",
        "{\"parameters\":\"x\"}",
        "{\"parameters\":{\"credential\":\"k\"}",
        "{\"parameters\":{\"credential\":\"k\"}}}",
        "{\"parameters\":{\"credential\":\"k\"}} {}",
        "{\"parameters\":{\"credential\":\"k\"}}x",
        "{\"parameters\":{\"credential\":\"k\"}},",
        "{\"parameters\":{\"credential\":\"k\"},}",
        "{\"parameters\":{\"credential\":\"k\",}}",
        "{\"parameters\":{,\"credential\":\"k\"}}",
        "{\"parameters\":{\"credential\":\"k\",,\"x\":1}}",
        "{\"parameters\":{\"credential\":\"k\" \"x\":1}}",
        "{\"parameters\":{\"x\":1 \"credential\":\"k\"}}",
        "{\"parameters\":{\"credential\" \"k\"}}",
        "{\"parameters\":{\"credential\":\"k\":\"k\"}}",
        "{\"parameters\":{\"credential\":\"k\" 1}}",
        "{\"parameters\":{credential:\"k\"}}",
        "{\"parameters\":{'credential':'k'}}",
        "{\"parameters\" {\"credential\":\"k\"}}",
        "{\"parameters\":{\"credential\":\"k\"}\n}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":12x}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":tru}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":01}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":1.}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":1e}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":-}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":\"\\q\"}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":\"\xc3\"}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":\"\t\"}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":{}}}",
        "{\"parameters\":{\"credential\":\"k\",\"x\":[1]}}",
        "{\"parameters\":{\"credential\":\"k\"},\"parameters\":{\"credential\":\"k\"}}",
        "{\"parameters\":{\"credential\":\"k\",\"credential\":\"k\"}}",
        "{\"parameters\":{\"credential\":\"k\"},\"continues\":true}",
        "{\"parameters\":{\"credential\":\"k\"},\"continues\":0}",
        "{\"parameters\":{\"credential\":\"k\"},\"error\":null}",
        "{\"parameters\":{\"credential\":\"k\"},\"error\":1}",
        "{\"parameters\":{\"credential\":\"k\"},\"success\":true}",
        "{\"credential\":\"k\"}",
        "{\"error\":\"io.credd.Login.Refused\",\"error\":\"x\"}",
        "[{\"parameters\":{\"credential\":\"k\"}}]",
};

static void test_reply__not_exactly_json__refused(void **state)
{
        Reply reply = {.error = REPLY_REFUSED, .credential = "untouched"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(not_json); i++) {
                if (parse(not_json[i], LOGIN_VERB_CHECK_ACCOUNT, &reply) != -EBADMSG)
                        fail_msg("taken: %s", not_json[i]);
                assert_int_equal(reply.error, REPLY_REFUSED);
                assert_string_equal(reply.credential, "untouched");
        }
}

static void test_reply__missing_member__refused(void **state)
{
        Reply reply;

        (void)state;
        assert_int_equal(parse(AUTHENTICATED, LOGIN_VERB_OPEN_SESSION, &reply), -EBADMSG);
        assert_int_equal(parse(OPENED, LOGIN_VERB_AUTHENTICATE, &reply), -EBADMSG);
        assert_int_equal(parse("{\"parameters\":{}}", LOGIN_VERB_CHECK_ACCOUNT, &reply), -EBADMSG);
        assert_int_equal(parse("{\"continues\":false}", LOGIN_VERB_CHECK_ACCOUNT, &reply),
                         -EBADMSG);
}

static void try_value(const char *value, int expected)
{
        char text[512];
        Reply reply;

        (void)snprintf(text, sizeof(text),
                       "{\"parameters\":{\"login\":\"n\",\"credential\":\"k\",\"left_usec\":%s}}",
                       value);
        if (parse(text, LOGIN_VERB_AUTHENTICATE, &reply) != expected)
                fail_msg("left_usec %s", value);
}

static void test_reply__number__within_int64_and_plain(void **state)
{
        static const char *const bad[] = {
                "-1",
                "-0",
                "1.0",
                "1e3",
                "01",
                "+1",
                "\"1\"",
                "true",
                "null",
                "9223372036854775808",
                "18446744073709551617",
                "92233720368547758080",
                "99999999999999999999999999",
                "0x1",
                "{}",
                "[]",
                "",
        };

        (void)state;
        try_value("0", 0);
        try_value("9223372036854775807", 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                try_value(bad[i], -EBADMSG);
        /* A backstop of nothing would make pam_systemd set none. */
        {
                Reply reply;
                char text[] = OPENED;

                memcpy(strstr(text, "2500000"), "0      ", 7);
                assert_int_equal(parse(text, LOGIN_VERB_OPEN_SESSION, &reply), -EBADMSG);
        }
}

static void test_reply__word__of_safe_characters_and_bounded(void **state)
{
        static const char *const bad[] = {
                "", "a b", "a\"", "a\\", "a\\u0041", "a\xc3\xa4", "a.b", "a;b", "a$b", "a%n", "a'",
        };
        char text[512], word[REPLY_LOGIN_MAX + 2];
        Reply reply;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                (void)snprintf(text, sizeof(text), "{\"parameters\":{\"credential\":\"%s\"}}",
                               bad[i]);
                assert_int_equal(parse(text, LOGIN_VERB_CHECK_ACCOUNT, &reply), -EBADMSG);
        }
        memset(word, 'a', sizeof(word));
        word[REPLY_LOGIN_MAX + 1] = '\0';
        for (int extra = 1; extra >= 0; extra--) {
                word[REPLY_LOGIN_MAX + extra] = '\0';
                (void)snprintf(text, sizeof(text),
                               "{\"parameters\":{\"login\":\"%s\",\"credential\":\"k\","
                               "\"left_usec\":1}}",
                               word);
                assert_int_equal(parse(text, LOGIN_VERB_AUTHENTICATE, &reply),
                                 extra ? -EBADMSG : 0);
        }
        assert_false(reply_word_valid("a\0b", 3, 10));
}

static void test_reply__too_long_or_too_many_members__refused(void **state)
{
        static char text[REPLY_MAX + 64];
        size_t n;
        Reply reply;

        (void)state;
        n = (size_t)snprintf(text, sizeof(text), "{\"parameters\":{\"credential\":\"k\"}}");
        memset(text + n, ' ', sizeof(text) - n);
        assert_int_equal(reply_parse(text, REPLY_MAX, LOGIN_VERB_CHECK_ACCOUNT, &reply), 0);
        assert_int_equal(reply_parse(text, REPLY_MAX + 1, LOGIN_VERB_CHECK_ACCOUNT, &reply),
                         -EBADMSG);
        n = (size_t)snprintf(text, sizeof(text), "{\"parameters\":{\"credential\":\"k\"");
        for (int i = 0; i < 100; i++)
                n += (size_t)snprintf(text + n, sizeof(text) - n, ",\"x%d\":1", i);
        (void)snprintf(text + n, sizeof(text) - n, "}}");
        assert_int_equal(parse(text, LOGIN_VERB_CHECK_ACCOUNT, &reply), -EBADMSG);
}

/* Every prefix, and every single wrong byte, of a good reply: never believed wrongly, never out of
 * bounds (the sanitizer run watches). */
static void test_reply__cut_or_bent_anywhere__no_crash(void **state)
{
        const char whole[] = AUTHENTICATED;
        const size_t len = sizeof(whole) - 1;
        Reply reply;

        (void)state;
        for (size_t n = 0; n < len; n++) {
                AUTO_FREE char *part = malloc(n + 1);

                assert_non_null(part);
                memcpy(part, whole, n);
                assert_int_equal(reply_parse(part, n, LOGIN_VERB_AUTHENTICATE, &reply), -EBADMSG);
        }
        for (size_t i = 0; i < len; i++) {
                for (int byte = 0; byte < 256; byte++) {
                        char bent[sizeof(whole)];

                        memcpy(bent, whole, sizeof(bent));
                        bent[i] = (char)byte;
                        if (reply_parse(bent, len, LOGIN_VERB_AUTHENTICATE, &reply) == 0)
                                assert_int_equal(reply.error, REPLY_NONE);
                }
        }
}

static const Question question = {
        .verb = LOGIN_VERB_AUTHENTICATE,
        .user = "alice",
        .uid = 1001,
        .service = "sshd",
        .tty = "ssh",
        .rhost = "192.0.2.7",
        .proof = "eph_x",
};

static void test_question__every_verb__read_by_the_daemons_decoder(void **state)
{
        static const char *const methods[] = {
                "io.credd.Login.Authenticate",
                "io.credd.Login.CheckAccount",
                "io.credd.Login.OpenSession",
        };

        (void)state;
        for (int verb = 0; verb < LOGIN_VERB_MAX; verb++) {
                CLEANUP(varlink_call_done) VarlinkCall call = {0};
                Question q = question;
                QuestionText text;
                const char *proof;

                q.verb = (LoginVerb)verb;
                assert_int_equal(question_format(&q, &text), 0);
                assert_int_equal(text.len, strlen(text.text));
                assert_int_equal(varlink_call_decode(text.text, text.len, &call), 0);
                assert_string_equal(call.method, methods[verb]);
                assert_false(call.more || call.oneway);
                assert_int_equal(json_object_size(call.parameters), 6);
                proof = verb == LOGIN_VERB_AUTHENTICATE ? "token" : "login";
                assert_string_equal(json_string_value(json_object_get(call.parameters, proof)),
                                    "eph_x");
                assert_int_equal(json_integer_value(json_object_get(call.parameters, "uid")), 1001);
        }
}

static void test_question__no_token__says_so_but_never_to_authenticate(void **state)
{
        (void)state;
        for (int verb = 0; verb < LOGIN_VERB_MAX; verb++) {
                CLEANUP(varlink_call_done) VarlinkCall call = {0};
                Question q = question;
                QuestionText text;

                q.verb = (LoginVerb)verb;
                q.proof = NULL;
                if (verb == LOGIN_VERB_AUTHENTICATE) {
                        assert_int_equal(question_format(&q, &text), -EINVAL);
                        assert_int_equal(text.len, 0);
                        continue;
                }
                assert_int_equal(question_format(&q, &text), 0);
                assert_int_equal(varlink_call_decode(text.text, text.len, &call), 0);
                assert_true(json_is_null(json_object_get(call.parameters, "login")));
                assert_int_equal(json_object_size(call.parameters), 6);
                q.proof = "";
                assert_int_equal(question_format(&q, &text), -EINVAL);
        }
}

static void test_question__odd_but_valid_text__arrives_unchanged(void **state)
{
        const char *odd = "a\"b\\c/Müller\xf0\x9f\x94\x91{}',:";
        CLEANUP(varlink_call_done) VarlinkCall call = {0};
        Question q = question;
        QuestionText text;

        (void)state;
        q.user = odd;
        q.rhost = odd;
        assert_int_equal(question_format(&q, &text), 0);
        assert_int_equal(varlink_call_decode(text.text, text.len, &call), 0);
        assert_string_equal(json_string_value(json_object_get(call.parameters, "user")), odd);
        assert_string_equal(json_string_value(json_object_get(call.parameters, "rhost")), odd);
}

static void test_question__no_tty_or_rhost__left_out(void **state)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {0};
        Question q = question;
        QuestionText text;

        (void)state;
        q.tty = NULL;
        q.rhost = "";
        assert_int_equal(question_format(&q, &text), 0);
        assert_int_equal(varlink_call_decode(text.text, text.len, &call), 0);
        assert_null(json_object_get(call.parameters, "tty"));
        assert_null(json_object_get(call.parameters, "rhost"));
}

static void assert_not_written(const Question *q, int error)
{
        static const QuestionText empty;
        QuestionText text;

        assert_int_equal(question_format(q, &text), error);
        assert_memory_equal(&text, &empty, sizeof(text));
}

static void test_question__unfit_text__nothing_written(void **state)
{
        static const char *const bad[] = {
                "a\nb",     "a\x01",        "a\x7f",    "\xc2\x85",         "\xff",
                "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80", "\x1b[2J",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Question q;

                q = question, q.user = bad[i], assert_not_written(&q, -EINVAL);
                q = question, q.service = bad[i], assert_not_written(&q, -EINVAL);
                q = question, q.tty = bad[i], assert_not_written(&q, -EINVAL);
                q = question, q.rhost = bad[i], assert_not_written(&q, -EINVAL);
                q = question, q.proof = bad[i], assert_not_written(&q, -EINVAL);
        }
}

static void test_question__missing_or_too_long__nothing_written(void **state)
{
        static char huge[QUESTION_MAX];
        Question q;

        (void)state;
        q = question, q.user = NULL, assert_not_written(&q, -EINVAL);
        q = question, q.user = "", assert_not_written(&q, -EINVAL);
        q = question, q.proof = NULL, assert_not_written(&q, -EINVAL);
        q = question, q.service = "", assert_not_written(&q, -EINVAL);
        q = question, q.uid = (uid_t)-1, assert_not_written(&q, -EINVAL);
        q = question, q.verb = LOGIN_VERB_MAX, assert_not_written(&q, -EINVAL);
        memset(huge, '"', sizeof(huge) - 1);
        for (size_t len = 1; len < sizeof(huge); len += 61) {
                QuestionText text;
                int r;

                huge[len] = '\0';
                q = question, q.rhost = huge;
                r = question_format(&q, &text);
                if (r == 0)
                        assert_true(text.len < QUESTION_MAX);
                else
                        assert_int_equal(r, -E2BIG);
                huge[len] = '"';
        }
        assert_not_written(
                &(Question){.user = "a", .uid = 1, .service = "s", .rhost = huge, .proof = "p"},
                -E2BIG);
}

static void test_utf8__bounds__exact(void **state)
{
        static const struct {
                const char *text;
                bool good;
        } cases[] = {
                {"", true},
                {" ~", true},
                {"\xc2\xa0", true},
                {"\xc2\x9f", false},
                {"\xc1\xbf", false},
                {"\xdf\xbf", true},
                {"\xe0\xa0\x80", true},
                {"\xe0\x9f\xbf", false},
                {"\xed\x9f\xbf", true},
                {"\xee\x80\x80", true},
                {"\xf0\x90\x80\x80", true},
                {"\xf0\x8f\xbf\xbf", false},
                {"\xf4\x8f\xbf\xbf", true},
                {"\xf8\x88\x80\x80\x80", false},
                {"\x80", false},
                {"a\xe2\x82", false},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(utf8_is_printable(cases[i].text, strlen(cases[i].text)),
                                 cases[i].good);
        assert_false(utf8_is_printable("a\0b", 3));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reply__authenticated__taken),
                cmocka_unit_test(test_reply__opened__taken),
                cmocka_unit_test(test_reply__blanks_and_unknown_plain_members__passed_over),
                cmocka_unit_test(test_reply__errors__classified),
                cmocka_unit_test(test_reply__not_exactly_json__refused),
                cmocka_unit_test(test_reply__missing_member__refused),
                cmocka_unit_test(test_reply__number__within_int64_and_plain),
                cmocka_unit_test(test_reply__word__of_safe_characters_and_bounded),
                cmocka_unit_test(test_reply__too_long_or_too_many_members__refused),
                cmocka_unit_test(test_reply__cut_or_bent_anywhere__no_crash),
                cmocka_unit_test(test_question__every_verb__read_by_the_daemons_decoder),
                cmocka_unit_test(test_question__no_token__says_so_but_never_to_authenticate),
                cmocka_unit_test(test_question__odd_but_valid_text__arrives_unchanged),
                cmocka_unit_test(test_question__no_tty_or_rhost__left_out),
                cmocka_unit_test(test_question__unfit_text__nothing_written),
                cmocka_unit_test(test_question__missing_or_too_long__nothing_written),
                cmocka_unit_test(test_utf8__bounds__exact),
        };

        return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
