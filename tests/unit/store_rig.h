/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in a folder of its own, with a clock that the test turns. */
#pragma once

#include "tests/unit/scratch.h"

#include "credd/digest.h"
#include "credd/store.h"

#define BOOT_A "11111111111111111111111111111111"
#define BOOT_B "22222222222222222222222222222222"
#define BOOT_C "33333333333333333333333333333333"

typedef struct StoreRig {
        char *folder;
        Hands hands;
        Clock clock;
        Store *store;
} StoreRig;

static inline void store_rig_open(StoreRig *rig, const char *boot_id)
{
        rig->clock = hands_clock(&rig->hands);
        assert_int_equal(store_open(rig->folder, boot_id, &rig->clock, &rig->store), 0);
}

static inline void store_rig_close(StoreRig *rig)
{
        rig->store = store_close(rig->store);
}

static inline int store_rig_setup(void **state)
{
        StoreRig *rig = calloc(1, sizeof(*rig));

        assert_non_null(rig);
        rig->folder = scratch_new();
        rig->hands = (Hands){SECONDS(1000), NOON};
        store_rig_open(rig, BOOT_A);
        *state = rig;
        return 0;
}

static inline int store_rig_teardown(void **state)
{
        StoreRig *rig = *state;

        store_rig_close(rig);
        scratch_free(rig->folder);
        free(rig);
        return 0;
}

/* One that nothing is missing from; strings are the caller's to credential_done(). */
static inline Credential sample_credential(const char *id, uint64_t login_limit_usec)
{
        Credential c = {
                .user = strdup("deploy"),
                .uid = 1001,
                .holder = strdup("Anna M\xc3\xbcller"),
                .reason = strdup("ticket 7"),
                .services = json_pack("[s]", "sshd"),
                .sources = json_pack("[ss]", "10.0.0.0/8", "local"),
                .uses = 2,
                .uses_left = 2,
                .issued_usec = NOON,
                .issued_real_usec = NOON + 5,
                .not_before_usec = NOON + 1,
                .login_limit_usec = login_limit_usec,
                .session_ttl_usec = HOURS(2),
                .ceiling_usec = NOON + HOURS(4),
                .issuer = {.name = "carol", .uid = 1002, .loginuid = 1003},
                .has_hash = true,
        };

        (void)snprintf(c.id, sizeof(c.id), "%s", id);
        for (size_t i = 0; i < HASH_LEN; i++)
                c.hash[i] = (uint8_t)(i * 7 + 1);
        return c;
}

/* Adds one, in a transaction of its own; returns its number. */
static inline int64_t add_sample(Store *store, const char *id, uint64_t login_limit_usec)
{
        AUTO_CREDENTIAL Credential c = sample_credential(id, login_limit_usec);

        assert_int_equal(store_begin(store), 0);
        assert_int_equal(store_add_credential(store, &c, NULL), 0);
        assert_int_equal(store_commit(store), 0);
        return c.num;
}

/* A login of it, likewise. */
static inline int64_t add_sample_login(Store *store, int64_t credential, uint64_t accepted_usec)
{
        char service[] = "sshd";
        Login login = {.credential = credential,
                       .nonce = {1, 2, 3},
                       .accepted_usec = accepted_usec,
                       .service = service};

        assert_int_equal(store_add_login(store, &login), 0);
        return login.num;
}

static inline bool take_session(void *userdata, SessionRow *row)
{
        *(SessionRow *)userdata = *row;
        *row = (SessionRow){0};
        return true;
}

/* The session of that login, which there is. */
static inline void read_session(Store *store, int64_t login, SessionRow *ret)
{
        assert_int_equal(
                store_each_session(store, SESSIONS_ALL, 0, login - 1, 1, take_session, ret), 0);
        assert_int_equal(ret->login, login);
}

/* The hash of an event as store.h and docs have it, said a second time. */
static inline void hash_event(const uint8_t before[static HASH_LEN], const EventRow *row,
                              uint8_t ret_hash[static HASH_LEN])
{
        uint64_t numbers[] = {htole64((uint64_t)row->seq), htole64(row->line_usec),
                              htole64(row->real_usec), htole64((uint64_t)row->credential)};
        const DigestPart parts[] = {{before, HASH_LEN},
                                    {numbers, sizeof(numbers)},
                                    {row->name, strlen(row->name)},
                                    {row->data, strlen(row->data)}};

        digest_parts(parts, ELEMENTSOF(parts), ret_hash);
}

/* Every row of the chain hangs on the one before it, without a gap; returns how many there are. */
static inline int64_t check_chain(Store *store)
{
        uint8_t head[HASH_LEN] = {0};
        uint64_t line = 0;
        int64_t seq = 0;

        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};
                uint8_t hash[HASH_LEN];
                int r = store_next_event(store, seq, &row);

                assert_true(r >= 0);
                if (r == 0)
                        break;
                assert_int_equal(row.seq, seq + 1);
                hash_event(head, &row, hash);
                assert_memory_equal(hash, row.hash, HASH_LEN);
                assert_true(row.line_usec >= line);
                memcpy(head, hash, HASH_LEN);
                line = row.line_usec;
                seq = row.seq;
        }
        assert_int_equal(store_newest_event(store), seq);
        return seq;
}
