/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Varlink messages: what is read, what is refused, and that what is written reads back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/varlink.h"

#define TEXT_MAX 4096

static int decode_call(const char *text, VarlinkCall *ret_call)
{
        return varlink_call_decode(text, strlen(text), ret_call);
}

static int decode_reply(const char *text, VarlinkReply *ret_reply)
{
        return varlink_reply_decode(text, strlen(text), ret_reply);
}

static void assert_calls_refused(const char *const *texts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                VarlinkCall call = {.method = "untouched"};

                if (decode_call(texts[i], &call) != -EBADMSG)
                        fail_msg("accepted: %s", texts[i]);
                assert_string_equal(call.method, "untouched");
                assert_null(call.root);
        }
}

static void assert_replies_refused(const char *const *texts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                VarlinkReply reply = {.error = "untouched"};

                if (decode_reply(texts[i], &reply) != -EBADMSG)
                        fail_msg("accepted: %s", texts[i]);
                assert_string_equal(reply.error, "untouched");
                assert_null(reply.root);
        }
}

static void test_varlink_call_decode__method_alone__read(void **state)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {};

        (void)state;
        assert_int_equal(decode_call("{\"method\":\"io.credd.Admin.List\"}", &call), 0);
        assert_string_equal(call.method, "io.credd.Admin.List");
        assert_null(call.parameters);
        assert_false(call.more);
        assert_false(call.oneway);
}

static void test_varlink_call_decode__all_members__read(void **state)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {};

        (void)state;
        assert_int_equal(decode_call(" {\"upgrade\":false,\"oneway\":false,\"more\":true,"
                                     "\"parameters\":{\"n\":[1]},\"method\":\"a.b.C\"}\n",
                                     &call),
                         0);
        assert_string_equal(call.method, "a.b.C");
        assert_true(json_is_array(json_object_get(call.parameters, "n")));
        assert_true(call.more);
        assert_false(call.oneway);
}

static void test_varlink_call_decode__oneway__read(void **state)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {};

        (void)state;
        assert_int_equal(decode_call("{\"method\":\"a.b.C\",\"oneway\":true}", &call), 0);
        assert_true(call.oneway);
}

static void test_varlink_call_decode__not_json__refused(void **state)
{
        static const char *const texts[] = {
                "",
                " ",
                "x",
                "{",
                "null",
                "\"a.b.C\"",
                "[]",
                "[{\"method\":\"a.b.C\"}]",
                "{\"method\":\"a.b.C\"",
                "{\"method\":\"a.b.C\",}",
                "{'method':'a.b.C'}",
                "{\"method\":\"a.b.C\"}{}",
                "{\"method\":\"a.b.C\"} x",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":1e999}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":9223372036854775808}}",
        };

        (void)state;
        assert_calls_refused(texts, ELEMENTSOF(texts));
}

static void test_varlink_call_decode__not_a_call__refused(void **state)
{
        static const char *const texts[] = {
                "{}",
                "{\"parameters\":{}}",
                "{\"method\":null}",
                "{\"method\":1}",
                "{\"method\":[\"a.b.C\"]}",
                "{\"method\":\"a.b.C\",\"parameters\":null}",
                "{\"method\":\"a.b.C\",\"parameters\":[]}",
                "{\"method\":\"a.b.C\",\"parameters\":\"\"}",
                "{\"method\":\"a.b.C\",\"more\":1}",
                "{\"method\":\"a.b.C\",\"more\":null}",
                "{\"method\":\"a.b.C\",\"oneway\":\"true\"}",
                "{\"method\":\"a.b.C\",\"more\":true,\"oneway\":true}",
                "{\"method\":\"a.b.C\",\"upgrade\":true}",
                "{\"method\":\"a.b.C\",\"upgrade\":0}",
                "{\"method\":\"a.b.C\",\"extra\":{}}",
                "{\"method\":\"a.b.C\",\"Method\":\"a.b.C\"}",
                "{\"method\":\"a.b.C\",\"error\":\"a.b.C\"}",
        };

        (void)state;
        assert_calls_refused(texts, ELEMENTSOF(texts));
}

static void test_varlink_call_decode__key_twice__refused(void **state)
{
        static const char *const texts[] = {
                "{\"method\":\"a.b.C\",\"method\":\"a.b.D\"}",
                "{\"method\":\"a.b.C\",\"\\u006dethod\":\"a.b.D\"}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"user\":\"alice\",\"user\":\"root\"}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"a\":[{\"b\":1,\"b\":1}]}}",
        };

        (void)state;
        assert_calls_refused(texts, ELEMENTSOF(texts));
}

static void test_varlink_call_decode__nul_or_bad_utf8__refused(void **state)
{
        static const char nul_within[] = "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\0\"}}";
        static const char nul_after[] = "{\"method\":\"a.b.C\"}";
        static const char *const texts[] = {
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\\u0000\"}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"\\u0000\":1}}",
                "{\"method\":\"a.b.C\\u0000\"}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\xff\"}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\xc0\x80\"}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\xed\xa0\x80\"}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\\ud800\"}}",
                "{\"method\":\"a.b.C\",\"parameters\":{\"n\":\"\n\"}}",
        };
        VarlinkCall call;

        (void)state;
        assert_calls_refused(texts, ELEMENTSOF(texts));
        assert_int_equal(varlink_call_decode(nul_within, sizeof(nul_within) - 1, &call), -EBADMSG);
        assert_int_equal(varlink_call_decode(nul_after, sizeof(nul_after), &call), -EBADMSG);
}

