/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles from real files in a folder of our own; the mistakes as the admin would read them. The people
 * are those that every Debian has: daemon, bin, games and their groups. */
#include "tests/unit/scratch.h"

#include <errno.h>

#include "common/duration.h"
#include "credd/credential.h"
#include "credd/role.h"
#include "credd/setup.h"

#define MINUTES(n) SECONDS((n)*UINT64_C(60))

typedef struct Fixture {
        char *folder;
        char roles_d[SCRATCH_PATH_MAX];
        Config host;
        Roles *roles;   /* of the last load */
        char *mistakes; /* likewise, with the folder taken out of each line */
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->folder = scratch_new();
        (void)scratch_path(f->folder, "roles.d", f->roles_d);
        assert_return_code(mkdir(f->roles_d, 0755), errno);
        config_defaults(&f->host);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        Fixture *f = *state;

        scratch_free(f->folder);
        (void)roles_free(f->roles);
        free(f->mistakes);
        free(f);
        return 0;
}

static void put(Fixture *f, const char *name, const char *text)
{
        char path[SCRATCH_PATH_MAX];
        FILE *file = fopen(scratch_path(f->roles_d, name, path), "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_return_code(fclose(file), errno);
        assert_return_code(chmod(path, 0644), errno);
}

static int load_as(Fixture *f, uid_t owner, const Config *host)
{
        size_t size, n = strlen(f->roles_d);
        Roles *roles = NULL;
        FILE *mistakes;
        char *at;
        int r;

        free(f->mistakes);
        mistakes = open_memstream(&f->mistakes, &size);
        assert_non_null(mistakes);
        r = roles_load(f->roles_d, owner, host, mistakes, &roles);
        assert_return_code(fclose(mistakes), errno);
        assert_int_equal(r == 0, size == 0);
        assert_int_equal(r == 0, roles != NULL);
        (void)roles_free(f->roles);
        f->roles = roles;
        while ((at = strstr(f->mistakes, f->roles_d)))
                memmove(at, at + n, strlen(at + n) + 1);
        return r;
}

static int load(Fixture *f)
{
        return load_as(f, geteuid(), &f->host);
}

/* A single role x, loaded. */
static const Role *load_one(Fixture *f, const char *text)
{
        put(f, "x.conf", text);
        if (load(f) != 0)
                fail_msg("%s", f->mistakes);
        assert_int_equal(f->roles->n, 1);
        return f->roles->roles[0];
}

/* want: the lines without "/x.conf" */
static void assert_mistakes(Fixture *f, const char *text, const char *want)
{
        static const char path[] = "/x.conf";
        char *at;

        put(f, "x.conf", text);
        assert_int_equal(load(f), -EINVAL);
        while ((at = strstr(f->mistakes, path)))
                memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
        assert_string_equal(f->mistakes, want);
}

static void assert_list(const json_t *list, const char *want)
{
        AUTO_FREE char *text = json_dumps(list, JSON_COMPACT);

        assert_string_equal(text, want);
}

/* --- what is right --- */

static void test_roles__no_folder_or_an_empty_one__is_no_role(void **state)
{
        Fixture *f = *state;

        assert_int_equal(load(f), 0);
        assert_int_equal(f->roles->n, 0);
        assert_return_code(rmdir(f->roles_d), errno);
        assert_int_equal(load(f), 0);
        assert_int_equal(f->roles->n, 0);
}

static void test_roles__every_key__is_taken(void **state)
{
        const Role *role = load_one(*state, "[Role]\n"
                                            "Description=On-call access to the deploy account\n"
                                            "Issuers=@daemon games          # may issue\n"
                                            "Requesters=@bin\n"
                                            "Approvers=@daemon\t# never to themselves\n"
                                            "Approvals=2\n"
                                            "Revokers=@games ; and nothing else\n"
                                            "Users=deploy app-* [a-c]?x\n"
                                            "Services=login\n"
                                            "From=10.0.0.0/8 ::1 ::ffff:192.0.2.1 local\n"
                                            "DefaultTTL=30min\n"
                                            "MaxTTL=4h\n"
                                            "MaxLifetime=8h\n"
                                            "MaxUses=5\n"
                                            "MaxSessions=2\n"
                                            "EndScope=user\n"
                                            "Warn=10min 30s\n"
                                            "ReasonRequired=yes\n"
                                            "HolderRequired=yes\n"
                                            "BreakGlass=yes\n");

        assert_string_equal(role->name, "x");
        assert_string_equal(role->description, "On-call access to the deploy account");
        assert_string_equal(role->issuers.text, "@daemon games");
        assert_int_equal(role->issuers.n_uids, 1);
        assert_int_equal(role->issuers.n_gids, 1);
        assert_int_equal(role->issuers.uids[0], 5);
        assert_int_equal(role->issuers.gids[0], 1);
        assert_int_equal(role->requesters.gids[0], 2);
        assert_int_equal(role->approvers.gids[0], 1);
        assert_string_equal(role->revokers.text, "@games");
        assert_int_equal(role->approvals, 2);
        assert_list(role->services, "[\"login\"]");
        assert_list(role->sources, "[\"10.0.0.0/8\",\"::1/128\",\"192.0.2.1/32\",\"local\"]");
        assert_int_equal(role->default_ttl_usec, MINUTES(30));
        assert_int_equal(role->max_ttl_usec, HOURS(4));
        assert_int_equal(role->max_lifetime_usec, HOURS(8));
        assert_int_equal(role->max_uses, 5);
        assert_int_equal(role->max_sessions, 2);
        assert_true(role->end_scope_user);
        assert_int_equal(role->n_warn, 2);
        assert_int_equal(role->warn_usec[1], SECONDS(30));
        assert_true(role->reason_required);
        assert_true(role->holder_required);
        assert_true(role->break_glass);
        assert_int_equal(strlen(role->digest), 64);
        assert_true(role_allows_user(role, "deploy"));
        assert_true(role_allows_user(role, "app-7"));
        assert_true(role_allows_user(role, "bzx"));
        assert_false(role_allows_user(role, "dzx"));
        assert_false(role_allows_user(role, "deployer"));
}

static void test_roles__what_is_not_said__is_the_hosts_or_strict(void **state)
{
        Fixture *f = *state;
        const Role *role;

        f->host.default_ttl_usec = MINUTES(7);
        f->host.max_ttl_usec = HOURS(2);
        f->host.max_lifetime_usec = HOURS(3);
        f->host.n_warn = 1;
        role = load_one(f, "[Role]\nUsers=deploy\nMaxUses=3\n");
        assert_int_equal(role->default_ttl_usec, MINUTES(7));
        assert_int_equal(role->max_ttl_usec, HOURS(2));
        assert_int_equal(role->max_lifetime_usec, 0);
        assert_int_equal(role->n_warn, 1);
        assert_int_equal(role->max_uses, 3);
        assert_int_equal(role->max_sessions, 3);
        assert_int_equal(role->approvals, 1);
        assert_list(role->services, "[\"sshd\",\"login\"]");
        assert_list(role->sources, "[]");
        assert_false(role->end_scope_user || role->reason_required || role->holder_required ||
                     role->break_glass);
        assert_null(role->description);
        assert_int_equal(role->issuers.n_uids + role->issuers.n_gids, 0);
}

static void test_roles__beyond_the_hosts_limits__is_a_roles_right(void **state)
{
        const Role *role = load_one(*state, "[Role]\nUsers=deploy\nMaxTTL=10d\nMaxLifetime=20d\n");

        assert_int_equal(role->max_ttl_usec, HOURS(240));
}

static void test_roles__pattern_for_everybody__is_not_for_root(void **state)
{
        const Role *role = load_one(*state, "[Role]\nUsers=* ro[o]t\n");

        assert_true(role_allows_user(role, "carol"));
        assert_false(role_allows_user(role, "root"));
}

static void test_roles__break_glass__wants_a_reason(void **state)
{
        assert_true(load_one(*state, "[Role]\nUsers=x\nBreakGlass=yes\n")->reason_required);
}

static void test_roles__many__are_found_by_name(void **state)
{
        Fixture *f = *state;

        put(f, "b.conf", "[Role]\nUsers=b\n");
        put(f, "a-b.conf", "[Role]\nUsers=ab\n");
        put(f, "a.conf", "[Role]\nUsers=a\n");
        assert_int_equal(load(f), 0);
        assert_int_equal(f->roles->n, 3);
        assert_string_equal(f->roles->roles[0]->name, "a");
        assert_string_equal(f->roles->roles[1]->name, "a-b");
        assert_string_equal(roles_find(f->roles, "b")->users[0], "b");
        assert_null(roles_find(f->roles, "c"));
        assert_null(roles_find(f->roles, "b.conf"));
        assert_null(roles_find(f->roles, NULL));
}

static void test_roles__other_files__are_not_looked_at(void **state)
{
        Fixture *f = *state;

        put(f, ".hidden.conf", "nonsense\n");
        put(f, ".conf", "nonsense\n");
        put(f, "x.conf~", "nonsense\n");
        put(f, "x.conf.dpkg-old", "nonsense\n");
        put(f, "README", "nonsense\n");
        assert_int_equal(load(f), 0);
        assert_int_equal(f->roles->n, 0);
}

/* --- what is wrong --- */

static void test_roles__bad_values__say_what_would_be_right(void **state)
{
        assert_mistakes(
                *state,
                "[Role]\n"
                "Description=\n"
                "Issuers=nobody-here\n"
                "Approvers=@no-such-group\n"
                "Approvals=11\n"
                "Users=root a/b\n"
                "Services=sshd cron\n"
                "From=10.0.0.1/8 host.example.org\n"
                "DefaultTTL=soon\n"
                "MaxTTL=0\n"
                "MaxUses=0\n"
                "MaxSessions=1001\n"
                "EndScope=host\n"
                "Warn=1min 5min\n"
                "HolderRequired=maybe\n"
                "Issuer=carol\n"
                "BreakGlass=no\nBreakGlass=no\n",
                ":2: Description: not 1 to 150 bytes; shorten it, or leave the key out\n"
                ":3: Issuers: there is no user nobody-here; create it, or take it out of the line\n"
                ":4: Approvers: there is no group @no-such-group; create it, or take it out of the "
                "line\n"
                ":5: Approvals: \"11\" is no whole number from 0 to 10\n"
                ":6: Users: \"root\" does not go here; no role is for root: name a person, who may "
                "use "
                "sudo\n"
                ":6: Users: \"a/b\" does not go here; users are names, or shell patterns of "
                "letters, "
                "digits, . _ - and * ? [ ], as in deploy app-*\n"
                ":7: Services: \"cron\" does not go here; a service is one of sshd and login\n"
                ":8: From: \"10.0.0.1/8\" does not go here; a source is a network such as "
                "10.0.0.0/24 or "
                "2001:db8::/32, an address, or local\n"
                ":8: From: \"host.example.org\" does not go here; a source is a network such as "
                "10.0.0.0/24 or 2001:db8::/32, an address, or local\n"
                ":9: DefaultTTL: \"soon\" is no duration; write it like 90s, 15min or 1h 30min\n"
                ":10: MaxTTL: 0 is out of range; from 1s to 36500d\n"
                ":11: MaxUses: \"0\" is no whole number from 1 to 1000\n"
                ":12: MaxSessions: \"1001\" is no whole number from 1 to 1000\n"
                ":13: EndScope: \"host\" is neither session nor user\n"
                ":14: Warn: \"1min 5min\" is not at most 4 lengths of 1s to 1d, the longest first; "
                "for example 5min 1min\n"
                ":15: HolderRequired: \"maybe\" is neither yes nor no\n"
                ":16: Issuer: unknown key; known are DefaultTTL MaxTTL MaxLifetime Requesters "
                "Approvers Approvals Users MaxSessions ReasonRequired Description Issuers Revokers "
                "Services From MaxUses EndScope Warn HolderRequired BreakGlass\n"
                ":18: BreakGlass: given before in line 17; give it once\n");
}

static void test_roles__users_that_are_none__are_mistakes(void **state)
{
        static const char *const wrong[] = {"a,b",  "-x", "12",  "a[b", "a]b", "[[a]]",
                                            "x[*]", "!a", "a$b", "\\a", "{a}", "\xc3\xa4"};
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                char text[64];

                (void)snprintf(text, sizeof(text), "[Role]\nUsers=%s\n", wrong[i]);
                put(f, "x.conf", text);
                assert_int_equal(load(f), -EINVAL);
                if (!strstr(f->mistakes, "x.conf:2: Users: "))
                        fail_msg("%s: %s", wrong[i], f->mistakes);
        }
}

