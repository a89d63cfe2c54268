/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows to values and back, and what each writer refuses to change. */
#include "tests/unit/store_rig.h"

#include <errno.h>

#include "credd/db-internal.h"
#include "tests/unit/tamper.h"

static void assert_same_text(const char *a, const char *b)
{
        assert_int_equal(a == NULL, b == NULL);
        if (a)
                assert_string_equal(a, b);
}

static void assert_same_credential(const Credential *a, const Credential *b)
{
        assert_int_equal(a->num, b->num);
        assert_string_equal(a->id, b->id);
        assert_same_text(a->user, b->user);
        assert_int_equal(a->uid, b->uid);
        assert_same_text(a->role, b->role);
        assert_same_text(a->holder, b->holder);
        assert_same_text(a->reason, b->reason);
        assert_true(json_equal(a->services, b->services));
        assert_true(json_equal(a->sources, b->sources));
        assert_int_equal(a->uses, b->uses);
        assert_true(a->issued_usec == b->issued_usec);
        assert_true(a->issued_real_usec == b->issued_real_usec);
        assert_true(a->not_before_usec == b->not_before_usec);
        assert_true(a->session_ttl_usec == b->session_ttl_usec);
        assert_true(a->ceiling_usec == b->ceiling_usec);
        assert_string_equal(a->issuer.name, b->issuer.name);
        assert_int_equal(a->issuer.uid, b->issuer.uid);
        assert_int_equal(a->issuer.loginuid, b->issuer.loginuid);
        assert_int_equal(a->has_hash, b->has_hash);
        assert_memory_equal(a->hash, b->hash, HASH_LEN);
        assert_int_equal(a->uses_left, b->uses_left);
        assert_true(a->login_limit_usec == b->login_limit_usec);
        assert_int_equal(a->cause, b->cause);
        assert_int_equal(a->open_logins, b->open_logins);
}

static Credential read_back(Store *store, int64_t num)
{
        Credential c = {0};

        assert_int_equal(store_read_credential(store, num, &c), 1);
        return c;
}

static void test_store_credential__every_field__comes_back(void **state)
{
        StoreRig *rig = *state;
        AUTO_CREDENTIAL Credential in = sample_credential("k7m2q9xd", NOON + HOURS(1));
        AUTO_CREDENTIAL Credential by_num = {0};
        AUTO_CREDENTIAL Credential by_id = {0};
        Credential none = {0};

        assert_int_equal(store_add_credential(rig->store, &in, NULL), 0);
        by_num = read_back(rig->store, in.num);
        assert_same_credential(&in, &by_num);
        assert_int_equal(store_find_credential(rig->store, "k7m2q9xd", &by_id), 1);
        assert_same_credential(&in, &by_id);
        assert_int_equal(store_find_credential(rig->store, "K7M2Q9XD", &none), 0);
        assert_int_equal(store_find_credential(rig->store, "k7m2q9x", &none), 0);
        assert_int_equal(store_read_credential(rig->store, in.num + 1, &none), 0);
        assert_null(none.user);
}

static void test_store_credential__what_may_be_absent__comes_back_absent(void **state)
{
        StoreRig *rig = *state;
        AUTO_CREDENTIAL Credential in = sample_credential("k7m2q9xd", NOON + HOURS(1));
        AUTO_CREDENTIAL Credential out = {0};

        free(take_ptr(in.holder));
        free(take_ptr(in.reason));
        in.session_ttl_usec = USEC_INFINITY;
        in.issuer = (Actor){.name = "", .uid = UID_NONE - 1, .loginuid = UID_NONE};
        in.uid = UID_NONE - 1;
        (void)json_array_clear(in.sources);
        assert_int_equal(store_add_credential(rig->store, &in, NULL), 0);
        out = read_back(rig->store, in.num);
        assert_null(out.role);
        assert_same_credential(&in, &out);
}

