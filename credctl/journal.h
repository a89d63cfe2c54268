/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal, read with the caller's own rights: the one place of credctl that knows sd-journal. Any
 * process may send an entry with fields called CREDD_...; which uid sent it, journald has from the
 * kernel (_UID), and says so here. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

typedef struct Journal Journal;

typedef struct JournalEntry {
        uint64_t real_usec; /* when journald took it */
        uid_t uid;          /* who sent it; (uid_t)-1: nobody says */
        json_t *fields; /* borrowed; the CREDD_ ones, "deadline" for CREDD_DEADLINE; texts, or null */
} JournalEntry;

/* -EACCES: the caller may not read the system's journal. */
int journal_open(Journal **ret_journal);
Journal *journal_close(Journal *journal);
DEFINE_CLEANUP(Journal, journal_close)

/* How far back the system's journal goes. -ENODATA: it is empty. */
int journal_begin_usec(const Journal *journal, uint64_t *ret_real_usec);

/* The sessions that logind announced from since on and before until, by entries that are root's and from
 * logind's unit, as journald has it from the kernel: [{user, session, leader, time_usec}]. Those of
 * users' service managers are left out. */
int journal_logins(Journal *journal, uint64_t since_usec, uint64_t until_usec, json_t **ret_logins);

/* 0 to go on. */
typedef int (*JournalEach)(void *userdata, const JournalEntry *entry);

/* Every entry that has a CREDD_EVENT, oldest first: of that uid. */
int journal_each_of(Journal *journal, uid_t uid, JournalEach each, void *userdata);
/* Whoever sent it. more: so many kinds of event were not looked at, because there are too many. */
int journal_each(Journal *journal, JournalEach each, void *userdata, uint64_t *ret_more);
