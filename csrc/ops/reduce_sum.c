/* sum and mean. */
#include "core/exact.h"

#include "ops/compensated.h"
#include "ops/reduce.h"

#define FLOAT_WHOLE(sum, lost, divisor) (pg_whole(sum, lost) / (divisor))
#define INT_ADD(sum, lost, x) ((void)(lost), *(sum) += (x))
#define INT_WHOLE(sum, lost, divisor) (sum)

#define T float
#define NAME(f) f##_f32
#define SUM double
#define TERM(x) ((SUM)(x))
#define OUT float
#define ADD pg_add_exactly
#define WHOLE FLOAT_WHOLE
#include "ops/reduce_sum_body.h"

#define T double
#define NAME(f) f##_f64
#define SUM double
#define TERM(x) ((SUM)(x))
#define OUT double
#define ADD pg_add_exactly
#define WHOLE FLOAT_WHOLE
#include "ops/reduce_sum_body.h"

#define T uint8_t
#define NAME(f) f##_u8
#define SUM uint64_t
#define TERM(x) ((SUM)(x))
#define OUT int64_t
#define ADD INT_ADD
#define WHOLE INT_WHOLE
#include "ops/reduce_sum_body.h"

#define T int32_t
#define NAME(f) f##_i32
#define SUM uint64_t
#define TERM(x) ((SUM)(x))
#define OUT int64_t
#define ADD INT_ADD
#define WHOLE INT_WHOLE
#include "ops/reduce_sum_body.h"

#define T int64_t
#define NAME(f) f##_i64
#define SUM uint64_t
#define TERM(x) ((SUM)(x))
#define OUT int64_t
#define ADD INT_ADD
#define WHOLE INT_WHOLE
#include "ops/reduce_sum_body.h"

static const pg_reducer *const reducers[PG_DTYPES] = {
    [PG_BOOL] = &sum_u8,   [PG_UINT8] = &sum_u8,    [PG_INT32] = &sum_i32,
    [PG_INT64] = &sum_i64, [PG_FLOAT32] = &sum_f32, [PG_FLOAT64] = &sum_f64,
};

static pg_tensor *total(const pg_tensor *t, const pg_reduction *r, double divisor)
{
    const pg_dtype dtype = pg_is_float(t->dtype) ? t->dtype : PG_INT64;
    pg_tensor *const out = pg_tensor_empty(dtype, r->ndim, r->shape);
    if (out != NULL)
        pg_reduce_run(reducers[t->dtype], t, r, divisor, out, NULL);
    return out;
}

/* ---- sum --------------------------------------------------------------------------------------------------------- */

static pg_status sum_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0))
        out[0] = pg_unreduced(grads[0], node->params);
    return pg_done(node, out);
}
static const pg_function sum_function = {.name = "Sum", .backward = sum_backward};

pg_tensor *pg_tensor_sum(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    pg_reduction r;
    if (t == NULL || pg_reduction_of("sum", t, n_dims, dims, keepdim, &r) != PG_OK)
        return NULL;
    pg_tensor *const out = total(t, &r, 1.0);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&sum_function, 1, &t, 0, 1, sizeof(pg_reduced_from));
    if (node != NULL)
        pg_remember(node->params, t, r.mask);
    return pg_attach(out, node);
}

/* ---- mean -------------------------------------------------------------------------------------------------------- */

typedef struct {
    pg_reduced_from from;
    int64_t n;
} mean_params;

static pg_status mean_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0)) {
        const mean_params *const params = node->params;
        pg_tensor *const g = pg_tensor_binary_number(PG_OP_div, grads[0], (double)params->n);
        out[0] = pg_unreduced(g, &params->from);
        pg_tensor_release(g);
    }
    return pg_done(node, out);
}
static const pg_function mean_function = {.name = "Mean", .backward = mean_backward};

pg_tensor *pg_tensor_mean(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    pg_reduction r;
    if (t == NULL || pg_reduction_of("mean", t, n_dims, dims, keepdim, &r) != PG_OK)
        return NULL;
    if (!pg_is_float(t->dtype)) {
        pg_fail(PG_BAD_STATE, "mean: a tensor of floats is wanted, not %s: name the dtype of the result",
                pg_dtype_name[t->dtype]);
        return NULL;
    }
    pg_tensor *const out = total(t, &r, (double)r.n);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&mean_function, 1, &t, 0, 1, sizeof(mean_params));
    if (node != NULL) {
        mean_params *const params = node->params;
        pg_remember(&params->from, t, r.mask);
        params->n = r.n;
    }
    return pg_attach(out, node);
}
