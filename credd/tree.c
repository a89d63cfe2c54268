/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a leader that stands outside any scope takes with it: chosen from a table of processes, purely,
 * so that tests can make any table. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "credd/proc.h"

typedef struct Tree {
        size_t *taken; /* a queue: what stands before next has had its children added */
        size_t n, next;
        bool *seen;
} Tree;

static void tree_done(Tree *tree)
{
        free(tree->taken);
        free(tree->seen);
}

/* Each process is taken at most once, so even a table that shows a cycle comes to its end. */
static void tree_take(Tree *tree, const ProcTable *table, size_t index)
{
        pid_t pid = table->list[index].pid;

        if (tree->seen[index] || pid <= 1 || pid == getpid())
                return;
        tree->seen[index] = true;
        tree->taken[tree->n++] = index;
}

/* A child is never older than its parent. Where the table says so, the pid of a dead parent was
 * given out again between two reads, and the two are strangers. */
static void tree_take_descendants(Tree *tree, const ProcTable *table)
{
        for (; tree->next < tree->n; tree->next++) {
                const ProcInfo *parent = &table->list[tree->taken[tree->next]];

                for (size_t i = 0; i < table->n; i++)
                        if (table->list[i].ppid == parent->pid &&
                            table->list[i].start_ticks >= parent->start_ticks)
                                tree_take(tree, table, i);
        }
}

static bool pid_in(pid_t pid, const pid_t *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (list[i] == pid)
                        return true;
        return false;
}

int proc_tree(const ProcTable *table, pid_t leader, uint64_t leader_ticks, uid_t uid,
              const pid_t *in_cgroup, size_t n_in_cgroup, size_t **ret_indexes, size_t *ret_n)
{
        CLEANUP(tree_done) Tree tree = {0};
        size_t n = 0;

        /* From these everything would descend. */
        if (leader <= 1 || leader == getpid())
                return -EINVAL;
        tree.taken = calloc(table->n + 1, sizeof(*tree.taken));
        tree.seen = calloc(table->n + 1, sizeof(*tree.seen));
        if (!tree.taken || !tree.seen)
                return -ENOMEM;
        for (size_t i = 0; i < table->n; i++)
                if (table->list[i].pid == leader && table->list[i].start_ticks == leader_ticks)
                        tree_take(&tree, table, i);
        tree_take_descendants(&tree, table);
        /* Orphans are the leader's no more, but stand where it stood. That cgroup may be sshd's:
         * what root runs in it are other people's logins, even for a session of root. */
        for (size_t i = 0; uid != 0 && i < table->n; i++) {
                const ProcInfo *p = &table->list[i];

                if (p->uid == uid && p->start_ticks >= leader_ticks &&
                    pid_in(p->pid, in_cgroup, n_in_cgroup))
                        tree_take(&tree, table, i);
        }
        for (size_t i = 0; i < tree.n; i++)
                if (!table->list[tree.taken[i]].dead)
                        tree.taken[n++] = tree.taken[i];
        *ret_indexes = take_ptr(tree.taken);
        *ret_n = n;
        return 0;
}