static void test_store_add_credential__id_taken__is_eexist_and_the_first_one_stays(void **state)
{
        StoreRig *rig = *state;
        AUTO_CREDENTIAL Credential first = sample_credential("k7m2q9xd", NOON + HOURS(1));
        AUTO_CREDENTIAL Credential second = sample_credential("k7m2q9xd", NOON + HOURS(2));
        AUTO_CREDENTIAL Credential out = {0};

        assert_int_equal(store_begin(rig->store), 0);
        assert_int_equal(store_savepoint(rig->store), 0);
        assert_int_equal(store_add_credential(rig->store, &first, NULL), 0);
        assert_int_equal(store_add_credential(rig->store, &second, NULL), -EEXIST);
        /* drawn again, in the same request */
        (void)snprintf(second.id, sizeof(second.id), "k7m2q9xe");
        assert_int_equal(store_add_credential(rig->store, &second, NULL), 0);
        assert_int_equal(store_release(rig->store), 0);
        assert_int_equal(store_commit(rig->store), 0);
        out = read_back(rig->store, first.num);
        assert_same_credential(&first, &out);
        assert_int_not_equal(first.num, second.num);
}

static void test_store_find_key__of_an_issuer__names_what_the_first_call_made(void **state)
{
        StoreRig *rig = *state;
        AUTO_CREDENTIAL Credential a = sample_credential("k7m2q9xa", NOON + HOURS(1));
        AUTO_CREDENTIAL Credential b = sample_credential("k7m2q9xb", NOON + HOURS(1));
        int64_t num = 0;

        b.issuer.uid = 7;
        assert_int_equal(store_add_credential(rig->store, &a, "deploy-42"), 0);
        assert_int_equal(store_add_credential(rig->store, &b, "deploy-42"), 0);
        assert_int_equal(store_find_key(rig->store, a.issuer.uid, "deploy-42", &num), 1);
        assert_int_equal(num, a.num);
        assert_int_equal(store_find_key(rig->store, 7, "deploy-42", &num), 1);
        assert_int_equal(num, b.num);
        assert_int_equal(store_find_key(rig->store, 7, "deploy-43", &num), 0);
        assert_int_equal(store_find_key(rig->store, 8, "deploy-42", &num), 0);
}

static int spend(Store *store, int64_t num)
{
        AUTO_CREDENTIAL Credential credential = read_back(store, num);

        return store_spend(store, &credential);
}

static void test_store_spend__more_often_than_there_are_uses__never_goes_below_zero(void **state)
{
        StoreRig *rig = *state;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1)); /* two uses */

        for (int i = 0; i < 5; i++) {
                AUTO_CREDENTIAL Credential c = {0};

                assert_int_equal(spend(rig->store, num), i < 2 ? 0 : -ESTALE);
                c = read_back(rig->store, num);
                assert_int_equal(c.uses_left, i < 2 ? 1 - i : 0);
                assert_int_equal(c.open_logins, i < 2 ? i + 1 : 2);
                assert_int_equal(c.cause, i == 0 ? CAUSE_NONE : CAUSE_USED);
                assert_int_equal(c.has_hash, i == 0);
        }
        for (int i = 0; i < 4; i++)
                assert_int_equal(store_close_login(rig->store, num), i < 2 ? 0 : -ESTALE);
        assert_int_equal(store_spend(rig->store, &(Credential){.num = num + 1}), -ESTALE);
}

static void test_store_close_credential__closed__has_no_hash_and_no_use_to_spend(void **state)
{
        StoreRig *rig = *state;

        for (int cause = CAUSE_USED; cause < CAUSE_MAX; cause++) {
                AUTO_CREDENTIAL Credential c = {0};
                char id[TOKEN_ID_LEN + 1];
                int64_t num;

                (void)snprintf(id, sizeof(id), "k7m2q9x%d", cause);
                num = add_sample(rig->store, id, NOON + HOURS(1));
                assert_int_equal(store_close_credential(rig->store, num, (Cause)cause), 0);
                c = read_back(rig->store, num);
                assert_int_equal(c.cause, cause);
                assert_false(c.has_hash);
                assert_int_equal(c.uses_left, 2);
                assert_int_equal(spend(rig->store, num), -ESTALE);
        }
        assert_int_equal(store_close_credential(rig->store, 99, CAUSE_USED), -ESTALE);
}

