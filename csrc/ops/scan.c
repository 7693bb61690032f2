/* cumsum and cumprod, and the linear recurrence that differentiates cumprod, itself and prod without dividing. */
#include "core/exact.h"

#include "ops/compensated.h"
#include "ops/reduce.h"
#include "ops/scan.h"

typedef struct {
    const void *x;
    void *y;
    int64_t rows, n;
    bool reverse;
} scan;

#define INT_ADD(sum, lost, x) ((void)(lost), *(sum) += (x))
#define INT_WHOLE(sum, lost) (sum)

#define T float
#define NAME(f) f##_f32
#define SUM double
#define ADD pg_add_exactly
#define WHOLE pg_whole
#include "ops/scan_body.h"

#define T double
#define NAME(f) f##_f64
#define SUM double
#define ADD pg_add_exactly
#define WHOLE pg_whole
#include "ops/scan_body.h"

#define T int64_t
#define NAME(f) f##_i64
#define SUM uint64_t
#define ADD INT_ADD
#define WHOLE INT_WHOLE
#include "ops/scan_body.h"

typedef void scan_loop(const scan *s);
static scan_loop *const sums[PG_DTYPES] = {
    [PG_INT64] = cumsum_i64, [PG_FLOAT32] = cumsum_f32, [PG_FLOAT64] = cumsum_f64};
static scan_loop *const products[PG_DTYPES] = {
    [PG_INT64] = cumprod_i64, [PG_FLOAT32] = cumprod_f32, [PG_FLOAT64] = cumprod_f64};

/* t is int64 or float. No history. */
static pg_tensor *run(scan_loop *loop, pg_tensor *t, int dim, bool reverse)
{
    pg_reduced_from from;
    pg_remember(&from, t, 1u << dim);
    pg_tensor *const x = pg_rows(t, from.mask);
    pg_tensor *const y = x != NULL ? pg_tensor_empty_like(x, x->dtype) : NULL;
    if (y != NULL && y->numel > 0)
        loop(&(scan){x->data, y->data, x->numel / t->shape[dim], t->shape[dim], reverse});
    pg_tensor_release(x);
    return y != NULL ? pg_rows_back(y, &from) : NULL;
}

typedef struct {
    int dim;
    bool reverse;
} scan_params;

/* Gives up both when either is NULL. */
static pg_tensor *attach(pg_tensor *out, pg_node *node, int dim, bool reverse)
{
    if (node != NULL)
        *(scan_params *)node->params = (scan_params){dim, reverse};
    return pg_attach(out, node);
}

/* ---- cumsum ------------------------------------------------------------------------------------------------------ */

static pg_status cumsum_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const scan_params *const params = node->params;
    if (pg_wants(node, 0))
        out[0] = pg_running_sum(grads[0], params->dim, !params->reverse);
    return pg_done(node, out);
}
static const pg_function cumsum_function = {.name = "Cumsum", .backward = cumsum_backward};

pg_tensor *pg_running_sum(pg_tensor *t, int dim, bool reverse)
{
    pg_tensor *const out = t != NULL ? run(sums[t->dtype], t, dim, reverse) : NULL;
    if (out == NULL || !pg_records(1, &t))
        return out;
    return attach(out, pg_node_new(&cumsum_function, 1, &t, 0, 1, sizeof(scan_params)), dim, reverse);
}

/* ---- recurrences ------------------------------------------------------------------------------------------------- */

static void recur(const pg_tensor *a, const pg_tensor *b, pg_tensor *s, int64_t n, bool reverse)
{
    for (int64_t first = 0; first < s->numel; first += n) {
        double last = 0.0;
        for (int64_t k = 0; k < n; k++) {
            const int64_t i = first + (reverse ? n - 1 - k : k), factor = reverse ? i + 1 : i;
            const bool wide = s->dtype == PG_FLOAT64;
            if (k == 0)
                last = wide ? ((const double *)b->data)[i] : (double)((const float *)b->data)[i];
            else if (wide)
                last = ((const double *)b->data)[i] + ((const double *)a->data)[factor] * last;
            else
                last = (double)((const float *)b->data)[i] + (double)((const float *)a->data)[factor] * last;
            if (wide)
                ((double *)s->data)[i] = last;
            else
                ((float *)s->data)[i] = (float)last;
        }
    }
}

/* The adjoint of a recurrence is the one in the other direction. */
static pg_status recurrence_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const scan_params *const params = node->params;
    pg_tensor *const a = node->saved[0].tensor, *const b = node->saved[1].tensor;
    pg_scope scope = {0};
    pg_tensor *const t = pg_temp(&scope, pg_recurrence(a, grads[0], params->dim, !params->reverse));
    if (pg_wants(node, 0)) {
        pg_tensor *const s = pg_temp(&scope, pg_recurrence(a, b, params->dim, params->reverse));
        pg_tensor *const before = pg_temp(&scope, pg_shifted(params->reverse ? t : s, params->dim, 0.0));
        out[0] = pg_tensor_binary(PG_OP_mul, params->reverse ? s : t, before);
    }
    if (pg_wants(node, 1) && t != NULL)
        out[1] = pg_tensor_retain(t);
    pg_scope_end(&scope);
    return pg_done(node, out);
}
static const pg_function recurrence_function = {.name = "Recurrence", .backward = recurrence_backward};

