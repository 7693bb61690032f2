/* amax, amin, and max and min of everything. Where several elements are the largest they share the gradient. */
#include "ops/extremes.h"

#include "core/iterate.h"
#include "ops/elementwise.h"
#include "ops/select.h"

/* Where there is nothing to choose from: along a dimension without elements, or in a tensor without any. */
static pg_status check_not_empty(const char *op, const pg_tensor *t, const pg_reduction *r, int n_dims)
{
    if (t->numel > 0 || r->n > 0)
        return PG_OK;
    if (n_dims == 0)
        return pg_fail(PG_BAD_SHAPE, "%s: a tensor of shape %s has no elements: name the dim to reduce", op,
                       PG_SHAPE(t));
    for (int d = 0; d < t->ndim; d++)
        if (r->mask >> d & 1 && t->shape[d] == 0)
            return pg_fail(PG_BAD_INDEX, "%s: expected reduction dim %d to have non-zero size, not shape %s", op, d,
                           PG_SHAPE(t));
    return PG_OK;
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* p: x, the extreme, counts; counts += x is the extreme. Where `context` is not NULL nan is equal to nan. Counts are
 * doubles: a float stops at 2^24. */
#define MATCHES(x, y) ((x) == (y) || (nans && (x) != (x) && (y) != (y)))
#define LOOPS(T, suffix) \
    static void count_##suffix(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        const bool nans = context != NULL; \
        for (int64_t i = 0; i < n; i++) { \
            const T x = *(const T *)(p[0] + i * strides[0]), y = *(const T *)(p[1] + i * strides[1]); \
            *(double *)(p[2] + i * strides[2]) += MATCHES(x, y); \
        } \
    } \
    static void share_##suffix(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { /* p: x, the extreme, the share of each, dL/dx; max() picks, amax multiplies, which shows for nan and inf */ \
        const bool nans = context != NULL; \
        for (int64_t i = 0; i < n; i++) { \
            const T x = *(const T *)(p[0] + i * strides[0]), y = *(const T *)(p[1] + i * strides[1]); \
            const T share = (T) * (const double *)(p[2] + i * strides[2]); \
            *(T *)(p[3] + i * strides[3]) = MATCHES(x, y) ? share : nans ? 0 : 0 * share; \
        } \
    }
LOOPS(float, f32)
LOOPS(double, f64)
#undef LOOPS
#undef MATCHES

typedef struct {
    pg_reduced_from from;
    bool nans; /* a nan result is shared among the nans, as max() does; amax has all become nan */
} extreme_params;

static pg_tensor *shared(pg_tensor *g, pg_tensor *x, pg_tensor *y, const extreme_params *params)
{
    const void *const nans = params->nans ? params : NULL;
    const bool wide = x->dtype == PG_FLOAT64;
    pg_scope scope = {0};
    pg_tensor *const counts = pg_temp(&scope, pg_tensor_zeros(PG_FLOAT64, y->ndim, y->shape));
    pg_tensor *const all_y = pg_temp(&scope, pg_unreduced(y, &params->from));
    pg_tensor *const all_counts = pg_temp(&scope, pg_unreduced(counts, &params->from));
    pg_tensor *out = pg_tensor_empty_like(x, x->dtype), *all_shares = NULL;
    pg_iter iter;
    if (all_y != NULL && all_counts != NULL) {
        pg_iter_start(&iter, x->ndim, x->shape, 3, (const pg_tensor *const[]){x, all_y, all_counts});
        pg_iter_run(&iter, wide ? count_f64 : count_f32, nans);
        pg_tensor *const shares = pg_temp(&scope, pg_tensor_binary(PG_OP_div, g, counts));
        all_shares = pg_temp(&scope, pg_unreduced(shares, &params->from));
    }
    if (all_shares != NULL && out != NULL) {
        pg_iter_start(&iter, x->ndim, x->shape, 4, (const pg_tensor *const[]){x, all_y, all_shares, out});
        pg_iter_run(&iter, wide ? share_f64 : share_f32, nans);
    } else {
        pg_tensor_release(out);
        out = NULL;
    }
    pg_scope_end(&scope);
    return out;
}