static void test_store_login__every_field__comes_back(void **state)
{
        StoreRig *rig = *state;
        CLEANUP(login_done) Login out = {0};
        char service[] = "sshd", tty[] = "ssh", rhost[] = "2001:db8::1";
        Login in = {.credential = add_sample(rig->store, "k7m2q9xd", NOON),
                    .accepted_usec = NOON + 3,
                    .service = service,
                    .tty = tty,
                    .rhost = rhost,
                    .pid = 4711,
                    .parent = 4710,
                    .ticks = 123456789,
                    .parent_ticks = 123456};

        digest_random(in.nonce, NONCE_LEN);
        assert_int_equal(store_add_login(rig->store, &in), 0);
        assert_int_equal(store_find_login(rig->store, in.num, &out), 1);
        assert_int_equal(out.num, in.num);
        assert_int_equal(out.credential, in.credential);
        assert_memory_equal(out.nonce, in.nonce, NONCE_LEN);
        assert_int_equal(out.state, LOGIN_ACCEPTED);
        assert_true(out.accepted_usec == NOON + 3);
        assert_string_equal(out.service, "sshd");
        assert_string_equal(out.tty, "ssh");
        assert_string_equal(out.rhost, "2001:db8::1");
        assert_int_equal(out.boot, store_boot(rig->store));
        assert_int_equal(out.pid, 4711);
        assert_int_equal(out.parent, 4710);
        assert_true(out.ticks == 123456789 && out.parent_ticks == 123456);
        login_done(&out);
        in.tty = in.rhost = NULL;
        assert_int_equal(store_add_login(rig->store, &in), 0);
        assert_int_equal(store_find_login(rig->store, in.num, &out), 1);
        assert_null(out.tty);
        assert_null(out.rhost);
}

static void test_store_set_login__once_claimed__is_never_claimed_again(void **state)
{
        static const LoginState ends[] = {LOGIN_CLAIMED, LOGIN_LAPSED};
        StoreRig *rig = *state;
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON);

        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                int64_t num = add_sample_login(rig->store, credential, NOON);
                CLEANUP(login_done) Login login = {0};

                assert_int_equal(store_set_login(rig->store, num, ends[i]), 0);
                assert_int_equal(store_set_login(rig->store, num, LOGIN_CLAIMED), -ESTALE);
                assert_int_equal(store_set_login(rig->store, num, LOGIN_LAPSED), -ESTALE);
                assert_int_equal(store_find_login(rig->store, num, &login), 1);
                assert_int_equal(login.state, ends[i]);
        }
        assert_int_equal(store_set_login(rig->store, 99, LOGIN_CLAIMED), -ESTALE);
}

static SessionRow sample_session(int64_t login, int64_t credential)
{
        return (SessionRow){.login = login,
                            .credential = credential,
                            .leader = 4711,
                            .ticks = 99,
                            .opened_usec = NOON + 1,
                            .opened_real_usec = NOON + 2,
                            .deadline_usec = NOON + HOURS(1),
                            .lingered = true};
}

