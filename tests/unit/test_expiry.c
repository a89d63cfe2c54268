/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What falls due by itself, what a batch takes back, and what reaches the journal. */
#include "tests/unit/manager_rig.h"

#include "credd/db-internal.h"

static void test_expiry_due__sorted_rows__are_due_from_their_limit_on(void **state)
{
        static const ExpiryRow rows[] = {{.login_limit_usec = 10},
                                         {.login_limit_usec = 20},
                                         {.login_limit_usec = 20},
                                         {.login_limit_usec = 21}};
        static const struct {
                uint64_t now;
                size_t due;
        } table[] = {{0, 0}, {9, 0}, {10, 1}, {19, 1}, {20, 3}, {21, 4}, {UINT64_MAX, 4}};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (size_t n = 0; n <= ELEMENTSOF(rows); n++)
                        assert_int_equal(expiry_due(rows, n, table[i].now),
                                         n < table[i].due ? n : table[i].due);
}

static int64_t add_credential(Rig *rig, unsigned i, uint64_t ttl_usec)
{
        Manager *manager = rig->manager;
        uint64_t now = clock_line_usec(&manager->clock);
        AUTO_CREDENTIAL Credential c = {.user = strdup("deploy"),
                                        .uid = 54321,
                                        .services = json_array(),
                                        .sources = json_array(),
                                        .uses = 1,
                                        .uses_left = 1,
                                        .issued_usec = now,
                                        .not_before_usec = now,
                                        .login_limit_usec = now + ttl_usec,
                                        .session_ttl_usec = USEC_INFINITY,
                                        .ceiling_usec = now + ttl_usec,
                                        .issuer = {.loginuid = UID_NONE}};

        (void)snprintf(c.id, sizeof(c.id), "%08u", i);
        assert_int_equal(store_add_credential(manager->store, &c, NULL), 0);
        return c.num;
}

/* How many of the first n have a receipt; each has none or one, and none is but "confirmed". */
static unsigned receipts(Rig *rig, int64_t n)
{
        unsigned found = 0;

        for (int64_t num = 1; num <= n; num++) {
                CLEANUP(receipt_done) Receipt receipt = {0};
                int r = store_find_receipt(rig->manager->store, num, &receipt);

                assert_true(r >= 0);
                if (r > 0)
                        assert_string_equal(receipt.verdict, "confirmed");
                found += (unsigned)r;
        }
        return found;
}

static void test_expiry__a_thousand_at_one_moment__each_expires_once(void **state)
{
        Rig *rig = *state;
        const unsigned n = 1000;

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        for (unsigned i = 0; i < n; i++)
                (void)add_credential(rig, i, HOURS(1));
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
        expiry_changed(rig->manager->expiry);
        rig_settle(rig);
        assert_int_equal(receipts(rig, n), 0);
        rig->skew_usec += HOURS(1) + SECONDS(1);
        expiry_changed(rig->manager->expiry);
        /* Its timer goes by the kernel's clock, which the test does not turn: kicked in its place. */
        for (unsigned i = 0; receipts(rig, n) < n; i++) {
                assert_true(i < n); /* in slices, one at least in each */
                expiry_changed(rig->manager->expiry);
                rig_settle(rig);
        }
        rig_settle(rig);
        /* an event of its end and one of its receipt each, and no more */
        assert_int_equal(store_newest_event(rig->manager->store), 2 * n);
}

/* On a slow machine a slice is short: who logs in meanwhile waits for the time, not for the number. */
static void test_expiry__each_takes_long__the_slice_ends_early(void **state)
{
        Rig *rig = *state;
        const unsigned n = 20;

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        for (unsigned i = 0; i < n; i++)
                (void)add_credential(rig, i, HOURS(1));
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        rig->skew_usec += HOURS(1) + SECONDS(1);
        rig->step_usec = USEC_PER_MSEC;
        for (unsigned i = 1; i <= n; i++) {
                expiry_changed(rig->manager->expiry);
                rig_settle(rig);
                assert_int_equal(receipts(rig, n), i);
        }
        rig->step_usec = 0;
}

