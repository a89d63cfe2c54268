/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What sits behind credd's socket is stopped, slow, dying, or not in its right mind. The module is back
 * within its deadline, and lets somebody in only if what came is a grant to a reader of JSON that has
 * nothing in common with the module's. */
#include "tests/fault/journey.h"

/* However slow the machine is; the deadlines here are a second or two. */
#define WITHIN_USEC (30 * USEC_PER_SEC)

#define ACT_MAX 65536

/* What comes back for the next call. */
typedef struct Act {
        size_t len;
        char bytes[ACT_MAX];
        unsigned pause_usec; /* between two bytes; 0: all at once */
        bool stays;          /* says no more, and does not close */
        bool dies;           /* the whole process */
        unsigned descriptors;
} Act;

typedef struct Rude {
        Act *act; /* shared with the child */
        int listener;
        pid_t pid;
} Rude;

/* One of the questions that the module asks, and the host's call that makes it ask. */
typedef struct Door {
        const char *name;
        const char *grant;
        bool has_nonce; /* of an earlier authentication */
        int (*knock)(pam_handle_t *pamh, int flags);
        bool wants_login, wants_times;
} Door;

static const Door doors[] = {
        {"authenticate", ACCEPTED, false, pam_authenticate, true, false},
        {"account", CHECKED, true, pam_acct_mgmt, false, false},
        {"open session", OPENED, true, pam_open_session, false, true},
};

/* --- the other side --- */

/* With the first byte, as many descriptors as are wanted. */
static void send_descriptors(int fd, const Act *act)
{
        union {
                struct cmsghdr head;
                char bytes[CMSG_SPACE(64 * sizeof(int))];
        } control = {.bytes = {0}};
        struct iovec part = {.iov_base = (void *)(uintptr_t)act->bytes, .iov_len = 1};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = CMSG_SPACE(act->descriptors * sizeof(int))};
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);

        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(act->descriptors * sizeof(int));
        for (unsigned i = 0; i < act->descriptors; i++)
                memcpy(CMSG_DATA(head) + i * sizeof(int), &fd, sizeof(fd));
        (void)sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void perform(int fd, const Act *act)
{
        size_t at = 0;

        if (act->descriptors > 0 && act->len > 0) {
                send_descriptors(fd, act);
                at = 1;
        }
        if (act->pause_usec == 0)
                (void)fake_send(fd, act->bytes + at, act->len - at);
        for (; act->pause_usec > 0 && at < act->len; at++) {
                if (!fake_send(fd, act->bytes + at, 1))
                        return;
                (void)usleep(act->pause_usec);
        }
}

static void serve(const Rude *rude)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                char text[4096] = "";
                int fd = accept(rude->listener, NULL, NULL);

                if (fd < 0)
                        _exit(1);
                if (!fake_read(fd, text, sizeof(text))) {
                        (void)close(fd);
                        continue;
                }
                perform(fd, rude->act);
                if (rude->act->dies)
                        _exit(0);
                if (rude->act->stays)
                        (void)recv(fd, text, 1, 0); /* until the module gives up */
                (void)close(fd);
        }
}

static void rude_start(Rude *rude)
{
        rude->pid = fork();
        assert_true(rude->pid >= 0);
        if (rude->pid == 0)
                serve(rude);
}

static void rude_end(Rude *rude)
{
        (void)kill(rude->pid, SIGKILL);
        assert_int_equal(waitpid(rude->pid, NULL, 0), rude->pid);
}

/* --- what a grant is --- */

