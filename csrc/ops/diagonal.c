/* Diagonals: as views, and matrices with something on them. */
#include "core/autograd.h"

/* Which elements, told without strides: the same diagonal can be laid over any tensor of the same shape. */
typedef struct {
    int ndim, dim1, dim2;
    int64_t offset;             /* upwards; within the matrix or just outside of it */
    int64_t shape[PG_MAX_DIMS]; /* [ndim] */
} diagonal_params;

/* The view, without history: the other dimensions, then the diagonal. */
static pg_tensor *diagonal_view(pg_tensor *t, const diagonal_params *params)
{
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < t->ndim; d++)
        if (d != params->dim1 && d != params->dim2) {
            shape[n] = t->shape[d];
            strides[n++] = t->strides[d];
        }
    const int64_t down = params->offset < 0 ? -params->offset : 0, right = params->offset > 0 ? params->offset : 0;
    const int64_t rows = t->shape[params->dim1] - down, columns = t->shape[params->dim2] - right;
    const int64_t row = t->strides[params->dim1], column = t->strides[params->dim2];
    shape[n] = rows < columns ? rows : columns;
    strides[n] = row + column;
    return pg_tensor_view(t, n + 1, shape, strides, shape[n] > 0 && t->numel > 0 ? down * row + right * column : 0);
}

static pg_tensor *recorded(pg_tensor *out, pg_tensor *input, const pg_function *function, const diagonal_params *params)
{
    if (out == NULL || !pg_records(1, &input))
        return out;
    pg_node *const node = pg_node_new(function, 1, &input, 0, 1, sizeof *params);
    if (node != NULL)
        memcpy(node->params, params, sizeof *params);
    return pg_attach(out, node);
}

/* The gradient of a diagonal is zero but there; and the gradient of that is the diagonal again. */
static pg_tensor *diagonal_of(pg_tensor *t, const diagonal_params *params);
static pg_tensor *on_diagonal(pg_tensor *g, const diagonal_params *params);

static pg_status diagonal_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = on_diagonal(grads[0], node->params);
    return pg_done(node, out);
}

static pg_status fill_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = diagonal_of(grads[0], node->params);
    return pg_done(node, out);
}

static const pg_function diagonal_function = {.name = "Diagonal", .backward = diagonal_backward, .is_view = true};
static const pg_function fill_function = {.name = "DiagEmbed", .backward = fill_backward};

static pg_tensor *diagonal_of(pg_tensor *t, const diagonal_params *params)
{
    return recorded(diagonal_view(t, params), t, &diagonal_function, params);
}

static pg_tensor *on_diagonal(pg_tensor *g, const diagonal_params *params)
{
    pg_tensor *out = pg_tensor_zeros(g->dtype, params->ndim, params->shape);
    pg_tensor *const part = out == NULL ? NULL : diagonal_view(out, params);
    if (part == NULL || pg_tensor_assign(part, g) != PG_OK) {
        pg_tensor_release(out);
        out = NULL;
    }
    pg_tensor_release(part);
    return recorded(out, g, &fill_function, params);
}

pg_tensor *pg_tensor_diagonal(pg_tensor *t, int64_t offset, int64_t dim1, int64_t dim2)
{
    if (t == NULL)
        return NULL;
    diagonal_params params = {.ndim = t->ndim,
                              .dim1 = pg_wrap_dim("diagonal", dim1, t->ndim),
                              .dim2 = pg_wrap_dim("diagonal", dim2, t->ndim)};
    if (params.dim1 < 0 || params.dim2 < 0)
        return NULL;
    if (params.dim1 == params.dim2) {
        pg_fail(PG_BAD_SHAPE, "diagonal: dimensions cannot be identical: %lld and %lld of the shape %s",
                (long long)dim1, (long long)dim2, PG_SHAPE(t));
        return NULL;
    }
    const int64_t rows = t->shape[params.dim1], columns = t->shape[params.dim2];
    params.offset = offset < -rows ? -rows : offset > columns ? columns : offset;
    memcpy(params.shape, t->shape, sizeof params.shape);
    return diagonal_of(t, &params);
}

pg_tensor *pg_tensor_diag(pg_tensor *t, int64_t offset)
{
    if (t == NULL)
        return NULL;
    if (t->ndim == 2) {
        pg_tensor *const view = pg_tensor_diagonal(t, offset, 0, 1), *const out = pg_tensor_clone(view);
        pg_tensor_release(view);
        return out;
    }
    if (t->ndim != 1) {
        pg_fail(PG_BAD_SHAPE, "diag: supports 1D or 2D tensors, not one of shape %s", PG_SHAPE(t));
        return NULL;
    }
    int64_t n;
    if (offset == INT64_MIN || __builtin_add_overflow(t->shape[0], offset < 0 ? -offset : offset, &n))
        n = INT64_MAX; /* which no tensor has room for */
    return on_diagonal(
        t, &(diagonal_params){.ndim = 2, .dim1 = 0, .dim2 = 1, .offset = n == INT64_MAX ? 0 : offset, .shape = {n, n}});
}
