/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logins through libpam, with real secrets.
 *
 *     login NAME FOLDER SECRETS SKIP COUNT [WAY]
 *
 * takes COUNT lines of SECRETS, the first SKIP left out. WAY: "good" (the default: each must come in) and
 * "refused" (nobody may) are one process, and print how long a login takes; "start-end" is pam_start and
 * pam_end alone; a number is so many processes at once, and prints how many logins a second came in. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/pam.h"

typedef struct Plan {
        const char *name;
        const char *folder;
        Answers answers;
        size_t skip, count;
} Plan;

static const Answer *answer_of(const Plan *plan, size_t i)
{
        return &plan->answers.list[plan->skip + i];
}

/* The first one opens what stays open, and is left out. */
static void one_by_one(const Plan *plan, bool good)
{
        double *usec = calloc(plan->count, sizeof(*usec));
        size_t failed = 0;

        if (!usec)
                bench_die("out of memory");
        for (size_t i = 0; i < plan->count; i++) {
                double start = bench_usec();

                failed += pam_login(plan->folder, answer_of(plan, i)) != good;
                usec[i] = bench_usec() - start;
        }
        if (failed > 0)
                bench_die("%s: %zu of %zu logins %s", plan->name, failed, plan->count,
                          good ? "were refused" : "came in");
        bench_emit_times(plan->name, usec + 1, plan->count - 1);
        free(usec);
}

static void start_and_end(const Plan *plan)
{
        double *usec = calloc(plan->count, sizeof(*usec));
        Answer answer = *answer_of(plan, 0);
        struct pam_conv conversation = {pam_answer, &answer};

        if (!usec)
                bench_die("out of memory");
        for (size_t i = 0; i < plan->count; i++) {
                double start = bench_usec();

                (void)pam_end(pam_begin(plan->folder, &conversation, answer.user), PAM_SUCCESS);
                usec[i] = bench_usec() - start;
        }
        bench_emit_times(plan->name, usec, plan->count);
        free(usec);
}

/* --- many at once --- */

typedef struct Shared {
        volatile int go;
        size_t came_in, refused;
} Shared;

static void take_part(const Plan *plan, Shared *shared, size_t first, size_t step)
{
        size_t came_in = 0, refused = 0;

        while (!__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE))
                (void)usleep(100);
        for (size_t i = first; i < plan->count; i += step)
                if (pam_login(plan->folder, answer_of(plan, i)))
                        came_in++;
                else
                        refused++;
        (void)__atomic_add_fetch(&shared->came_in, came_in, __ATOMIC_SEQ_CST);
        (void)__atomic_add_fetch(&shared->refused, refused, __ATOMIC_SEQ_CST);
}

/* Neighbouring lines go to different processes. */
static void at_once(const Plan *plan, size_t processes)
{
        Shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        double start, seconds;

        if (shared == MAP_FAILED)
                bench_die("out of memory");
        for (size_t p = 0; p < processes; p++)
                if (fork() == 0) {
                        take_part(plan, shared, p, processes);
                        _exit(EXIT_SUCCESS);
                }
        (void)usleep(20000);
        start = bench_usec();
        __atomic_store_n(&shared->go, 1, __ATOMIC_RELEASE);
        while (wait(NULL) > 0)
                ;
        seconds = (bench_usec() - start) / 1e6;
        if (shared->came_in + shared->refused != plan->count)
                bench_die("%s: a process died", plan->name);
        bench_emit(plan->name, "rate", (double)shared->came_in / seconds, "logins/s");
        bench_emit(plan->name, "refused", (double)shared->refused, "logins");
}

int main(int argc, char *argv[])
{
        const char *way = argc > 6 ? argv[6] : "good";
        Plan plan;

        if (argc < 6)
                bench_die("usage: login NAME FOLDER SECRETS SKIP COUNT [good|refused|start-end|N]");
        plan = (Plan){.name = argv[1],
                      .folder = argv[2],
                      .skip = bench_number(argv[4]),
                      .count = bench_number(argv[5])};
        answers_read(argv[3], &plan.answers);
        if (plan.count < 2 || plan.skip + plan.count > plan.answers.n)
                bench_die("%s: %s has %zu lines only", plan.name, argv[3], plan.answers.n);
        if (strcmp(way, "good") == 0 || strcmp(way, "refused") == 0)
                one_by_one(&plan, way[0] == 'g');
        else if (strcmp(way, "start-end") == 0)
                start_and_end(&plan);
        else
                at_once(&plan, bench_number(way));
        return EXIT_SUCCESS;
}
