/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every allocation of the whole process fails, one after the other, once and from then on: libpam's, the
 * loader's and libc's too. What may come of it says journey.h. The module frees what is its own; what libpam or
 * libc lose on the way is not looked at.
 *
 * pam_start() is apart, because there libpam 1.5 has faults of its own. If it finds no memory for the name of
 * a module, it crashes: so each try is a process of its own, and one that died there let nobody in. If it
 * finds none for the arguments of a line, it says so in the log and calls the module without them. With ours
 * that is another line, which may stand aside where the one that was written would not: who is let in is
 * judged, not who is passed over. */
#include "tests/fault/journey.h"

#define WITHIN_USEC (20 * USEC_PER_SEC)

/* More allocations than any login makes: it never ends by itself. */
#define TOO_MANY 20000u

/* The shipped profile, as pam-auth-update writes it, with a module that takes no password in the place of
 * pam_unix. */
static const char profile[] =
        "auth [success=2 auth_err=die authinfo_unavail=die default=ignore] % min_uid=0\n"
        "auth [success=1 default=ignore] pam_deny.so\n"
        "auth requisite pam_deny.so\n"
        "auth required pam_permit.so\n"
        "account [success=ok ignore=ignore module_unknown=ignore default=die] % min_uid=0\n"
        "account [success=1 new_authtok_reqd=done default=ignore] pam_permit.so\n"
        "account requisite pam_deny.so\n"
        "account required pam_permit.so\n"
        "session [default=1] pam_permit.so\n"
        "session requisite pam_deny.so\n"
        "session required pam_permit.so\n"
        "session [success=ok module_unknown=ignore default=die] % min_uid=0\n"
        "session required pam_permit.so\n";

#define GIVES_ALL                                                                                  \
        {                                                                                          \
                .authenticate = ACCEPTED, .check_account = CHECKED, .open_session = OPENED         \
        }

static const Scene scenes[] = {
        {"token", WITH_TOKEN, "min_uid=0", .plan = GIVES_ALL},
        {"nonce", WITH_NONCE, "min_uid=0", .plan = GIVES_ALL, .auth = NOT_REACHED},
        {"key, member", WITH_KEY, "min_uid=0", .needs = true, .plan = GIVES_ALL,
         .auth = NOT_REACHED, .account = SAYS_IGNORE},
        {"key, member without a credential", WITH_KEY, "min_uid=0", .needs = true,
         .plan = {.check_account = REFUSED}, .auth = NOT_REACHED, .account = PAM_PERM_DENIED,
         .session = NOT_REACHED},
        {"password", WITH_PASSWORD, "min_uid=0", .plan = GIVES_ALL, .auth = PAM_CRED_INSUFFICIENT,
         .account = SAYS_IGNORE},
};

static const Scene in_profile = {"token, in the profile", WITH_TOKEN, "", .plan = GIVES_ALL};

static char under_way[160];

/* False: the host could not even begin. */
static bool start(Stage *s)
{
        struct pam_conv conversation = {.conv = on_message, .appdata_ptr = s};
        void (*delay)(int, unsigned, void *) = on_delay;
        const void *item = NULL;

        memcpy(&item, &delay, sizeof(item));
        return pam_start_confdir("sshd", s->user, &conversation, s->folder, &s->pamh) ==
                       PAM_SUCCESS &&
               pam_set_item(s->pamh, PAM_FAIL_DELAY, item) == PAM_SUCCESS &&
               pam_set_item(s->pamh, PAM_TTY, "ssh") == PAM_SUCCESS &&
               pam_set_item(s->pamh, PAM_RHOST, "192.0.2.7") == PAM_SUCCESS;
}

static void end(Stage *s)
{
        if (s->pamh)
                (void)pam_end(s->pamh, PAM_SUCCESS);
        s->pamh = NULL;
}

typedef struct Hunger {
        const Scene *scene;
        bool at_start; /* in pam_start() and no longer; or from there to the end */
        bool ever;
} Hunger;

typedef struct Try {
        Journey journey;
        bool did_fail;
} Try;

static const Journey nowhere = {
        .auth = NOT_REACHED, .account = NOT_REACHED, .session = NOT_REACHED};

static void starve_start_in_child(Stage *s, const Hunger *hunger, unsigned nth, Try *ret_try)
{
        bool started;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGSEGV, SIG_DFL); /* cmocka has it */
        shim_starve(nth, hunger->ever);
        started = start(s);
        shim_disarm();
        ret_try->did_fail = shim_did_fail();
        if (started)
                ret_try->journey = journey_go(s, hunger->scene);
        end(s);
        _exit(0);
}

