/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls against the whole daemon, several in one input, so that what one leaves behind meets the next.
 * The input is lines, each one thing that happens:
 *
 *      cWN{...}  a call by W (a letter of world.c), whose process is the Nth; C: and others at once
 *      tN  wN    N seconds pass; N seconds and the wall clock is set by them
 *      pNW xN aN sN   the Nth process starts as W's, dies, is announced by logind, ignores a signal
 *      l e f     logind goes or comes; it refuses or does; the disk is full or is not
 *      r RN      the daemon is started again; the machine is, N seconds later
 *
 * In a call $N, %N and &N stand for the Nth id, token and login that were handed out. In the end time goes
 * on until all is over. Nobody gets what his rights do not give; secrets are said once; no credential
 * opens more than it may; the chain holds; and of each credential that is over there is one receipt. */
#include "tests/fuzz/world.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>

#include "common/varlink.h"
#include "credd/digest.h"
#include "credd/session.h"
#include "credd/store.h"

#define DAY         (24 * 3600 * USEC_PER_SEC)
#define OPS_MAX     64
#define CREDENTIALS 256

/* --- who may --- */

/* Of the methods that not everybody may call, by whom a call may end well. */
static const struct {
        const char *method, *who;
} allowed[] = {
        {"Issue", "RAI"},      {"Request", "RAQPp"}, {"Approve", "RAPp"},   {"Deny", "RAPp"},
        {"Collect", "RAQPp"},  {"Extend", "RAI"},    {"Freeze", "RA"},      {"Thaw", "RA"},
        {"Events", "RAU"},     {"Verify", "RAU"},    {"Audit", "RAU"},      {"RoleEnable", "RA"},
        {"RoleDisable", "RA"}, {"Ack", "RA"},        {"Subscribe", "RAU"},  {"Backup", "RA"},
        {"Explain", "RAU"},    {"Metrics", "RAU"},   {"Revoke", "RAIQPpV"},
};

static void check_allowed(const Conn *conn)
{
        const char *method = strrchr(conn->method, '.');

        if (conn->kind == PEER_LOGIN) {
                must(conn->person->uid == 0);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++)
                if (strcmp(method + 1, allowed[i].method) == 0)
                        must(strchr(allowed[i].who, conn->person->letter));
}

static bool is_method(const Conn *conn, const char *name)
{
        return strcmp(strrchr(conn->method, '.') + 1, name) == 0;
}

/* --- what was said --- */

/* Who asked for the credential of that id, to see that nobody approves of himself. */
static struct {
        char id[16];
        uid_t uid;
} asked[WORLD_SECRETS];
static size_t n_asked;

static void check_secrets(const World *world, const char *text)
{
        for (size_t i = 0; i < world->n_tokens; i++)
                must(world->token_told[i] || !strstr(text, world_secret(world->tokens[i])));
        for (size_t i = 0; i < world->n_logins; i++)
                must(world->login_told[i] || !strstr(text, strchr(world->logins[i], '-') + 1));
}

static void note_request(const Conn *conn, const char *id)
{
        if (!id || n_asked == ELEMENTSOF(asked))
                return;
        (void)snprintf(asked[n_asked].id, sizeof(asked[n_asked].id), "%s", id);
        asked[n_asked++].uid = conn->person->uid;
}

static void check_approval(const Conn *conn, const char *id)
{
        for (size_t i = 0; id && i < n_asked; i++)
                must(strcmp(asked[i].id, id) != 0 || asked[i].uid != conn->person->uid);
}

static void note_success(const Conn *conn, const json_t *parameters)
{
        const json_t *credential = json_object_get(parameters, "credential");
        const char *id = json_string_value(json_object_get(credential, "id"));

        if (is_method(conn, "Request"))
                note_request(conn, id);
        if (is_method(conn, "Approve"))
                check_approval(conn, id);
}

/* Before what it hands out is known. */
static void on_reply(const World *world, const Conn *conn, const char *text,
                     const VarlinkReply *reply)
{
        check_secrets(world, text);
        if (reply->error || !strrchr(conn->method, '.'))
                return;
        check_allowed(conn);
        note_success(conn, reply->parameters);
}

/* --- what happens --- */

static int64_t number(const char *text)
{
        long long n = strtoll(text, NULL, 10);

        return n > 100000000 ? 100000000 : n < -100000000 ? -100000000 : n;
}

static void start(World *world)
{
        must(world_start(world) == 0);
        world_settle(world);
}

static void toggle_logind(World *world)
{
        world->logind_away = !world->logind_away;
        if (!world->manager)
                return;
        sessions_logind_handlers.on_connected(world->manager, false);
        if (!world->logind_away)
                sessions_logind_handlers.on_connected(world->manager, true);
}

static void reboot(World *world, int64_t seconds)
{
        world_reboot(world);
        world->real_usec += (uint64_t)seconds * USEC_PER_SEC;
        start(world);
}

