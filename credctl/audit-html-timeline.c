/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture: a row a credential, with the time in which it let somebody log in, and below it the
 * sessions that did. Along the page places are percentages and down it pixels, so that it fits every
 * width and its text keeps its size. Many credentials are drawn in parts, each with an axis of its own,
 * since an hour of access is nothing on an axis of a month. Those who do not see it have the table,
 * which says more. */

#include "common/cleanup.h"
#include "credctl/audit-html-axis.h"
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"

#define PART_ROWS       9 /* two parts are no higher than a sheet of paper */
#define MANY_ROWS       (2 * PART_ROWS)
#define HEAD_HEIGHT     26u
#define LABEL_HEIGHT    25u
#define LANE_HEIGHT     15u
#define LANES_MAX       3u /* further sessions at once are drawn over the last */
#define NAME_CHARACTERS 20

typedef struct Picture {
        FILE *out;
        const json_t *report;
        Axis axis; /* of this part */
        unsigned y;
} Picture;

static uint64_t now_of(const json_t *report)
{
        return record_number_or(report, "generated_usec", 0);
}

bool timeline_has(const json_t *credential)
{
        return record_number_or(credential, "issued_usec", 0) > 0;
}

/* --- when --- */

static uint64_t window_begin(const json_t *c)
{
        uint64_t issued = record_number_or(c, "issued_usec", 0);
        uint64_t begin = record_number_or(c, "not_before_usec", issued);

        return begin > issued ? begin : issued;
}

/* The last moment at which it let somebody log in. */
static uint64_t window_end(const json_t *c)
{
        uint64_t limit = record_number_or(c, "login_limit_usec", window_begin(c));
        uint64_t closed = record_number_or(c, "closed_usec", limit);
        uint64_t end = closed < limit ? closed : limit;

        return end > window_begin(c) ? end : window_begin(c);
}

static void widen(Axis *axis, uint64_t from_usec, uint64_t to_usec)
{
        if (from_usec < axis->from_usec)
                axis->from_usec = from_usec;
        if (to_usec > axis->to_usec)
                axis->to_usec = to_usec;
}

static void widen_by(Axis *axis, const json_t *report, const json_t *c)
{
        json_t *session;
        size_t i;

        widen(axis, window_begin(c), window_end(c));
        json_array_foreach (json_object_get(c, "sessions"), i, session) {
                uint64_t opened = record_number_or(session, "opened_usec", window_begin(c));

                widen(axis, opened, record_number_or(session, "ended_usec", now_of(report)));
                widen(axis, opened, record_number_or(session, "deadline_usec", opened));
        }
}

/* What is beyond the period is not asked for, but a credential of years must not press a day into a
 * line. Of one moment there is no period: then all is shown. */
Axis timeline_axis(const json_t *report, size_t first, size_t last)
{
        uint64_t since = record_number_or(report, "since_usec", 0);
        uint64_t until = record_number_or(report, "until_usec", USEC_INFINITY);
        Axis axis = {.from_usec = USEC_INFINITY};

        for (size_t i = first; i < last; i++) {
                const json_t *c = json_array_get(json_object_get(report, "credentials"), i);

                if (timeline_has(c))
                        widen_by(&axis, report, c);
        }
        if (!json_is_integer(json_object_get(report, "as_of_usec"))) {
                axis.from_usec = axis.from_usec < since ? since : axis.from_usec;
                axis.to_usec = axis.to_usec > until ? until : axis.to_usec;
        }
        if (axis.to_usec <= axis.from_usec)
                axis.to_usec = axis.from_usec + USEC_PER_SEC;
        return axis;
}

/* What begins or ends with the axis is seen to. */
static Axis with_margin(Axis axis)
{
        uint64_t margin = (axis.to_usec - axis.from_usec) / 50;

        return (Axis){.from_usec = axis.from_usec > margin ? axis.from_usec - margin : 0,
                      .to_usec = axis.to_usec + margin};
}

/* --- marks --- */

static void write_y(FILE *out, unsigned y)
{
        html_write(out, "\" y=\"");
        html_number(out, y);
}

