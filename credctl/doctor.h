/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An examination of this host: what the checks share, and how they say what they found. A check
 * that cannot look says that it could not; it never takes that for health. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "credctl/context.h"
#include "credctl/doctor-bus.h"
#include "credctl/doctor-judge.h"

#define DOCTOR_CREDD "credd" /* the user, the unit, and the folder of its state */

typedef struct Doctor {
        const Context *context;
        const char *check; /* the one that runs */
        json_t *findings;  /* in order: {check, level, finding, mend} */
        size_t n_before;   /* findings of earlier checks */
        Level worst;
        bool root;
        int error; /* what kept a finding from being kept: -ENOMEM */
        /* What an earlier check saw and a later one builds upon. */
        Bus *bus;                    /* NULL: none */
        json_t *status;              /* what credd says of itself; NULL: it did not answer */
        char *authorized_keys_files; /* as sshd -T names them; NULL: not known */
} Doctor;

void doctor_done(Doctor *doctor);

/* mend NULL: there is nothing to do about it. */
void doctor_find(Doctor *doctor, Level level, const char *mend, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* What is well; kept only if this check has found nothing else. */
void doctor_fine(Doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A note that something could not be looked at. */
void doctor_unseen(Doctor *doctor, const char *what, const char *why);

/* A question to credd; nothing is printed if it comes to nothing. False: no answer. */
bool doctor_ask(const Doctor *doctor, const char *method, json_t *parameters, json_t **ret_reply);

/* Runs a program for at most 10 s, without input. *ret_output is what it said, on standard error
 * too; to be freed. Its exit status, or -errno: -ENOENT, -ETIMEDOUT. */
int doctor_program(const char *const *command, char **ret_output);

/* The checks, in order. */
void doctor_check_daemon(Doctor *doctor);
void doctor_check_version(Doctor *doctor);
void doctor_check_people(Doctor *doctor);
void doctor_check_state(Doctor *doctor);
void doctor_check_polkit(Doctor *doctor);
void doctor_check_logind(Doctor *doctor);
void doctor_check_pam_sshd(Doctor *doctor);
void doctor_check_pam_login(Doctor *doctor);
void doctor_check_pam_files(Doctor *doctor);
void doctor_check_sshd(Doctor *doctor);
void doctor_check_nss(Doctor *doctor);
void doctor_check_users(Doctor *doctor);
void doctor_check_clock(Doctor *doctor);
void doctor_check_journal(Doctor *doctor);
void doctor_check_timers(Doctor *doctor);
