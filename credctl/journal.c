/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries are found by the values that CREDD_EVENT has in this journal: sd-journal matches fields by
 * their whole content, and what is forged must be found, too, whatever it says. */
#include "credctl/journal-internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX        "CREDD_"
#define FIELD_LEN_MAX 64

Journal *journal_close(Journal *journal)
{
        if (!journal)
                return NULL;
        sd_journal_close(journal->journal);
        free(journal);
        return NULL;
}

/* What others than credd send may stand in their own journals, so all are read.
 *
 * Without the right to read the system's journal one sees one's own entries alone: no witness. */
static int check_rights(sd_journal *journal)
{
        uint64_t from, to;
        int r = sd_journal_get_cutoff_realtime_usec(journal, &from, &to);

        return r == 0 && geteuid() != 0 ? -EACCES : 0;
}

int journal_open(Journal **ret_journal)
{
        CLEANUP(journal_closep) Journal *journal = calloc(1, sizeof(*journal));
        int r;

        if (!journal)
                return -ENOMEM;
        r = sd_journal_open(&journal->journal, SD_JOURNAL_LOCAL_ONLY);
        if (r < 0)
                return r;
        r = check_rights(journal->journal);
        if (r < 0)
                return r;
        (void)sd_journal_set_data_threshold(journal->journal, 0);
        *ret_journal = take_ptr(journal);
        return 0;
}

int journal_begin_usec(Journal *journal, uint64_t *ret_real_usec)
{
        uint64_t to;
        int r = sd_journal_get_cutoff_realtime_usec(journal->journal, ret_real_usec, &to);

        return r > 0 ? 0 : r < 0 ? r : -ENODATA;
}

static int match_events(sd_journal *journal)
{
        const void *data;
        size_t len;
        int r;

        sd_journal_flush_matches(journal);
        r = sd_journal_query_unique(journal, PREFIX "EVENT");
        if (r < 0)
                return r;
        while ((r = sd_journal_enumerate_unique(journal, &data, &len)) > 0) {
                r = sd_journal_add_match(journal, data, len);
                if (r < 0)
                        return r;
        }
        return r;
}

/* "CREDD_DEADLINE=..." becomes "deadline": "...". What is no text is not one of credd's. */
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
        return json_object_set_new(fields, name, json_stringn(equals + 1, len - name_len - 1)) < 0
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
                /* a field that is no UTF-8 is left out, and so does not agree with the record */
                (void)add_field(ret->fields, data, len);
        }
        return 0;
}

int journal_each(Journal *journal, int (*each)(void *userdata, const JournalEntry *entry),
                 void *userdata)
{
        int r;

        r = match_events(journal->journal);
        if (r < 0)
                return r;
        SD_JOURNAL_FOREACH(journal->journal)
        {
                json_t *fields = json_object();
                JournalEntry entry = {.fields = fields};

                if (!fields)
                        return -ENOMEM;
                r = read_entry(journal->journal, &entry);
                /* nobody sent one: an empty set of matches matches everything */
                if (r == 0 && json_object_get(fields, "event"))
                        r = each(userdata, &entry);
                json_decref(fields);
                if (r != 0)
                        return r;
        }
        return 0;
}
