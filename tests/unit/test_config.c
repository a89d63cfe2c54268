/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credd.conf from real files in a folder of our own; the mistakes as the admin would read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "credd/config.h"

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR   (60 * MINUTE)

typedef struct Fixture {
        char folder[32];
        char path[64];
        char *mistakes; /* of the last load, with the path taken out of each line */
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void)strcpy(f->folder, "/tmp/credd-unit-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        (void)snprintf(f->path, sizeof(f->path), "%s/credd.conf", f->folder);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        (void)unlink(f->path);
        (void)rmdir(f->folder);
        free(f->mistakes);
        free(f);
        return 0;
}

static void write_bytes(Fixture *f, const char *bytes, size_t n)
{
        FILE *file = fopen(f->path, "we");

        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, n, file), n);
        assert_return_code(fclose(file), errno);
        assert_return_code(chmod(f->path, 0644), errno);
}

/* "/tmp/credd-unit-abc/credd.conf:3: Key: text" -> ":3: Key: text" */
static void strip_path(Fixture *f)
{
        size_t n = strlen(f->path);
        char *at;

        while ((at = strstr(f->mistakes, f->path)))
                memmove(at, at + n, strlen(at + n) + 1);
}

static int load_as(Fixture *f, uid_t owner, Config *ret_config)
{
        size_t size;
        FILE *mistakes;
        int r;

        free(f->mistakes);
        mistakes = open_memstream(&f->mistakes, &size);
        assert_non_null(mistakes);
        r = config_load(f->path, owner, mistakes, ret_config);
        assert_return_code(fclose(mistakes), errno);
        assert_true(r == 0 || r == -EINVAL);
        assert_int_equal(r == 0, size == 0);
        strip_path(f);
        return r;
}

static int load(Fixture *f, Config *ret_config)
{
        return load_as(f, geteuid(), ret_config);
}

static int load_text(Fixture *f, const char *text, Config *ret_config)
{
        write_bytes(f, text, strlen(text));
        return load(f, ret_config);
}

/* Loads it, and checks that it is refused, that the Config stays, and what is said. */
static void assert_mistakes(Fixture *f, const char *text, const char *want)
{
        Config config, before;

        memset(&config, 0x5a, sizeof(config));
        before = config;
        assert_int_equal(load_text(f, text, &config), -EINVAL);
        assert_memory_equal(&config, &before, sizeof(config));
        assert_string_equal(f->mistakes, want);
}

static void assert_is_default(const Config *config)
{
        assert_int_equal(config->default_ttl_usec, HOUR);
        assert_int_equal(config->max_ttl_usec, 12 * HOUR);
        assert_int_equal(config->max_lifetime_usec, 24 * HOUR);
        assert_int_equal(config->kill_grace_usec, 2 * USEC_PER_SEC);
        assert_int_equal(config->verify_timeout_usec, 10 * USEC_PER_SEC);
        assert_int_equal(config->bind_timeout_usec, 2 * MINUTE);
        assert_false(config->reason_required);
        assert_false(config->break_glass_when_frozen);
        assert_int_equal(config->request_timeout_usec, 24 * HOUR);
        assert_true(config->audit_retention_usec == 400 * 24 * HOUR);
        assert_int_equal(config->auditors.n_uids + config->auditors.n_gids, 0);
        assert_null(config->auditors.text);
}

static void test_config__no_file_or_no_folder__means_the_defaults(void **state)
{
        Fixture *f = *state;
        Config config;

        assert_int_equal(load(f, &config), 0);
        assert_is_default(&config);
        (void)strcpy(f->path, "/tmp/credd-unit-no-such-folder/credd.conf");
        assert_int_equal(load(f, &config), 0);
        assert_is_default(&config);
}

static void test_config__empty_file_or_comments__means_the_defaults(void **state)
{
        Config config;

        assert_int_equal(load_text(*state, "", &config), 0);
        assert_is_default(&config);
        assert_int_equal(load_text(*state, "# x\n\n; KillGrace=1s\n  \t\n[Credd]\n#", &config), 0);
        assert_is_default(&config);
}