static void test_roles__no_users__is_a_mistake(void **state)
{
        assert_mistakes(*state, "[Role]\nIssuers=daemon\n",
                        ": Users: missing; say for whom the role is, as in Users=deploy app-*\n");
        assert_mistakes(*state, "",
                        ": Users: missing; say for whom the role is, as in Users=deploy app-*\n");
        assert_mistakes(*state, "[Role]\nUsers= # nobody\n", ":2: Users: empty; name something\n");
}

static void test_roles__empty_lists__are_mistakes(void **state)
{
        assert_mistakes(*state, "[Role]\nUsers=x\nServices=\nFrom=\n",
                        ":3: Services: empty; name something, or leave the key out\n"
                        ":4: From: empty; name something, or leave the key out\n");
        assert_mistakes(
                *state, "[Role]\nUsers=x\nServices=sshd sshd\n",
                ":3: Services: \"sshd\" does not go here; it stands there already; name it once\n");
}

static void test_roles__too_many_sources__is_a_mistake(void **state)
{
        char text[256] = "[Role]\nUsers=x\nFrom=";

        for (unsigned i = 0; i < 17; i++)
                (void)snprintf(text + strlen(text), 16, "10.0.0.%u ", i);
        assert_mistakes(*state, text, ":3: From: 17 of them; at most 16\n");
}

