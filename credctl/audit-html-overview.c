/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many credentials began when, and how many of them did not end as they should: for reports whose
 * timeline is too long to be taken in at a glance. */
#include "common/cleanup.h"
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"

#define SLICES     30u
#define HEIGHT     96u
#define TOP        14u /* room for a number above the highest bar */
#define SLICE_GAP  60u
#define SLICE_WIDE (AXIS_SHARES / SLICES)

typedef struct Slice {
        unsigned all, bad;
} Slice;

static void count_slices(const json_t *report, const Axis *axis, Slice slices[static SLICES])
{
        json_t *c;
        size_t i;

        json_array_foreach (json_object_get(report, "credentials"), i, c) {
                unsigned slice = axis_share(axis, record_number_or(c, "issued_usec", 0)) * SLICES /
                                 (AXIS_SHARES + 1);

                if (!timeline_has(c))
                        continue;
                slices[slice].all++;
                slices[slice].bad += ending_is_bad(ending_of(c));
        }
}

static Slice find_most(const Slice slices[static SLICES])
{
        Slice most = {1, 0};

        for (size_t i = 0; i < SLICES; i++) {
                most.all = slices[i].all > most.all ? slices[i].all : most.all;
                most.bad += slices[i].bad;
        }
        return most;
}

/* From below: what went wrong, then the rest. */
static void draw_bar(FILE *out, const char *class, unsigned slice, unsigned bottom, unsigned height)
{
        if (height == 0)
                return;
        html_write(out, "<rect class=\"");
        html_text(out, class);
        html_write(out, "\" x=\"");
        html_share(out, slice * SLICE_WIDE + SLICE_GAP / 2);
        html_write(out, "\" width=\"");
        html_share(out, SLICE_WIDE - SLICE_GAP);
        html_write(out, "\" y=\"");
        html_number(out, HEIGHT - bottom - height);
        html_write(out, "\" height=\"");
        html_number(out, height);
        html_write(out, "\"/>");
}

static void draw_slice(FILE *out, const Slice *slice, unsigned number, unsigned most)
{
        unsigned all = slice->all * (HEIGHT - TOP) / most;
        unsigned bad = slice->bad * (HEIGHT - TOP) / most;

        /* a single one of many is seen, too */
        bad = slice->bad > 0 && bad < 5 ? 5 : bad;
        draw_bar(out, "over-due", number, 0, bad);
        draw_bar(out, "ses", number, bad, all > bad ? all - bad : 0);
        if (slice->bad == 0)
                return;
        html_write(out, "<text class=\"t-bad\" text-anchor=\"middle\" x=\"");
        html_share(out, number * SLICE_WIDE + SLICE_WIDE / 2);
        html_write(out, "\" y=\"");
        html_number(out, HEIGHT - (all > bad ? all : bad) - 3);
        html_write(out, "\">");
        html_number(out, slice->bad);
        html_write(out, "</text>");
}

static void draw_labels(FILE *out, const Axis *axis)
{
        AxisTick ticks[AXIS_TICKS_MAX];
        size_t n = axis_ticks(axis, ticks);

        for (size_t i = 0; i < n; i++) {
                unsigned share = axis_share(axis, ticks[i].usec);

                html_write(out, "<text class=\"soft\" y=\"112\" x=\"");
                html_share(out, share);
                html_write(out, "\" text-anchor=\"");
                html_text(out, axis_anchor(share));
                html_write(out, "\">");
                html_text(out, ticks[i].label);
                html_write(out, "</text>");
        }
}

void page_overview(FILE *out, const json_t *report)
{
        Axis axis =
                timeline_axis(report, 0, json_array_size(json_object_get(report, "credentials")));
        Slice slices[SLICES] = {0}, most;
        char length[DURATION_TEXT_MAX];

        count_slices(report, &axis, slices);
        most = find_most(slices);
        duration_format((axis.to_usec - axis.from_usec) / SLICES / (60 * USEC_PER_SEC) *
                                (60 * USEC_PER_SEC),
                        length);
        html_write(out, "<figure class=\"overview\"><figcaption>");
        html_format(
                out,
                "How many began when, %s a bar, at most %u. Hatched, and with their number: the "
                "%u that ended late, left processes or are overdue.",
                length, most.all, most.bad);
        html_write(out, "</figcaption>\n<svg class=\"line\" role=\"img\" height=\"118\" "
                        "aria-labelledby=\"to do\"><title id=\"to\">Credentials by their beginning"
                        "</title><desc id=\"do\">");
        html_format(out,
                    "At most %u in one bar of %s; %u in all ended late, left processes or are "
                    "overdue. The exceptions above name each of them.",
                    most.all, length, most.bad);
        html_write(out, "</desc>\n");
        for (unsigned i = 0; i < SLICES; i++)
                draw_slice(out, &slices[i], i, most.all);
        draw_labels(out, &axis);
        html_write(out, "</svg></figure>\n");
}
