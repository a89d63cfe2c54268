/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures for a monitoring system. What a call costs does not grow with the number of credentials that
 * ever were: counters are kept in memory from the start on, and what is counted at the call is what is
 * still to come, up to a limit beyond which it is left out. Names and kinds are OpenMetrics'; the text
 * is credctl's to write. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "credd/describe.h"
#include "credd/outbox.h"
#include "credd/session.h"
#include "credd/subscribe.h"
#include "credd/verbs.h"

#define AHEAD_MAX 10000

typedef struct Samples {
        json_t *families, *samples; /* samples: of the family that was begun last; borrowed */
        bool failed;
} Samples;

static void begin(Samples *samples, const char *name, const char *type, const char *unit,
                  const char *help)
{
        json_t *family = json_pack("{ss ss ss* ss s[]}", "name", name, "type", type, "unit", unit,
                                   "help", help, "samples");

        samples->samples = json_object_get(family, "samples");
        if (!family || json_array_append_new(samples->families, family) < 0)
                samples->failed = true;
}

/* suffix: of the name; label NULL: none */
static void add(Samples *samples, const char *suffix, const char *label, const char *value,
                double number)
{
        json_t *sample =
                label ? json_pack("{ss s{ss} sf}", "suffix", suffix, "labels", label, value,
                                  "value", number)
                      : json_pack("{ss s{} sf}", "suffix", suffix, "labels", "value", number);

        if (!sample || samples->failed || json_array_append_new(samples->samples, sample) < 0)
                samples->failed = true;
}

static void gauge(Samples *samples, const char *name, const char *unit, const char *help,
                  double number)
{
        begin(samples, name, "gauge", unit, help);
        add(samples, "", NULL, NULL, number);
}

static void counter(Samples *samples, const char *name, const char *help, uint64_t number)
{
        begin(samples, name, "counter", NULL, help);
        add(samples, "_total", NULL, NULL, (double)number);
}

static void histogram(Samples *samples, const Tally *tally, TallyScale scale)
{
        const Histogram *one = &tally->histograms[scale];
        size_t n;
        const double *bounds = tally_bounds(scale, &n);
        uint64_t below = 0;

        for (size_t i = 0; i <= n; i++) {
                char le[32];

                below += one->counts[i];
                /* OpenMetrics wants a bound to look like the float it is. */
                (void)snprintf(le, sizeof(le), "%g", i < n ? bounds[i] : 0);
                if (i < n && bounds[i] == (double)(long)bounds[i])
                        (void)snprintf(le, sizeof(le), "%.1f", bounds[i]);
                add(samples, "_bucket", "le", i < n ? le : "+Inf", (double)below);
        }
        add(samples, "_sum", NULL, NULL, one->sum);
        add(samples, "_count", NULL, NULL, (double)below);
}

static void add_daemon(Samples *samples, Manager *manager)
{
        uint64_t up = clock_boot_usec(&manager->clock) - manager->started_boot_usec;

        begin(samples, "credd_build_info", "gauge", NULL, "1, with the version as a label.");
        add(samples, "", "version", CREDD_VERSION, 1);
        gauge(samples, "credd_start_time_seconds", "seconds",
              "When credd started, in seconds since 1970. Counters begin there.",
              (double)manager->started_real_usec / (double)USEC_PER_SEC);
        gauge(samples, "credd_uptime_seconds", "seconds", "For how long credd has been running.",
              (double)up / (double)USEC_PER_SEC);
        gauge(samples, "credd_frozen", NULL, "1 while no login with a token is possible.",
              store_frozen(manager->store) != NULL);
        gauge(samples, "credd_subscribers", NULL, "Connections that follow the events.",
              subscribers_count(manager->subscribers));
}

static void add_logins(Samples *samples, const Counters *counters)
{
        counter(samples, "credd_logins_asked", "Logins that were asked for, since the start.",
                counters->logins_asked);
        counter(samples, "credd_logins_accepted", "Logins that were accepted, since the start.",
                counters->logins_accepted);
        begin(samples, "credd_logins_refused", "counter", NULL,
              "Refusals on the way of a login, since the start, by reason as in login-refused.");
        for (int i = REFUSAL_NONE + 1; i < REFUSAL_MAX; i++)
                add(samples, "_total", "reason", refusal_to_string((Refusal)i),
                    (double)counters->refused_by[i]);
}

