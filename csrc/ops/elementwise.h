/* The rows of ops.def on tensors: broadcast, promoted, recorded. */
#ifndef PG_OPS_ELEMENTWISE_H
#define PG_OPS_ELEMENTWISE_H

#include "core/autograd.h"
#include "kernels/elementwise.h"
#include "ops/promote.h"

/* Row `op` of one or two operands, at least one of which is a tensor. */
pg_tensor *pg_elementwise(int op, const pg_operand *operands);
/* The same, stored over self's elements: what self is from then on, as a new handle. */
pg_tensor *pg_elementwise_in_place(int op, pg_tensor *self, const pg_operand *operands);

/* Whether self can be overwritten by the result, of `dtype`, of an op of inputs[n] (NULL: a number). */
pg_status pg_check_in_place_result(const char *op, const pg_tensor *self, int dtype, int n, pg_tensor *const *inputs);

/* sum += t, of one shape and floating dtype, sum contiguous: without history, and no version moved. */
pg_status pg_add_in_place(pg_tensor *sum, const pg_tensor *t);

/* Bool, without history. */
pg_tensor *pg_compare(pg_comparison comparison, const pg_operand *operands);
/* Of bools and integers, without history. */
pg_tensor *pg_bitwise_op(pg_bitwise op, const pg_operand *operands);

/* ---- for other ops of several operands ---------------------------------------------------------------------------- */

/* Casts the operands that are tensors to dtype, with history: out[n] are new references, NULL for numbers. False on
 * failure, with nothing kept. */
bool pg_cast_operands(int n, const pg_operand *operands, pg_dtype dtype, pg_tensor **out);

/* Where an operand is a number, NULL; where it is a tensor whose making failed, do not call. */
#define PG_TENSOR_OPERAND(t) ((pg_operand){.tensor = (t)})
#define PG_NUMBER_OPERAND(x) ((pg_operand){.number = pg_real(x)})

/* The broadcast shape of the operands that are tensors, in shape[*ndim]. */
pg_status pg_operands_shape(const char *op, int n, pg_tensor *const *inputs, int *ndim, int64_t *shape);

#endif
