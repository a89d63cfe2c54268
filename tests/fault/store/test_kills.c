/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real credd is killed as it enters its n-th system call after it was asked for something, for each n
 * until it has answered, written what it writes afterwards, and rests. Then it is started again: what it
 * answered is true, what it did not answer was done or was not, and the chain holds. FAULT_SHORT=1 takes some
 * of the calls. */
#include "tests/fault/store/stage.h"

#include "tests/fault/store/credd_rig.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <systemd/sd-id128.h>

#define RESTS                                                                                      \
        4 /* so often it looks for what is to be done after its answer: the journal, the timers */
#define NEVER UINT32_MAX

typedef struct Case {
        Place *place;
        char token[64], id[TOKEN_ID_LEN + 1];
        Said said;
        json_t *reply;
} Case;

typedef struct Deed {
        const char *name;
        void (*ask)(Case *kase, Asked *asked);
        void (*judge)(Case *kase);
} Deed;

static Said offer_to(const Place *place, const char *token)
{
        json_auto_t *reply =
                place_call(place->login, "io.credd.Login.Authenticate", question("token", token));

        return said_by(reply);
}

/* --- what is asked --- */

static json_t *for_whom(void)
{
        return json_pack("{ss si}", "user", "deploy", "uid", PERSON);
}

static void ask_redeem(Case *kase, Asked *asked)
{
        place_ask(asked, kase->place->login, "io.credd.Login.Authenticate",
                  question("token", kase->token));
}

static void judge_redeem(Case *kase)
{
        Said again = offer_to(kase->place, kase->token);

        assert_int_not_equal(kase->said, SAID_NO);
        assert_int_not_equal(again, SAID_UNKNOWN);
        if (kase->said == SAID_YES)
                assert_int_equal(again, SAID_NO);
        assert_int_equal(offer_to(kase->place, kase->token), SAID_NO);
}

static void ask_issue(Case *kase, Asked *asked)
{
        place_ask(asked, kase->place->admin, "io.credd.Admin.Issue", for_whom());
}

static void judge_issue(Case *kase)
{
        assert_int_not_equal(kase->said, SAID_NO);
        if (kase->said != SAID_YES)
                return;
        assert_int_equal(offer_to(kase->place, reply_text(kase->reply, "token", NULL)), SAID_YES);
        assert_int_equal(offer_to(kase->place, reply_text(kase->reply, "token", NULL)), SAID_NO);
}

static void ask_revoke(Case *kase, Asked *asked)
{
        place_ask(asked, kase->place->admin, "io.credd.Admin.Revoke",
                  json_pack("{ss}", "id", kase->id));
}

static void judge_revoke(Case *kase)
{
        json_auto_t *shown = place_call(kase->place->admin, "io.credd.Admin.Show",
                                        json_pack("{ss}", "id", kase->id));
        const char *state = reply_text(shown, "credential", "state");
        bool revoked = strcmp(state, "revoked") == 0;
        Said again = offer_to(kase->place, kase->token);

        if (again != (revoked ? SAID_NO : SAID_YES))
                print_message("# said %d, it is %s, and its token was answered %d\n",
                              (int)kase->said, state, (int)again);
        assert_int_not_equal(kase->said, SAID_NO);
        if (kase->said == SAID_YES)
                assert_true(revoked);
        assert_int_equal(again, revoked ? SAID_NO : SAID_YES);
}

static const Deed deeds[] = {
        {"redeem", ask_redeem, judge_redeem},
        {"issue", ask_issue, judge_issue},
        {"revoke", ask_revoke, judge_revoke},
};

/* --- the kill --- */

/* true: it enters a system call; *ret_number is which. */
static bool enters(pid_t pid, int status, uint64_t *ret_number)
{
        struct __ptrace_syscall_info info = {0};

        if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
                return false;
        assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
        *ret_number = info.entry.nr;
        return info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

static bool waits(uint64_t number)
{
#ifdef SYS_epoll_wait
        if (number == SYS_epoll_wait)
                return true;
#endif
        return number == SYS_epoll_pwait || number == SYS_epoll_pwait2;
}

static void seize(pid_t pid)
{
        int status;

        assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL,
                                (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
                         0);
        assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, __WALL), pid);
        assert_true(WIFSTOPPED(status));
}

