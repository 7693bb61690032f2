/* The op table as data, and the rules of scalar nodes. */
#include "core/exact.h"

#include "ops/scalar.h"

#include "core/node.h"
#include "ops/nary.h"

#include <string.h>

/* clang-format off */
#define BRACED(...) {__VA_ARGS__} /* turns a (low, high) of ops.def into an initialiser */
/* clang-format on */
static const pg_op_info rows[] = {
#define UNARY(name, symbol, saves, value, da, domain, doc) {#name, symbol, doc, 1, saves, {BRACED domain, {0, 0}}},
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) \
    {#name, symbol, doc, 2, saves, {BRACED domain_a, BRACED domain_b}},
#include "ops/ops.def"
#undef UNARY
#undef BINARY
};

int pg_op_count(void)
{
    return PG_OP_COUNT;
}

const pg_op_info *pg_op_row(int op)
{
    return op >= 0 && op < PG_OP_COUNT ? &rows[op] : NULL;
}

int pg_op_find(const char *name)
{
    for (int op = 0; op < PG_OP_COUNT; op++)
        if (strcmp(rows[op].name, name) == 0)
            return op;
    return -1;
}

double pg_op_value(int op, double a, double b)
{
    switch (op) {
#define UNARY(name, ...) \
    case PG_OP_##name: \
        return pg_value_##name(a);
#define BINARY(name, ...) \
    case PG_OP_##name: \
        return pg_value_##name(a, b);
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    }
    return NAN;
}

void pg_op_gradient(int op, double g, double a, double b, double y, double *out)
{
    switch (op) {
#define UNARY(name, ...) \
    case PG_OP_##name: \
        out[0] = pg_da_##name(g, a, y); \
        out[1] = 0.0; \
        return;
#define BINARY(name, ...) \
    case PG_OP_##name: \
        out[0] = pg_da_##name(g, a, b, y); \
        out[1] = pg_db_##name(g, a, b, y); \
        return;
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    }
    out[0] = out[1] = NAN;
}

static inline double operand_a(const pg_value *v)
{
    return v->flags & PG_A_INPUT ? v->a.input->data : v->a.number;
}

static inline double operand_b(const pg_value *v)
{
    return v->flags & PG_B_INPUT ? v->b.input->data : v->b.number;
}

void pg_run_rule(pg_value *v)
{
    const double g = v->grad;
    switch (v->op) {
#define UNARY(name, ...) \
    case PG_OP_##name: \
        v->a.input->grad += pg_da_##name(g, v->a.input->data, v->data); \
        return;
#define BINARY(name, ...) \
    case PG_OP_##name: { \
        const double a = operand_a(v), b = operand_b(v), y = v->data; \
        if (v->flags & PG_A_INPUT) \
            v->a.input->grad += pg_da_##name(g, a, b, y); \
        if (v->flags & PG_B_INPUT) \
            v->b.input->grad += pg_db_##name(g, a, b, y); \
        return; \
    }
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    case PG_LEAF:
        return;
    default:
        pg_run_nary_rule(v);
    }
}
