/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzzers share: saying what does not hold, and taking an input apart. A fuzzer is a function
 * LLVMFuzzerTestOneInput() that keeps nothing from one input to the next; what must hold stands in it as
 * must(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* libFuzzer's entry points; the first need not be there. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, which libFuzzer takes for a finding. */
#define must(holds)                                                                                \
        do {                                                                                       \
                if (!(holds)) {                                                                    \
                        (void)dprintf(STDERR_FILENO, "%s:%d: does not hold: %s\n", __FILE__,       \
                                      __LINE__, #holds);                                           \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)

/* What is left of an input. */
typedef struct FuzzInput {
        const uint8_t *at;
        size_t left;
} FuzzInput;

/* 0 when there is nothing left. */
static inline uint8_t fuzz_byte(FuzzInput *input)
{
        if (input->left == 0)
                return 0;
        input->left--;
        return *input->at++;
}

/* Up to the next byte that is end, or to the end of all, as a string; end is dropped. false: there is
 * nothing left. To be freed. */
static inline bool fuzz_text(FuzzInput *input, uint8_t end, char **ret_text, size_t *ret_len)
{
        const uint8_t *stop;
        size_t len;

        if (input->left == 0)
                return false;
        stop = memchr(input->at, end, input->left);
        len = stop ? (size_t)(stop - input->at) : input->left;
        /* Its own block, so that a read behind its end is one behind a block. */
        *ret_text = malloc(len + 1);
        must(*ret_text);
        memcpy(*ret_text, input->at, len);
        (*ret_text)[len] = '\0';
        *ret_len = len;
        input->at += len;
        input->left -= len;
        (void)(stop ? fuzz_byte(input) : 0);
        return true;
}
