/* argmax and argmin, and max and min along one dimension, whose gradient goes to the first place alone. */
#include "ops/elementwise.h"
#include "ops/select.h"
#include "ops/extremes.h"

static pg_status check_has_choice(const char *op, const pg_tensor *t, int dim)
{
    if (dim < t->ndim && t->shape[dim] == 0)
        return pg_fail(PG_BAD_INDEX, "%s: expected reduction dim %d to have non-zero size, not shape %s", op, dim,
                       PG_SHAPE(t));
    return PG_OK;
}

/* ---- argmax, argmin ---------------------------------------------------------------------------------------------- */

static pg_tensor *places(const char *op, bool smallest, pg_tensor *t, int64_t dim, int keepdim)
{
    pg_reduction r;
    if (pg_reduction_of(op, t, 1, &dim, keepdim, &r) != PG_OK ||
        check_has_choice(op, t, pg_wrap_dim(op, dim, t->ndim)) != PG_OK)
        return NULL;
    pg_tensor *const index = pg_tensor_empty(PG_INT64, r.ndim, r.shape);
    if (index != NULL)
        pg_reduce_run(pg_place_reducers[smallest][t->dtype], t, &r, 1.0, NULL, index);
    return index;
}

/* Over everything, in row-major order; with keepdim every dimension stays, of size 1. */
static pg_tensor *flat_place(const char *op, bool smallest, pg_tensor *t, int keepdim)
{
    if (t->numel == 0) {
        pg_fail(PG_BAD_INDEX, "%s: a tensor of shape %s has no elements: name the dim to reduce", op, PG_SHAPE(t));
        return NULL;
    }
    const int64_t stride = 1;
    pg_scope scope = {0};
    pg_tensor *const packed = pg_temp(&scope, pg_tensor_packed(t));
    pg_tensor *const flat = packed != NULL ? pg_temp(&scope, pg_tensor_view(packed, 1, &t->numel, &stride, 0)) : NULL;
    pg_tensor *index = flat != NULL ? places(op, smallest, flat, 0, 0) : NULL;
    if (index != NULL && keepdim && t->ndim > 0) {
        const int64_t shape[] = {1, 1, 1, 1, 1, 1, 1, 1};
        pg_temp(&scope, index);
        index = pg_tensor_view(index, t->ndim, shape, shape, 0);
    }
    pg_scope_end(&scope);
    return index;
}

static pg_tensor *argextreme(const char *op, bool smallest, pg_tensor *t, const int64_t *dim, int keepdim)
{
    if (t == NULL)
        return NULL;
    if (t->dtype == PG_BOOL) {
        pg_fail(PG_BAD_STATE, "%s: does not support bool input", op);
        return NULL;
    }
    return dim != NULL ? places(op, smallest, t, *dim, keepdim) : flat_place(op, smallest, t, keepdim);
}

pg_tensor *pg_tensor_argmax(pg_tensor *t, const int64_t *dim, int keepdim)
{
    return argextreme("argmax", false, t, dim, keepdim);
}

pg_tensor *pg_tensor_argmin(pg_tensor *t, const int64_t *dim, int keepdim)
{
    return argextreme("argmin", true, t, dim, keepdim);
}

/* ---- max and min along a dimension ------------------------------------------------------------------------------- */

/* Sets out[index] along dimension dim, where index and g are of size 1 there, or without it. */
static void scatter(pg_tensor *out, int dim, const pg_tensor *g, const pg_tensor *index)
{
    const size_t itemsize = pg_itemsize[out->dtype];
    int64_t inner = 1;
    for (int d = dim + 1; d < out->ndim; d++)
        inner *= out->shape[d];
    const int64_t n = dim < out->ndim ? out->shape[dim] : 1;
    const int64_t *const at = (const int64_t *)index->data;
    for (int64_t i = 0; i < index->numel; i++) {
        const int64_t outer = i / inner;
        memcpy(out->data + (size_t)((outer * n + at[i]) * inner + i % inner) * itemsize, g->data + (size_t)i * itemsize,
               itemsize);
    }
}

