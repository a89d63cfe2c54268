/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a role's file may say: keys, bounds, defaults, and what one key demands of another. No role is for
 * root, whatever its patterns say. */
#include "credd/role-keys.h"

#include <errno.h>
#include <string.h>

#include "credd/credential.h"
#include "credd/source.h"
#include "credd/values.h"

#define APPROVALS_MAX   10
#define DESCRIPTION_MAX 150
#define PATTERN_MAX     64

/* --- lists --- */

static int append_text(char ***texts, const char *text)
{
        size_t n = 0;
        char **longer;

        while (*texts && (*texts)[n])
                n++;
        longer = reallocarray(*texts, n + 2, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        *texts = longer;
        longer[n] = strdup(text);
        longer[n + 1] = NULL;
        return longer[n] ? 0 : -ENOMEM;
}

/* Calls take with each word; names it as a mistake if it returns what would be right. */
static void each_word(Ini *ini, const IniKey *key, const char *value,
                      const char *(*take)(Role *role, const char *word))
{
        AUTO_FREE char *copy = strdup(value);
        char *word, *rest = copy;
        unsigned n = 0;

        for (; copy && (word = strtok_r(rest, " ", &rest)); n++) {
                const char *right = take(ini->target, word);

                if (right)
                        ini_mistake(ini, ini->line, key->name, "\"%s\" does not go here; %s", word,
                                    right);
        }
        if (n == 0)
                ini_mistake(ini, ini->line, key->name, "empty; name something%s",
                            key->min > 0 ? ", or leave the key out" : "");
        if (key->max > 0 && n > key->max)
                ini_mistake(ini, ini->line, key->name, "%u of them; at most %u", n,
                            (unsigned)key->max);
}

/* Each bracket closes, and there is nothing in it but what may be in a name. */
static bool is_pattern(const char *word)
{
        bool inside = false;

        for (const char *c = word; *c; c++) {
                if (*c == '[' || *c == ']') {
                        if (inside != (*c == ']'))
                                return false;
                        inside = !inside;
                } else if (inside && (*c == '*' || *c == '?'))
                        return false;
        }
        return !inside;
}

static const char *take_user(Role *role, const char *word)
{
        static const char right[] =
                "users are names, or shell patterns of letters, digits, . _ - and * ? [ ], as in "
                "deploy app-*";

        if (strcmp(word, "root") == 0)
                return "no role is for root: name a person, who may use sudo";
        if (word[strcspn(word, "*?[]")] == 0 && !name_valid(word))
                return right;
        if (strlen(word) > PATTERN_MAX || !is_pattern(word) ||
            word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "._-$*?[]")])
                return right;
        return append_text(&role->users, word) < 0 ? strerror(ENOMEM) : NULL;
}

static const char *append_once(json_t **list, const char *text)
{
        const json_t *item;
        size_t i;

        if (!*list)
                *list = json_array();
        json_array_foreach (*list, i, item)
                if (strcmp(json_string_value(item), text) == 0)
                        return "it stands there already; name it once";
        return json_array_append_new(*list, json_string(text)) < 0 ? strerror(ENOMEM) : NULL;
}

static const char *take_service(Role *role, const char *word)
{
        if (strcmp(word, "sshd") != 0 && strcmp(word, "login") != 0)
                return "a service is one of sshd and login";
        return append_once(&role->services, word);
}

static const char *take_source(Role *role, const char *word)
{
        char text[SOURCE_TEXT_MAX];
        Source source;

        if (source_parse(word, &source) < 0)
                return "a source is a network such as 10.0.0.0/24 or 2001:db8::/32, an address, or "
                       "local";
        return append_once(&role->sources, source_format(&source, text));
}

static void set_users(Ini *ini, const IniKey *key, const char *value)
{
        each_word(ini, key, value, take_user);
}

static void set_services(Ini *ini, const IniKey *key, const char *value)
{
        each_word(ini, key, value, take_service);
}

static void set_sources(Ini *ini, const IniKey *key, const char *value)
{
        each_word(ini, key, value, take_source);
}

static void set_warn(Ini *ini, const IniKey *key, const char *value)
{
        Role *role = ini->target;

        value_warn(ini, key, value, role->warn_usec, &role->n_warn);
}

static void set_end_scope(Ini *ini, const IniKey *key, const char *value)
{
        Role *role = ini->target;

        role->end_scope_user = strcmp(value, "user") == 0;
        if (!role->end_scope_user && strcmp(value, "session") != 0)
                ini_mistake(ini, ini->line, key->name, "\"%s\" is neither session nor user", value);
}

/* --- keys --- */

/* The first three stand in the order in which none may be longer than the next. */
enum {
        DEFAULT_TTL,
        MAX_TTL,
        MAX_LIFETIME,
        N_ORDERED,
        REQUESTERS = N_ORDERED,
        APPROVERS,
        APPROVALS,
        USERS,
        MAX_SESSIONS,
        REASON_REQUIRED,
};

#define AT(member) offsetof(Role, member)

