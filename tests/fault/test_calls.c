/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every call of the module into libc and libpam fails, one after the other, once and for good, with
 * each error that it may have, in every kind of login. What may come of it says journey.h. The list of
 * calls is the module's own table of imports. */
#include "tests/fault/journey.h"

#include "tests/pam/image.h"

/* However slow the machine is. */
#define WITHIN_USEC (20 * USEC_PER_SEC)

#define ERRORS_MAX 12

/* A login that comes to the same end whichever error of these it meets: it is a courtesy that fails, or it
 * is tried again. */
typedef enum Harmless { NEVER, IF_ONCE, ALWAYS } Harmless;

typedef struct Row {
        struct {
                int error;
                Harmless harmless;
        } errors[ERRORS_MAX];
        int count;
} Row;

#define ERRNO(...)                                                                                 \
        {                                                                                          \
                .errors = {__VA_ARGS__},                                                           \
                .count = sizeof((const int[][2]){__VA_ARGS__}) / sizeof(int[2])                    \
        }

static const Row rows[SHIM_MAX] = {
        [SHIM_asprintf] = ERRNO({ENOMEM, NEVER}),
        [SHIM_calloc] = ERRNO({ENOMEM, NEVER}),
        [SHIM_clock_gettime] = ERRNO({EINVAL, NEVER}, {EPERM, NEVER}),
        [SHIM_close] = ERRNO({EINTR, ALWAYS}, {EIO, ALWAYS}, {EBADF, ALWAYS}),
        [SHIM_connect] =
                ERRNO({EINTR, IF_ONCE}, {EAGAIN, IF_ONCE}, {ENOENT, NEVER}, {ECONNREFUSED, NEVER},
                      {EACCES, NEVER}, {EPERM, NEVER}, {ENOMEM, NEVER}, {ENOBUFS, NEVER},
                      {EISCONN, NEVER}, {EPROTOTYPE, NEVER}, {EIO, NEVER}),
        [SHIM_fcntl] = ERRNO({EMFILE, NEVER}, {EINVAL, NEVER}, {EBADF, NEVER}),
        [SHIM_getgrnam_r] = ERRNO({ERANGE, IF_ONCE}, {0, NEVER}, {ENOENT, NEVER}, {ESRCH, NEVER},
                                  {EIO, NEVER}, {EINTR, NEVER}, {EMFILE, NEVER}, {ENFILE, NEVER},
                                  {ENOMEM, NEVER}, {ECONNREFUSED, NEVER}),
        [SHIM_getgrouplist] = ERRNO({0, IF_ONCE}),
        [SHIM_getpwnam_r] = ERRNO({ERANGE, IF_ONCE}, {0, NEVER}, {ENOENT, NEVER}, {ESRCH, NEVER},
                                  {EIO, NEVER}, {EINTR, NEVER}, {EMFILE, NEVER}, {ENFILE, NEVER},
                                  {ENOMEM, NEVER}, {ECONNREFUSED, NEVER}),
        [SHIM_gmtime_r] = ERRNO({EOVERFLOW, NEVER}),
        [SHIM_localtime_r] = ERRNO({EOVERFLOW, ALWAYS}),
        [SHIM_malloc] = ERRNO({ENOMEM, NEVER}),
        [SHIM_pam_fail_delay] = ERRNO({PAM_SYSTEM_ERR, ALWAYS}, {PAM_BUF_ERR, ALWAYS}),
        [SHIM_pam_get_data] = ERRNO({PAM_SYSTEM_ERR, NEVER}, {PAM_PERM_DENIED, NEVER}),
        [SHIM_pam_get_item] = ERRNO({PAM_SYSTEM_ERR, NEVER}, {PAM_BAD_ITEM, NEVER},
                                    {PAM_PERM_DENIED, NEVER}, {PAM_BUF_ERR, NEVER}),
        [SHIM_pam_get_user] = ERRNO({PAM_SYSTEM_ERR, NEVER}, {PAM_CONV_ERR, NEVER},
                                    {PAM_CONV_AGAIN, NEVER}, {PAM_BUF_ERR, NEVER}),
        [SHIM_pam_prompt] = ERRNO({PAM_SUCCESS, NEVER}, {PAM_CONV_ERR, NEVER}, {PAM_BUF_ERR, NEVER},
                                  {PAM_CONV_AGAIN, NEVER}, {PAM_SYSTEM_ERR, NEVER}),
        [SHIM_pam_putenv] = ERRNO({PAM_BUF_ERR, NEVER}, {PAM_BAD_ITEM, NEVER}, {PAM_ABORT, NEVER},
                                  {PAM_PERM_DENIED, NEVER}),
        [SHIM_pam_set_data] = ERRNO({PAM_BUF_ERR, NEVER}, {PAM_SYSTEM_ERR, NEVER}),
        [SHIM_pam_set_item] = ERRNO({PAM_BUF_ERR, NEVER}, {PAM_SYSTEM_ERR, NEVER},
                                    {PAM_BAD_ITEM, NEVER}, {PAM_PERM_DENIED, NEVER}),
        [SHIM_poll] = ERRNO({EINTR, IF_ONCE}, {0, IF_ONCE}, {EINVAL, NEVER}, {ENOMEM, NEVER},
                            {EFAULT, NEVER}),
        [SHIM_recv] = ERRNO({SHIM_SHORT, ALWAYS}, {EINTR, IF_ONCE}, {EAGAIN, IF_ONCE}, {0, NEVER},
                            {ECONNRESET, NEVER}, {EIO, NEVER}, {EBADF, NEVER}, {ENOMEM, NEVER}),
        [SHIM_send] = ERRNO({SHIM_SHORT, ALWAYS}, {EINTR, IF_ONCE}, {EAGAIN, IF_ONCE}, {0, IF_ONCE},
                            {EPIPE, NEVER}, {ECONNRESET, NEVER}, {ENOBUFS, NEVER}, {ENOMEM, NEVER},
                            {EBADF, NEVER}),
        [SHIM_snprintf] = ERRNO({ENOMEM, NEVER}, {EOVERFLOW, NEVER}),
        [SHIM_socket] = ERRNO({EMFILE, NEVER}, {ENFILE, NEVER}, {ENOMEM, NEVER}, {ENOBUFS, NEVER},
                              {EACCES, NEVER}, {EPERM, NEVER}, {EAFNOSUPPORT, NEVER}),
        [SHIM_strftime] = ERRNO({0, NEVER}),
};