static bool is_word(const json_t *value, size_t max)
{
        const char *text = json_string_value(value);

        return text && *text && json_string_length(value) == strlen(text) && strlen(text) <= max &&
               strspn(text,
                      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_+/=") ==
                       strlen(text);
}

static bool is_length(const json_t *object, const char *name)
{
        const json_t *value = json_object_get(object, name);

        return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_grant_object(const json_t *root, const Door *door)
{
        const json_t *parameters = json_object_get(root, "parameters");
        const json_t *continues = json_object_get(root, "continues");
        size_t members = 1 + (continues != NULL);

        if (!json_is_object(parameters) || json_object_size(root) != members)
                return false;
        if (continues && !json_is_false(continues))
                return false;
        if (!is_word(json_object_get(parameters, "credential"), 64))
                return false;
        if (door->wants_login && (!is_word(json_object_get(parameters, "login"), 128) ||
                                  !is_length(parameters, "left_usec")))
                return false;
        return !door->wants_times ||
               (is_length(parameters, "deadline") && is_length(parameters, "ceiling") &&
                is_length(parameters, "left_usec") && is_length(parameters, "backstop_usec"));
}

/* The first message, whole. */
static bool is_grant(const Act *act, const Door *door)
{
        const char *end = memchr(act->bytes, '\0', act->len);
        json_t *root;
        bool is;

        if (!end)
                return false;
        root = json_loadb(act->bytes, (size_t)(end - act->bytes), JSON_REJECT_DUPLICATES, NULL);
        is = root && is_grant_object(root, door);
        json_decref(root);
        return is;
}

/* --- one call --- */

typedef struct Desk {
        Stage *stage;
        Rude rude;
} Desk;

static const Scene plain = {"", WITH_TOKEN, "min_uid=0", .auth = 0};

static int knock(Desk *desk, const Door *door)
{
        Stage *s = desk->stage;
        uint64_t before = client_now_usec();
        unsigned descriptors;
        int code;

        s->answer = s->token;
        stage_start(s, "sshd", s->user);
        descriptors = count_descriptors();
        if (door->has_nonce)
                assert_int_equal(pam_putenv(s->pamh, "CREDD_LOGIN=" NONCE), PAM_SUCCESS);
        code = door->knock(s->pamh, 0);
        assert_true(client_now_usec() - before < WITHIN_USEC);
        assert_int_equal(count_descriptors(), descriptors);
        assert_int_not_equal(code, SAYS_IGNORE);
        if (code != PAM_SUCCESS && !door->has_nonce)
                assert_null(stage_env(s, "CREDD_LOGIN"));
        stage_end(s);
        memset(&stage_log, 0, sizeof(stage_log));
        return code;
}

static void fail_for(const Desk *desk, const Door *door)
{
        const Act *act = desk->rude.act;

        fail_msg("%s: let in by %zu bytes, %.*s", door->name, act->len, (int)act->len, act->bytes);
}

static void assert_true_to_the_act(Desk *desk, const Door *door)
{
        if (knock(desk, door) == PAM_SUCCESS && !is_grant(desk->rude.act, door))
                fail_for(desk, door);
}

static void assert_refused(Desk *desk, const Door *door)
{
        if (knock(desk, door) == PAM_SUCCESS)
                fail_for(desk, door);
}

static void say(Desk *desk, const void *bytes, size_t len)
{
        Act *act = desk->rude.act;

        assert_true(len <= sizeof(act->bytes));
        *act = (Act){.len = len};
        memcpy(act->bytes, bytes, len);
}

/* With its NUL. */
static void say_text(Desk *desk, const char *text)
{
        say(desk, text, strlen(text) + 1);
}

/* --- tests --- */

static void test_daemon__good_reply__is_what_the_others_are_measured_by(void **state)
{
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                say_text(desk, doors[i].grant);
                assert_true(is_grant(desk->rude.act, &doors[i]));
                assert_int_equal(knock(desk, &doors[i]), PAM_SUCCESS);
        }
}

static void test_daemon__ends_at_any_byte__refused(void **state)
{
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t len = 0; len <= strlen(doors[i].grant); len++) {
                        say(desk, doors[i].grant, len);
                        assert_refused(desk, &doors[i]);
                }
}

static void test_daemon__dies_at_any_byte__refused(void **state)
{
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t len = 0; len <= strlen(doors[i].grant); len++) {
                        say(desk, doors[i].grant, len);
                        desk->rude.act->dies = true;
                        assert_refused(desk, &doors[i]);
                        assert_int_equal(waitpid(desk->rude.pid, NULL, 0), desk->rude.pid);
                        rude_start(&desk->rude);
                }
}

