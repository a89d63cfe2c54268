/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that logind announced, whoever let them in. From 256 on logind announces the service manager of
 * a user, too, and does not say which is which; the leader's own entries do: journald has from the
 * kernel that they come from user@UID.service. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/journal-internal.h"

#define NEW_SESSION "MESSAGE_ID=8d45620c1a4348dbb17410da57c60c66" /* SD_MESSAGE_SESSION_START */
#define LOGIND_UNIT "_SYSTEMD_UNIT=systemd-logind.service"
#define AROUND_USEC (60 * USEC_PER_SEC)

/* A field of the entry as text, new; NULL: it has none. */
static char *field_text(Journal *journal, const char *name)
{
        size_t len, prefix = strlen(name) + 1;
        const void *data;

        if (sd_journal_get_data(journal->journal, name, &data, &len) < 0 || len < prefix)
                return NULL;
        return strndup((const char *)data + prefix, len - prefix);
}

static int add_login(Journal *journal, uint64_t real_usec, json_t *logins)
{
        AUTO_FREE char *user = field_text(journal, "USER_ID");
        AUTO_FREE char *session = field_text(journal, "SESSION_ID");
        AUTO_FREE char *leader = field_text(journal, "LEADER");

        if (!user || !session)
                return 0;
        return json_array_append_new(logins,
                                     json_pack("{s:s, s:s, s:I, s:I}", "user", user, "session",
                                               session, "leader",
                                               leader ? (json_int_t)strtoll(leader, NULL, 10) : 0,
                                               "time_usec", (json_int_t)real_usec)) < 0
                       ? -ENOMEM
                       : 0;
}

static int match_logins(sd_journal *journal)
{
        static const char *const matches[] = {NEW_SESSION, LOGIND_UNIT, "_UID=0"};
        int r = 0;

        sd_journal_flush_matches(journal);
        for (size_t i = 0; i < ELEMENTSOF(matches) && r >= 0; i++)
                r = sd_journal_add_match(journal, matches[i], 0);
        return r;
}

static int collect(Journal *journal, uint64_t since_usec, uint64_t until_usec, json_t *logins)
{
        uint64_t real_usec;
        int r = match_logins(journal->journal);

        if (r >= 0)
                r = sd_journal_seek_realtime_usec(journal->journal, since_usec);
        while (r >= 0 && (r = sd_journal_next(journal->journal)) > 0) {
                r = sd_journal_get_realtime_usec(journal->journal, &real_usec);
                if (r < 0 || real_usec >= until_usec)
                        break;
                if (real_usec >= since_usec)
                        r = add_login(journal, real_usec, logins);
        }
        return r < 0 ? r : 0;
}

/* 1: about that time its leader was a service manager of a user. */
static int is_manager(Journal *journal, const json_t *login)
{
        uint64_t time_usec = (uint64_t)json_integer_value(json_object_get(login, "time_usec"));
        uint64_t real_usec = 0;
        char match[40];
        int r;

        (void)snprintf(match, sizeof match, "_PID=%lld",
                       (long long)json_integer_value(json_object_get(login, "leader")));
        sd_journal_flush_matches(journal->journal);
        r = sd_journal_add_match(journal->journal, match, 0);
        if (r >= 0)
                r = sd_journal_seek_realtime_usec(
                        journal->journal, time_usec > AROUND_USEC ? time_usec - AROUND_USEC : 0);
        while (r >= 0 && (r = sd_journal_next(journal->journal)) > 0) {
                AUTO_FREE char *unit = field_text(journal, "_SYSTEMD_UNIT");

                r = sd_journal_get_realtime_usec(journal->journal, &real_usec);
                if (r < 0 || real_usec > time_usec + AROUND_USEC)
                        break;
                if (unit && strncmp(unit, "user@", strlen("user@")) == 0)
                        return 1;
        }
        return r < 0 ? r : 0;
}

int journal_logins(Journal *journal, uint64_t since_usec, uint64_t until_usec, json_t **ret_logins)
{
        json_auto_t *all = json_array(), *logins = json_array();
        json_t *login;
        size_t i;
        int r;

        if (!all || !logins)
                return -ENOMEM;
        r = collect(journal, since_usec, until_usec, all);
        json_array_foreach (all, i, login) {
                if (r == 0)
                        r = is_manager(journal, login);
                if (r < 0)
                        return r;
                if (r == 0 && json_array_append(logins, login) < 0)
                        return -ENOMEM;
                r = 0;
        }
        if (r < 0)
                return r;
        *ret_logins = take_ptr(logins);
        return 0;
}