static void test_store_session__from_claim_to_end__comes_back_as_it_is(void **state)
{
        StoreRig *rig = *state;
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        int64_t login = add_sample_login(rig->store, credential, NOON);
        json_auto_t *evidence = json_pack("{sI}", "late_usec", (json_int_t)17);
        const SessionRow in = sample_session(login, credential);
        CLEANUP(session_row_done) SessionRow out = {0};
        const uint64_t end = NOON + HOURS(1) + 3;

        assert_int_equal(store_add_session(rig->store, &in), 0);
        assert_int_equal(store_add_session(rig->store, &in), -EEXIST);
        read_session(rig->store, login, &out);
        assert_int_equal(out.leader, 4711);
        assert_int_equal(out.boot, store_boot(rig->store));
        assert_true(out.ticks == 99 && out.lingered);
        assert_true(out.opened_usec == NOON + 1 && out.opened_real_usec == NOON + 2);
        assert_true(out.deadline_usec == NOON + HOURS(1));
        assert_null(out.logind_id);
        assert_null(out.evidence);
        assert_true(out.since_usec == USEC_INFINITY);
        assert_true(out.ended_usec == USEC_INFINITY && out.ended_real_usec == USEC_INFINITY);
        assert_string_equal(out.id, "k7m2q9xd");
        assert_string_equal(out.user, "deploy");
        assert_int_equal(out.uid, 1001);
        assert_string_equal(out.service, "sshd");
        assert_null(out.tty);
        assert_true(out.accepted_usec == NOON);
        session_row_done(&out);
        assert_int_equal(store_bind_session(rig->store, login, "c1"), 0);
        assert_int_equal(store_set_deadline(rig->store, login, NOON + HOURS(2)), 0);
        assert_int_equal(store_set_since(rig->store, login, NOON - 7), 0);
        assert_int_equal(store_end_session(rig->store, login, end, evidence), 0);
        read_session(rig->store, login, &out);
        assert_string_equal(out.logind_id, "c1");
        assert_true(out.deadline_usec == NOON + HOURS(2));
        assert_true(out.since_usec == NOON - 7);
        assert_true(out.ended_usec == end);
        assert_true(out.ended_real_usec == clock_to_real_usec(&rig->clock, end));
        assert_true(json_equal(out.evidence, evidence));
        /* it ends once, and what has ended has no deadline to move */
        assert_int_equal(store_end_session(rig->store, login, end + 1, evidence), -ESTALE);
        assert_int_equal(store_set_deadline(rig->store, login, NOON), -ESTALE);
        assert_int_equal(store_set_since(rig->store, login + 1, NOON), -ESTALE);
}

static unsigned memory_left;

static void *scarce(size_t size)
{
        if (memory_left-- > 0)
                return malloc(size);
        memory_left = 0;
        errno = ENOMEM;
        return NULL;
}

/* Tried again for want of memory, passed over for damage: so the two are told apart. */
static void test_store_credential__no_memory_for_a_list__is_enomem(void **state)
{
        StoreRig *rig = *state;
        int r = -ENOMEM;

        (void)add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        for (unsigned n = 0; r == -ENOMEM; n++) {
                AUTO_CREDENTIAL Credential credential = {0};

                assert_true(n < 100);
                memory_left = n;
                json_set_alloc_funcs(scarce, free);
                r = store_find_credential(rig->store, "k7m2q9xd", &credential);
                json_set_alloc_funcs(malloc, free);
        }
        assert_int_equal(r, 1);
}

static bool none_is_read(void *userdata, SessionRow *row)
{
        (void)userdata;
        (void)row;
        fail();
        return false;
}

static void test_store_session__evidence_that_is_none__is_damage(void **state)
{
        StoreRig *rig = *state;
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        int64_t login = add_sample_login(rig->store, credential, NOON);
        const SessionRow in = sample_session(login, credential);

        assert_int_equal(store_add_session(rig->store, &in), 0);
        store_rig_close(rig);
        tamper(rig->folder, "UPDATE session SET ended = 1, ended_real = 1, evidence = '{'");
        store_rig_open(rig, BOOT_A);
        assert_int_equal(store_each_session(rig->store, SESSIONS_OF, credential, 0, INT64_MAX,
                                            none_is_read, NULL),
                         -EBADMSG);
}

typedef struct Seen {
        int64_t nums[64];
        size_t n, stop_after;
} Seen;

static bool see_session(void *userdata, SessionRow *row)
{
        Seen *seen = userdata;

        seen->nums[seen->n++] = row->login;
        return seen->n != seen->stop_after;
}

static Seen see(Store *store, SessionSet set, int64_t credential, int64_t after, int64_t limit,
                size_t stop_after)
{
        Seen seen = {.stop_after = stop_after};

        assert_int_equal(
                store_each_session(store, set, credential, after, limit, see_session, &seen), 0);
        return seen;
}