/* Until it enters its n-th system call, or rests: then it is killed. How many it entered. */
static unsigned run_to(Place *place, Asked *asked, unsigned n)
{
        unsigned entered = 0, rests = 0;

        while (entered < n && rests < RESTS) {
                uint64_t number = 0;
                int status = 0;

                assert_int_equal(ptrace(PTRACE_SYSCALL, place->pid, NULL, NULL), 0);
                assert_int_equal(waitpid(place->pid, &status, __WALL), place->pid);
                assert_true(WIFSTOPPED(status));
                if (!enters(place->pid, status, &number))
                        continue;
                entered++;
                rests += waits(number) && place_hear(asked, MSG_DONTWAIT);
        }
        (void)place_end(place, SIGKILL);
        return entered;
}

/* --- a case --- */

static void prepare(Case *kase)
{
        json_auto_t *reply = NULL;

        assert_true(place_start(kase->place));
        reply = place_call(kase->place->admin, "io.credd.Admin.Issue", for_whom());
        assert_int_equal(said_by(reply), SAID_YES);
        (void)snprintf(kase->token, sizeof(kase->token), "%s", reply_text(reply, "token", NULL));
        (void)snprintf(kase->id, sizeof(kase->id), "%s", reply_text(reply, "credential", "id"));
}

static void audit(Place *place)
{
        CLEANUP(store_closep) Store *store = NULL;
        char boot[SD_ID128_STRING_MAX];
        sd_id128_t id;
        Clock clock;

        /* Not another boot: the wall clock would be asked how much time has passed. */
        assert_true(sd_id128_get_boot(&id) >= 0);
        clock_init_system(&clock);
        assert_int_equal(store_open(place->state, sd_id128_to_string(id, boot), &clock, &store), 0);
        audit_store(store);
}

/* Its store goes on from case to case. */
static unsigned kill_at(Place *place, const Deed *deed, unsigned n, unsigned *answered)
{
        Case kase = {.place = place};
        Asked *asked = calloc(1, sizeof(*asked));
        unsigned entered;

        assert_non_null(asked);
        prepare(&kase);
        seize(place->pid);
        deed->ask(&kase, asked);
        entered = run_to(place, asked, n);
        kase.reply = place_answer(asked);
        kase.said = said_by(kase.reply);
        free(asked);
        *answered += kase.said == SAID_YES;
        assert_true(place_start(place));
        deed->judge(&kase);
        json_decref(kase.reply);
        assert_int_equal(place_end(place, SIGTERM), 0);
        audit(place);
        return entered;
}

static void run_deed(const Deed *deed)
{
        Place *place = place_new();
        unsigned answered = 0, all = kill_at(place, deed, NEVER, &answered);
        unsigned step = getenv("FAULT_SHORT") ? 1 + all / 10 : 1, kills = 1;

        assert_true(all > 20);
        for (unsigned n = 1; n <= all; n += step, kills++)
                (void)kill_at(place, deed, n, &answered);
        print_message("# %s: %u kills at %u system calls, %u of them after the answer\n",
                      deed->name, kills, all, answered);
        assert_in_range(answered, 1, kills - 1);
        place_free(place);
}

static int need_credd(void **state)
{
        (void)state;
        if (!getenv("CREDD"))
                fail_msg("CREDD= names the program");
        return 0;
}

static void test_credd__killed_at_a_system_call_of_a_redeem__keeps_its_word(void **state)
{
        (void)state;
        need_root();
        run_deed(&deeds[0]);
}

static void test_credd__killed_at_a_system_call_of_an_issue__keeps_its_word(void **state)
{
        (void)state;
        need_root();
        run_deed(&deeds[1]);
}

static void test_credd__killed_at_a_system_call_of_a_revoke__keeps_its_word(void **state)
{
        (void)state;
        need_root();
        run_deed(&deeds[2]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_credd__killed_at_a_system_call_of_a_redeem__keeps_its_word),
                cmocka_unit_test(test_credd__killed_at_a_system_call_of_an_issue__keeps_its_word),
                cmocka_unit_test(test_credd__killed_at_a_system_call_of_a_revoke__keeps_its_word),
        };

        return cmocka_run_group_tests(tests, need_credd, NULL);
}
