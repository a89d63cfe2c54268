/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the text of PAM files to the lines of one stack. What libpam would not understand is kept, and
 * marked: it denies. */
#include "credctl/doctor-stack.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Deeper than any real nesting; libpam has a limit as well. */
#define DEPTH_MAX 16
#define WORDS_MAX 64

#define UNSET -6 /* no action */

static const char *const kinds[PAM_KIND_MAX] = {"auth", "account", "session"};

static const char *const codes[PAM_CODE_MAX] = {
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

static const struct {
        const char *word, *means;
} controls[] = {
        {"required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"},
        {"requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"},
        {"sufficient", "success=done new_authtok_reqd=done default=ignore"},
        {"optional", "success=ok new_authtok_reqd=ok default=ignore"},
};

const char *pam_kind_name(PamKind kind)
{
        return kinds[kind];
}

/* --- controls --- */

static int read_action(const char *word)
{
        static const char *const words[] = {"ignore", "ok", "done", "bad", "die", "reset"};
        char *end;
        long number;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(word, words[i]) == 0)
                        return -(int)i;
        number = strtol(word, &end, 10);
        return *end || number < 1 || number > 1000 ? UNSET : (int)number;
}

static bool set_action(PamLine *line, const char *name, int action)
{
        if (strcasecmp(name, "default") == 0) {
                for (size_t i = 0; i < PAM_CODE_MAX; i++)
                        if (line->actions[i] == UNSET)
                                line->actions[i] = action;
                return true;
        }
        for (size_t i = 0; i < PAM_CODE_MAX; i++)
                if (strcasecmp(name, codes[i]) == 0) {
                        line->actions[i] = action;
                        return true;
                }
        return false;
}

/* "a=b c=d"; false: not understood. What is not named is bad. */
static bool read_actions(PamLine *line, const char *text)
{
        char copy[1024], *rest = copy, *word;

        for (size_t i = 0; i < PAM_CODE_MAX; i++)
                line->actions[i] = UNSET;
        if (strlen(text) >= sizeof copy)
                return false;
        memcpy(copy, text, strlen(text) + 1);
        while ((word = strsep(&rest, " \t"))) {
                char *value = strchr(word, '=');
                int action;

                if (!*word)
                        continue;
                if (!value)
                        return false;
                *value++ = '\0';
                action = read_action(value);
                if (action == UNSET || !set_action(line, word, action))
                        return false;
        }
        return set_action(line, "default", PAM_ACTION_BAD);
}

static bool read_control(PamLine *line, const char *word)
{
        for (size_t i = 0; i < ELEMENTSOF(controls); i++)
                if (strcasecmp(word, controls[i].word) == 0)
                        return read_actions(line, controls[i].means);
        return false;
}

/* --- lines --- */

/* Cuts the next word off *text: up to a blank, or what stands in [ ]. NULL: no more. */
static char *next_word(char **text, bool *ret_bracketed)
{
        char *from = *text + strspn(*text, " \t"), *to = from, *end;

        if (!*from)
                return NULL;
        *ret_bracketed = *from == '[';
        if (!*ret_bracketed) {
                end = from + strcspn(from, " \t");
                *text = *end ? end + 1 : end;
                *end = '\0';
                return from;
        }
        for (end = from + 1; *end && *end != ']'; end++) {
                if (*end == '\\' && end[1] == ']')
                        end++;
                *to++ = *end;
        }
        *text = *end ? end + 1 : end;
        *to = '\0';
        return from;
}

static void line_done(PamLine *line)
{
        free(line->file);
        free(line->text);
        free(line->arguments);
}

void pam_stack_done(PamStack *stack)
{
        for (size_t i = 0; i < stack->n; i++)
                line_done(&stack->lines[i]);
        free(stack->lines);
        free(stack->missing);
        *stack = (PamStack){0};
}

typedef struct Reader {
        PamStack *stack;
        PamKind kind;
        PamLoad load;
        void *userdata;
        unsigned depth, level;
} Reader;

static PamLine *add_line(PamStack *stack)
{
        PamLine *lines = reallocarray(stack->lines, stack->n + 1, sizeof *lines);

        if (!lines)
                return NULL;
        stack->lines = lines;
        lines[stack->n] = (PamLine){0};
        return &lines[stack->n++];
}

static int read_arguments(PamLine *line, char *rest)
{
        bool bracketed;
        char *word;

        line->arguments = calloc(WORDS_MAX, sizeof *line->arguments);
        if (!line->arguments)
                return -ENOMEM;
        while (line->n_arguments < WORDS_MAX && (word = next_word(&rest, &bracketed)))
                line->arguments[line->n_arguments++] = word;
        return 0;
}

