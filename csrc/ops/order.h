/* Which elements of rows come first. */
#ifndef PG_OPS_ORDER_H
#define PG_OPS_ORDER_H

#include "core/tensor.h"

/* index[rows][k]: the places of the first k of each row of n elements, in order; of equal elements the first comes
 * first. nan counts as the largest. x is contiguous, with rows * n elements; index too, int64. PG_OK, or the failure to
 * get memory. */
pg_status pg_order_rows(const pg_tensor *x, int64_t n, int64_t k, bool descending, pg_tensor *index);

#endif
