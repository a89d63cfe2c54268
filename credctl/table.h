/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of text. On a terminal they fit its width: what says nothing is left out, then what matters
 * least, and long texts are cut, with a mark at the cut. Elsewhere every column is there and nothing is cut,
 * and every cell but the last column's is one word if its maker makes it so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "credctl/output.h"

typedef struct Column {
        const char *name;
        bool right;        /* numbers */
        bool extra;        /* on a terminal that has room, and nowhere else */
        unsigned least;    /* gives way down to this width; 0: is never cut */
        unsigned spare;    /* is left out for want of room, the highest first; 0: never */
        const char *usual; /* left out on a terminal if every cell says this, or nothing */
} Column;

typedef struct Table Table;

/* columns must outlive the table. */
int table_new(const Context *context, const Column *columns, size_t n_columns, Table **ret_table);
void table_free(Table *table);
DEFINE_CLEANUP(Table, table_free)
/* One cell a column, copied and cleaned; NULL is shown as "-". */
int table_add(Table *table, Style style, const char *const *cells);
/* Says on stderr which columns there was no room for. */
int table_print(Table *table, FILE *stream);
