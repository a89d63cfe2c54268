/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal is the second witness, not the record: a row that journald does not take now waits in
 * the store, where it stands anyway, and nothing waits for it. */
#include "credd/outbox.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "credd/digest.h"
#include "credd/journal.h"

#define SLICE      16 /* rows a turn of the loop: a login waits no longer than for them */
#define NOTE_EVERY 64
#define RETRY_USEC (50 * USEC_PER_MSEC)
/* After a slice of which some went: journald is there, and its queue is short. */
#define SOON_USEC     (2 * USEC_PER_MSEC)
#define ACCURACY_USEC USEC_PER_MSEC /* 0 would be a quarter of a second */
#define FIELDS_MAX    48
#define NAME_LEN_MAX  40
#define LONG_FIELD    1024
/* What journald took is on the disk after 5 minutes (SyncIntervalSec=, journald.conf(5)), if nobody says
 * otherwise; before that a power cut takes it back. */
#define UNWRITTEN_USEC (600 * USEC_PER_SEC)

struct Outbox {
        Manager *manager;
        Journal *journal;
        sd_event_source *defer, *retry;
        int64_t sent; /* the last row that journald took */
};

typedef struct Entry {
        JournalField fields[FIELDS_MAX];
        size_t n;
        char names[FIELDS_MAX][NAME_LEN_MAX];
        char seq[24], hash[HEX_LEN(HASH_LEN)], priority[4];
} Entry;

static void add_field(Entry *entry, const char *name, const char *value)
{
        if (entry->n < FIELDS_MAX)
                entry->fields[entry->n++] = (JournalField){name, value};
}

static const char *journal_name(Entry *entry, const char *field)
{
        static const char prefix[] = "CREDD_";
        char *name = entry->names[entry->n];
        size_t len = strlen(prefix);

        memcpy(name, prefix, len);
        for (; *field && len < NAME_LEN_MAX - 1; field++)
                name[len++] = (char)toupper((unsigned char)*field);
        name[len] = '\0';
        return name;
}

static int send_row(Outbox *outbox, const EventRow *row, const char *id)
{
        json_auto_t *data = json_loads(row->data, JSON_REJECT_DUPLICATES, NULL);
        EventKind kind = event_kind_from_string(row->name);
        AUTO_FREE char *message = NULL;
        Entry entry;
        const char *field;
        json_t *value;
        int r;

        entry.n = 0; /* the rest is written as it is used */
        /* A row that this version cannot read is for "credctl verify" to name, not for us to hide.
         */
        if (kind == EVENT_MAX || !data)
                return 0;
        message = event_message(kind, id, data);
        if (!message)
                return -ENOMEM;
        (void)snprintf(entry.seq, sizeof(entry.seq), "%" PRId64, row->seq);
        (void)snprintf(entry.priority, sizeof(entry.priority), "%d", event_priority(kind));
        digest_hex(row->hash, HASH_LEN, entry.hash);
        add_field(&entry, "MESSAGE", message);
        add_field(&entry, "MESSAGE_ID", event_message_id(kind));
        add_field(&entry, "PRIORITY", entry.priority);
        add_field(&entry, "SYSLOG_IDENTIFIER", "credd");
        add_field(&entry, "CREDD_EVENT", row->name);
        add_field(&entry, "CREDD_SEQ", entry.seq);
        add_field(&entry, "CREDD_HASH", entry.hash);
        add_field(&entry, "CREDD_CREDENTIAL", id);
        json_object_foreach (data, field, value) {
                if (entry.n < FIELDS_MAX)
                        add_field(&entry, journal_name(&entry, field), json_string_value(value));
        }
        r = journal_send(outbox->journal, entry.fields, entry.n);
        if (r != -EMSGSIZE)
                return r;
        /* The entry comes whatever happens; what was too long for it stands in the store. */
        for (size_t i = 0; i < entry.n; i++)
                if (entry.fields[i].value && strlen(entry.fields[i].value) > LONG_FIELD)
                        entry.fields[i].value = "too long for the journal: credctl show";
        return journal_send(outbox->journal, entry.fields, entry.n);
}

/* 1: one was sent; 0: there is none; negative: not now. */
static int send_next(Outbox *outbox)
{
        CLEANUP(event_row_done) EventRow row = {0};
        char id[TOKEN_ID_LEN + 1] = "";
        int r;

        r = store_next_event(outbox->manager->store, outbox->sent, &row);
        if (r <= 0)
                return r;
        if (row.credential > 0)
                r = store_read_id(outbox->manager->store, row.credential, id);
        if (r < 0)
                return r;
        r = send_row(outbox, &row, row.credential > 0 ? id : NULL);
        if (r < 0 && r != -EMSGSIZE)
                return r;
        outbox->sent = row.seq;
        return 1;
}

