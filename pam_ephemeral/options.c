/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments to values by one table.
 *
 * Invariants: every argument is looked at, also behind a wrong one; a wrong value changes nothing,
 * so the default or an earlier good value stays; a value is accepted whole or not at all. Root
 * wrote the line, so this guards against slips, not against attackers: a slip must deny, never
 * admit.
 *
 * Left out: files and environment. A line is all there is. */
#include "pam_ephemeral/options.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "pam_ephemeral/utf8.h"

/* Decimal digits up to the first other character. -EINVAL: none; -ERANGE: more than max. */
static int read_number(const char *text, uint64_t max, uint64_t *ret_number, const char **ret_rest)
{
        uint64_t number = 0;
        const char *p = text;

        for (; *p >= '0' && *p <= '9'; p++) {
                number = number * 10 + (uint64_t)(*p - '0');
                if (number > max)
                        return -ERANGE;
        }
        if (p == text)
                return -EINVAL;
        *ret_number = number;
        *ret_rest = p;
        return 0;
}

static int set_socket(Options *options, const char *value)
{
        if (value[0] != '/' || strlen(value) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
                return -EINVAL;
        options->socket = value;
        return 0;
}

/* NNNms, NNs or NN, which is seconds. 0 would refuse every token, so it is taken for a slip. */
static int set_timeout(Options *options, const char *value)
{
        uint64_t number = 0, unit;
        const char *rest = NULL;

        if (read_number(value, OPTIONS_TIMEOUT_MAX_USEC, &number, &rest) < 0)
                return -EINVAL;
        if (strcmp(rest, "ms") == 0)
                unit = USEC_PER_MSEC;
        else if (strcmp(rest, "s") == 0 || *rest == '\0')
                unit = USEC_PER_SEC;
        else
                return -EINVAL;
        if (number == 0 || number > OPTIONS_TIMEOUT_MAX_USEC / unit)
                return -EINVAL;
        options->timeout_usec = number * unit;
        return 0;
}

static int set_prompt(Options *options, const char *value)
{
        if (*value == '\0' || !utf8_is_printable(value, strlen(value)))
                return -EINVAL;
        options->prompt = value;
        return 0;
}

static int set_min_uid(Options *options, const char *value)
{
        uint64_t number = 0;
        const char *rest = NULL;

        /* (uid_t)-1 is nobody's. */
        if (read_number(value, (uid_t)-1 - 1, &number, &rest) < 0 || *rest != '\0')
                return -EINVAL;
        options->min_uid = (uid_t)number;
        return 0;
}

static int set_services(Options *options, const char *value)
{
        for (const char *p = value;; p++) {
                size_t len = strcspn(p, ",");

                if (len == 0 || strcspn(p, " \t/") < len)
                        return -EINVAL;
                p += len;
                if (*p == '\0')
                        break;
        }
        options->services = value;
        return 0;
}

static int set_require_credential(Options *options, const char *value)
{
        if (value[0] != '@' || value[1] == '\0')
                return -EINVAL;
        options->require_group = value + 1;
        return 0;
}

static int set_first_pass(Options *options, FirstPass first_pass)
{
        if (options->first_pass != FIRST_PASS_ASK && options->first_pass != first_pass)
                return -EINVAL;
        options->first_pass = first_pass;
        return 0;
}

static int set_try_first_pass(Options *options, const char *value)
{
        (void)value;
        return set_first_pass(options, FIRST_PASS_TRY);
}

static int set_use_first_pass(Options *options, const char *value)
{
        (void)value;
        return set_first_pass(options, FIRST_PASS_USE);
}

static int set_debug(Options *options, const char *value)
{
        (void)value;
        options->debug = true;
        return 0;
}

/* A name that ends in = takes a value. */
static const struct {
        const char *name;
        int (*set)(Options *options, const char *value);
} table[] = {
        {"socket=", set_socket},
        {"timeout=", set_timeout},
        {"prompt=", set_prompt},
        {"try_first_pass", set_try_first_pass},
        {"use_first_pass", set_use_first_pass},
        {"min_uid=", set_min_uid},
        {"services=", set_services},
        {"require_credential=", set_require_credential},
        {"debug", set_debug},
};

static int take_argument(Options *options, const char *argument)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                size_t len = strlen(table[i].name);

                if (strncmp(argument, table[i].name, len) != 0)
                        continue;
                if (table[i].name[len - 1] != '=' && argument[len] != '\0')
                        continue;
                return table[i].set(options, argument + len);
        }
        return -EINVAL;
}

int options_from_argv(int argc, const char *const *argv, Options *ret_options)
{
        Options options = {
                .socket = OPTIONS_SOCKET,
                .prompt = OPTIONS_PROMPT,
                .services = OPTIONS_SERVICES,
                .timeout_usec = OPTIONS_TIMEOUT_USEC,
                .min_uid = OPTIONS_MIN_UID,
        };

        for (int i = 0; i < argc; i++)
                if (take_argument(&options, argv[i]) < 0 && !options.wrong)
                        options.wrong = argv[i];
        *ret_options = options;
        return options.wrong ? -EINVAL : 0;
}

bool options_serve(const Options *options, const char *service)
{
        size_t wanted = strlen(service);

        if (wanted == 0)
                return false;
        for (const char *p = options->services;; p++) {
                size_t len = strcspn(p, ",");

                if (len == wanted && strncasecmp(p, service, len) == 0)
                        return true;
                p += len;
                if (*p == '\0')
                        return false;
        }
}
