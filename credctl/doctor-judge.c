/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks are not matched against patterns: they are run with answers that could be given, and what
 * comes of that is what is judged. So a jump that lands on the wrong line is found, however it is
 * written. What the other modules would answer is not known; each is taken to be one of four sorts,
 * and what is not known by name counts as something that may let in. */
#include "credctl/doctor-judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SERVICES_DEFAULT "sshd,login"
#define ENABLE           "run pam-auth-update --enable ephemeral"
#define AGAIN            "see man pam_ephemeral for the lines, or let pam-auth-update write them"

/* tests/unit/test_doctor_judge.c holds this against the module's own table. */
static const char *const options[] = {
        "socket=",  "timeout=",       "prompt=",        "services=",
        "min_uid=", "try_first_pass", "use_first_pass", "require_credential=",
        "debug",
};

/* They say yes to everybody, or have no part in who gets in. */
static const char *const helpers[] = {
        "pam_permit",   "pam_faildelay", "pam_nologin",   "pam_env",      "pam_group",
        "pam_keyinit",  "pam_selinux",   "pam_loginuid",  "pam_motd",     "pam_mail",
        "pam_limits",   "pam_umask",     "pam_lastlog",   "pam_lastlog2", "pam_securetty",
        "pam_warn",     "pam_echo",      "pam_issue",     "pam_systemd",  "pam_mkhomedir",
        "pam_faillock", "pam_namespace", "pam_tty_audit", "pam_shells",
};

/* They look at who it is, not whether it is that person: yes to some. */
static const char *const conditions[] = {"pam_succeed_if", "pam_localuser", "pam_rootok",
                                         "pam_listfile",   "pam_wheel",     "pam_access",
                                         "pam_time",       "pam_usertype",  "pam_debug"};

static bool is_one_of(const PamLine *line, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (pam_line_is(line, names[i]))
                        return true;
        return false;
}

const char *judge_wrong_option(const PamLine *line)
{
        for (size_t i = 0; i < line->n_arguments; i++) {
                bool known = false;

                for (size_t j = 0; j < ELEMENTSOF(options); j++) {
                        size_t len = strlen(options[j]);
                        bool value = options[j][len - 1] == '=';

                        known = known || (value ? strncmp(line->arguments[i], options[j], len) == 0
                                                : strcmp(line->arguments[i], options[j]) == 0);
                }
                if (!known)
                        return line->arguments[i];
        }
        return NULL;
}

static const char *services_of(const PamLine *line)
{
        const char *services = SERVICES_DEFAULT;

        for (size_t i = 0; i < line->n_arguments; i++)
                if (strncmp(line->arguments[i], "services=", 9) == 0)
                        services = line->arguments[i] + 9;
        return services;
}

bool judge_line_serves(const PamLine *line, const char *service)
{
        if (!pam_line_is(line, JUDGE_MODULE))
                return false;
        for (const char *p = services_of(line); *p; p += strspn(p, ",")) {
                size_t len = strcspn(p, ",");

                if (len == strlen(service) && strncasecmp(p, service, len) == 0)
                        return true;
                p += len;
        }
        return false;
}

/* --- one way a login could go --- */

typedef struct Trial {
        const char *service;
        PamKind kind;
        PamCode ours, others, conditions;
        const PamLine *yes; /* says yes whatever else; NULL: none */
        bool asked;         /* out: a line of ours was reached */
} Trial;

static PamCode standing_aside(PamKind kind)
{
        switch (kind) {
        case PAM_KIND_AUTH:
                return PAM_CODE_CRED_INSUFFICIENT;
        case PAM_KIND_ACCOUNT:
                return PAM_CODE_IGNORE;
        case PAM_KIND_SESSION:
        case PAM_KIND_MAX:
                break;
        }
        return PAM_CODE_SUCCESS;
}

static PamCode answer(void *userdata, const PamLine *line)
{
        Trial *trial = userdata;

        if (judge_line_serves(line, trial->service)) {
                trial->asked = true;
                return trial->ours;
        }
        if (line == trial->yes)
                return PAM_CODE_SUCCESS;
        if (pam_line_is(line, JUDGE_MODULE))
                return standing_aside(trial->kind);
        if (pam_line_is(line, "pam_deny"))
                return PAM_CODE_AUTH_ERR;
        if (is_one_of(line, helpers, ELEMENTSOF(helpers)))
                return PAM_CODE_SUCCESS;
        return is_one_of(line, conditions, ELEMENTSOF(conditions)) ? trial->conditions
                                                                   : trial->others;
}

typedef struct Judge {
        const char *service;
        PamKind kind;
        const PamStack *stack;
        JudgeFound found;
        void *userdata;
} Judge;

