/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling people who are logged in, whoever they are, that something waits for them. They are told
 * after what it is about has been committed; nobody waits for it, and nothing hangs on it. */
#pragma once

#include "credd/manager.h"

/* A limit for those who make others be told: so many an hour each. */
#define NOTICES_AN_HOUR 3

int notices_new(Manager *manager, Notices **ret_notices);
Notices *notices_free(Notices *notices);
DEFINE_CLEANUP(Notices, notices_free)

/* To be called last in a change: they are kept until it is committed. */
void notices_to_admins(Manager *manager, const char *line);
/* The approvers of its role, that it was asked for; without a word if the asker has had the others told
 * too often. */
void notices_to_approvers(Manager *manager, const Credential *credential);
/* Who asked, what became of it: the credential "was approved by ...". The same limit. */
void notices_to_asker(Manager *manager, const Credential *credential, const char *what);

/* NAME (uid N) says: "TEXT", with what is no printable ASCII, and the quotation mark, replaced, and cut
 * after 200 characters; without a text NAME (uid N) alone. */
#define NOTICE_QUOTE_MAX 256
const char *notice_quote(const Actor *author, const char *text,
                         char ret_text[static NOTICE_QUOTE_MAX]);

/* Who made others be told, and when. Zero: nobody has. */
typedef struct NoticeCount {
        uid_t uid;
        bool to_asker;
        uint64_t at_usec[NOTICES_AN_HOUR]; /* on the line; 0: never */
} NoticeCount;

/* Whether one more is within the limit, and counts it. A table that is full of others counts as the
 * limit reached. Pure. */
bool notice_count(NoticeCount *table, size_t n, uid_t uid, bool to_asker, uint64_t now_usec);