static void add_ends(Samples *samples, Manager *manager)
{
        const Tally *tally = &manager->tally;

        gauge(samples, "credd_sessions_live", NULL,
              "Sessions that credentials opened and that are not verified gone.",
              sessions_live(manager->sessions));
        gauge(samples, "credd_sessions_overdue", NULL,
              "Of these, those that are past their deadline.", sessions_overdue(manager->sessions));
        begin(samples, "credd_receipts", "counter", NULL,
              "Receipts written since the start, by verdict.");
        for (int i = 0; i < TALLY_VERDICT_MAX; i++)
                add(samples, "_total", "verdict", tally_verdict_to_string((TallyVerdict)i),
                    (double)tally->verdicts[i]);
        begin(samples, "credd_receipt_lateness_seconds", "histogram", "seconds",
              "How long after its deadline the worst session of a credential was gone, by receipt, "
              "since the start.");
        histogram(samples, tally, TALLY_LATENESS);
        begin(samples, "credd_wakeup_lateness_seconds", "histogram", "seconds",
              "How long after the moment for which its timer was set credd came to what expires, "
              "since the start.");
        histogram(samples, tally, TALLY_WAKEUP);
}

typedef struct States {
        Manager *manager;
        uint64_t counts[STATE_MAX];
        int error;
} States;

static void note_state(void *userdata, int64_t num)
{
        States *states = userdata;
        AUTO_CREDENTIAL Credential credential = {0};
        int r = store_read_credential(states->manager->store, num, &credential);

        if (r > 0)
                states->counts[describe_state(states->manager, &credential)]++;
        else
                states->error = r < 0 ? r : -ENOENT;
}

/* What is neither open to logins nor has a live session is final. */
static int add_credentials(Samples *samples, Manager *manager)
{
        uint64_t ahead[STATE_MAX] = {0};
        States live = {.manager = manager};
        int r;

        begin(samples, "credd_credentials", "gauge", NULL,
              "Credentials that are not over, by state; those that are suspended count as active. "
              "active and pending are left out while more than 10000 login limits lie ahead.");
        sessions_each_credential(manager->sessions, note_state, &live);
        if (live.error < 0)
                return live.error;
        add(samples, "", "state", "in-use", (double)live.counts[STATE_IN_USE]);
        add(samples, "", "state", "ending", (double)live.counts[STATE_ENDING]);
        r = store_count_ahead(manager->store, clock_line_usec(&manager->clock), AHEAD_MAX, ahead);
        if (r <= 0)
                return r;
        add(samples, "", "state", "active", (double)ahead[STATE_ACTIVE]);
        add(samples, "", "state", "pending", (double)ahead[STATE_PENDING]);
        return 0;
}

static void add_file(Samples *samples, const Manager *manager, const char *name, const char *label)
{
        AUTO_FREE char *path = NULL;
        struct stat file;

        if (asprintf(&path, "%s/%s", manager->paths.state, name) < 0) {
                path = NULL;
                samples->failed = true;
        } else if (stat(path, &file) == 0)
                add(samples, "", "file", label, (double)file.st_size);
}

static void add_record(Samples *samples, Manager *manager)
{
        store_look_for_files(manager->store);
        gauge(samples, "credd_event_sequence", NULL, "The number of the newest event.",
              (double)store_newest_event(manager->store));
        gauge(samples, "credd_journal_behind", NULL, "Events that journald has not taken yet.",
              (double)outbox_behind(manager->outbox));
        begin(samples, "credd_store_size_bytes", "gauge", "bytes", "Sizes of the store's files.");
        add_file(samples, manager, "credd.db", "database");
        add_file(samples, manager, "credd.db-wal", "log");
        gauge(samples, "credd_store_full", NULL, "1 while nothing new is begun for want of room.",
              store_full(manager->store));
        gauge(samples, "credd_store_unsound", NULL,
              "1 while nothing new is begun because the store is damaged, or its files are gone.",
              store_trouble(manager->store) != STORE_SOUND);
        begin(samples, "credd_batch_requests", "histogram", NULL,
              "Requests that shared one commit, since the start.");
        histogram(samples, &manager->tally, TALLY_BATCH);
        begin(samples, "credd_events", "counter", NULL, "Events since the start, by name.");
        for (int i = 0; i < EVENT_MAX; i++)
                add(samples, "_total", "event", event_name((EventKind)i),
                    (double)manager->tally.events[i]);
}

int verb_metrics(const Request *request, Answer *answer)
{
        json_auto_t *families = json_array();
        Samples samples = {.families = families};
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        add_daemon(&samples, request->manager);
        r = add_credentials(&samples, request->manager);
        if (r < 0)
                return r;
        add_logins(&samples, &request->manager->counters);
        add_ends(&samples, request->manager);
        add_record(&samples, request->manager);
        answer->parameters = samples.failed ? NULL : json_pack("{sO}", "families", families);
        return answer->parameters ? 0 : -ENOMEM;
}