/* What the module imports and what has no way to fail, or none that a caller could see. Fortified forms
 * go by their plain names. */
static const char *const infallible[] = {
        "explicit_bzero",
        "free",
        "getpid",
        "memchr",
        "memcmp",
        "memcpy",
        "memmove",
        "memset",
        "strchr",
        "strcmp",
        "strcspn",
        "strerror",
        "strlen",
        "strncmp",
        "strncasecmp",
        "pam_getenv", /* NULL says that there is none */
        "pam_syslog", /* void */
        "errno_location",
        "assert_fail",
        "stack_chk_fail",
        /* of the compiler and the loader */
        "cxa_finalize",
        "gmon_start__",
        "ITM_deregisterTMCloneTable",
        "ITM_registerTMCloneTable",
};

#define MEMBER "min_uid=0"
#define GIVES_ALL                                                                                  \
        {                                                                                          \
                .authenticate = ACCEPTED, .check_account = CHECKED, .open_session = OPENED         \
        }

static const Scene scenes[] = {
        {"token", WITH_TOKEN, MEMBER, .plan = GIVES_ALL},
        {"token, the environment lost", WITH_TOKEN, MEMBER, .emptied = true, .plan = GIVES_ALL},
        {"token asked for earlier", WITH_TOKEN, MEMBER " try_first_pass", .planted = true,
         .plan = GIVES_ALL},
        {"token, descriptor 0 closed", WITH_TOKEN, MEMBER, .narrow = true, .plan = GIVES_ALL},
        {"token refused", WITH_TOKEN, MEMBER, .plan = {.authenticate = REFUSED},
         .auth = PAM_AUTH_ERR, .account = NOT_REACHED, .session = NOT_REACHED},
        {"nonce", WITH_NONCE, MEMBER, .plan = GIVES_ALL, .auth = NOT_REACHED},
        {"nonce, closed meanwhile", WITH_NONCE, MEMBER,
         .plan = {.check_account = CHECKED, .open_session = REFUSED}, .auth = NOT_REACHED,
         .session = PAM_SESSION_ERR},
        {"nonce that is none, member", WITH_NONCE, MEMBER, .needs = true,
         .plan = {.check_account = REFUSED}, .auth = NOT_REACHED, .account = PAM_ACCT_EXPIRED,
         .session = NOT_REACHED},
        {"key, member", WITH_KEY, MEMBER, .needs = true, .plan = GIVES_ALL, .auth = NOT_REACHED,
         .account = SAYS_IGNORE},
        {"key, member without a credential", WITH_KEY, MEMBER, .needs = true,
         .plan = {.check_account = REFUSED}, .auth = NOT_REACHED, .account = PAM_PERM_DENIED,
         .session = NOT_REACHED},
        {"key, no member", WITH_KEY, MEMBER, .outsider = true, .plan = GIVES_ALL,
         .auth = NOT_REACHED, .account = SAYS_IGNORE},
        {"password", WITH_PASSWORD, MEMBER, .plan = GIVES_ALL, .auth = PAM_CRED_INSUFFICIENT,
         .account = SAYS_IGNORE},
        {"password, member", WITH_PASSWORD, MEMBER, .needs = true, .plan = GIVES_ALL,
         .auth = PAM_CRED_INSUFFICIENT, .account = SAYS_IGNORE},
        {"nobody of that name", WITH_TOKEN, MEMBER, .stranger = true, .plan = GIVES_ALL,
         .auth = PAM_AUTH_ERR, .account = NOT_REACHED, .session = NOT_REACHED},
        {"not our kind of user", WITH_PASSWORD, "min_uid=4294967294 debug", .plan = GIVES_ALL,
         .auth = PAM_CRED_INSUFFICIENT, .account = SAYS_IGNORE},
};

