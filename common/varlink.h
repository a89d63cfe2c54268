/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Varlink messages (https://varlink.org/Method-Call) as JSON, decoded strictly: duplicate keys,
 * unknown members and wrong types are errors. Not linked into the PAM module. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

/* Messages larger than this are refused before they are parsed. */
#define VARLINK_CALL_MAX  (16U * 1024)
#define VARLINK_REPLY_MAX (1024U * 1024)

#define VARLINK_SERVICE             "org.varlink.service"
#define VARLINK_INVALID_PARAMETER   VARLINK_SERVICE ".InvalidParameter"
#define VARLINK_METHOD_NOT_FOUND    VARLINK_SERVICE ".MethodNotFound"
#define VARLINK_INTERFACE_NOT_FOUND VARLINK_SERVICE ".InterfaceNotFound"
#define VARLINK_EXPECTED_MORE       VARLINK_SERVICE ".ExpectedMore"

typedef struct VarlinkCall {
        json_t *root;       /* owns what follows */
        const char *method; /* whole name, "io.credd.Admin.List" */
        json_t *parameters; /* an object; NULL if the call had none */
        bool more, oneway;
} VarlinkCall;

typedef struct VarlinkReply {
        json_t *root;       /* owns what follows */
        const char *error;  /* NULL: no error */
        json_t *parameters; /* an object; NULL if there are none */
        bool continues;
} VarlinkReply;

/* -EBADMSG: not a varlink message, or too large; "upgrade": true, "more" with "oneway", and an
 * error that continues are none either. -ENOMEM. */
int varlink_call_decode(const char *text, size_t len, VarlinkCall *ret_call);
void varlink_call_done(VarlinkCall *call);
int varlink_reply_decode(const char *text, size_t len, VarlinkReply *ret_reply);
void varlink_reply_done(VarlinkReply *reply);

/* Text to be freed by the caller (its secrets are the caller's to erase), NULL when out of memory
 * or not UTF-8. parameters is borrowed; NULL is written as {}. Of any size: the reader has the
 * limit. */
char *varlink_call_encode(const char *method, json_t *parameters, bool more);
char *varlink_reply_encode(json_t *parameters, bool continues);
char *varlink_error_encode(const char *error, json_t *parameters);
