/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libsmartcols behind a wall. It pads, colours and prints; what is shown, and how wide, is decided before
 * (credctl/layout.h), because libsmartcols cuts without a mark, and a user whose name is cut silently looks
 * like another user. */
#include "credctl/table.h"

#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "credctl/layout.h"
#include "credctl/text.h"
#include "credctl/words.h"

/* The names of all columns of any table. */
#define LEFT_OUT_MAX 256

struct Table {
        struct libscols_table *lines;
        const Column *columns; /* the caller's */
        size_t n_columns;
        bool *used;  /* by column: some cell of it says something */
        bool narrow; /* fit the width of the terminal */
        bool quiet;  /* says nothing of what is left out */
        bool unicode;
};

int table_new(const Context *context, const Column *columns, size_t n_columns, Table **ret_table)
{
        CLEANUP(table_freep) Table *table = calloc(1, sizeof *table);

        if (!table)
                return -ENOMEM;
        table->columns = columns;
        table->n_columns = n_columns;
        table->narrow = context->stdout_terminal;
        table->quiet = context->quiet;
        table->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
        table->used = calloc(n_columns, sizeof *table->used);
        table->lines = scols_new_table();
        if (!table->lines || !table->used)
                return -ENOMEM;
        for (size_t i = 0; i < n_columns; i++)
                if (!scols_table_new_column(table->lines, columns[i].name, 0,
                                            columns[i].right ? SCOLS_FL_RIGHT : 0))
                        return -ENOMEM;
        scols_table_enable_noheadings(table->lines, !context->legend);
        scols_table_enable_colors(table->lines, context->colour);
        *ret_table = take_ptr(table);
        return 0;
}

void table_free(Table *table)
{
        if (!table)
                return;
        scols_unref_table(table->lines);
        free(table->used);
        free(table);
}

/* Whether a cell is worth a column. */
static bool says_something(const Column *column, const char *cell)
{
        return cell && *cell && !(column->usual && strcmp(cell, column->usual) == 0);
}

int table_add(Table *table, Style style, const char *const *cells)
{
        struct libscols_line *line = scols_table_new_line(table->lines, NULL);
        int r;

        if (!line)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_columns; i++) {
                char *text = strdup(cells[i] && *cells[i] ? cells[i] : "-");

                if (!text)
                        return -ENOMEM;
                table->used[i] = table->used[i] || says_something(&table->columns[i], cells[i]);
                text_clean(text, table->unicode);
                r = scols_line_refer_data(line, i, text);
                if (r < 0) {
                        free(text);
                        return r;
                }
        }
        return output_colour(style) ? scols_line_set_color(line, output_colour(style)) : 0;
}

static const char *cell_of(const Table *table, size_t row, size_t column)
{
        struct libscols_line *line = scols_table_get_line(table->lines, row);

        return scols_cell_get_data(scols_line_get_cell(line, column));
}

/* How many columns of the terminal the text takes, up to limit; *ret_len: the bytes of that much. A
 * text was cleaned, so each character has a width; one that has none all the same counts as 1. */
static size_t width_of(const char *text, size_t limit, size_t *ret_len)
{
        mbstate_t state = {0};
        size_t width = 0, at = 0;

        while (text[at]) {
                wchar_t c = 0;
                size_t len = mbrtowc(&c, text + at, MB_CUR_MAX, &state);
                int columns = len <= MB_CUR_MAX ? wcwidth(c) : 1;

                if (len > MB_CUR_MAX || len == 0)
                        len = 1;
                if (width + (columns < 0 ? 1 : (size_t)columns) > limit)
                        break;
                width += columns < 0 ? 1 : (size_t)columns;
                at += len;
        }
        *ret_len = at;
        return width;
}

static size_t natural_width(const Table *table, size_t column)
{
        size_t widest = strlen(table->columns[column].name), len;

        for (size_t row = 0; row < scols_table_get_nlines(table->lines); row++) {
                size_t width = width_of(cell_of(table, row, column), SIZE_MAX, &len);

                widest = width > widest ? width : widest;
        }
        return widest;
}

static int cut_cell(Table *table, size_t row, size_t column, size_t width)
{
        const char *text = cell_of(table, row, column);
        size_t len, unused;
        char *shorter = NULL;

        if (width_of(text, SIZE_MAX, &unused) <= width)
                return 0;
        (void)width_of(text, width - 1, &len);
        if (asprintf(&shorter, "%.*s%s", (int)len, text, table->unicode ? "…" : "+") < 0)
                return -ENOMEM;
        return scols_line_refer_data(scols_table_get_line(table->lines, row), column, shorter);
}

/* Width 0: hidden. */
static int set_width(Table *table, size_t column, size_t width)
{
        if (width == 0)
                return scols_column_set_flags(scols_table_get_column(table->lines, column),
                                              SCOLS_FL_HIDDEN);
        for (size_t row = 0; row < scols_table_get_nlines(table->lines); row++) {
                int r = cut_cell(table, row, column, width);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* What people look for in each line is there even if no line has it: it is neither cut nor spared. */
static bool is_wanted(const Table *table, size_t column)
{
        const Column *c = &table->columns[column];

        if (!table->narrow)
                return !c->extra;
        return table->used[column] || (c->least == 0 && c->spare == 0);
}

/* Gives each column its width; *left_out names those that should have had one. */
static int fit(Table *table, LayoutColumn *columns, char left_out[static LEFT_OUT_MAX])
{
        int r = 0;

        *left_out = '\0';
        for (size_t i = 0; i < table->n_columns; i++)
                columns[i] = (LayoutColumn){
                        .natural = is_wanted(table, i) ? natural_width(table, i) : 0,
                        .least = table->columns[i].least,
                        .spare = table->columns[i].spare,
                };
        layout_fit(columns, table->n_columns,
                   table->narrow ? scols_table_get_termwidth(table->lines) : SIZE_MAX);
        for (size_t i = 0; r == 0 && i < table->n_columns; i++) {
                size_t n = strlen(left_out);

                if (columns[i].natural > 0 && columns[i].width == 0 && !table->columns[i].extra)
                        (void)snprintf(left_out + n, LEFT_OUT_MAX - n, "%s%s", n ? ", " : "",
                                       table->columns[i].name);
                r = set_width(table, i, columns[i].width);
        }
        return r;
}

int table_print(Table *table, FILE *stream)
{
        AUTO_FREE LayoutColumn *columns = calloc(table->n_columns, sizeof *columns);
        char left_out[LEFT_OUT_MAX] = "";
        int r;

        if (!columns)
                return -ENOMEM;
        r = scols_table_set_stream(table->lines, stream);
        if (r == 0)
                r = fit(table, columns, left_out);
        if (r == 0)
                r = scols_print_table(table->lines);
        if (r < 0)
                return r;
        if (*left_out && !table->quiet) {
                (void)fflush(stream); /* the note belongs below; output_flush() sees errors */
                words_note("No room for %s; a wider terminal shows them, or --json", left_out);
        }
        return 0;
}
