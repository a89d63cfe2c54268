/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is logged in is what logind has announced, and who they are is what the kernel says of a process
 * in the session's scope: no name is looked up here. Invariants: memory is bounded, what does not fit
 * is not told; the words of others come last in a line, quoted, behind their author's name. */
#include "credd/notices.h"

#include <errno.h>
#include <stdio.h>

#include "credd/batch.h"
#include "credd/caller.h"
#include "credd/cgroup.h"
#include "credd/proc.h"
#include "credd/session.h"
#include "credd/terminal.h"

#define KEPT_MAX      64
#define LINE_LEN      480
#define TEXT_LEN      200
#define ASKERS_MAX    256
#define TERMINALS_MAX 64
#define HOUR_USEC     (3600 * USEC_PER_SEC)

/* Whom one is for. */
typedef enum Audience { AUDIENCE_ADMINS, AUDIENCE_APPROVERS, AUDIENCE_PERSON } Audience;

typedef struct Notice {
        Audience audience;
        char role[ROLE_NAME_MAX + 1];
        uid_t uid; /* the person; of approvers, who is none of them */
        char line[LINE_LEN];
} Notice;

struct Notices {
        Manager *manager;
        sd_event_source *defer;
        Notice kept[KEPT_MAX];
        size_t n;
        NoticeCount askers[ASKERS_MAX];
};

/* --- words --- */

const char *notice_quote(const Actor *author, const char *text,
                         char ret_text[static NOTICE_QUOTE_MAX])
{
        char name[USER_NAME_LEN_MAX + 16];
        int at;

        (void)snprintf(name, sizeof(name), author->name[0] ? "%s (uid %u)" : "%suid %u",
                       author->name, author->uid);
        at = snprintf(ret_text, NOTICE_QUOTE_MAX, "%s", name);
        if (!text)
                return ret_text;
        at += snprintf(ret_text + at, NOTICE_QUOTE_MAX - (size_t)at, " says: \"");
        for (size_t i = 0; text[i] && i < TEXT_LEN && at < NOTICE_QUOTE_MAX - 2; i++)
                ret_text[at++] = text[i] < 0x20 || text[i] > 0x7e ? '?'
                                 : text[i] == '"'                 ? '\''
                                                                  : text[i];
        (void)snprintf(ret_text + at, NOTICE_QUOTE_MAX - (size_t)at, "\"");
        return ret_text;
}

/* --- how often --- */

static bool is_idle(const NoticeCount *count, uint64_t now_usec)
{
        for (size_t i = 0; i < NOTICES_AN_HOUR; i++)
                if (count->at_usec[i] != 0 && now_usec - count->at_usec[i] < HOUR_USEC)
                        return false;
        return true;
}

static bool take_turn(NoticeCount *count, uint64_t now_usec)
{
        for (size_t i = 0; i < NOTICES_AN_HOUR; i++)
                if (count->at_usec[i] == 0 || now_usec - count->at_usec[i] >= HOUR_USEC) {
                        count->at_usec[i] = now_usec;
                        return true;
                }
        return false;
}

bool notice_count(NoticeCount *table, size_t n, uid_t uid, bool to_asker, uint64_t now_usec)
{
        NoticeCount *idle = NULL;

        for (size_t i = 0; i < n; i++) {
                if (is_idle(&table[i], now_usec)) {
                        idle = &table[i];
                        continue;
                }
                if (table[i].uid == uid && table[i].to_asker == to_asker)
                        return take_turn(&table[i], now_usec);
        }
        if (!idle)
                return false;
        *idle = (NoticeCount){.uid = uid, .to_asker = to_asker};
        return take_turn(idle, now_usec);
}

/* --- to whom --- */

typedef struct Telling {
        Manager *manager;
        bool (*who)(const Caller *caller, const void *userdata);
        const void *userdata;
        const char *line;
        dev_t told[TERMINALS_MAX];
        size_t n_told;
} Telling;

static bool was_told(const Telling *telling, dev_t tty)
{
        for (size_t i = 0; i < telling->n_told; i++)
                if (telling->told[i] == tty)
                        return true;
        return false;
}

static void tell_process(Telling *telling, pid_t pid, uid_t uid)
{
        CLEANUP(caller_done) CallerHeld held = {0};
        ProcInfo info;

        if (proc_read(pid, &info) < 0 || info.uid != uid || info.tty == 0 || info.dead ||
            was_told(telling, info.tty))
                return;
        if (caller_of_process(telling->manager, pid, uid, &held) < 0 ||
            !telling->who(&held.caller, telling->userdata))
                return;
        telling->told[telling->n_told++] = info.tty;
        terminal_write(info.tty, uid, telling->line);
}

