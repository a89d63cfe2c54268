/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store itself: its opening, its transactions, and the chain of events, which every change
 * extends in its own transaction. Invariant: store->now.chain describes the last row of the table
 * "event" as this transaction sees it; a rolled back request takes them back with it. */
#include "credd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "credd/db.h"
#include "credd/digest.h"
#include "credd/schema.h"
#include "credd/statements.h"
#include "credd/store-internal.h"

/* More than anything here is ever counted to, and there is no end of numbers behind it. */
#define COUNT_MAX      (INT64_MAX / 2)
#define APPLICATION_ID 0x63726564 /* "cred" */

static const char *const migrations[] = {schema_sql, schema_2_sql, schema_3_sql, schema_4_sql};
static const char *const statements[] = {
#define X(name, plan, sql) sql,
        STATEMENTS(X)
#undef X
};

const DbSchema store_schema = {APPLICATION_ID, migrations, ELEMENTSOF(migrations), statements,
                               ELEMENTSOF(statements)};

int store_begin(Store *store)
{
        store_look_for_files(store);
        return db_begin(store->db);
}

int store_commit(Store *store)
{
        return db_commit(store->db);
}

int store_savepoint(Store *store)
{
        json_decref(store->saved.roles_off);
        store->saved = store->now;
        json_incref(store->saved.roles_off);
        return db_savepoint(store->db);
}

int store_release(Store *store)
{
        return db_release(store->db);
}

int store_rollback(Store *store)
{
        json_decref(store->now.roles_off);
        store->now = store->saved;
        json_incref(store->now.roles_off);
        return db_rollback_to(store->db);
}

const char *store_error(const Store *store)
{
        return db_error(store->db);
}

Db *store_db(Store *store)
{
        return store->db;
}

const DigestKey *store_key(const Store *store)
{
        return store->key;
}

int64_t store_boot(const Store *store)
{
        return store->boot;
}

bool store_rebooted(const Store *store)
{
        return store->rebooted;
}

int64_t store_newest_event(const Store *store)
{
        return store->now.chain.seq;
}

const char *store_frozen(const Store *store)
{
        return store->now.frozen[0] ? store->now.frozen : NULL;
}

int store_set_frozen(Store *store, const char *why)
{
        int r = db_run(store->db, STATEMENT_INSTANCE_FROZEN, "s", why);

        if (r < 0)
                return r;
        (void)snprintf(store->now.frozen, sizeof(store->now.frozen), "%s", why ?: "");
        return 0;
}

int64_t store_journaled(const Store *store)
{
        return store->now.journaled;
}

int store_set_journaled(Store *store, int64_t seq)
{
        int r = db_run(store->db, STATEMENT_INSTANCE_JOURNALED, "i", seq);

        if (r < 0)
                return r;
        store->now.journaled = seq;
        return 0;
}

/* What the hash of an event covers: the head before it and each column, in this order. */
void store_chain_hash(const uint8_t before[static HASH_LEN], const EventRow *row,
                      uint8_t ret_hash[static HASH_LEN])
{
        uint64_t numbers[] = {htole64((uint64_t)row->seq), htole64(row->line_usec),
                              htole64(row->real_usec), htole64((uint64_t)row->credential)};
        DigestPart parts[] = {{before, HASH_LEN},
                              {numbers, sizeof(numbers)},
                              {row->name, strlen(row->name)},
                              {row->data, strlen(row->data)}};

        digest_parts(parts, ELEMENTSOF(parts), ret_hash);
}

