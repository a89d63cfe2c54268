/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl verify: two witnesses of one record. credd recomputes its chain of events; each event is then
 * compared with what the journal has of it, read with the caller's own rights. Who changed one of the
 * two alone is found. Said as well is what the journal cannot tell, because it does not go back so
 * far, or because credd has not handed it over yet. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/journal.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define CREDD_USER   "credd"
#define LONG_FIELD   "too long for the journal: credctl show"
#define PROBLEMS_MAX 200
/* Anyone can send any number of these: they must not crowd out what is worse. */
#define FORGED_MAX 20
/* What credd has handed over, journald may not have written yet. */
#define RECENT_USEC (5 * USEC_PER_SEC)

typedef struct Verify {
        const Context *context;
        json_t *problems; /* the first of them */
        uint64_t found;   /* all of them */
        uint64_t events, entries, forged, explained, waiting;
        json_t *page; /* of Events, around the number looked at last */
        uint64_t page_first;
        uint64_t first_seq, last_seq; /* of credd's rows */
        unsigned char *seen;          /* by seq - first_seq: the journal has it */
        uid_t credd_uid;
        uint64_t journal_begin_usec;
        uint64_t gone_seq;     /* the last event before credd's first that the journal has */
        uint64_t pruned_seq;   /* up to here the journal has it that credd pruned them */
        uint64_t restored_seq; /* the event that says that the store is a restored one; 0: none */
} Verify;

static void verify_done(Verify *verify)
{
        json_decref(verify->problems);
        json_decref(verify->page);
        free(verify->seen);
}

__attribute__((format(printf, 3, 4))) static void problem(Verify *verify, uint64_t seq,
                                                          const char *format, ...)
{
        char text[WORDS_LINE_MAX];
        va_list values;

        va_start(values, format);
        words_format(text, format, values);
        va_end(values);
        if (verify->found++ < PROBLEMS_MAX)
                (void)json_array_append_new(
                        verify->problems,
                        json_pack("{s:I, s:s}", "seq", (json_int_t)seq, "what", text));
}

/* --- the first witness: the chain --- */

static int read_chain(Verify *verify)
{
        json_auto_t *parameters = json_object();
        json_t *next = NULL;
        int r;

        do {
                json_auto_t *reply = NULL;
                json_t *problems, *one;
                size_t i;

                r = connection_read(verify->context, "Verify", parameters, &reply);
                if (r == 0)
                        r = record_member(reply, "problems", JSON_ARRAY, &problems);
                if (r != 0)
                        return r;
                verify->events += record_number_or(reply, "checked", 0);
                json_array_foreach (problems, i, one) {
                        problem(verify, record_number_or(one, "seq", 0), "chain: %s",
                                record_text_or(one, "what", "?"));
                }
                next = json_object_get(reply, "next");
                if (json_is_integer(next) && json_object_set(parameters, "after", next) < 0)
                        return -ENOMEM;
        } while (json_is_integer(next));
        return 0;
}

/* --- the second witness: the journal --- */

static int read_page(Verify *verify, uint64_t after)
{
        json_auto_t *parameters = json_pack("{s:I}", "after", (json_int_t)after), *reply = NULL;
        json_t *events;
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_read(verify->context, "Events", parameters, &reply);
        if (r == 0)
                r = record_member(reply, "events", JSON_ARRAY, &events);
        if (r != 0)
                return r;
        json_decref(verify->page);
        verify->page = json_incref(events);
        verify->page_first = record_number_or(json_array_get(events, 0), "seq", 0);
        return 0;
}

/* NULL: there is none of that number. Entries come in the order of the rows, nearly. */
static int find_row(Verify *verify, uint64_t seq, const json_t **ret)
{
        size_t i;
        json_t *row;
        int r = 0;

        if (!verify->page || seq < verify->page_first ||
            seq >= verify->page_first + json_array_size(verify->page))
                r = read_page(verify, seq - 1);
        *ret = NULL;
        if (r != 0)
                return r;
        json_array_foreach (verify->page, i, row) {
                if (record_number_or(row, "seq", 0) == seq)
                        *ret = row;
        }
        return 0;
}

/* How many rows there are. */
static int read_extent(Verify *verify)
{
        json_auto_t *parameters = json_object(), *reply = NULL;
        uint64_t journaled;
        int r;

        r = read_page(verify, 0);
        if (r == 0)
                r = connection_read(verify->context, "Events", parameters, &reply);
        if (r != 0)
                return r;
        verify->first_seq = verify->page_first;
        verify->last_seq = record_number_or(json_object_get(reply, "head"), "seq", 0);
        journaled = record_number_or(reply, "journaled", 0);
        if (verify->first_seq == 0)
                return 0;
        verify->waiting = verify->last_seq > journaled ? verify->last_seq - journaled : 0;
        verify->seen = calloc(verify->last_seq - verify->first_seq + 1, 1);
        return verify->seen ? 0 : -ENOMEM;
}

