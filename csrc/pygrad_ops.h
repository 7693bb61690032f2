/* One builder per row of ops/ops.def: pg_tanh(g, a), pg_mul(g, a, b) and so on, and the row numbers PG_TANH... as
 * the enum pg_op. Separate from pygrad.h because cffi cannot read a file that includes another again and again. */
#ifndef PYGRAD_OPS_H
#define PYGRAD_OPS_H

#include "pygrad.h"

typedef enum {
#define UNARY(name, ...) PG_OP_##name,
#define BINARY(name, ...) PG_OP_##name,
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    PG_OP_COUNT
} pg_op;

#define UNARY(name, ...) \
    static inline pg_value *pg_##name(pg_graph *g, pg_value *a) \
    { \
        return pg_unary(g, PG_OP_##name, a); \
    }
#define BINARY(name, ...) \
    static inline pg_value *pg_##name(pg_graph *g, pg_value *a, pg_value *b) \
    { \
        return pg_binary(g, PG_OP_##name, a, b); \
    }
#include "ops/ops.def"
#undef UNARY
#undef BINARY

#endif
