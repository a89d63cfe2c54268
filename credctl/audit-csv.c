/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report for spreadsheets and scripts, as RFC 4180 has it: a line a credential. Spreadsheets take a
 * cell that begins with one of a few characters for a formula, quoted or not; what others wrote must
 * not be run by whoever opens a report. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/moment.h"
#include "credctl/audit.h"
#include "credctl/record.h"
#include "credctl/text.h"

#define FORMULA "=+-@\t\r\n"
#define SEPARATOR                                                                                  \
        ';' /* of cells, where the comma is that of decimals: quotes amid a line do not help */
#define MANY " "

/* Also behind blanks, and in the wide forms of East Asian keyboards. */
static bool begins_formula(const char *text)
{
        static const char *const wide[] = {"\uff1d", "\uff0b", "\uff0d", "\uff20"};

        text += strspn(text, " ");
        for (size_t i = 0; i < ELEMENTSOF(wide); i++)
                if (strncmp(text, wide[i], strlen(wide[i])) == 0)
                        return true;
        return *text && strchr(FORMULA, *text);
}

/* The text begins with an apostrophe then, which spreadsheets take for "this is text". */
char *audit_csv_cell(const char *text)
{
        bool formula = begins_formula(text);
        bool quoted = formula || strpbrk(text, ",;\"\r\n\t");
        char *cell = malloc(2 * strlen(text) + 4), *to = cell;

        if (!cell)
                return NULL;
        if (quoted)
                *to++ = '"';
        if (formula)
                *to++ = '\'';
        for (; *text; text++) {
                if (*text == '"')
                        *to++ = '"';
                *to++ = *text;
                if (*text == SEPARATOR && begins_formula(text + 1))
                        *to++ = '\'';
        }
        if (quoted)
                *to++ = '"';
        *to = '\0';
        return cell;
}

typedef struct Csv {
        const Context *context;
        const json_t *credential;
        unsigned cells;
        bool failed; /* no memory */
} Csv;

static void put_text(Csv *csv, const char *text)
{
        AUTO_FREE char *copy = strdup(text ? text : "");
        AUTO_FREE char *cell = NULL;

        /* A terminal obeys what a file merely holds. */
        if (copy && csv->context->stdout_terminal)
                text_clean(copy, true);
        cell = copy ? audit_csv_cell(copy) : NULL;
        csv->failed |= !cell;
        printf("%s%s", csv->cells++ > 0 ? "," : "", cell ? cell : "");
}

static void put_number(Csv *csv, const json_t *record, const char *name)
{
        uint64_t number;
        char text[24] = "";

        if (record_number(record, name, &number))
                (void)snprintf(text, sizeof text, "%" PRIu64, number);
        put_text(csv, text);
}

static void put_count(Csv *csv, const json_t *array)
{
        char text[24];

        (void)snprintf(text, sizeof text, "%zu", json_array_size(array));
        put_text(csv, text);
}

static void put_moment(Csv *csv, const json_t *record, const char *name)
{
        char text[MOMENT_TEXT_MAX];
        uint64_t usec;

        put_text(csv, record_number(record, name, &usec) && usec > 0 ? moment_format_utc(usec, text)
                                                                     : "");
}

/* What get says of each record, with blanks between; NULL is left out. */
static void put_each(Csv *csv, const json_t *records, const char *(*get)(const json_t *record))
{
        AUTO_FREE char *text = NULL;
        size_t size = 0, i, n = 0;
        FILE *out = open_memstream(&text, &size);
        json_t *record;

        if (!out) {
                csv->failed = true;
                return;
        }
        json_array_foreach (records, i, record) {
                const char *one = get(record);

                if (one)
                        (void)fprintf(out, "%s%s", n++ > 0 ? MANY : "", one);
        }
        csv->failed |= fclose(out) != 0;
        put_text(csv, text);
}

static const char *itself(const json_t *text)
{
        return json_string_value(text);
}

static const char *who(const json_t *record)
{
        return record_actor(record, "by");
}

static const char *where_from(const json_t *session)
{
        return record_text_or(session, "rhost", "local");
}

