/* An affine layer in one op: y = x W^T + b. */
#include "core/autograd.h"
#include "kernels/matmul.h"

static pg_status check_linear(const pg_tensor *x, const pg_tensor *weight, const pg_tensor *bias)
{
    if (weight->ndim != 2 || x->ndim == 0 || x->shape[x->ndim - 1] != weight->shape[1])
        return pg_fail(
            PG_BAD_SHAPE,
            "linear: mat1 and mat2 shapes cannot be multiplied: an input of shape %s with a weight of shape %s, "
            "where [..., in] and [out, in] are wanted",
            PG_SHAPE(x), PG_SHAPE(weight));
    if (bias != NULL && (bias->ndim != 1 || bias->shape[0] != weight->shape[0]))
        return pg_fail(PG_BAD_SHAPE,
                       "linear: a bias of shape %s does not go with a weight of shape %s: [out] is wanted",
                       PG_SHAPE(bias), PG_SHAPE(weight));
    if (!pg_is_float(x->dtype) || x->dtype != weight->dtype || (bias != NULL && bias->dtype != x->dtype))
        return pg_fail(PG_BAD_STATE,
                       "linear: expected input, weight and bias to have the same floating dtype, but got %s, "
                       "%s and %s",
                       pg_dtype_name[x->dtype], pg_dtype_name[weight->dtype],
                       bias == NULL ? "no bias" : pg_dtype_name[bias->dtype]);
    return PG_OK;
}

/* x[rows, in] with any strides between its rows, given as [..., in]. */
static bool has_even_rows(const pg_tensor *x)
{
    return x->ndim <= 2 || pg_is_contiguous(x);
}

/* y[rows, out] = x[rows, in] @ weight[out, in]^T + bias[out] */
static pg_status affine(const pg_tensor *x, const pg_tensor *weight, const pg_tensor *bias, pg_tensor *y)
{
    const int64_t in = weight->shape[1], out = weight->shape[0];
    const pg_matmul_job job = {.m = out == 0 ? 0 : y->numel / out,
                               .n = out,
                               .k = in,
                               .a = x->data,
                               .a_row = x->ndim == 2 ? x->strides[0] : in,
                               .a_col = x->strides[x->ndim - 1],
                               .b = weight->data,
                               .b_row = weight->strides[1],
                               .b_col = weight->strides[0],
                               .bias = bias == NULL ? NULL : bias->data,
                               .c = y->data,
                               .ldc = out};
    return y->dtype == PG_FLOAT32 ? pg_matmul_f32(&job) : pg_matmul_f64(&job);
}

static pg_tensor *computed(pg_tensor *x, pg_tensor *weight, pg_tensor *bias)
{
    int64_t shape[PG_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    shape[x->ndim - 1] = weight->shape[0];
    pg_scope scope = {0};
    pg_tensor *const rows = has_even_rows(x) ? x : pg_temp(&scope, pg_tensor_packed(x));
    pg_tensor *const packed_bias = bias == NULL ? NULL : pg_temp(&scope, pg_tensor_packed(bias));
    pg_tensor *y = NULL;
    if (rows != NULL && (bias == NULL || packed_bias != NULL))
        y = pg_tensor_empty(x->dtype, x->ndim, shape);
    if (y != NULL && affine(rows, weight, packed_bias, y) != PG_OK) {
        pg_tensor_release(y);
        y = NULL;
    }
    pg_scope_end(&scope);
    return y;
}

/* [..., n] as [-1, n] */
static pg_tensor *all_rows(pg_scope *scope, pg_tensor *t, int64_t n)
{
    int64_t rows = 1;
    for (int i = 0; i < t->ndim - 1; i++)
        rows *= t->shape[i];
    return t->ndim == 2 ? t : pg_temp(scope, pg_tensor_reshape(t, 2, (int64_t[]){rows, n}));
}

/* dx = g W, dW = g^T x, db = the sum of g's rows. */
static pg_status linear_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    pg_scope scope = {0};
    pg_tensor *const x = node->saved[0].tensor, *const weight = node->saved[1].tensor, *const g = grads[0];
    const int64_t outputs = g->shape[g->ndim - 1];
    if (pg_wants(node, 0))
        out[0] = pg_tensor_matmul(g, weight);
    if (pg_wants(node, 1)) {
        pg_tensor *const g_rows = all_rows(&scope, g, outputs), *const x_rows =
                                                                    all_rows(&scope, x, x->shape[x->ndim - 1]);
        out[1] = pg_tensor_matmul(pg_temp(&scope, pg_tensor_transpose(g_rows, 0, 1)), x_rows);
    }
    if (node->n_edges > 2 && pg_wants(node, 2))
        out[2] = pg_sum_to_shape(g, 1, &outputs);
    pg_scope_end(&scope);
    return pg_done(node, out);
}

static const pg_function linear_function = {.name = "Linear", .backward = linear_backward};

pg_tensor *pg_tensor_linear(pg_tensor *x, pg_tensor *weight, pg_tensor *bias)
{
    if (x == NULL || weight == NULL || check_linear(x, weight, bias) != PG_OK)
        return NULL;
    pg_tensor *const y = computed(x, weight, bias), *const inputs[] = {x, weight, bias};
    if (y == NULL || !pg_records(3, inputs))
        return y;
    pg_node *const node = pg_node_new(&linear_function, bias == NULL ? 2 : 3, inputs, 2, 1, 0);
    if (node != NULL) {
        if (pg_wants(node, 1))
            pg_save(node, 0, x);
        if (pg_wants(node, 0))
            pg_save(node, 1, weight);
    }
    return pg_attach(y, node);
}