static void send_slice(Outbox *outbox)
{
        int64_t before = outbox->sent;
        int r = 1;

        for (unsigned i = 0; i < SLICE && r > 0; i++)
                r = send_next(outbox);
        if (r > 0)
                (void)sd_event_source_set_enabled(outbox->defer, SD_EVENT_ONESHOT);
        if (r < 0) {
                (void)sd_event_source_set_time_relative(
                        outbox->retry, outbox->sent > before ? SOON_USEC : RETRY_USEC);
                (void)sd_event_source_set_enabled(outbox->retry, SD_EVENT_ONESHOT);
        }
}

static int on_defer(sd_event_source *source, void *userdata)
{
        (void)source;
        send_slice(userdata);
        return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        send_slice(userdata);
        return 0;
}

static int add_sources(Outbox *outbox, sd_event *event)
{
        int r;

        r = sd_event_add_defer(event, &outbox->defer, on_defer, outbox);
        if (r >= 0)
                r = sd_event_source_set_priority(outbox->defer, PRIORITY_JOURNAL);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &outbox->retry, CLOCK_MONOTONIC, 0,
                                               ACCURACY_USEC, on_retry, outbox);
        if (r >= 0)
                r = sd_event_source_set_priority(outbox->retry, PRIORITY_JOURNAL);
        if (r >= 0)
                r = sd_event_source_set_enabled(outbox->retry, SD_EVENT_OFF);
        return r;
}

/* journald is stopped after us, and then writes all it has. The head of the chain may come behind. */
static bool stopped_in_order(Store *store)
{
        int64_t newest = store_newest_event(store);

        for (int64_t seq = newest; seq > 0 && seq > newest - 2; seq--) {
                CLEANUP(event_row_done) EventRow row = {0};

                if (store_read_event(store, seq, &row) > 0 &&
                    event_kind_from_string(row.name) == EVENT_DAEMON_STOPPED)
                        return true;
        }
        return false;
}

/* *sent becomes the last row that journald had written for sure when the newest one came. */
static int take_back(Store *store, int64_t *sent)
{
        CLEANUP(event_row_done) EventRow newest = {0};
        int64_t low = 0, high = *sent;
        int r = store_read_event(store, store_newest_event(store), &newest);

        while (r > 0 && low < high) {
                CLEANUP(event_row_done) EventRow row = {0};
                int64_t middle = low + (high - low) / 2;

                r = store_next_event(store, middle, &row);
                if (r > 0 && row.line_usec + UNWRITTEN_USEC < newest.line_usec)
                        low = row.seq < high ? row.seq : high;
                else
                        high = middle;
        }
        if (r > 0)
                *sent = low;
        return r;
}

int outbox_new(Manager *manager, const char *journal_socket, Outbox **ret_outbox)
{
        Outbox *outbox;
        int r;

        outbox = calloc(1, sizeof(*outbox));
        if (!outbox)
                return -ENOMEM;
        outbox->manager = manager;
        outbox->sent = store_journaled(manager->store);
        /* A row that cannot be read is for others to name. */
        if (store_rebooted(manager->store) && !stopped_in_order(manager->store))
                (void)take_back(manager->store, &outbox->sent);
        r = journal_new(journal_socket ?: JOURNAL_SOCKET, &outbox->journal);
        if (r >= 0)
                r = add_sources(outbox, manager->event);
        if (r < 0) {
                (void)outbox_free(outbox);
                return r;
        }
        *ret_outbox = outbox;
        return 0;
}

Outbox *outbox_free(Outbox *outbox)
{
        if (!outbox)
                return NULL;
        (void)sd_event_source_disable_unref(outbox->defer);
        (void)sd_event_source_disable_unref(outbox->retry);
        (void)journal_free(outbox->journal);
        free(outbox);
        return NULL;
}

void outbox_kick(Outbox *outbox)
{
        (void)sd_event_source_set_enabled(outbox->defer, SD_EVENT_ONESHOT);
}

int outbox_note(Outbox *outbox)
{
        if (outbox->sent - store_journaled(outbox->manager->store) < NOTE_EVERY)
                return 0;
        return store_set_journaled(outbox->manager->store, outbox->sent);
}

void outbox_drain(Outbox *outbox)
{
        while (send_next(outbox) > 0)
                ;
        if (store_begin(outbox->manager->store) < 0)
                return;
        (void)store_set_journaled(outbox->manager->store, outbox->sent);
        (void)store_commit(outbox->manager->store);
}

int64_t outbox_behind(const Outbox *outbox)
{
        return store_newest_event(outbox->manager->store) - outbox->sent;
}
