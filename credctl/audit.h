/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a report of the audit is made of, and the report. Reading is audit-read.c, counting and
 * judging audit-events.c, audit-exceptions.c and audit-collect.c, which are pure; the renderers show
 * what stands in the report and judge nothing. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "credctl/context.h"

typedef struct AuditQuestion {
        uint64_t since_usec, until_usec; /* until is not in it */
        bool as_of;                      /* who had access at since_usec */
        uint64_t now_usec, long_lived_usec;
        const char *user, *role; /* NULL: all */
        int64_t uid;             /* of user; -1: not known */
} AuditQuestion;

/* What the events of the period say, kept small: a year has many. */
typedef struct AuditEvents {
        const AuditQuestion *question;
        uint64_t logins_accepted, logins_refused, actions_refused;
        uint64_t last_usec;     /* of the event before the one that comes next; 0: none */
        json_t *gaps;           /* [{from_usec, to_usec}]: credd was not there */
        json_t *unsynchronised; /* [{from_usec, to_usec}] */
        json_t *steps;          /* [{time_usec, by_usec}]: the wall clock was set */
        json_t *bound;          /* [{session, leader, time_usec}]: sessions that are credd's */
        json_t *sources;        /* refused logins, by who was asked for and from where */
        bool clock_unknown, clock_synchronised;
} AuditEvents;

int audit_events_init(AuditEvents *events, const AuditQuestion *question);
void audit_events_done(AuditEvents *events);
/* The next row of Events, in order. 0, or -ENOMEM. */
int audit_events_note(AuditEvents *events, const json_t *row);

/* All borrowed. */
typedef struct AuditInput {
        AuditQuestion question;
        const AuditEvents *events;
        json_t *origin;      /* host, machine_id, version, zone, generated_by */
        json_t *head;        /* of the chain */
        json_t *credentials; /* as Audit sends them */
        json_t *users;       /* patterns: for whom a role would let somebody issue */
        json_t *logins; /* of logind: [{user, session, leader, time_usec}]; NULL: not readable */
        const char *no_logins; /* why */
        uint64_t journal_begin_usec, events_begin_usec;
} AuditInput;

/* The report, new. The credentials become part of it. */
int audit_collect(const AuditInput *input, json_t **ret_report);
/* Adds "exceptions" to the report, the worst first, and to each credential the kinds of its own. */
int audit_exceptions(const AuditInput *input, json_t *report);

/* Whether there is one of a kind. */
uint64_t audit_count(const json_t *report, const char *kind);
/* NULL: there is no such kind; else the name, which lives for ever. */
const char *audit_kind(const char *name, size_t len);

/* Reads what input lacks and makes the report. As credctl/outcome.h says. */
int audit_read(const Context *context, const AuditQuestion *question, json_t **ret_report);

void audit_table_print(const Context *context, const json_t *report);
int audit_csv_print(const Context *context, const json_t *report);
/* One cell, new: quoted as RFC 4180 has it, and no formula to a spreadsheet. Pure. */
char *audit_csv_cell(const char *text);