static void test_roles__limits_out_of_order__name_the_key_that_is_given(void **state)
{
        assert_mistakes(*state, "[Role]\nUsers=x\nDefaultTTL=2h\nMaxTTL=90min\n",
                        ":3: DefaultTTL: 2h is longer than MaxTTL=1h 30min; at most that\n");
        assert_mistakes(*state, "[Role]\nUsers=x\nDefaultTTL=13h\n",
                        ":3: DefaultTTL: 13h is longer than MaxTTL=12h of credd.conf; at most "
                        "that\n");
        assert_mistakes(*state, "[Role]\nUsers=x\nMaxTTL=30min\n",
                        ":3: MaxTTL: 30min is shorter than DefaultTTL=1h of credd.conf; at least "
                        "that, or lower DefaultTTL too\n");
        assert_mistakes(*state, "[Role]\nUsers=x\nMaxTTL=25h\n",
                        ":3: MaxTTL: 1d 1h is longer than MaxLifetime=1d of credd.conf; at most "
                        "that\n");
}

static void test_roles__host_not_known__only_what_is_given_is_measured(void **state)
{
        Fixture *f = *state;

        put(f, "x.conf", "[Role]\nUsers=x\nMaxTTL=30d\n");
        assert_int_equal(load_as(f, geteuid(), NULL), 0);
        put(f, "x.conf", "[Role]\nUsers=x\nMaxTTL=30d\nMaxLifetime=20d\n");
        assert_int_equal(load_as(f, geteuid(), NULL), -EINVAL);
}

