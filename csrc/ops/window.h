/* Basic indexing: a view of some of a tensor's elements, in steps along its dimensions. */
#ifndef PG_WINDOW_H
#define PG_WINDOW_H

#include "core/tensor.h"

/* Which elements, told without strides: the same window can be laid over any tensor of the same shape, as the gradient
 * of the view does. */
typedef struct {
    uint8_t from_ndim, ndim;
    int8_t source[PG_MAX_DIMS];      /* [ndim]: the dimension that is walked, or -1 for a new one of size 1 */
    int64_t from_shape[PG_MAX_DIMS]; /* [from_ndim] */
    int64_t start[PG_MAX_DIMS];      /* [from_ndim]: the first index; the only one where a dimension is not walked */
    int64_t shape[PG_MAX_DIMS];      /* [ndim] */
    int64_t step[PG_MAX_DIMS];       /* [ndim]: may be negative */
} pg_window;

/* The window that shows all of t. */
void pg_window_all(pg_window *window, const pg_tensor *t);
/* Takes away dimension `dim` of the view, at `index` (negative: from the end); PG_BAD_INDEX. */
pg_status pg_window_at(pg_window *window, const char *op, int dim, int64_t index);
/* Narrows dimension `dim` to start:stop:step as Python means it; INT64_MIN and INT64_MAX stand for both ends. */
pg_status pg_window_slice(pg_window *window, const char *op, int dim, int64_t start, int64_t stop, int64_t step);
/* Puts a dimension of size 1 before dimension `dim`; PG_BAD_INDEX when there are PG_MAX_DIMS already. */
pg_status pg_window_new_axis(pg_window *window, const char *op, int dim);
/* Whether the view has every element, in the same order. */
bool pg_window_shows_all(const pg_window *window);

/* The view, without history. */
pg_tensor *pg_window_view(const pg_window *window, pg_tensor *t);
/* The view, recorded. */
pg_tensor *pg_window_apply(const pg_window *window, pg_tensor *t);

#endif
