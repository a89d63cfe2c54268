/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credd's own entries are found by its uid. Those of others by the values that CREDD_EVENT has in this
 * journal: sd-journal matches fields by their whole content, and what is forged must be found whatever it
 * says. Each value costs, and anybody can send any number of them, so that they have a limit. */
#include "credctl/journal-internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX        "CREDD_"
#define FIELD_LEN_MAX 64
#define VALUES_MAX    1000 /* credd itself has some fifty */

Journal *journal_close(Journal *journal)
{
        if (!journal)
                return NULL;
        sd_journal_close(journal->journal);
        free(journal);
        return NULL;
}

/* Of the system's journal alone: there credd's entries stand, and logind's. The files of users go back
 * further than it, or less far, and everybody may read his own. 0: there is none to be read. */
static int read_begin(uint64_t *ret_real_usec)
{
        sd_journal *journal;
        uint64_t to;
        int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r < 0)
                return r;
        r = sd_journal_get_cutoff_realtime_usec(journal, ret_real_usec, &to);
        sd_journal_close(journal);
        return r;
}

/* What others than credd send may stand in their own journals, so all are read. */
int journal_open(Journal **ret_journal)
{
        CLEANUP(journal_closep) Journal *journal = calloc(1, sizeof(*journal));
        int r;

        if (!journal)
                return -ENOMEM;
        r = sd_journal_open(&journal->journal, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = read_begin(&journal->begin_usec);
        if (r == 0 && geteuid() != 0)
                r = -EACCES;
        if (r < 0)
                return r;
        journal->empty = r == 0;
        (void)sd_journal_set_data_threshold(journal->journal, 0);
        *ret_journal = take_ptr(journal);
        return 0;
}

int journal_begin_usec(const Journal *journal, uint64_t *ret_real_usec)
{
        if (journal->empty)
                return -ENODATA;
        *ret_real_usec = journal->begin_usec;
        return 0;
}

static int match_uid(sd_journal *journal, uid_t uid)
{
        char match[24];

        (void)snprintf(match, sizeof(match), "_UID=%u", uid);
        sd_journal_flush_matches(journal);
        return sd_journal_add_match(journal, match, 0);
}

/* How many values there are more than are matched. */
static int match_events(sd_journal *journal, uint64_t *ret_more)
{
        const void *data;
        size_t len;
        uint64_t n = 0;
        int r;

        sd_journal_flush_matches(journal);
        r = sd_journal_query_unique(journal, PREFIX "EVENT");
        if (r < 0)
                return r;
        while ((r = sd_journal_enumerate_unique(journal, &data, &len)) > 0) {
                if (n++ < VALUES_MAX)
                        r = sd_journal_add_match(journal, data, len);
                if (r < 0)
                        return r;
        }
        *ret_more = n > VALUES_MAX ? n - VALUES_MAX : 0;
        return r;
}

/* "CREDD_DEADLINE=..." becomes "deadline": "..."; null, if it is no UTF-8 and so none of credd's. */
static int add_field(json_t *fields, const char *data, size_t len)
{
        const char *equals = memchr(data, '=', len);
        size_t name_len = equals ? (size_t)(equals - data) : 0, prefix = strlen(PREFIX);
        char name[FIELD_LEN_MAX];

        if (name_len <= prefix || name_len - prefix >= sizeof(name) ||
            strncmp(data, PREFIX, prefix) != 0)
                return 0;
        for (size_t i = prefix; i < name_len; i++)
                name[i - prefix] = (char)tolower((unsigned char)data[i]);
        name[name_len - prefix] = '\0';
        return json_object_set_new(fields, name,
                                   json_stringn(equals + 1, len - name_len - 1) ?: json_null()) < 0
                       ? -ENOMEM
                       : 0;
}

static uid_t sender(sd_journal *journal)
{
        const void *data;
        char text[24];
        size_t len, prefix = strlen("_UID=");

        if (sd_journal_get_data(journal, "_UID", &data, &len) < 0 || len <= prefix ||
            len - prefix >= sizeof(text))
                return (uid_t)-1;
        memcpy(text, (const char *)data + prefix, len - prefix);
        text[len - prefix] = '\0';
        return (uid_t)strtoul(text, NULL, 10);
}

static int read_entry(sd_journal *journal, JournalEntry *ret)
{
        const void *data;
        size_t len;
        int r;

        r = sd_journal_get_realtime_usec(journal, &ret->real_usec);
        if (r < 0)
                return r;
        ret->uid = sender(journal);
        SD_JOURNAL_FOREACH_DATA(journal, data, len)
        {
                (void)add_field(ret->fields, data, len);
        }
        return 0;
}

/* An empty set of matches matches everything. */
static int each_match(Journal *journal, JournalEach each, void *userdata)
{
        int r;

        SD_JOURNAL_FOREACH(journal->journal)
        {
                json_t *fields = json_object();
                JournalEntry entry = {.fields = fields};

                if (!fields)
                        return -ENOMEM;
                r = read_entry(journal->journal, &entry);
                if (r == 0 && json_object_get(fields, "event"))
                        r = each(userdata, &entry);
                json_decref(fields);
                if (r != 0)
                        return r;
        }
        return 0;
}

int journal_each_of(Journal *journal, uid_t uid, JournalEach each, void *userdata)
{
        int r = match_uid(journal->journal, uid);

        return r < 0 ? r : each_match(journal, each, userdata);
}

int journal_each(Journal *journal, JournalEach each, void *userdata, uint64_t *ret_more)
{
        int r = match_events(journal->journal, ret_more);

        return r < 0 ? r : each_match(journal, each, userdata);
}