static bool tell_session(void *userdata, const char *id, uid_t uid)
{
        Telling *telling = userdata;
        AUTO_FREE pid_t *pids = NULL;
        char path[SCOPE_PATH_MAX];
        size_t n = 0;

        if (!announced_scope_path(uid, id, path) || cgroup_pids(path, &pids, &n) < 0)
                return true;
        for (size_t i = 0; i < n && telling->n_told < TERMINALS_MAX; i++)
                tell_process(telling, pids[i], uid);
        return telling->n_told < TERMINALS_MAX;
}

/* One line to each terminal of each session whose person is one of these. Now: commits first. */
static void tell(Manager *manager, bool (*who)(const Caller *caller, const void *userdata),
                 const void *userdata, const char *line)
{
        Telling telling = {manager, who, userdata, line, {0}, 0};

        if (batch_commit(manager->batch) == 0)
                announced_each_person(sessions_announced(manager->sessions), tell_session,
                                      &telling);
}

static bool is_admin(const Caller *caller, const void *userdata)
{
        (void)userdata;
        return caller->admin;
}

static bool is_person(const Caller *caller, const void *userdata)
{
        const Notice *notice = userdata;

        return caller->uid == notice->uid;
}

typedef struct Approvers {
        const Role *role;
        uid_t asker;
} Approvers;

static bool is_approver(const Caller *caller, const void *userdata)
{
        const Approvers *approvers = userdata;

        return caller->uid != approvers->asker &&
               principals_have(&approvers->role->approvers, caller);
}

static void give(Manager *manager, const Notice *notice)
{
        const Approvers approvers = {roles_find(manager->roles, notice->role), notice->uid};

        switch (notice->audience) {
        case AUDIENCE_ADMINS:
                tell(manager, is_admin, NULL, notice->line);
                return;
        case AUDIENCE_APPROVERS:
                if (approvers.role)
                        tell(manager, is_approver, &approvers, notice->line);
                return;
        case AUDIENCE_PERSON:
                tell(manager, is_person, notice, notice->line);
                return;
        }
}

/* --- keeping them until the commit --- */

static int on_defer(sd_event_source *source, void *userdata)
{
        Notices *notices = userdata;

        (void)source;
        for (size_t i = 0; i < notices->n; i++)
                give(notices->manager, &notices->kept[i]);
        notices->n = 0;
        return 0;
}

/* NULL: there is no room. */
static Notice *keep(Manager *manager, Audience audience)
{
        Notices *notices = manager->notices;
        Notice *notice;

        if (notices->n == KEPT_MAX)
                return NULL;
        notice = &notices->kept[notices->n++];
        *notice = (Notice){.audience = audience, .uid = UID_NONE};
        (void)sd_event_source_set_enabled(notices->defer, SD_EVENT_ONESHOT);
        return notice;
}

static bool within_limit(Manager *manager, uid_t uid, bool to_asker)
{
        return notice_count(manager->notices->askers, ASKERS_MAX, uid, to_asker,
                            clock_line_usec(&manager->clock));
}

void notices_to_admins(Manager *manager, const char *line)
{
        Notice *notice = keep(manager, AUDIENCE_ADMINS);

        if (notice)
                (void)snprintf(notice->line, sizeof(notice->line), "%s", line);
}

void notices_to_approvers(Manager *manager, const Credential *c)
{
        char words[NOTICE_QUOTE_MAX];
        Notice *notice;

        if (!within_limit(manager, c->issuer.uid, false))
                return;
        notice = keep(manager, AUDIENCE_APPROVERS);
        if (!notice)
                return;
        notice->uid = c->issuer.uid;
        (void)snprintf(notice->role, sizeof(notice->role), "%s", c->role);
        (void)snprintf(notice->line, sizeof(notice->line),
                       "credd: %s is asked for, to log in as %s under the role %s: credctl "
                       "approve %s or credctl deny %s. %s",
                       c->id, c->user, c->role, c->id, c->id,
                       notice_quote(&c->issuer, c->reason, words));
}

void notices_to_asker(Manager *manager, const Credential *c, const char *what)
{
        Notice *notice;

        if (!within_limit(manager, c->issuer.uid, true))
                return;
        notice = keep(manager, AUDIENCE_PERSON);
        if (!notice)
                return;
        notice->uid = c->issuer.uid;
        (void)snprintf(notice->line, sizeof(notice->line), "credd: %s, which you asked for, %s",
                       c->id, what);
}

int notices_new(Manager *manager, Notices **ret_notices)
{
        CLEANUP(notices_freep) Notices *notices = calloc(1, sizeof(*notices));
        int r;

        if (!notices)
                return -ENOMEM;
        notices->manager = manager;
        r = sd_event_add_defer(manager->event, &notices->defer, on_defer, notices);
        if (r >= 0)
                r = sd_event_source_set_priority(notices->defer, PRIORITY_SETTLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(notices->defer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret_notices = take_ptr(notices);
        return 0;
}

Notices *notices_free(Notices *notices)
{
        if (!notices)
                return NULL;
        (void)sd_event_source_disable_unref(notices->defer);
        free(notices);
        return NULL;
}