static void draw_bar(const Picture *p, const char *class, uint64_t from, uint64_t to, unsigned y,
                     unsigned height)
{
        unsigned begin = axis_share(&p->axis, from), end = axis_share(&p->axis, to);

        html_write(p->out, "<rect class=\"");
        html_text(p->out, class);
        html_write(p->out, "\" x=\"");
        html_share(p->out, begin);
        write_y(p->out, y);
        html_write(p->out, "\" width=\"");
        html_share(p->out, end > begin ? end - begin : 0);
        html_write(p->out, "\" height=\"");
        html_number(p->out, height);
        html_write(p->out, "\"/>");
}

static void draw_mark(const Picture *p, const char *shape, uint64_t usec, unsigned y)
{
        if (!axis_has(&p->axis, usec))
                return;
        html_write(p->out, "<use href=\"#");
        html_text(p->out, shape);
        html_write(p->out, "\" x=\"");
        html_share(p->out, axis_share(&p->axis, usec));
        write_y(p->out, y);
        html_write(p->out, "\"/>");
}

/* --- a session --- */

static void draw_session(const Picture *p, const json_t *c, const json_t *session, unsigned y)
{
        uint64_t opened = record_number_or(session, "opened_usec", window_begin(c));
        uint64_t end = record_number_or(session, "ended_usec", now_of(p->report));
        uint64_t deadline = record_number_or(session, "deadline_usec", end);
        bool late = session_late_usec(p->report, c, session) > 0;
        bool open = !json_is_integer(json_object_get(session, "ended_usec"));

        draw_bar(p, "ses", opened, late && deadline < end ? deadline : end, y + 3, 6);
        if (late && deadline < end)
                draw_bar(p, "over-due", deadline, end, y + 2, 8);
        if (deadline > end)
                draw_bar(p, "rest", end, deadline, y + 6, 1);
        draw_mark(p, "deadline", deadline, y + 6);
        draw_mark(p, open ? late ? "overdue" : "open" : late ? "late" : "good", end, y + 6);
}

/* The first lane in which the session before it is over. */
static unsigned find_lane(uint64_t busy[static LANES_MAX], uint64_t opened, uint64_t end)
{
        unsigned lane = 0;

        while (lane < LANES_MAX - 1 && busy[lane] > opened)
                lane++;
        busy[lane] = end;
        return lane;
}

/* Draws, if p is there. Returns how many lanes that takes. */
static unsigned each_session(const Picture *p, const json_t *report, const json_t *c)
{
        uint64_t busy[LANES_MAX] = {0};
        unsigned lanes = 1;
        json_t *session;
        size_t i;

        json_array_foreach (json_object_get(c, "sessions"), i, session) {
                uint64_t end = record_number_or(session, "ended_usec", now_of(report));
                uint64_t deadline = record_number_or(session, "deadline_usec", end);
                unsigned lane = find_lane(busy, record_number_or(session, "opened_usec", 0),
                                          deadline > end ? deadline : end);

                if (p)
                        draw_session(p, c, session, p->y + LABEL_HEIGHT + lane * LANE_HEIGHT);
                lanes = lane + 1 > lanes ? lane + 1 : lanes;
        }
        return lanes;
}

/* --- a credential --- */

static unsigned row_height(const json_t *report, const json_t *c)
{
        return LABEL_HEIGHT + each_session(NULL, report, c) * LANE_HEIGHT + 4;
}

static void draw_label(const Picture *p, const json_t *c)
{
        Ending ending = ending_of(c);
        char words[RECORD_TEXT_MAX];

        html_write(p->out, "<text x=\"0");
        write_y(p->out, p->y + 14);
        html_write(p->out, "\">");
        html_text_cut(p->out, record_text_or(c, "user", "–"), NAME_CHARACTERS);
        html_write(p->out, "<tspan class=\"id\" dx=\"8\">");
        html_text_cut(p->out, record_text_or(c, "id", "–"), NAME_CHARACTERS);
        html_write(p->out, "</tspan>");
        if (credential_is_drill(c))
                html_write(p->out, "<tspan class=\"soft\" dx=\"8\">drill</tspan>");
        html_write(p->out, "</text><text x=\"100%");
        write_y(p->out, p->y + 14);
        html_write(p->out, "\" text-anchor=\"end\" class=\"");
        html_text(p->out, ending_is_bad(ending)      ? "t-bad"
                          : ending == ENDING_ON_TIME ? "t-good"
                                                     : "soft");
        html_write(p->out, "\">");
        html_text(p->out, ending_words(c, words));
        html_write(p->out, "</text>");
}

