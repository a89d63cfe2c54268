/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built module as a file. Read from the ELF tables directly, so that no tool has to be
 * installed. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Image {
        const char *bytes;
        size_t size;
} Image;

static inline const void *at(const Image *image, uint64_t offset)
{
        assert_true(offset < image->size);
        return image->bytes + offset;
}

static inline const ElfW(Ehdr) * head(const Image *image)
{
        return at(image, 0);
}

static inline const ElfW(Shdr) * section_number(const Image *image, unsigned n)
{
        assert_true(n < head(image)->e_shnum);
        return (const ElfW(Shdr) *)at(image, head(image)->e_shoff) + n;
}

static inline const char *section_name(const Image *image, const ElfW(Shdr) * section)
{
        return at(image,
                  section_number(image, head(image)->e_shstrndx)->sh_offset + section->sh_name);
}

static inline const ElfW(Shdr) * section_named(const Image *image, const char *name)
{
        for (unsigned i = 0; i < head(image)->e_shnum; i++) {
                const ElfW(Shdr) *section = section_number(image, i);

                if (strcmp(section_name(image, section), name) == 0)
                        return section;
        }
        return NULL;
}

static inline const char *symbol_name(const Image *image, const ElfW(Shdr) * table,
                                      const ElfW(Sym) * symbol)
{
        return at(image, section_number(image, table->sh_link)->sh_offset + symbol->st_name);
}

/* Calls back with each symbol of .dynsym; returns how many there were. */
static inline size_t each_dynamic(const Image *image,
                                  void (*on_symbol)(const char *name, const ElfW(Sym) * symbol))
{
        const ElfW(Shdr) *table = section_named(image, ".dynsym");
        size_t count;

        assert_non_null(table);
        count = table->sh_size / sizeof(ElfW(Sym));
        for (size_t i = 1; i < count; i++) {
                const ElfW(Sym) *symbol = (const ElfW(Sym) *)at(image, table->sh_offset) + i;

                on_symbol(symbol_name(image, table, symbol), symbol);
        }
        return count;
}

static inline int image_setup(void **state)
{
        const char *path = getenv("MODULE");
        Image *image = calloc(1, sizeof(*image));
        struct stat st;
        int fd;

        assert_non_null(image);
        if (!path)
                fail_msg("MODULE=/absolute/path/of/pam_ephemeral.so is not set");
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        image->size = (size_t)st.st_size;
        image->bytes = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0);
        assert_ptr_not_equal(image->bytes, MAP_FAILED);
        (void)close(fd);
        assert_memory_equal(image->bytes, ELFMAG, SELFMAG);
        *state = image;
        return 0;
}

static inline int image_teardown(void **state)
{
        Image *image = *state;

        (void)munmap((void *)(uintptr_t)image->bytes, image->size);
        free(image);
        return 0;
}
