/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/own.h"

#include <string.h>

#include "credctl/connection.h"
#include "credctl/record.h"

int own_find(const Context *context, json_t **ret_own)
{
        const Call call = {.method = "Time", .all_tolerated = true};

        return connection_call(context, &call, ret_own);
}

bool own_put_last(const json_t *own, json_t *credentials)
{
        const char *id = record_text_or(json_object_get(own, "credential"), "id", "");
        json_t *credential;
        size_t i;

        json_array_foreach (credentials, i, credential) {
                if (!own || strcmp(record_text_or(credential, "id", "?"), id) != 0)
                        continue;
                (void)json_array_append(credentials, credential);
                (void)json_array_remove(credentials, i);
                return true;
        }
        return false;
}
