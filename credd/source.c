/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks, and whether an address that PAM reports lies in one.
 *
 * Invariants: a Source has no bit set beyond its prefix and is never an IPv4-mapped IPv6 network;
 * what is not an address in digits matches no network, so no resolver and no DNS has a say here.
 *
 * rhost comes from sshd by way of the module. A zone ("fe80::1%eth0") says on which link a
 * link-local address was seen; networks here name no link, so it is ignored for link-local
 * addresses. No other address can have one, and with one it matches nothing. */
#include "credd/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
#define MAPPED_BITS (8 * sizeof(mapped_prefix))

static bool is_link_local(const uint8_t address[static 16])
{
        return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

/* An address in digits and nothing else, as a network of that one address. */
static int parse_address(const char *text, Source *ret_source)
{
        Source source = {0};

        if (inet_pton(AF_INET, text, source.address) == 1) {
                source.family = AF_INET;
                source.prefix = 32;
        } else if (inet_pton(AF_INET6, text, source.address) == 1) {
                source.family = AF_INET6;
                source.prefix = 128;
        } else
                return -EINVAL;
        *ret_source = source;
        return 0;
}

/* Decimal digits without a leading zero, at most max. */
static int parse_prefix(const char *text, uint8_t max, uint8_t *ret_prefix)
{
        unsigned prefix = 0;
        size_t n = strspn(text, "0123456789");

        if (n == 0 || n > 3 || text[n] || (n > 1 && text[0] == '0'))
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                prefix = prefix * 10 + (unsigned)(text[i] - '0');
        if (prefix > max)
                return -EINVAL;
        *ret_prefix = (uint8_t)prefix;
        return 0;
}

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
        unsigned bytes = bits / 8, rest = bits % 8;

        if (memcmp(a, b, bytes) != 0)
                return false;
        return rest == 0 || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0;
}

static bool bits_beyond_prefix(const Source *source)
{
        uint8_t masked[sizeof(source->address)] = {0};
        unsigned bytes = source->prefix / 8, rest = source->prefix % 8;

        memcpy(masked, source->address, bytes);
        if (rest > 0)
                masked[bytes] = (uint8_t)(source->address[bytes] & 0xff << (8 - rest));
        return memcmp(masked, source->address, sizeof(masked)) != 0;
}

/* "::ffff:10.0.0.0/104" is 10.0.0.0/8. A shorter prefix than the mapping's is IPv6, and holds no
 * IPv4. */
static void unmap(Source *source)
{
        if (source->family != AF_INET6 || source->prefix < MAPPED_BITS ||
            memcmp(source->address, mapped_prefix, sizeof(mapped_prefix)) != 0)
                return;
        memmove(source->address, source->address + sizeof(mapped_prefix), 4);
        memset(source->address + 4, 0, sizeof(source->address) - 4);
        source->family = AF_INET;
        source->prefix = (uint8_t)(source->prefix - MAPPED_BITS);
}

int source_parse(const char *text, Source *ret_source)
{
        char address[INET6_ADDRSTRLEN];
        size_t n = strcspn(text, "/");
        Source source;
        int r;

        if (strcmp(text, "local") == 0) {
                *ret_source = (Source){.local = true};
                return 0;
        }
        if (n >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, n);
        address[n] = 0;
        r = parse_address(address, &source);
        if (r < 0)
                return r;
        if (text[n] == '/') {
                r = parse_prefix(text + n + 1, source.prefix, &source.prefix);
                if (r < 0)
                        return r;
        }
        if (bits_beyond_prefix(&source))
                return -EINVAL;
        unmap(&source);
        *ret_source = source;
        return 0;
}

const char *source_format(const Source *source, char buffer[static SOURCE_TEXT_MAX])
{
        char address[INET6_ADDRSTRLEN];

        if (source->local || !inet_ntop(source->family, source->address, address, sizeof(address)))
                (void)snprintf(buffer, SOURCE_TEXT_MAX, "%s", source->local ? "local" : "?");
        else
                (void)snprintf(buffer, SOURCE_TEXT_MAX, "%s/%u", address, source->prefix);
        return buffer;
}

static int parse_rhost(const char *rhost, Source *ret_source)
{
        char address[INET6_ADDRSTRLEN];
        size_t n = strcspn(rhost, "%");
        Source source;
        int r;

        if (n >= sizeof(address))
                return -EINVAL;
        memcpy(address, rhost, n);
        address[n] = 0;
        r = parse_address(address, &source);
        if (r < 0)
                return r;
        if (rhost[n] == '%') {
                size_t zone = strlen(rhost + n + 1);

                if (source.family != AF_INET6 || !is_link_local(source.address) || zone == 0 ||
                    zone >= IF_NAMESIZE)
                        return -EINVAL;
        }
        unmap(&source);
        *ret_source = source;
        return 0;
}

bool source_matches(const Source *source, const char *rhost)
{
        Source from;

        if (!rhost || !*rhost)
                return source->local;
        if (source->local || parse_rhost(rhost, &from) < 0)
                return false;
        return from.family == source->family &&
               prefix_equal(from.address, source->address, source->prefix);
}

bool source_within(const Source *source, const Source *network)
{
        if (source->local || network->local)
                return source->local && network->local;
        return source->family == network->family && source->prefix >= network->prefix &&
               prefix_equal(source->address, network->address, network->prefix);
}
