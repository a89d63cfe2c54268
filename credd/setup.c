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

char *setup_files_text(const Config *config, const Roles *roles)
{
        json_auto_t *files = json_object();

        if (config->digest[0] &&
            json_object_set_new(files, "credd.conf", json_string(config->digest)) < 0)
                return NULL;
        for (size_t i = 0; i < roles->n; i++) {
                AUTO_FREE char *name = NULL;

                if (asprintf(&name, SETUP_FOLDER "/%s.conf", roles->roles[i]->name) < 0 ||
                    json_object_set_new(files, name, json_string(roles->roles[i]->digest)) < 0)
                        return NULL;
        }
        return json_dumps(files, JSON_COMPACT);
}

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

char *setup_roles_text(const Roles *roles, size_t max)
{
        json_auto_t *all = json_object();
        AUTO_FREE char *text = NULL;
        char *sentence;

        for (size_t i = 0; i < roles->n; i++)
                if (json_object_set_new(all, roles->roles[i]->name,
                                        settings_in_short(roles->roles[i])) < 0)
                        return NULL;
        text = json_dumps(all, JSON_COMPACT);
        if (!text || strlen(text) <= max)
                return take_ptr(text);
        if (asprintf(&sentence, "%zu roles, too long for one entry: the digests tell them",
                     roles->n) < 0)
                return NULL;
        return sentence;
}
