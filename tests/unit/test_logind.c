/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client against a private dbus-daemon and a login1 of our own, all on one event loop. Skipped
 * where there is no dbus-daemon, but for what needs no bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"
#include "credd/logind.h"

#define MANAGER      "org.freedesktop.login1.Manager"
#define LOGIND       "org.freedesktop.login1"
#define LOGIND_PATH  "/org/freedesktop/login1"
#define SESSION_PATH "/org/freedesktop/login1/session/"
#define LOG_SIZE     4096

typedef struct Fixture {
        char folder[32];
        char address[96], config[64], socket[64];
        pid_t daemon;
        sd_event *event;
        Logind *logind;
        char log[LOG_SIZE];   /* what the handlers heard, a word each */
        sd_bus *fake;         /* login1 */
        const char *sessions; /* one character each */
        const char *vanished; /* listed, but their objects are gone */
        const char *error;    /* the answer to every Manager call but ListSessions; "" is silence */
        unsigned fail_get_all; /* so many times */
        char client[64];       /* who asked for the list: the unique name of what is tested */
        char asked[256];       /* the last Manager call: member and arguments */
} Fixture;

static void note(Fixture *f, const char *what, const char *id)
{
        size_t n = strlen(f->log);

        assert_true(n + strlen(what) + strlen(id) + 2 < LOG_SIZE);
        (void)snprintf(f->log + n, LOG_SIZE - n, "%s%s ", what, id);
}

/* --- login1 --- */

/* Builds "/org/freedesktop/login1/session/X". */
static const char *session_path(char id, char path[static 64])
{
        (void)snprintf(path, 64, SESSION_PATH "%c", id);
        return path;
}

static void fake_list(Fixture *f, sd_bus_message *m)
{
        sd_bus_message *reply = NULL;
        char path[64];

        (void)snprintf(f->client, sizeof(f->client), "%s", sd_bus_message_get_sender(m));
        assert_return_code(sd_bus_message_new_method_return(m, &reply), errno);
        assert_return_code(sd_bus_message_open_container(reply, 'a', "(susso)"), errno);
        for (const char *id = f->sessions; *id; id++)
                assert_return_code(sd_bus_message_append(reply, "(susso)", (char[]){*id, 0},
                                                         UINT32_C(1001), "alice", "",
                                                         session_path(*id, path)),
                                   errno);
        assert_return_code(sd_bus_message_close_container(reply), errno);
        assert_return_code(sd_bus_send(f->fake, reply, NULL), errno);
        sd_bus_message_unref(reply);
}

static void fake_properties(Fixture *f, sd_bus_message *m)
{
        const char *id = sd_bus_message_get_path(m) + strlen(SESSION_PATH);
        char scope[32];

        if (f->fail_get_all > 0) {
                f->fail_get_all--;
                (void)sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FAILED, "not now");
                return;
        }
        if (strchr(f->vanished, *id)) {
                (void)sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "gone");
                return;
        }
        (void)snprintf(scope, sizeof(scope), "session-%s.scope", id);
        assert_return_code(sd_bus_reply_method_return(
                                   m, "a{sv}", 8, "Id", "s", id, "User", "(uo)", UINT32_C(1001),
                                   "/org/freedesktop/login1/user/_1001", "Scope", "s", scope,
                                   "Leader", "u", UINT32_C(4242), "Class", "s", "user", "Service",
                                   "s", "sshd", "TimestampMonotonic", "t", UINT64_C(1), "Seat",
                                   "(so)", "", "/"),
                           errno);
}

static void fake_manager(Fixture *f, sd_bus_message *m)
{
        const char *types = sd_bus_message_get_signature(m, 1);
        size_t n = (size_t)snprintf(f->asked, sizeof(f->asked), "%s", sd_bus_message_get_member(m));

        for (; *types; types++) {
                const char *text = "";
                uint32_t number = 0;

                assert_return_code(
                        sd_bus_message_read_basic(m, *types,
                                                  *types == 's' ? (void *)&text : (void *)&number),
                        errno);
                if (*types == 's')
                        n += (size_t)snprintf(f->asked + n, sizeof(f->asked) - n, " %s", text);
                else
                        n += (size_t)snprintf(f->asked + n, sizeof(f->asked) - n, " %u", number);
        }
        if (f->error && *f->error)
                (void)sd_bus_reply_method_errorf(m, f->error, "because");
        else if (!f->error)
                (void)sd_bus_reply_method_return(m, NULL);
}