static void test_store_each_session__each_set__comes_in_order_and_in_pages(void **state)
{
        StoreRig *rig = *state;
        json_auto_t *evidence = json_object();
        int64_t credentials[2];

        credentials[0] = add_sample(rig->store, "k7m2q9xa", NOON);
        credentials[1] = add_sample(rig->store, "k7m2q9xb", NOON);
        for (int64_t i = 1; i <= 20; i++) {
                int64_t login = add_sample_login(rig->store, credentials[i % 2], NOON);
                const SessionRow row = sample_session(login, credentials[i % 2]);

                assert_int_equal(login, i);
                assert_int_equal(store_add_session(rig->store, &row), 0);
                if (i % 4 == 0)
                        assert_int_equal(store_end_session(rig->store, i, NOON, evidence), 0);
        }
        assert_int_equal(see(rig->store, SESSIONS_ALL, 0, 0, 100, 0).n, 20);
        assert_int_equal(see(rig->store, SESSIONS_LIVE, 0, 0, 100, 0).n, 15);
        assert_int_equal(see(rig->store, SESSIONS_OF, credentials[0], 0, 100, 0).n, 10);
        assert_int_equal(see(rig->store, SESSIONS_OF, 99, 0, 100, 0).n, 0);
        assert_int_equal(see(rig->store, SESSIONS_ALL, 0, 15, 100, 0).nums[0], 16);
        assert_int_equal(see(rig->store, SESSIONS_ALL, 0, 0, 3, 0).n, 3);
        assert_int_equal(see(rig->store, SESSIONS_LIVE, 0, 3, 2, 0).nums[0], 5);
        assert_int_equal(see(rig->store, SESSIONS_ALL, 0, 0, 100, 2).n, 2);
        /* stopped in the middle, the statement is ready for the next question */
        assert_int_equal(see(rig->store, SESSIONS_ALL, 0, 0, 100, 0).n, 20);
}

static bool see_credential(void *userdata, Credential *credential)
{
        Seen *seen = userdata;

        seen->nums[seen->n++] = credential->num;
        return seen->n != seen->stop_after;
}

static void test_store_each_credential__pages__come_in_order(void **state)
{
        StoreRig *rig = *state;
        Seen seen = {.n = 0}, part = {.stop_after = 2};

        for (unsigned i = 0; i < 10; i++) {
                char id[TOKEN_ID_LEN + 1];

                (void)snprintf(id, sizeof(id), "%08u", 99 - i);
                (void)add_sample(rig->store, id, NOON);
        }
        assert_int_equal(store_each_credential(rig->store, 3, 5, see_credential, &seen), 0);
        assert_int_equal(seen.n, 5);
        for (size_t i = 0; i < seen.n; i++)
                assert_int_equal(seen.nums[i], 4 + i);
        assert_int_equal(store_each_credential(rig->store, 0, 5, see_credential, &part), 0);
        assert_int_equal(part.n, 2);
}

static bool count_own(void *userdata, Credential *credential)
{
        int64_t *nums = userdata;

        assert_true(credential->num > nums[0]);
        nums[0] = credential->num;
        nums[1]++;
        return true;
}

static void test_store_each_own__others_between__finds_the_issuers_alone_in_order(void **state)
{
        StoreRig *rig = *state;
        int64_t own[2] = {0}, rest[2] = {0}, none[2] = {0};

        for (unsigned i = 0; i < 20; i++) {
                char id[TOKEN_ID_LEN + 1];
                AUTO_CREDENTIAL Credential c = {0};

                (void)snprintf(id, sizeof(id), "own%05u", i);
                c = sample_credential(id, NOON + HOURS(1));
                c.issuer.uid = i % 4 == 0 ? 2001 : 2002;
                assert_int_equal(store_add_credential(rig->store, &c, NULL), 0);
        }
        assert_int_equal(store_each_own(rig->store, 2001, 0, 100, count_own, own), 0);
        assert_int_equal(own[1], 5);
        assert_int_equal(store_each_own(rig->store, 2001, 5, 2, count_own, rest), 0);
        assert_int_equal(rest[1], 2);
        assert_int_equal(rest[0], 13);
        assert_int_equal(store_each_own(rig->store, 2003, 0, 100, count_own, none), 0);
        assert_int_equal(none[1], 0);
}

