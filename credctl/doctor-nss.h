/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where this host looks names up. Pure. */
#pragma once

#include <stdbool.h>

#define NSS_SERVICES_MAX 128

/* The services that the text of nsswitch.conf(5) names for a database, with a blank between them:
 * "files sss"; without such a line "files", as in glibc. False: there are more than fit. */
bool nss_services(const char *text, const char *database, char ret[static NSS_SERVICES_MAX]);