static int on_fake_message(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
        Fixture *f = userdata;

        (void)unused;
        if (sd_bus_message_is_method_call(m, MANAGER, "ListSessions") > 0)
                fake_list(f, m);
        else if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "GetAll") > 0)
                fake_properties(f, m);
        else if (sd_bus_message_is_method_call(m, MANAGER, NULL) > 0)
                fake_manager(f, m);
        else
                return 0;
        return 1;
}

static sd_bus *open_connection(Fixture *f)
{
        sd_bus *bus = NULL;

        assert_return_code(sd_bus_new(&bus), errno);
        assert_return_code(sd_bus_set_address(bus, f->address), errno);
        assert_return_code(sd_bus_set_bus_client(bus, 1), errno);
        assert_return_code(sd_bus_start(bus), errno);
        return bus;
}

static void fake_start(Fixture *f)
{
        f->fake = open_connection(f);
        assert_return_code(sd_bus_add_filter(f->fake, NULL, on_fake_message, f), errno);
        assert_return_code(sd_bus_request_name(f->fake, LOGIND, 0), errno);
        assert_return_code(sd_bus_attach_event(f->fake, f->event, SD_EVENT_PRIORITY_NORMAL), errno);
}

static void fake_stop(Fixture *f)
{
        f->fake = sd_bus_close_unref(f->fake);
}

static void fake_signal(sd_bus *from, const char *member, char id)
{
        char path[64];

        assert_return_code(sd_bus_emit_signal(from, LOGIND_PATH, MANAGER, member, "so",
                                              (char[]){id, 0}, session_path(id, path)),
                           errno);
}

/* --- the bus --- */

/* The policy of the system bus, but that anyone may own a name and call; its limit of calls that wait for
 * a reply, too. */
static const char bus_config[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig><type>custom</type><listen>%s</listen><auth>EXTERNAL</auth>\n"
        "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\n"
        "<allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\n"
        "<allow send_requested_reply=\"true\" send_type=\"method_return\"/>\n"
        "<allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
        "<allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\n"
        "<allow receive_type=\"error\"/><allow receive_type=\"signal\"/>\n"
        "</policy><limit name=\"max_replies_per_connection\">128</limit></busconfig>\n";

/* Returns once it listens. */
static void daemon_start(Fixture *f)
{
        char line[256], fd[32];
        int ready[2];

        assert_return_code(pipe(ready), errno);
        f->daemon = fork();
        assert_return_code(f->daemon, errno);
        if (f->daemon == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)close(ready[0]);
                (void)close(STDERR_FILENO); /* it complains of limits it may not raise */
                (void)open("/dev/null", O_WRONLY);
                (void)snprintf(fd, sizeof(fd), "--print-address=%d", ready[1]);
                (void)execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile",
                             "--config-file", f->config, fd, (char *)NULL);
                _exit(127);
        }
        (void)close(ready[1]);
        if (read(ready[0], line, sizeof(line)) <= 0) {
                (void)waitpid(f->daemon, NULL, 0);
                f->daemon = 0;
        }
        (void)close(ready[0]);
        if (f->daemon == 0)
                skip();
}

static void daemon_stop(Fixture *f)
{
        if (f->daemon > 0) {
                (void)kill(f->daemon, SIGKILL);
                (void)waitpid(f->daemon, NULL, 0);
        }
        f->daemon = 0;
        (void)unlink(f->socket);
}

/* --- the client --- */

static void on_session(void *userdata, const LogindSession *session)
{
        char scope[32];

        (void)snprintf(scope, sizeof(scope), "session-%s.scope", session->id);
        assert_string_equal(session->scope, scope);
        assert_string_equal(session->class, "user");
        assert_string_equal(session->service, "sshd");
        assert_int_equal(session->uid, 1001);
        assert_int_equal(session->leader, 4242);
        /* When the monotonic clock began; a machine that never slept has the other one begin there, too. */
        assert_true(session->created_boot_usec > 0 && session->created_boot_usec < UINT64_MAX);
        note(userdata, "+", session->id);
}

