/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of text. On a terminal they fit its width, and one that may be cut and says nothing in any
 * line is left out; elsewhere nothing is cut, and every cell but
 * the last column's is one word if its maker makes it so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "credctl/output.h"

typedef struct Column {
        const char *name;
        bool right; /* numbers */
        bool cut;   /* gives way where the terminal is too narrow */
} Column;

typedef struct Table Table;

/* columns must outlive the table. */
int table_new(const Context *context, const Column *columns, size_t n_columns, Table **ret_table);
void table_free(Table *table);
DEFINE_CLEANUP(Table, table_free)
/* One cell a column, copied and cleaned; NULL is shown as "-". */
int table_add(Table *table, Style style, const char *const *cells);
int table_print(Table *table, FILE *stream);
