/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending what was turned away. Invariants: that it is ended is on record before the first signal, or
 * could not be written; the pidfd is held, so that the pid cannot come to mean another process; nobody
 * is given up while something is seen of him. Whom proc_tree() finds is who is meant: see proc.h.
 *
 * A look that finds nobody is not believed at once: who is forked between the look and the signal is seen
 * at the next one only. Left out: a restart of credd forgets them, but the first signals are sent in the
 * turn after the refusal. */
#include "credd/outcast.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/queue.h>

#include "credd/batch.h"
#include "credd/proc.h"
#include "credd/session.h"

#define ROUNDS      16 /* of a look */
#define FIRST_USEC  (20 * USEC_PER_MSEC)
#define AGAIN_USEC  USEC_PER_SEC
#define SETTLE_USEC (500 * USEC_PER_MSEC) /* nobody was seen for so long: they are gone */
#define TIMER_SLACK 1

typedef struct Outcast {
        LIST_ENTRY(Outcast) all;
        Outcasts *outcasts;
        LoginFacts facts; /* texts of its own */
        pid_t leader;
        uint64_t ticks;
        int pidfd;
        char *home; /* the leader's cgroup; NULL: it could not be read */
        sd_event_source *timer;
        uint64_t since_usec, seen_usec, wait_usec; /* on the line; the wait until the next look */
        bool begun, missed;
} Outcast;

struct Outcasts {
        Manager *manager;
        LIST_HEAD(, Outcast) list;
        unsigned n;
};

static void facts_done(LoginFacts *facts)
{
        free((char *)facts->user);
        free((char *)facts->service);
        free((char *)facts->tty);
        free((char *)facts->rhost);
}

static Outcast *outcast_free(Outcast *outcast)
{
        if (!outcast)
                return NULL;
        (void)sd_event_source_disable_unref(outcast->timer);
        facts_done(&outcast->facts);
        free(outcast->home);
        if (outcast->pidfd >= 0)
                (void)close(outcast->pidfd);
        free(outcast);
        return NULL;
}

DEFINE_CLEANUP(Outcast, outcast_free)

static void forget(Outcast *outcast)
{
        LIST_REMOVE(outcast, all);
        outcast->outcasts->n--;
        (void)outcast_free(outcast);
}

static bool leader_lives(const Outcast *outcast)
{
        struct pollfd exited = {.fd = outcast->pidfd, .events = POLLIN};

        return poll(&exited, 1, 0) == 0;
}