static void on_removed(void *userdata, const char *id)
{
        note(userdata, "-", id);
}

static void on_connected(void *userdata, bool connected)
{
        Fixture *f = userdata;

        assert_int_equal(logind_connected(f->logind), connected);
        note(f, connected ? "up" : "down", "");
}

static const LogindHandlers handlers = {on_session, on_removed, on_connected};

/* Runs the loop until condition; ten seconds are for a machine under load. */
#define run_until(f, condition)                                                                    \
        do {                                                                                       \
                uint64_t now_, end_;                                                               \
                assert_return_code(sd_event_now((f)->event, CLOCK_MONOTONIC, &end_), errno);       \
                for (end_ += 10 * USEC_PER_SEC; !(condition);) {                                   \
                        assert_return_code(sd_event_run((f)->event, 100 * USEC_PER_MSEC), errno);  \
                        assert_return_code(sd_event_now((f)->event, CLOCK_MONOTONIC, &now_),       \
                                           errno);                                                 \
                        assert_true(now_ < end_);                                                  \
                }                                                                                  \
        } while (0)

static bool heard(const Fixture *f, const char *what)
{
        return strstr(f->log, what);
}

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));
        FILE *config;

        assert_non_null(f);
        (void)strcpy(f->folder, "/tmp/credd-unit-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        (void)snprintf(f->socket, sizeof(f->socket), "%s/bus", f->folder);
        (void)snprintf(f->config, sizeof(f->config), "%s/bus.conf", f->folder);
        (void)snprintf(f->address, sizeof(f->address), "unix:path=%s", f->socket);
        config = fopen(f->config, "we");
        assert_non_null(config);
        assert_true(fprintf(config, bus_config, f->address) > 0);
        assert_return_code(fclose(config), errno);
        assert_return_code(setenv("DBUS_SYSTEM_BUS_ADDRESS", f->address, 1), errno);
        assert_return_code(sd_event_new(&f->event), errno);
        f->sessions = f->vanished = "";
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        assert_null(logind_free(f->logind));
        fake_stop(f);
        daemon_stop(f);
        sd_event_unref(f->event);
        (void)unlink(f->config);
        (void)rmdir(f->folder);
        free(f);
        return 0;
}

static void client_start(Fixture *f)
{
        assert_int_equal(logind_new(f->event, &handlers, f, &f->logind), 0);
        assert_false(logind_connected(f->logind));
}

/* A bus, login1 with these sessions, and the client connected. */
static void everything_start(Fixture *f, const char *sessions)
{
        f->sessions = sessions;
        daemon_start(f);
        fake_start(f);
        client_start(f);
        run_until(f, logind_connected(f->logind));
}

typedef struct Outcome {
        unsigned n;
        int error;
        char text[64];
        LogindCall *call; /* freed in done */
} Outcome;

static void on_done(void *userdata, int error, const char *text)
{
        Outcome *o = userdata;

        o->n++;
        o->error = error;
        (void)snprintf(o->text, sizeof(o->text), "%s", text);
        o->call = logind_call_free(o->call);
}

/* --- tests --- */

static void test_logind__no_bus__calls_end_as_not_connected_from_the_loop(void **state)
{
        Fixture *f = *state;
        Outcome o = {0};

        client_start(f);
        assert_int_equal(logind_terminate_session(f->logind, "3", on_done, &o, &o.call), 0);
        assert_int_equal(o.n, 0);
        run_until(f, o.n > 0);
        assert_int_equal(o.n, 1);
        assert_int_equal(o.error, -ENOTCONN);
        assert_null(o.call);
        assert_string_equal(f->log, "");
}

static void test_logind__no_bus_then_a_bus__connects(void **state)
{
        Fixture *f = *state;

        client_start(f);
        f->sessions = "3";
        daemon_start(f);
        fake_start(f);
        run_until(f, heard(f, "up"));
        assert_string_equal(f->log, "+3 up ");
}

