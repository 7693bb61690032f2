/* The vocabulary of ops.def as calls that build a graph. The same texts that expand to arithmetic in the kernels expand here
 * to one operation on tensors for every word. */
#include "ops/rows_recorded.h"

#include "core/autograd.h"
#include "ops/elementwise.h"
#include "ops/select.h"

#include <math.h>

/* Owns what an expression computes on its way. After the first failure every word does nothing. */
enum { MOST_WORDS = 128 };
typedef struct {
    int n;
    bool failed;
    pg_tensor *temps[MOST_WORDS];
} builder;

typedef pg_operand term;

static term keep(builder *m, pg_tensor *t)
{
    if (t == NULL || m->n == MOST_WORDS) {
        if (t != NULL)
            pg_fail(PG_BAD_STATE, "a derivative of more than %d operations cannot be recorded", MOST_WORDS);
        pg_tensor_release(t);
        m->failed = true;
        return PG_NUMBER_OPERAND(0.0);
    }
    m->temps[m->n++] = t;
    return (term){.tensor = t};
}

static double number(term x)
{
    return x.number.kind == PG_FLOAT64 ? x.number.real : (double)x.number.integer;
}

static term row1(builder *m, int op, term x)
{
    if (m->failed || x.tensor == NULL)
        return PG_NUMBER_OPERAND(m->failed ? 0.0 : pg_op_value(op, number(x), 0.0));
    return keep(m, pg_elementwise(op, &x));
}

static term row2(builder *m, int op, term x, term y)
{
    if (m->failed || (x.tensor == NULL && y.tensor == NULL))
        return PG_NUMBER_OPERAND(m->failed ? 0.0 : pg_op_value(op, number(x), number(y)));
    return keep(m, pg_elementwise(op, (pg_operand[]){x, y}));
}

static term compare(builder *m, pg_comparison comparison, term x, term y)
{
    if (m->failed)
        return PG_NUMBER_OPERAND(0.0);
    if (x.tensor != NULL || y.tensor != NULL)
        return keep(m, pg_compare(comparison, (pg_operand[]){x, y}));
    const double a = number(x), b = number(y);
    const bool holds[] = {[PG_EQ] = a == b,
                          [PG_NE] = a != b,
                          [PG_LT] = a<b, [PG_LE] = a <= b, [PG_GT] = a> b,
                          [PG_GE] = a >= b,
                          [PG_LOGICAL_AND] = a != 0 && b != 0,
                          [PG_LOGICAL_OR] = a != 0 || b != 0};
    return (term){.number = {.kind = PG_BOOL, .integer = holds[comparison]}};
}

static term choose(builder *m, term condition, term x, term y)
{
    if (m->failed || condition.tensor == NULL)
        return m->failed || number(condition) != 0 ? x : y;
    return keep(m, pg_where(condition.tensor, (pg_operand[]){x, y}));
}

#define NUM(x) PG_NUMBER_OPERAND(x)
#define ADD(x, y) row2(m, PG_OP_add, x, y)
#define SUB(x, y) row2(m, PG_OP_sub, x, y)
#define MUL(x, y) row2(m, PG_OP_mul, x, y)
#define DIV(x, y) row2(m, PG_OP_div, x, y)
#define POW(x, y) row2(m, PG_OP_pow, x, y)
#define NEG(x) row1(m, PG_OP_neg, x)
#define EXP(x) row1(m, PG_OP_exp, x)
#define EXPM1(x) row1(m, PG_OP_expm1, x)
#define LOG(x) row1(m, PG_OP_log, x)
#define LOG1P(x) row1(m, PG_OP_log1p, x)
#define SQRT(x) row1(m, PG_OP_sqrt, x)
#define ABS(x) row1(m, PG_OP_abs, x)
#define SIGN(x) row1(m, PG_OP_sign, x)
#define SIN(x) row1(m, PG_OP_sin, x)
#define COS(x) row1(m, PG_OP_cos, x)
#define TANH(x) row1(m, PG_OP_tanh, x)
#define SIGMOID(x) row1(m, PG_OP_sigmoid, x)
#define ERF(x) row1(m, PG_OP_erf, x)
#define ERFC(x) row1(m, PG_OP_erfc, x)
#define EXP2(x) row1(m, PG_OP_exp2, x)
#define LOG2(x) row1(m, PG_OP_log2, x)
#define LOG10(x) row1(m, PG_OP_log10, x)
#define TAN(x) row1(m, PG_OP_tan, x)
#define ASIN(x) row1(m, PG_OP_asin, x)
#define ACOS(x) row1(m, PG_OP_acos, x)
#define ATAN(x) row1(m, PG_OP_atan, x)
#define SINH(x) row1(m, PG_OP_sinh, x)
#define COSH(x) row1(m, PG_OP_cosh, x)
#define FLOOR(x) row1(m, PG_OP_floor, x)
#define CEIL(x) row1(m, PG_OP_ceil, x)
#define RINT(x) row1(m, PG_OP_round, x)
#define TRUNC(x) row1(m, PG_OP_trunc, x)
#define ATAN2(x, y) row2(m, PG_OP_atan2, x, y)
#define HYPOT(x, y) row2(m, PG_OP_hypot, x, y)
#define FMOD(x, y) row2(m, PG_OP_fmod, x, y)
#define LT(x, y) compare(m, PG_LT, x, y)
#define LE(x, y) compare(m, PG_LE, x, y)
#define GT(x, y) compare(m, PG_GT, x, y)
#define GE(x, y) compare(m, PG_GE, x, y)
#define EQ(x, y) compare(m, PG_EQ, x, y)
#define ISNAN(x) compare(m, PG_NE, x, x)
#define AND(p, q) compare(m, PG_LOGICAL_AND, p, q)
#define SELECT(condition, x, y) choose(m, condition, x, y)

#define UNUSED __attribute__((unused))
#define SLOPE(d, name, text) \
    static term d##name(UNUSED builder *m, UNUSED term g, UNUSED term a, UNUSED term b, UNUSED term y) \
    { \
        return text; \
    }
#define UNARY(name, symbol, saves, value, da, domain, doc) SLOPE(da_, name, da)
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) SLOPE(da_, name, da) SLOPE(db_, name, db)
#include "ops/ops.def"
#undef UNARY
#undef BINARY

typedef term slope(builder *m, term g, term a, term b, term y);
static slope *const slopes[PG_OP_COUNT][2] = {
#define UNARY(name, ...) {da_##name, NULL},
#define BINARY(name, ...) {da_##name, db_##name},
#include "ops/ops.def"
#undef UNARY
#undef BINARY
};

pg_tensor *pg_row_slope(int op, int i, pg_tensor *g, pg_operand a, pg_operand b, pg_tensor *y)
{
    builder m = {.n = 0, .failed = false};
    const term result = slopes[op][i](&m, (term){.tensor = g}, a, b, (term){.tensor = y});
    pg_tensor *out = NULL;
    if (!m.failed && result.tensor != NULL)
        out = pg_tensor_retain(result.tensor);
    else if (!m.failed) /* a constant: that of sign is 0 */
        out = pg_tensor_full(g->dtype, g->ndim, g->shape, number(result));
    while (m.n > 0)
        pg_tensor_release(m.temps[--m.n]);
    return out;
}
