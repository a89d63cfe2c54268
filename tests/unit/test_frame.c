/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames, compiled in with three libc functions watched: what is freed must have been erased,
 * memory may run out, and no byte may be searched twice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static bool memory_ends;
static size_t freed_with_secret;
static size_t searched;

/* Zeroed, so that a byte found later was written by a frame. */
static void *watched_malloc(size_t size)
{
        return memory_ends ? NULL : calloc(1, size);
}

static void watched_free(char *buffer)
{
        size_t size = buffer ? malloc_usable_size(buffer) : 0;

        for (size_t i = 0; i < size; i++)
                freed_with_secret += buffer[i] == 'S';
        free(buffer);
}

static char *watched_memchr(char *bytes, int c, size_t len)
{
        char *found = memchr(bytes, c, len);

        searched += found ? (size_t)(found - bytes) + 1 : len;
        return found;
}

#define malloc watched_malloc
#define free   watched_free
#define memchr watched_memchr
#include "common/frame.c" // NOLINT(bugprone-suspicious-include)
#undef malloc
#undef free
#undef memchr

static int reset(void **state)
{
        (void)state;
        memory_ends = false;
        freed_with_secret = 0;
        searched = 0;
        return 0;
}

/* As a reader does: what fits at a time, and messages taken in between are counted and dropped. */
static int feed(Frame *frame, const char *bytes, size_t len)
{
        int messages = 0;

        while (len > 0) {
                char *at, *text;
                size_t room, text_len;
                int r;

                r = frame_room(frame, &at, &room);
                if (r < 0)
                        return r;
                assert_true(room >= 1);
                if (room > len)
                        room = len;
                memcpy(at, bytes, room);
                frame_add(frame, room);
                bytes += room;
                len -= room;
                while ((r = frame_next(frame, &text, &text_len)) > 0)
                        messages++;
                if (r < 0)
                        return r;
        }
        return messages;
}

/* Leaves what came in the frame. */
static void put(Frame *frame, const char *bytes, size_t len)
{
        char *at;
        size_t room;

        assert_int_equal(frame_room(frame, &at, &room), 0);
        assert_true(room >= len);
        memcpy(at, bytes, len);
        frame_add(frame, len);
}

static void assert_next(Frame *frame, const char *expected)
{
        char *text;
        size_t len;

        assert_int_equal(frame_next(frame, &text, &len), 1);
        assert_string_equal(text, expected);
        assert_int_equal(len, strlen(expected));
}

static void assert_no_next(Frame *frame, int expected)
{
        char *text = NULL;
        size_t len = 42;

        assert_int_equal(frame_next(frame, &text, &len), expected);
        assert_null(text);
        assert_int_equal(len, 42);
}

static void test_frame_next__nothing_came__none(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 100);
        assert_no_next(&frame, 0);
        assert_int_equal(frame_pending(&frame), 0);
}

static void test_frame_next__three_at_once__taken_in_order(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 100);
        put(&frame, "one\0\0three\0fo", 13);
        assert_next(&frame, "one");
        assert_next(&frame, "");
        assert_next(&frame, "three");
        assert_no_next(&frame, 0);
        assert_int_equal(frame_pending(&frame), 2);
        put(&frame, "ur", 3);
        assert_next(&frame, "four");
        assert_int_equal(frame_pending(&frame), 0);
}

static void test_frame_next__byte_by_byte__one_at_its_end(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 100);
        for (const char *at = "hello"; *at; at++) {
                put(&frame, at, 1);
                assert_no_next(&frame, 0);
        }
        put(&frame, "", 1);
        assert_next(&frame, "hello");
}

static void test_frame_next__byte_by_byte__each_byte_searched_once(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 10000);
        for (size_t i = 0; i < 10000; i++)
                assert_int_equal(feed(&frame, "x", 1), 0);
        assert_int_equal(feed(&frame, "\0y", 2), 1);
        assert_int_equal(feed(&frame, "z", 2), 1);
        assert_int_equal(searched, 10004);
}

static void test_frame_next__longest__taken(void **state)
{
        (void)state;
        for (size_t max = 0; max < 2000; max += 37) {
                CLEANUP(frame_done) Frame frame;
                char message[2000] = {};

                memset(message, 'x', max);
                frame_init(&frame, max);
                assert_int_equal(feed(&frame, message, max + 1), 1);
                assert_int_equal(feed(&frame, message, max + 1), 1);
                assert_true(frame.size <= max + 1);
        }
}

static void test_frame_next__one_longer__refused_for_good(void **state)
{
        (void)state;
        for (size_t max = 0; max < 2000; max += 37) {
                CLEANUP(frame_done) Frame frame;
                char message[2001] = {};
                char *at;
                size_t room;

                memset(message, 'x', max + 1);
                frame_init(&frame, max);
                assert_int_equal(feed(&frame, message, max + 2), -EMSGSIZE);
                assert_no_next(&frame, -EMSGSIZE);
                assert_int_equal(frame_room(&frame, &at, &room), -EMSGSIZE);
                assert_true(frame.size <= max + 1);
        }
}