static void test_logind__call_freed_before_its_end__never_calls_back(void **state)
{
        Fixture *f = *state;
        Outcome o = {0}, next = {0};

        client_start(f);
        assert_int_equal(logind_terminate_session(f->logind, "3", on_done, &o, &o.call), 0);
        o.call = logind_call_free(o.call);
        assert_int_equal(logind_terminate_session(f->logind, "4", on_done, &next, &next.call), 0);
        run_until(f, next.n > 0);
        assert_int_equal(o.n, 0);
        assert_null(logind_call_free(NULL));
}

static void test_logind__freed_before_its_calls__leaves_them_to_be_freed(void **state)
{
        Fixture *f = *state;
        Outcome o = {0};

        client_start(f);
        assert_int_equal(logind_kill_user(f->logind, 1001, on_done, &o, &o.call), 0);
        f->logind = logind_free(f->logind);
        assert_int_equal(o.n, 0);
        assert_null(logind_call_free(o.call));
}

static void test_logind__ids_that_mean_the_callers_own_session__are_refused(void **state)
{
        static const char *const ids[] = {"", "self", "auto"};
        Fixture *f = *state;
        LogindCall *call;

        client_start(f);
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                assert_int_equal(logind_terminate_session(f->logind, ids[i], on_done, NULL, &call),
                                 -EINVAL);
                assert_int_equal(logind_kill_session(f->logind, ids[i], on_done, NULL, &call),
                                 -EINVAL);
                assert_int_equal(logind_ask_session(f->logind, ids[i], on_done, NULL, &call),
                                 -EINVAL);
        }
}

static void test_logind__sessions_at_the_start__are_announced_before_connected(void **state)
{
        Fixture *f = *state;

        everything_start(f, "34");
        assert_true(heard(f, "+3 ") && heard(f, "+4 "));
        assert_string_equal(f->log + strlen(f->log) - 3, "up ");
        assert_int_equal(strlen(f->log), strlen("+3 +4 up "));
}

static void test_logind__session_new_and_removed__are_told(void **state)
{
        Fixture *f = *state;

        everything_start(f, "");
        fake_signal(f->fake, "SessionNew", '5');
        run_until(f, heard(f, "+5"));
        fake_signal(f->fake, "SessionRemoved", '5');
        run_until(f, heard(f, "-5"));
        assert_string_equal(f->log, "up +5 -5 ");
}

static void test_logind__session_vanished_before_it_was_read__is_skipped(void **state)
{
        Fixture *f = *state;

        f->vanished = "46";
        everything_start(f, "345");
        assert_false(heard(f, "4"));
        fake_signal(f->fake, "SessionNew", '6');
        fake_signal(f->fake, "SessionNew", '7');
        run_until(f, heard(f, "+7"));
        assert_false(heard(f, "6") || heard(f, "down"));
}

static void test_logind__session_cannot_be_read__lists_again(void **state)
{
        Fixture *f = *state;

        f->fail_get_all = 2;
        everything_start(f, "3");
        assert_string_equal(f->log, "+3 up ");
        f->fail_get_all = 1;
        f->sessions = "38";
        fake_signal(f->fake, "SessionNew", '8');
        run_until(f, heard(f, "+8"));
        run_until(f, logind_connected(f->logind));
        assert_true(heard(f, "+3 up down "));
}

/* Addressed to the client alone: the bus daemon then asks for no match. */
static void forge(Fixture *f, sd_bus *from, const char *interface, const char *member,
                  const char *const args[3])
{
        sd_bus_message *m = NULL;
        char path[64];

        assert_return_code(sd_bus_message_new_signal(from, &m, LOGIND_PATH, interface, member),
                           errno);
        if (args[2])
                assert_return_code(sd_bus_message_append(m, "sss", args[0], args[1], args[2]),
                                   errno);
        else
                assert_return_code(
                        sd_bus_message_append(m, "so", args[0], session_path(*args[0], path)),
                        errno);
        assert_return_code(sd_bus_send_to(from, m, f->client, NULL), errno);
        sd_bus_message_unref(m);
}

