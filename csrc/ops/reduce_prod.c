/* prod. */
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/scan.h"

#define T float
#define NAME(f) f##_f32
#define SUM double
#define OUT float
#include "ops/reduce_prod_body.h"

#define T double
#define NAME(f) f##_f64
#define SUM double
#define OUT double
#include "ops/reduce_prod_body.h"

#define T uint8_t
#define NAME(f) f##_u8
#define SUM uint64_t
#define OUT int64_t
#include "ops/reduce_prod_body.h"

#define T int32_t
#define NAME(f) f##_i32
#define SUM uint64_t
#define OUT int64_t
#include "ops/reduce_prod_body.h"

#define T int64_t
#define NAME(f) f##_i64
#define SUM uint64_t
#define OUT int64_t
#include "ops/reduce_prod_body.h"

static const pg_reducer *const reducers[PG_DTYPES] = {
    [PG_BOOL] = &prod_u8,   [PG_UINT8] = &prod_u8,    [PG_INT32] = &prod_i32,
    [PG_INT64] = &prod_i64, [PG_FLOAT32] = &prod_f32, [PG_FLOAT64] = &prod_f64,
};

/* Whether a product is 0. */
static bool has_zero(const pg_tensor *y)
{
    bool found = false;
    for (int64_t i = 0; i < y->numel; i++)
        found |= y->dtype == PG_FLOAT64 ? ((const double *)y->data)[i] == 0.0 : ((const float *)y->data)[i] == 0.0f;
    return found;
}

/* The product of the others: of those before an element and those behind it where one may be 0, which then is the
 * gradient of the last running product. Both have the reduced dimension, of size 1 in y and g. */
static pg_tensor *slope(pg_tensor *x, pg_tensor *y, pg_tensor *g, int dim)
{
    if (y == NULL || g == NULL)
        return NULL;
    pg_scope scope = {0};
    pg_tensor *out;
    if (!has_zero(y)) {
        pg_tensor *const scaled = pg_temp(&scope, pg_tensor_binary(PG_OP_mul, g, y));
        out = pg_tensor_binary(PG_OP_div, scaled, x);
    } else {
        int64_t shape[PG_MAX_DIMS];
        memcpy(shape, x->shape, sizeof shape);
        shape[dim]--;
        pg_tensor *const parts[] = {pg_temp(&scope, pg_tensor_zeros((pg_dtype)x->dtype, x->ndim, shape)), g};
        pg_tensor *const last = parts[0] != NULL ? pg_temp(&scope, pg_tensor_cat(2, parts, dim)) : NULL;
        out = last != NULL ? pg_cumprod_slope(x, NULL, last, dim) : NULL;
    }
    pg_scope_end(&scope);
    return out;
}

static pg_status prod_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0)) {
        const pg_reduced_from *const from = node->params;
        pg_tensor *const x = node->saved[0].tensor;
        const int64_t dim = __builtin_ctz(from->mask);
        pg_scope scope = {0};
        pg_tensor *const y = pg_grad_enabled() ? pg_temp(&scope, pg_tensor_prod(x, &dim, true))
                                               : pg_temp(&scope, pg_kept(node->saved[1].tensor, from));
        out[0] = x->numel == 0 ? pg_tensor_zeros((pg_dtype)x->dtype, x->ndim, x->shape)
                               : slope(x, y, pg_temp(&scope, pg_kept(grads[0], from)), (int)dim);
        pg_scope_end(&scope);
    }
    return pg_done(node, out);
}
static const pg_function prod_function = {.name = "Prod", .backward = prod_backward};

static pg_tensor *along(pg_tensor *t, int64_t dim, int keepdim)
{
    pg_reduction r;
    if (pg_reduction_of("prod", t, 1, &dim, keepdim, &r) != PG_OK)
        return NULL;
    pg_tensor *const out = pg_tensor_empty(pg_is_float(t->dtype) ? (pg_dtype)t->dtype : PG_INT64, r.ndim, r.shape);
    if (out == NULL)
        return NULL;
    pg_reduce_run(reducers[t->dtype], t, &r, 1.0, out, NULL);
    if (!pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&prod_function, 1, &t, 2, 1, sizeof(pg_reduced_from));
    if (node != NULL)
        pg_remember(node->params, t, r.mask);
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return pg_attach(out, node);
}

pg_tensor *pg_tensor_prod(pg_tensor *t, const int64_t *dim, int keepdim)
{
    if (t == NULL)
        return NULL;
    if (dim != NULL && t->ndim > 0)
        return along(t, *dim, keepdim);
    if (dim != NULL && pg_wrap_dim("prod", *dim, 0) < 0)
        return NULL;
    pg_tensor *const flat = pg_tensor_reshape(t, 1, (const int64_t[]){t->numel});
    pg_tensor *const out = flat != NULL ? along(flat, 0, 0) : NULL;
    pg_tensor_release(flat);
    return out;
}
