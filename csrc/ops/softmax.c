/* softmax, log_softmax and logsumexp: the rules are for rows, and other dimensions than the last are made rows. */
#include "ops/reduce.h"

#include "core/buffer.h"
#include "core/iterate.h"

#include <math.h>

#define T float
#define NAME(f) f##_f32
#define EXP expf
#include "ops/softmax_body.h"

#define T double
#define NAME(f) f##_f64
#define EXP exp
#include "ops/softmax_body.h"

/* out[n], or out[1], from a[n] and b[n] */
typedef void row_rule(const void *a, const void *b, int64_t n, void *out);

static bool check_float(const char *op, const pg_tensor *t)
{
    if (pg_is_float(t->dtype))
        return true;
    pg_fail(PG_BAD_STATE, "%s: a tensor of floats is wanted, not %s", op, pg_dtype_name[t->dtype]);
    return false;
}

/* ---- softmax, log_softmax ---------------------------------------------------------------------------------------- */

/* A dimension of n elements, `inner` apart, of a contiguous tensor. */
typedef struct {
    int64_t outer, n, inner;
} slices;

static slices slices_of(const pg_reduced_from *from)
{
    const int dim = __builtin_ctz(from->mask);
    slices s = {1, dim < from->ndim ? from->shape[dim] : 1, 1};
    for (int d = 0; d < from->ndim; d++) {
        if (d < dim)
            s.outer *= from->shape[d];
        else if (d > dim)
            s.inner *= from->shape[d];
    }
    return s;
}

/* The rule over columns: a cache line's width of them at a time becomes rows and the results columns again. y may be
 * NULL. */
static pg_status over_columns(row_rule *rule, const pg_tensor *x, const pg_tensor *y, const slices *s, pg_tensor *out)
{
    const bool wide = x->dtype == PG_FLOAT64;
    const int64_t itemsize = wide ? 8 : 4, line = 64 / itemsize, most = s->inner < line ? s->inner : line;
    const int64_t row = s->n * itemsize, third = most * row;
    char *const rows = pg_buffer_take((size_t)(3 * third));
    if (rows == NULL)
        return pg_failure();
    for (int64_t i = 0; i < s->outer; i++)
        for (int64_t j = 0; j < s->inner; j += most) {
            const int64_t w = s->inner - j < most ? s->inner - j : most, at = (i * s->n * s->inner + j) * itemsize;
            (wide ? gather_f64 : gather_f32)(x->data + at, s->n, s->inner, w, rows);
            if (y != NULL)
                (wide ? gather_f64 : gather_f32)(y->data + at, s->n, s->inner, w, rows + third);
            for (int64_t k = 0; k < w; k++)
                rule(rows + k * row, rows + third + k * row, s->n, rows + 2 * third + k * row);
            (wide ? scatter_f64 : scatter_f32)(rows + 2 * third, s->n, s->inner, w, out->data + at);
        }
    pg_buffer_give(rows, (size_t)(3 * third));
    return PG_OK;
}

/* A rule along the dimension of from->mask of a, and of b when there is one, of from's shape. */
static pg_tensor *over_rows(row_rule *rule, pg_tensor *a, pg_tensor *b, const pg_reduced_from *from)
{
    pg_scope scope = {0};
    const pg_tensor *const x = pg_temp(&scope, pg_tensor_packed(a));
    const pg_tensor *const y = b != NULL ? pg_temp(&scope, pg_tensor_packed(b)) : NULL;
    pg_tensor *out = x != NULL && (b == NULL || y != NULL) ? pg_tensor_empty_like(x, x->dtype) : NULL;
    const slices s = slices_of(from);
    if (out != NULL && out->numel > 0 && s.inner > 1) {
        if (over_columns(rule, x, y, &s, out) != PG_OK) {
            pg_tensor_release(out);
            out = NULL;
        }
    } else if (out != NULL && out->numel > 0) {
        const int64_t row = s.n * pg_itemsize[x->dtype];
        for (int64_t at = 0; at < s.outer * row; at += row)
            rule(x->data + at, y != NULL ? y->data + at : NULL, s.n, out->data + at);
    }
    pg_scope_end(&scope);
    return out;
}

enum { SOFTMAX, LOG_SOFTMAX };
static row_rule *const forward[2][2] = {{softmax_row_f32, softmax_row_f64}, {log_softmax_row_f32, log_softmax_row_f64}};
static row_rule *const gradient[2][2] = {{softmax_row_gradient_f32, softmax_row_gradient_f64},
                                         {log_softmax_row_gradient_f32, log_softmax_row_gradient_f64}};

/* y (g - sum(g y)), and g - exp(y) sum(g), as recorded operations. */
static pg_tensor *slope_recorded(pg_node *node, pg_tensor *g)
{
    const pg_reduced_from *const from = node->params;
    const int64_t dim = from->ndim == 0 ? 0 : __builtin_ctz(from->mask);
    pg_scope scope = {0};
    pg_tensor *const y = pg_temp(&scope, pg_saved_output(node, 0, 0)), *out;
    if (node->op == SOFTMAX) {
        pg_tensor *const gy = pg_temp(&scope, pg_tensor_binary(PG_OP_mul, g, y));
        pg_tensor *const sum = pg_temp(&scope, pg_tensor_sum(gy, 1, &dim, 1));
        out = pg_tensor_binary(PG_OP_mul, y, pg_temp(&scope, pg_tensor_binary(PG_OP_sub, g, sum)));
    } else {
        pg_tensor *const sum = pg_temp(&scope, pg_tensor_sum(g, 1, &dim, 1));
        pg_tensor *const p = pg_temp(&scope, pg_tensor_unary(PG_OP_exp, y));
        out = pg_tensor_binary(PG_OP_sub, g, pg_temp(&scope, pg_tensor_binary(PG_OP_mul, p, sum)));
    }
    pg_scope_end(&scope);
    return out;
}