static void compare(Verify *verify, uint64_t seq, const json_t *row, const json_t *entry)
{
        const json_t *fields = json_object_get(row, "fields");
        const char *name, *text, *other;
        json_t *value;

        if (strcmp(record_text_or(row, "hash", ""), record_text_or(entry, "hash", "-")) != 0) {
                problem(verify, seq, "the journal has another hash for it than credd");
                return;
        }
        if (strcmp(record_text_or(row, "event", ""), record_text_or(entry, "event", "-")) != 0)
                problem(verify, seq, "the journal says %s, credd %s",
                        record_text_or(entry, "event", "-"), record_text_or(row, "event", "-"));
        json_object_foreach ((json_t *)fields, name, value) {
                text = json_string_value(value);
                other = record_text(entry, name);
                if (text &&
                    (!other || (strcmp(text, other) != 0 && strcmp(other, LONG_FIELD) != 0)))
                        problem(verify, seq, "the journal differs from credd in %s", name);
        }
}

/* What credd pruned it has signed off. */
static void note_pruning(Verify *verify, const json_t *entry)
{
        uint64_t pruned;

        if (strcmp(record_text_or(entry, "event", ""), "store-pruned") != 0)
                return;
        pruned = strtoull(record_text_or(entry, "pruned_seq", ""), NULL, 10);
        if (pruned > verify->pruned_seq)
                verify->pruned_seq = pruned;
}

static void check_pruned(Verify *verify)
{
        if (verify->gone_seq > verify->pruned_seq && verify->waiting == 0)
                problem(verify, verify->gone_seq,
                        "credd's record begins later, and no pruning took this event");
}

static int on_entry(void *userdata, const JournalEntry *entry)
{
        Verify *verify = userdata;
        uint64_t seq = strtoull(record_text_or(entry->fields, "seq", ""), NULL, 10);
        const json_t *row;
        int r;

        verify->entries++;
        if (seq == 0)
                return 0;
        note_pruning(verify, entry->fields);
        if (seq < verify->first_seq) {
                verify->gone_seq = seq > verify->gone_seq ? seq : verify->gone_seq;
                return 0;
        }
        r = find_row(verify, seq, &row);
        if (r != 0)
                return r;
        if (!row) {
                /* It may have happened since the extent was read. */
                problem(verify, seq, "the journal has this event (%s), credd does not",
                        record_text_or(entry->fields, "event", "?"));
                return 0;
        }
        compare(verify, seq, row, entry->fields);
        if (strcmp(record_text_or(row, "event", ""), "store-restored") == 0)
                verify->restored_seq = seq;
        if (seq <= verify->last_seq)
                verify->seen[seq - verify->first_seq] = 1;
        return 0;
}

/* Of whoever. Only credd's count, and these are credd's by what the kernel told journald. */
static int on_any_entry(void *userdata, const JournalEntry *entry)
{
        Verify *verify = userdata;

        if (entry->uid != verify->credd_uid && verify->forged++ < FORGED_MAX)
                problem(verify, 0, "an entry %s with the number %s is not credd's: uid %u sent it",
                        record_text_or(entry->fields, "event", "?"),
                        record_text_or(entry->fields, "seq", "-"), entry->uid);
        return 0;
}

static int check_forged(Verify *verify, Journal *journal)
{
        uint64_t more = 0;
        int r = journal_each(journal, on_any_entry, verify, &more);

        if (r == 0 && verify->forged > FORGED_MAX)
                problem(verify, 0, "%" PRIu64 " more entries are not credd's",
                        verify->forged - FORGED_MAX);
        if (r == 0 && more > 0)
                problem(verify, 0,
                        "too many kinds of event in the journal: entries of %" PRIu64
                        " of them were not looked at",
                        more);
        return r;
}

