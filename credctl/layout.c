/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/layout.h"

#include <stdbool.h>

static size_t least_of(const LayoutColumn *column)
{
        return column->least > 0 && column->least < column->natural ? column->least
                                                                    : column->natural;
}

static size_t total(const LayoutColumn *columns, size_t n_columns)
{
        size_t sum = 0;

        for (size_t i = 0; i < n_columns; i++)
                if (columns[i].width > 0)
                        sum += columns[i].width + (sum > 0 ? LAYOUT_GAP : 0);
        return sum;
}

/* False: there is none that could be. */
static bool leave_one_out(LayoutColumn *columns, size_t n_columns)
{
        LayoutColumn *worst = NULL;

        for (size_t i = 0; i < n_columns; i++)
                if (columns[i].width > 0 && columns[i].spare > (worst ? worst->spare : 0))
                        worst = &columns[i];
        if (worst)
                worst->width = 0;
        return worst != NULL;
}

/* The narrowest of those that are cut, so that room goes where it is missed most; NULL: none is. */
static LayoutColumn *most_cut(LayoutColumn *columns, size_t n_columns)
{
        LayoutColumn *found = NULL;

        for (size_t i = 0; i < n_columns; i++)
                if (columns[i].width > 0 && columns[i].width < columns[i].natural &&
                    (!found || columns[i].width < found->width))
                        found = &columns[i];
        return found;
}

void layout_fit(LayoutColumn *columns, size_t n_columns, size_t room)
{
        LayoutColumn *cut;

        for (size_t i = 0; i < n_columns; i++)
                columns[i].width = least_of(&columns[i]);
        while (total(columns, n_columns) > room && leave_one_out(columns, n_columns))
                ;
        while (total(columns, n_columns) < room && (cut = most_cut(columns, n_columns)))
                cut->width++;
}
