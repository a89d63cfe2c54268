/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What io.credd.Admin.Issue would have stored, without the calls: row, standing and event of each. */
#include "tests/bench/fill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "credd/digest.h"
#include "credd/events.h"
#include "credd/store.h"
#include "tests/bench/rig.h"

#define AT_ONCE 5000 /* rows a transaction */

/* A bijection of the 40 bits that an id has, so that neighbours do not stand side by side in the index. */
static uint64_t scatter(uint64_t i)
{
        const uint64_t mask = (UINT64_C(1) << 40) - 1;

        i = (i * UINT64_C(0x9e3779b97f4a7c15)) & mask;
        i ^= i >> 20;
        return (i * UINT64_C(0xbf58476d1ce4e5b9)) & mask;
}

static void make_token(uint64_t i, Token *ret)
{
        uint8_t random[TOKEN_RANDOM_LEN];
        uint64_t bits = scatter(i);

        for (size_t at = 0; at < sizeof(random); at++) {
                random[at] = (uint8_t)(at < TOKEN_ID_LEN ? (bits >> (5 * at)) & 31
                                                         : (i * 7 + at * 13) & 31);
        }
        token_from_random(random, ret);
}

void fill_token(uint64_t i, char ret_text[static TOKEN_TEXT_LEN + 1])
{
        Token token;

        make_token(i, &token);
        token_format(&token, ret_text);
}

unsigned fill_uid(uint64_t i)
{
        return FILL_FIRST_UID + (unsigned)(i % FILL_USERS);
}

void fill_user(uint64_t i, char ret_name[static 16])
{
        (void)snprintf(ret_name, 16, "person%u", (unsigned)(i % FILL_USERS));
}

static void add_one(Store *store, Events *events, uint64_t i, uint64_t now, uint64_t limit)
{
        AUTO_CREDENTIAL Credential c = {
                .uid = fill_uid(i),
                .services = json_array(),
                .sources = json_array(),
                .uses = 1,
                .uses_left = 1,
                .ttl_usec = limit - now,
                .issued_usec = now,
                .issued_real_usec = clock_real_usec(events->clock),
                .not_before_usec = now,
                .session_ttl_usec = USEC_INFINITY,
                .ceiling_usec = limit,
                .login_limit_usec = limit,
                .issuer = {.name = "root", .uid = 0, .loginuid = UID_NONE},
                .has_hash = true,
        };
        char user[16];
        Token token;
        int r;

        fill_user(i, user);
        c.user = strdup(user);
        (void)json_array_append_new(c.services, json_string("sshd"));
        make_token(i, &token);
        memcpy(c.id, token.id, sizeof(c.id));
        digest_token(store_key(store), &token, c.hash);
        r = store_add_credential(store, &c, NULL);
        if (r == 0)
                r = event_credential_issued(events, &c);
        if (r < 0)
                die("fill: credential %lu: %s", (unsigned long)i, strerror(-r));
}

Store *fill_open(const char *folder, Clock *ret_clock)
{
        char boot_text[SD_ID128_STRING_MAX];
        sd_id128_t boot;
        Store *store = NULL;
        int r;

        clock_init_system(ret_clock);
        if (sd_id128_get_boot(&boot) < 0)
                die("no boot id");
        r = store_open(folder, sd_id128_to_string(boot, boot_text), ret_clock, &store);
        if (r < 0)
                die("cannot open the store in %s: %s", folder, strerror(-r));
        return store;
}

void fill_commit(Store *store)
{
        int r = store_set_journaled(store, store_newest_event(store));

        if (r == 0)
                r = store_commit(store);
        if (r == 0)
                r = store_log_write_back(store);
        if (r < 0)
                die("cannot commit: %s", strerror(-r));
}

uint64_t fill_store(const char *folder, const Fill *fill)
{
        Clock clock;
        Store *store = fill_open(folder, &clock);
        Events events = {store, &clock, NULL};
        uint64_t now = clock_line_usec(&clock), limit = now + fill->ttl_usec;

        for (uint64_t i = 0; i < fill->count; i++) {
                if (i % AT_ONCE == 0 && store_begin(store) < 0)
                        die("cannot begin");
                add_one(store, &events, fill->first + i, now, limit + i * fill->step_usec);
                if (i % AT_ONCE == AT_ONCE - 1 || i + 1 == fill->count)
                        fill_commit(store);
        }
        (void)store_close(store);
        return clock_to_boot_usec(&clock, limit);
}
