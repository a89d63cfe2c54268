/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Once for each minute in which something happened, and at the stop. An idle daemon does not wake. */
#include "credd/audit-head.h"

#include <errno.h>
#include <sys/timex.h>

#include "credd/batch.h"
#include "credd/digest.h"

#define EVERY_USEC (60 * USEC_PER_SEC)
#define SLACK_USEC USEC_PER_SEC

struct AuditHead {
        Manager *manager;
        sd_event_source *timer;
        int64_t stated; /* the last event that is a head itself; nothing has happened after it */
};

/* An auditor's question: could the moments in these rows be trusted? */
static bool clock_synchronized(void)
{
        struct timex clock = {0};

        return adjtimex(&clock) != TIME_ERROR;
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
                        event_audit_head(&manager->events, seq, text, clock_synchronized())) < 0)
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