/* The same as recorded operations: g where the place is that of the index. */
static pg_tensor *placed_recorded(pg_tensor *g, pg_tensor *index, const pg_reduced_from *from)
{
    pg_scope scope = {0};
    const int dim = __builtin_ctz(from->mask);
    const int64_t n = dim < from->ndim ? from->shape[dim] : 1;
    int64_t shape[PG_MAX_DIMS];
    for (int d = 0; d < from->ndim; d++)
        shape[d] = d == dim ? n : 1;
    pg_tensor *const places = pg_temp(&scope, pg_tensor_arange_int(PG_INT64, 0, n, 1));
    pg_tensor *const along = pg_temp(&scope, pg_tensor_reshape(places, from->ndim, shape));
    pg_tensor *const all_index = pg_temp(&scope, pg_unreduced(index, from)), *const all_g =
                                                                                 pg_temp(&scope, pg_unreduced(g, from));
    pg_tensor *is_place = NULL, *out = NULL;
    if (along != NULL && all_index != NULL)
        is_place =
            pg_temp(&scope, pg_compare(PG_EQ, (pg_operand[]){PG_TENSOR_OPERAND(along), PG_TENSOR_OPERAND(all_index)}));
    if (is_place != NULL && all_g != NULL)
        out = pg_where(is_place, (pg_operand[]){PG_TENSOR_OPERAND(all_g), PG_NUMBER_OPERAND(0)});
    pg_scope_end(&scope);
    return out;
}

static pg_status place_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0) && pg_is_recording()) {
        out[0] = placed_recorded(grads[0], node->saved[0].tensor, node->params);
    } else if (pg_wants(node, 0)) {
        const pg_reduced_from *const from = node->params;
        pg_scope scope = {0};
        const pg_tensor *const g = pg_temp(&scope, pg_tensor_packed(grads[0]));
        out[0] = g != NULL ? pg_tensor_zeros(g->dtype, from->ndim, from->shape) : NULL;
        if (out[0] != NULL)
            scatter(out[0], __builtin_ctz(from->mask), g, node->saved[0].tensor);
        pg_scope_end(&scope);
    }
    return pg_done(node, out);
}
static const char *const names[] = {"Max", "Min"};
static const pg_function place_function = {.backward = place_backward, .names = names};

static pg_tensor *extreme_along(bool smallest, pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices)
{
    const char *const op = smallest ? "min" : "max";
    *indices = NULL;
    pg_reduction r;
    if (t == NULL || pg_reduction_of(op, t, 1, &dim, keepdim, &r) != PG_OK ||
        check_has_choice(op, t, __builtin_ctz(r.mask)) != PG_OK)
        return NULL;
    pg_tensor *values = pg_tensor_empty(t->dtype, r.ndim, r.shape);
    pg_tensor *const index = pg_tensor_empty(PG_INT64, r.ndim, r.shape);
    if (values != NULL && index != NULL) {
        pg_reduce_run(pg_place_reducers[smallest][t->dtype], t, &r, 1.0, values, index);
        if (pg_records(1, &t)) {
            pg_node *const node = pg_node_new(&place_function, 1, &t, 1, 1, sizeof(pg_reduced_from));
            if (node != NULL) {
                pg_remember(node->params, t, r.mask);
                node->op = smallest;
            }
            pg_save(node, 0, index);
            values = pg_attach(values, node);
        }
    }
    if (values == NULL || index == NULL) {
        pg_tensor_release(values);
        pg_tensor_release(index);
        return NULL;
    }
    *indices = index;
    return values;
}

pg_tensor *pg_tensor_max_along(pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices)
{
    return extreme_along(false, t, dim, keepdim, indices);
}

pg_tensor *pg_tensor_min_along(pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices)
{
    return extreme_along(true, t, dim, keepdim, indices);
}
