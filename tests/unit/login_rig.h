/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* People at the doors of a Rig: who gets a token, who logs in with it, and what became of it. A
 * person who must be another process is a child of the test. */
#pragma once

#include "tests/unit/manager_rig.h"

#include <sys/prctl.h>

#include "credd/store.h"

#define PERSON    54321 /* nobody's, on any machine */
#define PERSON_FD 900   /* where a person has what it is asked by, and the next for its replies */

/* Issues one for deploy; the token, to be freed. more: further parameters, taken; may be NULL. */
static inline char *issue(Rig *rig, json_t *more, char ret_id[static TOKEN_ID_LEN + 1])
{
        json_t *parameters = json_pack("{ss si}", "user", "deploy", "uid", PERSON);
        json_auto_t *reply = NULL;
        char *token;

        if (more)
                assert_int_equal(json_object_update_new(parameters, more), 0);
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Issue", parameters);
        token = strdup(reply_text(reply, "token", NULL));
        assert_non_null(token);
        (void)snprintf(ret_id, TOKEN_ID_LEN + 1, "%s", reply_text(reply, "credential", "id"));
        return token;
}

static inline json_t *question(const char *name, const char *secret)
{
        return json_pack("{ss si ss ss ss ss}", "user", "deploy", "uid", PERSON, "service", "sshd",
                         "tty", "ssh", "rhost", "10.1.2.3", name, secret);
}

static inline json_t *authenticate(Rig *rig, const char *token)
{
        return rig_call(rig, rig->login, "io.credd.Login.Authenticate", question("token", token));
}

/* The login of a token that is accepted, to be freed. */
static inline char *log_in(Rig *rig, const char *token)
{
        json_auto_t *reply = authenticate(rig, token);
        char *login = strdup(reply_text(reply, "login", NULL));

        assert_non_null(login);
        return login;
}

static inline Credential find(Rig *rig, const char *id)
{
        Credential c = {0};

        assert_int_equal(store_find_credential(rig->manager->store, id, &c), 1);
        return c;
}

static inline bool has_receipt(Rig *rig, const char *id, const char *verdict)
{
        AUTO_CREDENTIAL Credential c = find(rig, id);
        CLEANUP(receipt_done) Receipt receipt = {0};
        int r = store_find_receipt(rig->manager->store, c.num, &receipt);

        assert_true(r >= 0);
        if (r > 0)
                assert_string_equal(receipt.verdict, verdict);
        return r > 0;
}

static inline void await_receipt(Rig *rig, const char *id, const char *verdict)
{
        for (unsigned waited = 0; !has_receipt(rig, id, verdict); waited += 5) {
                assert_true(waited < PATIENCE_MS);
                rig_turn(rig);
        }
}

static inline unsigned count_events(Rig *rig, const char *name)
{
        unsigned n = 0;
        int64_t seq = 0;

        for (;;) {
                CLEANUP(event_row_done) EventRow row = {0};
                int r = store_next_event(rig->manager->store, seq, &row);

                assert_true(r >= 0);
                if (r == 0)
                        return n;
                seq = row.seq;
                n += strcmp(row.name, name) == 0;
        }
}

typedef struct Person {
        pid_t pid;
        int ask, reply;
} Person;

#define NO_PERSON                                                                                  \
        {                                                                                          \
                .pid = -1, .ask = -1, .reply = -1                                                  \
        }

/* The life of that process: calls as they are asked for, until one gets no reply. */
static inline void person_live(const char *path, const Person *person)
{
        AUTO_FREE char *text = calloc(1, REPLY_MAX);
        bool answered = text;

        while (answered) {
                size_t len = 0;
                char c = '\0';
                int fd;

                do
                        if (len == REPLY_MAX || read(person->ask, &text[len], 1) != 1)
                                return;
                while (text[len++]);
                fd = rig_connect(path);
                rig_send(fd, text, len);
                for (answered = false; read(fd, &c, 1) == 1; answered = true)
                        if (write(person->reply, &c, 1) != 1)
                                return;
                (void)close(fd);
        }
}

/* The next call of a person; takes the parameters. */
static inline void person_ask(const Person *person, const char *method, json_t *parameters)
{
        AUTO_FREE char *text = call_text(method, parameters);
        ssize_t len = (ssize_t)strlen(text) + 1;

        assert_int_equal(write(person->ask, text, (size_t)len), len);
}

/* A process that makes a call as uid, hands the reply on and then stays. */
static inline Person person_new(const char *path, uid_t uid, const char *method, json_t *parameters)
{
        int calls[2], replies[2];
        Person person;

        assert_int_equal(pipe2(calls, O_CLOEXEC), 0);
        assert_int_equal(pipe2(replies, O_CLOEXEC), 0);
        person.pid = fork();
        assert_true(person.pid >= 0);
        if (person.pid == 0) {
                /* Nothing of the daemon's stays open in it, and it does not outlive the test. */
                if (setpgid(0, 0) < 0 || (uid != 0 && setresuid(uid, uid, uid) < 0) ||
                    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(calls[0], PERSON_FD) < 0 ||
                    dup2(replies[1], PERSON_FD + 1) < 0 || close_range(3, PERSON_FD - 1, 0) < 0 ||
                    close_range(PERSON_FD + 2, ~0U, 0) < 0)
                        _exit(1);
                person_live(path, &(Person){.ask = PERSON_FD, .reply = PERSON_FD + 1});
                (void)close(PERSON_FD + 1);
                for (;;)
                        (void)pause();
        }
        (void)close(calls[0]);
        (void)close(replies[1]);
        person.ask = calls[1];
        person.reply = replies[0];
        person_ask(&person, method, parameters);
        return person;
}

/* One reply, without its end; NULL: there was none. */
static inline char *person_reply(Rig *rig, const Person *person)
{
        struct pollfd ready = {.fd = person->reply, .events = POLLIN};
        AUTO_FREE char *text = calloc(1, REPLY_MAX);

        assert_non_null(text);
        for (size_t len = 0, waited = 0; len < REPLY_MAX;) {
                if (poll(&ready, 1, 0) == 0) {
                        assert_true((waited += 5) < PATIENCE_MS);
                        rig_turn(rig);
                        continue;
                }
                if (read(person->reply, text + len, 1) <= 0 || !text[len])
                        return len > 0 ? take_ptr(text) : NULL;
                len++;
        }
        return NULL;
}

/* How it ended, of itself or by the daemon; its pid is nobody's from here on. */
static inline int person_wait(Person *person)
{
        int status = 0;

        assert_int_equal(waitpid(person->pid, &status, 0), person->pid);
        person->pid = -1;
        return status;
}

static inline void person_free(Person *person)
{
        if (person->pid > 1) {
                (void)kill(person->pid, SIGKILL);
                (void)waitpid(person->pid, NULL, 0);
        }
        if (person->ask >= 0)
                (void)close(person->ask);
        if (person->reply >= 0)
                (void)close(person->reply);
}

static inline Person open_session(Rig *rig, const char *login)
{
        Person person =
                person_new(rig->login, 0, "io.credd.Login.OpenSession", question("login", login));
        AUTO_FREE char *text = person_reply(rig, &person);
        json_auto_t *reply = text ? json_loads(text, 0, NULL) : NULL;
        int64_t left, backstop;

        assert_non_null(reply);
        left = json_integer_value(reply_at(reply, "left_usec", NULL));
        backstop = json_integer_value(reply_at(reply, "backstop_usec", NULL));
        assert_true(left > 0 && (uint64_t)left <= HOURS(1));
        assert_true(backstop >= left);
        return person;
}
