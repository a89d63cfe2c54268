/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl metrics: credd's figures as OpenMetrics text, to standard output or to a file that is always
 * whole. The text keeps to what the older format of Prometheus has as well, which is the one that
 * node_exporter's textfile collector reads: no type beyond gauge, counter and histogram. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define FILE_MODE 0644

const Option verb_metrics_options[] = {
        {"textfile", "PATH", NULL, OPTION_TEXT, "to this file, which is replaced as a whole"},
        {"every", "D", NULL, OPTION_DURATION, "stay, and write the file again after D each time"},
        {.name = NULL},
};

/* --- the text --- */

/* As OpenMetrics escapes it; quoted for the value of a label. */
static void write_escaped(FILE *out, const char *text, bool quoted)
{
        for (; *text; text++) {
                if (*text == '\n')
                        (void)fputs("\\n", out);
                else if (*text == '\\' || (quoted && *text == '"'))
                        (void)fprintf(out, "\\%c", *text);
                else
                        (void)fputc(*text, out);
        }
}

static void write_sample(FILE *out, const char *name, const json_t *sample)
{
        const char *label, *before = "{";
        json_t *labels = json_object_get(sample, "labels"), *value;

        (void)fprintf(out, "%s%s", name, record_text_or(sample, "suffix", ""));
        json_object_foreach (labels, label, value) {
                (void)fprintf(out, "%s%s=\"", before, label);
                write_escaped(out, json_is_string(value) ? json_string_value(value) : "", true);
                (void)fputc('"', out);
                before = ",";
        }
        (void)fprintf(out, "%s %.15g\n", *before == ',' ? "}" : "",
                      json_number_value(json_object_get(sample, "value")));
}

static void write_family(FILE *out, const json_t *family)
{
        const char *name = record_text_or(family, "name", "?");
        const char *unit = record_text(family, "unit");
        json_t *sample;
        size_t i;

        (void)fprintf(out, "# TYPE %s %s\n", name, record_text_or(family, "type", "unknown"));
        if (unit)
                (void)fprintf(out, "# UNIT %s %s\n", name, unit);
        (void)fprintf(out, "# HELP %s ", name);
        write_escaped(out, record_text_or(family, "help", ""), false);
        (void)fputc('\n', out);
        json_array_foreach (json_object_get(family, "samples"), i, sample)
                write_sample(out, name, sample);
}

/* families NULL: credd did not answer. */
static void write_text(FILE *out, const json_t *families)
{
        json_t *family;
        size_t i;

        (void)fputs("# TYPE credd_up gauge\n# HELP credd_up Whether credd answered.\n", out);
        (void)fprintf(out, "credd_up %d\n", families != NULL);
        json_array_foreach (families, i, family)
                write_family(out, family);
        (void)fputs("# EOF\n", out);
}

/* --- the file --- */

static int fill_file(int fd, const json_t *families)
{
        FILE *out = fdopen(fd, "w");
        int error;

        if (!out) {
                error = -errno;
                (void)close(fd);
                return error;
        }
        write_text(out, families);
        error = fflush(out) != 0 ? -errno : ferror(out) ? -EIO : 0;
        if (error == 0 && fchmod(fileno(out), FILE_MODE) < 0)
                error = -errno;
        (void)fclose(out);
        return error;
}

/* Beside the file under a name that no collector reads, and then in its place: a reader sees the old one
 * or the new one. A link that somebody put there is replaced, not followed. */
static int replace_file(const char *path, const json_t *families)
{
        AUTO_FREE char *beside = NULL;
        int fd, r;

        if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
                beside = NULL;
                return -ENOMEM;
        }
        fd = mkostemp(beside, O_CLOEXEC);
        if (fd < 0)
                return words_fail(OUTCOME_FAILED, "cannot write beside %s: %s", path,
                                  strerror(errno));
        r = fill_file(fd, families);
        if (r == 0 && rename(beside, path) < 0)
                r = -errno;
        if (r == 0)
                return 0;
        (void)unlink(beside);
        return words_fail(OUTCOME_FAILED, "cannot write %s: %s", path, strerror(-r));
}

/* --- the question --- */

static int read_families(const Context *context, json_t **ret_reply, json_t **ret_families)
{
        int r = connection_read(context, "Metrics", NULL, ret_reply);

        return r == 0 ? record_member(*ret_reply, "families", JSON_ARRAY, ret_families) : r;
}

/* Old figures would look like new ones, so a file says it if credd does not answer. */
static int write_once(const Context *context, const char *path)
{
        json_auto_t *reply = NULL;
        json_t *families = NULL;
        int r = read_families(context, &reply, &families), written;

        written = replace_file(path, r == 0 ? families : NULL);
        return written < 0 ? written : outcome_worse(r, written);
}

static int write_again_and_again(const Context *context, const char *path, uint64_t every_usec)
{
        const struct timespec pause = {.tv_sec = (time_t)(every_usec / USEC_PER_SEC),
                                       .tv_nsec = (long)(every_usec % USEC_PER_SEC * 1000)};

        for (;;) {
                int r = write_once(context, path);

                /* credd may come back; a folder that cannot be written, and a right, will not. */
                if (r != 0 && r != OUTCOME_UNREACHABLE)
                        return r;
                (void)nanosleep(&pause, NULL);
        }
}

int verb_metrics_run(const Context *context, const Arguments *arguments)
{
        const char *path = arguments_text(arguments, "textfile");
        uint64_t every_usec = arguments_number(arguments, "every", 0);
        json_auto_t *reply = NULL;
        json_t *families = NULL;
        int r;

        if (every_usec > 0 && !path)
                return words_fail(OUTCOME_USAGE, "--every goes with --textfile PATH");
        if (path && context->form == OUTPUT_JSON)
                return words_fail(OUTCOME_USAGE, "a text file is not JSON");
        if (every_usec > 0 && every_usec < USEC_PER_SEC)
                return words_fail(OUTCOME_USAGE, "--every: 1s or more");
        if (path && every_usec > 0)
                return write_again_and_again(context, path, every_usec);
        if (path)
                return write_once(context, path);
        r = read_families(context, &reply, &families);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "metrics", families);
        write_text(stdout, families);
        return 0;
}
