/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One login through libpam, phase by phase, as a host program goes: it stops where it is refused, but
 * closes what it opened. And what may be said of it when something failed on the way:
 *
 * - authenticate says PAM_SUCCESS only if credd got this token for this user and sent a whole grant;
 *   PAM_IGNORE never.
 * - account says PAM_SUCCESS only if authenticate did, a moment ago in this process, or if credd was asked
 *   about this very login and sent a whole yes. PAM_IGNORE only for who came without a token, and is not
 *   one of those who need a credential, or credd was asked and sent a whole yes.
 * - open_session says PAM_SUCCESS only if credd was asked and sent a whole yes, or for who came without a
 *   token and does not need a credential; and the session then has its variables and its backstop.
 * - setcred and close_session grant nothing; ours are PAM_SUCCESS whatever comes.
 *
 * So a fault may turn a yes into a no, and never a no into a yes or into silence. */
#pragma once

#define STAGE_SHIM
#include "tests/fault/shim.h"
#include "tests/pam/stage.h"

/* `make check` has no time for all of it. */
static inline bool journey_is_short(void)
{
        return getenv("FAULT_SHORT") != NULL;
}

/* Stands for PAM_IGNORE of our line: libpam would make another code of it. The module never says it. */
#define SAYS_IGNORE PAM_AUTHTOK_EXPIRED
#define NOT_REACHED (-1)

typedef enum Comes {
        WITH_TOKEN,    /* and stays in one process */
        WITH_NONCE,    /* authenticated in another process: sshd's keyboard-interactive */
        WITH_PASSWORD, /* for the next module */
        WITH_KEY,      /* the first that we hear is account */
} Comes;

typedef struct Scene {
        const char *name;
        Comes comes;
        const char *options;
        bool needs;    /* a credential: is in the group of require_credential= */
        bool outsider; /* there is such a group, and somebody else is in it */
        bool stranger; /* no account has the name */
        bool planted;  /* an earlier module has asked */
        bool emptied;  /* the nonce was taken out of the environment after authentication */
        bool narrow;   /* the host has closed its descriptor 0 */
        Plan plan;
        int auth, account, session; /* without a fault */
} Scene;

typedef struct Journey {
        int auth, account, session, setcred, close;
        bool leaks; /* the token to the modules behind us */
        bool lacks; /* what a session of ours has: its two variables, its end by PID 1 */
        uint64_t took_usec;
} Journey;

static inline void journey_add(char *lines, size_t size, const Stage *s, const Scene *scene,
                               const char *type, const char *member, const char *timeout)
{
        size_t len = strlen(lines);
        int n = snprintf(lines + len, size - len,
                         "%s [success=1 ignore=ignore default=die] %% timeout=%s %s %s%s\n"
                         "%s requisite pam_debug.so %s=authtok_expired\n"
                         "%s required pam_permit.so\n"
                         "%s optional pam_echo.so probe\n",
                         type, timeout, scene->options,
                         scene->needs || scene->outsider ? "require_credential=@" : "",
                         scene->needs      ? s->group
                         : scene->outsider ? s->other_group
                                           : "",
                         type, member, type, type);

        assert_true(n > 0 && (size_t)n < size - len);
}

static inline void journey_stack(Stage *s, const Scene *scene, const char *timeout)
{
        char lines[2048] = "";

        if (scene->planted)
                (void)snprintf(lines, sizeof(lines), "auth optional pam_echo.so plant\n");
        journey_add(lines, sizeof(lines), s, scene, "auth", "auth", timeout);
        journey_add(lines, sizeof(lines), s, scene, "account", "acct", timeout);
        journey_add(lines, sizeof(lines), s, scene, "session", "open_session", timeout);
        stage_stack(s, "sshd", lines);
}

static inline bool may_go_on(Comes comes, int auth)
{
        return auth == PAM_SUCCESS || (comes == WITH_PASSWORD && auth == PAM_CRED_INSUFFICIENT);
}

static inline bool is_variable(const Stage *s, const char *name, const char *value)
{
        const char *is = pam_getenv(s->pamh, name);

        return is && strcmp(is, value) == 0;
}

static inline bool has_all(const Stage *s)
{
        return is_variable(s, "CREDD_CREDENTIAL", CREDENTIAL) &&
               is_variable(s, "CREDD_EXPIRES", "2026-11-22T20:30:00Z") &&
               (s->probes == 0 || strcmp(s->backstop, "7202") == 0);
}

