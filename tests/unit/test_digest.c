/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "credd/digest.h"

#define KEY_LEN 32

typedef struct Rig {
        char *folder;
        int fd;
        DigestKey *key;
} Rig;

static int setup(void **state)
{
        Rig *rig = calloc(1, sizeof(*rig));

        assert_non_null(rig);
        rig->folder = scratch_new();
        rig->fd = open(rig->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(rig->fd >= 0);
        assert_int_equal(digest_key_load(rig->fd, true, &rig->key), 0);
        *state = rig;
        return 0;
}

static int teardown(void **state)
{
        Rig *rig = *state;

        (void)digest_key_free(rig->key);
        (void)close(rig->fd);
        scratch_free(rig->folder);
        free(rig);
        return 0;
}

static Token token_of(const char *id, const char *secret)
{
        Token token = {0};

        memcpy(token.id, id, TOKEN_ID_LEN);
        memcpy(token.secret, secret, TOKEN_SECRET_LEN);
        return token;
}

static void put_key(const Rig *rig, size_t len, mode_t mode)
{
        static const char bytes[2 * KEY_LEN];
        AUTO_CLOSE int fd = -1;

        fd = openat(rig->fd, "key", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, len), len);
        assert_int_equal(fchmod(fd, mode), 0);
}

static size_t get_key(const Rig *rig, uint8_t bytes[static 2 * KEY_LEN])
{
        AUTO_CLOSE int fd = -1;
        ssize_t n;

        fd = openat(rig->fd, "key", O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        n = read(fd, bytes, 2 * KEY_LEN);
        assert_true(n >= 0);
        return (size_t)n;
}

static void test_digest_key__made__is_32_bytes_for_its_owner_alone_and_stays(void **state)
{
        const Token token = token_of("k7m2q9xd", "abcdefghjkmnpqrstvwxyz0123");
        uint8_t first[2 * KEY_LEN], second[2 * KEY_LEN], a[HASH_LEN], b[HASH_LEN];
        CLEANUP(digest_key_freep) DigestKey *again = NULL;
        const Rig *rig = *state;
        struct stat st;

        assert_int_equal(fstatat(rig->fd, "key", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(get_key(rig, first), KEY_LEN);
        assert_int_equal(fstatat(rig->fd, "key.new", &st, AT_SYMLINK_NOFOLLOW), -1);
        /* made once: loading it again, "make" or not, changes nothing */
        assert_int_equal(digest_key_load(rig->fd, true, &again), 0);
        digest_token(rig->key, &token, a);
        digest_token(again, &token, b);
        assert_true(digest_equal(a, b));
        assert_int_equal(get_key(rig, second), KEY_LEN);
        assert_memory_equal(first, second, KEY_LEN);
}

static void test_digest_key__missing_beside_a_store__is_enokey_and_none_is_made(void **state)
{
        const Rig *rig = *state;
        DigestKey *key = NULL;
        struct stat st;

        assert_int_equal(unlinkat(rig->fd, "key", 0), 0);
        assert_int_equal(digest_key_load(rig->fd, false, &key), -ENOKEY);
        assert_null(key);
        assert_int_equal(fstatat(rig->fd, "key", &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_digest_key__no_key_at_all_in_the_file__is_ebadmsg_and_left_as_it_is(void **state)
{
        static const struct {
                size_t len;
                mode_t mode;
                int result;
        } table[] = {
                {KEY_LEN, 0600, 0},
                {KEY_LEN, 0400, 0},
                {0, 0600, -EBADMSG},
                {KEY_LEN - 1, 0600, -EBADMSG},
                {KEY_LEN + 1, 0600, -EBADMSG},
                {KEY_LEN, 0640, -EBADMSG},
                {KEY_LEN, 0604, -EBADMSG},
                {KEY_LEN, 0620, -EBADMSG},
                {KEY_LEN, 0601, -EBADMSG},
        };
        const Rig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (int make = 0; make < 2; make++) {
                        uint8_t bytes[2 * KEY_LEN];
                        DigestKey *key = NULL;

                        (void)unlinkat(rig->fd, "key", 0);
                        put_key(rig, table[i].len, table[i].mode);
                        assert_int_equal(digest_key_load(rig->fd, make, &key), table[i].result);
                        assert_int_equal(key == NULL, table[i].result != 0);
                        (void)digest_key_free(key);
                        assert_int_equal(get_key(rig, bytes), table[i].len);
                }
}

static void test_digest_key__symbolic_link_or_folder__is_no_key(void **state)
{
        const Rig *rig = *state;
        DigestKey *key = NULL;

        assert_int_equal(renameat(rig->fd, "key", rig->fd, "other"), 0);
        assert_int_equal(symlinkat("other", rig->fd, "key"), 0);
        assert_int_equal(digest_key_load(rig->fd, true, &key), -ELOOP);
        assert_int_equal(unlinkat(rig->fd, "key", 0), 0);
        assert_int_equal(mkdirat(rig->fd, "key", 0700), 0);
        assert_int_equal(digest_key_load(rig->fd, true, &key), -EBADMSG);
        assert_null(key);
}

static void test_digest_token__id_and_secret__are_both_bound_in(void **state)
{
        static const char *const ids[] = {"k7m2q9xd", "k7m2q9xe", "07m2q9xd"};
        static const char *const secrets[] = {"abcdefghjkmnpqrstvwxyz0123",
                                              "abcdefghjkmnpqrstvwxyz0124",
                                              "0bcdefghjkmnpqrstvwxyz0123"};
        uint8_t seen[9][HASH_LEN];
        const Rig *rig = *state;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                for (size_t j = 0; j < ELEMENTSOF(secrets); j++) {
                        const Token token = token_of(ids[i], secrets[j]);
                        uint8_t again[HASH_LEN];

                        digest_token(rig->key, &token, seen[n]);
                        digest_token(rig->key, &token, again);
                        assert_true(digest_equal(seen[n], again));
                        for (size_t k = 0; k < n; k++)
                                assert_false(digest_equal(seen[n], seen[k]));
                        n++;
                }
}

static void test_digest_token__another_key__gives_another_hash(void **state)
{
        const Token token = token_of("k7m2q9xd", "abcdefghjkmnpqrstvwxyz0123");
        CLEANUP(digest_key_freep) DigestKey *other = NULL;
        uint8_t a[HASH_LEN], b[HASH_LEN];
        const Rig *rig = *state;

        assert_int_equal(unlinkat(rig->fd, "key", 0), 0);
        assert_int_equal(digest_key_load(rig->fd, true, &other), 0);
        digest_token(rig->key, &token, a);
        digest_token(other, &token, b);
        assert_false(digest_equal(a, b));
}

static void test_digest_equal__one_bit_anywhere__is_seen(void **state)
{
        uint8_t a[HASH_LEN] = {1, 2, 3}, b[HASH_LEN];

        (void)state;
        for (unsigned bit = 0; bit < 8 * HASH_LEN; bit++) {
                memcpy(b, a, HASH_LEN);
                assert_true(digest_equal(a, b));
                b[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_false(digest_equal(a, b));
        }
}

/* No two lists of parts look alike, though their bytes in a row do. */
static void test_digest_parts__same_bytes_cut_elsewhere__have_other_hashes(void **state)
{
        static const DigestPart lists[][3] = {
                {{"abc", 3}, {"", 0}, {"", 0}},   {{"ab", 2}, {"c", 1}, {"", 0}},
                {{"a", 1}, {"bc", 2}, {"", 0}},   {{"a", 1}, {"b", 1}, {"c", 1}},
                {{"", 0}, {"abc", 3}, {"", 0}},   {{"", 0}, {"", 0}, {"abc", 3}},
                {{"abc\0", 4}, {"", 0}, {"", 0}},
        };
        uint8_t seen[ELEMENTSOF(lists)][HASH_LEN], alone[HASH_LEN];

        (void)state;
        digest_parts(lists[0], 1, alone);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                digest_parts(lists[i], 3, seen[i]);
                assert_false(digest_equal(seen[i], alone));
                for (size_t k = 0; k < i; k++)
                        assert_false(digest_equal(seen[i], seen[k]));
        }
}

/* Of the two parts "ab" and "c", made by Python's hashlib: a file written today is read in ten
 * years. */
static void test_digest_parts__known_answer__stays(void **state)
{
        const DigestPart parts[] = {{"ab", 2}, {"c", 1}};
        char text[HEX_LEN(HASH_LEN)];
        uint8_t hash[HASH_LEN];

        (void)state;
        digest_parts(parts, 2, hash);
        digest_hex(hash, HASH_LEN, text);
        assert_string_equal(text,
                            "20263e794775e4edf2b306c0f306af9e50175c831c857604b481e847f790bf95");
}

static void test_digest_hex__there_and_back__is_the_same(void **state)
{
        uint8_t bytes[256], back[256];
        char text[HEX_LEN(256)];

        (void)state;
        for (unsigned i = 0; i < 256; i++)
                bytes[i] = (uint8_t)i;
        digest_hex(bytes, 256, text);
        assert_int_equal(strlen(text), 512);
        assert_int_equal(strspn(text, "0123456789abcdef"), 512);
        assert_int_equal(digest_from_hex(text, back, 256), 0);
        assert_memory_equal(bytes, back, 256);
}

static void test_digest_from_hex__anything_else__is_refused(void **state)
{
        static const char *const bad[] = {"",     "0",    "0a0",  "0a0b0", "0a0b0c",
                                          "0a 0", "0a0g", "0A0B", " 0a0b", "0a0b ",
                                          "0x0a", "-a0b", "0a:0b"};
        uint8_t bytes[2];

        (void)state;
        assert_int_equal(digest_from_hex("0a0b", bytes, 2), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (digest_from_hex(bad[i], bytes, 2) != -EINVAL)
                        fail_msg("\"%s\" was taken", bad[i]);
}

static void test_digest_random__two_draws__differ(void **state)
{
        uint8_t a[32] = {0}, b[32] = {0};
        static const uint8_t nothing[32];

        (void)state;
        digest_random(a, sizeof(a));
        digest_random(b, sizeof(b));
        assert_memory_not_equal(a, nothing, sizeof(a));
        assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_digest_key__made__is_32_bytes_for_its_owner_alone_and_stays, setup,
                        teardown),
                cmocka_unit_test_setup_teardown(
                        test_digest_key__missing_beside_a_store__is_enokey_and_none_is_made, setup,
                        teardown),
                cmocka_unit_test_setup_teardown(
                        test_digest_key__no_key_at_all_in_the_file__is_ebadmsg_and_left_as_it_is,
                        setup, teardown),
                cmocka_unit_test_setup_teardown(test_digest_key__symbolic_link_or_folder__is_no_key,
                                                setup, teardown),
                cmocka_unit_test_setup_teardown(test_digest_token__id_and_secret__are_both_bound_in,
                                                setup, teardown),
                cmocka_unit_test_setup_teardown(test_digest_token__another_key__gives_another_hash,
                                                setup, teardown),
                cmocka_unit_test(test_digest_equal__one_bit_anywhere__is_seen),
                cmocka_unit_test_setup_teardown(
                        test_digest_parts__same_bytes_cut_elsewhere__have_other_hashes, setup,
                        teardown),
                cmocka_unit_test_setup_teardown(test_digest_parts__known_answer__stays, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(test_digest_hex__there_and_back__is_the_same, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(test_digest_from_hex__anything_else__is_refused,
                                                setup, teardown),
                cmocka_unit_test_setup_teardown(test_digest_random__two_draws__differ, setup,
                                                teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
