/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PAM stacks as libpam reads them (pam.conf(5)), and what comes of them if each module answers
 * so-and-so. Pure: the files come from a function. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

/* By libpam's numbers, which the words of a [control] stand for in this order. */
typedef enum PamCode {
        PAM_CODE_SUCCESS = 0,
        PAM_CODE_SYSTEM_ERR = 4,
        PAM_CODE_PERM_DENIED = 6,
        PAM_CODE_AUTH_ERR = 7,
        PAM_CODE_CRED_INSUFFICIENT = 8,
        PAM_CODE_AUTHINFO_UNAVAIL = 9,
        PAM_CODE_NEW_AUTHTOK_REQD = 12,
        PAM_CODE_ACCT_EXPIRED = 13,
        PAM_CODE_SESSION_ERR = 14,
        PAM_CODE_IGNORE = 25,
        PAM_CODE_MODULE_UNKNOWN = 28,
        PAM_CODE_MAX = 32,
} PamCode;

/* In the order of the words "ignore", "ok", ..., downwards; above 0 are jumps. */
typedef enum PamAction {
        PAM_ACTION_IGNORE = 0,
        PAM_ACTION_OK = -1,
        PAM_ACTION_DONE = -2,
        PAM_ACTION_BAD = -3,
        PAM_ACTION_DIE = -4,
        PAM_ACTION_RESET = -5,
} PamAction;

typedef enum PamKind {
        PAM_KIND_AUTH,
        PAM_KIND_ACCOUNT,
        PAM_KIND_SESSION,
        PAM_KIND_MAX,
} PamKind;

const char *pam_kind_name(PamKind kind);

typedef struct PamLine {
        char *file; /* the name of the file that it stands in */
        unsigned number;
        unsigned level;            /* of substacks around it */
        bool substack;             /* begins one; is no module */
        bool broken;               /* not understood: libpam answers for it, with a denial */
        int actions[PAM_CODE_MAX]; /* PamAction, or how many lines are jumped over */
        char *text;                /* owns what follows */
        const char *module;
        char **arguments;
        size_t n_arguments;
} PamLine;

typedef struct PamStack {
        PamLine *lines;
        size_t n;
        char *missing; /* a file that one includes and that is not there; NULL: none */
} PamStack;

/* The text of a file of /etc/pam.d, or of another place if it begins with "/", to be freed by the
 * reader; NULL: there is none. */
typedef char *(*PamLoad)(void *userdata, const char *name);

/* The lines of one kind, in order, with all that they include; those of "other" if the service has
 * none. -ENOENT: no such service; -ELOOP: too many includes. *ret_stack is filled on success only.
 */
int pam_stack_read(const char *service, PamKind kind, PamLoad load, void *userdata,
                   PamStack *ret_stack);
void pam_stack_done(PamStack *stack);

/* "pam_unix.so" and "/lib/security/pam_unix.so" are "pam_unix". */
bool pam_line_is(const PamLine *line, const char *name);

typedef PamCode (*PamAnswer)(void *userdata, const PamLine *line);
/* Whether the service is told success if the modules that are asked answer like that. */
bool pam_stack_lets_in(const PamStack *stack, PamAnswer answer, void *userdata);
