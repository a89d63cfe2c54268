/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only file that knows libsodium. The key never leaves it. */
#include "credd/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_NAME "key"
#define KEY_LEN  crypto_generichash_KEYBYTES

_Static_assert(HASH_LEN == crypto_generichash_BYTES, "a hash is BLAKE2b-256");

struct DigestKey {
        uint8_t bytes[KEY_LEN];
};

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, bytes, len);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        bytes += n;
                        len -= (size_t)n;
                }
        }
        return 0;
}

/* Made under another name and renamed: there is a whole key or none. */
static int key_make(int dir_fd)
{
        AUTO_CLOSE int fd = -1;
        uint8_t bytes[KEY_LEN];
        int r;

        fd = openat(dir_fd, KEY_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0600);
        if (fd < 0)
                return -errno;
        randombytes_buf(bytes, sizeof(bytes));
        r = write_all(fd, bytes, sizeof(bytes));
        sodium_memzero(bytes, sizeof(bytes));
        if (r < 0)
                return r;
        if (fsync(fd) < 0 || renameat(dir_fd, KEY_NAME ".new", dir_fd, KEY_NAME) < 0 ||
            fsync(dir_fd) < 0)
                return -errno;
        return 0;
}

static int key_read(int fd, DigestKey *key)
{
        struct stat st;
        ssize_t n;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size != KEY_LEN || (st.st_mode & 077) != 0)
                return -EBADMSG;
        n = read(fd, key->bytes, KEY_LEN);
        if (n < 0)
                return -errno;
        return n == KEY_LEN ? 0 : -EBADMSG;
}

int digest_key_load(int dir_fd, bool make, DigestKey **ret_key)
{
        CLEANUP(digest_key_freep) DigestKey *key = NULL;
        AUTO_CLOSE int fd = -1;
        int r;

        if (sodium_init() < 0)
                return -EIO;
        fd = openat(dir_fd, KEY_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT) {
                if (!make)
                        return -ENOKEY;
                r = key_make(dir_fd);
                if (r < 0)
                        return r;
                fd = openat(dir_fd, KEY_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        }
        if (fd < 0)
                return -errno;
        key = sodium_malloc(sizeof(*key));
        if (!key)
                return -ENOMEM;
        r = key_read(fd, key);
        if (r < 0)
                return r;
        if (sodium_mprotect_readonly(key) < 0)
                return -errno;
        *ret_key = take_ptr(key);
        return 0;
}

DigestKey *digest_key_free(DigestKey *key)
{
        sodium_free(key); /* erases */
        return NULL;
}

static void digest_secret(const DigestKey *key, const char *name, size_t name_len,
                          const char *secret, size_t secret_len, uint8_t ret_hash[static HASH_LEN])
{
        crypto_generichash_state state;

        (void)crypto_generichash_init(&state, key->bytes, KEY_LEN, HASH_LEN);
        (void)crypto_generichash_update(&state, (const uint8_t *)name, name_len);
        (void)crypto_generichash_update(&state, (const uint8_t *)secret, secret_len);
        (void)crypto_generichash_final(&state, ret_hash, HASH_LEN);
        sodium_memzero(&state, sizeof(state));
}

void digest_token(const DigestKey *key, const Token *token, uint8_t ret_hash[static HASH_LEN])
{
        digest_secret(key, token->id, TOKEN_ID_LEN, token->secret, TOKEN_SECRET_LEN, ret_hash);
}

void digest_code(const DigestKey *key, const Code *code, uint8_t ret_hash[static HASH_LEN])
{
        digest_secret(key, code->handle, CODE_HANDLE_LEN, code->secret, CODE_SECRET_LEN, ret_hash);
}

bool digest_equal(const uint8_t a[static HASH_LEN], const uint8_t b[static HASH_LEN])
{
        return sodium_memcmp(a, b, HASH_LEN) == 0;
}

void digest_parts(const DigestPart *parts, size_t n, uint8_t ret_hash[static HASH_LEN])
{
        crypto_generichash_state state;

        (void)crypto_generichash_init(&state, NULL, 0, HASH_LEN);
        for (size_t i = 0; i < n; i++) {
                uint64_t len = htole64(parts[i].len);

                (void)crypto_generichash_update(&state, (const uint8_t *)&len, sizeof(len));
                (void)crypto_generichash_update(&state, parts[i].bytes, parts[i].len);
        }
        (void)crypto_generichash_final(&state, ret_hash, HASH_LEN);
}

void digest_bytes(const void *bytes, size_t len, uint8_t ret_hash[static HASH_LEN])
{
        (void)crypto_generichash(ret_hash, HASH_LEN, bytes, len, NULL, 0);
}

void digest_random(void *bytes, size_t len)
{
        randombytes_buf(bytes, len); /* getrandom(2); aborts rather than fail */
}

void digest_hex(const uint8_t *bytes, size_t len, char *ret_text)
{
        (void)sodium_bin2hex(ret_text, HEX_LEN(len), bytes, len);
}

int digest_from_hex(const char *text, uint8_t *ret_bytes, size_t len)
{
        size_t got = 0;

        /* one text a value: libsodium would take upper case as well */
        if (strspn(text, "0123456789abcdef") != 2 * len || text[2 * len] != '\0' ||
            sodium_hex2bin(ret_bytes, len, text, 2 * len, NULL, &got, NULL) != 0 || got != len)
                return -EINVAL;
        return 0;
}