/* --- one login with one fault --- */

static char under_way[160]; /* for whoever has to find out which of thousands it was */

static void announce(const Scene *scene, ShimFault fault)
{
        (void)snprintf(under_way, sizeof(under_way), "%s: %s, call %u%s, error %d", scene->name,
                       shim_name(fault.function), fault.nth, fault.ever ? " and on" : "",
                       fault.error);
}

static int close_input(const Scene *scene)
{
        int kept = -1;

        if (!scene->narrow)
                return -1;
        kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
        assert_true(kept >= 0);
        (void)close(STDIN_FILENO);
        return kept;
}

static void open_input(int kept)
{
        if (kept < 0)
                return;
        assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        (void)close(kept);
}

/* What the module can only wait for, if it goes on like that. */
static bool goes_on(ShimFault fault)
{
        return fault.ever && (fault.error == EINTR || fault.error == EAGAIN || fault.error == 0);
}

static Journey travel(Stage *s, const Scene *scene, ShimFault fault)
{
        unsigned descriptors;
        Journey j;
        int kept;

        announce(scene, fault);
        stage_credd(s, scene->plan);
        journey_stack(s, scene, goes_on(fault) || scene->plan.manner == SILENT ? "100ms" : "60s");
        s->answer = journey_answer(s, scene);
        stage_start(s, "sshd", scene->stranger ? NOBODY : s->user);
        descriptors = count_descriptors();
        kept = close_input(scene);
        shim_arm(fault);
        j = journey_go(s, scene);
        shim_disarm();
        open_input(kept);
        assert_int_equal(count_descriptors(), descriptors);
        /* It goes when the session opens, unless that is what fails. */
        if (j.session != NOT_REACHED && fault.function != SHIM_pam_putenv)
                assert_null(stage_env(s, "CREDD_LOGIN"));
        stage_end(s);
        assert_int_equal(shim_unfreed(), 0);
        journey_judge(s, scene, &j);
        assert_int_equal(j.setcred, PAM_SUCCESS);
        assert_int_equal(j.close, PAM_SUCCESS);
        assert_true(j.took_usec < WITHIN_USEC);
        under_way[0] = '\0';
        return j;
}

static void assert_ends_as_ever(const Scene *scene, const Journey *j)
{
        assert_int_equal(j->auth, scene->auth);
        assert_int_equal(j->account, scene->account);
        assert_int_equal(j->session, scene->session);
}

static bool is_harmless(Harmless harmless, bool ever)
{
        return harmless == ALWAYS || (harmless == IF_ONCE && !ever);
}

/* The short form has the first scene whole, and of the others no more than two errors of each call once, and
 * one for good; what makes the module wait is not among them. */
static bool is_left_out(const Scene *scene, ShimFault fault, int error)
{
        if (!journey_is_short() || scene == scenes)
                return false;
        return fault.ever ? error > 0 || goes_on(fault) : error > 1;
}

/* Each of the calls that the scene makes without a fault, with each error, once and for good. */
static void fail_function(Stage *s, const Scene *scene, ShimFunction function, unsigned calls)
{
        const Row *row = &rows[function];

        for (unsigned nth = 1; nth <= calls; nth++)
                for (int i = 0; i < row->count; i++)
                        for (int ever = 0; ever < 2; ever++) {
                                ShimFault fault = {function, nth, ever != 0, row->errors[i].error};
                                Journey j;

                                if (is_left_out(scene, fault, i))
                                        continue;
                                j = travel(s, scene, fault);
                                /* The deadline may come first where it is a short one. */
                                assert_true(shim_did_fail() || goes_on(fault));
                                if (!is_harmless(row->errors[i].harmless, fault.ever))
                                        continue;
                                announce(scene, fault);
                                assert_ends_as_ever(scene, &j);
                        }
}