/* Anyone on the system bus may send us a signal of that name, and sd-bus lets it through. */
static void test_logind__signals_of_a_stranger__are_not_believed(void **state)
{
        Fixture *f = *state;
        sd_bus *stranger;

        everything_start(f, "3");
        stranger = open_connection(f);
        forge(f, stranger, MANAGER, "SessionNew", (const char *[3]){"8"});
        forge(f, stranger, MANAGER, "SessionRemoved", (const char *[3]){"9"});
        forge(f, stranger, "org.freedesktop.DBus", "NameOwnerChanged",
              (const char *[3]){LOGIND, ":1.1", ""});
        /* Once its name is ours, the daemon has passed on what stood before. */
        assert_return_code(sd_bus_request_name(stranger, "org.example.Stranger", 0), errno);
        fake_signal(f->fake, "SessionRemoved", '3');
        run_until(f, heard(f, "-3"));
        assert_string_equal(f->log, "+3 up -3 ");
        sd_bus_close_unref(stranger);
}

static void test_logind__calls__carry_their_arguments(void **state)
{
        Fixture *f = *state;
        Outcome o = {0};

        everything_start(f, "");
#define CALL(call, want)                                                                           \
        do {                                                                                       \
                unsigned n_ = o.n;                                                                 \
                assert_int_equal(call, 0);                                                         \
                assert_int_equal(o.n, n_);                                                         \
                run_until(f, o.n > n_);                                                            \
                assert_int_equal(o.error, 0);                                                      \
                assert_string_equal(f->asked, want);                                               \
        } while (0)
        CALL(logind_terminate_session(f->logind, "c1", on_done, &o, &o.call),
             "TerminateSession c1");
        CALL(logind_kill_session(f->logind, "c1", on_done, &o, &o.call), "KillSession c1 all 9");
        CALL(logind_terminate_user(f->logind, 1001, on_done, &o, &o.call), "TerminateUser 1001");
        CALL(logind_kill_user(f->logind, 1001, on_done, &o, &o.call), "KillUser 1001 9");
        CALL(logind_ask_session(f->logind, "c1", on_done, &o, &o.call), "GetSession c1");
#undef CALL
        assert_int_equal(o.n, 5);
}

/* More than the bus would let wait, and nothing is refused. */
static void test_logind__very_many_at_once__all_are_answered(void **state)
{
        Fixture *f = *state;
        Outcome outcomes[400] = {0};
        unsigned answered = 0;

        everything_start(f, "");
        f->sessions = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
        for (const char *id = f->sessions; *id; id++)
                fake_signal(f->fake, "SessionNew", *id);
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++) {
                Outcome *o = &outcomes[i];

                o->error = 1;
                assert_int_equal((i % 2 ? logind_ask_session : logind_terminate_session)(
                                         f->logind, "c1", on_done, o, &o->call),
                                 0);
        }
        run_until(f, heard(f, "+_"));
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++) {
                run_until(f, outcomes[i].n > 0);
                assert_int_equal(outcomes[i].error, 0);
                answered += outcomes[i].n;
        }
        assert_int_equal(answered, ELEMENTSOF(outcomes));
        assert_false(heard(f, "down"));
}

/* One that is given up while it waits its turn, and those behind it are sent all the same. */
static void test_logind__waiting_calls_given_up__the_others_go_on(void **state)
{
        Fixture *f = *state;
        Outcome outcomes[200] = {0};

        everything_start(f, "");
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                assert_int_equal(logind_terminate_session(f->logind, "c1", on_done, &outcomes[i],
                                                          &outcomes[i].call),
                                 0);
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i += 3)
                outcomes[i].call = logind_call_free(outcomes[i].call);
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                if (i % 3)
                        run_until(f, outcomes[i].n == 1);
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                assert_int_equal(outcomes[i].n, i % 3 ? 1 : 0);
}

/* A login1 that does not answer one question will not answer the next either: nobody waits in a queue for it. */
static void test_logind__silence__questions_that_wait_end_with_those_sent(void **state)
{
        Fixture *f = *state;
        Outcome outcomes[200] = {0};

        everything_start(f, "");
        f->error = "";
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                assert_int_equal(logind_ask_session(f->logind, "c1", on_done, &outcomes[i],
                                                    &outcomes[i].call),
                                 0);
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                run_until(f, outcomes[i].n > 0);
        assert_int_equal(outcomes[0].error, -ETIMEDOUT);
        assert_int_equal(outcomes[ELEMENTSOF(outcomes) - 1].error, -ENOTCONN);
}