static int decode_call_named(const char *name)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {};
        char text[TEXT_MAX];

        (void)snprintf(text, sizeof(text), "{\"method\":\"%s\"}", name);
        return decode_call(text, &call);
}

static void test_varlink_call_decode__name_by_the_grammar__read(void **state)
{
        static const char *const names[] = {
                "a.b.C", "io.credd.Admin.List", "org.varlink.service.GetInfo", "x-y.z--1.Ab9",
                "A.9.Z", "com.example.0.Foo",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (decode_call_named(names[i]) != 0)
                        fail_msg("refused: %s", names[i]);
}

static void test_varlink_call_decode__name_against_the_grammar__refused(void **state)
{
        static const char *const names[] = {
                "",
                ".",
                "..",
                "...",
                "a",
                "Ping",
                "a.B",
                ".b.C",
                "a..C",
                "a.b.",
                "a.b.c",
                "a.b.9",
                "a.b.C_d",
                "a.b.C-d",
                "9a.b.C",
                "-a.b.C",
                "a-.b.C",
                "a.-b.C",
                "a.b-.C",
                "a_b.c.D",
                "a b.c.D",
                " a.b.C",
                "a.b.C ",
                "a.b.C\\n",
                "a/b.c.D",
                "\xc3\xa4.b.C",
                "a.b.C\xc3\xa4",
                "a.b..C",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (decode_call_named(names[i]) != -EBADMSG)
                        fail_msg("accepted: %s", names[i]);
}

static void test_varlink_call_decode__name_of_255__read_and_256_refused(void **state)
{
        char name[257] = {};

        (void)state;
        memset(name, 'x', 256);
        memcpy(name, "a.b.C", 5);
        assert_int_equal(decode_call_named(name), -EBADMSG);
        name[255] = '\0';
        assert_int_equal(decode_call_named(name), 0);
}

static void test_varlink_call_decode__too_large__refused(void **state)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {};
        static const char text[] = "{\"method\":\"a.b.C\"}";
        char padded[VARLINK_CALL_MAX + 1];

        (void)state;
        memset(padded, ' ', sizeof(padded));
        memcpy(padded, text, sizeof(text) - 1);
        assert_int_equal(varlink_call_decode(padded, sizeof(padded), &call), -EBADMSG);
        assert_int_equal(varlink_call_decode(padded, sizeof(padded) - 1, &call), 0);
}

static void test_varlink_call_decode__deep_nesting__refused(void **state)
{
        char text[VARLINK_CALL_MAX];
        VarlinkCall call;

        (void)state;
        memset(text, '[', sizeof(text));
        assert_int_equal(varlink_call_decode(text, sizeof(text), &call), -EBADMSG);
}

static void test_varlink_call_decode__cut_anywhere__refused(void **state)
{
        static const char text[] = "{\"method\":\"a.b.C\",\"parameters\":{\"n\":[1,true,\"x\"]}}";

        (void)state;
        for (size_t len = 0; len < sizeof(text) - 1; len++) {
                VarlinkCall call;

                assert_int_equal(varlink_call_decode(text, len, &call), -EBADMSG);
        }
}

static void test_varlink_call_done__unused_or_twice__harmless(void **state)
{
        VarlinkCall call = {};

        (void)state;
        varlink_call_done(&call);
        assert_int_equal(decode_call("{\"method\":\"a.b.C\"}", &call), 0);
        varlink_call_done(&call);
        varlink_call_done(&call);
        assert_null(call.method);
}

static void test_varlink_reply_decode__members__read(void **state)
{
        CLEANUP(varlink_reply_done) VarlinkReply empty = {}, more = {}, error = {};

        (void)state;
        assert_int_equal(decode_reply("{}", &empty), 0);
        assert_null(empty.error);
        assert_null(empty.parameters);
        assert_false(empty.continues);

        assert_int_equal(decode_reply("{\"continues\":true,\"parameters\":{\"a\":1}}", &more), 0);
        assert_true(more.continues);
        assert_int_equal(json_integer_value(json_object_get(more.parameters, "a")), 1);

        assert_int_equal(decode_reply("{\"error\":\"a.b.Bad\",\"continues\":false}", &error), 0);
        assert_string_equal(error.error, "a.b.Bad");
}

static void test_varlink_reply_decode__not_a_reply__refused(void **state)
{
        static const char *const texts[] = {
                "",
                "[]",
                "{\"method\":\"a.b.C\"}",
                "{\"parameters\":{},\"extra\":1}",
                "{\"parameters\":null}",
                "{\"parameters\":[]}",
                "{\"error\":null}",
                "{\"error\":\"\"}",
                "{\"error\":\"denied\"}",
                "{\"error\":1}",
                "{\"continues\":1}",
                "{\"continues\":\"true\"}",
                "{\"error\":\"a.b.Bad\",\"continues\":true}",
                "{\"error\":\"a.b.Bad\",\"error\":\"a.b.Good\"}",
        };

        (void)state;
        assert_replies_refused(texts, ELEMENTSOF(texts));
}

static void test_varlink_call_encode__with_and_without__exact_text(void **state)
{
        json_auto_t *parameters = json_pack("{s:s}", "user", "d\"e");
        AUTO_FREE char *plain = varlink_call_encode("a.b.C", NULL, false);
        AUTO_FREE char *full = varlink_call_encode("a.b.C", parameters, true);

        (void)state;
        assert_string_equal(plain, "{\"method\":\"a.b.C\",\"parameters\":{}}");
        assert_string_equal(
                full, "{\"method\":\"a.b.C\",\"more\":true,\"parameters\":{\"user\":\"d\\\"e\"}}");
        assert_int_equal(parameters->refcount, 1);
}

static void test_varlink_reply_encode__with_and_without__exact_text(void **state)
{
        json_auto_t *parameters = json_pack("{s:i}", "n", 1);
        AUTO_FREE char *plain = varlink_reply_encode(NULL, false);
        AUTO_FREE char *full = varlink_reply_encode(parameters, true);

        (void)state;
        assert_string_equal(plain, "{\"parameters\":{}}");
        assert_string_equal(full, "{\"continues\":true,\"parameters\":{\"n\":1}}");
        assert_int_equal(parameters->refcount, 1);
}

static void test_varlink_error_encode__with_and_without__exact_text(void **state)
{
        json_auto_t *parameters = json_pack("{s:s}", "parameter", "user");
        AUTO_FREE char *plain = varlink_error_encode("a.b.Bad", NULL);
        AUTO_FREE char *full = varlink_error_encode(VARLINK_INVALID_PARAMETER, parameters);

        (void)state;
        assert_string_equal(plain, "{\"error\":\"a.b.Bad\",\"parameters\":{}}");
        assert_string_equal(full, "{\"error\":\"org.varlink.service.InvalidParameter\","
                                  "\"parameters\":{\"parameter\":\"user\"}}");
        assert_int_equal(parameters->refcount, 1);
}

static void test_varlink_encode__not_utf8__null(void **state)
{
        (void)state;
        assert_null(varlink_call_encode("\xff", NULL, true));
        assert_null(varlink_error_encode("\xff", NULL));
}

static void test_varlink_encode__decoded_again__same(void **state)
{
        json_auto_t *parameters =
                json_pack("{s:s, s:[i, b, n]}", "text", "a\tb\u20ac", "list", 7, 1);
        AUTO_FREE char *call_text = varlink_call_encode("a.b.C", parameters, true);
        AUTO_FREE char *reply_text = varlink_error_encode("a.b.Bad", parameters);
        CLEANUP(varlink_call_done) VarlinkCall call = {};
        CLEANUP(varlink_reply_done) VarlinkReply reply = {};

        (void)state;
        assert_int_equal(decode_call(call_text, &call), 0);
        assert_true(call.more);
        assert_true(json_equal(call.parameters, parameters));
        assert_int_equal(decode_reply(reply_text, &reply), 0);
        assert_string_equal(reply.error, "a.b.Bad");
        assert_true(json_equal(reply.parameters, parameters));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_varlink_call_decode__method_alone__read),
                cmocka_unit_test(test_varlink_call_decode__all_members__read),
                cmocka_unit_test(test_varlink_call_decode__oneway__read),
                cmocka_unit_test(test_varlink_call_decode__not_json__refused),
                cmocka_unit_test(test_varlink_call_decode__not_a_call__refused),
                cmocka_unit_test(test_varlink_call_decode__key_twice__refused),
                cmocka_unit_test(test_varlink_call_decode__nul_or_bad_utf8__refused),
                cmocka_unit_test(test_varlink_call_decode__name_by_the_grammar__read),
                cmocka_unit_test(test_varlink_call_decode__name_against_the_grammar__refused),
                cmocka_unit_test(test_varlink_call_decode__name_of_255__read_and_256_refused),
                cmocka_unit_test(test_varlink_call_decode__too_large__refused),
                cmocka_unit_test(test_varlink_call_decode__deep_nesting__refused),
                cmocka_unit_test(test_varlink_call_decode__cut_anywhere__refused),
                cmocka_unit_test(test_varlink_call_done__unused_or_twice__harmless),
                cmocka_unit_test(test_varlink_reply_decode__members__read),
                cmocka_unit_test(test_varlink_reply_decode__not_a_reply__refused),
                cmocka_unit_test(test_varlink_call_encode__with_and_without__exact_text),
                cmocka_unit_test(test_varlink_reply_encode__with_and_without__exact_text),
                cmocka_unit_test(test_varlink_error_encode__with_and_without__exact_text),
                cmocka_unit_test(test_varlink_encode__not_utf8__null),
                cmocka_unit_test(test_varlink_encode__decoded_again__same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
