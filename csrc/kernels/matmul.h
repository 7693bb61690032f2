/* Matrix products of any strides. */
#ifndef PG_MATMUL_H
#define PG_MATMUL_H

#include "pygrad.h"

#include <stdbool.h>

/* c[m, n] = a[m, k] @ b[k, n], plus bias[n] on every row where bias is not NULL; with `accumulate` that is added to c.
 *
 * Strides are in elements and may be anything, 0 and negative ones too: a[i, p] is a[i * a_row + p * a_col]. A
 * transpose is a swap of strides and costs no copy. c has its columns side by side and its rows ldc apart; nothing of
 * c is written or read but its m * n elements, and c shares no memory with the others. Any of m, n and k may be 0;
 * the sum of no products is 0. Every product enters the sum, those with a zero too: 0 * inf is nan. */
typedef struct {
    int64_t m, n, k;
    const void *a;
    int64_t a_row, a_col;
    const void *b;
    int64_t b_row, b_col;
    const void *bias;
    void *c;
    int64_t ldc;
    bool accumulate;
} pg_matmul_job;

/* All pointers of the job are to float, or all to double. PG_NO_MEMORY, c untouched, when there is no workspace; small
 * products and those whose operands lie well need none. */
pg_status pg_matmul_f32(const pg_matmul_job *job);
pg_status pg_matmul_f64(const pg_matmul_job *job);

/* The same by the definition, one element of c after the other, summed in double: slow, and what the fast ones are
 * measured by. */
void pg_matmul_naive_f32(const pg_matmul_job *job);
void pg_matmul_naive_f64(const pg_matmul_job *job);

#endif