static void test_daemon__falls_silent_at_a_byte__refused_in_time(void **state)
{
        Desk *desk = *state;

        journey_stack(desk->stage, &plain, "100ms");
        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t len = 0; len <= strlen(doors[i].grant); len += 16) {
                        say(desk, doors[i].grant, len);
                        desk->rude.act->stays = true;
                        assert_refused(desk, &doors[i]);
                }
}

static void test_daemon__any_byte_another__let_in_by_grants_alone(void **state)
{
        const size_t step = journey_is_short() ? 9 : 1;
        static const char others[] = "\0\"\\ 09-.eE{}[],:xn\x01\x7f\x80\xff";
        Desk *desk = *state;
        char text[512];

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t at = 0; at <= strlen(doors[i].grant); at += step)
                        for (size_t k = 0; k < sizeof(others) - 1; k++) {
                                size_t len = strlen(doors[i].grant) + 1;

                                memcpy(text, doors[i].grant, len);
                                text[at] = others[k];
                                say(desk, text, len);
                                assert_true_to_the_act(desk, &doors[i]);
                        }
}

static void test_daemon__a_byte_more_or_less__let_in_by_grants_alone(void **state)
{
        const size_t step = journey_is_short() ? 9 : 1;
        static const char more[] = "\" 0-{}[],:\xc3";
        Desk *desk = *state;
        char text[512];

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                size_t len = strlen(doors[i].grant) + 1;

                for (size_t at = 0; at < len; at += step) {
                        memcpy(text, doors[i].grant, at);
                        memcpy(text + at, doors[i].grant + at + 1, len - at - 1);
                        say(desk, text, len - 1);
                        assert_true_to_the_act(desk, &doors[i]);
                        for (size_t k = 0; k < sizeof(more) - 1; k++) {
                                memcpy(text, doors[i].grant, at);
                                text[at] = more[k];
                                memcpy(text + at + 1, doors[i].grant + at, len - at);
                                say(desk, text, len + 1);
                                assert_true_to_the_act(desk, &doors[i]);
                        }
                }
        }
}

#define BESIDE_A_GRANT(member)                                                                     \
        ("{" member ",\"parameters\":{\"login\":\"n\",\"credential\":\"k\",\"deadline\":1,"        \
         "\"ceiling\":1,\"left_usec\":1,\"backstop_usec\":1}}")

#define TWICE(member)                                                                              \
        ("{\"parameters\":{" member ",\"login\":\"n\",\"credential\":\"k\",\"deadline\":1,"        \
         "\"ceiling\":1,\"left_usec\":1,\"backstop_usec\":1}}")

static void test_daemon__other_messages__refused(void **state)
{
        static const char *const texts[] = {
                "",
                "null",
                "[]",
                "{}",
                "{\"parameters\":null}",
                "{\"parameters\":[]}",
                "{\"parameters\":{}}",
                "{\"parameters\":{\"parameters\":{}}}",
                "{\"method\":\"io.credd.Login.Authenticate\",\"parameters\":{}}",
                REFUSED,
                UNAVAILABLE,
                INVALID,
                "{\"error\":\"\",\"parameters\":{}}",
                "{\"error\":null,\"parameters\":{\"credential\":\"k\"}}",
                (ACCEPTED ","),
                (CHECKED ":"),
                (OPENED ","),
                (ACCEPTED "{}"),
                (CHECKED "{}"),
                (OPENED "{}"),
                BESIDE_A_GRANT("\"parameters\":{}"),
                TWICE("\"login\":\"n\""),
                TWICE("\"credential\":\"k\""),
                TWICE("\"left_usec\":1"),
                BESIDE_A_GRANT("\"version\":2"),
                BESIDE_A_GRANT("\"id\":7"),
                BESIDE_A_GRANT("\"continues\":true"),
                BESIDE_A_GRANT("\"error\":\"\""),
                "{\"parameters\":{\"login\":\"\",\"credential\":\"k\",\"left_usec\":1}}",
                "{\"parameters\":{\"login\":\"n\\u0000\",\"credential\":\"\",\"left_usec\":1}}",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                "\x16\x03\x01\x02",
                "SSH-2.0-OpenSSH_9.2p1\r\n",
                "l\x01\x01\x01",
        };
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t k = 0; k < ELEMENTSOF(texts); k++) {
                        say_text(desk, texts[k]);
                        assert_refused(desk, &doors[i]);
                }
}