/* The row of a credential's event links to the one before it, which its standing names. */
static int add_event_row(Store *store, const EventRow *row)
{
        int r;

        if (row->credential == 0)
                return row_exactly_one(db_run(store->db, STATEMENT_EVENT_ADD, "ittssb", row->seq,
                                              row->line_usec, row->real_usec, row->name, row->data,
                                              row->hash, (size_t)HASH_LEN));
        r = db_run(store->db, STATEMENT_EVENT_ADD_OF, "ittssbi", row->seq, row->line_usec,
                   row->real_usec, row->name, row->data, row->hash, (size_t)HASH_LEN,
                   row->credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        return row_exactly_one(db_run(store->db, STATEMENT_STANDING_SET_LAST_EVENT, "ii", row->seq,
                                      row->credential));
}

int store_add_event(Store *store, const char *name, int64_t num, const char *data)
{
        EventRow row = {.seq = store->now.chain.seq + 1,
                        .line_usec = clock_line_usec(store->clock),
                        .real_usec = clock_real_usec(store->clock),
                        .credential = num,
                        .name = (char *)name, /* borrowed for the insertion */
                        .data = (char *)data};
        int r;

        store_chain_hash(store->now.chain.head, &row, row.hash);
        r = add_event_row(store, &row);
        if (r < 0)
                return r;
        store->now.chain.seq = row.seq;
        memcpy(store->now.chain.head, row.hash, HASH_LEN);
        return 0;
}

int64_t store_head(const Store *store, uint8_t ret_hash[static HASH_LEN])
{
        memcpy(ret_hash, store->now.chain.head, HASH_LEN);
        return store->now.chain.seq;
}

int store_checkpoint(Store *store, int64_t *ret_seq, uint8_t ret_hash[static HASH_LEN])
{
        const void *hash;
        size_t len;
        int r;

        *ret_seq = 0;
        memset(ret_hash, 0, HASH_LEN);
        r = db_first(store->db, STATEMENT_CHECKPOINT_LAST, "");
        if (r <= 0)
                return r;
        *ret_seq = db_int(store->db, STATEMENT_CHECKPOINT_LAST, 0);
        hash = db_blob(store->db, STATEMENT_CHECKPOINT_LAST, 1, &len);
        if (len == HASH_LEN)
                memcpy(ret_hash, hash, HASH_LEN);
        db_end(store->db, STATEMENT_CHECKPOINT_LAST);
        return len == HASH_LEN ? 0 : -EBADMSG;
}

static int take_event(Store *store, unsigned statement, EventRow *ret)
{
        EventRow row = {0};
        const void *hash;
        size_t len;

        row.seq = db_int(store->db, statement, 0);
        row.line_usec = db_usec(store->db, statement, 1);
        row.real_usec = db_usec(store->db, statement, 2);
        row.name = strdup(db_text(store->db, statement, 3) ?: "");
        row.credential = db_int(store->db, statement, 4);
        row.previous = db_int(store->db, statement, 5);
        row.data = strdup(db_text(store->db, statement, 6) ?: "");
        hash = db_blob(store->db, statement, 7, &len);
        if (len == HASH_LEN)
                memcpy(row.hash, hash, HASH_LEN);
        db_end(store->db, statement);
        if (!row.name || !row.data || len != HASH_LEN) {
                event_row_done(&row);
                return len == HASH_LEN ? -ENOMEM : -EBADMSG;
        }
        *ret = row;
        return 1;
}

int store_read_event(Store *store, int64_t seq, EventRow *ret)
{
        int r = db_first(store->db, STATEMENT_EVENT_READ, "i", seq);

        return r <= 0 ? r : take_event(store, STATEMENT_EVENT_READ, ret);
}

int store_next_event(Store *store, int64_t after, EventRow *ret)
{
        int r = db_first(store->db, STATEMENT_EVENT_AFTER, "i", after);

        return r <= 0 ? r : take_event(store, STATEMENT_EVENT_AFTER, ret);
}

void event_row_done(EventRow *row)
{
        free(row->name);
        free(row->data);
        *row = (EventRow){0};
}

/* The tail of the chain; of the whole chain "credctl verify" is to judge. */
static int read_head(Store *store, ClockMark *mark)
{
        const void *hash;
        bool damaged = false;
        size_t len;
        int r;

        r = db_first(store->db, STATEMENT_EVENT_LAST, "");
        if (r <= 0)
                return r;
        store->now.chain.seq =
                row_number(store->db, STATEMENT_EVENT_LAST, 0, 1, COUNT_MAX, &damaged);
        mark->line_usec = row_usec(store->db, STATEMENT_EVENT_LAST, 1, &damaged);
        mark->real_usec = row_usec(store->db, STATEMENT_EVENT_LAST, 2, &damaged);
        hash = db_blob(store->db, STATEMENT_EVENT_LAST, 3, &len);
        if (len == HASH_LEN)
                memcpy(store->now.chain.head, hash, HASH_LEN);
        db_end(store->db, STATEMENT_EVENT_LAST);
        return len == HASH_LEN && !damaged ? 0 : -EBADMSG;
}

static int first_start(Store *store, const char *boot_id)
{
        uint8_t instance[16];
        int r;

        digest_random(instance, sizeof(instance));
        clock_settle(store->clock, NULL);
        r = db_run(store->db, STATEMENT_INSTANCE_ADD, "bst", instance, sizeof(instance), boot_id,
                   store->clock->offset_usec);
        store->boot = 1;
        return r < 0 ? r : 0;
}

/* One row says which boot was seen last, and how far the queues have been worked off. */
static int read_instance(Store *store, const char *boot_id, ClockMark *ret_mark)
{
        const unsigned s = STATEMENT_INSTANCE_READ;
        const char *last_boot;
        bool damaged = false;
        int r;

        r = db_first(store->db, s, "");
        if (r <= 0)
                return r;
        last_boot = db_text(store->db, s, 1);
        store->boot = row_number(store->db, s, 2, 1, COUNT_MAX, &damaged);
        store->now.journaled = row_number(store->db, s, 4, 0, COUNT_MAX, &damaged);
        store->now.expired.login_limit_usec = row_usec(store->db, s, 5, &damaged);
        store->now.expired.num = row_number(store->db, s, 6, 0, INT64_MAX, &damaged);
        store->now.lapsed = row_number(store->db, s, 7, 0, COUNT_MAX, &damaged);
        /* Negative, if the wall clock was behind the machine. */
        damaged |= !db_is_int(store->db, s, 3);
        (void)snprintf(store->now.frozen, sizeof(store->now.frozen), "%s",
                       db_text(store->db, s, 8) ?: "");
        *ret_mark = (ClockMark){
                .same_boot = last_boot && strcmp(last_boot, boot_id) == 0,
                .offset_usec = (uint64_t)db_int(store->db, s, 3),
                .behind = !db_is_null(store->db, s, 10),
                .line_usec = (uint64_t)db_int(store->db, s, 9),
                .real_usec = (uint64_t)db_int(store->db, s, 10),
        };
        db_end(store->db, s);
        return damaged ? -EBADMSG : 1;
}

int store_note_clock(Store *store)
{
        const Clock *clock = store->clock;
        int r = db_run(store->db, STATEMENT_INSTANCE_CLOCK, "tTT", clock->offset_usec,
                       clock->behind ? clock->mark_line_usec : USEC_INFINITY,
                       clock->behind ? clock->mark_real_usec : USEC_INFINITY);

        return r < 0 ? r : 0;
}

/* A moment that a clock behind it could not reach again is kept until the clock does. */
static void take_mark(const ClockMark *last_event, ClockMark *mark)
{
        if (mark->same_boot && mark->behind)
                return;
        if (mark->behind && mark->real_usec > last_event->real_usec)
                return;
        mark->line_usec = last_event->line_usec;
        mark->real_usec = last_event->real_usec;
}

static int settle(Store *store, const char *boot_id)
{
        ClockMark mark = {0}, last_event = {0};
        int r;

        r = read_instance(store, boot_id, &mark);
        if (r < 0)
                return r;
        if (r == 0)
                return first_start(store, boot_id);
        r = read_head(store, &last_event);
        if (r < 0)
                return r;
        take_mark(&last_event, &mark);
        mark.floor_usec = last_event.line_usec;
        clock_settle(store->clock, &mark);
        store->rebooted = !mark.same_boot;
        if (store->rebooted) {
                store->boot++;
                r = db_run(store->db, STATEMENT_INSTANCE_BOOT, "si", boot_id, store->boot);
        }
        return r < 0 ? r : store_note_clock(store);
}

static int open_db(Store *store, const char *dir)
{
        AUTO_FREE char *path = NULL;

        if (asprintf(&path, "%s/credd.db", dir) < 0)
                return -ENOMEM;
        return db_open(path, &store_schema, &store->db);
}

static int open_key(Store *store, const char *dir)
{
        bool fresh;
        int r;

        store->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->dir_fd < 0)
                return -errno;
        /* SQLite's own lock is on a file that may be moved away under a daemon that runs. */
        if (flock(store->dir_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        fresh = !store_has_file(store, "credd.db", 1);
        r = fresh ? store_begin_anew(store) : 0;
        return r < 0 ? r : digest_key_load(store->dir_fd, fresh, &store->key);
}

static int open_and_settle(Store *store, const char *dir, const char *boot_id)
{
        int r;

        r = open_db(store, dir);
        if (r == 0)
                r = db_begin(store->db);
        if (r == 0)
                r = settle(store, boot_id);
        if (r == 0)
                r = store_load_roles_off(store);
        return r < 0 ? r : db_commit(store->db);
}

int store_open(const char *dir, const char *boot_id, Clock *clock, Store **ret_store)
{
        CLEANUP(store_closep) Store *store = NULL;
        int r;

        store = calloc(1, sizeof(*store));
        if (!store)
                return -ENOMEM;
        store->clock = clock;
        store->dir_fd = -1;
        store->dir = strdup(dir);
        if (!store->dir)
                return -ENOMEM;
        r = open_key(store, dir);
        if (r < 0)
                return r;
        store_look_for_room(store);
        r = open_and_settle(store, dir, boot_id);
        if (r == 0)
                r = store_note_files(store);
        if (r < 0)
                return r;
        (void)unlinkat(store->dir_fd, STORE_FIRST_START, 0);
        *ret_store = take_ptr(store);
        return 0;
}

Store *store_close(Store *store)
{
        if (!store)
                return NULL;
        (void)db_close(store->db);
        (void)digest_key_free(store->key);
        json_decref(store->now.roles_off);
        json_decref(store->saved.roles_off);
        if (store->dir_fd >= 0)
                (void)close(store->dir_fd);
        free(store->dir);
        free(store);
        return NULL;
}
