/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stack makes of each code that our line may return: is the person let in, out, or is it for the next
 * module to say? Through libpam, with pam_debug in our place and in pam_unix's, which returns what it is told.
 * First the stacks that pam-auth-update writes on Debian 12 and 13 with our profile (tests/unit/stacks;
 * tests/system/70-install.t generates them anew and compares), then what people write by hand, with the traps
 * in it: those let people in, and are here so that it is known. At last the real module in the real stacks. */
#include "tests/fault/journey.h"

#define STACKS "tests/unit/stacks"

/* By number. */
static const char *const codes[] = {
        "success",
        "open_err",
        "symbol_err",
        "service_err",
        "system_err",
        "buf_err",
        "perm_denied",
        "auth_err",
        "cred_insufficient",
        "authinfo_unavail",
        "user_unknown",
        "maxtries",
        "new_authtok_reqd",
        "acct_expired",
        "session_err",
        "cred_unavail",
        "cred_expired",
        "cred_err",
        "no_module_data",
        "conv_err",
        "authtok_err",
        "authtok_recover_err",
        "authtok_lock_busy",
        "authtok_disable_aging",
        "try_again",
        "ignore",
        "abort",
        "authtok_expired",
        "module_unknown",
        "bad_item",
        "conv_again",
        "incomplete",
};

typedef enum Fate {
        OUT,
        IN,
        AS_NEXT, /* in if the next module says yes */
} Fate;

typedef enum Facility { AUTH, ACCOUNT, SESSION } Facility;

static const struct {
        const char *type, *member, *no;
        int (*call)(pam_handle_t *pamh, int flags);
} facilities[] = {
        [AUTH] = {"auth", "auth", "auth_err", pam_authenticate},
        [ACCOUNT] = {"account", "acct", "acct_expired", pam_acct_mgmt},
        [SESSION] = {"session", "open_session", "session_err", pam_open_session},
};

typedef struct Table {
        const char *name;
        Facility facility;
        const char *lines; /* OURS and NEXT are the two modules; NULL: the generated one */
        const char *in, *out, *as_next; /* codes, a blank around each */
        Fate rest;
} Table;

#define BEFORE_DENY(line) line "auth requisite pam_deny.so\nauth required pam_permit.so\n"

static const Table tables[] = {
        {"generated", AUTH, NULL, .in = " success ", .out = " auth_err authinfo_unavail ",
         .rest = AS_NEXT},
        {"generated", ACCOUNT, NULL, .as_next = " success ignore module_unknown ", .rest = OUT},
        {"generated", SESSION, NULL, .as_next = " success module_unknown ", .rest = OUT},

        {"alone", AUTH, "auth required OURS\n", .in = " success ", .rest = OUT},
        {"alone, requisite", AUTH, "auth requisite OURS\n", .in = " success ", .rest = OUT},
        {"two factors", AUTH, "auth required OURS\nauth required NEXT\n",
         .as_next = " success ignore ", .rest = OUT},
        {"two factors, the other first", AUTH, "auth requisite NEXT\nauth required OURS\n",
         .as_next = " success ignore ", .rest = OUT},
        {"token or password", AUTH, "auth sufficient OURS\nauth required NEXT\n", .in = " success ",
         .out = " new_authtok_reqd ", .rest = AS_NEXT},
        {"done or die", AUTH, "auth [success=done default=die] OURS\nauth required NEXT\n",
         .in = " success ", .rest = OUT},
        {"jump", AUTH, BEFORE_DENY("auth [success=1 default=ignore] OURS\n"), .in = " success ",
         .rest = OUT},
        {"jump, denials die", AUTH,
         BEFORE_DENY("auth [success=2 auth_err=die authinfo_unavail=die system_err=die "
                     "default=ignore] OURS\nauth [success=1 default=ignore] NEXT\n"),
         .in = " success ", .out = " auth_err authinfo_unavail system_err ", .rest = AS_NEXT},
        /* Traps: whoever is not refused by somebody else is let in. */
        {"sufficient before permit", AUTH, "auth sufficient OURS\nauth required pam_permit.so\n",
         .out = " new_authtok_reqd ", .rest = IN},
        {"optional before permit", AUTH, "auth optional OURS\nauth required pam_permit.so\n",
         .out = " new_authtok_reqd ", .rest = IN},

        {"alone", ACCOUNT, "account required OURS\n", .in = " success ", .rest = OUT},
        {"both", ACCOUNT, "account required OURS\naccount required NEXT\n",
         .as_next = " success ignore ", .rest = OUT},
        {"both, the other first", ACCOUNT, "account required NEXT\naccount required OURS\n",
         .as_next = " success ignore ", .rest = OUT},
        {"ok or die", ACCOUNT,
         "account [success=ok ignore=ignore default=die] OURS\naccount required NEXT\n",
         .as_next = " success ignore ", .rest = OUT},
        /* Traps: what ours refuses is forgotten, and with success pam_unix is not asked. */
        {"sufficient", ACCOUNT, "account sufficient OURS\naccount required NEXT\n",
         .in = " success ", .out = " new_authtok_reqd ", .rest = AS_NEXT},
        {"jump", ACCOUNT,
         "account [success=1 default=ignore] OURS\naccount requisite NEXT\n"
         "account required pam_permit.so\n",
         .in = " success ", .rest = AS_NEXT},

        {"both", SESSION, "session required OURS\nsession required NEXT\n",
         .as_next = " success ignore ", .rest = OUT},
        {"both, the other first", SESSION, "session required NEXT\nsession required OURS\n",
         .as_next = " success ignore ", .rest = OUT},
        /* A trap: the host does not hear that credd refused. credd ends that process all the same. */
        {"optional", SESSION, "session optional OURS\nsession required NEXT\n",
         .out = " new_authtok_reqd ", .rest = AS_NEXT},
};