static void happen_to_process(World *world, const char *text, size_t len)
{
        unsigned n = len > 1 && isdigit((unsigned char)text[1]) ? (unsigned)(text[1] - '0') : 0;

        if (text[0] == 'p')
                world_spawn(world, n, world_person(len > 2 ? text[2] : 'D')->uid);
        if (text[0] == 'x')
                world_die(world, n);
        if (text[0] == 'a')
                world_announce(world, n);
        if (text[0] == 's')
                world->processes[n].stubborn = true;
        world_settle(world);
}

static void happen_to_daemon(World *world, const char *text)
{
        if (text[0] == 'r') {
                world_stop(world);
                start(world);
        }
        if (text[0] == 'R')
                reboot(world, number(text + 1));
        if (text[0] == 't')
                world_pass(world, (uint64_t)llabs(number(text + 1)) * USEC_PER_SEC);
        if (text[0] == 'w')
                world_set_wall(world, number(text + 1) * (int64_t)USEC_PER_SEC);
}

static void happen(World *world, const char *text, size_t len)
{
        world->boot_usec++;
        world->real_usec++;
        switch (text[0]) {
        case 'c':
        case 'C':
                world_call(world, text + 1, len - 1);
                if (text[0] == 'c')
                        world_settle(world);
                break;
        case 'l':
                toggle_logind(world);
                break;
        case 'e':
                world->logind_error = world->logind_error == 0 ? -EACCES : 0;
                break;
        case 'f':
                world->disk_full = !world->disk_full;
                break;
        default:
                happen_to_process(world, text, len);
                happen_to_daemon(world, text);
        }
        must(!world->manager->failed);
}

/* --- the end --- */

/* What is on record of a credential; by its number. */
typedef struct Record {
        int64_t receipts, logins;
} Record;

static void check_event(const World *world, const EventRow *row, Record *records)
{
        check_secrets(world, row->data);
        if (row->credential <= 0 || row->credential >= CREDENTIALS)
                return;
        records[row->credential].receipts += strcmp(row->name, "credential-deprovisioned") == 0;
        records[row->credential].logins += strcmp(row->name, "login-accepted") == 0;
}

static void check_chain(const World *world, Record *records)
{
        uint8_t head[HASH_LEN] = {0};
        Store *store = world->manager->store;
        uint64_t line = 0;
        int64_t seq = 0, bad;

        must(store_check_chain(store, &bad) == 0);
        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};
                uint8_t hash[HASH_LEN];
                int r = store_next_event(store, seq, &row);

                must(r >= 0);
                if (r == 0)
                        break;
                must(row.seq == seq + 1 && row.line_usec >= line);
                store_chain_hash(head, &row, hash);
                must(memcmp(hash, row.hash, HASH_LEN) == 0);
                check_event(world, &row, records);
                memcpy(head, hash, HASH_LEN);
                line = row.line_usec;
                seq = row.seq;
        }
        must(store_newest_event(store) == seq);
}

typedef struct Check {
        World *world;
        const Record *records;
} Check;

static bool check_one(void *userdata, Credential *c)
{
        const Check *check = userdata;
        Manager *manager = check->world->manager;
        const Record *record = &check->records[c->num < CREDENTIALS ? c->num : 0];
        CLEANUP(receipt_done) Receipt receipt = {0};
        uint64_t now = clock_line_usec(&manager->clock);
        CredentialState state = credential_state(c, false, now);
        int r;

        if (c->num >= CREDENTIALS)
                return false;
        must(c->uses_left >= 0 && c->uses_left <= c->uses);
        must(record->logins == c->uses - c->uses_left);
        r = store_find_receipt(manager->store, c->num, &receipt);
        must(r >= 0 && record->receipts == r);
        if (c->login_limit_usec > now && !credential_state_final(state))
                return true; /* its time is still to come */
        must(credential_state_final(state));
        must(!c->has_hash);
        must(c->open_logins == 0);
        must(r == (credential_was_issued(c) ? 1 : 0));
        return true;
}

static void let_all_end(World *world)
{
        world->disk_full = false;
        world->logind_error = 0;
        if (world->logind_away)
                toggle_logind(world);
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                world->processes[i].stubborn = false;
        for (unsigned i = 0; i < 4; i++) {
                world_pass(world, 2 * DAY);
                must(!world->manager->failed);
        }
        world_pass(world, 40 * DAY);
        must(sessions_live(world->manager->sessions) == 0);
}

static void check_all(World *world)
{
        AUTO_FREE Record *records = calloc(CREDENTIALS, sizeof(*records));
        Check check = {world, records};

        must(records);
        let_all_end(world);
        check_chain(world, records);
        must(store_each_credential(world->manager->store, 0, INT64_MAX, check_one, &check) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FuzzInput input = {data, size};
        World world;
        char *text;
        size_t len;

        n_asked = 0;
        world_begin(&world);
        world.on_reply = on_reply;
        start(&world);
        for (unsigned i = 0; i < OPS_MAX && fuzz_text(&input, '\n', &text, &len); i++) {
                if (len > 0)
                        happen(&world, text, len);
                free(text);
        }
        world_settle(&world);
        check_all(&world);
        world_end(&world);
        return 0;
}
