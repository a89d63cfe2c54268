/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials that expire: one after the other while nobody asks for anything, and very many at one instant
 * while people log in.
 *
 * daemon-expiry CREDD [MANY [ROUNDS]] */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/client.h"
#include "tests/bench/fill.h"
#include "tests/bench/raw.h"
#include "tests/bench/rig.h"

#define LONG_USEC UINT64_C(36000000000)
#define IDLE      200
#define IDLE_STEP UINT64_C(50000)
#define IDLE_FROM UINT64_C(3000000)
#define FLIGHT    100
#define ASK_EVERY                                                                                  \
        5 /* flights: who counts what is still ahead takes some milliseconds of those who wait */
#define LOGINS      100000 /* tokens for those who log in meanwhile */
#define FLIGHTS     (LOGINS / FLIGHT)
#define ROUNDS_MAX  8 /* each has a folder */
#define RAW_COMMITS 20
#define CALL        "{\"method\":\"io.credd.Admin.Metrics\"}"

static double boot_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_BOOTTIME, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void sleep_until(double usec)
{
        double left = usec - boot_usec();

        if (left > 0)
                (void)usleep((useconds_t)left);
}

/* --- alone --- */

static double late_usec(Store *store, const EventRow *row)
{
        AUTO_CREDENTIAL Credential credential = {0};

        if (store_read_credential(store, row->credential, &credential) != 1)
                die("an event of no credential");
        return (double)(row->line_usec - credential.login_limit_usec);
}

static void measure_idle(const char *program)
{
        char folder[RIG_PATH_MAX];
        double late[IDLE];
        size_t n = 0;
        Clock clock;
        Store *store;
        Server server;
        double end;

        end = (double)fill_store(
                rig_folder("idle", folder),
                &(Fill){.count = IDLE, .ttl_usec = IDLE_FROM, .step_usec = IDLE_STEP});
        server = credd_start(program, folder);
        sleep_until(end + (double)(IDLE * IDLE_STEP) + 1e6);
        server_stop(&server);
        store = fill_open(folder, &clock);
        for (int64_t seq = 0; n < IDLE;) {
                CLEANUP(event_row_done) EventRow row = {0};

                if (store_next_event(store, seq, &row) != 1)
                        die("%zu of %d have expired", n, IDLE);
                seq = row.seq;
                if (strcmp(row.name, "credential-expired") == 0)
                        late[n++] = late_usec(store, &row);
        }
        (void)store_close(store);
        report("expiry_idle_late_p50", percentile(late, n, 0.5) / 1000, "ms");
        report("expiry_idle_late_p99", percentile(late, n, 0.99) / 1000, "ms");
}

/* --- at one instant --- */

static uint64_t find_expired(const json_t *reply)
{
        json_t *families = json_object_get(json_object_get(reply, "parameters"), "families");
        json_t *family, *sample;
        size_t i, j;

        json_array_foreach (families, i, family)
                json_array_foreach (json_object_get(family, "samples"), j, sample) {
                        json_t *labels = json_object_get(sample, "labels");
                        const char *event = json_string_value(json_object_get(labels, "event"));

                        if (event && strcmp(event, "credential-expired") == 0)
                                return (uint64_t)json_number_value(
                                        json_object_get(sample, "value"));
                }
        return 0;
}

static uint64_t count_expired(const Server *server)
{
        Frame frame;
        json_t *reply = NULL;
        char *text = NULL;
        uint64_t count;
        size_t len;
        int r;

        frame_init(&frame, 1024 * 1024);
        r = client_call(server->admin, CALL, sizeof(CALL) - 1, client_deadline_usec(60000000),
                        &frame, &text, &len);
        if (r == 0)
                reply = json_loadb(text, len, 0, NULL);
        if (!reply)
                die("no answer to Metrics: %s", strerror(-r));
        count = find_expired(reply);
        json_decref(reply);
        frame_done(&frame);
        return count;
}