static const IniKey keys[] = {
        [DEFAULT_TTL] = {"DefaultTTL", value_duration, AT(default_ttl_usec), USEC_PER_SEC,
                         VALUE_LONGEST},
        [MAX_TTL] = {"MaxTTL", value_duration, AT(max_ttl_usec), USEC_PER_SEC, VALUE_LONGEST},
        [MAX_LIFETIME] = {"MaxLifetime", value_duration, AT(max_lifetime_usec), USEC_PER_SEC,
                          VALUE_LONGEST},
        [REQUESTERS] = {"Requesters", value_principals, AT(requesters), 0, 0},
        [APPROVERS] = {"Approvers", value_principals, AT(approvers), 0, 0},
        [APPROVALS] = {"Approvals", value_number, AT(approvals), 0, APPROVALS_MAX},
        [USERS] = {"Users", set_users, 0, 0, 0},
        [MAX_SESSIONS] = {"MaxSessions", value_number, AT(max_sessions), 1, USES_MAX},
        [REASON_REQUIRED] = {"ReasonRequired", value_boolean, AT(reason_required), 0, 0},
        {"Description", value_text, AT(description), 0, DESCRIPTION_MAX},
        {"Issuers", value_principals, AT(issuers), 0, 0},
        {"Revokers", value_principals, AT(revokers), 0, 0},
        {"Services", set_services, 0, 1, LIST_MAX},
        {"From", set_sources, 0, 1, LIST_MAX},
        {"MaxUses", value_number, AT(max_uses), 1, USES_MAX},
        {"EndScope", set_end_scope, 0, 0, 0},
        {"Warn", set_warn, 0, USEC_PER_SEC, VALUE_DAY},
        {"HolderRequired", value_boolean, AT(holder_required), 0, 0},
        {"BreakGlass", value_boolean, AT(break_glass), 0, 0},
};

/* --- one role --- */

static size_t people(const Principals *principals)
{
        return principals->n_uids + principals->n_gids;
}

/* What a request needs must be possible. A group may have any number of members. */
static void check_approvers(Ini *ini, const Role *role)
{
        unsigned line = ini->given[APPROVALS] > 0 ? ini->given[APPROVALS] : ini->given[REQUESTERS];

        if (people(&role->requesters) == 0 || role->approvals == 0)
                return;
        if (people(&role->approvers) == 0)
                ini_mistake(ini, ini->given[REQUESTERS], "Requesters",
                            "nobody could say yes to them; name Approvers, or set Approvals=0");
        else if (role->approvers.n_gids == 0 && (int64_t)role->approvers.n_uids < role->approvals)
                ini_mistake(ini, line, "Approvals",
                            "%d wanted, and there are %zu Approvers; name more",
                            (int)role->approvals, role->approvers.n_uids);
}

static void check_role(Ini *ini, const Role *role, bool host_known)
{
        ini_check_order(ini, N_ORDERED, host_known ? " of credd.conf" : NULL);
        if (ini->given[USERS] == 0)
                ini_mistake(ini, 0, "Users",
                            "missing; say for whom the role is, as in "
                            "Users=deploy app-*");
        check_approvers(ini, role);
        if (role->break_glass && ini->given[REASON_REQUIRED] > 0 && !role->reason_required)
                ini_mistake(ini, ini->given[REASON_REQUIRED], "ReasonRequired",
                            "with BreakGlass=yes a reason is always required; leave the key out");
}

static int fill_in(const Ini *ini, Role *role)
{
        if (ini->given[MAX_SESSIONS] == 0)
                role->max_sessions = role->max_uses;
        /* Checked against the host's before; a credential that names none cannot be extended then. */
        if (ini->given[MAX_LIFETIME] == 0)
                role->max_lifetime_usec = 0;
        if (role->break_glass)
                role->reason_required = true;
        if (!role->services)
                role->services = json_pack("[ss]", "sshd", "login");
        if (!role->sources)
                role->sources = json_array();
        memcpy(role->digest, ini->digest, sizeof(role->digest));
        return role->services && role->sources ? 0 : -ENOMEM;
}

static void begin(Role *role, const Config *host)
{
        role->default_ttl_usec = host->default_ttl_usec;
        role->max_ttl_usec = host->max_ttl_usec;
        role->max_lifetime_usec = host->max_lifetime_usec;
        memcpy(role->warn_usec, host->warn_usec, sizeof(role->warn_usec));
        role->n_warn = host->n_warn;
        role->approvals = role->max_uses = 1;
}

int role_keys_load(Ini *ini, int folder_fd, const char *file, uid_t owner, const Config *host,
                   Role *role)
{
        Config defaults;
        int r;

        config_defaults(&defaults);
        begin(role, host ?: &defaults);
        ini->section = "Role";
        ini->keys = keys;
        ini->n_keys = ELEMENTSOF(keys);
        ini->target = role;
        r = ini_load(ini, folder_fd, file, owner);
        if (r == -ENOENT)
                ini_mistake(ini, 0, NULL, "%s", strerror(ENOENT));
        if (r == 0)
                check_role(ini, role, host != NULL);
        return ini->n_mistakes > 0 ? -EINVAL : fill_in(ini, role);
}
