/* Running totals along a dimension, with history, for rules of other ops. */
#ifndef PG_OPS_SCAN_H
#define PG_OPS_SCAN_H

#include "core/autograd.h"

/* cumsum, from the end when `reverse` is set. t has dimensions. */
pg_tensor *pg_running_sum(pg_tensor *t, int dim, bool reverse);
/* s[i] = b[i] + a[i] s[i - 1] along dim, with a[0] unused; in reverse s[i] = b[i] + a[i + 1] s[i + 1]. a and b are
 * floats of one shape and dtype, with dimensions. */
pg_tensor *pg_recurrence(pg_tensor *a, pg_tensor *b, int dim, bool reverse);
/* fill, x[0], ..., x[n - 2] along dim, which is not empty. */
pg_tensor *pg_shifted(pg_tensor *x, int dim, double fill);

/* dL/dx of running products of x along dim, whose gradient is g: exact where x is 0. `products` may be NULL. */
pg_tensor *pg_cumprod_slope(pg_tensor *x, pg_tensor *products, pg_tensor *g, int dim);

#endif
