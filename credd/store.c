/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store itself: its opening, its transactions, and the chain of events, which every change
 * extends in its own transaction. Invariant: (next_seq, head) describe the last row of the table
 * "event" as this transaction sees it; a rolled back request takes them back with it. */
#include "credd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "credd/db.h"
#include "credd/digest.h"
#include "credd/schema.h"
#include "credd/statements.h"
#include "credd/store-internal.h"

#define APPLICATION_ID 0x63726564 /* "cred" */

static const char *const migrations[] = {schema_sql};
static const char *const statements[] = {
#define X(name, plan, sql) sql,
        STATEMENTS(X)
#undef X
};

int store_begin(Store *store)
{
        return db_begin(store->db);
}

int store_commit(Store *store)
{
        return db_commit(store->db);
}

int store_savepoint(Store *store)
{
        store->saved = store->chain;
        return db_savepoint(store->db);
}

int store_release(Store *store)
{
        return db_release(store->db);
}

int store_rollback(Store *store)
{
        store->chain = store->saved;
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

int64_t store_newest_event(const Store *store)
{
        return store->chain.seq;
}

int64_t store_journaled(const Store *store)
{
        return store->journaled;
}

int store_set_journaled(Store *store, int64_t seq)
{
        int r = db_run(store->db, STATEMENT_INSTANCE_JOURNALED, "i", seq);

        if (r < 0)
                return r;
        store->journaled = seq;
        return 0;
}

/* What the hash of an event covers: the head before it and each column, in this order. */
static void chain_hash(const StoreChain *before, int64_t seq, uint64_t line_usec,
                       uint64_t real_usec, const char *name, int64_t credential, const char *data,
                       uint8_t ret_hash[static HASH_LEN])
{
        uint64_t numbers[] = {htole64((uint64_t)seq), htole64(line_usec), htole64(real_usec),
                              htole64((uint64_t)credential)};
        DigestPart parts[] = {{before->head, HASH_LEN},
                              {numbers, sizeof(numbers)},
                              {name, strlen(name)},
                              {data, strlen(data)}};

        digest_parts(parts, ELEMENTSOF(parts), ret_hash);
}

static int last_event_of(Store *store, int64_t num, int64_t *ret_seq)
{
        int r = db_first(store->db, STATEMENT_STANDING_LAST_EVENT, "i", num);

        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        *ret_seq = db_int(store->db, STATEMENT_STANDING_LAST_EVENT, 0);
        db_end(store->db, STATEMENT_STANDING_LAST_EVENT);
        return 0;
}

int store_add_event(Store *store, const char *name, int64_t num, const char *data)
{
        StoreChain next = {.seq = store->chain.seq + 1};
        uint64_t line = clock_line_usec(store->clock), real = clock_real_usec(store->clock);
        int64_t previous = 0;
        int r;

        if (num > 0) {
                r = last_event_of(store, num, &previous);
                if (r < 0)
                        return r;
        }
        chain_hash(&store->chain, next.seq, line, real, name, num, data, next.head);
        r = db_run(store->db, STATEMENT_EVENT_ADD, "ittsiisb", next.seq, line, real, name, num,
                   previous, data, next.head, (size_t)HASH_LEN);
        if (r < 0)
                return r;
        if (num > 0) {
                r = db_run(store->db, STATEMENT_STANDING_SET_LAST_EVENT, "ii", next.seq, num);
                if (r < 0)
                        return r;
        }
        store->chain = next;
        return 0;
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
        int r = db_first(store->db, STATEMENT_EVENT_AFTER, "ii", after, INT64_C(1));

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
        size_t len;
        int r;

        r = db_first(store->db, STATEMENT_EVENT_LAST, "");
        if (r <= 0)
                return r;
        store->chain.seq = db_int(store->db, STATEMENT_EVENT_LAST, 0);
        mark->line_usec = db_usec(store->db, STATEMENT_EVENT_LAST, 1);
        mark->real_usec = db_usec(store->db, STATEMENT_EVENT_LAST, 2);
        hash = db_blob(store->db, STATEMENT_EVENT_LAST, 3, &len);
        if (len == HASH_LEN)
                memcpy(store->chain.head, hash, HASH_LEN);
        db_end(store->db, STATEMENT_EVENT_LAST);
        return len == HASH_LEN ? 0 : -EBADMSG;
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
        int r;

        r = db_first(store->db, s, "");
        if (r <= 0)
                return r;
        last_boot = db_text(store->db, s, 1);
        ret_mark->same_boot = last_boot && strcmp(last_boot, boot_id) == 0;
        store->boot = db_int(store->db, s, 2);
        ret_mark->offset_usec = (uint64_t)db_int(store->db, s, 3);
        store->journaled = db_int(store->db, s, 4);
        store->expired.login_limit_usec = db_usec(store->db, s, 5);
        store->expired.num = db_int(store->db, s, 6);
        store->lapsed = db_int(store->db, s, 7);
        db_end(store->db, s);
        return 1;
}

static int settle(Store *store, const char *boot_id)
{
        ClockMark mark = {0};
        int r;

        r = read_instance(store, boot_id, &mark);
        if (r < 0)
                return r;
        if (r == 0)
                return first_start(store, boot_id);
        r = read_head(store, &mark);
        if (r < 0)
                return r;
        clock_settle(store->clock, &mark);
        if (mark.same_boot)
                return 0;
        store->boot++;
        r = db_run(store->db, STATEMENT_INSTANCE_BOOT, "sit", boot_id, store->boot,
                   store->clock->offset_usec);
        return r < 0 ? r : 0;
}

static int open_files(Store *store, const char *dir)
{
        const DbSchema schema = {APPLICATION_ID, migrations, ELEMENTSOF(migrations), statements,
                                 ELEMENTSOF(statements)};
        AUTO_FREE char *path = NULL;
        AUTO_CLOSE int dir_fd = -1;
        struct stat st;
        bool fresh;
        int r;

        dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        fresh = fstatat(dir_fd, "credd.db", &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
        r = digest_key_load(dir_fd, fresh, &store->key);
        if (r < 0)
                return r;
        if (asprintf(&path, "%s/credd.db", dir) < 0)
                return -ENOMEM;
        return db_open(path, &schema, &store->db);
}

int store_open(const char *dir, const char *boot_id, Clock *clock, Store **ret_store)
{
        CLEANUP(store_closep) Store *store = NULL;
        int r;

        store = calloc(1, sizeof(*store));
        if (!store)
                return -ENOMEM;
        store->clock = clock;
        r = open_files(store, dir);
        if (r == 0)
                r = db_begin(store->db);
        if (r == 0)
                r = settle(store, boot_id);
        if (r == 0)
                r = db_commit(store->db);
        if (r < 0)
                return r;
        *ret_store = take_ptr(store);
        return 0;
}

Store *store_close(Store *store)
{
        if (!store)
                return NULL;
        (void)db_close(store->db);
        (void)digest_key_free(store->key);
        free(store);
        return NULL;
}
