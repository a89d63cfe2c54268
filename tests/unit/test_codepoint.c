/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may stand in a reason or a holder, and so in a list that somebody decides by. */
#include "tests/unit/scratch.h"

#include "common/cleanup.h"
#include "common/codepoint.h"
#include "credd/credential.h"

/* The way back. */
static void encode(uint32_t point, char ret[static 5])
{
        size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

        memset(ret, 0, 5);
        for (size_t i = len; i-- > 0; point >>= 6)
                ret[i] = (char)(i > 0 ? 0x80 | (point & 0x3f) : lead[len == 1 ? 0 : len] | point);
}

static void test_codepoint__every_character__is_read_as_it_was_written(void **state)
{
        (void)state;
        for (uint32_t point = 0; point <= 0x10ffff; point++) {
                char text[5];
                uint32_t back = UINT32_MAX;
                bool surrogate = point >= 0xd800 && point <= 0xdfff;
                size_t n;

                encode(point, text);
                n = codepoint_read(text, &back);
                if (surrogate ? n != 0 : n == 0 || back != point)
                        fail_msg("U+%04X", point);
        }
}

static void test_codepoint__no_utf8__nothing(void **state)
{
        static const char *const wrong[] = {
                "\x80",         "\xbf",
                "\xc3",         "\xc3x",
                "\xc0\xaf",     "\xc1\xbf",
                "\xe0\x9f\xbf", "\xe2\x80",
                "\xf0\x9f\x94", "\xf0\x8f\xbf\xbf",
                "\xed\xa0\x80", "\xf4\x90\x80\x80",
                "\xf8\x88\x80", "\xff",
        };
        uint32_t point;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_int_equal(codepoint_read(wrong[i], &point), 0);
}

/* Each alone and amid a word: neither as what somebody writes of himself, nor as what he shows. */
static void test_text_valid__invisible_or_reordering__refused(void **state)
{
        static const struct {
                uint32_t first, last;
        } ranges[] = {
                {0x1, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
                {0x61c, 0x61c},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
                {0x2060, 0x2064},   {0x2066, 0x2069},   {0x206a, 0x206f},   {0xfeff, 0xfeff},
                {0xfff9, 0xfffb},   {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
                {0xe0100, 0xe01ef},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                for (uint32_t point = ranges[i].first; point <= ranges[i].last; point++) {
                        char alone[5], amid[16];

                        encode(point, alone);
                        (void)snprintf(amid, sizeof(amid), "abc%sdef", alone);
                        if (!codepoint_misleads(point) || text_valid(alone, 200) ||
                            text_valid(amid, 200))
                                fail_msg("U+%04X is taken", point);
                }
}

/* The neighbours of what is refused, and what people write. */
static void test_text_valid__what_people_write__taken(void **state)
{
        static const uint32_t points[] = {
                0x20,   0x7e,   0xa0,   0xac,   0xae,   0x34e,  0x350,   0x61b,   0x61d,
                0x627,  0x5d0,  0x180d, 0x200a, 0x2010, 0x2027, 0x202f,  0x205f,  0x2070,
                0x26a0, 0xfe0f, 0xfefe, 0xff00, 0xfff8, 0xfffd, 0x1d172, 0x1d17b, 0x1f511,
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(points); i++) {
                char text[5];

                encode(points[i], text);
                if (!text_valid(text, 4))
                        fail_msg("U+%04X is refused", points[i]);
        }
        assert_false(text_valid("caf\xe9", 200));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codepoint__every_character__is_read_as_it_was_written),
                cmocka_unit_test(test_codepoint__no_utf8__nothing),
                cmocka_unit_test(test_text_valid__invisible_or_reordering__refused),
                cmocka_unit_test(test_text_valid__what_people_write__taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
