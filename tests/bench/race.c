/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One secret of one use, offered by many processes at the same moment, and beside it good secrets of
 * others.
 *
 *     race NAME FOLDER SECRETS SKIP ROUNDS PROCESSES [shared|own]
 *
 * shared: in each round all processes but the last offer the same line, and the last one a line of its
 * own. How many came in by the same one must be one, and the one of its own must come in. own: each
 * offers a line of its own, all good. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/pam.h"

typedef struct Race {
        const char *name;
        const char *folder;
        Answers answers;
        size_t skip, rounds, processes;
        bool shared_line;
} Race;

typedef struct Result {
        pthread_barrier_t barrier;
        unsigned accepted, own_refused;
        unsigned none, more; /* rounds in which nobody came in by the shared line, or several */
        unsigned in_round;
} Result;

static size_t lines_a_round(const Race *race)
{
        return race->shared_line ? 2 : race->processes;
}

static const Answer *line_of(const Race *race, size_t round, size_t process, bool *ret_own)
{
        size_t first = race->skip + round * lines_a_round(race);

        *ret_own = !race->shared_line || process == race->processes - 1;
        if (race->shared_line)
                return &race->answers.list[first + (*ret_own ? 1 : 0)];
        return &race->answers.list[first + process];
}

static void count_round(Result *result)
{
        unsigned n = __atomic_exchange_n(&result->in_round, 0, __ATOMIC_SEQ_CST);

        result->accepted += n;
        result->none += n == 0;
        result->more += n > 1;
}

static void run(const Race *race, Result *result, size_t process)
{
        for (size_t round = 0; round < race->rounds; round++) {
                bool own, in;
                const Answer *line = line_of(race, round, process, &own);

                (void)pthread_barrier_wait(&result->barrier);
                in = pam_login(race->folder, line);
                if (own && !in)
                        (void)__atomic_add_fetch(&result->own_refused, 1, __ATOMIC_SEQ_CST);
                else if (!own && in)
                        (void)__atomic_add_fetch(&result->in_round, 1, __ATOMIC_SEQ_CST);
                (void)pthread_barrier_wait(&result->barrier);
                if (process == 0 && race->shared_line)
                        count_round(result);
        }
}

static Result *make_result(size_t processes)
{
        Result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pthread_barrierattr_t attributes;

        if (result == MAP_FAILED || pthread_barrierattr_init(&attributes) != 0 ||
            pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) != 0 ||
            pthread_barrier_init(&result->barrier, &attributes, (unsigned)processes) != 0)
                bench_die("no memory for the race");
        return result;
}

static void report(const Race *race, const Result *result)
{
        bench_emit(race->name, "rounds", (double)race->rounds, "rounds");
        if (race->shared_line) {
                bench_emit(race->name, "accepted", result->accepted, "logins");
                bench_emit(race->name, "none", result->none, "rounds");
                bench_emit(race->name, "more", result->more, "rounds");
        }
        bench_emit(race->name, "false-refusals", result->own_refused, "logins");
}

int main(int argc, char *argv[])
{
        Race race;
        Result *result;
        int status, failed = 0;

        if (argc != 8)
                bench_die("usage: race NAME FOLDER SECRETS SKIP ROUNDS PROCESSES shared|own");
        race = (Race){.name = argv[1],
                      .folder = argv[2],
                      .skip = bench_number(argv[4]),
                      .rounds = bench_number(argv[5]),
                      .processes = bench_number(argv[6]),
                      .shared_line = strcmp(argv[7], "shared") == 0};
        answers_read(argv[3], &race.answers);
        if (race.processes < 2 || race.skip + race.rounds * lines_a_round(&race) > race.answers.n)
                bench_die("%s: %s has %zu lines only", race.name, argv[3], race.answers.n);
        result = make_result(race.processes);
        for (size_t p = 0; p < race.processes; p++)
                if (fork() == 0) {
                        run(&race, result, p);
                        _exit(EXIT_SUCCESS);
                }
        while (wait(&status) > 0)
                failed |= status;
        if (failed)
                bench_die("%s: a process died", race.name);
        report(&race, result);
        return EXIT_SUCCESS;
}
