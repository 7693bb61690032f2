/* Overwriting in place: all return what self is from then on, a new reference. */
#ifndef PG_OPS_FILL_H
#define PG_OPS_FILL_H

#include "ops/promote.h"

/* source's elements, broadcast to self's shape and converted to its dtype. */
pg_tensor *pg_tensor_copy_(pg_tensor *self, pg_tensor *source);
/* A number, or a tensor without dimensions. */
pg_tensor *pg_tensor_fill_(pg_tensor *self, pg_operand value);

/* values, with their history, over self's elements: the end of an operation in place that was computed beside self.
 * Without a history they cut self's: its elements before have no influence. PG_BAD_SHAPE or PG_BAD_STATE, naming `op`,
 * where self cannot be changed, or has another shape or a lower kind of dtype. */
pg_tensor *pg_put_in_place(const char *op, pg_tensor *self, pg_tensor *values);

/* Makes a number one that elements of a dtype are filled with: a float loses its fraction in integers, and becomes
 * whether it is not 0 in bools. PG_BAD_STATE, naming `op`, where it does not fit. */
pg_status pg_number_for(const char *op, pg_number *number, int dtype);

#endif
