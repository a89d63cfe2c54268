/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libsodium, fenced: randomness, the keyed hash of secrets, the hash of the event chain. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "credd/credential.h"

/* The secret key of this installation, in guarded memory: not in core files, not swapped, read-only
 * once loaded, and a page fault away from everything else. */
typedef struct DigestKey DigestKey;

/* Reads dir/key. make: there is no store yet, so a missing key is made (0600, on the disk before
 * this returns). -ENOKEY: the store is there and the key is not: no token can ever match, so say
 * so. -EBADMSG: the file is not a key. */
int digest_key_load(int dir_fd, bool make, DigestKey **ret_key);
DigestKey *digest_key_free(DigestKey *key);
DEFINE_CLEANUP(DigestKey, digest_key_free)

/* BLAKE2b-256 of id and secret under the key: the id is bound in, so hashes cannot be moved. */
void digest_token(const DigestKey *key, const Token *token, uint8_t ret_hash[static HASH_LEN]);
/* The same of handle and secret; no token has a hash of so few characters. */
void digest_code(const DigestKey *key, const Code *code, uint8_t ret_hash[static HASH_LEN]);
/* Constant time. */
bool digest_equal(const uint8_t a[static HASH_LEN], const uint8_t b[static HASH_LEN]);

/* The parts are hashed with their lengths in front, so that no two lists of parts look alike. */
typedef struct DigestPart {
        const void *bytes;
        size_t len;
} DigestPart;
void digest_parts(const DigestPart *parts, size_t n, uint8_t ret_hash[static HASH_LEN]);

/* BLAKE2b-256 of the bytes alone, as b2sum -l 256 has it. */
void digest_bytes(const void *bytes, size_t len, uint8_t ret_hash[static HASH_LEN]);

void digest_random(void *bytes, size_t len);
#define HEX_LEN(n) (2 * (n) + 1)
void digest_hex(const uint8_t *bytes, size_t len, char *ret_text);
/* -EINVAL: not exactly len bytes in lower-case hexadecimal */
int digest_from_hex(const char *text, uint8_t *ret_bytes, size_t len);