/* The same as recorded operations: linear in g, with shares that do not change. */
static pg_tensor *shared_recorded(pg_tensor *g, pg_tensor *x, pg_tensor *y, const extreme_params *params)
{
    pg_scope scope = {0};
    pg_tensor *const all_y = pg_temp(&scope, pg_unreduced(y, &params->from)), *is_taken = NULL, *out = NULL;
    if (all_y != NULL)
        is_taken = pg_temp(&scope, pg_compare(PG_EQ, (pg_operand[]){PG_TENSOR_OPERAND(x), PG_TENSOR_OPERAND(all_y)}));
    if (is_taken != NULL && params->nans) {
        pg_tensor *const nan =
            pg_temp(&scope, pg_compare(PG_NE, (pg_operand[]){PG_TENSOR_OPERAND(x), PG_TENSOR_OPERAND(x)}));
        pg_tensor *const result =
            pg_temp(&scope, pg_compare(PG_NE, (pg_operand[]){PG_TENSOR_OPERAND(all_y), PG_TENSOR_OPERAND(all_y)}));
        pg_tensor *const both =
            nan == NULL || result == NULL
                ? NULL
                : pg_temp(&scope, pg_compare(PG_LOGICAL_AND,
                                             (pg_operand[]){PG_TENSOR_OPERAND(nan), PG_TENSOR_OPERAND(result)}));
        is_taken = both == NULL ? NULL
                                : pg_temp(&scope, pg_compare(PG_LOGICAL_OR, (pg_operand[]){PG_TENSOR_OPERAND(is_taken),
                                                                                           PG_TENSOR_OPERAND(both)}));
    }
    int64_t dims[PG_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < params->from.ndim; d++)
        if (params->from.mask >> d & 1)
            dims[n++] = d;
    if (is_taken != NULL) {
        pg_tensor *const ones = pg_temp(&scope, pg_tensor_to(is_taken, g->dtype));
        pg_tensor *const counts =
            n == 0 ? ones : pg_temp(&scope, pg_tensor_sum(ones, n, dims, y->ndim == params->from.ndim));
        pg_tensor *const share = pg_temp(&scope, pg_tensor_binary(PG_OP_div, g, counts));
        pg_tensor *const all = pg_temp(&scope, pg_unreduced(share, &params->from));
        if (all != NULL)
            out = pg_where(is_taken, (pg_operand[]){PG_TENSOR_OPERAND(all), PG_NUMBER_OPERAND(0)});
    }
    pg_scope_end(&scope);
    return out;
}

static pg_status extreme_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0))
        out[0] = (pg_is_recording() ? shared_recorded : shared)(grads[0], node->saved[0].tensor, node->saved[1].tensor,
                                                                node->params);
    return pg_done(node, out);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"Amax", "Amin", "Max", "Min"};
static const pg_function extreme_function = {.backward = extreme_backward, .names = names};

static pg_tensor *extreme(const char *op, bool smallest, bool nans, pg_tensor *t, int n_dims, const int64_t *dims,
                          int keepdim)
{
    pg_reduction r;
    if (t == NULL || pg_reduction_of(op, t, n_dims, dims, keepdim, &r) != PG_OK ||
        check_not_empty(op, t, &r, n_dims) != PG_OK)
        return NULL;
    pg_tensor *const out = pg_tensor_empty(t->dtype, r.ndim, r.shape);
    if (out == NULL)
        return NULL;
    pg_reduce_run(pg_extreme_reducers[smallest][t->dtype], t, &r, 1.0, out, NULL);
    if (!pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&extreme_function, 1, &t, 2, 1, sizeof(extreme_params));
    if (node != NULL) {
        extreme_params *const params = node->params;
        pg_remember(&params->from, t, r.mask);
        params->nans = nans;
        node->op = (uint8_t)(2 * nans + smallest);
    }
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return pg_attach(out, node);
}

pg_tensor *pg_tensor_amax(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    return extreme("amax", false, false, t, n_dims, dims, keepdim);
}

pg_tensor *pg_tensor_amin(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    return extreme("amin", true, false, t, n_dims, dims, keepdim);
}

pg_tensor *pg_tensor_max(pg_tensor *t)
{
    return extreme("max", false, true, t, 0, NULL, 0);
}

pg_tensor *pg_tensor_min(pg_tensor *t)
{
    return extreme("min", true, true, t, 0, NULL, 0);
}
