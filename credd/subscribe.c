/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subscriber is a number: the last event that it was given. What comes next is read from the store
 * when its socket has taken what went before, so whoever reads slowly lags and holds one message of
 * bounded size; whoever does not read at all is closed like any peer that leaves a message lying.
 * Invariant: no row leaves before its commit. One page a turn of the loop, in turns, so that no number
 * of subscribers keeps others from the Admin socket. */
#include "credd/subscribe.h"

#include <errno.h>
#include <sys/queue.h>

#include "common/varlink.h"
#include "credd/batch.h"
#include "credd/chain-page.h"

#define ROWS       64
#define REPLY_SIZE ((size_t)32 * 1024)

struct Subscription {
        TAILQ_ENTRY(Subscription) all;
        Subscribers *subscribers;
        Peer *peer;
        int64_t sent;
        bool greeted;   /* the first reply has been made */
        bool under_way; /* and another has not left yet */
};

struct Subscribers {
        Manager *manager;
        sd_event_source *defer;
        TAILQ_HEAD(SubscriptionList, Subscription) list; /* whose turn is the latest, last */
        unsigned n;
};

static bool is_due(const Subscription *one)
{
        return !one->under_way &&
               (!one->greeted || one->sent < store_newest_event(one->subscribers->manager->store));
}

static Subscription *find_due(const Subscribers *subscribers)
{
        Subscription *one;

        TAILQ_FOREACH (one, &subscribers->list, all)
                if (is_due(one))
                        return one;
        return NULL;
}

static char *reply(Subscription *one, json_t *events, bool continues)
{
        json_auto_t *parameters =
                json_pack("{sO sI so}", "events", events, "next", (json_int_t)one->sent, "head",
                          chain_head(one->subscribers->manager));

        return parameters ? varlink_reply_encode(parameters, continues) : NULL;
}

/* Its connection may be gone when this returns, and the subscription with it. */
static void serve(Subscription *one)
{
        const ChainLimit limit = {.rows = ROWS, .size = REPLY_SIZE};
        json_auto_t *events = json_array();
        bool end;
        int r;

        r = chain_page(one->subscribers->manager, &limit, &one->sent, events, &end);
        one->greeted = true;
        one->under_way = true;
        /* Without a text the connection is closed: there is no telling what would be left out. */
        peer_send(one->peer, r < 0 ? NULL : reply(one, events, true));
}

static void wake(Subscribers *subscribers)
{
        (void)sd_event_source_set_enabled(subscribers->defer, SD_EVENT_ONESHOT);
}

static int on_turn(sd_event_source *source, void *userdata)
{
        Subscribers *subscribers = userdata;
        Subscription *one;

        (void)source;
        /* The connection to the store sees its own rows before they are durable. */
        if (batch_commit(subscribers->manager->batch) < 0 || subscribers->manager->failed)
                return 0;
        one = find_due(subscribers);
        if (!one)
                return 0;
        TAILQ_REMOVE(&subscribers->list, one, all);
        TAILQ_INSERT_TAIL(&subscribers->list, one, all);
        wake(subscribers);
        serve(one);
        return 0;
}

int subscribers_new(Manager *manager, Subscribers **ret_subscribers)
{
        Subscribers *subscribers = calloc(1, sizeof(*subscribers));
        int r;

        if (!subscribers)
                return -ENOMEM;
        subscribers->manager = manager;
        TAILQ_INIT(&subscribers->list);
        r = sd_event_add_defer(manager->event, &subscribers->defer, on_turn, subscribers);
        if (r >= 0)
                r = sd_event_source_set_priority(subscribers->defer, PRIORITY_ADMIN);
        if (r >= 0)
                r = sd_event_source_set_enabled(subscribers->defer, SD_EVENT_OFF);
        if (r < 0) {
                (void)subscribers_free(subscribers);
                return r;
        }
        *ret_subscribers = subscribers;
        return 0;
}

Subscribers *subscribers_free(Subscribers *subscribers)
{
        if (!subscribers)
                return NULL;
        (void)sd_event_source_disable_unref(subscribers->defer);
        free(subscribers);
        return NULL;
}

unsigned subscribers_count(const Subscribers *subscribers)
{
        return subscribers->n;
}

void subscribers_kick(Subscribers *subscribers)
{
        if (subscribers && subscribers->n > 0)
                wake(subscribers);
}

int subscribers_add(Subscribers *subscribers, Peer *peer, int64_t after)
{
        Subscription *one = calloc(1, sizeof(*one));

        if (!one)
                return -ENOMEM;
        one->subscribers = subscribers;
        one->peer = peer;
        one->sent = after;
        TAILQ_INSERT_TAIL(&subscribers->list, one, all);
        subscribers->n++;
        peer_follow(peer, one);
        wake(subscribers);
        return 0;
}

void subscription_ready(Subscription *subscription)
{
        subscription->under_way = false;
        if (is_due(subscription))
                wake(subscription->subscribers);
}

char *subscription_last(Subscription *subscription)
{
        json_auto_t *none = json_array();

        return reply(subscription, none, false);
}

Subscription *subscription_free(Subscription *subscription)
{
        if (!subscription)
                return NULL;
        TAILQ_REMOVE(&subscription->subscribers->list, subscription, all);
        subscription->subscribers->n--;
        free(subscription);
        return NULL;
}

/* --- the call --- */

/* The number after which all that was written at that moment or later lies. Halving finds it in a few
 * reads; moments of the wall clock rise with the numbers, except where somebody set it back. */
static int find_since(Manager *manager, uint64_t since_usec, int64_t *ret_after)
{
        uint8_t hash[HASH_LEN];
        int64_t low, high = store_newest_event(manager->store);
        int r;

        r = store_checkpoint(manager->store, &low, hash);
        while (r >= 0 && low < high) {
                CLEANUP(event_row_done) EventRow row = {0};
                int64_t middle = low + (high - low) / 2;

                r = store_next_event(manager->store, middle, &row);
                if (r > 0 && row.real_usec < since_usec)
                        low = row.seq < high ? row.seq : high;
                else
                        high = middle;
        }
        if (r < 0)
                return r;
        *ret_after = low;
        return 0;
}

int verb_subscribe(const Request *request, Answer *answer)
{
        Store *store = request->manager->store;
        int64_t after = -1, since_usec = -1;
        const Parameter parameters[] = {{"after", 'I', &after}, {"since_usec", 'I', &since_usec}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!request->more)
                return answer_refused(answer, VARLINK_EXPECTED_MORE);
        /* A number that is still to come: this is not the record that the caller followed. */
        if (after > store_newest_event(store))
                return answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "after");
        if (after >= 0 && since_usec >= 0)
                return answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "since_usec");
        if (since_usec >= 0)
                r = find_since(request->manager, (uint64_t)since_usec, &after);
        else if (after < 0)
                after = store_newest_event(store);
        answer->follows = r == 0;
        answer->after = after;
        return r;
}
