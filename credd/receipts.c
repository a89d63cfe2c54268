/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adds up what the sessions' ends have shown. Lateness is the worst session's; an unopened
 * credential cannot be late, because each login compares the limit itself. */
#include "credd/receipts.h"

#include <errno.h>
#include <string.h>

#include "credd/health.h"

/* How much later than deadline and grace "on time" may be: the receipt's definition. */
#define ON_TIME_USEC USEC_PER_SEC

typedef struct Sum {
        json_t *evidence, *residue;
        uint64_t late_usec;
        int error;
} Sum;

static bool add_session(void *userdata, SessionRow *row)
{
        Sum *sum = userdata;
        json_t *residue = json_object_get(row->evidence, "residue");
        uint64_t late;

        if (!json_is_object(row->evidence) || (residue && !json_is_array(residue))) {
                sum->error = -EBADMSG;
                return false;
        }
        late = (uint64_t)json_integer_value(json_object_get(row->evidence, "late_usec"));
        if (late > sum->late_usec)
                sum->late_usec = late;
        if (residue && json_array_extend(sum->residue, residue) < 0)
                sum->error = -ENOMEM;
        (void)json_object_del(row->evidence, "residue");
        if (json_array_append(sum->evidence, row->evidence) < 0)
                sum->error = -ENOMEM;
        return sum->error == 0;
}

static int add_up(Manager *manager, int64_t num, Sum *sum)
{
        int r;

        r = store_each_session(manager->store, SESSIONS_OF, num, 0, INT64_MAX, add_session, sum);
        if (r < 0)
                return r;
        return sum->error;
}

static const char *verdict_of(const Sum *sum, const Config *config)
{
        if (json_array_size(sum->residue) > 0)
                return "residue";
        if (sum->late_usec > config->kill_grace_usec + ON_TIME_USEC)
                return "late";
        return "confirmed";
}

static int write_receipt(Manager *manager, const Credential *credential, const Sum *sum)
{
        CLEANUP(receipt_done)
        Receipt receipt = {
                .written_usec = clock_line_usec(&manager->clock),
                .written_real_usec = clock_real_usec(&manager->clock),
                .late_usec = sum->late_usec,
                .verdict = strdup(verdict_of(sum, &manager->config)),
                .data = json_pack("{sO sO s[ssss]}", "evidence", sum->evidence, "residue",
                                  sum->residue, "not_covered", "authorized_keys and other files",
                                  "cron and at spools", "system units", "containers"),
        };
        int r;

        if (!receipt.verdict || !receipt.data)
                return -ENOMEM;
        r = store_add_receipt(manager->store, credential->num, &receipt);
        return r < 0 ? r : event_credential_deprovisioned(&manager->events, credential, &receipt);
}

int receipts_try_known(Manager *manager, const Credential *credential)
{
        json_auto_t *evidence = json_array(), *residue = json_array();
        Sum sum = {.evidence = evidence, .residue = residue};
        int r;

        if (!credential_was_issued(credential) || credential->cause == CAUSE_NONE ||
            credential->open_logins > 0)
                return 0;
        r = add_up(manager, credential->num, &sum);
        if (r == -EBADMSG) { /* nothing is proved then, and nothing held up */
                health_pass_over(manager, "a session of credential", credential->num);
                return 0;
        }
        return r < 0 ? r : write_receipt(manager, credential, &sum);
}

int receipts_try(Manager *manager, int64_t num)
{
        AUTO_CREDENTIAL Credential credential = {0};
        int r;

        r = store_read_credential(manager->store, num, &credential);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        return receipts_try_known(manager, &credential);
}
