/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl doctor: looks at all that logins with tokens and their ends need, in the order in which one
 * thing rests on another, and says of each what is wrong and what to do. Changes nothing. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "credctl/doctor.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"

#define INDENT 18

static const struct {
        const char *name;
        void (*run)(Doctor *doctor);
} checks[] = {
        {"daemon", doctor_check_daemon},
        {"version", doctor_check_version},
        {"accounts", doctor_check_people},
        {"state", doctor_check_state},
        {"polkit", doctor_check_polkit},
        {"logind", doctor_check_logind},
        {"pam-sshd", doctor_check_pam_sshd},
        {"pam-login", doctor_check_pam_login},
        {"pam-files", doctor_check_pam_files},
        {"sshd", doctor_check_sshd},
        {"nss", doctor_check_nss},
        {"users", doctor_check_users},
        {"clock", doctor_check_clock},
        {"journal", doctor_check_journal},
        {"timers", doctor_check_timers},
};

/* Also without root and with nothing running: what cannot be seen is a finding. */
static int examine(Doctor *doctor)
{
        doctor->findings = json_array();
        doctor->root = geteuid() == 0;
        if (!doctor->findings)
                return -ENOMEM;
        (void)bus_open(&doctor->bus);
        for (size_t i = 0; i < ELEMENTSOF(checks) && doctor->error == 0; i++) {
                doctor->check = checks[i].name;
                doctor->n_before = json_array_size(doctor->findings);
                checks[i].run(doctor);
        }
        return doctor->error;
}

static Style style_of(const char *level)
{
        if (strcmp(level, "ok") == 0)
                return STYLE_GOOD;
        return strcmp(level, "note") == 0 ? STYLE_PLAIN : STYLE_ALARM;
}

static void print_one(const Context *context, const json_t *one)
{
        const char *level = record_text_or(one, "level", "?");
        const char *mend = record_text(one, "mend");
        char label[32], text[1024];
        bool wrong = strcmp(level, "warning") == 0 || strcmp(level, "error") == 0;

        if (context->quiet && !wrong)
                return;
        snprintf(label, sizeof label, "%-7s %-9s", level, record_text_or(one, "check", "?"));
        output_item(context, style_of(level), INDENT, label, record_text_or(one, "finding", "?"));
        if (!mend)
                return;
        snprintf(text, sizeof text, "mend: %.1000s", mend);
        output_paragraph(context, INDENT, text);
}

static void print_sum(const Context *context, const Doctor *doctor)
{
        static const char *const sums[LEVEL_MAX] = {
                [LEVEL_OK] = "All is well.",
                [LEVEL_NOTE] = "Nothing is wrong.",
                [LEVEL_WARNING] = "It works, and the warnings deserve a look.",
                [LEVEL_ERROR] = "The errors keep credd from what it is there for.",
        };

        if (!context->quiet)
                output_line(context, doctor->worst == LEVEL_ERROR ? STYLE_ALARM : STYLE_PLAIN, "%s",
                            sums[doctor->worst]);
}

int verb_doctor_run(const Context *context, const Arguments *arguments)
{
        CLEANUP(doctor_done) Doctor doctor = {.context = context};
        json_t *one;
        size_t i;
        int r = examine(&doctor);

        (void)arguments;
        if (r < 0)
                return r;
        if (context->form == OUTPUT_JSON) {
                r = output_json(context, "checks", doctor.findings);
        } else {
                json_array_foreach (doctor.findings, i, one)
                        print_one(context, one);
                print_sum(context, &doctor);
        }
        return doctor.worst == LEVEL_ERROR ? outcome_worse(r, OUTCOME_FOUND) : r;
}
