/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Once for each minute in which something happened, and at the stop. An idle daemon does not wake. */
#include "credd/audit-head.h"

#include <errno.h>
#include <sys/stat.h>

#include "credd/batch.h"
#include "credd/digest.h"

#define EVERY_USEC (60 * USEC_PER_SEC)
#define SLACK_USEC USEC_PER_SEC

struct AuditHead {
        Manager *manager;
        sd_event_source *timer;
        int64_t stated; /* the last event that is a head itself; nothing has happened after it */
};

/* What timesyncd touches each time that it sets the clock, which is twice an hour at least; after so long
 * without, the kernel would call the clock's error too large. */
#define TIMESYNC_FILE "/run/systemd/timesync/synchronized"
#define TIMESYNC_USEC (9 * 3600 * USEC_PER_SEC)

/* An auditor's question: could the moments in these rows be trusted? The kernel is not asked: the unit's
 * filter of system calls has no part of adjtimex(), be it to read alone. */
static const char *clock_words(const Manager *manager)
{
        struct stat touched;
        uint64_t at_usec;

        if (stat(TIMESYNC_FILE, &touched) < 0)
                return "unknown";
        at_usec = (uint64_t)touched.st_mtime * USEC_PER_SEC;
        return clock_real_usec(&manager->clock) < at_usec + TIMESYNC_USEC ? "synchronized"
                                                                          : "not synchronized";
}

void audit_head_state(AuditHead *head)
{
        Manager *manager = head->manager;
        uint8_t hash[HASH_LEN];
        char text[HEX_LEN(HASH_LEN)];
        int64_t seq;

        seq = store_head(manager->store, hash);
        if (seq == head->stated || batch_enter(manager->batch) < 0)
                return;
        digest_hex(hash, HASH_LEN, text);
        if (batch_leave(manager->batch,
                        event_audit_head(&manager->events, seq, text, clock_words(manager))) < 0)
                return;
        head->stated = store_newest_event(manager->store);
        (void)batch_commit(manager->batch);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)source;
        (void)usec;
        audit_head_state(userdata);
        return 0;
}

void audit_head_changed(AuditHead *head)
{
        int enabled = SD_EVENT_OFF;

        if (!head || store_newest_event(head->manager->store) == head->stated)
                return;
        if (sd_event_source_get_enabled(head->timer, &enabled) < 0 || enabled != SD_EVENT_OFF)
                return;
        (void)sd_event_source_set_time_relative(head->timer, EVERY_USEC);
        (void)sd_event_source_set_enabled(head->timer, SD_EVENT_ONESHOT);
}

int audit_head_new(Manager *manager, AuditHead **ret_head)
{
        AuditHead *head = calloc(1, sizeof(*head));
        int r;

        if (!head)
                return -ENOMEM;
        head->manager = manager;
        r = sd_event_add_time_relative(manager->event, &head->timer, CLOCK_BOOTTIME, EVERY_USEC,
                                       SLACK_USEC, on_timer, head);
        if (r >= 0)
                r = sd_event_source_set_priority(head->timer, PRIORITY_JOURNAL);
        if (r < 0) {
                (void)audit_head_free(head);
                return r;
        }
        *ret_head = head;
        return 0;
}

AuditHead *audit_head_free(AuditHead *head)
{
        if (!head)
                return NULL;
        (void)sd_event_source_disable_unref(head->timer);
        free(head);
        return NULL;
}
