/* Loops that choose between operands. */
#ifndef PG_KERNELS_SELECT_H
#define PG_KERNELS_SELECT_H

#include "core/iterate.h"

/* out, condition (bool), a, b, for elements of that many bytes. */
pg_loop *pg_where_loop(int itemsize);
/* out, x, low, high: min(max(x, low), high), nan where any is nan. No bools. */
pg_loop *pg_clamp_loop(int dtype);
/* out, g, x, low, high: g where low <= x <= high, else 0. */
pg_loop *pg_clamp_slope_loop(int dtype);

#endif