/* --- texts --- */

static bool has_code(const char *list, const char *code)
{
        char word[32];

        (void)snprintf(word, sizeof(word), " %s ", code);
        return list && strstr(list, word);
}

static Fate expected_fate(const Table *table, const char *code)
{
        /* Whatever stands in the line: libpam has the host call again. */
        if (strcmp(code, "incomplete") == 0)
                return OUT;
        if (has_code(table->in, code))
                return IN;
        if (has_code(table->out, code))
                return OUT;
        return has_code(table->as_next, code) ? AS_NEXT : table->rest;
}

static void put(char *out, size_t size, const char *bytes, size_t len)
{
        size_t at = strlen(out);

        assert_true(len < size - at);
        memcpy(out + at, bytes, len);
        out[at + len] = '\0';
}

/* Each `from`, and what follows it in its line if all is set, becomes `to`. */
static void replace(char *text, size_t size, const char *from, const char *to, bool all)
{
        char out[8192] = "";
        const char *rest = text, *at;

        while ((at = strstr(rest, from))) {
                put(out, sizeof(out), rest, (size_t)(at - rest));
                put(out, sizeof(out), to, strlen(to));
                rest = at + strlen(from);
                if (all)
                        rest += strcspn(rest, "\n");
        }
        put(out, sizeof(out), rest, strlen(rest));
        assert_true(strlen(out) < size);
        memcpy(text, out, strlen(out) + 1);
}

/* The lines of a generated file; OURS and NEXT stand in it then, too. */
static void read_generated(const char *release, Facility facility, char *ret_lines, size_t size)
{
        char path[128], line[512];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s/common-%s", STACKS, release,
                       facilities[facility].type);
        f = fopen(path, "re");
        if (!f)
                fail_msg("%s: run this from the root of the source", path);
        ret_lines[0] = '\0';
        while (fgets(line, sizeof(line), f))
                if (line[0] != '#' && line[0] != '\n')
                        put(ret_lines, size, line, strlen(line));
        (void)fclose(f);
        replace(ret_lines, size, "pam_ephemeral.so", "OURS", true);
        replace(ret_lines, size, "pam_unix.so", "NEXT", true);
        replace(ret_lines, size, "pam_systemd.so", "pam_permit.so", true);
        assert_non_null(strstr(ret_lines, "OURS"));
        assert_non_null(strstr(ret_lines, "NEXT"));
}

/* --- one call --- */

static int call(Stage *s, Facility facility, const char *lines)
{
        stage_stack(s, "sshd", lines);
        stage_start(s, "sshd", s->user);
        return facilities[facility].call(s->pamh, 0);
}