/* What one instant showed. */
typedef struct Instant {
        double rate, of_raw, raw, login_p50, login_p99, login_max;
        size_t logins;
} Instant;

static void log_in_meanwhile(Server *server, uint64_t many, Instant *ret)
{
        static double p99[FLIGHTS], p50[FLIGHTS];
        FlightPlan plan = {.at_once = 1, .calls = FLIGHT, .first = many, .among = 0};
        Instant instant = {0};
        size_t flights = 0;

        while (flights < FLIGHTS && (flights % ASK_EVERY != 0 || count_expired(server) < many)) {
                Flight flight = fly(server, &plan);

                plan.first += FLIGHT;
                p50[flights] = flight.p50_usec;
                p99[flights++] = flight.p99_usec;
                if (flight.max_usec > instant.login_max)
                        instant.login_max = flight.max_usec;
        }
        instant.logins = flights * FLIGHT;
        instant.login_p50 = median(p50, flights);
        instant.login_p99 = median(p99, flights);
        *ret = instant;
}

static Instant one_instant(const char *program, Raw *raw, uint64_t many)
{
        char folder[RIG_PATH_MAX];
        double before, begun;
        Instant instant;
        Server server;

        before = raw_commit(raw, RAW_COMMITS, 512);
        (void)fill_store(rig_folder("many", folder),
                         &(Fill){.first = many, .count = LOGINS, .ttl_usec = LONG_USEC});
        begun = (double)fill_store(
                folder, &(Fill){.count = many, .ttl_usec = many * 200 + UINT64_C(3000000)});
        server = credd_start(program, folder);
        sleep_until(begun);
        log_in_meanwhile(&server, many, &instant);
        instant.rate = (double)many / ((boot_usec() - begun) / 1e6);
        server_stop(&server);
        instant.raw = (before + raw_commit(raw, RAW_COMMITS, 512)) / 2;
        instant.of_raw = instant.rate / instant.raw;
        return instant;
}

static double middle(const Instant *instants, size_t n, size_t member)
{
        double values[ROUNDS_MAX];

        for (size_t i = 0; i < n; i++)
                values[i] = *(const double *)(const void *)((const char *)&instants[i] + member);
        return median(values, n);
}

static void measure_many(const char *program, uint64_t many, size_t rounds)
{
        Instant instants[ROUNDS_MAX];
        char folder[RIG_PATH_MAX];
        double worst = 0;
        Raw *raw = raw_open(rig_folder("raw", folder));

        for (size_t i = 0; i < rounds; i++) {
                instants[i] = one_instant(program, raw, many);
                if (instants[i].login_max > worst)
                        worst = instants[i].login_max;
        }
        (void)raw_close(raw);
        report("expiry_many_rate", middle(instants, rounds, offsetof(Instant, rate)),
               "credentials/s");
        report("raw_sqlite_512", middle(instants, rounds, offsetof(Instant, raw)), "rows/s");
        report("expiry_many_of_raw", middle(instants, rounds, offsetof(Instant, of_raw)), "ratio");
        report("expiry_many_logins", (double)instants[0].logins, "logins");
        report("expiry_many_login_p50",
               middle(instants, rounds, offsetof(Instant, login_p50)) / 1000, "ms");
        report("expiry_many_login_p99",
               middle(instants, rounds, offsetof(Instant, login_p99)) / 1000, "ms");
        report("expiry_many_login_max", worst / 1000, "ms");
}

int main(int argc, char *argv[])
{
        uint64_t many = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
        size_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 5;

        if (argc < 2 || many == 0 || rounds == 0 || rounds > ROUNDS_MAX)
                die("usage: daemon-expiry CREDD [MANY [ROUNDS]]");
        rig_init();
        if (!getenv("SKIP"))
                measure_idle(argv[1]);
        measure_many(argv[1], many, rounds);
        return 0;
}
