/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What nobody would have meant is a mistake, not a default.
 *
 * inih takes lines apart, but is lenient, and Debian's does not tell line numbers. So each line
 * passes read_line() first, which counts it, cuts comments off, and blanks what inih would bend into
 * something: over-long lines (it cuts them), indented ones (it continues the last value), "key: value",
 * broken section headers.
 *
 * Invariants: the file is read once, so that the digest is that of what was parsed; text that reaches a
 * setter or a mistake is UTF-8 without control characters.
 *
 * Left out: what values mean (values.h). */
#include "credd/ini.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "credd/credential.h"
#include "credd/digest.h"

#define FILE_SIZE_MAX (64 * 1024)
#define OTHER_SECTION "[?]"
#define KNOWN_MAX     512

_Static_assert(INI_DIGEST == HEX_LEN(HASH_LEN), "a digest as text");

void ini_done(Ini *ini)
{
        free(ini->text);
        ini->text = NULL;
}

void ini_mistake(Ini *ini, unsigned line, const char *key, const char *format, ...)
{
        va_list ap;

        ini->n_mistakes++;
        (void)fputs(ini->path, ini->mistakes);
        if (line > 0)
                (void)fprintf(ini->mistakes, ":%u", line);
        if (key)
                (void)fprintf(ini->mistakes, ": %s", key);
        (void)fputs(": ", ini->mistakes);
        va_start(ap, format);
        (void)vfprintf(ini->mistakes, format, ap);
        va_end(ap);
        (void)fputc('\n', ini->mistakes);
}

/* --- lines --- */