static void test_roles__nobody_could_say_yes__is_a_mistake(void **state)
{
        assert_mistakes(*state, "[Role]\nUsers=x\nRequesters=daemon\n",
                        ":3: Requesters: nobody could say yes to them; name Approvers, or set "
                        "Approvals=0\n");
        assert_mistakes(*state, "[Role]\nUsers=x\nRequesters=daemon\nApprovers=\n",
                        ":3: Requesters: nobody could say yes to them; name Approvers, or set "
                        "Approvals=0\n");
        assert_mistakes(*state,
                        "[Role]\nUsers=x\nRequesters=daemon\nApprovers=bin games\nApprovals=3\n",
                        ":5: Approvals: 3 wanted, and there are 2 Approvers; name more\n");
        (void)load_one(*state, "[Role]\nUsers=x\nRequesters=daemon\nApprovals=0\n");
        (void)load_one(*state, "[Role]\nUsers=x\nRequesters=daemon\nApprovers=@bin\nApprovals=3\n");
}

static void test_roles__break_glass_without_a_reason__is_a_mistake(void **state)
{
        assert_mistakes(
                *state, "[Role]\nUsers=x\nBreakGlass=yes\nReasonRequired=no\n",
                ":4: ReasonRequired: with BreakGlass=yes a reason is always required; leave "
                "the key out\n");
}