static void test_config__every_key__is_taken(void **state)
{
        static const char text[] = "# ours\r\n"
                                   "[Credd]\r\n"
                                   "DefaultTTL=30min\n"
                                   "MaxTTL = 4h\n"
                                   "MaxLifetime=1d ; a day\n"
                                   "\n"
                                   "[Credd]\n"
                                   "KillGrace=500ms # half a second; long\n"
                                   "Auditors=daemon @daemon\t# two\n"
                                   "BreakGlassWhenFrozen=on\n"
                                   "RequestTimeout=2d\n"
                                   "AuditRetention=3000d\n"
                                   "VerifyTimeout=1min 30s\n"
                                   "BindTimeout=90\n"
                                   "ReasonRequired=Yes";
        Config config;

        assert_int_equal(load_text(*state, text, &config), 0);
        assert_int_equal(config.default_ttl_usec, 30 * MINUTE);
        assert_int_equal(config.max_ttl_usec, 4 * HOUR);
        assert_int_equal(config.max_lifetime_usec, 24 * HOUR);
        assert_int_equal(config.kill_grace_usec, USEC_PER_SEC / 2);
        assert_int_equal(config.verify_timeout_usec, 90 * USEC_PER_SEC);
        assert_int_equal(config.bind_timeout_usec, 90 * USEC_PER_SEC);
        assert_true(config.reason_required);
        assert_true(config.break_glass_when_frozen);
        assert_int_equal(config.request_timeout_usec, 48 * HOUR);
        assert_true(config.audit_retention_usec == 3000 * 24 * HOUR);
        assert_int_equal(config.auditors.n_uids, 1);
        assert_int_equal(config.auditors.n_gids, 1);
        assert_string_equal(config.auditors.text, "daemon @daemon");
        assert_int_equal(strlen(config.digest), 64);
        config_done(&config);
}

/* As "printf '[Credd]\n' | b2sum -l 256" has it. */
static void test_config__digest__is_that_of_the_file(void **state)
{
        Config config;

        assert_int_equal(load_text(*state, "[Credd]\n", &config), 0);
        assert_string_equal(config.digest,
                            "27e055caece6da5321fffc73748c75cdf9d87566cdadbc138e99d2e3374b9ecd");
}

static void test_config__auditors_that_nobody_is__are_named(void **state)
{
        assert_mistakes(
                *state, "[Credd]\nAuditors=daemon nobody-here @no-such-group a,b @ 17\n",
                ":2: Auditors: there is no user nobody-here; create it, or take it out of "
                "the line\n"
                ":2: Auditors: there is no group @no-such-group; create it, or take it out "
                "of the line\n"
                ":2: Auditors: \"a,b\" is no name; write users as carol and groups as @sre, "
                "with spaces between them\n"
                ":2: Auditors: \"@\" is no name; write users as carol and groups as @sre, "
                "with spaces between them\n"
                ":2: Auditors: \"17\" is no name; write users as carol and groups as @sre, "
                "with spaces between them\n");
}

static void test_config__auditors_empty__is_nobody(void **state)
{
        Config config;

        assert_int_equal(load_text(*state, "[Credd]\nAuditors=\n", &config), 0);
        assert_int_equal(config.auditors.n_uids + config.auditors.n_gids, 0);
        config_done(&config);
}

static void test_config__boolean_words__are_systemds(void **state)
{
        static const char *const words[] = {"no", "yes", "FALSE", "True", "off", "on", "0", "1"};
        Config config;

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                char text[64];

                (void)snprintf(text, sizeof(text), "[Credd]\nReasonRequired=%s\n", words[i]);
                assert_int_equal(load_text(*state, text, &config), 0);
                assert_int_equal(config.reason_required, i % 2);
        }
}

