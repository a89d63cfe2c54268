/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credd.conf, read strictly: what nobody would have meant is a mistake, not a default.
 *
 * Invariants: either the whole file is right and the caller's Config changes, or it does not change
 * at all and every mistake found has been named; nothing is read from a file that another than its
 * owner could have written.
 *
 * inih takes lines apart, but is lenient, and Debian's does not tell line numbers. So each line
 * passes read_line() first, which counts it and blanks what inih would bend into something:
 * over-long lines (it cuts them), indented ones (it continues the last value), "key: value", broken
 * section headers.
 *
 * Left out: roles, and keys of later versions, which are unknown here and therefore mistakes. */
#include "credd/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/duration.h"

#define FILE_SIZE_MAX (64 * 1024)
#define SECTION       "Credd"
#define OTHER_SECTION "[?]\n"

#define MINUTE  (60 * USEC_PER_SEC)
#define HOUR    (60 * MINUTE)
#define DAY     (24 * HOUR)
#define LONGEST (36500 * DAY)

typedef enum KeyKind { KEY_DURATION, KEY_BOOLEAN, KEY_WARN } KeyKind;

typedef struct Key {
        const char *name;
        KeyKind kind;
        size_t offset; /* of a uint64_t or a bool in Config */
        uint64_t min, max;
} Key;

enum { DEFAULT_TTL, MAX_TTL, MAX_LIFETIME, N_ORDERED };

/* The first three stand in the order in which none may be longer than the next. */
static const Key keys[] = {
        [DEFAULT_TTL] = {"DefaultTTL", KEY_DURATION, offsetof(Config, default_ttl_usec),
                         USEC_PER_SEC, LONGEST},
        [MAX_TTL] = {"MaxTTL", KEY_DURATION, offsetof(Config, max_ttl_usec), USEC_PER_SEC, LONGEST},
        [MAX_LIFETIME] = {"MaxLifetime", KEY_DURATION, offsetof(Config, max_lifetime_usec),
                          USEC_PER_SEC, LONGEST},
        {"KillGrace", KEY_DURATION, offsetof(Config, kill_grace_usec), 0, MINUTE},
        {"VerifyTimeout", KEY_DURATION, offsetof(Config, verify_timeout_usec), USEC_PER_SEC,
         10 * MINUTE},
        {"BindTimeout", KEY_DURATION, offsetof(Config, bind_timeout_usec), USEC_PER_SEC, HOUR},
        {"Warn", KEY_WARN, 0, USEC_PER_SEC, DAY},
        {"ReasonRequired", KEY_BOOLEAN, offsetof(Config, reason_required), 0, 0},
};

typedef struct Loader {
        const char *path;
        FILE *file, *mistakes;
        char *text; /* the line being read */
        size_t text_size;
        unsigned line, n_mistakes;
        unsigned given[ELEMENTSOF(keys)]; /* the line where a key stands, 0: nowhere */
        Config config;
} Loader;

static void loader_done(Loader *loader)
{
        if (loader->file)
                (void)fclose(loader->file);
        free(loader->text);
}

void config_defaults(Config *ret_config)
{
        *ret_config = (Config){
                .default_ttl_usec = HOUR,
                .max_ttl_usec = 12 * HOUR,
                .max_lifetime_usec = 24 * HOUR,
                .kill_grace_usec = 2 * USEC_PER_SEC,
                .verify_timeout_usec = 10 * USEC_PER_SEC,
                .bind_timeout_usec = 2 * MINUTE,
                .warn_usec = {5 * MINUTE, MINUTE},
                .n_warn = 2,
                .reason_required = false,
        };
}

/* line 0: the file as a whole. */
__attribute__((format(printf, 4, 5))) static void mistake(Loader *loader, unsigned line,
                                                          const char *key, const char *format, ...)
{
        va_list ap;

        loader->n_mistakes++;
        (void)fputs(loader->path, loader->mistakes);
        if (line > 0)
                (void)fprintf(loader->mistakes, ":%u", line);
        if (key)
                (void)fprintf(loader->mistakes, ": %s", key);
        (void)fputs(": ", loader->mistakes);
        va_start(ap, format);
        (void)vfprintf(loader->mistakes, format, ap);
        va_end(ap);
        (void)fputc('\n', loader->mistakes);
}

/* --- lines --- */

static bool section_is_known(Loader *loader)
{
        char *text = loader->text;

        for (size_t n = strlen(text); n > 0 && strchr(" \t\r\n", text[n - 1]); n--)
                text[n - 1] = 0;
        if (strcmp(text, "[" SECTION "]") == 0)
                return true;
        mistake(loader, loader->line, text, "unknown section; the only one is [" SECTION "]");
        return false;
}