static void test_roles__another_section__is_a_mistake(void **state)
{
        assert_mistakes(*state, "[Credd]\nMaxTTL=1h\n",
                        ":1: [Credd]: unknown section; the only one is [Role]\n");
        assert_mistakes(*state, "Users=x\n", ":1: Users: stands in no section; put [Role] above\n");
}

static void test_roles__file_names_that_are_none__are_mistakes(void **state)
{
        static const char *const wrong[] = {
                "-x.conf",
                "a b.conf",
                "12.conf",
                "a$.conf",
                "abcdefghijklmnopqrstuvwxyz0123456.conf",
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                char path[SCRATCH_PATH_MAX];

                put(f, wrong[i], "[Role]\nUsers=x\n");
                assert_int_equal(load(f), -EINVAL);
                assert_non_null(strstr(f->mistakes, ": no name for the file of a role; 1 to 32 "));
                assert_return_code(unlink(scratch_path(f->roles_d, wrong[i], path)), errno);
        }
        put(f, "a\033\n\xff.conf", "[Role]\nUsers=x\n");
        assert_int_equal(load(f), -EINVAL);
        assert_ptr_equal(strstr(f->mistakes, "/a???.conf: no name"), f->mistakes);
}

static void test_roles__one_of_many_is_wrong__none_is_loaded(void **state)
{
        Fixture *f = *state;

        put(f, "a.conf", "[Role]\nUsers=a\n");
        put(f, "b.conf", "[Role]\nUser=b\n");
        put(f, "c.conf", "[Role]\nUsers=root\n");
        assert_int_equal(load(f), -EINVAL);
        assert_ptr_equal(strstr(f->mistakes, "/b.conf:2: User: unknown key"), f->mistakes);
        assert_non_null(strstr(f->mistakes, "\n/c.conf:2: Users: \"root\""));
}

static void test_roles__too_many__are_refused(void **state)
{
        Fixture *f = *state;

        for (unsigned i = 0; i <= ROLES_MAX; i++) {
                char name[32];

                (void)snprintf(name, sizeof(name), "r%03u.conf", i);
                put(f, name, "[Role]\nUsers=x\n");
        }
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes, ": 257 roles; at most 256\n");
}

/* --- who may write --- */

static void test_roles__others_may_write_them__are_refused(void **state)
{
        Fixture *f = *state;
        char path[SCRATCH_PATH_MAX];

        put(f, "x.conf", "nonsense\n");
        assert_return_code(chmod(scratch_path(f->roles_d, "x.conf", path), 0664), errno);
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes,
                            "/x.conf: the file is writable by others (mode 0664); chmod go-w\n");
        assert_return_code(chmod(path, 0644), errno);
        assert_return_code(chmod(f->roles_d, 0757), errno);
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes,
                            ": the folder is writable by others (mode 0757); chmod go-w\n");
        assert_return_code(chmod(f->roles_d, 0755), errno);
}