/* Sends SIGKILL to all that are seen; how many there were. Negative: it could not be seen. */
static int kill_round(const Outcast *outcast)
{
        Manager *manager = outcast->outcasts->manager;
        const TreeRoot root = {outcast->leader, outcast->ticks, outcast->facts.uid, outcast->home};
        AUTO_FREE size_t *indexes = NULL;
        const ProcTable *table = NULL;
        size_t n = 0;
        int r;

        r = sessions_find_tree(manager->sessions, &root, clock_line_usec(&manager->clock), &table,
                               &indexes, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                (void)proc_kill(table->list[indexes[i]].pid, table->list[indexes[i]].start_ticks);
        return (int)n;
}

/* Round after round, because what is killed last may have forked first. true: somebody was there. */
static bool kill_all(const Outcast *outcast)
{
        int n = kill_round(outcast);
        bool seen = n != 0;

        if (n < 0)
                (void)proc_kill(outcast->leader, outcast->ticks);
        for (unsigned round = 1; round < ROUNDS && n > 0; round++)
                n = kill_round(outcast);
        return seen || leader_lives(outcast);
}

static int write_begun(const Outcast *outcast, uint64_t now_usec)
{
        (void)now_usec;
        return event_login_ended(&outcast->outcasts->manager->events, &outcast->facts,
                                 outcast->leader);
}

static int write_missed(const Outcast *outcast, uint64_t now_usec)
{
        return event_login_lingers(&outcast->outcasts->manager->events, &outcast->facts,
                                   outcast->leader, now_usec - outcast->since_usec);
}

/* Not being able to write must not keep anybody in. */
static void record(const Outcast *outcast, uint64_t now_usec,
                   int (*write)(const Outcast *outcast, uint64_t now_usec))
{
        Batch *batch = outcast->outcasts->manager->batch;

        if (batch_enter(batch) < 0)
                return;
        if (batch_leave(batch, write(outcast, now_usec)) == 0)
                (void)batch_commit(batch);
}

static void look_again(Outcast *outcast)
{
        (void)sd_event_source_set_time_relative(outcast->timer, outcast->wait_usec);
        (void)sd_event_source_set_enabled(outcast->timer, SD_EVENT_ONESHOT);
        outcast->wait_usec =
                outcast->wait_usec < AGAIN_USEC / 2 ? 2 * outcast->wait_usec : AGAIN_USEC;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Outcast *outcast = userdata;
        Manager *manager = outcast->outcasts->manager;
        uint64_t now = clock_line_usec(&manager->clock);

        (void)source;
        (void)usec;
        if (!outcast->begun) {
                outcast->begun = true;
                record(outcast, now, write_begun);
        }
        if (kill_all(outcast))
                outcast->seen_usec = now;
        else if (now - outcast->seen_usec >= SETTLE_USEC) {
                forget(outcast);
                return 0;
        }
        if (!outcast->missed &&
            outcast->seen_usec - outcast->since_usec >= manager->config.verify_timeout_usec) {
                outcast->missed = true;
                record(outcast, now, write_missed);
        }
        look_again(outcast);
        return 0;
}

static int copy(const char *text, const char **ret_text)
{
        *ret_text = text ? strdup(text) : NULL;
        return text && !*ret_text ? -ENOMEM : 0;
}

static int copy_facts(const LoginFacts *facts, LoginFacts *ret_facts)
{
        int r;

        ret_facts->uid = facts->uid;
        r = copy(facts->user, &ret_facts->user);
        if (r == 0)
                r = copy(facts->service, &ret_facts->service);
        if (r == 0)
                r = copy(facts->tty, &ret_facts->tty);
        return r < 0 ? r : copy(facts->rhost, &ret_facts->rhost);
}

static int add_timer(Outcast *outcast)
{
        int r;

        r = sd_event_add_time_relative(outcast->outcasts->manager->event, &outcast->timer,
                                       CLOCK_BOOTTIME, 0, TIMER_SLACK, on_timer, outcast);
        return r < 0 ? r : sd_event_source_set_priority(outcast->timer, PRIORITY_KILL);
}

int outcasts_add(Outcasts *outcasts, const LoginFacts *facts, pid_t pid, uint64_t ticks, int pidfd)
{
        CLEANUP(outcast_freep) Outcast *outcast = NULL;
        uint64_t now = clock_line_usec(&outcasts->manager->clock);
        int r;

        outcast = calloc(1, sizeof(*outcast));
        if (!outcast)
                return -ENOMEM;
        outcast->outcasts = outcasts;
        outcast->leader = pid;
        outcast->ticks = ticks;
        outcast->pidfd = -1;
        outcast->since_usec = outcast->seen_usec = now;
        outcast->wait_usec = FIRST_USEC;
        r = copy_facts(facts, &outcast->facts);
        if (r == 0)
                r = add_timer(outcast);
        if (r < 0)
                return r;
        if (proc_cgroup(pid, &outcast->home) < 0)
                outcast->home = NULL;
        outcast->pidfd = pidfd;
        LIST_INSERT_HEAD(&outcasts->list, outcast, all);
        outcasts->n++;
        outcast = NULL;
        return 0;
}

unsigned outcasts_count(const Outcasts *outcasts)
{
        return outcasts->n;
}

int outcasts_new(Manager *manager, Outcasts **ret_outcasts)
{
        Outcasts *outcasts = calloc(1, sizeof(*outcasts));

        if (!outcasts)
                return -ENOMEM;
        outcasts->manager = manager;
        LIST_INIT(&outcasts->list);
        *ret_outcasts = outcasts;
        return 0;
}

Outcasts *outcasts_free(Outcasts *outcasts)
{
        if (!outcasts)
                return NULL;
        while (!LIST_EMPTY(&outcasts->list))
                forget(LIST_FIRST(&outcasts->list));
        free(outcasts);
        return NULL;
}
