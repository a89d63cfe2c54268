/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libsmartcols behind a wall. */
#include "credctl/table.h"

#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>

#include "credctl/text.h"

struct Table {
        struct libscols_table *lines;
        const Column *columns; /* the caller's */
        size_t n_columns;
        bool *used;  /* by column: some cell of it says something */
        bool narrow; /* columns that say nothing give their room to the others */
};

int table_new(const Context *context, const Column *columns, size_t n_columns, Table **ret_table)
{
        CLEANUP(table_freep) Table *table = calloc(1, sizeof *table);

        if (!table)
                return -ENOMEM;
        table->columns = columns;
        table->n_columns = n_columns;
        table->narrow = context->stdout_terminal;
        table->used = calloc(n_columns, sizeof *table->used);
        table->lines = scols_new_table();
        if (!table->lines || !table->used)
                return -ENOMEM;
        for (size_t i = 0; i < n_columns; i++) {
                int flags = (columns[i].right ? SCOLS_FL_RIGHT : 0) |
                            (columns[i].cut ? SCOLS_FL_TRUNC : 0);

                if (!scols_table_new_column(table->lines, columns[i].name, columns[i].cut ? 0.1 : 0,
                                            flags))
                        return -ENOMEM;
        }
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

int table_add(Table *table, Style style, const char *const *cells)
{
        bool unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
        struct libscols_line *line = scols_table_new_line(table->lines, NULL);
        int r;

        if (!line)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_columns; i++) {
                char *text = strdup(cells[i] && *cells[i] ? cells[i] : "-");

                if (!text)
                        return -ENOMEM;
                table->used[i] = table->used[i] || (cells[i] && *cells[i]);
                text_clean(text, unicode);
                r = scols_line_refer_data(line, i, text);
                if (r < 0) {
                        free(text);
                        return r;
                }
        }
        return output_colour(style) ? scols_line_set_color(line, output_colour(style)) : 0;
}

/* Only those that may be cut: the others are what people look for in each line. */
static int hide_unused(Table *table)
{
        for (size_t i = 0; i < table->n_columns; i++) {
                struct libscols_column *column = scols_table_get_column(table->lines, i);
                int r = 0;

                if (table->columns[i].cut && !table->used[i])
                        r = scols_column_set_flags(column, SCOLS_FL_HIDDEN);
                if (r < 0)
                        return r;
        }
        return 0;
}

int table_print(Table *table, FILE *stream)
{
        int r = scols_table_set_stream(table->lines, stream);

        if (r == 0 && table->narrow)
                r = hide_unused(table);
        if (r < 0)
                return r;
        return scols_print_table(table->lines);
}