pg_tensor *pg_recurrence(pg_tensor *a, pg_tensor *b, int dim, bool reverse)
{
    if (a == NULL || b == NULL)
        return NULL;
    pg_reduced_from from;
    pg_remember(&from, b, 1u << dim);
    pg_tensor *const rows_a = pg_rows(a, from.mask), *const rows_b = pg_rows(b, from.mask);
    pg_tensor *out = rows_a != NULL && rows_b != NULL ? pg_tensor_empty_like(rows_b, b->dtype) : NULL;
    if (out != NULL)
        recur(rows_a, rows_b, out, b->shape[dim], reverse);
    pg_tensor_release(rows_a);
    pg_tensor_release(rows_b);
    out = out != NULL ? pg_rows_back(out, &from) : NULL;
    pg_tensor *const inputs[] = {a, b};
    if (out == NULL || !pg_records(2, inputs))
        return out;
    pg_node *const node = pg_node_new(&recurrence_function, 2, inputs, 2, 1, sizeof(scan_params));
    pg_save(node, 0, a);
    pg_save(node, 1, b);
    return attach(out, node, dim, reverse);
}

pg_tensor *pg_shifted(pg_tensor *x, int dim, double fill)
{
    if (x == NULL)
        return NULL;
    int64_t shape[PG_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    shape[dim] = 1;
    pg_scope scope = {0};
    pg_tensor *const parts[] = {pg_temp(&scope, pg_tensor_full((pg_dtype)x->dtype, x->ndim, shape, fill)),
                                pg_temp(&scope, pg_tensor_narrow(x, dim, 0, x->shape[dim] - 1))};
    pg_tensor *const out = parts[0] != NULL && parts[1] != NULL ? pg_tensor_cat(2, parts, dim) : NULL;
    pg_scope_end(&scope);
    return out;
}

/* ---- cumprod ----------------------------------------------------------------------------------------------------- */

/* dL/dx[j] is the product of what comes before j, times s[j] = g[j] + x[j + 1] s[j + 1]. */
pg_tensor *pg_cumprod_slope(pg_tensor *x, pg_tensor *y, pg_tensor *g, int dim)
{
    if (x->numel == 0)
        return pg_tensor_zeros((pg_dtype)x->dtype, x->ndim, x->shape);
    pg_scope scope = {0};
    if (y == NULL || pg_grad_enabled()) /* a saved output has no history */
        y = pg_temp(&scope, pg_tensor_cumprod(x, dim));
    pg_tensor *const before = pg_temp(&scope, pg_shifted(y, dim, 1.0));
    pg_tensor *const after = pg_temp(&scope, pg_recurrence(x, g, dim, true));
    pg_tensor *const out = pg_tensor_binary(PG_OP_mul, before, after);
    pg_scope_end(&scope);
    return out;
}

static pg_status cumprod_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const scan_params *const params = node->params;
    if (pg_wants(node, 0))
        out[0] = pg_cumprod_slope(node->saved[0].tensor, node->saved[1].tensor, grads[0], params->dim);
    return pg_done(node, out);
}
static const pg_function cumprod_function = {.name = "Cumprod", .backward = cumprod_backward};

static pg_tensor *running_product(pg_tensor *t, int dim)
{
    pg_tensor *const out = run(products[t->dtype], t, dim, false);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&cumprod_function, 1, &t, 2, 1, sizeof(scan_params));
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return attach(out, node, dim, false);
}

/* ---- for callers ------------------------------------------------------------------------------------------------- */

/* Integers in int64; a number without dimensions is its own total. */
static pg_tensor *running(const char *op, pg_tensor *t, int64_t dim, bool is_sum)
{
    const int along = t != NULL ? pg_wrap_dim(op, dim, t->ndim) : -1;
    if (along < 0)
        return NULL;
    pg_tensor *const x = pg_tensor_to(t, pg_is_float(t->dtype) ? (pg_dtype)t->dtype : PG_INT64);
    if (x == NULL)
        return NULL;
    pg_tensor *const out = t->ndim == 0 ? pg_tensor_clone(x)
                           : is_sum     ? pg_running_sum(x, along, false)
                                        : running_product(x, along);
    pg_tensor_release(x);
    return out;
}

pg_tensor *pg_tensor_cumsum(pg_tensor *t, int64_t dim)
{
    return running("cumsum", t, dim, true);
}

pg_tensor *pg_tensor_cumprod(pg_tensor *t, int64_t dim)
{
    return running("cumprod", t, dim, false);
}