__attribute__((format(printf, 4, 5))) static void say(const Judge *judge, Level level,
                                                      const char *mend, const char *format, ...)
{
        char text[512];
        va_list values;

        va_start(values, format);
        (void)vsnprintf(text, sizeof text, format, values);
        va_end(values);
        judge->found(judge->userdata, level, text, mend);
}

static bool try(const Judge *judge, PamCode ours, PamCode others, PamCode condition,
                bool *ret_asked)
{
        Trial trial = {.service = judge->service,
                       .kind = judge->kind,
                       .ours = ours,
                       .others = others,
                       .conditions = condition};
        bool in = pam_stack_lets_in(judge->stack, answer, &trial);

        if (ret_asked)
                *ret_asked = trial.asked;
        return in;
}

/* Whatever the conditions say. */
static bool may_let_in(const Judge *judge, PamCode ours, PamCode others)
{
        return try(judge, ours, others, PAM_CODE_SUCCESS, NULL) ||
               try(judge, ours, others, PAM_CODE_AUTH_ERR, NULL);
}

static const PamLine *our_line(const Judge *judge)
{
        for (size_t i = 0; i < judge->stack->n; i++)
                if (judge_line_serves(&judge->stack->lines[i], judge->service))
                        return &judge->stack->lines[i];
        return NULL;
}

/* --- auth --- */

/* A yes of what stands before us must not be the end of it. */
static void judge_before_us(const Judge *judge, const PamLine *ours)
{
        for (const PamLine *line = judge->stack->lines; line < ours; line++) {
                Trial trial = {.service = judge->service,
                               .kind = judge->kind,
                               .ours = PAM_CODE_AUTH_ERR,
                               .others = PAM_CODE_AUTH_ERR,
                               .conditions = PAM_CODE_AUTH_ERR,
                               .yes = line};

                if (line->substack || line->broken || pam_line_is(line, JUDGE_MODULE))
                        continue;
                if (pam_stack_lets_in(judge->stack, answer, &trial) && !trial.asked)
                        say(judge, LEVEL_ERROR,
                            "put the line of pam_ephemeral before it: what is typed goes there "
                            "first, a token too",
                            "%s:%u: %s lets people in before credd is asked", line->file,
                            line->number, line->module);
        }
}

static void judge_refusals(const Judge *judge)
{
        static const struct {
                PamCode ours;
                const char *what;
        } refusals[] = {
                {PAM_CODE_AUTH_ERR, "a refused token"},
                {PAM_CODE_AUTHINFO_UNAVAIL, "any token while credd is away"},
                {PAM_CODE_CRED_INSUFFICIENT, "a wrong password"},
                {PAM_CODE_SYSTEM_ERR, "anything, while an option is misspelt,"},
                {PAM_CODE_MODULE_UNKNOWN, "anything, while the module is not there,"},
        };

        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                if (may_let_in(judge, refusals[i].ours, PAM_CODE_AUTH_ERR))
                        say(judge, LEVEL_ERROR,
                            "disable password logins until it is mended; " AGAIN,
                            "%s: %s lets in, though no module says yes to it (pam_permit?)",
                            judge->service, refusals[i].what);
        if (may_let_in(judge, PAM_CODE_AUTH_ERR, PAM_CODE_SUCCESS))
                say(judge, LEVEL_WARNING, "let the line say auth_err=die",
                    "%s: a token that was refused goes on to the next module", judge->service);
}

static void judge_auth(const Judge *judge, const PamLine *ours)
{
        judge_before_us(judge, ours);
        judge_refusals(judge);
        if (may_let_in(judge, PAM_CODE_SUCCESS, PAM_CODE_AUTH_ERR))
                return;
        if (may_let_in(judge, PAM_CODE_SUCCESS, PAM_CODE_SUCCESS))
                say(judge, LEVEL_WARNING, "nothing, if that is wanted; else " AGAIN,
                    "%s: a right token alone does not let in, other modules must agree",
                    judge->service);
        else
                say(judge, LEVEL_ERROR, AGAIN, "%s: a right token does not let in", judge->service);
}

/* --- account --- */