static void test_store_role_off__no_row__is_on(void **state)
{
        StoreRig *rig = *state;

        assert_int_equal(store_role_off(rig->store, "oncall"), 0);
}

static void test_store_add_receipt__second_one__is_eexist_and_the_first_stays(void **state)
{
        StoreRig *rig = *state;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON);
        json_auto_t *data = json_pack("{s[], s[s]}", "evidence", "not_covered", "containers");
        char confirmed[] = "confirmed", late[] = "late";
        Receipt in = {.written_usec = NOON + 1,
                      .written_real_usec = NOON + 2,
                      .late_usec = 30,
                      .verdict = confirmed,
                      .data = data};
        CLEANUP(receipt_done) Receipt out = {0};

        assert_int_equal(store_find_receipt(rig->store, num, &out), 0);
        assert_int_equal(store_add_receipt(rig->store, num, &in), 0);
        in.verdict = late;
        assert_int_equal(store_add_receipt(rig->store, num, &in), -EEXIST);
        assert_int_equal(store_find_receipt(rig->store, num, &out), 1);
        assert_string_equal(out.verdict, "confirmed");
        assert_true(out.written_real_usec == NOON + 2 && out.late_usec == 30);
        assert_true(json_equal(out.data, data));
        /* and none of what does not exist */
        assert_true(store_add_receipt(rig->store, num + 1, &in) < 0);
}

static void test_store_revocation__with_and_without_reason__comes_back(void **state)
{
        StoreRig *rig = *state;
        char reason[] = "laptop lost";
        const Revocation in[] = {
                {NOON, {.name = "root", .uid = 0, .loginuid = 1002}, reason},
                {NOON + 1, {.name = "", .uid = 4711, .loginuid = UID_NONE}, NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(in); i++) {
                char id[TOKEN_ID_LEN + 1];
                CLEANUP(revocation_done) Revocation out = {0};
                int64_t num;

                (void)snprintf(id, sizeof(id), "k7m2q9x%zu", i);
                num = add_sample(rig->store, id, NOON);
                assert_int_equal(store_find_revocation(rig->store, num, &out), 0);
                assert_int_equal(store_add_revocation(rig->store, num, &in[i]), 0);
                assert_int_equal(store_add_revocation(rig->store, num, &in[i]), -EEXIST);
                assert_int_equal(store_find_revocation(rig->store, num, &out), 1);
                assert_true(out.at_real_usec == in[i].at_real_usec);
                assert_string_equal(out.actor.name, in[i].actor.name);
                assert_int_equal(out.actor.uid, in[i].actor.uid);
                assert_int_equal(out.actor.loginuid, in[i].actor.loginuid);
                assert_same_text(out.reason, in[i].reason);
        }
}

/* What a disk may have made of the row; nobody is let in by it, and nothing else is made of it. */
static void test_store_credential__damaged_row__is_ebadmsg(void **state)
{
        static const char *const damages[] = {
                "credential SET services='[1]'",
                "credential SET services='{}'",
                "credential SET sources='[\"local\",null]'",
                "credential SET sources='{\"10.0.0.0/8\":1}'",
                "credential SET user=CAST(x'6465706c6f790078' AS TEXT)",
                "credential SET role=CAST(x'6f707300' AS TEXT)",
                "credential SET uid=4294968297",
                "credential SET uid=-1",
                "credential SET ceiling=-1",
                "credential SET kind=4294967296",
                "standing SET cause=4294967296",
                "standing SET login_limit=-1",
                "standing SET uses_left=3",
        };
        StoreRig *rig = *state;
        Db *db = store_db(rig->store);

        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                AUTO_FREE char *sql = NULL;
                Credential none = {0};
                int64_t num;

                num = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
                assert_true(asprintf(&sql, "BEGIN; UPDATE %s", damages[i]) > 0);
                assert_int_equal(db_execute(db, sql), 0);
                if (store_read_credential(rig->store, num, &none) != -EBADMSG)
                        fail_msg("taken: %s", damages[i]);
                assert_null(none.user);
                assert_int_equal(db_execute(db, "DELETE FROM standing; DELETE FROM credential; "
                                                "COMMIT"),
                                 0);
        }
}