static void test_roles__another_owns_them__are_refused(void **state)
{
        Fixture *f = *state;
        char want[128], path[SCRATCH_PATH_MAX];

        put(f, "x.conf", "nonsense\n");
        assert_int_equal(load_as(f, geteuid() + 1, &f->host), -EINVAL);
        (void)snprintf(want, sizeof(want), ": the folder belongs to uid %u; it must be uid %u's\n",
                       geteuid(), geteuid() + 1);
        assert_string_equal(f->mistakes, want);
        if (geteuid() != 0)
                return;
        assert_return_code(chown(scratch_path(f->roles_d, "x.conf", path), 1, 1), errno);
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes,
                            "/x.conf: the file belongs to uid 1; it must be uid 0's\n");
}

static void test_roles__links_and_others__are_refused(void **state)
{
        Fixture *f = *state;
        char path[SCRATCH_PATH_MAX];

        assert_return_code(symlink("/dev/null", scratch_path(f->roles_d, "x.conf", path)), errno);
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes, "/x.conf: a symbolic link; put the file itself here\n");
        assert_return_code(unlink(path), errno);
        assert_return_code(mkfifo(path, 0600), errno);
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes, "/x.conf: no regular file\n");
        assert_return_code(unlink(path), errno);
        assert_return_code(rmdir(f->roles_d), errno);
        assert_return_code(symlink("/tmp", f->roles_d), errno);
        assert_int_equal(load(f), -EINVAL);
        assert_string_equal(f->mistakes, ": no folder; put the folder itself here\n");
}

/* --- one file, anybody's --- */

static int check(Fixture *f, const char *name, const char *text, Role **ret_role)
{
        char path[SCRATCH_PATH_MAX];
        size_t size;
        FILE *mistakes;
        int r;

        put(f, name, text);
        assert_return_code(chmod(scratch_path(f->roles_d, name, path), 0666), errno);
        free(f->mistakes);
        mistakes = open_memstream(&f->mistakes, &size);
        assert_non_null(mistakes);
        r = role_load(path, &f->host, mistakes, ret_role);
        assert_return_code(fclose(mistakes), errno);
        return r;
}

static void test_role__file_of_anybody__is_read_as_in_the_folder(void **state)
{
        CLEANUP(role_freep) Role *role = NULL;
        Role *none = NULL;
        Fixture *f = *state;

        assert_int_equal(check(f, "deploy.conf", "[Role]\nUsers=x\n", &role), 0);
        assert_string_equal(role->name, "deploy");
        assert_int_equal(check(f, "deploy.conf", "[Role]\nUsers=root\n", &none), -EINVAL);
        assert_non_null(strstr(f->mistakes, "/deploy.conf:2: Users: \"root\""));
        assert_int_equal(check(f, "deploy.txt", "[Role]\nUsers=x\n", &none), -EINVAL);
        assert_non_null(strstr(f->mistakes, "/deploy.txt: no name for the file of a role"));
        assert_int_equal(role_load("/nonexistent/x.conf", &f->host, stderr, &none), -EINVAL);
        assert_int_equal(role_load("nonexistent.conf", &f->host, stderr, &none), -EINVAL);
        assert_null(none);
}

/* --- all that is configured --- */