static Try starve_start(Stage *s, const Hunger *hunger, unsigned nth)
{
        Try *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0),
            result;
        int status = 0;
        pid_t child;

        assert_ptr_not_equal(shared, MAP_FAILED);
        *shared = (Try){.journey = nowhere, .did_fail = true};
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                starve_start_in_child(s, hunger, nth, shared);
        assert_int_equal(waitpid(child, &status, 0), child);
        result = *shared;
        (void)munmap(shared, sizeof(*shared));
        assert_true(status == 0 || result.did_fail);
        return result;
}

static Try starve_the_rest(Stage *s, const Hunger *hunger, unsigned nth)
{
        Try result;

        assert_true(start(s));
        shim_arm((ShimFault){.nth = 0});
        shim_starve(nth, hunger->ever);
        result.journey = journey_go(s, hunger->scene);
        end(s);
        shim_disarm();
        assert_int_equal(shim_unfreed(), 0);
        result.did_fail = shim_did_fail();
        return result;
}

static void judge(Stage *s, const Hunger *hunger, const Try *result)
{
        const Scene *scene = hunger->scene;

        fake_settle(&s->credd);
        if (!hunger->at_start || !result->did_fail)
                journey_judge(s, scene, &result->journey);
        else if (result->journey.auth == PAM_SUCCESS)
                assert_true(journey_granted(s, scene, "io.credd.Login.Authenticate",
                                            scene->plan.authenticate, s->token));
}

static Try travel(Stage *s, const Hunger *hunger, unsigned nth)
{
        unsigned descriptors = count_descriptors();
        Try result;

        (void)snprintf(under_way, sizeof(under_way), "%s: allocation %u%s %s pam_start()",
                       hunger->scene->name, nth, hunger->ever ? " and on" : "",
                       hunger->at_start ? "in" : "after");
        stage_credd(s, hunger->scene->plan);
        s->answer = journey_answer(s, hunger->scene);
        result = hunger->at_start ? starve_start(s, hunger, nth) : starve_the_rest(s, hunger, nth);
        judge(s, hunger, &result);
        assert_int_equal(count_descriptors(), descriptors);
        assert_true(result.journey.took_usec < WITHIN_USEC);
        under_way[0] = '\0';
        return result;
}

static void assert_ends_as_ever(const Scene *scene, const Journey *j)
{
        assert_int_equal(j->auth, scene->auth);
        assert_int_equal(j->account, scene->account);
        assert_int_equal(j->session, scene->session);
}

/* Until there is no such allocation any more. */
static void starve_with(Stage *s, const Hunger *hunger)
{
        for (unsigned nth = 1; nth < TOO_MANY; nth++) {
                Try result = travel(s, hunger, nth);

                if (result.did_fail)
                        continue;
                assert_ends_as_ever(hunger->scene, &result.journey);
                assert_true(nth > 10);
                return;
        }
        fail();
}

static void starve(Stage *s, const Scene *scene)
{
        for (int i = 0; i < 4; i++)
                starve_with(s, &(Hunger){scene, .at_start = i & 1, .ever = i & 2});
}

static void
test_allocations__each_fails_in_turn__nobody_gets_in_whom_credd_did_not_let_in(void **state)
{
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(scenes); i++) {
                journey_stack(s, &scenes[i], "60s");
                starve(s, &scenes[i]);
        }
}

static void test_allocations__each_fails_in_turn__the_profile_keeps_its_word(void **state)
{
        Stage *s = *state;

        stage_stack(s, "sshd", profile);
        starve(s, &in_profile);
}

static int allocations_setup(void **state)
{
        shim_on_log = stage_note_log;
        shim_init(getenv("MODULE"));
        return stage_setup(state);
}

static int allocations_teardown(void **state)
{
        shim_disarm();
        if (under_way[0])
                print_error("it was: %s\n", under_way);
        under_way[0] = '\0';
        shim_done();
        return stage_teardown(state);
}

#define ALLOCATIONS_TEST(f)                                                                        \
        cmocka_unit_test_setup_teardown(f, allocations_setup, allocations_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                ALLOCATIONS_TEST(
                        test_allocations__each_fails_in_turn__nobody_gets_in_whom_credd_did_not_let_in),
                ALLOCATIONS_TEST(test_allocations__each_fails_in_turn__the_profile_keeps_its_word),
        };

        return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