static void test_store_login__damaged_row__is_ebadmsg(void **state)
{
        static const char *const damages[] = {"state=4294967296",  "state=-1",    "pid=-1",
                                              "parent=4294967297", "accepted=-1", "nonce=x''",
                                              "nonce=x'01'"};
        StoreRig *rig = *state;
        Db *db = store_db(rig->store);
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));

        num = add_sample_login(rig->store, num, NOON);
        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                AUTO_FREE char *sql = NULL;
                Login none = {0};

                assert_true(asprintf(&sql, "BEGIN; UPDATE login SET %s", damages[i]) > 0);
                assert_int_equal(db_execute(db, sql), 0);
                assert_int_equal(store_find_login(rig->store, num, &none), -EBADMSG);
                assert_int_equal(db_execute(db, "ROLLBACK"), 0);
        }
}

static void test_store_session__damaged_row__is_ebadmsg(void **state)
{
        static const char *const damages[] = {
                "session SET leader=-1",   "session SET opened=-1",
                "session SET deadline=-1", "session SET opened_real=-1",
                "credential SET uid=-1",   "credential SET uid=4294967295",
        };
        StoreRig *rig = *state;
        Db *db = store_db(rig->store);
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        const SessionRow in =
                sample_session(add_sample_login(rig->store, credential, NOON), credential);

        assert_int_equal(store_add_session(rig->store, &in), 0);
        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                AUTO_FREE char *sql = NULL;
                Seen seen = {0};

                assert_true(asprintf(&sql, "BEGIN; UPDATE %s", damages[i]) > 0);
                assert_int_equal(db_execute(db, sql), 0);
                assert_int_equal(
                        store_each_session(rig->store, SESSIONS_LIVE, 0, 0, 9, see_session, &seen),
                        -EBADMSG);
                assert_int_equal(seen.n, 0);
                assert_int_equal(db_execute(db, "ROLLBACK"), 0);
        }
}

/* As if there were none: that would be the better case. */
static void test_store_login__table_that_cannot_be_read__is_an_error_and_not_nothing(void **state)
{
        static const SessionSet sets[] = {SESSIONS_LIVE, SESSIONS_ALL, SESSIONS_OF, (SessionSet)99};
        StoreRig *rig = *state;
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1)), newest = -7;
        int64_t num = add_sample_login(rig->store, credential, NOON);
        const SessionRow in = sample_session(num, credential);
        CLEANUP(login_done) Login login = {0};
        Seen seen = {0};

        assert_int_equal(store_add_session(rig->store, &in), 0);
        assert_int_equal(db_execute(store_db(rig->store), "ALTER TABLE login RENAME TO gone;"
                                                          "ALTER TABLE instance RENAME TO lost"),
                         0);
        assert_true(store_find_login(rig->store, num, &login) < 0);
        assert_true(store_lapse_peek(rig->store, 0, &login) < 0);
        assert_true(store_newest_login(rig->store, &newest) < 0);
        assert_true(store_lapse_advance(rig->store, num) < 0);
        for (size_t i = 0; i < ELEMENTSOF(sets); i++)
                assert_true(store_each_session(rig->store, sets[i], credential, 0, 9, see_session,
                                               &seen) < 0);
        assert_int_equal(seen.n, 0);
        assert_int_equal(db_execute(store_db(rig->store), "ALTER TABLE gone RENAME TO login;"
                                                          "ALTER TABLE lost RENAME TO instance"),
                         0);
        assert_int_equal(store_lapse_peek(rig->store, 0, &login), 1);
}

static void test_store_session__there_is_none__nothing_is_changed(void **state)
{
        StoreRig *rig = *state;
        int64_t credential = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        const SessionRow in =
                sample_session(add_sample_login(rig->store, credential, NOON), credential);
        CLEANUP(session_row_done) SessionRow out = {0};

        assert_int_equal(store_add_session(rig->store, &in), 0);
        assert_int_equal(store_bind_session(rig->store, 99, "c1"), -ESTALE);
        assert_int_equal(store_begin_end(rig->store, 99, NOON), -ESTALE);
        assert_int_equal(store_cut_short(rig->store, 99, NOON, "frozen"), -ESTALE);
        /* nor does one end of which nothing is known */
        assert_int_equal(store_end_session(rig->store, in.login, NOON, NULL), -ENOMEM);
        read_session(rig->store, in.login, &out);
        assert_int_equal(out.ended_usec, USEC_INFINITY);
}