static const char *acknowledged_by(const json_t *alarm)
{
        return json_is_integer(json_object_get(alarm, "acked_usec")) ? record_actor(alarm, "by")
                                                                     : "nobody";
}

static void put_time_in_sessions(Csv *csv, const json_t *sessions)
{
        uint64_t sum = 0;
        json_t *session;
        char text[24];
        size_t i;

        json_array_foreach (sessions, i, session) {
                sum += record_number_or(session, "lasted_usec", 0);
        }
        (void)snprintf(text, sizeof text, "%" PRIu64, sum);
        put_text(csv, text);
}

static const char heading[] =
        "id,kind,state,user,uid,holder,role,reason,asked,asked_by,approved_by,issued,issued_by,"
        "issued_by_loginuid,not_before,login_limit,ceiling,uses,uses_left,services,sources,"
        "sessions,"
        "sessions_from,sessions_usec,extensions,extended_by,closed,ended_by,end_reason,lived_usec,"
        "receipt,verdict,lateness_usec,residue,acknowledged_by,exceptions,access";

static void print_who(Csv *csv)
{
        const json_t *c = csv->credential, *request = json_object_get(c, "request");

        put_text(csv, record_text(c, "id"));
        put_text(csv, record_text(c, "kind"));
        put_text(csv, record_text(c, "state"));
        put_text(csv, record_text(c, "user"));
        put_number(csv, c, "uid");
        put_text(csv, record_text(c, "holder"));
        put_text(csv, record_text(c, "role"));
        put_text(csv, record_text(c, "reason"));
        put_moment(csv, request, "asked_usec");
        put_text(csv, record_actor(request, "by"));
        put_each(csv, json_object_get(request, "approvals"), who);
        put_moment(csv, c, "issued_usec");
        put_text(csv, record_actor(c, "issued_by"));
        put_number(csv, json_object_get(c, "issued_by"), "loginuid");
}

static void print_limits(Csv *csv)
{
        const json_t *c = csv->credential;

        put_moment(csv, c, "not_before_usec");
        put_moment(csv, c, "login_limit_usec");
        put_moment(csv, c, "ceiling_usec");
        put_number(csv, c, "uses");
        put_number(csv, c, "uses_left");
        put_each(csv, json_object_get(c, "services"), itself);
        put_each(csv, json_object_get(c, "sources"), itself);
}

static void print_use(Csv *csv)
{
        const json_t *sessions = json_object_get(csv->credential, "sessions");
        const json_t *extensions = json_object_get(csv->credential, "extensions");

        put_count(csv, sessions);
        put_each(csv, sessions, where_from);
        put_time_in_sessions(csv, sessions);
        put_count(csv, extensions);
        put_each(csv, extensions, who);
}

static void print_end(Csv *csv)
{
        const json_t *c = csv->credential, *receipt = json_object_get(c, "receipt");

        put_moment(csv, c, "closed_usec");
        put_text(csv, record_actor(c, "ended_by"));
        put_text(csv, record_text(c, "end_reason"));
        put_number(csv, c, "lived_usec");
        put_moment(csv, receipt, "written_usec");
        put_text(csv, record_text(receipt, "verdict"));
        put_number(csv, c, "lateness_usec");
        put_count(csv, json_object_get(receipt, "residue"));
        put_each(csv, json_object_get(c, "alarms"), acknowledged_by);
        put_each(csv, json_object_get(c, "exceptions"), itself);
        put_text(csv, record_text(c, "access"));
}

int audit_csv_print(const Context *context, const json_t *report)
{
        bool failed = false;
        json_t *credential;
        size_t i;

        if (context->legend)
                printf("%s\r\n", heading);
        json_array_foreach (json_object_get(report, "credentials"), i, credential) {
                Csv csv = {.context = context, .credential = credential};

                print_who(&csv);
                print_limits(&csv);
                print_use(&csv);
                print_end(&csv);
                printf("\r\n");
                failed |= csv.failed;
        }
        return failed ? -ENOMEM : 0;
}