static void test_frame_next__too_long_after_a_good_one__good_one_taken(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 9);
        put(&frame, "good\0xxxxx", 10);
        assert_next(&frame, "good");
        assert_no_next(&frame, 0);
        put(&frame, "xxxxx", 5);
        assert_no_next(&frame, -EMSGSIZE);
}

static void test_frame_room__much_small_talk__does_not_grow(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 1U << 20);
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(feed(&frame, "a message\0and another", 22), 2);
        assert_true(frame.size <= 512);
}

static void test_frame_room__memory_ends__said_and_nothing_lost(void **state)
{
        CLEANUP(frame_done) Frame frame;
        char message[600] = {};
        char *at;
        size_t room;

        (void)state;
        memset(message, 'x', sizeof(message) - 1);
        frame_init(&frame, 10000);
        memory_ends = true;
        assert_int_equal(frame_room(&frame, &at, &room), -ENOMEM);
        memory_ends = false;
        put(&frame, message, 512);
        assert_no_next(&frame, 0);
        memory_ends = true;
        assert_int_equal(frame_room(&frame, &at, &room), -ENOMEM);
        memory_ends = false;
        put(&frame, message + 512, sizeof(message) - 512);
        assert_next(&frame, message);
}

static void test_frame_room__after_a_message_was_taken__erased(void **state)
{
        CLEANUP(frame_done) Frame frame;

        (void)state;
        frame_init(&frame, 100);
        put(&frame, "SSSSSSSSSS\0ab", 13);
        assert_next(&frame, "SSSSSSSSSS");
        put(&frame, "c", 2);
        assert_null(memchr(frame.buffer, 'S', frame.size));
        assert_next(&frame, "abc");
}

static void test_frame_room__grows__old_buffer_erased(void **state)
{
        CLEANUP(frame_done) Frame frame;
        char message[5000] = {};

        (void)state;
        memset(message, 'S', sizeof(message) - 1);
        frame_init(&frame, sizeof(message));
        assert_int_equal(feed(&frame, message, sizeof(message)), 1);
        assert_int_equal(freed_with_secret, 0);
}

static void test_frame_done__taken_and_pending__erased_and_usable_again(void **state)
{
        Frame frame;

        (void)state;
        frame_init(&frame, 10);
        put(&frame, "SSS\0SS", 6);
        assert_next(&frame, "SSS");
        frame_done(&frame);
        assert_int_equal(freed_with_secret, 0);
        assert_null(frame.buffer);
        assert_int_equal(feed(&frame, "0123456789", 11), 1);
        frame_done(&frame);
        frame_done(&frame);
}

static void test_frame__random_cuts__same_messages(void **state)
{
        /* A linear congruence; the cuts need variety, not quality. */
        uint32_t random = 1;
        char stream[4096];

        (void)state;
        for (size_t i = 0; i < sizeof(stream); i++)
                stream[i] = i % 61 == 60 || i % 7 == 3 ? '\0' : 'm';
        for (int round = 0; round < 200; round++) {
                CLEANUP(frame_done) Frame frame;
                size_t fed = 0;
                int messages = 0, expected = 0;

                frame_init(&frame, 64);
                while (fed < sizeof(stream)) {
                        size_t len;
                        int r;

                        random = random * 1664525U + 1013904223U;
                        len = 1 + (random >> 16) % 100;
                        if (len > sizeof(stream) - fed)
                                len = sizeof(stream) - fed;
                        r = feed(&frame, stream + fed, len);
                        assert_true(r >= 0);
                        messages += r;
                        fed += len;
                }
                for (size_t i = 0; i < sizeof(stream); i++)
                        expected += stream[i] == '\0';
                assert_int_equal(messages, expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_frame_next__nothing_came__none, reset),
                cmocka_unit_test_setup(test_frame_next__three_at_once__taken_in_order, reset),
                cmocka_unit_test_setup(test_frame_next__byte_by_byte__one_at_its_end, reset),
                cmocka_unit_test_setup(test_frame_next__byte_by_byte__each_byte_searched_once,
                                       reset),
                cmocka_unit_test_setup(test_frame_next__longest__taken, reset),
                cmocka_unit_test_setup(test_frame_next__one_longer__refused_for_good, reset),
                cmocka_unit_test_setup(test_frame_next__too_long_after_a_good_one__good_one_taken,
                                       reset),
                cmocka_unit_test_setup(test_frame_room__much_small_talk__does_not_grow, reset),
                cmocka_unit_test_setup(test_frame_room__memory_ends__said_and_nothing_lost, reset),
                cmocka_unit_test_setup(test_frame_room__after_a_message_was_taken__erased, reset),
                cmocka_unit_test_setup(test_frame_room__grows__old_buffer_erased, reset),
                cmocka_unit_test_setup(test_frame_done__taken_and_pending__erased_and_usable_again,
                                       reset),
                cmocka_unit_test_setup(test_frame__random_cuts__same_messages, reset),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
