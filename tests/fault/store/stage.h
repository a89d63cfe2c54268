/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of a store that fails share: what one process tells the next about what it was answered,
 * and the audit, which must hold whatever happened. A process that fails an assertion ends, and says so. */
#pragma once

#include "tests/unit/login_rig.h"

#include <sys/mman.h>

#include "credd/digest.h"

typedef enum Said { SAID_NOTHING, SAID_YES, SAID_NO, SAID_UNKNOWN } Said;

/* A reply: yes; no, and why is no matter; or that nobody knows. */
static inline Said said_by(const json_t *reply)
{
        const char *error = reply ? json_string_value(json_object_get(reply, "error")) : NULL;

        if (!reply)
                return SAID_NOTHING;
        if (!error)
                return SAID_YES;
        return strstr(error, ".Unavailable") ? SAID_UNKNOWN : SAID_NO;
}

/* --- a client that takes no for an answer, and silence --- */

static inline bool is_over(const Rig *rig)
{
        return sd_event_get_state(rig->manager->event) == SD_EVENT_FINISHED;
}

static inline void turn(Rig *rig)
{
        if (!is_over(rig))
                assert_true(sd_event_run(rig->manager->event, 5000) >= 0);
}

/* Until it is answered, or nobody is there any more who could. */
static inline char *listen_for(Rig *rig, int fd)
{
        char *text = calloc(1, REPLY_MAX);
        size_t len = 0;
        ssize_t n = 0;

        assert_non_null(text);
        for (unsigned waited = 0; len == 0 || text[len - 1] != '\0'; waited++) {
                bool over = is_over(rig);

                assert_true(waited < PATIENCE_MS);
                n = recv(fd, text + len, REPLY_MAX - len, MSG_DONTWAIT);
                if (n > 0)
                        len += (size_t)n;
                else if (n == 0 || over)
                        break;
                else
                        turn(rig);
        }
        if (len > 0 && text[len - 1] == '\0')
                return text;
        free(text);
        return NULL;
}

/* Takes the parameters. NULL: no answer. */
static inline json_t *ask(Rig *rig, const char *path, const char *method, json_t *parameters)
{
        AUTO_FREE char *text = call_text(method, parameters), *reply = NULL;
        AUTO_CLOSE int fd = -1;

        if (is_over(rig))
                return NULL;
        fd = rig_connect(path);
        rig_send(fd, text, strlen(text) + 1);
        reply = listen_for(rig, fd);
        return reply ? json_loads(reply, 0, NULL) : NULL;
}

static inline Said offer(Rig *rig, const char *token)
{
        json_auto_t *reply =
                ask(rig, rig->login, "io.credd.Login.Authenticate", question("token", token));

        return said_by(reply);
}

/* --- the audit --- */

/* How often each thing happened to one credential, by its events. */
typedef struct Story {
        int64_t credential, last;
        unsigned issued, extended, accepted, used_up, opened, ended, revoked, receipts;
} Story;

static inline void story_add(Story *story, const char *name)
{
        const struct {
                const char *name;
                unsigned *count;
        } table[] = {
                {"credential-issued", &story->issued},
                {"credential-extended", &story->extended},
                {"login-accepted", &story->accepted},
                {"credential-used-up", &story->used_up},
                {"session-opened", &story->opened},
                {"session-ended", &story->ended},
                {"credential-revoked", &story->revoked},
                {"credential-deprovisioned", &story->receipts},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                *table[i].count += strcmp(name, table[i].name) == 0;
}

static inline Story story_of(Store *store, int64_t credential)
{
        Story story = {.credential = credential};
        int64_t seq = 0;

        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};
                int r = store_next_event(store, seq, &row);

                assert_true(r >= 0);
                if (r == 0)
                        return story;
                seq = row.seq;
                if (row.credential != credential)
                        continue;
                assert_int_equal(row.previous, story.last);
                story.last = row.seq;
                story_add(&story, row.name);
        }
}

typedef struct Count {
        unsigned n, live;
} Count;

static inline bool count_session(void *userdata, SessionRow *row)
{
        Count *count = userdata;

        count->n++;
        count->live += row->ended_usec == USEC_INFINITY;
        return true;
}

