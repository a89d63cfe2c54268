/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a login may come from: a network in CIDR notation, IPv4 or IPv6, or "local", which means no
 * remote host. Pure. A host name never matches a network; IPv4-mapped IPv6 is taken as IPv4. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_TEXT_MAX 64

typedef struct Source {
        bool local;
        uint8_t family; /* AF_INET or AF_INET6 */
        uint8_t prefix;
        uint8_t address[16];
} Source;

/* "10.0.0.0/24", "10.0.0.7" (= /32), "::1/128", "local". -EINVAL, also for bits set beyond the
 * prefix ("10.0.0.1/24" is somebody's mistake). */
int source_parse(const char *text, Source *ret_source);
const char *source_format(const Source *source, char buffer[static SOURCE_TEXT_MAX]);

/* rhost is PAM_RHOST: NULL or "" when there is no remote host. The zone of a link-local address
 * ("fe80::1%eth0") is ignored. */
bool source_matches(const Source *source, const char *rhost);
/* All of source lies in network. */
bool source_within(const Source *source, const Source *network);
