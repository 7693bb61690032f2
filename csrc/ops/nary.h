/* Ops of n inputs: one node, one or two blocks. */
#ifndef PG_OPS_NARY_H
#define PG_OPS_NARY_H

#include "core/node.h"

/* Op codes above those of ops.def.
 *
 *   op         slot a                 slot b                      value
 *   SUM        inputs x               -                           x[0] + x[1] + ...
 *   LOGSUMEXP  inputs x               -                           log(exp(x[0]) + ...)
 *   CUSTOM     inputs x               numbers d (or nothing)      the caller's; d[i] is its derivative by x[i]
 *   FUSED | f  inputs or numbers x    inputs w and the bias last  f(bias + x[0] w[0] + ...)
 *
 * f is PG_NO_ACTIVATION or a row of ops.def, whose second operand, where it has one, is the parameter of block w. A
 * block with as many w as x has no bias.
 */
enum { PG_FUSED = 128, PG_NO_ACTIVATION = 120, PG_SUM = 121, PG_LOGSUMEXP = 122, PG_CUSTOM = 123 };

/* Values, from the data of the inputs as they stand. */
double pg_sum_value(pg_block *x);
double pg_logsumexp_value(pg_block *x);
double pg_fused_value(int activation, pg_block *x, pg_block *w);

/* Turns v into a node over blocks, whose references it takes. `w` may be NULL. */
void pg_set_blocks(pg_value *v, int op, double data, pg_block *x, pg_block *w);

void pg_run_nary_rule(pg_value *v);

#endif