/* A browser shows it over the row. */
static void draw_title(const Picture *p, const json_t *c)
{
        char moment[WHEN_TEXT_MAX];

        html_write(p->out, "<title>");
        html_text(p->out, record_text_or(c, "user", "–"));
        if (record_text(c, "role")) {
                html_write(p->out, ", role ");
                html_text(p->out, record_text(c, "role"));
        }
        html_write(p->out, ", from ");
        html_text(p->out, moment_text(p->report, window_begin(c), moment));
        html_write(p->out, "</title>");
}

static void draw_ends(const Picture *p, const json_t *c)
{
        const json_t *receipt = json_object_get(c, "receipt");
        uint64_t end = window_end(c), now = now_of(p->report);
        size_t sessions = json_array_size(json_object_get(c, "sessions"));

        if (ending_of(c) == ENDING_RESIDUE)
                draw_mark(p, "residue", record_number_or(receipt, "written_usec", end), p->y + 31);
        else if (sessions == 0 && json_is_object(receipt))
                draw_mark(p, ending_of(c) == ENDING_LATE ? "late" : "good", end, p->y + 21);
        else if (sessions == 0 && now < end)
                draw_mark(p, "open", now, p->y + 21);
}

static void draw_credential(Picture *p, const json_t *c)
{
        html_write(p->out, "<g>");
        draw_title(p, c);
        html_write(p->out, "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"");
        html_number(p->out, p->y);
        html_write(p->out, "\" y2=\"");
        html_number(p->out, p->y);
        html_write(p->out, "\"/>");
        draw_label(p, c);
        draw_bar(p, "win", window_begin(c), window_end(c), p->y + 19, 4);
        (void)each_session(p, p->report, c);
        draw_ends(p, c);
        html_write(p->out, "</g>\n");
        p->y += row_height(p->report, c);
}

/* --- a part --- */

static void draw_line(const Picture *p, const char *class, uint64_t usec, unsigned height)
{
        html_write(p->out, "<line class=\"");
        html_text(p->out, class);
        html_write(p->out, "\" y1=\"18\" x1=\"");
        html_share(p->out, axis_share(&p->axis, usec));
        html_write(p->out, "\" x2=\"");
        html_share(p->out, axis_share(&p->axis, usec));
        html_write(p->out, "\" y2=\"");
        html_number(p->out, height);
        html_write(p->out, "\"/>");
}

static void draw_axis(const Picture *p, unsigned height)
{
        AxisTick ticks[AXIS_TICKS_MAX];
        size_t n = axis_ticks(&p->axis, ticks);
        uint64_t asked;

        for (size_t i = 0; i < n; i++) {
                unsigned share = axis_share(&p->axis, ticks[i].usec);

                draw_line(p, "grid", ticks[i].usec, height);
                html_write(p->out, "<text class=\"soft\" y=\"13\" x=\"");
                html_share(p->out, share);
                html_write(p->out, "\" text-anchor=\"");
                html_text(p->out, axis_anchor(share));
                html_write(p->out, "\">");
                html_text(p->out, ticks[i].label);
                html_write(p->out, "</text>");
        }
        if (record_number(p->report, "as_of_usec", &asked) && axis_has(&p->axis, asked))
                draw_line(p, "asked", asked, height);
}

static void draw_part(FILE *out, const json_t *report, size_t first, size_t last, size_t number)
{
        const json_t *credentials = json_object_get(report, "credentials");
        Axis axis = timeline_axis(report, first, last);
        Picture p = {.out = out, .report = report, .axis = with_margin(axis)};
        char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX];
        unsigned height = HEAD_HEIGHT;

        for (size_t i = first; i < last; i++)
                if (timeline_has(json_array_get(credentials, i)))
                        height += row_height(report, json_array_get(credentials, i));
        html_write(out, "<figure><figcaption>");
        html_format(out, "%s to %s", moment_text(report, axis.from_usec, from),
                    moment_text(report, axis.to_usec, to));
        html_write(out, "</figcaption>\n<svg class=\"line\" role=\"img\" height=\"");
        html_number(out, height);
        html_write(out, "\" aria-labelledby=\"");
        html_format(out, "tt%zu td%zu", number, number);
        html_write(out, "\"><title id=\"");
        html_format(out, "tt%zu", number);
        html_write(out, "\">Credentials and their sessions, ");
        html_format(out, "%s to %s", from, to);
        html_write(out, "</title><desc id=\"");
        html_format(out, "td%zu", number);
        html_write(out, "\">One row for each credential: when it let somebody log in, its sessions "
                        "with their deadlines, and how it ended. The table of credentials below "
                        "says the same in words.</desc>\n");
        draw_axis(&p, height);
        for (p.y = HEAD_HEIGHT; first < last; first++)
                if (timeline_has(json_array_get(credentials, first)))
                        draw_credential(&p, json_array_get(credentials, first));
        html_write(out, "</svg></figure>\n");
}

