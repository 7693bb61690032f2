/* Adding up the gradients that arrive at one tensor. */
#ifndef PG_ACCUMULATE_H
#define PG_ACCUMULATE_H

#include "core/autograd.h"

/* *sum += t during a walk, where *sum may be NULL. Takes over the reference to t, on failure too. PG_BAD_SHAPE when they
 * differ in shape or dtype; *sum is then as before. */
pg_status pg_add_gradient(pg_tensor **sum, pg_tensor *t);
/* Adds t, a reference of the caller's, to a gradient that people see: the same tensor goes on to hold it, unless a
 * change in place would not be right. *grad NULL becomes t, or a copy of it where others see its memory. */
pg_status pg_accumulate(pg_tensor **grad, pg_tensor *t);

#endif