static void test_config__values_at_their_bounds__are_taken(void **state)
{
        Config config;

        assert_int_equal(load_text(*state,
                                   "[Credd]\nKillGrace=0\nVerifyTimeout=1s\nBindTimeout=1h\n"
                                   "DefaultTTL=1s\nMaxTTL=1s\nMaxLifetime=1s\n",
                                   &config),
                         0);
        assert_int_equal(config.kill_grace_usec, 0);
        assert_int_equal(load_text(*state,
                                   "[Credd]\nKillGrace=1min\nVerifyTimeout=10min\n"
                                   "BindTimeout=1s\n",
                                   &config),
                         0);
        assert_int_equal(config.kill_grace_usec, MINUTE);
}

static void test_config__unknown_section__is_named_once_with_its_line(void **state)
{
        assert_mistakes(*state, "[Credd]\n[Role]\nA=1\nKillGrace=x\n",
                        ":2: [Role]: unknown section; the only one is [Credd]\n");
        assert_mistakes(*state, "[credd]\n",
                        ":1: [credd]: unknown section; the only one is [Credd]\n");
        assert_mistakes(*state, "[Credd\nKillGrace=x\n",
                        ":1: [Credd: unknown section; the only one is [Credd]\n");
        assert_mistakes(*state, "[]\nKillGrace=x\n",
                        ":1: []: unknown section; the only one is [Credd]\n");
        assert_mistakes(*state, "[Credd] x\n",
                        ":1: [Credd] x: unknown section; the only one is [Credd]\n");
}

static void test_config__unknown_key__is_named_with_those_known(void **state)
{
        static const char known[] =
                "unknown key; known are DefaultTTL MaxTTL MaxLifetime KillGrace "
                "VerifyTimeout BindTimeout Warn ReasonRequired Auditors BreakGlassWhenFrozen "
                "RequestTimeout AuditRetention\n";
        char want[512];

        (void)snprintf(want, sizeof(want), ":3: Issuers: %s", known);
        assert_mistakes(*state, "[Credd]\n\nIssuers=carol\n", want);
        (void)snprintf(want, sizeof(want), ":2: killgrace: %s", known);
        assert_mistakes(*state, "[Credd]\nkillgrace=1s\n", want);
        (void)snprintf(want, sizeof(want), ":2: =: %s", known);
        assert_mistakes(*state, "[Credd]\n=1s\n", want);
}

static void test_config__warn__takes_lengths_the_longest_first(void **state)
{
        Config config;

        assert_int_equal(load_text(*state, "[Credd]\nWarn=10min 90s 5s\n", &config), 0);
        assert_int_equal(config.n_warn, 3);
        assert_true(config.warn_usec[0] == 600 * USEC_PER_SEC);
        assert_true(config.warn_usec[1] == 90 * USEC_PER_SEC);
        assert_true(config.warn_usec[2] == 5 * USEC_PER_SEC);
        assert_int_equal(load_text(*state, "[Credd]\nWarn=\n", &config), 0);
        assert_int_equal(config.n_warn, 0);
}

static void test_config__warn_that_is_no_such_list__is_a_mistake(void **state)
{
        static const char *const wrong[] = {"1min 5min", "1min 1min", "soon",
                                            "2d",        "0s",        "5s 4s 3s 2s 1s"};

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                char text[128], want[256];

                (void)snprintf(text, sizeof(text), "[Credd]\nWarn=%s\n", wrong[i]);
                (void)snprintf(want, sizeof(want),
                               ":2: Warn: \"%s\" is not at most 4 lengths of 1s to 1d, the longest "
                               "first; for example 5min 1min\n",
                               wrong[i]);
                assert_mistakes(*state, text, want);
        }
}

static void test_config__key_before_any_section__is_a_mistake(void **state)
{
        assert_mistakes(*state, "KillGrace=1s\n",
                        ":1: KillGrace: stands in no section; put [Credd] above\n");
}

static void test_config__key_given_twice__is_a_mistake(void **state)
{
        assert_mistakes(*state, "[Credd]\nKillGrace=1s\nMaxTTL=3h\nKillGrace=1s\n",
                        ":4: KillGrace: given before in line 2; give it once\n");
}