static const char *checked_section(Ini *ini, const char *text)
{
        size_t n = strlen(ini->section);

        if (text[0] == '[' && strncmp(text + 1, ini->section, n) == 0 &&
            strcmp(text + 1 + n, "]") == 0)
                return text;
        ini_mistake(ini, ini->line, text, "unknown section; the only one is [%s]", ini->section);
        return OTHER_SECTION;
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

/* White space and then # or ; begins a comment, as does either at the beginning of a line. White space
 * at the end goes as well. */
static void cut_comment(char *line)
{
        size_t n;

        for (char *at = line; *at; at++)
                if ((*at == '#' || *at == ';') && (at == line || is_space(at[-1]))) {
                        *at = 0;
                        break;
                }
        for (n = strlen(line); n > 0 && is_space(line[n - 1]); n--)
                line[n - 1] = 0;
}

static bool is_plain(char *line)
{
        json_auto_t *utf8 = NULL;

        for (char *at = line; (at = strchr(at, '\t'));)
                *at = ' ';
        utf8 = json_string(line);
        return utf8 && text_valid(line, FILE_SIZE_MAX);
}

/* What inih shall see of the line. */
static const char *checked_line(Ini *ini, char *line, size_t n, size_t max)
{
        const char *mark;

        if (strlen(line) != n) {
                ini_mistake(ini, ini->line, NULL, "a NUL byte; write plain text");
                return "";
        }
        cut_comment(line);
        if (*line == 0)
                return "";
        if (strlen(line) > max) {
                ini_mistake(ini, ini->line, NULL, "longer than %zu characters; shorten it", max);
                return "";
        }
        if (!is_plain(line)) {
                ini_mistake(ini, ini->line, NULL,
                            "control or invisible characters, or no UTF-8; write plain text");
                return "";
        }
        if (*line == ' ') {
                ini_mistake(ini, ini->line, NULL, "begins with white space; a key begins its line");
                return "";
        }
        if (*line == '[')
                return checked_section(ini, line);
        mark = strpbrk(line, "=:;");
        if (!mark || *mark != '=') {
                ini_mistake(ini, ini->line, NULL, "neither [Section] nor Key=value");
                return "";
        }
        return line;
}

static char *read_line(char *buffer, int size, void *stream)
{
        Ini *ini = stream;
        char *line = ini->text + ini->at, *end;
        size_t n = ini->size - ini->at;

        assert(size > 2);
        if (n == 0)
                return NULL;
        end = memchr(line, '\n', n);
        if (end)
                n = (size_t)(end - line);
        ini->at += n + (end ? 1 : 0);
        line[n] = 0;
        ini->line++;
        (void)snprintf(buffer, (size_t)size, "%s\n", checked_line(ini, line, n, (size_t)size - 2));
        return buffer;
}

/* --- keys --- */

static void unknown_key(Ini *ini, const char *name)
{
        char known[KNOWN_MAX] = "";
        size_t n = 0;

        for (size_t i = 0; i < ini->n_keys && n < sizeof(known); i++)
                n += (size_t)snprintf(known + n, sizeof(known) - n, " %s", ini->keys[i].name);
        ini_mistake(ini, ini->line, *name ? name : "=", "unknown key; known are%s", known);
}

static size_t find_key(const Ini *ini, const char *name)
{
        size_t i = 0;

        while (i < ini->n_keys && strcmp(ini->keys[i].name, name) != 0)
                i++;
        return i;
}

/* inih's handler: 1 goes on. Mistakes are counted here, not there. */
static int on_key(void *userdata, const char *section, const char *name, const char *value)
{
        Ini *ini = userdata;
        size_t i = find_key(ini, name);

        if (!*section)
                ini_mistake(ini, ini->line, name, "stands in no section; put [%s] above",
                            ini->section);
        if (strcmp(section, ini->section) != 0)
                return 1; /* the section has been named as a mistake */
        if (i == ini->n_keys) {
                unknown_key(ini, name);
                return 1;
        }
        if (ini->given[i] > 0) {
                ini_mistake(ini, ini->line, name, "given before in line %u; give it once",
                            ini->given[i]);
                return 1;
        }
        ini->given[i] = ini->line;
        ini->keys[i].set(ini, &ini->keys[i], value);
        return 1;
}

void ini_check_order(Ini *ini, size_t n, const char *elsewhere)
{
        for (size_t i = 0; i + 1 < n; i++) {
                const IniKey *key = &ini->keys[i], *next = key + 1;
                char shorter[DURATION_TEXT_MAX], longer[DURATION_TEXT_MAX];
                unsigned at = ini->given[i], next_at = ini->given[i + 1];
                uint64_t a, b;

                memcpy(&a, (const char *)ini->target + key->offset, sizeof(a));
                memcpy(&b, (const char *)ini->target + next->offset, sizeof(b));
                if (a <= b || (!elsewhere && (at == 0 || next_at == 0)))
                        continue;
                duration_format(a, longer);
                duration_format(b, shorter);
                if (at > 0)
                        ini_mistake(ini, at, key->name, "%s is longer than %s=%s%s; at most that",
                                    longer, next->name, shorter, next_at > 0 ? "" : elsewhere);
                else
                        ini_mistake(ini, next_at, next->name,
                                    "%s is shorter than %s=%s%s; at least that, or lower %s too",
                                    shorter, key->name, longer, elsewhere, key->name);
        }
}

/* --- the file --- */

void ini_check_owner(Ini *ini, const char *what, const struct stat *st, uid_t owner)
{
        if (owner == INI_ANY_OWNER)
                return;
        if (st->st_uid != owner)
                ini_mistake(ini, 0, NULL, "%s belongs to uid %u; it must be uid %u's", what,
                            st->st_uid, owner);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                ini_mistake(ini, 0, NULL, "%s is writable by others (mode %04o); chmod go-w", what,
                            st->st_mode & 07777);
}

/* O_NONBLOCK: a FIFO in that place must not hold the daemon up; regular files do not mind. */
static int open_file(Ini *ini, int folder_fd, const char *name, uid_t owner, int *ret_fd)
{
        AUTO_CLOSE int fd = -1;
        struct stat st;

        fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                ini_mistake(ini, 0, NULL, "no regular file");
        else if (st.st_size > FILE_SIZE_MAX)
                ini_mistake(ini, 0, NULL, "larger than %d bytes", FILE_SIZE_MAX);
        ini_check_owner(ini, "the file", &st, owner);
        if (ini->n_mistakes > 0)
                return -EINVAL;
        *ret_fd = take_fd(&fd);
        return 0;
}

static int read_file(Ini *ini, int fd)
{
        uint8_t hash[HASH_LEN];
        ssize_t n;

        ini->text = malloc(FILE_SIZE_MAX + 1);
        if (!ini->text)
                return -ENOMEM;
        do {
                n = read(fd, ini->text + ini->size, FILE_SIZE_MAX - ini->size);
                if (n > 0)
                        ini->size += (size_t)n;
        } while (n > 0 || (n < 0 && errno == EINTR));
        if (n < 0)
                return -errno;
        digest_bytes(ini->text, ini->size, hash);
        digest_hex(hash, HASH_LEN, ini->digest);
        return 0;
}

static int parse(Ini *ini)
{
        int r = ini_parse_stream(read_line, ini, on_key, ini);

        if (r == -2)
                return -ENOMEM;
        if (r != 0 && ini->n_mistakes == 0)
                ini_mistake(ini, (unsigned)r, NULL, "neither [Section] nor Key=value");
        return ini->n_mistakes > 0 ? -EINVAL : 0;
}

static const char *say_error(int error)
{
        if (error == -ELOOP)
                return "a symbolic link; put the file itself here";
        if (error == -EACCES)
                return "no permission to read it; the daemon is user credd: chmod a+r";
        return strerror(-error);
}

int ini_load(Ini *ini, int folder_fd, const char *name, uid_t owner)
{
        AUTO_CLOSE int fd = -1;
        int r;

        assert(ini->n_keys <= INI_KEYS_MAX);
        r = open_file(ini, folder_fd, name, owner, &fd);
        if (r == -ENOENT && ini->n_mistakes == 0)
                return r;
        if (r == 0)
                r = read_file(ini, fd);
        if (r == 0)
                r = parse(ini);
        if (r < 0 && ini->n_mistakes == 0)
                ini_mistake(ini, 0, NULL, "%s", say_error(r));
        return r < 0 ? -EINVAL : 0;
}
