/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of the wall clock are noticed and recorded. They move no deadline: see clock.h. */
#pragma once

#include "credd/manager.h"

int clock_watch_new(Manager *manager, ClockWatch **ret_watch);
ClockWatch *clock_watch_free(ClockWatch *watch);