/* What stands behind the kind; text is taken over, control and rest lie in it. */
static int add_module(Reader *reader, const char *file, unsigned number, char *text,
                      const char *control, bool bracketed, char *rest)
{
        PamLine *line = add_line(reader->stack);
        bool ignored;

        if (!line) {
                free(text);
                return -ENOMEM;
        }
        line->text = text;
        line->number = number;
        line->level = reader->level;
        line->file = strdup(file);
        line->broken = !(bracketed ? read_actions(line, control) : read_control(line, control));
        line->module = next_word(&rest, &ignored);
        if (!line->module) {
                line->module = "";
                line->broken = true;
        }
        return line->file ? read_arguments(line, rest) : -ENOMEM;
}

static int add_substack(Reader *reader, const char *file, unsigned number)
{
        PamLine *line = add_line(reader->stack);

        if (!line)
                return -ENOMEM;
        *line = (PamLine){.file = strdup(file),
                          .number = number,
                          .level = reader->level,
                          .substack = true,
                          .module = ""};
        return line->file ? 0 : -ENOMEM;
}

static int read_file(Reader *reader, const char *name);

static int read_included(Reader *reader, const char *name, unsigned deeper)
{
        int r;

        if (reader->depth >= DEPTH_MAX)
                return -ELOOP;
        reader->depth++;
        reader->level += deeper;
        r = read_file(reader, name);
        reader->level -= deeper;
        reader->depth--;
        if (r != -ENOENT)
                return r;
        if (!reader->stack->missing)
                reader->stack->missing = strdup(name);
        return reader->stack->missing ? 0 : -ENOMEM;
}

/* One line, its continuations joined, without comment. */
static int read_line(Reader *reader, const char *file, unsigned number, const char *content)
{
        AUTO_FREE char *text = strdup(content);
        char *rest = text, *kind, *control, *name;
        bool bracketed, ignored;

        if (!text)
                return -ENOMEM;
        kind = next_word(&rest, &bracketed);
        if (!kind)
                return 0;
        if (strcasecmp(kind, "@include") == 0) {
                name = next_word(&rest, &ignored);
                return name ? read_included(reader, name, 0) : 0;
        }
        kind += *kind == '-';
        if (strcasecmp(kind, kinds[reader->kind]) != 0)
                return 0;
        control = next_word(&rest, &bracketed);
        if (!control)
                return 0;
        if (!bracketed && strcasecmp(control, "include") == 0) {
                name = next_word(&rest, &ignored);
                return name ? read_included(reader, name, 0) : 0;
        }
        if (!bracketed && strcasecmp(control, "substack") == 0) {
                int r = add_substack(reader, file, number);

                name = next_word(&rest, &ignored);
                return r == 0 && name ? read_included(reader, name, 1) : r;
        }
        return add_module(reader, file, number, take_ptr(text), control, bracketed, rest);
}

/* Joins what a backslash continues, in place; *ret_lines: how many lines that were. */
static char *next_line(char **text, unsigned *ret_lines)
{
        char *from = *text, *to = from, *in = from;

        *ret_lines = 1;
        if (!*from)
                return NULL;
        for (; *in && *in != '\n'; in++) {
                if (*in == '\\' && in[1] == '\n') {
                        *to++ = ' ';
                        in++;
                        (*ret_lines)++;
                } else {
                        *to++ = *in;
                }
        }
        *text = *in ? in + 1 : in;
        *to = '\0';
        from[strcspn(from, "#")] = '\0';
        return from;
}

static int read_file(Reader *reader, const char *name)
{
        AUTO_FREE char *text = reader->load(reader->userdata, name);
        char *rest = text, *line;
        unsigned number = 1, lines;
        int r = 0;

        if (!text)
                return -ENOENT;
        while (r == 0 && (line = next_line(&rest, &lines))) {
                r = read_line(reader, name, number, line);
                number += lines;
        }
        return r == -ENOENT ? 0 : r;
}

int pam_stack_read(const char *service, PamKind kind, PamLoad load, void *userdata,
                   PamStack *ret_stack)
{
        CLEANUP(pam_stack_done) PamStack stack = {0};
        Reader reader = {.stack = &stack, .kind = kind, .load = load, .userdata = userdata};
        int r = read_file(&reader, service);

        if (r == 0 && stack.n == 0 && !stack.missing) {
                r = read_file(&reader, "other");
                r = r == -ENOENT ? 0 : r;
        }
        if (r < 0)
                return r;
        *ret_stack = stack;
        stack = (PamStack){0};
        return 0;
}

bool pam_line_is(const PamLine *line, const char *name)
{
        const char *slash = strrchr(line->module, '/');
        const char *base = slash ? slash + 1 : line->module;
        size_t len = strlen(name);

        return strncmp(base, name, len) == 0 &&
               (base[len] == '\0' || strcmp(base + len, ".so") == 0);
}