/* One door's grant at another. */
static void test_daemon__answer_to_another_question__refused(void **state)
{
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t k = 0; k < ELEMENTSOF(doors); k++) {
                        say_text(desk, doors[k].grant);
                        assert_true_to_the_act(desk, &doors[i]);
                }
}

static void test_daemon__too_much__refused(void **state)
{
        static const char fillers[] = " {[\"0a,\xff";
        Desk *desk = *state;
        Act *act = desk->rude.act;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t k = 0; k < sizeof(fillers) - 1; k++) {
                        const char *grant = doors[i].grant;

                        *act = (Act){.len = sizeof(act->bytes)};
                        memset(act->bytes, fillers[k], sizeof(act->bytes));
                        assert_refused(desk, &doors[i]);
                        /* It ends, and would be a grant, but for its length. */
                        memset(act->bytes, ' ', sizeof(act->bytes));
                        memcpy(act->bytes + act->len - strlen(grant) - 1, grant, strlen(grant) + 1);
                        assert_true(is_grant(act, &doors[i]));
                        assert_refused(desk, &doors[i]);
                }
}

static void test_daemon__nested_without_end__refused(void **state)
{
        Desk *desk = *state;
        char text[4000];

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t k = 0; k < 3; k++) {
                        memset(text, "[{\""[k], sizeof(text));
                        memcpy(text, "{\"parameters\":", 14);
                        text[sizeof(text) - 1] = '\0';
                        say(desk, text, sizeof(text));
                        assert_refused(desk, &doors[i]);
                }
}

/* The kernel takes them back with the message: nobody asked for control data. */
static void test_daemon__descriptors_beside_the_reply__none_kept(void **state)
{
        static const unsigned counts[] = {1, 2, 63};
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                for (size_t k = 0; k < ELEMENTSOF(counts); k++) {
                        say_text(desk, doors[i].grant);
                        desk->rude.act->descriptors = counts[k];
                        assert_int_equal(knock(desk, &doors[i]), PAM_SUCCESS);
                }
}

static uint32_t next_random(uint32_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

/* A grant, cut up and put together again with what else belongs into such messages. */
static size_t garble(uint32_t *random, const char *grant, char *ret_text, size_t size)
{
        static const char *const scraps[] = {
                "{",
                "}",
                "\"",
                ":",
                ",",
                "\"error\":",
                "null",
                "true",
                "false",
                "0",
                "-1",
                "1e9",
                "\\u0000",
                "\\\"",
                "\xc3\xa4",
                "\"login\":",
                "\"\"",
                "\"parameters\":",
                "[",
                "]",
                " ",
                "99999999999999999999",
                "\"continues\":",
        };
        size_t len = 0;

        for (size_t at = 0; at < strlen(grant) && len + 32 < size;) {
                uint32_t what = next_random(random) % 64;

                if (what == 0)
                        at += next_random(random) % 12;
                else if (what == 1)
                        at -= at > 8 ? next_random(random) % 8 : 0;
                else if (what == 2) {
                        const char *scrap = scraps[next_random(random) % ELEMENTSOF(scraps)];

                        memcpy(ret_text + len, scrap, strlen(scrap));
                        len += strlen(scrap);
                } else
                        ret_text[len++] = grant[at++];
        }
        ret_text[len++] = '\0';
        return len;
}

static void test_daemon__garbage_by_the_thousand__let_in_by_grants_alone(void **state)
{
        Desk *desk = *state;
        uint32_t random = 20261123;
        char text[1024];

        const unsigned count = journey_is_short() ? 600 : 6000;

        for (unsigned n = 0; n < count; n++) {
                const Door *door = &doors[n % ELEMENTSOF(doors)];

                say(desk, text, garble(&random, door->grant, text, sizeof(text)));
                assert_true_to_the_act(desk, door);
        }
}

static void test_daemon__a_byte_at_a_time__in_if_it_ends_in_time(void **state)
{
        Desk *desk = *state;

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                say_text(desk, doors[i].grant);
                desk->rude.act->pause_usec = 500;
                assert_int_equal(knock(desk, &doors[i]), PAM_SUCCESS);
        }
        journey_stack(desk->stage, &plain, "2s");
        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                say_text(desk, doors[i].grant);
                desk->rude.act->pause_usec = 1000000;
                assert_refused(desk, &doors[i]);
        }
}

