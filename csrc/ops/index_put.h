/* Writing by index, in place. */
#ifndef PG_OPS_INDEX_PUT_H
#define PG_OPS_INDEX_PUT_H

#include "ops/promote.h"

enum { PG_INDEX_MOST = 32 };

/* self[index[0], ..., index[n-1]] = value, a number or a tensor that broadcasts to what the index picks, converted to
 * self's dtype: what self is from then on, a new reference. Where an index picks an element twice the last value stays. */
pg_tensor *pg_tensor_put_(pg_tensor *self, int n, const pg_index *index, pg_operand value);

#endif