static void put_config(Fixture *f, const char *text)
{
        char path[SCRATCH_PATH_MAX];
        FILE *file = fopen(scratch_path(f->folder, "credd.conf", path), "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_return_code(fclose(file), errno);
        assert_return_code(chmod(path, 0644), errno);
}

static int load_setup(Fixture *f, Setup *ret_setup)
{
        char path[SCRATCH_PATH_MAX];

        free(f->mistakes);
        f->mistakes = NULL;
        return setup_load_text(scratch_path(f->folder, "credd.conf", path), geteuid(), &f->mistakes,
                               ret_setup);
}

static void test_setup__all_is_right__roles_take_the_hosts_limits(void **state)
{
        CLEANUP(setup_done) Setup s = {0};
        CLEANUP(setup_texts_done) SetupTexts all = {0};
        Fixture *f = *state;
        size_t at = 0;

        put_config(f, "[Credd]\nDefaultTTL=5min\nAuditors=games\n");
        put(f, "x.conf", "[Role]\nUsers=x\nIssuers=@daemon\n");
        assert_int_equal(load_setup(f, &s), 0);
        assert_string_equal(f->mistakes, "");
        assert_int_equal(s.roles->roles[0]->default_ttl_usec, MINUTES(5));
        assert_int_equal(s.config.auditors.n_uids, 1);
        assert_int_equal(setup_texts(&s.config, s.roles, SETUP_TEXT_MAX, &at, &all), 0);
        assert_int_equal(at, 1);
        assert_non_null(strstr(all.files, "{\"credd.conf\":\""));
        assert_non_null(strstr(all.files, "\"roles.d/x.conf\":\""));
        assert_non_null(strstr(all.files, s.roles->roles[0]->digest));
        assert_string_equal(all.roles,
                            "{\"x\":{\"issuers\":\"@daemon\",\"approvals\":1,\"users\":[\"x\"],"
                            "\"services\":[\"sshd\",\"login\"],\"sources\":[],"
                            "\"default_ttl_usec\":300000000,\"max_ttl_usec\":43200000000,"
                            "\"max_uses\":1,\"max_sessions\":1,"
                            "\"end_scope\":\"session\",\"warn_usec\":[300000000,60000000]}}");
}

static void test_setup__more_roles_than_one_text_holds__come_in_parts_each_once(void **state)
{
        CLEANUP(setup_done) Setup s = {0};
        json_auto_t *files = json_object(), *roles = json_object();
        Fixture *f = *state;
        size_t at = 0, parts = 0;

        put_config(f, "[Credd]\n");
        for (unsigned i = 0; i < 20; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "r%02u.conf", i);
                put(f, name, "[Role]\nUsers=x\n");
        }
        assert_int_equal(load_setup(f, &s), 0);
        do {
                CLEANUP(setup_texts_done) SetupTexts texts = {0};
                json_auto_t *some_files = NULL, *some_roles = NULL;
                size_t first = at;

                assert_int_equal(setup_texts(&s.config, s.roles, 2000, &at, &texts), 0);
                assert_true(at > first && strlen(texts.files) + strlen(texts.roles) <= 2000);
                some_files = json_loads(texts.files, JSON_REJECT_DUPLICATES, NULL);
                some_roles = json_loads(texts.roles, JSON_REJECT_DUPLICATES, NULL);
                assert_int_equal(json_object_size(some_roles), at - first);
                assert_int_equal(json_object_size(some_files), at - first + (first == 0));
                assert_int_equal(json_object_update(files, some_files), 0);
                assert_int_equal(json_object_update(roles, some_roles), 0);
                parts++;
        } while (at < s.roles->n);
        assert_true(parts > 1);
        assert_int_equal(json_object_size(files), 21);
        assert_int_equal(json_object_size(roles), 20);
}

static void test_setup__one_role_is_longer_than_a_text__its_digest_is_there(void **state)
{
        CLEANUP(setup_texts_done) SetupTexts texts = {0};
        CLEANUP(setup_done) Setup s = {0};
        Fixture *f = *state;
        size_t at = 0;

        put_config(f, "[Credd]\n");
        put(f, "x.conf", "[Role]\nUsers=x\n");
        put(f, "y.conf", "[Role]\nUsers=y\n");
        assert_int_equal(load_setup(f, &s), 0);
        assert_int_equal(setup_texts(&s.config, s.roles, 100, &at, &texts), 0);
        assert_int_equal(at, 1);
        assert_string_equal(texts.roles, "one role, too long for one entry: its digest tells it");
        assert_non_null(strstr(texts.files, s.roles->roles[0]->digest));
}

