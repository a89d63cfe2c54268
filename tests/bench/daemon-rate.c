/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logins a second through the Login socket, 64 in flight and one alone, with a few live credentials and
 * with many; beside them, in turns, what bounds them: commits of raw SQLite, and an echo.
 *
 * daemon-rate CREDD CREDD-OF-BATCH-ONE [ROUNDS [FEW MANY]] */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/fill.h"
#include "tests/bench/raw.h"
#include "tests/bench/rig.h"

#define ROUNDS_MAX 64
#define LONG_USEC  UINT64_C(36000000000) /* ten hours: nothing expires meanwhile */

#define FLIGHT  64
#define CALLS   6400
#define ALONE   1000
#define AT_ONE  1600
#define COMMITS 100

typedef enum Series {
        RAW_64,
        RAW_1,
        ECHO,
        ECHO_ALONE,
        FEW_64,
        FEW_ALONE,
        ONE_64,
        MANY_64,
        MANY_ALONE,
        FEW_CPU,
        MANY_CPU,
        FEW_P50,
        ECHO_P50,
        MANY_P50,
        SERIES_MAX
} Series;

typedef struct Site {
        const char *name;
        char folder[RIG_PATH_MAX];
        Server server;
        uint64_t next, all; /* tokens that were used; tokens */
} Site;

typedef struct Run {
        double values[SERIES_MAX][ROUNDS_MAX];
        size_t rounds;
        double worst_few_64, worst_many_64, worst_few_alone, worst_echo;
} Run;

static Flight logins(Site *site, unsigned at_once, unsigned calls)
{
        const FlightPlan plan = {
                .at_once = at_once, .calls = calls, .first = site->next, .among = site->all};
        Flight flight = fly(&site->server, &plan);

        site->next += calls;
        if (flight.accepted != calls)
                die("%s: %u of %u logins were accepted", site->name, flight.accepted, calls);
        return flight;
}

static void worst(double *max, const Flight *flight)
{
        if (flight->max_usec > *max)
                *max = flight->max_usec;
}

static void site_fill(Site *site, const char *name, uint64_t live, uint64_t spent)
{
        const Fill fill = {.count = live + spent, .ttl_usec = LONG_USEC};

        site->name = name;
        site->all = live + spent;
        (void)rig_folder(name, site->folder);
        (void)fill_store(site->folder, &fill);
}

static void round_of(Run *run, size_t at, Raw *raw, Server *echo, Site *few, Site *many, Site *one)
{
        Flight flight;

        run->values[RAW_64][at] = raw_commit(raw, COMMITS, 64);
        run->values[RAW_1][at] = 1e6 / raw_commit(raw, COMMITS, 1);
        flight = fly(echo, &(FlightPlan){.at_once = FLIGHT, .calls = CALLS});
        run->values[ECHO][at] = flight.rate;
        worst(&run->worst_echo, &flight);
        flight = fly(echo, &(FlightPlan){.at_once = 1, .calls = ALONE});
        run->values[ECHO_P50][at] = flight.p50_usec;
        flight = logins(few, FLIGHT, CALLS);
        run->values[FEW_64][at] = flight.rate;
        run->values[FEW_CPU][at] = flight.cpu_usec;
        worst(&run->worst_few_64, &flight);
        flight = logins(many, FLIGHT, CALLS);
        run->values[MANY_64][at] = flight.rate;
        run->values[MANY_CPU][at] = flight.cpu_usec;
        worst(&run->worst_many_64, &flight);
        flight = logins(one, FLIGHT, AT_ONE);
        run->values[ONE_64][at] = flight.rate;
        flight = logins(few, 1, ALONE);
        run->values[FEW_P50][at] = flight.p50_usec;
        worst(&run->worst_few_alone, &flight);
        flight = logins(many, 1, ALONE);
        run->values[MANY_P50][at] = flight.p50_usec;
}

