/* var and std. */
#include "core/exact.h"

#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/select.h"

#include <math.h>

#define T float
#define NAME(f) f##_f32
#include "ops/reduce_var_body.h"

#define T double
#define NAME(f) f##_f64
#include "ops/reduce_var_body.h"

typedef struct {
    pg_reduced_from from;
    double freedom; /* n - correction, not below 0 */
    double correction;
} var_params;

/* dL/dx for g, the gradient of the variance with the reduced dimensions kept: 2 g (x - mean) / freedom. Without a degree
 * of freedom the variance is infinite, and grows with every distance that there is. */
static pg_tensor *slope(pg_tensor *x, pg_tensor *g, const var_params *params)
{
    int64_t dims[PG_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < x->ndim; d++)
        if (params->from.mask >> d & 1)
            dims[n++] = d;
    pg_scope scope = {0};
    pg_tensor *const mean = pg_temp(&scope, pg_tensor_mean(x, n, dims, true));
    pg_tensor *distance = mean != NULL ? pg_temp(&scope, pg_tensor_binary(PG_OP_sub, x, mean)) : NULL;
    if (params->freedom <= 0.0 && distance != NULL)
        distance = pg_temp(&scope, pg_tensor_unary(PG_OP_abs, distance));
    pg_tensor *const scaled = pg_temp(&scope, pg_tensor_binary_number(PG_OP_mul, g, 2.0 / params->freedom));
    pg_tensor *const out = pg_tensor_binary(PG_OP_mul, scaled, distance);
    pg_scope_end(&scope);
    return out;
}

static pg_status var_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0)) {
        const var_params *const params = node->params;
        pg_tensor *const g = pg_kept(grads[0], &params->from);
        out[0] = slope(node->saved[0].tensor, g, params);
        pg_tensor_release(g);
    }
    return pg_done(node, out);
}
static const pg_function var_function = {.name = "Var", .backward = var_backward};

static pg_tensor *spread(const char *op, pg_tensor *t, int n_dims, const int64_t *dims, double correction, int keepdim,
                         var_params *params)
{
    pg_reduction r;
    if (t == NULL || pg_reduction_of(op, t, n_dims, dims, keepdim, &r) != PG_OK)
        return NULL;
    if (!pg_is_float(t->dtype)) {
        pg_fail(PG_BAD_STATE, "%s: a tensor of floats is wanted, not %s", op, pg_dtype_name[t->dtype]);
        return NULL;
    }
    pg_remember(&params->from, t, r.mask);
    params->correction = correction;
    params->freedom = fmax(0.0, (double)r.n - correction);
    pg_tensor *const out = pg_tensor_empty((pg_dtype)t->dtype, r.ndim, r.shape);
    if (out != NULL)
        pg_reduce_run(t->dtype == PG_FLOAT64 ? &var_f64 : &var_f32, t, &r, params->freedom, out, NULL);
    return out;
}

pg_tensor *pg_tensor_var(pg_tensor *t, int n_dims, const int64_t *dims, double correction, int keepdim)
{
    var_params params;
    pg_tensor *const out = spread("var", t, n_dims, dims, correction, keepdim, &params);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&var_function, 1, &t, 1, 1, sizeof params);
    if (node != NULL)
        *(var_params *)node->params = params;
    pg_save(node, 0, t);
    return pg_attach(out, node);
}

/* ---- std --------------------------------------------------------------------------------------------------------- */

/* That of the variance, of g / (2 y), which is 0 where y is. */
static pg_status std_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (!pg_wants(node, 0))
        return PG_OK;
    const var_params *const params = node->params;
    pg_tensor *const x = node->saved[0].tensor;
    pg_scope scope = {0};
    pg_tensor *y = node->saved[1].tensor;
    if (pg_grad_enabled()) { /* a saved output has no history */
        int64_t dims[PG_MAX_DIMS];
        int n = 0;
        for (int d = 0; d < x->ndim; d++)
            if (params->from.mask >> d & 1)
                dims[n++] = d;
        y = pg_temp(&scope, pg_tensor_std(x, n, dims, params->correction, grads[0]->ndim == x->ndim));
    }
    pg_tensor *const twice = y != NULL ? pg_temp(&scope, pg_tensor_binary_number(PG_OP_mul, y, 2.0)) : NULL;
    pg_tensor *const share = twice != NULL ? pg_temp(&scope, pg_tensor_binary(PG_OP_div, grads[0], twice)) : NULL;
    pg_tensor *const flat =
        y != NULL ? pg_temp(&scope, pg_compare(PG_EQ, (pg_operand[]){PG_TENSOR_OPERAND(y), PG_NUMBER_OPERAND(0.0)}))
                  : NULL;
    if (share != NULL && flat != NULL) {
        pg_tensor *const g =
            pg_temp(&scope, pg_where(flat, (pg_operand[]){PG_NUMBER_OPERAND(0.0), PG_TENSOR_OPERAND(share)}));
        out[0] = slope(x, pg_temp(&scope, pg_kept(g, &params->from)), params);
    }
    pg_scope_end(&scope);
    return pg_done(node, out);
}
static const pg_function std_function = {.name = "Std", .backward = std_backward};

pg_tensor *pg_tensor_std(pg_tensor *t, int n_dims, const int64_t *dims, double correction, int keepdim)
{
    var_params params;
    pg_tensor *const square = spread("std", t, n_dims, dims, correction, keepdim, &params);
    if (square == NULL)
        return NULL;
    pg_tensor *const out = pg_tensor_unary(PG_OP_sqrt, square);
    pg_tensor_release(square);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&std_function, 1, &t, 2, 1, sizeof params);
    if (node != NULL)
        *(var_params *)node->params = params;
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return pg_attach(out, node);
}
