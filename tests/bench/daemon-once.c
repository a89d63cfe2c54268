/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One flight of logins, for whoever looks at the daemon meanwhile: PROGRAM may be a script that runs
 * credd under strace, perf or callgrind.
 *
 * daemon-once PROGRAM [LIVE [CALLS [AT_ONCE [refused]]]] */
#include <stdlib.h>

#include "tests/bench/fill.h"
#include "tests/bench/rig.h"

#define LONG_USEC UINT64_C(36000000000)

int main(int argc, char *argv[])
{
        uint64_t live = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000;
        FlightPlan plan = {.calls = argc > 3 ? (unsigned)atoi(argv[3]) : 6400,
                           .at_once = argc > 4 ? (unsigned)atoi(argv[4]) : 64,
                           .refused = argc > 5};
        char folder[RIG_PATH_MAX];
        Server server;
        Flight flight;

        if (argc < 2)
                die("usage: daemon-once PROGRAM [LIVE [CALLS [AT_ONCE [refused]]]]");
        rig_init();
        (void)fill_store(rig_folder("once", folder),
                         &(Fill){.count = live + plan.calls, .ttl_usec = LONG_USEC});
        plan.among = live + plan.calls;
        server = credd_start(argv[1], folder);
        flight = fly(&server, &plan);
        report("once_accepted", flight.accepted, "logins");
        report("once_rate", flight.rate, "logins/s");
        report("once_p50", flight.p50_usec, "us");
        report("once_cpu", flight.cpu_usec, "us/login");
        server_stop(&server);
        return 0;
}