static void test_config__bad_values__say_what_would_be_right(void **state)
{
        assert_mistakes(
                *state,
                "[Credd]\nKillGrace=soon\nVerifyTimeout=\nBindTimeout=0\nMaxTTL=-1h\n"
                "MaxLifetime=200000d\nReasonRequired=maybe\nDefaultTTL=1h# an hour\n",
                ":2: KillGrace: \"soon\" is no duration; write it like 90s, 15min or 1h 30min\n"
                ":3: VerifyTimeout: \"\" is no duration; write it like 90s, 15min or 1h 30min\n"
                ":4: BindTimeout: 0 is out of range; from 1s to 1h\n"
                ":5: MaxTTL: \"-1h\" is no duration; write it like 90s, 15min or 1h 30min\n"
                ":6: MaxLifetime: 200000d is out of range; from 1s to 36500d\n"
                ":7: ReasonRequired: \"maybe\" is neither yes nor no\n"
                ":8: DefaultTTL: \"1h# an hour\" is no duration; "
                "write it like 90s, 15min or 1h 30min\n");
        assert_mistakes(*state, "[Credd]\nRequestTimeout=31d\nAuditRetention=23h\n",
                        ":2: RequestTimeout: 31d is out of range; from 1s to 30d\n"
                        ":3: AuditRetention: 23h is out of range; from 1d to 36500d\n");
        assert_mistakes(*state, "[Credd]\nKillGrace=61s\nVerifyTimeout=601s\nBindTimeout=3601s\n",
                        ":2: KillGrace: 61s is out of range; from 0s to 1min\n"
                        ":3: VerifyTimeout: 601s is out of range; from 1s to 10min\n"
                        ":4: BindTimeout: 3601s is out of range; from 1s to 1h\n");
}

static void test_config__lines_that_inih_would_bend__are_mistakes(void **state)
{
        char text[512] = "[Credd]\nKillGrace=1s";

        assert_mistakes(*state, "[Credd]\nKillGrace\nKillGrace: 1s\nKillGrace:=1s\n",
                        ":2: neither [Section] nor Key=value\n"
                        ":3: neither [Section] nor Key=value\n"
                        ":4: neither [Section] nor Key=value\n");
        assert_mistakes(*state, "[Credd]\nKillGrace=1s\n 2s\n\tMaxTTL=3h\n",
                        ":3: begins with white space; a key begins its line\n"
                        ":4: begins with white space; a key begins its line\n");
        memset(text + strlen(text), ' ', 300);
        (void)strcpy(text + 320, "1s\nMaxTTL=x\n");
        assert_mistakes(*state, text,
                        ":2: longer than 198 characters; shorten it\n"
                        ":3: MaxTTL: \"x\" is no duration; write it like 90s, 15min or 1h 30min\n");
}

static void test_config__nul_byte__is_a_mistake(void **state)
{
        static const char bytes[] = "[Credd]\nKillGrace=1s\0MaxTTL=1\n";
        Fixture *f = *state;
        Config config;

        write_bytes(f, bytes, sizeof(bytes) - 1);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes, ":2: a NUL byte; write plain text\n");
}

static void test_config__control_characters_or_no_utf8__are_mistakes(void **state)
{
        assert_mistakes(*state, "[Credd]\nWarn=\033[2J\nWarn=\xff\nWarn=\xc2\x9b 1s\n# \xff\n",
                        ":2: control or invisible characters, or no UTF-8; write plain text\n"
                        ":3: control or invisible characters, or no UTF-8; write plain text\n"
                        ":4: control or invisible characters, or no UTF-8; write plain text\n");
}

