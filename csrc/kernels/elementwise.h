/* The inner loops of the elementwise ops: what pg_iter_run calls. */
#ifndef PG_KERNELS_ELEMENTWISE_H
#define PG_KERNELS_ELEMENTWISE_H

#include "core/iterate.h"

/* Of a row of ops.def for one floating dtype. Operands of `value`: y, a, b; of `gradient[i]`, what the op adds to the
 * gradient of input i: out, g, a, b, y. An operand that a row does not read may be any memory. */
typedef struct {
    pg_loop *value;
    pg_loop *gradient[2];
} pg_float_loops;

extern const pg_float_loops pg_loops_f32[], pg_loops_f64[]; /* [row] */

static inline const pg_float_loops *pg_loops_for(int dtype, int op)
{
    return dtype == PG_FLOAT32 ? &pg_loops_f32[op] : &pg_loops_f64[op];
}

/* The loop of a row for bool and integers, or NULL where it has none; operands y, a, b. Its context is a bool *const *,
 * where it sets the bool when it had to divide by zero. */
pg_loop *pg_integer_loop(int dtype, int op);

typedef enum { PG_EQ, PG_NE, PG_LT, PG_LE, PG_GT, PG_GE, PG_LOGICAL_AND, PG_LOGICAL_OR, PG_LOGICAL_XOR } pg_comparison;
/* Operands: bool out, a, b; a and b of `dtype`. */
pg_loop *pg_comparison_loop(int dtype, pg_comparison comparison);

typedef enum { PG_BITWISE_AND, PG_BITWISE_OR, PG_BITWISE_XOR } pg_bitwise;
/* Operands out, a, b of `dtype`, which is no float. */
pg_loop *pg_bitwise_loop(int dtype, pg_bitwise op);

#endif
