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

#define NUM(x) (x)
#define ADD(x, y) ((x) + (y))
#define SUB(x, y) ((x) - (y))
#define MUL(x, y) ((x) * (y))
#define DIV(x, y) ((x) / (y))
#define POW(x, y) pow(x, y)
#define NEG(x) (-(x))
#define EXP(x) exp(x)
#define EXPM1(x) expm1(x)
#define LOG(x) log(x)
#define LOG1P(x) log1p(x)
#define SQRT(x) sqrt(x)
#define ABS(x) fabs(x)
#define SIGN(x) ((double)(((x) > 0) - ((x) < 0)))
#define SIN(x) sin(x)
#define COS(x) cos(x)
#define TANH(x) tanh(x)
#define SIGMOID(x) pg_scalar_sigmoid(x)
#define ERF(x) erf(x)
#define ERFC(x) erfc(x)
#define LT(x, y) ((x) < (y))
#define LE(x, y) ((x) <= (y))
#define GT(x, y) ((x) > (y))
#define GE(x, y) ((x) >= (y))
#define EQ(x, y) ((x) == (y))
#define ISNAN(x) ((x) != (x))
#define AND(p, q) ((p) && (q))
#define SELECT(condition, x, y) ((condition) ? (x) : (y))

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

#undef NUM
#undef ADD
#undef SUB
#undef MUL
#undef DIV
#undef POW
#undef NEG
#undef EXP
#undef EXPM1
#undef LOG
#undef LOG1P
#undef SQRT
#undef ABS
#undef SIGN
#undef SIN
#undef COS
#undef TANH
#undef SIGMOID
#undef ERF
#undef ERFC
#undef LT
#undef LE
#undef GT
#undef GE
#undef EQ
#undef ISNAN
#undef AND
#undef SELECT
#undef PG_SCALAR
#undef PG_MAYBE

#endif
