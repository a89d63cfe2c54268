/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a leader that stands outside any scope takes with it: chosen from a table of processes, purely,
 * so that tests can make any table. Sorted indexes keep it short for a user who forks thousands. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "credd/proc.h"

/* A process by its parent. */
typedef struct Child {
        pid_t ppid;
        size_t index;
} Child;

typedef struct Tree {
        const ProcTable *table;
        Child *children; /* all of the table, by ppid */
        size_t *taken;   /* a queue: what stands before next has had its children added */
        size_t n, next;
        bool *seen;
} Tree;

static void tree_done(Tree *tree)
{
        free(tree->children);
        free(tree->taken);
        free(tree->seen);
}

static int by_parent(const void *a, const void *b)
{
        const Child *x = a, *y = b;

        if (x->ppid != y->ppid)
                return x->ppid < y->ppid ? -1 : 1;
        return (x->index > y->index) - (x->index < y->index);
}

static int by_pid(const void *a, const void *b)
{
        const pid_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int tree_init(Tree *tree, const ProcTable *table)
{
        tree->table = table;
        tree->children = calloc(table->n + 1, sizeof(*tree->children));
        tree->taken = calloc(table->n + 1, sizeof(*tree->taken));
        tree->seen = calloc(table->n + 1, sizeof(*tree->seen));
        if (!tree->children || !tree->taken || !tree->seen)
                return -ENOMEM;
        for (size_t i = 0; i < table->n; i++)
                tree->children[i] = (Child){table->list[i].ppid, i};
        qsort(tree->children, table->n, sizeof(*tree->children), by_parent);
        return 0;
}

/* Each process is taken at most once, so even a table that shows a cycle comes to its end. */
static void tree_take(Tree *tree, size_t index)
{
        pid_t pid = tree->table->list[index].pid;

        if (tree->seen[index] || pid <= 1 || pid == getpid())
                return;
        tree->seen[index] = true;
        tree->taken[tree->n++] = index;
}

static size_t first_child(const Tree *tree, pid_t pid)
{
        size_t low = 0, high = tree->table->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (tree->children[middle].ppid < pid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* A child is never older than its parent. Where the table says so, the pid of a dead parent was given
 * out again between two reads, and the two are strangers. */
static void tree_take_descendants(Tree *tree)
{
        const ProcTable *table = tree->table;

        for (; tree->next < tree->n; tree->next++) {
                const ProcInfo *parent = &table->list[tree->taken[tree->next]];

                for (size_t i = first_child(tree, parent->pid);
                     i < table->n && tree->children[i].ppid == parent->pid; i++) {
                        size_t child = tree->children[i].index;

                        if (table->list[child].start_ticks >= parent->start_ticks)
                                tree_take(tree, child);
                }
        }
}

/* Orphans are the leader's no more, but stand where it stood. That cgroup may be sshd's: what root runs
 * in it are other people's logins, even for a session of root. */
static int tree_take_orphans(Tree *tree, uint64_t since_ticks, uid_t uid, const pid_t *in_cgroup,
                             size_t n)
{
        AUTO_FREE pid_t *sorted = NULL;

        if (uid == 0 || n == 0)
                return 0;
        sorted = calloc(n, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        memcpy(sorted, in_cgroup, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), by_pid);
        for (size_t i = 0; i < tree->table->n; i++) {
                const ProcInfo *p = &tree->table->list[i];

                if (p->uid == uid && p->start_ticks >= since_ticks &&
                    bsearch(&p->pid, sorted, n, sizeof(*sorted), by_pid))
                        tree_take(tree, i);
        }
        return 0;
}

int proc_tree(const ProcTable *table, pid_t leader, uint64_t leader_ticks, uid_t uid,
              const pid_t *in_cgroup, size_t n_in_cgroup, size_t **ret_indexes, size_t *ret_n)
{
        CLEANUP(tree_done) Tree tree = {0};
        size_t n = 0;
        int r;

        /* From these everything would descend. */
        if (leader <= 1 || leader == getpid())
                return -EINVAL;
        r = tree_init(&tree, table);
        if (r < 0)
                return r;
        for (size_t i = 0; i < table->n; i++)
                if (table->list[i].pid == leader && table->list[i].start_ticks == leader_ticks)
                        tree_take(&tree, i);
        tree_take_descendants(&tree);
        r = tree_take_orphans(&tree, leader_ticks, uid, in_cgroup, n_in_cgroup);
        if (r < 0)
                return r;
        for (size_t i = 0; i < tree.n; i++)
                if (!table->list[tree.taken[i]].dead)
                        tree.taken[n++] = tree.taken[i];
        *ret_indexes = take_ptr(tree.taken);
        *ret_n = n;
        return 0;
}