static void test_expiry__closed_before_its_limit__expires_no_more(void **state)
{
        Rig *rig = *state;
        AUTO_CREDENTIAL Credential c = {0};
        int64_t num;

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        num = add_credential(rig, 1, HOURS(1));
        assert_int_equal(store_close_credential(rig->manager->store, num, CAUSE_REVOKED), 0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        rig->skew_usec += HOURS(2);
        expiry_changed(rig->manager->expiry);
        rig_settle(rig);
        assert_int_equal(store_read_credential(rig->manager->store, num, &c), 1);
        assert_int_equal(c.cause, CAUSE_REVOKED);
        assert_int_equal(store_newest_event(rig->manager->store), 0);
}

/* A login of the n-th credential, which nobody will claim. */
static void log_in(Rig *rig, unsigned i)
{
        static char service[] = "sshd";
        Manager *manager = rig->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        Login login = {.credential = add_credential(rig, i, HOURS(9)),
                       .service = service,
                       .accepted_usec = clock_line_usec(&manager->clock)};

        assert_int_equal(store_read_credential(manager->store, login.credential, &credential), 1);
        assert_int_equal(store_spend(manager->store, &credential), 0);
        assert_int_equal(store_add_login(manager->store, &login), 0);
        expiry_login(manager->expiry, &credential, &login);
}

static unsigned lapsed(Rig *rig, int64_t n)
{
        unsigned found = 0;

        for (int64_t num = 1; num <= n; num++) {
                CLEANUP(login_done) Login login = {0};

                assert_int_equal(store_find_login(rig->manager->store, num, &login), 1);
                found += login.state == LOGIN_LAPSED;
        }
        return found;
}

static void kick(Rig *rig)
{
        for (unsigned i = 0; i < 8; i++) {
                expiry_changed(rig->manager->expiry);
                rig_settle(rig);
        }
}

static void test_expiry__login_while_others_lapse__lapses_in_its_own_time(void **state)
{
        Rig *rig = *state;
        const unsigned n = 100;

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        for (unsigned i = 0; i < n; i++)
                log_in(rig, i);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
        kick(rig);
        assert_int_equal(lapsed(rig, n), 0);
        rig->skew_usec += HOURS(1);
        expiry_changed(rig->manager->expiry);
        for (unsigned i = 0; lapsed(rig, n) == 0; i++) {
                assert_true(i < 20);
                rig_turn(rig);
        }
        assert_true(lapsed(rig, n) < n); /* in the middle of them */
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        log_in(rig, n);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        kick(rig);
        assert_int_equal(lapsed(rig, n + 1), n);
        rig->skew_usec += HOURS(1);
        kick(rig);
        assert_int_equal(lapsed(rig, n + 1), n + 1);
}

/* What a disk may have made of it: it is found, and not read. */
static void add_broken(Rig *rig, Credential *ret)
{
        uint64_t now = clock_line_usec(&rig->manager->clock);

        *ret = (Credential){.user = strdup("deploy"),
                            .uid = 54321,
                            .services = json_object(), /* no list */
                            .sources = json_array(),
                            .uses = 1,
                            .uses_left = 1,
                            .login_limit_usec = now + HOURS(1),
                            .session_ttl_usec = USEC_INFINITY,
                            .ceiling_usec = now + HOURS(9),
                            .issuer = {.loginuid = UID_NONE}};
        (void)snprintf(ret->id, sizeof(ret->id), "broken00");
        assert_int_equal(store_add_credential(rig->manager->store, ret, NULL), 0);
}

static void test_expiry__credential_that_is_damaged__holds_up_no_other(void **state)
{
        Rig *rig = *state;
        AUTO_CREDENTIAL Credential broken = {0};

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        (void)add_credential(rig, 1, HOURS(1));
        add_broken(rig, &broken);
        (void)add_credential(rig, 2, HOURS(1));
        (void)add_credential(rig, 3, HOURS(2));
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
        rig->skew_usec += HOURS(1) + SECONDS(1);
        kick(rig);
        assert_int_equal(receipts(rig, 4), 2);
        assert_int_equal(store_trouble(rig->manager->store), STORE_DAMAGED);
        rig->skew_usec += HOURS(1);
        kick(rig);
        assert_int_equal(receipts(rig, 4), 3);
}

/* Of a session that has ended: there is nothing to prove by, and others are not to wait for that. */
static void test_expiry__evidence_that_is_damaged__holds_up_no_other(void **state)
{
        Rig *rig = *state;
        Store *store = rig->manager->store;
        AUTO_CREDENTIAL Credential credential = {0};
        static char service[] = "sshd";
        Login login = {.service = service};
        SessionRow row = {.leader = 1};

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        login.credential = row.credential = add_credential(rig, 1, HOURS(1));
        (void)add_credential(rig, 2, HOURS(1));
        assert_int_equal(store_add_login(store, &login), 0);
        row.login = login.num;
        assert_int_equal(store_add_session(store, &row), 0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
        assert_int_equal(
                sqlite3_exec(store_db(store)->handle,
                             "UPDATE session SET ended = 1, ended_real = 1, evidence = '{'", NULL,
                             NULL, NULL),
                SQLITE_OK);
        rig->skew_usec += HOURS(1) + SECONDS(1);
        kick(rig);
        assert_int_equal(receipts(rig, 2), 1);
        assert_int_equal(store_read_credential(store, row.credential, &credential), 1);
        assert_int_equal(credential.cause, CAUSE_EXPIRED);
        assert_int_equal(store_trouble(store), STORE_DAMAGED);
}

static void add_login(Rig *rig, const Credential *credential, pid_t pid)
{
        static char service[] = "sshd";
        Login login = {.credential = credential->num,
                       .service = service,
                       .pid = pid,
                       .accepted_usec = clock_line_usec(&rig->manager->clock)};

        assert_int_equal(store_spend(rig->manager->store, credential), 0);
        assert_int_equal(store_add_login(rig->manager->store, &login), 0);
}

static void test_expiry__login_that_is_damaged__holds_up_no_other(void **state)
{
        Rig *rig = *state;
        AUTO_CREDENTIAL Credential broken = {0}, sound = {0};
        CLEANUP(login_done) Login login = {0};
        int64_t num;

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        add_broken(rig, &broken);
        add_login(rig, &broken, 0); /* its credential is */
        num = add_credential(rig, 1, HOURS(9));
        assert_int_equal(store_read_credential(rig->manager->store, num, &sound), 1);
        add_login(rig, &sound, -1); /* no process has that number */
        log_in(rig, 2);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        assert_int_equal(batch_commit(rig->manager->batch), 0);
        rig->skew_usec += HOURS(1);
        kick(rig);
        assert_int_equal(store_find_login(rig->manager->store, 3, &login), 1);
        assert_int_equal(login.state, LOGIN_LAPSED);
        assert_int_equal(store_trouble(rig->manager->store), STORE_DAMAGED);
}

static void test_batch_leave__error__takes_back_that_request_and_no_other(void **state)
{
        Rig *rig = *state;
        Batch *batch = rig->manager->batch;
        Store *store = rig->manager->store;

        for (unsigned i = 0; i < 10; i++) {
                int r = i % 2 ? -ECANCELED : 0;
                int64_t num;

                assert_int_equal(batch_enter(batch), 0);
                num = add_credential(rig, i, HOURS(1));
                assert_int_equal(store_add_event(store, "credential-issued", num, "{}"), 0);
                assert_int_equal(batch_leave(batch, r), r);
        }
        assert_int_equal(batch_commit(batch), 0);
        assert_int_equal(store_newest_event(store), 5);
        for (unsigned i = 0; i < 10; i++) {
                AUTO_CREDENTIAL Credential c = {0};
                char id[TOKEN_ID_LEN + 1];

                (void)snprintf(id, sizeof(id), "%08u", i);
                assert_int_equal(store_find_credential(store, id, &c), i % 2 ? 0 : 1);
        }
        assert_int_equal(batch_commit(batch), 0); /* nothing is open: nothing to do */
}

static void test_batch__nobody_commits__the_loop_does(void **state)
{
        Rig *rig = *state;

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(store_add_event(rig->manager->store, "config-loaded", 0, "{}"), 0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
        /* a second transaction cannot begin while one is open */
        assert_true(store_begin(rig->manager->store) < 0);
        rig_settle(rig);
        assert_int_equal(store_begin(rig->manager->store), 0);
        assert_int_equal(store_commit(rig->manager->store), 0);
}

/* --- the outbox ---------------------------------------------------------------------------------
 */

/* A journald that can be read: the datagrams as they came. */
static int open_journal(Rig *rig, char path[static SCRATCH_PATH_MAX])
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0);
        (void)scratch_path(rig->folder, "journal", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        rig->manager->outbox = outbox_free(rig->manager->outbox);
        assert_int_equal(outbox_new(rig->manager, path, &rig->manager->outbox), 0);
        return fd;
}

static void write_events(Rig *rig, unsigned n)
{
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(event_config_loaded(&rig->manager->events, "/a/path", "{}", "{}"),
                                 0);
        assert_int_equal(batch_leave(rig->manager->batch, 0), 0);
}

/* The sequence number of the next entry; 0: there is none. */
static unsigned next_entry(Rig *rig, int journal)
{
        char text[4096];
        unsigned seq = 0;
        const char *at;
        ssize_t n;

        for (unsigned i = 0; (n = recv(journal, text, sizeof(text) - 1, 0)) < 0; i++) {
                if (i == 200)
                        return 0;
                rig_turn(rig);
        }
        text[n] = '\0';
        assert_non_null(strstr(text, "CREDD_EVENT=config-loaded\n"));
        assert_non_null(strstr(text, "MESSAGE=Configuration loaded: /a/path\n"));
        assert_non_null(strstr(text, "MESSAGE_ID=8efd92ffa8e5621847060ee8d943a9c8\n"));
        assert_non_null(strstr(text, "PRIORITY=6\n"));
        assert_non_null(strstr(text, "CREDD_HASH="));
        assert_non_null(strstr(text, "CREDD_REASON=/a/path\n"));
        at = strstr(text, "CREDD_SEQ=");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "CREDD_SEQ=%u", &seq), 1);
        return seq;
}

