/* norm. */
#include "core/exact.h"

#include "ops/compensated.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/select.h"

#define ROOT(sum, lost, divisor) (sqrt(pg_whole(sum, lost)))
#define PLAIN(sum, lost, divisor) (pg_whole(sum, lost))
#define SQUARE(x) ((double)(x) * (double)(x))
#define MAGNITUDE(x) (fabs((double)(x)))

#define T float
#define NAME(f) f##_squares_f32
#define SUM double
#define TERM SQUARE
#define OUT float
#define ADD pg_add_exactly
#define WHOLE ROOT
#include "ops/reduce_sum_body.h"

#define T double
#define NAME(f) f##_squares_f64
#define SUM double
#define TERM SQUARE
#define OUT double
#define ADD pg_add_exactly
#define WHOLE ROOT
#include "ops/reduce_sum_body.h"

#define T float
#define NAME(f) f##_magnitudes_f32
#define SUM double
#define TERM MAGNITUDE
#define OUT float
#define ADD pg_add_exactly
#define WHOLE PLAIN
#include "ops/reduce_sum_body.h"

#define T double
#define NAME(f) f##_magnitudes_f64
#define SUM double
#define TERM MAGNITUDE
#define OUT double
#define ADD pg_add_exactly
#define WHOLE PLAIN
#include "ops/reduce_sum_body.h"

typedef struct {
    pg_reduced_from from;
    double p;
} norm_params;

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* t, but 0 where at[...] is. Gives up nothing. */
static pg_tensor *zero_where_zero(pg_scope *scope, pg_tensor *at, pg_tensor *t)
{
    if (at == NULL || t == NULL)
        return NULL;
    const pg_operand pair[] = {PG_TENSOR_OPERAND(at), PG_NUMBER_OPERAND(0.0)};
    pg_tensor *const zero = pg_temp(scope, pg_compare(PG_EQ, pair));
    const pg_operand choice[] = {PG_NUMBER_OPERAND(0.0), PG_TENSOR_OPERAND(t)};
    return zero != NULL ? pg_temp(scope, pg_where(zero, choice)) : NULL;
}

/* The largest and the smallest share the gradient among all that are so large. */
static pg_tensor *extreme_slope(pg_scope *scope, pg_tensor *x, pg_tensor *y, pg_tensor *g, uint32_t mask)
{
    int64_t dims[PG_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < x->ndim; d++)
        if (mask >> d & 1)
            dims[n++] = d;
    pg_tensor *const size = pg_temp(scope, pg_tensor_unary(PG_OP_abs, x));
    if (size == NULL || y == NULL)
        return NULL;
    const pg_operand pair[] = {PG_TENSOR_OPERAND(size), PG_TENSOR_OPERAND(y)};
    pg_tensor *const same = pg_temp(scope, pg_compare(PG_EQ, pair));
    pg_tensor *const count = same != NULL ? pg_temp(scope, pg_tensor_sum(same, n, dims, true)) : NULL;
    pg_tensor *const some = count != NULL ? pg_temp(scope, pg_tensor_to(count, (pg_dtype)x->dtype)) : NULL;
    pg_tensor *const share = some != NULL ? pg_temp(scope, pg_tensor_binary(PG_OP_div, g, some)) : NULL;
    pg_tensor *const sign = pg_temp(scope, pg_tensor_unary(PG_OP_sign, x));
    if (share == NULL || sign == NULL)
        return NULL;
    const pg_operand choice[] = {PG_TENSOR_OPERAND(sign), PG_NUMBER_OPERAND(0.0)};
    pg_tensor *const where = pg_temp(scope, pg_where(same, choice));
    /* without a match, for nan, the share is infinite */
    pg_tensor *const finite = where != NULL ? zero_where_zero(scope, some, share) : NULL;
    return finite != NULL ? pg_tensor_binary(PG_OP_mul, where, finite) : NULL;
}

/* g (|x| / y)^(p - 1) sign(x), 0 where x or y is 0. The quotient first: powers overflow earlier. */
static pg_tensor *power_slope(pg_scope *scope, pg_tensor *x, pg_tensor *y, pg_tensor *g, double p)
{
    pg_tensor *ratio = y != NULL ? pg_temp(scope, pg_tensor_binary(PG_OP_div, x, y)) : NULL;
    if (ratio == NULL)
        return NULL;
    if (p != 2.0) {
        pg_tensor *const size = pg_temp(scope, pg_tensor_unary(PG_OP_abs, ratio));
        pg_tensor *const sign = size != NULL ? pg_temp(scope, pg_tensor_unary(PG_OP_sign, x)) : NULL;
        pg_tensor *power = sign != NULL ? pg_temp(scope, pg_tensor_binary_number(PG_OP_pow, size, p - 1.0)) : NULL;
        if (p < 2.0)
            power = zero_where_zero(scope, x, power);
        ratio = power != NULL ? pg_temp(scope, pg_tensor_binary(PG_OP_mul, power, sign)) : NULL;
    }
    ratio = zero_where_zero(scope, y, ratio);
    return ratio != NULL ? pg_tensor_binary(PG_OP_mul, g, ratio) : NULL;
}