static int call_with(Stage *s, Facility facility, const char *lines, const char *ours,
                     const char *next)
{
        char text[4096] = "", module[64];

        put(text, sizeof(text), lines, strlen(lines));
        (void)snprintf(module, sizeof(module), "pam_debug.so %s=%s", facilities[facility].member,
                       ours);
        replace(text, sizeof(text), "OURS", module, false);
        (void)snprintf(module, sizeof(module), "pam_debug.so %s=%s", facilities[facility].member,
                       next);
        replace(text, sizeof(text), "NEXT", module, false);
        return call(s, facility, text);
}

static const char *fate_name(Fate fate)
{
        static const char *const names[] = {"out", "in", "as the next module says"};

        return names[fate];
}

static void judge_table(Stage *s, const Table *table, const char *where, const char *lines)
{
        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                bool with_yes = call_with(s, table->facility, lines, codes[i], "success") == 0;
                bool with_no = call_with(s, table->facility, lines, codes[i],
                                         facilities[table->facility].no) == 0;
                Fate fate = with_no ? IN : with_yes ? AS_NEXT : OUT;

                assert_true(with_yes || !with_no);
                if (fate != expected_fate(table, codes[i]))
                        fail_msg("%s: %s, %s: our %s is %s, expected was %s", where,
                                 facilities[table->facility].type, table->name, codes[i],
                                 fate_name(fate), fate_name(expected_fate(table, codes[i])));
        }
}

/* --- tests --- */

static const char *const releases[] = {"bookworm", "trixie"};

static void test_codes__generated_stacks__as_the_table_says(void **state)
{
        char lines[4096];

        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                for (size_t k = 0; k < ELEMENTSOF(releases) && !tables[i].lines; k++) {
                        read_generated(releases[k], tables[i].facility, lines, sizeof(lines));
                        judge_table(*state, &tables[i], releases[k], lines);
                }
}

static void test_codes__hand_written_stacks__as_the_table_says(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                if (tables[i].lines)
                        judge_table(*state, &tables[i], "by hand", tables[i].lines);
}

/* pam_unix's new_authtok_reqd=done would let whoever has an old password past a line behind it. */
static void test_codes__password_has_expired__a_denial_of_ours_stands(void **state)
{
        char lines[4096];
        Stage *s = *state;

        for (size_t k = 0; k < ELEMENTSOF(releases); k++) {
                read_generated(releases[k], ACCOUNT, lines, sizeof(lines));
                assert_int_equal(call_with(s, ACCOUNT, lines, "acct_expired", "new_authtok_reqd"),
                                 PAM_ACCT_EXPIRED);
                assert_int_equal(
                        call_with(s, ACCOUNT, lines, "authinfo_unavail", "new_authtok_reqd"),
                        PAM_AUTHINFO_UNAVAIL);
                assert_int_equal(call_with(s, ACCOUNT, lines, "ignore", "new_authtok_reqd"),
                                 PAM_NEW_AUTHTOK_REQD);
                assert_int_equal(call_with(s, ACCOUNT, lines, "success", "new_authtok_reqd"),
                                 PAM_NEW_AUTHTOK_REQD);
        }
}

/* The real module, in all that may come of a login, in the stacks as they are generated. */
typedef struct Case {
        const char *name;
        Facility facility;
        Comes comes;
        const char *options;
        Plan plan;
        Fate fate;
} Case;

#define MEMBER "min_uid=0 timeout=60s"