static void test_outbox__committed_events__become_entries_in_order(void **state)
{
        Rig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        AUTO_CLOSE int journal = open_journal(rig, path);

        write_events(rig, 300);
        for (unsigned seq = 1; seq <= 300; seq++)
                assert_int_equal(next_entry(rig, journal), seq);
        assert_int_equal(outbox_behind(rig->manager->outbox), 0);
}

static void test_outbox__event_not_committed__does_not_leave(void **state)
{
        Rig *rig = *state;
        char path[SCRATCH_PATH_MAX], byte;
        AUTO_CLOSE int journal = open_journal(rig, path);

        assert_int_equal(batch_enter(rig->manager->batch), 0);
        assert_int_equal(event_config_loaded(&rig->manager->events, "/a/path", "{}", "{}"), 0);
        assert_int_equal(batch_leave(rig->manager->batch, -ECANCELED), -ECANCELED);
        rig_settle(rig);
        assert_int_equal(recv(journal, &byte, 1, MSG_DONTWAIT), -1);
        assert_int_equal(store_newest_event(rig->manager->store), 0);
}

static void test_outbox__journal_away_and_back__gets_all_that_waited(void **state)
{
        Rig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        int journal = open_journal(rig, path);

        (void)close(journal);
        assert_int_equal(unlink(path), 0);
        write_events(rig, 70);
        rig_settle(rig);
        assert_int_equal(outbox_behind(rig->manager->outbox), 70);
        /* a start in between: the new outbox begins where the last one was noted */
        journal = open_journal(rig, path);
        outbox_kick(rig->manager->outbox);
        for (unsigned seq = 1; seq <= 70; seq++)
                assert_int_equal(next_entry(rig, journal), seq);
        (void)close(journal);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_expiry_due__sorted_rows__are_due_from_their_limit_on),
                T(test_expiry__a_thousand_at_one_moment__each_expires_once),
                T(test_expiry__each_takes_long__the_slice_ends_early),
                T(test_expiry__closed_before_its_limit__expires_no_more),
                T(test_expiry__login_while_others_lapse__lapses_in_its_own_time),
                T(test_expiry__credential_that_is_damaged__holds_up_no_other),
                T(test_expiry__evidence_that_is_damaged__holds_up_no_other),
                T(test_expiry__login_that_is_damaged__holds_up_no_other),
                T(test_batch_leave__error__takes_back_that_request_and_no_other),
                T(test_batch__nobody_commits__the_loop_does),
                T(test_outbox__committed_events__become_entries_in_order),
                T(test_outbox__event_not_committed__does_not_leave),
                T(test_outbox__journal_away_and_back__gets_all_that_waited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
