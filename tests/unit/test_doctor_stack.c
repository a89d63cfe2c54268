/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PAM files as libpam reads them, and what comes of a stack. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "credctl/doctor-stack.h"

typedef struct File {
        const char *name, *text;
} File;

static char *load(void *userdata, const char *name)
{
        for (const File *file = userdata; file->name; file++)
                if (strcmp(file->name, name) == 0)
                        return strdup(file->text);
        return NULL;
}

static PamStack read_stack(const File *files, PamKind kind)
{
        PamStack stack = {0};

        assert_int_equal(pam_stack_read("sshd", kind, load, (void *)files, &stack), 0);
        return stack;
}

static PamStack read_text(const char *text)
{
        const File files[] = {{"sshd", text}, {NULL, NULL}};

        return read_stack(files, PAM_KIND_AUTH);
}

/* A module called yes, no or expired answers so. */
static PamCode by_name(void *userdata, const PamLine *line)
{
        unsigned *asked = userdata;

        if (asked)
                (*asked)++;
        if (pam_line_is(line, "yes"))
                return PAM_CODE_SUCCESS;
        if (pam_line_is(line, "expired"))
                return PAM_CODE_NEW_AUTHTOK_REQD;
        return pam_line_is(line, "ignore") ? PAM_CODE_IGNORE : PAM_CODE_AUTH_ERR;
}

static bool lets_in(const char *text)
{
        CLEANUP(pam_stack_done) PamStack stack = read_text(text);

        return pam_stack_lets_in(&stack, by_name, NULL);
}

static void test_stack_read__comments_and_continuations__as_libpam(void **state)
{
        CLEANUP(pam_stack_done)
        PamStack stack = read_text("# auth required no.so\n\n"
                                   "AUTH\trequired \\\n  pam_x.so a [b c] # d\n"
                                   "account required no.so\n"
                                   "-auth [success=1 default=ignore] /lib/security/pam_y.so\n");

        (void)state;
        assert_int_equal(stack.n, 2);
        assert_true(pam_line_is(&stack.lines[0], "pam_x"));
        assert_int_equal(stack.lines[0].number, 3);
        assert_int_equal(stack.lines[0].n_arguments, 2);
        assert_string_equal(stack.lines[0].arguments[0], "a");
        assert_string_equal(stack.lines[0].arguments[1], "b c");
        assert_true(pam_line_is(&stack.lines[1], "pam_y"));
        assert_false(pam_line_is(&stack.lines[1], "pam_"));
        assert_int_equal(stack.lines[1].number, 6);
        assert_int_equal(stack.lines[1].actions[PAM_CODE_SUCCESS], 1);
        assert_int_equal(stack.lines[1].actions[PAM_CODE_AUTH_ERR], PAM_ACTION_IGNORE);
}

static void test_stack_read__includes__in_place(void **state)
{
        static const File files[] = {
                {"sshd", "@include common\nauth include more\nauth substack deep\n"},
                {"common", "auth required a.so\naccount required x.so\n"},
                {"more", "auth required b.so\n"},
                {"deep", "auth required c.so\n"},
                {NULL, NULL}};
        CLEANUP(pam_stack_done) PamStack stack = read_stack(files, PAM_KIND_AUTH);

        (void)state;
        assert_int_equal(stack.n, 4);
        assert_true(pam_line_is(&stack.lines[0], "a"));
        assert_true(pam_line_is(&stack.lines[1], "b"));
        assert_true(stack.lines[2].substack);
        assert_true(pam_line_is(&stack.lines[3], "c"));
        assert_int_equal(stack.lines[3].level, 1);
        assert_string_equal(stack.lines[3].file, "deep");
        assert_null(stack.missing);
}

static void test_stack_read__nothing_of_a_kind__other(void **state)
{
        static const File files[] = {{"sshd", "account required a.so\n"},
                                     {"other", "auth required b.so\n"},
                                     {NULL, NULL}};
        CLEANUP(pam_stack_done) PamStack stack = read_stack(files, PAM_KIND_AUTH);

        (void)state;
        assert_int_equal(stack.n, 1);
        assert_true(pam_line_is(&stack.lines[0], "b"));
}

static void test_stack_read__missing_and_endless__told(void **state)
{
        static const File loop[] = {{"sshd", "@include sshd\n"}, {NULL, NULL}};
        CLEANUP(pam_stack_done) PamStack stack = read_text("@include gone\nauth required yes.so\n");
        PamStack none = {0};

        (void)state;
        assert_string_equal(stack.missing, "gone");
        assert_false(pam_stack_lets_in(&stack, by_name, NULL));
        assert_int_equal(pam_stack_read("sshd", PAM_KIND_AUTH, load, (void *)loop, &none), -ELOOP);
        assert_int_equal(pam_stack_read("su", PAM_KIND_AUTH, load, (void *)loop, &none), -ENOENT);
}

