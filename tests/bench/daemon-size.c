/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What many live credentials cost: the start, the memory, the disk.
 *
 * daemon-size CREDD [ROUNDS [FEW MANY]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/bench/fill.h"
#include "tests/bench/rig.h"

#define ROUNDS_MAX 64
#define LONG_USEC  UINT64_C(36000000000)
#define LOGINS     2000
#define FURTHER    20000
#define DISK       50000

static double size_of(const char *folder)
{
        char path[RIG_PATH_MAX + 16];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/credd.db", folder);
        if (stat(path, &st) < 0)
                die("there is no %s", path);
        return (double)st.st_size;
}

/* Events as a login writes them, in the order of the credentials. */
static void add_events(const char *folder)
{
        static const char data[] =
                "{\"user\":\"person123\",\"uid\":\"200123\",\"service\":\"sshd\",\"tty\":\"ssh\","
                "\"rhost\":\"192.0.2.7\",\"pid\":\"12345\"}";
        Clock clock;
        Store *store = fill_open(folder, &clock);

        if (store_begin(store) < 0)
                die("cannot begin");
        for (int64_t i = 1; i <= FURTHER; i++)
                if (store_add_event(store, "login-accepted", i, data) < 0)
                        die("cannot add an event");
        fill_commit(store);
        (void)store_close(store);
        report("disk_event_fields", sizeof(data) - 1, "bytes");
}

static void measure_disk(void)
{
        char folder[RIG_PATH_MAX];
        double empty, filled;

        (void)fill_store(rig_folder("disk", folder), &(Fill){.count = 0});
        empty = size_of(folder);
        (void)fill_store(folder, &(Fill){.count = DISK, .ttl_usec = LONG_USEC});
        filled = size_of(folder);
        report("disk_credential", (filled - empty) / DISK, "bytes");
        add_events(folder);
        report("disk_event", (size_of(folder) - filled) / FURTHER, "bytes");
}

/* Up to its readiness; the second value is its memory after some logins. */
static double start(const char *program, const char *folder, uint64_t all, uint64_t from,
                    double *ret_memory)
{
        Server server = credd_start(program, folder);
        const FlightPlan plan = {.at_once = 16, .calls = LOGINS, .first = from, .among = all};

        (void)fly(&server, &plan);
        *ret_memory = (double)process_use(server.pid).rss_bytes;
        server_stop(&server);
        return server.ready_msec;
}

int main(int argc, char *argv[])
{
        size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 7;
        uint64_t few = argc > 4 ? strtoull(argv[3], NULL, 10) : 1000;
        uint64_t many = argc > 4 ? strtoull(argv[4], NULL, 10) : 1000000;
        double ready[2][ROUNDS_MAX], memory[2][ROUNDS_MAX], ratios[ROUNDS_MAX];
        char folders[2][RIG_PATH_MAX];

        if (argc < 2 || rounds == 0 || rounds > ROUNDS_MAX)
                die("usage: daemon-size CREDD [ROUNDS [FEW MANY]]");
        rig_init();
        measure_disk();
        few += rounds * LOGINS;
        (void)fill_store(rig_folder("few", folders[0]),
                         &(Fill){.count = few, .ttl_usec = LONG_USEC});
        (void)fill_store(rig_folder("many", folders[1]),
                         &(Fill){.count = many, .ttl_usec = LONG_USEC});
        for (size_t i = 0; i < rounds; i++) {
                ready[0][i] = start(argv[1], folders[0], few, i * LOGINS, &memory[0][i]);
                ready[1][i] = start(argv[1], folders[1], many, i * LOGINS, &memory[1][i]);
                ratios[i] = ready[1][i] / ready[0][i];
        }
        report("start_few", median(ready[0], rounds), "ms");
        report("start_many", median(ready[1], rounds), "ms");
        report("start_many_of_few", median(ratios, rounds), "ratio");
        report("memory_few", median(memory[0], rounds) / 1048576, "MiB");
        report("memory_many", median(memory[1], rounds) / 1048576, "MiB");
        report("memory_many_more",
               (median(memory[1], rounds) - median(memory[0], rounds)) / 1048576, "MiB");
        return 0;
}
