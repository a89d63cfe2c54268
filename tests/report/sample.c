/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sample COUNT - a report of that many credentials as HTML on stdout, to be looked at. */
#include "credctl/audit-html.h"
#include "tests/unit/report_sample.h"

int main(int argc, char **argv)
{
        json_t *report = report_sample(argc > 1 ? strtoul(argv[1], NULL, 10) : 3);

        if (!report)
                return 1;
        audit_html_write(stdout, report);
        json_decref(report);
        return fflush(stdout) == 0 ? 0 : 1;
}