static const Case cases[] = {
        {"good token", AUTH, WITH_TOKEN, MEMBER, {.authenticate = ACCEPTED}, IN},
        {"refused", AUTH, WITH_TOKEN, MEMBER, {.authenticate = REFUSED}, OUT},
        {"credd cannot", AUTH, WITH_TOKEN, MEMBER, {.authenticate = UNAVAILABLE}, OUT},
        {"credd talks nonsense", AUTH, WITH_TOKEN, MEMBER, {.authenticate = "?"}, OUT},
        {"credd dies", AUTH, WITH_TOKEN, MEMBER, {.manner = DIE}, OUT},
        {"credd is away", AUTH, WITH_TOKEN, MEMBER, {.manner = MISSING}, OUT},
        {"password", AUTH, WITH_PASSWORD, MEMBER, {.authenticate = ACCEPTED}, AS_NEXT},
        {"password, credd away", AUTH, WITH_PASSWORD, MEMBER, {.manner = MISSING}, AS_NEXT},
        {"not our kind", AUTH, WITH_TOKEN, "min_uid=4294967294", {.manner = MISSING}, AS_NEXT},
        {"misspelt option",
         AUTH,
         WITH_TOKEN,
         MEMBER " misspelt",
         {.authenticate = ACCEPTED},
         AS_NEXT},

        {"good", ACCOUNT, WITH_NONCE, MEMBER, {.check_account = CHECKED}, AS_NEXT},
        {"refused", ACCOUNT, WITH_NONCE, MEMBER, {.check_account = REFUSED}, OUT},
        {"credd is away", ACCOUNT, WITH_NONCE, MEMBER, {.manner = MISSING}, OUT},
        {"misspelt option",
         ACCOUNT,
         WITH_NONCE,
         MEMBER " misspelt",
         {.check_account = CHECKED},
         OUT},
        {"no login of ours", ACCOUNT, WITH_KEY, MEMBER, {.manner = MISSING}, AS_NEXT},
        {"not our kind", ACCOUNT, WITH_KEY, "min_uid=4294967294", {.manner = MISSING}, AS_NEXT},

        {"good", SESSION, WITH_NONCE, MEMBER, {.open_session = OPENED}, AS_NEXT},
        {"refused", SESSION, WITH_NONCE, MEMBER, {.open_session = REFUSED}, OUT},
        {"credd is away", SESSION, WITH_NONCE, MEMBER, {.manner = MISSING}, OUT},
        {"misspelt option", SESSION, WITH_NONCE, MEMBER " misspelt", {.open_session = OPENED}, OUT},
        {"no login of ours", SESSION, WITH_KEY, MEMBER, {.manner = MISSING}, AS_NEXT},
};

static bool lets_in(Stage *s, const Case *c, const char *lines, const char *next)
{
        char text[4096] = "", module[128];

        put(text, sizeof(text), lines, strlen(lines));
        (void)snprintf(module, sizeof(module), "%% %s", c->options);
        replace(text, sizeof(text), "OURS", module, false);
        (void)snprintf(module, sizeof(module), "pam_debug.so %s=%s", facilities[c->facility].member,
                       next);
        replace(text, sizeof(text), "NEXT", module, false);
        stage_credd(s, c->plan);
        s->answer = c->comes == WITH_PASSWORD ? PASSWORD : s->token;
        stage_stack(s, "sshd", text);
        stage_start(s, "sshd", s->user);
        if (c->comes == WITH_NONCE)
                assert_int_equal(pam_putenv(s->pamh, "CREDD_LOGIN=" NONCE), PAM_SUCCESS);
        return facilities[c->facility].call(s->pamh, 0) == PAM_SUCCESS;
}

static void test_codes__the_module_in_generated_stacks__in_only_by_a_yes(void **state)
{
        char lines[4096];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t k = 0; k < ELEMENTSOF(releases); k++) {
                        const Case *c = &cases[i];
                        bool with_yes, with_no;
                        Fate fate;

                        read_generated(releases[k], c->facility, lines, sizeof(lines));
                        with_yes = lets_in(*state, c, lines, "success");
                        with_no = lets_in(*state, c, lines, facilities[c->facility].no);
                        fate = with_no ? IN : with_yes ? AS_NEXT : OUT;
                        if (fate != c->fate)
                                fail_msg("%s: %s, %s: %s, expected was %s", releases[k],
                                         facilities[c->facility].type, c->name, fate_name(fate),
                                         fate_name(c->fate));
                }
}

static int codes_setup(void **state)
{
        shim_on_log = stage_note_log;
        return stage_setup(state);
}

#define CODES_TEST(f) cmocka_unit_test_setup_teardown(f, codes_setup, stage_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CODES_TEST(test_codes__generated_stacks__as_the_table_says),
                CODES_TEST(test_codes__hand_written_stacks__as_the_table_says),
                CODES_TEST(test_codes__password_has_expired__a_denial_of_ours_stands),
                CODES_TEST(test_codes__the_module_in_generated_stacks__in_only_by_a_yes),
        };

        return cmocka_run_group_tests_name("codes", tests, NULL, NULL);
}
