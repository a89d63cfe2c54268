/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that were refused a session they opened, where no credential tells whose they are. sshd
 * goes on after such a refusal, so they are ended. */
#pragma once

#include "credd/manager.h"

int outcasts_new(Manager *manager, Outcasts **ret_outcasts);
Outcasts *outcasts_free(Outcasts *outcasts);

/* Ends that process, and what descends from it, from the next turn of the loop on. For peers of uid 0
 * alone: the word of nobody else about a user and a process is taken. Takes pidfd, on success. */
int outcasts_add(Outcasts *outcasts, const LoginFacts *facts, pid_t pid, uint64_t ticks, int pidfd);
/* How many are not known to be gone yet. */
unsigned outcasts_count(const Outcasts *outcasts);