static unsigned reached[SHIM_MAX]; /* in any scene */

static void fail_all(Stage *s, const Scene *scene)
{
        unsigned calls[SHIM_MAX];
        Journey j = travel(s, scene, (ShimFault){.nth = 0});

        announce(scene, (ShimFault){.nth = 0});
        assert_ends_as_ever(scene, &j);
        for (unsigned i = 0; i < SHIM_MAX; i++) {
                calls[i] = shim_calls(i);
                reached[i] += calls[i];
        }
        for (unsigned i = 0; i < SHIM_MAX; i++)
                fail_function(s, scene, i, calls[i]);
}

/* --- tests --- */

static bool is_known(const char *name)
{
        const char *plain = name;
        size_t len;

        while (*plain == '_')
                plain++;
        len = strlen(plain);
        if (plain != name && len > 4 && strcmp(plain + len - 4, "_chk") == 0)
                len -= 4;
        for (unsigned i = 0; i < SHIM_MAX; i++)
                if (strlen(shim_name(i)) == len && strncmp(plain, shim_name(i), len) == 0)
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(infallible); i++)
                if (strlen(infallible[i]) == len && strncmp(plain, infallible[i], len) == 0)
                        return true;
        return false;
}

static void on_import(const char *name, const ElfW(Sym) * symbol)
{
        if (symbol->st_shndx == SHN_UNDEF && !is_known(name))
                fail_msg("the module calls %s: make it fail in tests/fault/shim.c, or say in %s "
                         "that it cannot",
                         name, __FILE__);
}

static void test_calls__imports_of_the_module__all_are_made_to_fail(void **state)
{
        void *image = NULL;

        (void)state;
        assert_int_equal(image_setup(&image), 0);
        assert_true(each_dynamic(image, on_import) > 6);
        assert_int_equal(image_teardown(&image), 0);
        for (unsigned i = 0; i < SHIM_MAX; i++)
                assert_true(rows[i].count > 0 && rows[i].count <= ERRORS_MAX);
}

static void test_calls__each_fails_in_turn__nobody_gets_in_whom_credd_did_not_let_in(void **state)
{
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(scenes); i++)
                fail_all(s, &scenes[i]);
        for (unsigned i = 0; i < SHIM_MAX; i++)
                if (reached[i] == 0)
                        fail_msg("no scene calls %s", shim_name(i));
}

/* A fault must not take the deadline away from a call that nobody answers. */
static void test_calls__each_fails_once_before_a_silent_credd__back_in_time(void **state)
{
        static const ShimFunction waits[] = {SHIM_clock_gettime, SHIM_connect, SHIM_poll, SHIM_recv,
                                             SHIM_send};
        const Scene comes[] = {
                {"token, silence", WITH_TOKEN, MEMBER, .plan = {.manner = SILENT}},
                {"nonce, silence", WITH_NONCE, MEMBER, .plan = {.manner = SILENT}},
        };
        const unsigned last = journey_is_short() ? 2 : 6;
        Stage *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(comes); i++)
                for (size_t k = 0; k < ELEMENTSOF(waits); k++)
                        for (unsigned nth = 1; nth <= last; nth++) {
                                ShimFault fault = {waits[k], nth, false,
                                                   rows[waits[k]].errors[0].error};

                                (void)travel(s, &comes[i], fault);
                        }
}

static int calls_setup(void **state)
{
        shim_on_log = stage_note_log;
        shim_init(getenv("MODULE"));
        return stage_setup(state);
}

static int calls_teardown(void **state)
{
        shim_disarm();
        if (under_way[0])
                print_error("it was: %s\n", under_way);
        under_way[0] = '\0';
        shim_done();
        return stage_teardown(state);
}

#define CALLS_TEST(f) cmocka_unit_test_setup_teardown(f, calls_setup, calls_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls__imports_of_the_module__all_are_made_to_fail),
                CALLS_TEST(
                        test_calls__each_fails_in_turn__nobody_gets_in_whom_credd_did_not_let_in),
                CALLS_TEST(test_calls__each_fails_once_before_a_silent_credd__back_in_time),
        };

        return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
