/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credd.conf: its keys, their bounds and their defaults.
 *
 * Invariant: either the whole file is right and the caller's Config changes, or it does not change
 * at all and every mistake found has been named. */
#include "credd/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"
#include "credd/values.h"

static void set_warn(Ini *ini, const IniKey *key, const char *value)
{
        Config *config = ini->target;

        value_warn(ini, key, value, config->warn_usec, &config->n_warn);
}

enum { DEFAULT_TTL, MAX_TTL, MAX_LIFETIME, N_ORDERED };

#define AT(member) offsetof(Config, member)

/* The first three stand in the order in which none may be longer than the next. */
static const IniKey keys[] = {
        [DEFAULT_TTL] = {"DefaultTTL", value_duration, AT(default_ttl_usec), USEC_PER_SEC,
                         VALUE_LONGEST},
        [MAX_TTL] = {"MaxTTL", value_duration, AT(max_ttl_usec), USEC_PER_SEC, VALUE_LONGEST},
        [MAX_LIFETIME] = {"MaxLifetime", value_duration, AT(max_lifetime_usec), USEC_PER_SEC,
                          VALUE_LONGEST},
        {"KillGrace", value_duration, AT(kill_grace_usec), 0, VALUE_MINUTE},
        {"VerifyTimeout", value_duration, AT(verify_timeout_usec), USEC_PER_SEC, 10 * VALUE_MINUTE},
        {"BindTimeout", value_duration, AT(bind_timeout_usec), USEC_PER_SEC, VALUE_HOUR},
        {"Warn", set_warn, AT(warn_usec), USEC_PER_SEC, VALUE_DAY},
        {"ReasonRequired", value_boolean, AT(reason_required), 0, 0},
        {"Auditors", value_principals, AT(auditors), 0, 0},
        {"BreakGlassWhenFrozen", value_boolean, AT(break_glass_when_frozen), 0, 0},
        {"RequestTimeout", value_duration, AT(request_timeout_usec), USEC_PER_SEC, 30 * VALUE_DAY},
        {"AuditRetention", value_duration, AT(audit_retention_usec), VALUE_DAY, VALUE_LONGEST},
};

void config_defaults(Config *ret_config)
{
        *ret_config = (Config){
                .default_ttl_usec = VALUE_HOUR,
                .max_ttl_usec = 12 * VALUE_HOUR,
                .max_lifetime_usec = 24 * VALUE_HOUR,
                .kill_grace_usec = 2 * USEC_PER_SEC,
                .verify_timeout_usec = 10 * USEC_PER_SEC,
                .bind_timeout_usec = 2 * VALUE_MINUTE,
                .warn_usec = {5 * VALUE_MINUTE, VALUE_MINUTE},
                .n_warn = 2,
                .reason_required = false,
                .break_glass_when_frozen = false,
                .request_timeout_usec = 24 * VALUE_HOUR,
                .audit_retention_usec = 400 * VALUE_DAY,
        };
}

void config_done(Config *config)
{
        principals_done(&config->auditors);
}

static int open_folder(Ini *ini, uid_t owner)
{
        const char *slash = strrchr(ini->path, '/');
        AUTO_FREE char *folder = NULL;
        AUTO_CLOSE int fd = -1;
        struct stat st;

        folder = slash ? strndup(ini->path, (size_t)(slash - ini->path) + 1) : strdup(".");
        if (!folder)
                return -ENOMEM;
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        ini_check_owner(ini, "the folder", &st, owner);
        return take_fd(&fd);
}

static int load(Ini *ini, uid_t owner)
{
        const char *slash = strrchr(ini->path, '/');
        AUTO_CLOSE int fd = open_folder(ini, owner);
        int r;

        if (fd < 0 && fd != -ENOENT)
                ini_mistake(ini, 0, NULL, "%s", strerror(-fd));
        r = fd < 0 ? fd : ini_load(ini, fd, slash ? slash + 1 : ini->path, owner);
        if (r == 0)
                ini_check_order(ini, N_ORDERED, "");
        if (ini->n_mistakes > 0)
                return -EINVAL;
        return r == -ENOENT ? 0 : r;
}

int config_load(const char *path, uid_t owner_uid, FILE *mistakes, Config *ret_config)
{
        CLEANUP(config_done) Config config;
        CLEANUP(ini_done)
        Ini ini = {
                .path = path,
                .section = "Credd",
                .keys = keys,
                .n_keys = ELEMENTSOF(keys),
                .target = &config,
                .mistakes = mistakes,
        };
        int r;

        config_defaults(&config);
        r = load(&ini, owner_uid);
        if (r < 0)
                return r;
        memcpy(config.digest, ini.digest, sizeof(config.digest));
        *ret_config = config;
        config.auditors = (Principals){0}; /* it has moved */
        return 0;
}