static void test_config__limits_out_of_order__name_the_key_that_is_given(void **state)
{
        assert_mistakes(*state, "[Credd]\nDefaultTTL=2h\nMaxTTL=90min\n",
                        ":2: DefaultTTL: 2h is longer than MaxTTL=1h 30min; at most that\n");
        assert_mistakes(*state, "[Credd]\nMaxTTL=30min\n",
                        ":2: MaxTTL: 30min is shorter than DefaultTTL=1h; at least that, or lower "
                        "DefaultTTL too\n");
        assert_mistakes(*state, "[Credd]\nMaxTTL=25h\n",
                        ":2: MaxTTL: 1d 1h is longer than MaxLifetime=1d; at most that\n");
        assert_mistakes(*state, "[Credd]\nMaxLifetime=1h\n",
                        ":2: MaxLifetime: 1h is shorter than MaxTTL=12h; at least that, or lower "
                        "MaxTTL too\n");
}

static void test_config__others_may_write_it__is_refused_unread(void **state)
{
        Fixture *f = *state;
        Config config;

        write_bytes(f, "nonsense\n", 9);
        assert_return_code(chmod(f->path, 0664), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes,
                            ": the file is writable by others (mode 0664); chmod go-w\n");
        assert_return_code(chmod(f->path, 0646), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_return_code(chmod(f->path, 0644), errno);
        assert_return_code(chmod(f->folder, 0770), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes,
                            ": the folder is writable by others (mode 0770); chmod go-w\n");
}

static void test_config__another_owns_it__is_refused_unread(void **state)
{
        Fixture *f = *state;
        Config config;

        write_bytes(f, "nonsense\n", 9);
        assert_int_equal(load_as(f, geteuid() + 1, &config), -EINVAL);
        assert_null(strstr(f->mistakes, "nonsense"));
        assert_non_null(strstr(f->mistakes, ": the folder belongs to uid "));
        assert_non_null(strstr(f->mistakes, ": the file belongs to uid "));
}

static void test_config__no_regular_file__is_refused_without_waiting(void **state)
{
        Fixture *f = *state;
        Config config;

        assert_return_code(symlink("/dev/null", f->path), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes, ": a symbolic link; put the file itself here\n");
        assert_return_code(unlink(f->path), errno);
        assert_return_code(mkfifo(f->path, 0600), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes, ": no regular file\n");
        assert_return_code(unlink(f->path), errno);
        assert_return_code(mkdir(f->path, 0700), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes, ": no regular file\n");
        assert_return_code(rmdir(f->path), errno);
}

static void test_config__file_too_large__is_refused(void **state)
{
        Fixture *f = *state;
        Config config;

        write_bytes(f, "", 0);
        assert_return_code(truncate(f->path, 64 * 1024 + 1), errno);
        assert_int_equal(load(f, &config), -EINVAL);
        assert_string_equal(f->mistakes, ": larger than 65536 bytes\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_config__no_file_or_no_folder__means_the_defaults),
                TEST(test_config__empty_file_or_comments__means_the_defaults),
                TEST(test_config__every_key__is_taken),
                TEST(test_config__digest__is_that_of_the_file),
                TEST(test_config__auditors_that_nobody_is__are_named),
                TEST(test_config__auditors_empty__is_nobody),
                TEST(test_config__boolean_words__are_systemds),
                TEST(test_config__values_at_their_bounds__are_taken),
                TEST(test_config__unknown_section__is_named_once_with_its_line),
                TEST(test_config__unknown_key__is_named_with_those_known),
                TEST(test_config__warn__takes_lengths_the_longest_first),
                TEST(test_config__warn_that_is_no_such_list__is_a_mistake),
                TEST(test_config__key_before_any_section__is_a_mistake),
                TEST(test_config__key_given_twice__is_a_mistake),
                TEST(test_config__bad_values__say_what_would_be_right),
                TEST(test_config__lines_that_inih_would_bend__are_mistakes),
                TEST(test_config__nul_byte__is_a_mistake),
                TEST(test_config__control_characters_or_no_utf8__are_mistakes),
                TEST(test_config__limits_out_of_order__name_the_key_that_is_given),
                TEST(test_config__others_may_write_it__is_refused_unread),
                TEST(test_config__another_owns_it__is_refused_unread),
                TEST(test_config__no_regular_file__is_refused_without_waiting),
                TEST(test_config__file_too_large__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