static void test_daemon__stopped__refused_in_time(void **state)
{
        Desk *desk = *state;

        journey_stack(desk->stage, &plain, "300ms");
        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                say_text(desk, doors[i].grant);
                assert_int_equal(kill(desk->rude.pid, SIGSTOP), 0);
                assert_refused(desk, &doors[i]);
                assert_int_equal(kill(desk->rude.pid, SIGCONT), 0);
        }
}

static void test_daemon__stopped_with_a_full_backlog__refused_in_time(void **state)
{
        Desk *desk = *state;
        int fds[64], fd;
        size_t n = 0;

        journey_stack(desk->stage, &plain, "300ms");
        assert_int_equal(kill(desk->rude.pid, SIGSTOP), 0);
        while (n < ELEMENTSOF(fds)) {
                fd = client_connect(desk->stage->credd.socket, client_deadline_usec(50 * 1000));
                if (fd < 0)
                        break;
                fds[n++] = fd;
        }
        assert_true(n > 0 && n < ELEMENTSOF(fds));
        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                assert_refused(desk, &doors[i]);
        while (n > 0)
                (void)close(fds[--n]);
        assert_int_equal(kill(desk->rude.pid, SIGCONT), 0);
}

/* --- set up and take down --- */

static int daemon_setup(void **state)
{
        Desk *desk = calloc(1, sizeof(*desk));
        void *stage = NULL;

        assert_non_null(desk);
        shim_on_log = stage_note_log;
        assert_int_equal(stage_setup(&stage), 0);
        desk->stage = stage;
        desk->rude.act =
                mmap(NULL, sizeof(Act), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(desk->rude.act, MAP_FAILED);
        desk->rude.listener = fake_listen(&desk->stage->credd);
        rude_start(&desk->rude);
        journey_stack(desk->stage, &plain, "60s");
        *state = desk;
        return 0;
}

static int daemon_teardown(void **state)
{
        Desk *desk = *state;
        void *stage = desk->stage;

        rude_end(&desk->rude);
        (void)close(desk->rude.listener);
        (void)munmap(desk->rude.act, sizeof(Act));
        free(desk);
        return stage_teardown(&stage);
}

#define DAEMON_TEST(f) cmocka_unit_test_setup_teardown(f, daemon_setup, daemon_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                DAEMON_TEST(test_daemon__good_reply__is_what_the_others_are_measured_by),
                DAEMON_TEST(test_daemon__ends_at_any_byte__refused),
                DAEMON_TEST(test_daemon__dies_at_any_byte__refused),
                DAEMON_TEST(test_daemon__falls_silent_at_a_byte__refused_in_time),
                DAEMON_TEST(test_daemon__any_byte_another__let_in_by_grants_alone),
                DAEMON_TEST(test_daemon__a_byte_more_or_less__let_in_by_grants_alone),
                DAEMON_TEST(test_daemon__other_messages__refused),
                DAEMON_TEST(test_daemon__answer_to_another_question__refused),
                DAEMON_TEST(test_daemon__too_much__refused),
                DAEMON_TEST(test_daemon__nested_without_end__refused),
                DAEMON_TEST(test_daemon__descriptors_beside_the_reply__none_kept),
                DAEMON_TEST(test_daemon__garbage_by_the_thousand__let_in_by_grants_alone),
                DAEMON_TEST(test_daemon__a_byte_at_a_time__in_if_it_ends_in_time),
                DAEMON_TEST(test_daemon__stopped__refused_in_time),
                DAEMON_TEST(test_daemon__stopped_with_a_full_backlog__refused_in_time),
        };

        return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
