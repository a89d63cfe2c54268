/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of io.credd.Admin: one connection each, one time limit each. All return as
 * credctl/outcome.h says; -EBADMSG: credd answered something that is no answer. */
#pragma once

#include <jansson.h>

#include "credctl/context.h"

#define CONNECTION_SOCKET "/run/credd/io.credd.Admin"

/* Once, before the first JSON of the process: from then on jansson erases what it frees, because
 * replies hold tokens, and its lexer's copies of them are out of our reach. */
void connection_erase_json(void);

typedef struct Call {
        const char *method;    /* without its interface */
        bool changes;          /* no answer is OUTCOME_UNKNOWN; else OUTCOME_UNREACHABLE */
        json_t *parameters;    /* borrowed; NULL: none */
        const char *tolerated; /* an error that is no failure, without its interface; NULL: none */
        bool all_tolerated;    /* no error that credd answers with is one, or is said */
        bool silent;           /* nor is it said that there was no answer */
} Call;

/* *ret_reply is NULL if credd answered with a tolerated error. */
int connection_call(const Context *context, const Call *call, json_t **ret_reply);

/* The same for the common cases. */
int connection_read(const Context *context, const char *method, json_t *parameters,
                    json_t **ret_reply);
int connection_change(const Context *context, const char *method, json_t *parameters,
                      json_t **ret_reply);

/* A reading method that answers with many replies. each returns 0 to go on. */
int connection_stream(const Context *context, const char *method,
                      int (*each)(void *userdata, const json_t *parameters), void *userdata);

/* All pages of a reading method: the array that its replies call member. Sets "after" in
 * parameters, which must be an object. */
int connection_read_pages(const Context *context, const char *method, const char *member,
                          json_t *parameters, json_t **ret_records);

/* A call with "more": each reply's parameters, NULL if it has none, go to each, as long as that returns 0. */
typedef struct Follow {
        const char *method; /* without its interface */
        json_t *parameters; /* borrowed; NULL: none */
        int (*each)(void *userdata, const json_t *parameters);
        void *userdata;
} Follow;

/* 0: credd ended it, or *ret_lost says with a negative errno how the connection failed, about which
 * nothing has been said; else what each returned, or why it failed. Waits between replies as long as it
 * takes. */
int connection_follow(const Context *context, const Follow *follow, int *ret_lost);
/* Says of such a connection that there was none. */
int connection_say_unreachable(const Context *context, int error);
