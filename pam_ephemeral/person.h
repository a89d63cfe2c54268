/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is logging in, according to this machine's name service, asked in this process. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Longer names are nobody's; it bounds what is sent. */
#define PERSON_NAME_MAX 256

typedef struct Person {
        bool known; /* false: no account has the name; the rest is empty */
        uid_t uid;
        gid_t gid;
        char name[PERSON_NAME_MAX + 1]; /* as PAM_USER has it */
} Person;

/* 0, with known set or not; negative: the name service failed, so nothing is known. */
int person_lookup(const char *name, Person *ret_person);

/* 1: is in it, by primary group, by list or by whatever else NSS counts; 0: is not, or NSS failed over
 * the last of these, which getgrouplist(3) does not tell. -ENOENT: there is no such group; else negative:
 * the name service failed. */
int person_in_group(const Person *person, const char *group);