typedef struct Audit {
        Store *store;
        unsigned logins; /* of all credentials */
} Audit;

static inline Count logins_of(Store *store, int64_t credential)
{
        Count count = {0};

        for (int64_t num = 1;; num++) {
                CLEANUP(login_done) Login login = {0};

                if (store_find_login(store, num, &login) <= 0)
                        return count;
                if (login.credential != credential)
                        continue;
                count.n++;
                count.live += login.state == LOGIN_ACCEPTED;
        }
}

/* The row, what happened to it by the chain, and the rows beside it say the same. */
static inline bool audit_credential(void *userdata, Credential *c)
{
        Audit *audit = userdata;
        Story story = story_of(audit->store, c->num);
        CLEANUP(receipt_done) Receipt receipt = {0};
        CLEANUP(revocation_done) Revocation revocation = {0};
        Count sessions = {0}, logins = logins_of(audit->store, c->num);

        assert_int_equal(store_each_session(audit->store, SESSIONS_OF, c->num, 0, 1000,
                                            count_session, &sessions),
                         0);
        assert_int_equal(c->last_event, story.last);
        assert_int_equal(story.issued, 1);
        assert_int_equal(c->uses - c->uses_left, logins.n);
        assert_int_equal(story.accepted, logins.n);
        assert_int_equal(story.opened, sessions.n);
        assert_int_equal(story.ended, sessions.n - sessions.live);
        assert_int_equal(c->open_logins, logins.live + sessions.live);
        assert_int_equal(story.revoked, store_find_revocation(audit->store, c->num, &revocation));
        assert_int_equal(story.revoked, c->cause == CAUSE_REVOKED);
        assert_int_equal(story.used_up, c->uses_left == 0);
        assert_int_equal(story.receipts, store_find_receipt(audit->store, c->num, &receipt));
        assert_int_equal(c->has_hash, c->cause == CAUSE_NONE);
        audit->logins += logins.n;
        return true;
}

static inline void audit_store(Store *store)
{
        Audit audit = {.store = store};
        int64_t wrong = 0;
        uint8_t head[HASH_LEN];
        CLEANUP(event_row_done) EventRow last = {0};

        assert_int_equal(store_check_chain(store, &wrong), 0);
        assert_int_equal(store_each_credential(store, 0, 1000, audit_credential, &audit), 0);
        /* none is of a credential that is not there */
        for (int64_t num = 1; audit.logins > 0; num++, audit.logins--) {
                CLEANUP(login_done) Login login = {0};

                assert_int_equal(store_find_login(store, num, &login), 1);
        }
        if (store_head(store, head) == 0)
                return;
        assert_int_equal(store_read_event(store, store_newest_event(store), &last), 1);
        assert_memory_equal(last.hash, head, HASH_LEN);
}

/* The file itself, that nobody has open. */
static inline void audit_file(const char *folder)
{
        char path[SCRATCH_PATH_MAX], what[256] = "";
        int r = store_check_file(scratch_path(folder, "credd.db", path), what, sizeof(what));

        if (r < 0)
                fail_msg("the file is not sound: %s %s", strerror(-r), what);
}

static inline void show(int fd)
{
        char line[4096];
        ssize_t n;

        (void)fflush(NULL);
        while ((n = read(fd, line, sizeof(line))) > 0)
                (void)!write(STDERR_FILENO, line, (size_t)n);
}

/* In a process of its own, as a test, so that an assertion ends it. 0: nothing has failed, or it ended by
 * _exit(0); what it wrote is shown otherwise. */
static inline int in_child(CMUnitTestFunction play, void *userdata)
{
        const struct CMUnitTest tests[] = {{"in a child", play, NULL, NULL, userdata}};
        AUTO_CLOSE int said = memfd_create("said", MFD_CLOEXEC);
        int status = 0;
        pid_t pid;

        assert_true(said >= 0);
        (void)fflush(NULL);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
                        _exit(98);
                status = cmocka_run_group_tests(tests, NULL, NULL);
                (void)fflush(NULL);
                _exit(status);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status != 0 && lseek(said, 0, SEEK_SET) == 0)
                show(said);
        return status;
}