static pg_status softmax_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0) && pg_is_recording()) {
        out[0] = slope_recorded(node, grads[0]);
    } else if (pg_wants(node, 0)) {
        pg_tensor *const y = node->saved[0].tensor;
        out[0] = over_rows(gradient[node->op][y->dtype == PG_FLOAT64], grads[0], y, node->params);
    }
    return pg_done(node, out);
}
static const char *const names[] = {"Softmax", "LogSoftmax"};
static const pg_function softmax_function = {.backward = softmax_backward, .names = names};

static pg_tensor *softmax(int kind, const char *op, pg_tensor *t, int64_t dim)
{
    if (t == NULL || !check_float(op, t))
        return NULL;
    const int wrapped = pg_wrap_dim(op, dim, t->ndim);
    if (wrapped < 0)
        return NULL;
    pg_reduced_from from;
    pg_remember(&from, t, 1u << wrapped);
    pg_tensor *const out = over_rows(forward[kind][t->dtype == PG_FLOAT64], t, NULL, &from);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&softmax_function, 1, &t, 1, 1, sizeof from);
    if (node != NULL) {
        node->op = (uint8_t)kind;
        memcpy(node->params, &from, sizeof from);
    }
    pg_save(node, 0, out);
    return pg_attach(out, node);
}

pg_tensor *pg_tensor_softmax(pg_tensor *t, int64_t dim)
{
    return softmax(SOFTMAX, "softmax", t, dim);
}

pg_tensor *pg_tensor_log_softmax(pg_tensor *t, int64_t dim)
{
    return softmax(LOG_SOFTMAX, "log_softmax", t, dim);
}

/* ---- logsumexp --------------------------------------------------------------------------------------------------- */

/* g exp(x - y) as recorded operations. */
static pg_tensor *logsumexp_slope_recorded(pg_node *node, pg_tensor *g)
{
    pg_scope scope = {0};
    pg_tensor *const y = pg_temp(&scope, pg_saved_output(node, 1, 0));
    pg_tensor *const all_y = pg_temp(&scope, pg_unreduced(y, node->params));
    pg_tensor *const all_g = pg_temp(&scope, pg_unreduced(g, node->params));
    pg_tensor *const below = pg_temp(&scope, pg_tensor_binary(PG_OP_sub, node->saved[0].tensor, all_y));
    pg_tensor *const p = pg_temp(&scope, pg_tensor_unary(PG_OP_exp, below));
    pg_tensor *const out = pg_tensor_binary(PG_OP_mul, all_g, p);
    pg_scope_end(&scope);
    return out;
}

static pg_status logsumexp_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0) && pg_is_recording()) {
        out[0] = logsumexp_slope_recorded(node, grads[0]);
    } else if (pg_wants(node, 0)) {
        pg_tensor *const x = node->saved[0].tensor;
        pg_scope scope = {0};
        const pg_tensor *const g = pg_temp(&scope, pg_unreduced(grads[0], node->params));
        const pg_tensor *const y = pg_temp(&scope, pg_unreduced(node->saved[1].tensor, node->params));
        out[0] = g != NULL && y != NULL ? pg_tensor_empty_like(x, x->dtype) : NULL;
        if (out[0] != NULL) {
            pg_iter iter;
            pg_iter_start(&iter, x->ndim, x->shape, 4, (const pg_tensor *const[]){g, x, y, out[0]});
            pg_iter_run(&iter, x->dtype == PG_FLOAT64 ? logsumexp_gradient_f64 : logsumexp_gradient_f32, NULL);
        }
        pg_scope_end(&scope);
    }
    return pg_done(node, out);
}
static const pg_function logsumexp_function = {.name = "Logsumexp", .backward = logsumexp_backward};

pg_tensor *pg_tensor_logsumexp(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    pg_reduction r;
    if (t == NULL || !check_float("logsumexp", t) ||
        pg_reduction_of("logsumexp", t, n_dims, dims, keepdim, &r) != PG_OK)
        return NULL;
    pg_tensor *const rows = pg_rows(t, r.mask), *const out = pg_tensor_empty(t->dtype, r.ndim, r.shape);
    if (rows == NULL || out == NULL) {
        pg_tensor_release(rows);
        pg_tensor_release(out);
        return NULL;
    }
    const int64_t itemsize = pg_itemsize[t->dtype];
    row_rule *const rule = t->dtype == PG_FLOAT64 ? logsumexp_row_f64 : logsumexp_row_f32;
    for (int64_t i = 0; i < out->numel; i++)
        rule(rows->data + i * r.n * itemsize, NULL, r.n, out->data + i * itemsize);
    pg_tensor_release(rows);
    if (!pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&logsumexp_function, 1, &t, 2, 1, sizeof(pg_reduced_from));
    if (node != NULL)
        pg_remember(node->params, t, r.mask);
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return pg_attach(out, node);
}
