/* The kernels of the largest and the smallest, by dtype: [0] finds the largest. */
#ifndef PG_EXTREMES_H
#define PG_EXTREMES_H

#include "ops/reduce.h"

/* The value, over any dimensions. */
extern const pg_reducer *const pg_extreme_reducers[2][PG_DTYPES];
/* The value and its first place, over one dimension. */
extern const pg_reducer *const pg_place_reducers[2][PG_DTYPES];

#endif
