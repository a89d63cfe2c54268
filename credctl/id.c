/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completing a prefix is for people at a terminal, who see what was chosen. A script that sends a
 * prefix would one day hit another credential than the one it means. */
#include "credctl/id.h"

#include <ctype.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/record.h"
#include "credctl/user.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define TOKEN_BEGIN "eph_"

size_t id_read(const char *typed, char ret_id[static TOKEN_ID_LEN + 1])
{
        char id[TOKEN_ID_LEN + 1];
        size_t len = strlen(typed);

        if (len == 0 || len > TOKEN_ID_LEN)
                return 0;
        memset(id, '0', TOKEN_ID_LEN);
        id[TOKEN_ID_LEN] = '\0';
        for (size_t i = 0; i < len; i++) {
                char c = (char)tolower((unsigned char)typed[i]);

                id[i] = c == 'i' || c == 'l' ? '1' : c == 'o' ? '0' : c;
        }
        if (!token_id_valid(id))
                return 0;
        id[len] = '\0';
        memcpy(ret_id, id, sizeof id);
        return len;
}

static int say_ambiguous(const char *prefix, const json_t *matches)
{
        char ids[RECORD_TEXT_MAX];

        return words_fail(OUTCOME_FAILED, "%s is the beginning of several: %s", prefix,
                          record_join(matches, ids));
}

/* *ret_id stays as it is if there is none. */
static int complete(const Context *context, const char *prefix, char **ret_id)
{
        json_auto_t *parameters = json_pack("{s:b}", "all", 1);
        json_auto_t *credentials = NULL, *matches = json_array();
        json_t *credential;
        size_t i;
        int r;

        if (!parameters || !matches)
                return -ENOMEM;
        r = connection_read_pages(context, "List", "credentials", parameters, &credentials);
        if (r != 0)
                return r;
        json_array_foreach (credentials, i, credential) {
                const char *id = record_text_or(credential, "id", "");

                if (strncmp(id, prefix, strlen(prefix)) == 0 &&
                    json_array_append(matches, json_object_get(credential, "id")) < 0)
                        return -ENOMEM;
        }
        if (json_array_size(matches) > 1)
                return say_ambiguous(prefix, matches);
        if (json_array_size(matches) == 0)
                return 0;
        *ret_id = strdup(json_string_value(json_array_get(matches, 0)));
        return *ret_id ? 0 : -ENOMEM;
}

/* It is in the history of a shell now, and goes no further. */
static int say_token(void)
{
        return words_fail(OUTCOME_USAGE,
                          "that is a token, which is to be typed at a login alone; its id is the "
                          "%d characters behind " TOKEN_BEGIN,
                          TOKEN_ID_LEN);
}

static int say_user(const Verb *verb, const char *user)
{
        for (const Option *option = verb->options; option && option->name; option++)
                if (strcmp(option->name, "user") == 0)
                        return words_fail(OUTCOME_FAILED,
                                          "%s is a user of this host and no id; did you mean "
                                          "--user %s?",
                                          user, user);
        return words_fail(OUTCOME_FAILED,
                          "%s is a user of this host and no id; see credctl list --user %s", user,
                          user);
}

int id_resolve(const Context *context, const char *typed, char **ret_id)
{
        AUTO_FREE char *found = NULL;
        char id[TOKEN_ID_LEN + 1];
        size_t len = id_read(typed, id);

        if (len >= ID_PREFIX_MIN && len < TOKEN_ID_LEN && context->stdin_terminal) {
                int r = complete(context, id, &found);

                if (r != 0)
                        return r;
        }
        if (len == 0 && strncasecmp(typed, TOKEN_BEGIN, strlen(TOKEN_BEGIN)) == 0)
                return say_token();
        if (!found && len < TOKEN_ID_LEN && user_is_known(typed))
                return say_user(context->verb, typed);
        if (!found)
                found = strdup(len == TOKEN_ID_LEN ? id : typed);
        if (!found)
                return -ENOMEM;
        *ret_id = take_ptr(found);
        return 0;
}
