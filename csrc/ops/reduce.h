/* Reductions: which dimensions, in which order of memory, with which kernel. */
#ifndef PG_REDUCE_H
#define PG_REDUCE_H

#include "core/autograd.h"

#include <stdlib.h>

typedef struct {
    uint32_t mask; /* bit d: dimension d of the input is reduced */
    int ndim;      /* of the result */
    int64_t shape[PG_MAX_DIMS];
    int64_t n; /* elements of the input behind each of the result */
} pg_reduction;

/* What reducing dims[n_dims] of t gives, all of them when n_dims is 0. PG_BAD_INDEX where one is out of range,
 * PG_BAD_SHAPE where one is named twice; `op` is named. */
pg_status pg_reduction_of(const char *op, const pg_tensor *t, int n_dims, const int64_t *dims, int keepdim,
                          pg_reduction *r);

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

enum { PG_TILE = 64, PG_ACCUMULATOR_BYTES = 32 };

/* One result for each of `w` <= PG_TILE columns, whose accumulators are at acc[w * PG_ACCUMULATOR_BYTES]. `add` reads
 * x[w, n]: element i of column j is at j * across + i * along, in elements. It is called once for every run of the
 * input that one stride describes; `finish` writes out[w], divided by `divisor` where that makes sense, and index[w],
 * NULL where they are not wanted. */
typedef struct {
    void (*start)(void *acc, int64_t w);
    void (*add)(void *acc, const void *x, int64_t w, int64_t across, int64_t n, int64_t along);
    void (*finish)(const void *acc, int64_t w, double divisor, void *out, int64_t *index);
} pg_reducer;

/* Reduces the dimensions of `mask`. out and index are contiguous and have r->shape; either may be NULL. */
void pg_reduce_run(const pg_reducer *reducer, const pg_tensor *t, const pg_reduction *r, double divisor, pg_tensor *out,
                   pg_tensor *index);

/* Whether a tile is better read along the columns than across them. */
static inline bool pg_reads_along(int64_t w, int64_t across, int64_t along)
{
    return w == 1 || llabs(along) <= llabs(across);
}

/* ---- geometry for backward --------------------------------------------------------------------------------------- */

/* What a rule has to know of the input's shape; plain numbers, for pg_node.params. */
typedef struct {
    uint32_t mask;
    int ndim;
    int64_t shape[PG_MAX_DIMS];
} pg_reduced_from;

static inline void pg_remember(pg_reduced_from *from, const pg_tensor *t, uint32_t mask)
{
    from->mask = mask;
    from->ndim = t->ndim;
    memcpy(from->shape, t->shape, sizeof from->shape);
}

/* A view of a reduced tensor, with or without its kept dimensions, in the shape it was reduced from: stride 0 along
 * what was reduced, no data. Recorded where t is to be. */
pg_tensor *pg_unreduced(pg_tensor *t, const pg_reduced_from *from);
/* t with the reduced dimensions in its shape again, with size 1; recorded. */
pg_tensor *pg_kept(pg_tensor *t, const pg_reduced_from *from);
/* A view of t stretched to a shape that it broadcasts to. */
pg_tensor *pg_stretched(pg_tensor *t, int ndim, const int64_t *shape);

/* ---- rows: the reduced dimensions last --------------------------------------------------------------------------- */

/* t with the dimensions of `mask` moved behind the others, contiguous; t itself (a new reference) where it is so. No
 * history. */
pg_tensor *pg_rows(pg_tensor *t, uint32_t mask);
/* The way back: rows of a tensor of `from`'s shape, contiguous in its order of dimensions. Takes over the reference to
 * rows, which may be NULL. */
pg_tensor *pg_rows_back(pg_tensor *rows, const pg_reduced_from *from);

#endif