/* What inih shall see of the line that is in loader->text. */
static const char *checked_line(Loader *loader, size_t n, size_t size)
{
        const char *text = loader->text, *mark;

        if (strlen(text) != n) {
                mistake(loader, loader->line, NULL, "a NUL byte; write plain text");
                return "\n";
        }
        if (n >= size) {
                mistake(loader, loader->line, NULL, "longer than %zu characters; shorten it",
                        size - 2);
                return "\n";
        }
        if (text[strspn(text, " \t\r\n")] == 0 || *text == '#' || *text == ';')
                return "\n";
        if (*text == ' ' || *text == '\t') {
                mistake(loader, loader->line, NULL,
                        "begins with white space; a key begins its line");
                return "\n";
        }
        if (*text == '[')
                return section_is_known(loader) ? text : OTHER_SECTION;
        mark = strpbrk(text, "=:;");
        if (!mark || *mark != '=') {
                mistake(loader, loader->line, NULL, "neither [Section] nor Key=value");
                return "\n";
        }
        return text;
}

static char *read_line(char *buffer, int size, void *stream)
{
        Loader *loader = stream;
        ssize_t n = getline(&loader->text, &loader->text_size, loader->file);

        assert(size > 2);
        if (n < 0)
                return NULL;
        loader->line++;
        (void)snprintf(buffer, (size_t)size, "%s", checked_line(loader, (size_t)n, (size_t)size));
        return buffer;
}

/* --- keys --- */

static void set_duration(Loader *loader, const Key *key, const char *value)
{
        char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];
        uint64_t usec;
        int r = duration_parse(value, &usec);

        if (r < 0 && r != -ERANGE)
                mistake(loader, loader->line, key->name,
                        "\"%s\" is no duration; write it like 90s, 15min or 1h 30min", value);
        else if (r < 0 || usec < key->min || usec > key->max)
                mistake(loader, loader->line, key->name, "%s is out of range; from %s to %s", value,
                        duration_format(key->min, min), duration_format(key->max, max));
        else
                memcpy((char *)&loader->config + key->offset, &usec, sizeof(usec));
}

