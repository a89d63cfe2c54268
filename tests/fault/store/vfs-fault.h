/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk that fails. It stands between SQLite and the files, as the default VFS: each call of its is
 * counted by kind from the moment it is armed, and the n-th fails, or is the last thing that this process
 * does. It knows as well what of each file has reached the disk, so that the power can be cut. */
#pragma once

#include <stdbool.h>

typedef enum FaultCall {
        CALL_OPEN,
        CALL_READ,
        CALL_WRITE,
        CALL_TRUNCATE,
        CALL_SYNC,
        CALL_DELETE,
        CALL_ANY,
        CALL_MAX,
} FaultCall;

typedef enum FaultHow {
        FAULT_NONE,
        FAULT_FULL,  /* there is no room */
        FAULT_EIO,   /* and of a sync that fails the kernel forgets what it should have written */
        FAULT_SHORT, /* half of it, and then no room; half of a read, and zeros */
        FAULT_KILL,  /* the process ends instead */
        FAULT_POWER, /* the machine does: what was not synced is lost */
        FAULT_TORN,  /* likewise, but some of what was not synced is there */
} FaultHow;

typedef struct Fault {
        FaultCall call;
        FaultHow how;
        unsigned at;   /* the first is 1 */
        bool for_good; /* every one from then on */
} Fault;

/* Once, before the first database is opened, and before a process is forked that shares the disk. */
void vfs_fault_install(void);
/* Files that are opened from now on are opened without it. */
void vfs_fault_remove(void);
/* What is known of the disk is forgotten. */
void vfs_fault_new_disk(void);
/* Counts from 0 again. */
void vfs_fault_arm(const Fault *fault);
void vfs_fault_disarm(void);
unsigned vfs_fault_count(FaultCall call);
/* As FAULT_POWER, now, and the process goes on: what was opened must not be used any more. */
void vfs_fault_cut_power(void);