static uint64_t now_real_usec(void)
{
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

/* credd has it and the journal has not. */
static void missing_row(Verify *verify, const json_t *row, uint64_t now_usec)
{
        uint64_t time_usec = record_number_or(row, "time_usec", 0);

        if (time_usec < verify->journal_begin_usec)
                verify->explained++;
        else if (time_usec <= now_usec && now_usec - time_usec < RECENT_USEC)
                verify->waiting++;
        else
                problem(verify, record_number_or(row, "seq", 0),
                        "credd has this event (%s), the journal does not",
                        record_text_or(row, "event", "?"));
}

static int check_missing(Verify *verify)
{
        uint64_t now_usec = now_real_usec(), behind = verify->waiting;

        for (uint64_t seq = verify->first_seq; seq > 0 && seq + behind <= verify->last_seq; seq++) {
                const json_t *row;
                int r;

                if (verify->seen[seq - verify->first_seq])
                        continue;
                r = find_row(verify, seq, &row);
                if (r != 0)
                        return r;
                /* else the chain has told of it */
                if (row)
                        missing_row(verify, row, now_usec);
        }
        return 0;
}

static int say_no_journal(int error)
{
        if (error == -EACCES)
                return words_fail(OUTCOME_FAILED,
                                  "the chain was checked, but you may not read the system's "
                                  "journal, its second witness: run this as root, or as a member "
                                  "of systemd-journal");
        return words_fail(OUTCOME_FAILED, "cannot read the journal: %s", strerror(-error));
}

static int read_journal(Verify *verify)
{
        CLEANUP(journal_closep) Journal *journal = NULL;
        const struct passwd *credd = getpwnam(CREDD_USER);
        int r;

        if (!credd)
                return words_fail(OUTCOME_FAILED, "no user " CREDD_USER " on this host: whose "
                                                  "entries count cannot be told");
        verify->credd_uid = credd->pw_uid;
        r = journal_open(&journal);
        if (r == 0)
                r = journal_begin_usec(journal, &verify->journal_begin_usec);
        if (r == -ENODATA)
                verify->journal_begin_usec = UINT64_MAX;
        else if (r < 0)
                return say_no_journal(r);
        r = read_extent(verify);
        if (r == 0)
                r = journal_each_of(journal, verify->credd_uid, on_entry, verify);
        if (r == 0)
                check_pruned(verify);
        if (r == 0)
                r = check_missing(verify);
        return r == 0 ? check_forged(verify, journal) : r;
}

/* --- what was found --- */

static void print(const Verify *verify)
{
        const Context *context = verify->context;
        json_t *one;
        size_t i;

        json_array_foreach (verify->problems, i, one) {
                uint64_t seq = record_number_or(one, "seq", 0);

                if (seq > 0)
                        output_line(context, STYLE_ALARM, "event %" PRIu64 ": %s", seq,
                                    record_text_or(one, "what", "?"));
                else
                        output_line(context, STYLE_ALARM, "%s", record_text_or(one, "what", "?"));
        }
        if (verify->found > PROBLEMS_MAX)
                output_line(context, STYLE_ALARM, "%" PRIu64 " more problems are not listed",
                            verify->found - PROBLEMS_MAX);
        if (context->quiet)
                return;
        output_line(context, STYLE_PLAIN,
                    "%" PRIu64 " events in credd's chain, %" PRIu64 " entries of credd in the "
                    "journal",
                    verify->events, verify->entries);
        if (verify->restored_seq > 0)
                output_line(context, STYLE_PLAIN,
                            "credd's store was restored from a backup at event %" PRIu64 ": what "
                            "the journal has under that number and later ones from before, it has "
                            "of the store that was lost",
                            verify->restored_seq);
        if (verify->explained > 0)
                output_line(context, STYLE_PLAIN,
                            "%" PRIu64 " event%s older than this journal: for these there is one "
                            "witness only",
                            verify->explained, verify->explained == 1 ? " is" : "s are");
        if (verify->waiting > 0)
                output_line(context, STYLE_PLAIN, "%" PRIu64 " event%s not with journald yet",
                            verify->waiting, verify->waiting == 1 ? " is" : "s are");
        if (verify->found == 0)
                output_line(context, STYLE_GOOD, "Both agree.");
}

static int print_json(const Verify *verify)
{
        json_auto_t *result =
                json_pack("{s:O, s:I, s:I, s:I, s:I, s:I, s:I}", "problems", verify->problems,
                          "problems_found", (json_int_t)verify->found, "events",
                          (json_int_t)verify->events, "entries", (json_int_t)verify->entries,
                          "forged", (json_int_t)verify->forged, "older_than_journal",
                          (json_int_t)verify->explained, "waiting", (json_int_t)verify->waiting);

        return result ? output_json(verify->context, "verify", result) : -ENOMEM;
}

int verb_verify_run(const Context *context, const Arguments *arguments)
{
        CLEANUP(verify_done) Verify verify = {.context = context, .problems = json_array()};
        int r;

        (void)arguments;
        r = read_chain(&verify);
        if (r == 0)
                r = read_journal(&verify);
        if (r < 0)
                return r;
        if (r > 0 && verify.found == 0)
                return r;
        if (context->form == OUTPUT_JSON)
                r = outcome_worse(r, print_json(&verify));
        else
                print(&verify);
        return verify.found > 0 ? outcome_worse(r, OUTCOME_FOUND) : r;
}
