/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One load of everything that is configured, and what is said of it. */
#include "credd/setup.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

static char *roles_folder(const char *path)
{
        const char *slash = strrchr(path, '/');
        int n = slash ? (int)(slash - path) + 1 : 0;
        char *folder;

        return asprintf(&folder, "%.*s" SETUP_FOLDER, n, path) < 0 ? NULL : folder;
}

int setup_load(const char *path, uid_t owner, FILE *mistakes, Setup *ret_setup)
{
        AUTO_FREE char *folder = roles_folder(path);
        CLEANUP(setup_done) Setup setup = {0};
        int r, s;

        if (!folder)
                return -ENOMEM;
        r = config_load(path, owner, mistakes, &setup.config);
        s = roles_load(folder, owner, r == 0 ? &setup.config : NULL, mistakes, &setup.roles);
        if (r < 0)
                return r;
        if (s < 0)
                setup.roles = calloc(1, sizeof(Roles));
        if (!setup.roles)
                return -ENOMEM;
        *ret_setup = setup;
        setup = (Setup){0}; /* it has moved */
        return s < 0 ? SETUP_WITHOUT_ROLES : 0;
}

static void cut_mistakes(char *text, size_t size)
{
        static const char more[] = "\nand more: credd --check";
        char *end;

        if (size > SETUP_MISTAKES_TEXT_MAX) {
                text[SETUP_MISTAKES_TEXT_MAX - sizeof(more)] = 0;
                end = strrchr(text, '\n');
                memcpy(end ? end : text, more, sizeof(more));
        } else if (size > 0 && text[size - 1] == '\n')
                text[size - 1] = 0;
}

int setup_load_text(const char *path, uid_t owner, char **ret_mistakes, Setup *ret_setup)
{
        AUTO_FREE char *text = NULL;
        size_t size = 0;
        FILE *out;
        int r;

        out = open_memstream(&text, &size);
        if (!out)
                return -ENOMEM;
        r = setup_load(path, owner, out, ret_setup);
        if (fclose(out) != 0 || !text) {
                if (r >= 0)
                        setup_done(ret_setup);
                return -ENOMEM;
        }
        cut_mistakes(text, size);
        *ret_mistakes = take_ptr(text);
        return r;
}

void setup_done(Setup *setup)
{
        config_done(&setup->config);
        setup->roles = roles_free(setup->roles);
}

/* --- what is said of it --- */

/* Without what a role does not say: null stands for that. */
static json_t *settings_in_short(const Role *role)
{
        json_t *settings = role_settings(role), *value;
        const char *name;
        void *next;

        json_object_foreach_safe(settings, next, name, value)
        {
                if (json_is_null(value) || json_is_false(value))
                        (void)json_object_del(settings, name);
        }
        return settings;
}

/* What is said in one event so far. */
typedef struct Saying {
        json_t *files, *roles;
        size_t n;         /* roles */
        size_t size, max; /* of both as text, more or less */
} Saying;

static void saying_done(Saying *saying)
{
        json_decref(saying->files);
        json_decref(saying->roles);
}

#define AROUND 8 /* quotes, colon, comma, braces */

/* 1: there is no room for it. */
static int say_role(Saying *saying, const Role *role)
{
        json_auto_t *settings = settings_in_short(role);
        AUTO_FREE char *file = NULL;
        size_t size;

        if (!settings || asprintf(&file, SETUP_FOLDER "/%s.conf", role->name) < 0)
                return -ENOMEM;
        size = json_dumpb(settings, NULL, 0, JSON_COMPACT) + strlen(role->name) + AROUND +
               strlen(file) + strlen(role->digest) + AROUND;
        if (saying->n > 0 && saying->size + size > saying->max)
                return 1;
        if (json_object_set_new(saying->files, file, json_string(role->digest)) < 0 ||
            json_object_set(saying->roles, role->name, settings) < 0)
                return -ENOMEM;
        saying->size += size;
        saying->n++;
        return 0;
}

static int write_texts(const Saying *saying, SetupTexts *ret_texts)
{
        CLEANUP(setup_texts_done) SetupTexts texts = {0};

        texts.files = json_dumps(saying->files, JSON_COMPACT);
        texts.roles = saying->size > saying->max && saying->n == 1
                              ? strdup("one role, too long for one entry: its digest tells it")
                              : json_dumps(saying->roles, JSON_COMPACT);
        if (!texts.files || !texts.roles)
                return -ENOMEM;
        *ret_texts = texts;
        texts = (SetupTexts){0}; /* it has moved */
        return 0;
}

int setup_texts(const Config *config, const Roles *roles, size_t max, size_t *at,
                SetupTexts *ret_texts)
{
        CLEANUP(saying_done)
        Saying saying = {.files = json_object(), .roles = json_object(), .max = max};
        int r = 0;

        if (!saying.files || !saying.roles)
                return -ENOMEM;
        if (*at == 0 && config->digest[0]) {
                if (json_object_set_new(saying.files, "credd.conf", json_string(config->digest)) <
                    0)
                        return -ENOMEM;
                saying.size = strlen("credd.conf") + strlen(config->digest) + AROUND;
        }
        while (r == 0 && *at + saying.n < roles->n)
                r = say_role(&saying, roles->roles[*at + saying.n]);
        if (r < 0)
                return r;
        r = write_texts(&saying, ret_texts);
        if (r == 0)
                *at += saying.n;
        return r;
}

void setup_texts_done(SetupTexts *texts)
{
        free(texts->files);
        free(texts->roles);
        *texts = (SetupTexts){0};
}