static pg_status norm_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (!pg_wants(node, 0))
        return PG_OK;
    const norm_params *const params = node->params;
    pg_tensor *const x = node->saved[0].tensor;
    pg_scope scope = {0};
    pg_tensor *const g = pg_temp(&scope, pg_kept(grads[0], &params->from));
    pg_tensor *y = node->saved[1].tensor;
    if (pg_grad_enabled()) { /* a saved output has no history */
        int64_t dims[PG_MAX_DIMS];
        int n = 0;
        for (int d = 0; d < x->ndim; d++)
            if (params->from.mask >> d & 1)
                dims[n++] = d;
        y = pg_temp(&scope, pg_tensor_norm(x, params->p, n, dims, true));
    }
    y = pg_temp(&scope, pg_kept(y, &params->from));
    if (params->p == 0.0) {
        out[0] = pg_tensor_zeros((pg_dtype)x->dtype, x->ndim, x->shape);
    } else if (params->p == 1.0) {
        pg_tensor *const sign = g != NULL ? pg_temp(&scope, pg_tensor_unary(PG_OP_sign, x)) : NULL;
        out[0] = sign != NULL ? pg_tensor_binary(PG_OP_mul, g, sign) : NULL;
    } else if (g != NULL) {
        out[0] = isinf(params->p) ? extreme_slope(&scope, x, y, g, params->from.mask)
                                  : power_slope(&scope, x, y, g, params->p);
    }
    pg_scope_end(&scope);
    return pg_done(node, out);
}
static const pg_function norm_function = {.name = "LinalgVectorNorm", .backward = norm_backward};

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* Of an order that has no kernel; no history. */
static pg_tensor *other_norm(pg_tensor *t, double p, int n_dims, const int64_t *dims, int keepdim)
{
    pg_scope scope = {0};
    pg_tensor *out = NULL;
    if (p == 0.0) {
        const pg_operand pair[] = {PG_TENSOR_OPERAND(t), PG_NUMBER_OPERAND(0.0)};
        pg_tensor *const some = pg_temp(&scope, pg_compare(PG_NE, pair));
        pg_tensor *const count = some != NULL ? pg_temp(&scope, pg_tensor_sum(some, n_dims, dims, keepdim)) : NULL;
        out = count != NULL ? pg_tensor_to(count, (pg_dtype)t->dtype) : NULL;
    } else {
        pg_tensor *const size = pg_temp(&scope, pg_tensor_unary(PG_OP_abs, t));
        if (size != NULL && isinf(p)) {
            out = p > 0.0 ? pg_tensor_amax(size, n_dims, dims, keepdim) : pg_tensor_amin(size, n_dims, dims, keepdim);
        } else if (size != NULL) {
            pg_tensor *const powers = pg_temp(&scope, pg_tensor_binary_number(PG_OP_pow, size, p));
            pg_tensor *const sum = pg_temp(&scope, pg_tensor_sum(powers, n_dims, dims, keepdim));
            out = sum != NULL ? pg_tensor_binary_number(PG_OP_pow, sum, 1.0 / p) : NULL;
        }
    }
    pg_scope_end(&scope);
    return out;
}

static pg_status check(const pg_tensor *t, double p, const pg_reduction *r)
{
    if (!pg_is_float(t->dtype))
        return pg_fail(PG_BAD_STATE, "norm: a tensor of floats is wanted, not %s", pg_dtype_name[t->dtype]);
    if (isnan(p))
        return pg_fail(PG_BAD_ARGUMENT, "norm: the order p is nan");
    if (r->n == 0 && (p < 0.0 || isinf(p)))
        return pg_fail(PG_BAD_STATE, "norm: no element of a tensor of shape %s is the one that p=%g wants", PG_SHAPE(t),
                       p);
    return PG_OK;
}

pg_tensor *pg_tensor_norm(pg_tensor *t, double p, int n_dims, const int64_t *dims, int keepdim)
{
    pg_reduction r;
    if (t == NULL || pg_reduction_of("norm", t, n_dims, dims, keepdim, &r) != PG_OK || check(t, p, &r) != PG_OK)
        return NULL;
    pg_tensor *out;
    if (p == 1.0 || p == 2.0) {
        static const pg_reducer *const reducers[2][2] = {{&sum_magnitudes_f32, &sum_magnitudes_f64},
                                                         {&sum_squares_f32, &sum_squares_f64}};
        if ((out = pg_tensor_empty((pg_dtype)t->dtype, r.ndim, r.shape)) != NULL)
            pg_reduce_run(reducers[p == 2.0][t->dtype == PG_FLOAT64], t, &r, 1.0, out, NULL);
    } else {
        const int recording = pg_set_grad_enabled(0);
        out = other_norm(t, p, n_dims, dims, keepdim);
        pg_set_grad_enabled(recording);
    }
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&norm_function, 1, &t, 2, 1, sizeof(norm_params));
    if (node != NULL) {
        norm_params *const params = node->params;
        pg_remember(&params->from, t, r.mask);
        params->p = p;
    }
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return pg_attach(out, node);
}