static void judge_account(const Judge *judge, const PamLine *ours)
{
        static const PamCode denials[] = {PAM_CODE_ACCT_EXPIRED, PAM_CODE_PERM_DENIED,
                                          PAM_CODE_AUTHINFO_UNAVAIL, PAM_CODE_SYSTEM_ERR};
        bool asked;

        for (size_t i = 0; i < ELEMENTSOF(denials); i++)
                if (may_let_in(judge, denials[i], PAM_CODE_SUCCESS)) {
                        say(judge, LEVEL_ERROR, AGAIN,
                            "%s:%u: what pam_ephemeral denies (account) is let in all the same",
                            ours->file, ours->number);
                        break;
                }
        (void)try(judge, PAM_CODE_IGNORE, PAM_CODE_NEW_AUTHTOK_REQD, PAM_CODE_SUCCESS, &asked);
        if (!asked)
                say(judge, LEVEL_WARNING, "put the line before pam_unix; " AGAIN,
                    "%s:%u: with an expired password the account line is passed over", ours->file,
                    ours->number);
        if (!may_let_in(judge, PAM_CODE_IGNORE, PAM_CODE_SUCCESS))
                say(judge, LEVEL_ERROR, AGAIN, "%s: nobody gets in without a token (account)",
                    judge->service);
        else if (!may_let_in(judge, PAM_CODE_MODULE_UNKNOWN, PAM_CODE_SUCCESS))
                say(judge, LEVEL_WARNING, "let the line say module_unknown=ignore",
                    "%s: were the module away, nobody would get in (account)", judge->service);
}

/* --- session --- */

static const PamLine *line_of(const PamStack *stack, const char *module)
{
        for (size_t i = 0; i < stack->n; i++)
                if (pam_line_is(&stack->lines[i], module))
                        return &stack->lines[i];
        return NULL;
}

static void judge_session(const Judge *judge, const PamLine *ours)
{
        const PamLine *systemd = line_of(judge->stack, "pam_systemd");
        bool asked;

        (void)try(judge, PAM_CODE_SUCCESS, PAM_CODE_SUCCESS, PAM_CODE_SUCCESS, &asked);
        if (!asked)
                say(judge, LEVEL_ERROR, AGAIN,
                    "%s:%u: the session line is never reached, so that credd ends each login as "
                    "unclaimed",
                    ours->file, ours->number);
        if (!systemd)
                say(judge, LEVEL_WARNING, "install libpam-systemd and run pam-auth-update",
                    "%s: no pam_systemd, so sessions have no scope of their own", judge->service);
        else if (ours > systemd)
                say(judge, LEVEL_ERROR, "put it before pam_systemd; " AGAIN,
                    "%s:%u: the session line stands behind pam_systemd, so that systemd knows no "
                    "end of it",
                    ours->file, ours->number);
        if (may_let_in(judge, PAM_CODE_SESSION_ERR, PAM_CODE_SUCCESS))
                say(judge, LEVEL_WARNING, "let the line say default=die",
                    "%s:%u: a session that credd refuses is opened, and ended afterwards",
                    ours->file, ours->number);
        if (!may_let_in(judge, PAM_CODE_MODULE_UNKNOWN, PAM_CODE_SUCCESS))
                say(judge, LEVEL_WARNING, "let the line say module_unknown=ignore",
                    "%s: were the module away, nobody would get in (session)", judge->service);
}

/* --- one stack, whatever its kind --- */

static void judge_lines(const Judge *judge)
{
        for (size_t i = 0; i < judge->stack->n; i++) {
                const PamLine *line = &judge->stack->lines[i];
                const char *wrong = NULL;

                if (line->broken)
                        say(judge, LEVEL_WARNING, "write it as pam.conf(5) says",
                            "%s:%u: libpam does not understand this line, and denies", line->file,
                            line->number);
                else if (judge_line_serves(line, judge->service))
                        wrong = judge_wrong_option(line);
                if (wrong)
                        say(judge, LEVEL_ERROR, "take it out, or see man pam_ephemeral",
                            "%s:%u: pam_ephemeral has no option %s, and denies every token",
                            line->file, line->number, wrong);
        }
}

static void judge_stack(const Judge *judge)
{
        static void (*const judges[PAM_KIND_MAX])(const Judge *, const PamLine *) = {
                judge_auth, judge_account, judge_session};
        const PamLine *ours = our_line(judge);

        judge_lines(judge);
        if (judge->stack->missing)
                say(judge, LEVEL_ERROR, "put the file back, or take the include out",
                    "%s includes %s, which is not there: libpam denies", judge->service,
                    judge->stack->missing);
        else if (!ours)
                say(judge, LEVEL_ERROR, ENABLE, "%s: no %s line of pam_ephemeral", judge->service,
                    pam_kind_name(judge->kind));
        else
                judges[judge->kind](judge, ours);
}

void judge_service(const char *service, const PamStack stacks[static PAM_KIND_MAX],
                   JudgeFound found, void *userdata)
{
        for (PamKind kind = 0; kind < PAM_KIND_MAX; kind++) {
                const Judge judge = {.service = service,
                                     .kind = kind,
                                     .stack = &stacks[kind],
                                     .found = found,
                                     .userdata = userdata};

                judge_stack(&judge);
        }
}