static void test_stack_read__nonsense__broken_and_denies(void **state)
{
        static const char *const lines[] = {
                "auth perhaps yes.so\n",     "auth [success=maybe] yes.so\n",
                "auth [sucess=ok] yes.so\n", "auth [success] yes.so\n",
                "auth [success=0] yes.so\n", "auth required\n",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                CLEANUP(pam_stack_done) PamStack stack = read_text(lines[i]);

                assert_int_equal(stack.n, 1);
                assert_true(stack.lines[0].broken);
                assert_false(pam_stack_lets_in(&stack, by_name, NULL));
        }
}

static void test_stack_lets_in__words__as_libpam(void **state)
{
        (void)state;
        assert_false(lets_in(""));
        assert_true(lets_in("auth required yes.so\n"));
        assert_false(lets_in("auth required no.so\nauth required yes.so\n"));
        assert_false(lets_in("auth required yes.so\nauth required no.so\n"));
        assert_true(lets_in("auth sufficient yes.so\nauth required no.so\n"));
        assert_true(lets_in("auth sufficient no.so\nauth required yes.so\n"));
        assert_false(lets_in("auth required no.so\nauth sufficient yes.so\n"));
        assert_false(lets_in("auth sufficient no.so\n"));
        assert_true(lets_in("auth optional yes.so\n"));
        assert_false(lets_in("auth required ignore.so\n"));
        assert_false(lets_in("auth requisite no.so\nauth required yes.so\n"));
        assert_true(lets_in("auth required no.so\nauth [success=reset] yes.so\n"
                            "auth required yes.so\n"));
}

static void test_stack_lets_in__jumps__neither_yes_nor_no(void **state)
{
        (void)state;
        assert_true(
                lets_in("auth [success=1] yes.so\nauth requisite no.so\nauth required yes.so\n"));
        assert_false(lets_in("auth [success=1] yes.so\nauth requisite no.so\n"));
        assert_false(
                lets_in("auth required yes.so\nauth [success=9] yes.so\nauth required no.so\n"));
        assert_false(lets_in("auth [success=1 default=ignore] no.so\nauth requisite no.so\n"
                             "auth required yes.so\n"));
}

static void test_stack_lets_in__expired_password__done_and_no_success(void **state)
{
        CLEANUP(pam_stack_done)
        PamStack stack = read_text("auth [new_authtok_reqd=done default=ignore] expired.so\n"
                                   "auth required yes.so\n");
        unsigned asked = 0;

        (void)state;
        assert_false(pam_stack_lets_in(&stack, by_name, &asked));
        assert_int_equal(asked, 1);
}

static void test_stack_lets_in__substack__ends_by_itself(void **state)
{
        static const File done[] = {{"sshd", "auth substack deep\nauth required no.so\n"},
                                    {"deep", "auth sufficient yes.so\nauth required no.so\n"},
                                    {NULL, NULL}};
        static const File jump[] = {
                {"sshd", "auth [success=1] yes.so\nauth substack deep\nauth required yes.so\n"},
                {"deep", "auth requisite no.so\nauth requisite no.so\n"},
                {NULL, NULL}};
        CLEANUP(pam_stack_done) PamStack first = read_stack(done, PAM_KIND_AUTH);
        CLEANUP(pam_stack_done) PamStack second = read_stack(jump, PAM_KIND_AUTH);
        unsigned asked = 0;

        (void)state;
        assert_false(pam_stack_lets_in(&first, by_name, &asked));
        assert_int_equal(asked, 2);
        assert_true(pam_stack_lets_in(&second, by_name, NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stack_read__comments_and_continuations__as_libpam),
                cmocka_unit_test(test_stack_read__includes__in_place),
                cmocka_unit_test(test_stack_read__nothing_of_a_kind__other),
                cmocka_unit_test(test_stack_read__missing_and_endless__told),
                cmocka_unit_test(test_stack_read__nonsense__broken_and_denies),
                cmocka_unit_test(test_stack_lets_in__words__as_libpam),
                cmocka_unit_test(test_stack_lets_in__jumps__neither_yes_nor_no),
                cmocka_unit_test(test_stack_lets_in__expired_password__done_and_no_success),
                cmocka_unit_test(test_stack_lets_in__substack__ends_by_itself),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