static double ratio(const Run *run, Series above, Series below)
{
        double quotients[ROUNDS_MAX];

        for (size_t i = 0; i < run->rounds; i++)
                quotients[i] = run->values[above][i] / run->values[below][i];
        return median(quotients, run->rounds);
}

static double ratio_to_least(const Run *run)
{
        double quotients[ROUNDS_MAX];

        for (size_t i = 0; i < run->rounds; i++) {
                double disk = run->values[RAW_64][i], echo = run->values[ECHO][i];

                quotients[i] = run->values[FEW_64][i] / (disk < echo ? disk : echo);
        }
        return median(quotients, run->rounds);
}

static double middle(const Run *run, Series series)
{
        double values[ROUNDS_MAX];

        for (size_t i = 0; i < run->rounds; i++)
                values[i] = run->values[series][i];
        return median(values, run->rounds);
}

static void report_all(const Run *run, uint64_t few, uint64_t many)
{
        report("daemon_few", (double)few, "credentials");
        report("daemon_many", (double)many, "credentials");
        report("raw_sqlite_64", middle(run, RAW_64), "rows/s");
        report("raw_sqlite_1", middle(run, RAW_1), "us/commit");
        report("echo_64", middle(run, ECHO), "calls/s");
        report("echo_alone_p50", middle(run, ECHO_P50), "us");
        report("daemon_64", middle(run, FEW_64), "logins/s");
        report("daemon_64_cpu", middle(run, FEW_CPU), "us/login");
        report("daemon_64_of_least", ratio_to_least(run), "ratio");
        report("daemon_64_batch_one", middle(run, ONE_64), "logins/s");
        report("daemon_64_of_batch_one", ratio(run, FEW_64, ONE_64), "ratio");
        report("daemon_alone_p50", middle(run, FEW_P50), "us");
        report("daemon_many_64", middle(run, MANY_64), "logins/s");
        report("daemon_many_64_cpu", middle(run, MANY_CPU), "us/login");
        report("daemon_many_alone_p50", middle(run, MANY_P50), "us");
        report("daemon_many_rate_of_few", ratio(run, MANY_64, FEW_64), "ratio");
        report("daemon_many_p50_of_few", ratio(run, MANY_P50, FEW_P50), "ratio");
        report("daemon_max_alone", run->worst_few_alone / 1000, "ms");
        report("daemon_max_64", run->worst_few_64 / 1000, "ms");
        report("daemon_max_many_64", run->worst_many_64 / 1000, "ms");
        report("echo_max_64", run->worst_echo / 1000, "ms");
}

int main(int argc, char *argv[])
{
        Site few = {0}, many = {0}, one = {0};
        Run run = {.rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 8};
        uint64_t n_few = argc > 5 ? strtoull(argv[4], NULL, 10) : 1000;
        uint64_t n_many = argc > 5 ? strtoull(argv[5], NULL, 10) : 1000000;
        char folder[RIG_PATH_MAX];
        Server echo;
        Raw *raw;

        if (argc < 3 || run.rounds == 0 || run.rounds > ROUNDS_MAX)
                die("usage: daemon-rate CREDD CREDD-OF-BATCH-ONE [ROUNDS [FEW MANY]]");
        rig_init();
        site_fill(&few, "few", n_few, run.rounds * (CALLS + ALONE));
        site_fill(&one, "one", n_few, run.rounds * AT_ONE);
        site_fill(&many, "many", n_many, 0);
        raw = raw_open(rig_folder("raw", folder));
        echo = echo_start(folder);
        few.server = credd_start(argv[1], few.folder);
        one.server = credd_start(argv[2], one.folder);
        many.server = credd_start(argv[1], many.folder);
        for (size_t i = 0; i < run.rounds; i++)
                round_of(&run, i, raw, &echo, &few, &many, &one);
        report_all(&run, n_few, n_many);
        (void)raw_close(raw);
        server_stop(&few.server);
        server_stop(&one.server);
        server_stop(&many.server);
        server_stop(&echo);
        return 0;
}
