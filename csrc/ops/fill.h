/* Overwriting in place: both return what self is from then on, a new reference. */
#ifndef PG_OPS_FILL_H
#define PG_OPS_FILL_H

#include "ops/promote.h"

/* source's elements, broadcast to self's shape and converted to its dtype. */
pg_tensor *pg_tensor_copy_(pg_tensor *self, pg_tensor *source);
/* A number, or a tensor without dimensions. */
pg_tensor *pg_tensor_fill_(pg_tensor *self, pg_operand value);

#endif
