/* ops.def as arithmetic on doubles: pg_value_<name>(a, b), pg_da_<name>(g, a, b, y), pg_db_<name>(g, a, b, y).
 * The functions of libm are called as Python's math module calls them, so that the numbers are the same. */
#ifndef PG_OPS_SCALAR_H
#define PG_OPS_SCALAR_H

#include "pygrad.h"

#include <math.h>

static inline double pg_scalar_sigmoid(double x)
{
    double e = exp(-fabs(x));
    return (x < 0 ? e : 1.0) / (1.0 + e);
}

#define REAL double
#define LIBM(name) name
#define SIGMOID(x) pg_scalar_sigmoid(x)
#include "ops/vocabulary.h"

/* Not every row reads all that it may read. */
#define PG_MAYBE __attribute__((unused))
#define PG_SCALAR PG_MAYBE static inline double

#define UNARY(name, symbol, saves, value, da, domain, doc) \
    PG_SCALAR pg_value_##name(double a) \
    { \
        return value; \
    } \
    PG_SCALAR pg_da_##name(PG_MAYBE double g, PG_MAYBE double a, PG_MAYBE double y) \
    { \
        return da; \
    }
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) \
    PG_SCALAR pg_value_##name(double a, double b) \
    { \
        return value; \
    } \
    PG_SCALAR pg_da_##name(PG_MAYBE double g, PG_MAYBE double a, PG_MAYBE double b, PG_MAYBE double y) \
    { \
        return da; \
    } \
    PG_SCALAR pg_db_##name(PG_MAYBE double g, PG_MAYBE double a, PG_MAYBE double b, PG_MAYBE double y) \
    { \
        return db; \
    }
#include "ops/ops.def"
#undef UNARY
#undef BINARY

#include "ops/vocabulary_end.h"
#undef PG_SCALAR
#undef PG_MAYBE

#endif
