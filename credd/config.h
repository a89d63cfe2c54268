/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credd.conf: section [Credd], CamelCase keys as in systemd. A missing file means the defaults; a
 * mistake means no configuration at all, and is named by file, line and key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "credd/ini.h"
#include "credd/principals.h"

#define CONFIG_WARN_MAX 4

typedef struct Config {
        uint64_t default_ttl_usec;    /* DefaultTTL=1h */
        uint64_t max_ttl_usec;        /* MaxTTL=12h */
        uint64_t max_lifetime_usec;   /* MaxLifetime=24h */
        uint64_t kill_grace_usec;     /* KillGrace=2s, 0 to 1min */
        uint64_t verify_timeout_usec; /* VerifyTimeout=10s, 1s to 10min */
        uint64_t bind_timeout_usec;   /* BindTimeout=2min, 1s to 1h */
        /* So long before the end the terminals are told; the longest first. */
        uint64_t warn_usec[CONFIG_WARN_MAX]; /* Warn=5min 1min */
        size_t n_warn;
        bool reason_required; /* ReasonRequired=no */
        /* Who may see everything besides the admins. */
        Principals auditors;           /* Auditors= */
        bool break_glass_when_frozen;  /* BreakGlassWhenFrozen=no */
        uint64_t request_timeout_usec; /* RequestTimeout=24h, 1s to 30d */
        uint64_t audit_retention_usec; /* AuditRetention=400d, 1d to 100 years */
        char digest[INI_DIGEST];       /* of the file; "": there is none */
} Config;

/* A Config owns its auditors: it moves by assignment, and one owner calls config_done(). */
void config_defaults(Config *ret_config);
void config_done(Config *config);

/* Reads path into *ret_config; 0 also, with the defaults, if there is no such file. Each mistake is
 * one line "FILE:LINE: KEY: what is wrong; what would be right" to mistakes (without LINE and KEY
 * where the whole file is meant). -EINVAL: at least one mistake, a file that cannot be read among
 * them; *ret_config is untouched. The file must be a regular one, no symbolic link; it and its
 * folder must be owned by root (or by owner_uid, for tests) and writable by it alone. DefaultTTL <=
 * MaxTTL <= MaxLifetime. Asks NSS for the auditors. */
int config_load(const char *path, uid_t owner_uid, FILE *mistakes, Config *ret_config);
