/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built module as a file: what it exports, needs, imports and could write to. */
#include "tests/pam/image.h"

#include <stdbool.h>
#include <stdio.h>

#include "common/cleanup.h"

static const char *const entry_points[] = {
        "pam_sm_authenticate", "pam_sm_setcred",       "pam_sm_acct_mgmt",
        "pam_sm_open_session", "pam_sm_close_session", "pam_sm_chauthtok",
};

static unsigned exports_found;

static void on_export(const char *name, const ElfW(Sym) * symbol)
{
        if (symbol->st_shndx == SHN_UNDEF)
                return;
        for (size_t i = 0; i < ELEMENTSOF(entry_points); i++) {
                if (strcmp(name, entry_points[i]) == 0) {
                        exports_found++;
                        return;
                }
        }
        fail_msg("exported: %s", name);
}

static void test_shape__exports__the_six_entry_points_and_nothing_else(void **state)
{
        exports_found = 0;
        assert_true(each_dynamic(*state, on_export) > 6);
        assert_int_equal(exports_found, ELEMENTSOF(entry_points));
}

/* What a guest does not do, and what is not safe beside the host's threads. */
static const char *const unwanted[] = {
        "fork",           "vfork",        "clone",     "posix_spawn",   "system",
        "popen",          "execve",       "execl",     "execv",         "execvp",
        "signal",         "sigaction",    "alarm",     "setitimer",     "atexit",
        "on_exit",        "__cxa_atexit", "exit",      "_exit",         "setenv",
        "putenv",         "unsetenv",     "setlocale", "umask",         "chdir",
        "getpwnam",       "getpwuid",     "getgrnam",  "getgrgid",      "gmtime",
        "localtime",      "strtok",       "getenv",    "syslog",        "openlog",
        "printf",         "__printf_chk", "fprintf",   "__fprintf_chk", "puts",
        "gets",           "strcpy",       "strcat",    "sprintf",       "pthread_create",
        "pthread_atfork", "sigprocmask",  "setuid",
};

static void on_import(const char *name, const ElfW(Sym) * symbol)
{
        if (symbol->st_shndx != SHN_UNDEF)
                return;
        for (size_t i = 0; i < ELEMENTSOF(unwanted); i++)
                if (strcmp(name, unwanted[i]) == 0)
                        fail_msg("imported: %s", name);
}

static void test_shape__imports__nothing_a_guest_should_not_call(void **state)
{
        assert_true(each_dynamic(*state, on_import) > 6);
}

static bool may_be_needed(const char *library)
{
        /* Some architectures (arm64) keep the stack protector's value in the loader. */
        return strcmp(library, "libpam.so.0") == 0 || strcmp(library, "libc.so.6") == 0 ||
               strncmp(library, "ld-linux-", 9) == 0;
}

static void test_shape__libraries__libpam_and_libc_alone(void **state)
{
        const Image *image = *state;
        const ElfW(Shdr) *dynamic = section_named(image, ".dynamic");
        unsigned found = 0;
        uint64_t names;

        assert_non_null(dynamic);
        names = section_number(image, dynamic->sh_link)->sh_offset;
        for (const ElfW(Dyn) *d = at(image, dynamic->sh_offset); d->d_tag != DT_NULL; d++) {
                assert_true(d->d_tag != DT_RPATH && d->d_tag != DT_RUNPATH);
                if (d->d_tag != DT_NEEDED)
                        continue;
                found++;
                if (!may_be_needed(at(image, names + d->d_un.d_val)))
                        fail_msg("needed: %s", (const char *)at(image, names + d->d_un.d_val));
        }
        assert_in_range(found, 2, 3);
}

/* Whether the loader makes it read-only once it has relocated it. */
static bool in_relro(const Image *image, const ElfW(Shdr) * section)
{
        const ElfW(Phdr) *segment = at(image, head(image)->e_phoff);

        for (unsigned i = 0; i < head(image)->e_phnum; i++)
                if (segment[i].p_type == PT_GNU_RELRO && section->sh_addr >= segment[i].p_vaddr &&
                    section->sh_addr + section->sh_size <= segment[i].p_vaddr + segment[i].p_memsz)
                        return true;
        return false;
}

/* It is linked without the compiler's start files, so that not even their two words are there. */
static void test_shape__writable_sections__none(void **state)
{
        const Image *image = *state;

        for (unsigned i = 0; i < head(image)->e_shnum; i++) {
                const ElfW(Shdr) *section = section_number(image, i);
                const char *name = section_name(image, section);

                if ((section->sh_flags & (SHF_ALLOC | SHF_WRITE)) != (SHF_ALLOC | SHF_WRITE))
                        continue;
                if (section->sh_size == 0 || in_relro(image, section))
                        continue;
                assert_true((section->sh_flags & SHF_TLS) == 0);
                fail_msg("writable: %s, %ju bytes", name, (uintmax_t)section->sh_size);
        }
}

/* By name, where the file is not stripped: the test above measures, this one says who. */
static void test_shape__writable_objects__none_of_ours(void **state)
{
        const Image *image = *state;
        const ElfW(Shdr) *table = section_named(image, ".symtab");
        size_t count = table ? table->sh_size / sizeof(ElfW(Sym)) : 0;

        for (size_t i = 1; i < count; i++) {
                const ElfW(Sym) *symbol = (const ElfW(Sym) *)at(image, table->sh_offset) + i;
                const char *name = symbol_name(image, table, symbol), *where;

                /* The linker's marks, as __TMC_END__, have a place and no size. */
                if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT || symbol->st_size == 0 ||
                    symbol->st_shndx >= SHN_LORESERVE || symbol->st_shndx == SHN_UNDEF)
                        continue;
                where = section_name(image, section_number(image, symbol->st_shndx));
                if (strcmp(where, ".data") != 0 && strcmp(where, ".bss") != 0)
                        continue;
                fail_msg("writable: %s in %s", name, where);
        }
}

static void test_shape__stack__not_executable(void **state)
{
        const Image *image = *state;
        const ElfW(Phdr) *segment = at(image, head(image)->e_phoff);
        bool found = false;

        for (unsigned i = 0; i < head(image)->e_phnum; i++) {
                if (segment[i].p_type != PT_GNU_STACK)
                        continue;
                found = true;
                assert_int_equal(segment[i].p_flags & PF_X, 0);
        }
        assert_true(found);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shape__exports__the_six_entry_points_and_nothing_else),
                cmocka_unit_test(test_shape__imports__nothing_a_guest_should_not_call),
                cmocka_unit_test(test_shape__libraries__libpam_and_libc_alone),
                cmocka_unit_test(test_shape__writable_sections__none),
                cmocka_unit_test(test_shape__writable_objects__none_of_ours),
                cmocka_unit_test(test_shape__stack__not_executable),
        };

        return cmocka_run_group_tests_name("shape", tests, image_setup, image_teardown);
}