static void test_logind__errors__are_told_by_name(void **state)
{
        static const struct {
                const char *name;
                int error;
        } table[] = {
                {"org.freedesktop.login1.NoSuchSession", -ENXIO},
                {"org.freedesktop.login1.NoSuchUser", -ENXIO},
                {"org.freedesktop.systemd1.NoSuchUnit", -ENOENT},
                {"org.freedesktop.DBus.Error.AccessDenied", -EACCES},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", -EACCES},
                {"org.freedesktop.DBus.Error.NoReply", -ETIMEDOUT},
                {"org.freedesktop.DBus.Error.ServiceUnknown", -ENOTCONN},
                /* What sd-bus would take for ENXIO must not look like a session that is gone. */
                {"org.freedesktop.DBus.Error.NameHasNoOwner", -ENOTCONN},
                {"System.Error.ENXIO", -EIO},
                {"System.Error.EBUSY", -EBUSY},
                {"org.example.Unheard", -EIO},
        };
        Fixture *f = *state;

        everything_start(f, "");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Outcome o = {0};

                f->error = table[i].name;
                assert_int_equal(logind_ask_session(f->logind, "3", on_done, &o, &o.call), 0);
                run_until(f, o.n > 0);
                assert_int_equal(o.error, table[i].error);
                assert_string_equal(o.text, "because");
        }
}

static void test_logind__leaves_the_bus_and_returns__announces_everything_again(void **state)
{
        Fixture *f = *state;
        Outcome o = {0};

        everything_start(f, "3");
        f->error = "";
        assert_int_equal(logind_terminate_session(f->logind, "3", on_done, &o, &o.call), 0);
        run_until(f, f->asked[0]);
        fake_stop(f);
        run_until(f, heard(f, "down"));
        run_until(f, o.n > 0);
        assert_int_equal(o.error, -ETIMEDOUT);
        assert_false(logind_connected(f->logind));
        assert_int_equal(logind_ask_session(f->logind, "3", on_done, &o, &o.call), 0);
        run_until(f, o.n > 1);
        assert_int_equal(o.error, -ENOTCONN);
        fake_start(f);
        run_until(f, logind_connected(f->logind));
        assert_string_equal(f->log, "+3 up down +3 up ");
}

static void test_logind__bus_is_restarted__reconnects_and_matches_again(void **state)
{
        Fixture *f = *state;
        Outcome o = {0};

        everything_start(f, "3");
        f->error = "";
        assert_int_equal(logind_terminate_session(f->logind, "3", on_done, &o, &o.call), 0);
        run_until(f, f->asked[0]);
        daemon_stop(f);
        run_until(f, heard(f, "down"));
        run_until(f, o.n > 0);
        assert_int_equal(o.error, -ENOTCONN);
        fake_stop(f);
        daemon_start(f);
        fake_start(f);
        run_until(f, logind_connected(f->logind));
        fake_signal(f->fake, "SessionNew", '4');
        run_until(f, heard(f, "+4"));
        assert_string_equal(f->log, "+3 up down +3 up +4 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_logind__no_bus__calls_end_as_not_connected_from_the_loop),
                TEST(test_logind__no_bus_then_a_bus__connects),
                TEST(test_logind__call_freed_before_its_end__never_calls_back),
                TEST(test_logind__freed_before_its_calls__leaves_them_to_be_freed),
                TEST(test_logind__ids_that_mean_the_callers_own_session__are_refused),
                TEST(test_logind__sessions_at_the_start__are_announced_before_connected),
                TEST(test_logind__session_new_and_removed__are_told),
                TEST(test_logind__session_vanished_before_it_was_read__is_skipped),
                TEST(test_logind__session_cannot_be_read__lists_again),
                TEST(test_logind__signals_of_a_stranger__are_not_believed),
                TEST(test_logind__calls__carry_their_arguments),
                TEST(test_logind__very_many_at_once__all_are_answered),
                TEST(test_logind__waiting_calls_given_up__the_others_go_on),
                TEST(test_logind__silence__questions_that_wait_end_with_those_sent),
                TEST(test_logind__errors__are_told_by_name),
                TEST(test_logind__leaves_the_bus_and_returns__announces_everything_again),
                TEST(test_logind__bus_is_restarted__reconnects_and_matches_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