static void set_boolean(Loader *loader, const Key *key, const char *value)
{
        static const char *const words[][2] = {
                {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (size_t j = 0; j < 2; j++)
                        if (strcasecmp(value, words[i][j]) == 0) {
                                bool yes = j == 1;

                                memcpy((char *)&loader->config + key->offset, &yes, sizeof(yes));
                                return;
                        }
        mistake(loader, loader->line, key->name, "\"%s\" is neither yes nor no", value);
}

/* Each a duration without a space in it; none at all: nobody is warned. */
static void set_warn(Loader *loader, const Key *key, const char *value)
{
        AUTO_FREE char *copy = strdup(value);
        uint64_t last = USEC_INFINITY, usec;
        char *word, *rest = copy;
        size_t n = 0;

        while ((word = strtok_r(rest, " \t", &rest))) {
                if (n == CONFIG_WARN_MAX || duration_parse(word, &usec) < 0 || usec < key->min ||
                    usec > key->max || usec >= last) {
                        mistake(loader, loader->line, key->name,
                                "\"%s\" is not at most %d lengths of 1s to 1d, the longest first; "
                                "for "
                                "example 5min 1min",
                                value, CONFIG_WARN_MAX);
                        return;
                }
                loader->config.warn_usec[n++] = last = usec;
        }
        loader->config.n_warn = n;
}

static void unknown_key(Loader *loader, const char *name)
{
        char known[256] = "";
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(keys) && n < sizeof(known); i++)
                n += (size_t)snprintf(known + n, sizeof(known) - n, " %s", keys[i].name);
        mistake(loader, loader->line, *name ? name : "=", "unknown key; known are%s", known);
}

static size_t find_key(const char *name)
{
        size_t i = 0;

        while (i < ELEMENTSOF(keys) && strcmp(keys[i].name, name) != 0)
                i++;
        return i;
}

/* inih's handler: 1 goes on. Mistakes are counted here, not there. */
static int on_key(void *userdata, const char *section, const char *name, const char *value)
{
        Loader *loader = userdata;
        size_t i = find_key(name);

        if (!*section)
                mistake(loader, loader->line, name,
                        "stands in no section; put [" SECTION "] above");
        if (strcmp(section, SECTION) != 0)
                return 1; /* the section has been named as a mistake */
        if (i == ELEMENTSOF(keys)) {
                unknown_key(loader, name);
                return 1;
        }
        if (loader->given[i] > 0) {
                mistake(loader, loader->line, name, "given before in line %u; give it once",
                        loader->given[i]);
                return 1;
        }
        loader->given[i] = loader->line;
        switch (keys[i].kind) {
        case KEY_DURATION:
                set_duration(loader, &keys[i], value);
                break;
        case KEY_BOOLEAN:
                set_boolean(loader, &keys[i], value);
                break;
        case KEY_WARN:
                set_warn(loader, &keys[i], value);
                break;
        }
        return 1;
}

/* Names the one of the two keys that the file gives; a default cannot be wrong by itself. */
static void check_order(Loader *loader)
{
        for (size_t i = 0; i + 1 < N_ORDERED; i++) {
                char shorter[DURATION_TEXT_MAX], longer[DURATION_TEXT_MAX];
                uint64_t a, b;

                memcpy(&a, (const char *)&loader->config + keys[i].offset, sizeof(a));
                memcpy(&b, (const char *)&loader->config + keys[i + 1].offset, sizeof(b));
                if (a <= b)
                        continue;
                duration_format(a, longer);
                duration_format(b, shorter);
                if (loader->given[i] > 0)
                        mistake(loader, loader->given[i], keys[i].name,
                                "%s is longer than %s=%s; at most that", longer, keys[i + 1].name,
                                shorter);
                else
                        mistake(loader, loader->given[i + 1], keys[i + 1].name,
                                "%s is shorter than %s=%s; at least that, or lower %s too", shorter,
                                keys[i].name, longer, keys[i].name);
        }
}

/* --- the file --- */

/* Who can write here decides who may log in. */
static void check_owner(Loader *loader, const char *what, const struct stat *st, uid_t owner)
{
        if (st->st_uid != owner)
                mistake(loader, 0, NULL, "%s belongs to uid %u; it must be uid %u's", what,
                        st->st_uid, owner);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                mistake(loader, 0, NULL, "%s is writable by others (mode %04o); chmod go-w", what,
                        st->st_mode & 07777);
}

static int open_folder(Loader *loader, uid_t owner)
{
        const char *slash = strrchr(loader->path, '/');
        AUTO_FREE char *folder = NULL;
        AUTO_CLOSE int fd = -1;
        struct stat st;

        folder = slash ? strndup(loader->path, (size_t)(slash - loader->path) + 1) : strdup(".");
        if (!folder)
                return -ENOMEM;
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        check_owner(loader, "the folder", &st, owner);
        return take_fd(&fd);
}

/* O_NONBLOCK: a FIFO in that place must not hold the daemon up; regular files do not mind. */
static int open_file(Loader *loader, uid_t owner)
{
        AUTO_CLOSE int folder_fd = open_folder(loader, owner);
        const char *slash = strrchr(loader->path, '/');
        AUTO_CLOSE int fd = -1;
        struct stat st;

        if (folder_fd < 0)
                return folder_fd;
        fd = openat(folder_fd, slash ? slash + 1 : loader->path,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                mistake(loader, 0, NULL, "no regular file");
        else if (st.st_size > FILE_SIZE_MAX)
                mistake(loader, 0, NULL, "larger than %d bytes", FILE_SIZE_MAX);
        check_owner(loader, "the file", &st, owner);
        if (loader->n_mistakes > 0)
                return -EINVAL;
        loader->file = fdopen(fd, "r");
        if (!loader->file)
                return -errno;
        (void)take_fd(&fd);
        return 0;
}

static int parse(Loader *loader)
{
        int r = ini_parse_stream(read_line, loader, on_key, loader);

        if (r == -2)
                return -ENOMEM;
        if (ferror(loader->file))
                return -EIO;
        if (r != 0 && loader->n_mistakes == 0)
                mistake(loader, (unsigned)r, NULL, "neither [Section] nor Key=value");
        if (loader->n_mistakes == 0)
                check_order(loader);
        return loader->n_mistakes > 0 ? -EINVAL : 0;
}

int config_load(const char *path, unsigned owner_uid, FILE *mistakes, Config *ret_config)
{
        CLEANUP(loader_done) Loader loader = {.path = path, .mistakes = mistakes};
        int r;

        config_defaults(&loader.config);
        r = open_file(&loader, owner_uid);
        if (r == -ENOENT && loader.n_mistakes == 0) {
                *ret_config = loader.config;
                return 0;
        }
        if (r == 0)
                r = parse(&loader);
        if (r < 0) {
                if (loader.n_mistakes == 0)
                        mistake(&loader, 0, NULL, "%s",
                                r == -ELOOP ? "a symbolic link; put the file itself here"
                                            : strerror(-r));
                return -EINVAL;
        }
        *ret_config = loader.config;
        return 0;
}
