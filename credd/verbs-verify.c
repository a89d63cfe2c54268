/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chain of events, for who checks it: the rows with their hashes, and whether each follows from the
 * one before it. In slices, because others wait for this loop. What was cut off at the end is not to
 * be seen from here alone: the journal, which has seen it, tells. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "credd/chain-page.h"
#include "credd/digest.h"
#include "credd/outbox.h"
#include "credd/verbs.h"

#define PAGE_SIZE ((size_t)256 * 1024) /* of rows; a reply has room for several times that */
#define SLICE     2000
#define PROBLEMS  100 /* then the next call goes on */

int verb_events(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        json_auto_t *events = json_array();
        int64_t after = 0;
        const Parameter parameters[] = {{"after", 'I', &after}};
        const ChainLimit limit = {.rows = PAGE, .size = PAGE_SIZE};
        bool end = false;
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = chain_page(manager, &limit, &after, events, &end);
        if (r < 0)
                return r;
        answer->parameters = json_pack(
                "{sO so so sI}", "events", events, "next",
                end ? json_null() : json_integer((json_int_t)after), "head", chain_head(manager),
                "journaled",
                (json_int_t)(store_newest_event(manager->store) - outbox_behind(manager->outbox)));
        return answer->parameters ? 0 : -ENOMEM;
}

/* --- Verify --- */

typedef struct Check {
        int64_t seq; /* the last row that was seen, and its hash */
        uint8_t hash[HASH_LEN];
        bool known; /* the hash is that row's: what follows can be judged by it */
        int64_t checked;
        json_t *problems;
} Check;

__attribute__((format(printf, 3, 4))) static void problem(Check *check, int64_t seq,
                                                          const char *format, ...)
{
        char text[128];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void)json_array_append_new(check->problems,
                                    json_pack("{sI ss}", "seq", (json_int_t)seq, "what", text));
}

static void check_row(Check *check, const EventRow *row)
{
        uint8_t hash[HASH_LEN];

        if (row->seq != check->seq + 1) {
                problem(check, check->seq + 1,
                        row->seq == check->seq + 2 ? "this event is missing"
                                                   : "events are missing up to %" PRId64,
                        row->seq - 1);
                check->known = false;
        }
        store_chain_hash(check->hash, row, hash);
        if (check->known && !digest_equal(hash, row->hash))
                problem(check, row->seq, "this event was changed after it was written: %s",
                        row->name);
        memcpy(check->hash, row->hash, HASH_LEN);
        check->seq = row->seq;
        check->known = true;
        check->checked++;
}

/* Where the check goes on from: a row that a call before this one has judged, or what was pruned. */
static int find_start(Manager *manager, int64_t after, Check *check)
{
        CLEANUP(event_row_done) EventRow row = {0};
        int r;

        check->seq = after;
        if (after == 0)
                return store_checkpoint(manager->store, &check->seq, check->hash);
        r = store_read_event(manager->store, after, &row);
        if (r > 0)
                memcpy(check->hash, row.hash, HASH_LEN);
        check->known = r > 0;
        return r < 0 ? r : 0;
}

static int check_slice(Manager *manager, Check *check, bool *ret_end)
{
        int r = 1;

        for (unsigned i = 0; i < SLICE && r > 0 && json_array_size(check->problems) < PROBLEMS;
             i++) {
                CLEANUP(event_row_done) EventRow row = {0};

                r = store_next_event(manager->store, check->seq, &row);
                if (r > 0)
                        check_row(check, &row);
        }
        *ret_end = r == 0;
        return r < 0 ? r : 0;
}

int verb_verify(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        json_auto_t *problems = json_array();
        Check check = {.known = true, .problems = problems};
        int64_t after = 0;
        const Parameter parameters[] = {{"after", 'I', &after}};
        bool end = false;
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = find_start(manager, after, &check);
        if (r == 0)
                r = check_slice(manager, &check, &end);
        if (r < 0)
                return r;
        if (end && check.seq != store_newest_event(manager->store))
                problem(&check, check.seq + 1, "events are missing up to %" PRId64,
                        store_newest_event(manager->store));
        answer->parameters = json_pack("{sI so sO so}", "checked", (json_int_t)check.checked,
                                       "next", end ? json_null() : json_integer(check.seq),
                                       "problems", problems, "head", chain_head(manager));
        return answer->parameters ? 0 : -ENOMEM;
}