static inline void journey_phases(Stage *s, const Scene *scene, Journey *j)
{
        if (scene->comes == WITH_NONCE && pam_putenv(s->pamh, "CREDD_LOGIN=" NONCE) != PAM_SUCCESS)
                return;
        if (scene->comes == WITH_TOKEN || scene->comes == WITH_PASSWORD) {
                j->auth = pam_authenticate(s->pamh, 0);
                j->leaks = s->probes > 0 && s->has_authtok;
                if (!may_go_on(scene->comes, j->auth))
                        return;
        }
        if (scene->emptied)
                (void)pam_putenv(s->pamh, "CREDD_LOGIN");
        j->account = pam_acct_mgmt(s->pamh, 0);
        if (j->account != PAM_SUCCESS && j->account != SAYS_IGNORE)
                return;
        if (scene->comes != WITH_PASSWORD)
                j->setcred = pam_setcred(s->pamh, PAM_ESTABLISH_CRED);
        s->probes = 0;
        j->session = pam_open_session(s->pamh, 0);
        j->lacks = j->session == PAM_SUCCESS && !has_all(s);
        if (j->session == PAM_SUCCESS)
                j->close = pam_close_session(s->pamh, 0);
}

static inline const char *journey_answer(const Stage *s, const Scene *scene)
{
        return scene->comes == WITH_PASSWORD ? PASSWORD : s->token;
}

/* From a handle that is there to its end. */
static inline Journey journey_go(Stage *s, const Scene *scene)
{
        uint64_t before = client_deadline_usec(0);
        Journey j = {.auth = NOT_REACHED,
                     .account = NOT_REACHED,
                     .session = NOT_REACHED,
                     .setcred = PAM_SUCCESS,
                     .close = PAM_SUCCESS};

        journey_phases(s, scene, &j);
        j.took_usec = client_deadline_usec(0) - before;
        return j;
}

/* Whether credd was asked in these words and sent a whole yes. The record must be complete. */
static inline bool journey_granted(const Stage *s, const Scene *scene, const char *method,
                                   const char *yes, const char *proof)
{
        const Record *record = s->credd.record;
        char user[128];

        if (scene->plan.manner != ANSWER || !yes || strstr(yes, "\"error\""))
                return false;
        (void)snprintf(user, sizeof(user), "\"user\":\"%s\"", s->user);
        for (unsigned i = 0; i < record->connections && i < CALLS_MAX; i++)
                if (record->answered[i] && strstr(record->text[i], method) &&
                    strstr(record->text[i], user) && strstr(record->text[i], proof))
                        return true;
        return false;
}

static inline void journey_judge_account(const Stage *s, const Scene *scene, const Journey *j)
{
        bool login = scene->comes == WITH_TOKEN || scene->comes == WITH_NONCE;
        bool granted = journey_granted(s, scene, "io.credd.Login.CheckAccount",
                                       scene->plan.check_account, login ? NONCE : "\"login\":null");

        if (j->account == PAM_SUCCESS)
                assert_true(login && (j->auth == PAM_SUCCESS || granted));
        if (j->account == SAYS_IGNORE)
                assert_true(!login && (!scene->needs || granted));
}

static inline void journey_judge_session(const Stage *s, const Scene *scene, const Journey *j)
{
        bool login = scene->comes == WITH_TOKEN || scene->comes == WITH_NONCE;

        assert_int_not_equal(j->session, SAYS_IGNORE);
        if (j->session != PAM_SUCCESS || (!login && !scene->needs))
                return;
        assert_false(j->lacks);
        assert_true(journey_granted(s, scene, "io.credd.Login.OpenSession",
                                    scene->plan.open_session, login ? NONCE : "\"login\":null"));
}

static inline bool journey_clean(const char *text)
{
        return !text || !strchr(text, SHIM_POISON);
}

/* What was said, to whomever, is whole and is no secret. */
static inline void journey_judge_words(const Stage *s)
{
        const Record *record = s->credd.record;

        assert_not_logged(s->token);
        assert_not_logged(NONCE);
        assert_not_logged(PASSWORD);
        if (!journey_clean(stage_log.text) || !journey_clean(s->text))
                fail_msg("said: %s %s", stage_log.text, s->text);
        for (unsigned i = 0; i < record->connections && i < CALLS_MAX; i++) {
                assert_true(journey_clean(record->text[i]));
                assert_null(strstr(record->text[i], PASSWORD));
                assert_null(strstr(record->text[i], NOBODY));
        }
}

static inline void journey_judge(Stage *s, const Scene *scene, const Journey *j)
{
        fake_settle(&s->credd);
        assert_int_not_equal(j->auth, SAYS_IGNORE);
        assert_false(j->leaks);
        if (j->auth == PAM_SUCCESS)
                assert_true(journey_granted(s, scene, "io.credd.Login.Authenticate",
                                            scene->plan.authenticate, s->token));
        journey_judge_account(s, scene, j);
        journey_judge_session(s, scene, j);
        journey_judge_words(s);
}
