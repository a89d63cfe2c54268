/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd-bus behind a wall: what the doctor asks PID 1, logind and polkit. Each question has a limit of
 * a few seconds. All return 0 or -errno, unless said otherwise. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

typedef struct Bus Bus;

int bus_open(Bus **ret_bus);
void bus_free(Bus *bus);
DEFINE_CLEANUP(Bus, bus_free)

/* 1: somebody has the name now, 0: nobody; starts nothing. */
int bus_has_owner(Bus *bus, const char *name);

/* A property that all units have, as text ("s"). One that is not there has the LoadState "not-found". */
int bus_unit_text(Bus *bus, const char *unit, const char *property, char **ret_text);
/* A property of credd.service as such, as a number ("u", "t"). */
int bus_service_number(Bus *bus, const char *property, char type, uint64_t *ret_number);
/* {"name": "enabled", ...}, of the unit files whose names match. */
int bus_unit_files(Bus *bus, const char *pattern, json_t **ret_states);
/* ["name", ...], of the failed units whose names match. */
int bus_failed_units(Bus *bus, const char *pattern, json_t **ret_names);

int bus_logind_flag(Bus *bus, const char *property, bool *ret_flag);
int bus_logind_usec(Bus *bus, const char *property, uint64_t *ret_usec);

/* Asks polkit whether this process may, without a word from anybody. 1: yes, 0: no. */
int bus_polkit_allows(Bus *bus, pid_t pid, uint64_t start_ticks, uid_t uid, const char *action);