static void test_setup__a_role_is_wrong__there_is_none(void **state)
{
        CLEANUP(setup_done) Setup s = {0};
        Fixture *f = *state;

        put_config(f, "[Credd]\nDefaultTTL=5min\n");
        put(f, "a.conf", "[Role]\nUsers=a\n");
        put(f, "x.conf", "[Role]\nUsers=root\n");
        assert_int_equal(load_setup(f, &s), SETUP_WITHOUT_ROLES);
        assert_int_equal(s.config.default_ttl_usec, MINUTES(5));
        assert_int_equal(s.roles->n, 0);
        assert_non_null(strstr(f->mistakes, "roles.d/x.conf:2: Users: "));
}

static void test_setup__credd_conf_is_wrong__all_mistakes_are_named(void **state)
{
        Setup s = {0};
        Fixture *f = *state;

        put_config(f, "[Credd]\nDefaultTTL=never\n");
        put(f, "x.conf", "[Role]\nUsers=root\n");
        put(f, "y.conf", "[Role]\nUsers=y\nMaxTTL=30d\n");
        assert_int_equal(load_setup(f, &s), -EINVAL);
        assert_null(s.roles);
        assert_non_null(strstr(f->mistakes, "credd.conf:2: DefaultTTL: "));
        assert_non_null(strstr(f->mistakes, "roles.d/x.conf:2: Users: "));
        assert_null(strstr(f->mistakes, "y.conf"));
}

static void test_setup__very_many_mistakes__are_cut_after_a_line(void **state)
{
        CLEANUP(setup_done) Setup s = {0};
        char text[6000] = "[Role]\n";
        Fixture *f = *state;

        for (unsigned i = 0; i < 700; i++)
                (void)strcat(text, "User=x\n");
        put(f, "x.conf", text);
        assert_int_equal(load_setup(f, &s), SETUP_WITHOUT_ROLES);
        assert_true(strlen(f->mistakes) < SETUP_MISTAKES_TEXT_MAX);
        assert_true(strlen(f->mistakes) > SETUP_MISTAKES_TEXT_MAX - 1024);
        assert_string_equal(strrchr(f->mistakes, '\n'), "\nand more: credd --check");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_roles__no_folder_or_an_empty_one__is_no_role),
                TEST(test_roles__every_key__is_taken),
                TEST(test_roles__what_is_not_said__is_the_hosts_or_strict),
                TEST(test_roles__beyond_the_hosts_limits__is_a_roles_right),
                TEST(test_roles__pattern_for_everybody__is_not_for_root),
                TEST(test_roles__break_glass__wants_a_reason),
                TEST(test_roles__many__are_found_by_name),
                TEST(test_roles__other_files__are_not_looked_at),
                TEST(test_roles__bad_values__say_what_would_be_right),
                TEST(test_roles__users_that_are_none__are_mistakes),
                TEST(test_roles__no_users__is_a_mistake),
                TEST(test_roles__empty_lists__are_mistakes),
                TEST(test_roles__too_many_sources__is_a_mistake),
                TEST(test_roles__limits_out_of_order__name_the_key_that_is_given),
                TEST(test_roles__host_not_known__only_what_is_given_is_measured),
                TEST(test_roles__nobody_could_say_yes__is_a_mistake),
                TEST(test_roles__break_glass_without_a_reason__is_a_mistake),
                TEST(test_roles__another_section__is_a_mistake),
                TEST(test_roles__file_names_that_are_none__are_mistakes),
                TEST(test_roles__one_of_many_is_wrong__none_is_loaded),
                TEST(test_roles__too_many__are_refused),
                TEST(test_roles__others_may_write_them__are_refused),
                TEST(test_roles__another_owns_them__are_refused),
                TEST(test_roles__links_and_others__are_refused),
                TEST(test_role__file_of_anybody__is_read_as_in_the_folder),
                TEST(test_setup__all_is_right__roles_take_the_hosts_limits),
                TEST(test_setup__more_roles_than_one_text_holds__come_in_parts_each_once),
                TEST(test_setup__one_role_is_longer_than_a_text__its_digest_is_there),
                TEST(test_setup__a_role_is_wrong__there_is_none),
                TEST(test_setup__credd_conf_is_wrong__all_mistakes_are_named),
                TEST(test_setup__very_many_mistakes__are_cut_after_a_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