/* --- all of it --- */

static void write_legend(FILE *out)
{
        html_write(out,
                   "<ul class=\"legend\">\n"
                   "<li><svg class=\"bar\" aria-hidden=\"true\"><rect class=\"win\" width=\"100%\" "
                   "y=\"3\" height=\"4\"/></svg>may log in</li>\n"
                   "<li><svg class=\"bar\" aria-hidden=\"true\"><rect class=\"ses\" width=\"100%\" "
                   "y=\"2\" height=\"6\"/></svg>session</li>\n"
                   "<li><svg class=\"icon\" viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">"
                   "<use href=\"#deadline\"/></svg>deadline</li>\n<li>");
        ending_icon(out, ENDING_ON_TIME);
        html_write(out, "ended in time</li>\n<li>");
        ending_icon(out, ENDING_LATE);
        html_write(out, "ended late</li>\n"
                        "<li><svg class=\"bar\" aria-hidden=\"true\"><rect class=\"over-due\" "
                        "width=\"100%\" y=\"1\" height=\"8\"/></svg>after the deadline</li>\n<li>");
        ending_icon(out, ENDING_RESIDUE);
        html_write(out, "processes left</li>\n<li>");
        ending_icon(out, ENDING_OPEN);
        html_write(out, "still open</li>\n<li>");
        ending_icon(out, ENDING_OVERDUE);
        html_write(out, "open past its deadline</li>\n</ul>\n");
}

static void draw_parts(FILE *out, const json_t *report, size_t n, size_t drawn)
{
        const json_t *credentials = json_object_get(report, "credentials");
        size_t first = 0, rows = 0, number = 0;

        if (drawn > MANY_ROWS)
                html_write(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                                "aria-label=\"Timeline\">\n");
        for (size_t i = 0; i < n; i++) {
                rows += timeline_has(json_array_get(credentials, i));
                if (rows == PART_ROWS || (i == n - 1 && rows > 0)) {
                        draw_part(out, report, first, i + 1, number++);
                        first = i + 1;
                        rows = 0;
                }
        }
        if (drawn > MANY_ROWS)
                html_write(out, "</div>\n");
}

void page_timeline(FILE *out, const json_t *report)
{
        const json_t *credentials = json_object_get(report, "credentials");
        size_t n = json_array_size(credentials), drawn = 0;

        for (size_t i = 0; i < n; i++)
                drawn += timeline_has(json_array_get(credentials, i));
        html_write(out, "<section>\n<h2>Timeline</h2>\n");
        if (drawn == 0) {
                html_write(out, "<p class=\"none\">There was nothing to draw.</p>\n</section>\n");
                return;
        }
        if (drawn > MANY_ROWS)
                page_overview(out, report);
        write_legend(out);
        draw_parts(out, report, n, drawn);
        html_write(out, "</section>\n");
}
