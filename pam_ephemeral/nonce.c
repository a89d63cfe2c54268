/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two carriers of one nonce. PAM data stays in the process that authenticated. The PAM environment
 * alone comes back from the child in which sshd runs keyboard-interactive.
 *
 * Invariants: what this process kept itself is believed before the environment, which pam_env and
 * others can write; the environment is never believed, only put before credd, so that a planted
 * value can refuse a login and not grant one. The mark of the gate grants nothing either: it has credd
 * decide, where nothing would mean that credd has no part in this login. The nonce is erased when it goes, and is out of the
 * environment before the person's shell could inherit it.
 *
 * Left out: asking credd (visit.c). */
#include "pam_ephemeral/nonce.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/client.h"

#define DATA_NAME "credd.login"

bool nonce_is_fresh(const Nonce *nonce, const Person *person, pid_t pid, uint64_t now_mono_usec)
{
        uint64_t age;

        if (nonce->pid != pid || now_mono_usec < nonce->since_mono_usec ||
            now_mono_usec == USEC_INFINITY) /* a clock that could not be read */
                return false;
        /* Another module may have put another name into PAM_USER since. */
        if (!person->known || person->uid != nonce->person.uid ||
            strcmp(person->name, nonce->person.name) != 0)
                return false;
        age = now_mono_usec - nonce->since_mono_usec;
        return age < NONCE_FRESH_USEC && age < nonce->left_usec;
}

static void on_data_gone(pam_handle_t *pamh, void *data, int status)
{
        (void)pamh;
        (void)status;
        if (data)
                secret_erase(data, sizeof(Nonce));
        free(data);
}

static int export_nonce(pam_handle_t *pamh, const char *text)
{
        CLEANUP(secret_done) Secret line = {.len = 0};
        int n = snprintf(line.text, sizeof(line.text), NONCE_VARIABLE "=%s", text);

        if (n < 0 || (size_t)n >= sizeof(line.text))
                return -E2BIG;
        return pam_putenv(pamh, line.text) == PAM_SUCCESS ? 0 : -EIO;
}

static int keep(pam_handle_t *pamh, const char *text, const Person *person,
                uint64_t since_mono_usec, uint64_t left_usec)
{
        size_t len = strlen(text);
        Nonce *nonce;

        if (len > REPLY_LOGIN_MAX)
                return -E2BIG;
        nonce = calloc(1, sizeof(*nonce));
        if (!nonce)
                return -ENOMEM;
        memcpy(nonce->text, text, len + 1);
        nonce->person = *person;
        nonce->pid = getpid();
        nonce->since_mono_usec = since_mono_usec;
        nonce->left_usec = left_usec;
        if (pam_set_data(pamh, DATA_NAME, nonce, on_data_gone) != PAM_SUCCESS) {
                on_data_gone(pamh, nonce, 0);
                return -EIO;
        }
        return export_nonce(pamh, text);
}

int nonce_keep(pam_handle_t *pamh, const Reply *reply, const Person *person,
               uint64_t since_mono_usec)
{
        return keep(pamh, reply->login, person, since_mono_usec, reply->left_usec);
}

int nonce_keep_gate(pam_handle_t *pamh, const Person *person)
{
        return keep(pamh, NONCE_GATE_TEXT, person, 0, 0);
}

/* NULL: there is none. */
static int find_own(pam_handle_t *pamh, const Nonce **ret_own)
{
        const void *data = NULL;
        int r = pam_get_data(pamh, DATA_NAME, &data);

        if (r != PAM_SUCCESS && r != PAM_NO_MODULE_DATA)
                return -EIO;
        *ret_own = r == PAM_SUCCESS ? data : NULL;
        return 0;
}

const Nonce *nonce_own(pam_handle_t *pamh)
{
        const Nonce *own = NULL;

        return find_own(pamh, &own) == 0 ? own : NULL;
}

bool nonce_recall(pam_handle_t *pamh, const char *name, Person *ret_person)
{
        const Nonce *own = nonce_own(pamh);

        if (!own || strcmp(own->person.name, name) != 0 ||
            !nonce_is_fresh(own, &own->person, getpid(), client_deadline_usec(0)))
                return false;
        *ret_person = own->person;
        return true;
}

int nonce_find(pam_handle_t *pamh, Secret *ret_text)
{
        const Nonce *own = NULL;
        const char *text;

        /* What cannot be looked for may be there: a login of ours must not pass for none. */
        if (find_own(pamh, &own) < 0)
                return -EIO;
        text = own ? own->text : pam_getenv(pamh, NONCE_VARIABLE);
        if (!text)
                return NONCE_NONE;
        if (strcmp(text, NONCE_GATE_TEXT) == 0)
                return NONCE_GATE;
        if (!reply_word_valid(text, strlen(text), REPLY_LOGIN_MAX))
                return -EBADMSG;
        return secret_set(ret_text, text, strlen(text));
}

void nonce_forget(pam_handle_t *pamh)
{
        /* Replacing it calls on_data_gone; both fail harmlessly where there is nothing. */
        (void)pam_set_data(pamh, DATA_NAME, NULL, NULL);
        if (pam_getenv(pamh, NONCE_VARIABLE))
                (void)pam_putenv(pamh, NONCE_VARIABLE);
}
