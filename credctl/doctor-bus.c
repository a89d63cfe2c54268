/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system bus, asked synchronously: credctl does nothing else meanwhile. */
#include "credctl/doctor-bus.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define LIMIT_USEC (5 * USEC_PER_SEC)

#define SYSTEMD   "org.freedesktop.systemd1"
#define LOGIND    "org.freedesktop.login1"
#define POLKIT    "org.freedesktop.PolicyKit1"
#define UNIT_ROOT "/org/freedesktop/systemd1/unit"

struct Bus {
        sd_bus *bus;
};

typedef sd_bus_message Message;

static inline void message_unrefp(Message **message)
{
        sd_bus_message_unref(*message);
}

int bus_open(Bus **ret_bus)
{
        CLEANUP(bus_freep) Bus *bus = calloc(1, sizeof *bus);
        int r;

        if (!bus)
                return -ENOMEM;
        r = sd_bus_open_system(&bus->bus);
        if (r < 0)
                return r;
        r = sd_bus_set_method_call_timeout(bus->bus, LIMIT_USEC);
        if (r < 0)
                return r;
        *ret_bus = take_ptr(bus);
        return 0;
}

void bus_free(Bus *bus)
{
        sd_bus_flush_close_unref(bus->bus);
        free(bus);
}

int bus_has_owner(Bus *bus, const char *name)
{
        int r = sd_bus_get_name_creds(bus->bus, name, 0, NULL);

        return r == -ENXIO ? 0 : r < 0 ? r : 1;
}

/* --- units --- */

int bus_unit_text(Bus *bus, const char *unit, const char *property, char **ret_text)
{
        AUTO_FREE char *path = NULL;
        int r = sd_bus_path_encode(UNIT_ROOT, unit, &path);

        if (r >= 0)
                r = sd_bus_get_property_string(bus->bus, SYSTEMD, path, SYSTEMD ".Unit", property,
                                               NULL, ret_text);
        return r < 0 ? r : 0;
}

int bus_service_number(Bus *bus, const char *property, char type, uint64_t *ret_number)
{
        AUTO_FREE char *path = NULL;
        uint32_t small = 0;
        uint64_t large = 0;
        int r = sd_bus_path_encode(UNIT_ROOT, "credd.service", &path);

        if (r >= 0)
                r = sd_bus_get_property_trivial(bus->bus, SYSTEMD, path, SYSTEMD ".Service",
                                                property, NULL, type,
                                                type == 'u' ? (void *)&small : (void *)&large);
        if (r < 0)
                return r;
        *ret_number = type == 'u' ? small : large;
        return 0;
}

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

int bus_unit_files(Bus *bus, const char *pattern, json_t **ret_states)
{
        CLEANUP(message_unrefp) Message *reply = NULL;
        json_auto_t *states = json_object();
        const char *path, *state;
        int r;

        if (!states)
                return -ENOMEM;
        r = sd_bus_call_method(bus->bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                               "ListUnitFilesByPatterns", NULL, &reply, "asas", 0, 1, pattern);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &path, &state)) > 0)
                if (json_object_set_new(states, base_name(path), json_string(state)) < 0)
                        return -ENOMEM;
        if (r < 0)
                return r;
        *ret_states = take_ptr(states);
        return 0;
}

int bus_failed_units(Bus *bus, const char *pattern, json_t **ret_names)
{
        CLEANUP(message_unrefp) Message *reply = NULL;
        json_auto_t *names = json_array();
        const char *name;
        int r;

        if (!names)
                return -ENOMEM;
        r = sd_bus_call_method(bus->bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                               "ListUnitsByPatterns", NULL, &reply, "asas", 1, "failed", 1,
                               pattern);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "ssssssouso")) > 0) {
                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0 && json_array_append_new(names, json_string(name)) < 0)
                        return -ENOMEM;
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "sssssouso");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r < 0)
                return r;
        *ret_names = take_ptr(names);
        return 0;
}

/* --- logind --- */

static int logind_property(Bus *bus, const char *property, char type, void *ret)
{
        int r = sd_bus_get_property_trivial(bus->bus, LOGIND, "/org/freedesktop/login1",
                                            LOGIND ".Manager", property, NULL, type, ret);

        return r < 0 ? r : 0;
}

int bus_logind_flag(Bus *bus, const char *property, bool *ret_flag)
{
        int flag = 0, r = logind_property(bus, property, 'b', &flag);

        if (r == 0)
                *ret_flag = flag != 0;
        return r;
}

int bus_logind_usec(Bus *bus, const char *property, uint64_t *ret_usec)
{
        return logind_property(bus, property, 't', ret_usec);
}

/* --- polkit --- */

int bus_polkit_allows(Bus *bus, pid_t pid, uint64_t start_ticks, uid_t uid, const char *action)
{
        CLEANUP(message_unrefp) Message *reply = NULL;
        int allowed = 0, r;

        r = sd_bus_call_method(bus->bus, POLKIT, "/org/freedesktop/PolicyKit1/Authority",
                               POLKIT ".Authority", "CheckAuthorization", NULL, &reply,
                               "(sa{sv})sa{ss}us", "unix-process", 3, "pid", "u", (uint32_t)pid,
                               "start-time", "t", start_ticks, "uid", "i", (int32_t)uid, action, 0,
                               (uint32_t)0, "");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &allowed);
        return r < 0 ? r : allowed;
}
