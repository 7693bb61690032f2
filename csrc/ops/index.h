/* What an index expression means for a tensor of a certain shape: the same for reading and for writing.
 *
 *     pg_index_plan plan;
 *     pg_status status = pg_index_plan_make(&plan, t, n, index);
 *     ... plan.window, and plan.gather when plan.indexed ...
 *     pg_index_plan_clear(&plan);                                        // after a failure too
 */
#ifndef PG_INDEX_H
#define PG_INDEX_H

#include "ops/window.h"

/* Which elements index tensors pick from a tensor of `shape`; without strides, as a window. */
typedef struct {
    uint8_t ndim, first, last; /* of the indexed dimensions */
    bool in_front;             /* the dimensions of the indices come first in the result, else where `first` is */
    uint8_t n_ndim;
    int64_t shape[PG_MAX_DIMS];   /* [ndim] of what is read */
    int64_t indices[PG_MAX_DIMS]; /* [n_ndim]: the shape that the indices are broadcast to */
} pg_gather_shape;

typedef struct {
    pg_window window; /* first slices, integers and new dimensions... */
    bool indexed;     /* ...then, when there are any, indices into what they leave */
    pg_gather_shape gather;
    pg_tensor *index[PG_MAX_DIMS]; /* [gather.ndim]: int64, owned; NULL for a dimension that is kept whole */
} pg_index_plan;

/* PG_BAD_INDEX, PG_BAD_SHAPE...; nothing is left to clear then, but clearing is allowed. Indices are not compared with
 * the sizes yet. */
pg_status pg_index_plan_make(pg_index_plan *plan, const pg_tensor *t, int n, const pg_index *index);
void pg_index_plan_clear(pg_index_plan *plan);

/* The shape of what an index picks in shape[]; how many dimensions. */
int pg_gather_result(const pg_gather_shape *gather, pg_tensor *const *index, int64_t *shape);
/* Writes packed, contiguous, of that shape and of t's dtype, to where pg_gather would read; indices are checked before. */
pg_status pg_gather_write(const pg_gather_shape *gather, pg_tensor *t, pg_tensor *const *index,
                          const pg_tensor *packed);

/* t[..., index, ...], a copy, recorded. t has the shape of `gather`. */
pg_tensor *pg_gather(const pg_gather_shape *gather, pg_tensor *t, pg_tensor *const *index);
/* Zeros of the shape of `gather`, with the elements of g, which has the shape of what pg_gather returns, added where it
 * would read them, in the order of g. Recorded. */
pg_tensor *pg_gather_add(const pg_gather_shape *gather, pg_tensor *g, pg_tensor *const *index);

#endif
