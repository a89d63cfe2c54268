/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl time: what is left of the session that asks. The length is credd's figure, counted on the
 * clock that decides; the moment is where the wall clock will stand then. */
#include <stdio.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/credentials.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"

static const char *moment_of(const json_t *record, const char *name,
                             char buffer[static WHEN_TEXT_MAX])
{
        uint64_t usec;

        if (!record_number(record, name, &usec) || !when_format(usec, WHEN_LOCAL, buffer))
                snprintf(buffer, WHEN_TEXT_MAX, "-");
        return buffer;
}

/* Below a second is nothing: the two moments are cut down to the microsecond each. */
static void print_ceiling(const Context *context, const json_t *credential, const json_t *session)
{
        uint64_t ceiling = record_number_or(credential, "ceiling_usec", 0);
        uint64_t deadline = record_number_or(session, "deadline_usec", 0);
        uint64_t room = ceiling > deadline ? ceiling - deadline : 0;
        char moment[WHEN_TEXT_MAX], length[DURATION_TEXT_MAX], text[RECORD_TEXT_MAX];

        moment_of(credential, "ceiling_usec", moment);
        if (room < USEC_PER_SEC)
                snprintf(text, sizeof text, "%s: no extension can give more than this", moment);
        else
                snprintf(text, sizeof text, "%s: an extension can give %s more at most", moment,
                         duration_format(room - room % USEC_PER_SEC, length));
        output_item(context, STYLE_PLAIN, 12, "ceiling", text);
}

static void print_time(const Context *context, const json_t *credential, const json_t *session)
{
        uint64_t left = record_number_or(session, "left_usec", 0);
        char moment[WHEN_TEXT_MAX], length[DURATION_TEXT_MAX];

        /* Of a minute's microseconds nobody has anything; of the last second's neither. */
        duration_format(left - left % USEC_PER_SEC, length);
        if (context->quiet) {
                output_line(context, STYLE_PLAIN, "%s", length);
                return;
        }
        output_line(context, left < 60 * USEC_PER_SEC ? STYLE_ALARM : STYLE_HEADING,
                    "time left   %s, until %s", length,
                    moment_of(session, "deadline_usec", moment));
        output_line(context, STYLE_PLAIN, "credential  %s, for %s",
                    record_text_or(credential, "id", "?"), record_text_or(credential, "user", "?"));
        print_ceiling(context, credential, session);
        output_line(context, STYLE_PLAIN, "To give it back and leave: credctl done");
}

int verb_time_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *reply = NULL, *sessions = NULL;
        json_t *credential, *session;
        int r;

        (void)arguments;
        r = connection_read(context, "Time", NULL, &reply);
        if (r != 0)
                return r;
        if (record_member(reply, "credential", JSON_OBJECT, &credential) < 0 ||
            record_member(reply, "session", JSON_OBJECT, &session) < 0)
                return -EBADMSG;
        if (context->form != OUTPUT_JSON) {
                print_time(context, credential, session);
                return 0;
        }
        sessions = json_pack("[O]", session);
        return sessions ? credentials_print_json(context, credential, sessions) : -ENOMEM;
}