static bool count_alarm(void *userdata, const Alarm *alarm)
{
        (void)alarm;
        (*(unsigned *)userdata)++;
        return true;
}

static void test_store_alarm__of_no_kind__is_ebadmsg(void **state)
{
        StoreRig *rig = *state;
        int64_t num = add_sample(rig->store, "k7m2q9xd", NOON + HOURS(1));
        unsigned n = 0;

        assert_int_equal(store_raise_alarm(rig->store, num, ALARM_MISSED, NOON), 0);
        assert_int_equal(store_each_alarm(rig->store, num, count_alarm, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(db_execute(store_db(rig->store), "UPDATE alarm SET kind=255"), 0);
        assert_int_equal(store_each_alarm(rig->store, num, count_alarm, &n), -EBADMSG);
        assert_int_equal(n, 1);
}

/* There must be a number behind the last event's, and a mark must be a moment. */
static void test_store_open__damaged_marks__is_ebadmsg(void **state)
{
        static const char *const damages[] = {
                "UPDATE event SET seq=9223372036854775807",
                "UPDATE event SET line=-1",
                "UPDATE instance SET lapsed=-9223372036854775808",
                "UPDATE instance SET journaled=9223372036854775807",
                "UPDATE instance SET boot=0",
        };
        StoreRig *rig = *state;

        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                Store *store = rig->store;

                assert_int_equal(store_begin(store), 0);
                assert_int_equal(store_add_event(store, "daemon-started", 0, "{}"), 0);
                assert_int_equal(db_execute(store_db(store), damages[i]), 0);
                assert_int_equal(store_commit(store), 0);
                store_rig_close(rig);
                rig->clock = hands_clock(&rig->hands);
                assert_int_equal(store_open(rig->folder, BOOT_A, &rig->clock, &store), -EBADMSG);
                scratch_free(rig->folder);
                rig->folder = scratch_new();
                store_rig_open(rig, BOOT_A);
        }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, store_rig_setup, store_rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_store_credential__every_field__comes_back),
                T(test_store_credential__what_may_be_absent__comes_back_absent),
                T(test_store_add_credential__id_taken__is_eexist_and_the_first_one_stays),
                T(test_store_find_key__of_an_issuer__names_what_the_first_call_made),
                T(test_store_spend__more_often_than_there_are_uses__never_goes_below_zero),
                T(test_store_close_credential__closed__has_no_hash_and_no_use_to_spend),
                T(test_store_login__every_field__comes_back),
                T(test_store_set_login__once_claimed__is_never_claimed_again),
                T(test_store_session__from_claim_to_end__comes_back_as_it_is),
                T(test_store_credential__no_memory_for_a_list__is_enomem),
                T(test_store_session__evidence_that_is_none__is_damage),
                T(test_store_each_session__each_set__comes_in_order_and_in_pages),
                T(test_store_each_credential__pages__come_in_order),
                T(test_store_each_own__others_between__finds_the_issuers_alone_in_order),
                T(test_store_role_off__no_row__is_on),
                T(test_store_add_receipt__second_one__is_eexist_and_the_first_stays),
                T(test_store_revocation__with_and_without_reason__comes_back),
                T(test_store_credential__damaged_row__is_ebadmsg),
                T(test_store_login__damaged_row__is_ebadmsg),
                T(test_store_session__damaged_row__is_ebadmsg),
                T(test_store_login__table_that_cannot_be_read__is_an_error_and_not_nothing),
                T(test_store_session__there_is_none__nothing_is_changed),
                T(test_store_alarm__of_no_kind__is_ebadmsg),
                T(test_store_open__damaged_marks__is_ebadmsg),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
