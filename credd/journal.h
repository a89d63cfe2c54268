/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing to the journal without ever waiting for it (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
 * sd_journal_send() blocks while journald is stopped and drops silently while its socket is absent;
 * a daemon that many logins wait for can afford neither. */
#pragma once

#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

typedef struct Journal Journal;

typedef struct JournalField {
        const char *name; /* A-Z 0-9 _, a letter first, up to 64 */
        const char *value;
} JournalField;

/* Never fails because nobody listens. -ENAMETOOLONG, -EINVAL: no path of a socket. */
int journal_new(const char *path, Journal **ret_journal);
Journal *journal_free(Journal *journal);

/* One entry in one datagram; fields with a NULL value are left out (at least one must stay), values
 * may hold newlines. -EAGAIN: journald does not take it now; -ENOTCONN: nobody listens (each call
 * looks anew); -EMSGSIZE: larger than 64 KiB, will never go. Any other error: not sent either. */
int journal_send(Journal *journal, const JournalField *fields, size_t n);
