/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many credentials began when, and how many of them did not end as they should: for reports whose
 * timeline is too long to be taken in at a glance. */
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"

#define SLICES    31u /* at most: a month of days */
#define HEIGHT    96u
#define TOP       14u /* room for a number above the highest bar */
#define SLICE_GAP 60u

typedef struct Slice {
        unsigned all, bad;
} Slice;

typedef struct Overview {
        FILE *out;
        Axis axis;
        unsigned n; /* slices */
        Slice slices[SLICES];
} Overview;

static void count_slices(const json_t *report, Overview *o)
{
        json_t *c;
        size_t i;

        json_array_foreach (json_object_get(report, "credentials"), i, c) {
                unsigned slice = axis_share(&o->axis, record_number_or(c, "issued_usec", 0)) *
                                 o->n / (AXIS_SHARES + 1);

                if (!timeline_has(c))
                        continue;
                o->slices[slice].all++;
                o->slices[slice].bad += ending_is_bad(ending_of(c));
        }
}

static Slice find_most(const Overview *o)
{
        Slice most = {1, 0};

        for (size_t i = 0; i < o->n; i++) {
                most.all = o->slices[i].all > most.all ? o->slices[i].all : most.all;
                most.bad += o->slices[i].bad;
        }
        return most;
}

/* From below: what went wrong, then the rest. */
static void draw_bar(const Overview *o, const char *class, unsigned slice, unsigned bottom,
                     unsigned height)
{
        unsigned begin = slice * AXIS_SHARES / o->n, end = (slice + 1) * AXIS_SHARES / o->n;

        if (height == 0)
                return;
        html_write(o->out, "<rect class=\"");
        html_text(o->out, class);
        html_write(o->out, "\" x=\"");
        html_share(o->out, begin + SLICE_GAP / 2);
        html_write(o->out, "\" width=\"");
        html_share(o->out, end - begin - SLICE_GAP);
        html_write(o->out, "\" y=\"");
        html_number(o->out, HEIGHT - bottom - height);
        html_write(o->out, "\" height=\"");
        html_number(o->out, height);
        html_write(o->out, "\"/>");
}

static void draw_slice(const Overview *o, unsigned number, unsigned most)
{
        const Slice *slice = &o->slices[number];
        unsigned all = slice->all * (HEIGHT - TOP) / most;
        unsigned bad = slice->bad * (HEIGHT - TOP) / most;

        /* a single one of many is seen, too */
        bad = slice->bad > 0 && bad < 5 ? 5 : bad;
        draw_bar(o, "over-due", number, 0, bad);
        draw_bar(o, "ses", number, bad, all > bad ? all - bad : 0);
        if (slice->bad == 0)
                return;
        html_write(o->out, "<text class=\"t-bad\" text-anchor=\"middle\" x=\"");
        html_share(o->out, (2 * number + 1) * AXIS_SHARES / (2 * o->n));
        html_write(o->out, "\" y=\"");
        html_number(o->out, HEIGHT - (all > bad ? all : bad) - 3);
        html_write(o->out, "\">");
        html_number(o->out, slice->bad);
        html_write(o->out, "</text>");
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
        Overview o = {.out = out,
                      .axis = timeline_axis(
                              report, 0, json_array_size(json_object_get(report, "credentials")))};
        char length[DURATION_TEXT_MAX];
        Slice most;

        o.n = (unsigned)axis_slices(&o.axis, SLICES);
        count_slices(report, &o);
        most = find_most(&o);
        duration_format((o.axis.to_usec - o.axis.from_usec) / o.n, length);
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
        for (unsigned i = 0; i < o.n; i++)
                draw_slice(&o, i, most.all);
        draw_labels(out, &o.axis);
        html_write(out, "</svg></figure>\n");
}
