/* Changes in place, as part of a graph: what every operation in place ends with. */
#ifndef PG_OPS_REWRITE_H
#define PG_OPS_REWRITE_H

#include "core/autograd.h"

/* Writes values, of self's shape, over self's elements: a new reference to what self is from then on, with the history
 * of values, for which self's host stands, too. Its family (core/tensor.h), as far as it has a host, follows: what shares
 * memory with self becomes what it was, overlaid with self. self has passed pg_check_in_place; it stays as it was on
 * failure. After a success it is gone, unless it has no host or the caller holds a reference of his own. */
pg_tensor *pg_rewrite(pg_tensor *self, pg_tensor *values);
/* A copy of t that stands in its place in the graph: for what backward reads of a tensor that is about to be
 * overwritten. */
pg_tensor *pg_copy_with_history(pg_tensor *t);

#endif
