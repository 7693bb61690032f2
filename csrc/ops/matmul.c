#include "core/autograd.h"
#include "kernels/matmul.h"

/* ---- products without history ------------------------------------------------------------------------------------- */

static pg_status check_dtypes(const char *op, const pg_tensor *a, const pg_tensor *b)
{
    if (a->dtype != b->dtype)
        return pg_fail(PG_BAD_STATE, "%s: expected both tensors to have the same dtype, but got %s and %s", op,
                       pg_dtype_name[a->dtype], pg_dtype_name[b->dtype]);
    if (a->dtype == PG_BOOL)
        return pg_fail(PG_BAD_STATE, "%s: not defined for bool tensors", op);
    return PG_OK;
}

/* Integers wrap around. */
#define INTEGER_PRODUCT(T) \
    static void product_##T(const pg_matmul_job *job) \
    { \
        for (int64_t i = 0; i < job->m; i++) \
            for (int64_t j = 0; j < job->n; j++) { \
                uint64_t sum = 0; \
                for (int64_t p = 0; p < job->k; p++) \
                    sum += (uint64_t)((const T *)job->a)[i * job->a_row + p * job->a_col] * \
                           (uint64_t)((const T *)job->b)[p * job->b_row + j * job->b_col]; \
                ((T *)job->c)[i * job->ldc + j] = (T)sum; \
            } \
    }
INTEGER_PRODUCT(uint8_t)
INTEGER_PRODUCT(int32_t)
INTEGER_PRODUCT(int64_t)

static pg_status product(int dtype, const pg_matmul_job *job)
{
    switch (dtype) {
    case PG_FLOAT32:
        return pg_matmul_f32(job);
    case PG_FLOAT64:
        return pg_matmul_f64(job);
    case PG_INT64:
        product_int64_t(job);
        return PG_OK;
    case PG_INT32:
        product_int32_t(job);
        return PG_OK;
    default:
        product_uint8_t(job);
        return PG_OK;
    }
}

/* An operand as a stack of matrices. */
typedef struct {
    int batch_ndim;
    const int64_t *batch_shape, *batch_strides;
    int64_t rows, columns, row_stride, column_stride;
} matrices;

static matrices as_matrices(const pg_tensor *t, bool is_left)
{
    if (t->ndim == 1) /* a row on the left, a column on the right */
        return is_left ? (matrices){0, NULL, NULL, 1, t->shape[0], 0, t->strides[0]}
                       : (matrices){0, NULL, NULL, t->shape[0], 1, t->strides[0], 0};
    const int n = t->ndim - 2;
    return (matrices){n, t->shape, t->strides, t->shape[n], t->shape[n + 1], t->strides[n], t->strides[n + 1]};
}

/* Rows of all the matrices on the left as those of one, where their strides allow that. */
static void join_rows(matrices *a)
{
    while (a->batch_ndim > 0) {
        const int last = a->batch_ndim - 1;
        if (a->rows != 1 && a->batch_strides[last] != a->rows * a->row_stride)
            return;
        if (a->rows == 1)
            a->row_stride = a->batch_strides[last];
        a->rows *= a->batch_shape[last];
        a->batch_ndim = last;
    }
}

static int64_t stride_at(const matrices *t, int i, int ndim)
{
    const int own = i - (ndim - t->batch_ndim);
    return own < 0 || t->batch_shape[own] == 1 ? 0 : t->batch_strides[own];
}

static pg_status multiply_stacks(const pg_tensor *a, const pg_tensor *b, int batch_ndim, const int64_t *batch,
                                 pg_tensor *out)
{
    matrices left = as_matrices(a, true), right = as_matrices(b, false);
    int n = batch_ndim;
    if (right.batch_ndim == 0) {
        matrices joined = left;
        join_rows(&joined);
        if (joined.batch_ndim == 0) {
            left = joined;
            n = 0;
        }
    }
    const int itemsize = pg_itemsize[a->dtype];
    pg_matmul_job job = {.m = left.rows,
                         .n = right.columns,
                         .k = left.columns,
                         .a = a->data,
                         .a_row = left.row_stride,
                         .a_col = left.column_stride,
                         .b = b->data,
                         .b_row = right.row_stride,
                         .b_col = right.column_stride,
                         .c = out->data,
                         .ldc = right.columns};
    int64_t count = out->numel > 0, index[PG_MAX_DIMS] = {0};
    for (int i = 0; i < n; i++)
        count *= batch[i];
    while (count-- > 0) {
        const pg_status status = product(a->dtype, &job);
        if (status != PG_OK)
            return status;
        job.c = (char *)job.c + job.m * job.n * itemsize;
        for (int i = n - 1; i >= 0; i--) {
            const bool wraps = ++index[i] == batch[i];
            const int64_t steps = wraps ? -(batch[i] - 1) : 1;
            job.a = (const char *)job.a + steps * stride_at(&left, i, n) * itemsize;
            job.b = (const char *)job.b + steps * stride_at(&right, i, n) * itemsize;
            if (!wraps)
                break;
            index[i] = 0;
        }
    }
    return PG_OK;
}

static pg_status check_matmul(const pg_tensor *a, const pg_tensor *b)
{
    if (a->ndim == 0 || b->ndim == 0)
        return pg_fail(PG_BAD_SHAPE,
                       "matmul: both arguments need to be at least 1D, but they have the shapes %s and %s", PG_SHAPE(a),
                       PG_SHAPE(b));
    const int64_t k = a->shape[a->ndim - 1], l = b->shape[b->ndim == 1 ? 0 : b->ndim - 2];
    if (k != l)
        return pg_fail(
            PG_BAD_SHAPE,
            "matmul: mat1 and mat2 shapes cannot be multiplied (%s and %s): the last size of the first, %lld, "
            "is not the %s size of the second, %lld",
            PG_SHAPE(a), PG_SHAPE(b), (long long)k, b->ndim == 1 ? "only" : "last but one", (long long)l);
    return check_dtypes("matmul", a, b);
}

static pg_tensor *multiplied(const pg_tensor *a, const pg_tensor *b)
{
    if (check_matmul(a, b) != PG_OK)
        return NULL;
    int64_t shape[PG_MAX_DIMS + 2];
    int ndim = a->ndim > 2 ? a->ndim - 2 : 0;
    memcpy(shape, a->shape, (size_t)ndim * sizeof *shape);
    if (pg_broadcast_shape("matmul", &ndim, shape, b->ndim > 2 ? b->ndim - 2 : 0, b->shape) != PG_OK) {
        pg_fail(PG_BAD_SHAPE, "matmul: the outer dimensions of the shapes %s and %s do not broadcast", PG_SHAPE(a),
                PG_SHAPE(b));
        return NULL;
    }
    const int batch_ndim = ndim;
    if (a->ndim > 1)
        shape[ndim++] = a->shape[a->ndim - 2];
    if (b->ndim > 1)
        shape[ndim++] = b->shape[b->ndim - 1];
    pg_tensor *const out = pg_tensor_empty(a->dtype, ndim, shape);
    if (out != NULL && multiply_stacks(a, b, batch_ndim, shape, out) != PG_OK) {
        pg_tensor_release(out);
        return NULL;
    }
    return out;
}

/* ---- matmul: C = A B, dA = dC B^T, dB = A^T dC -------------------------------------------------------------------- */

/* With the dimension that a vector lacks: a row on the left, a column on the right. */
static pg_tensor *as_matrix(pg_scope *scope, pg_tensor *t, bool is_left)
{
    return t == NULL || t->ndim > 1 ? t : pg_temp(scope, pg_tensor_unsqueeze(t, is_left ? 0 : 1));
}

static pg_tensor *transposed(pg_scope *scope, pg_tensor *t)
{
    return pg_temp(scope, pg_tensor_transpose(t, -1, -2));
}

/* [..., m, n] as [-1, n] */
static pg_tensor *all_rows(pg_scope *scope, pg_tensor *t)
{
    if (t == NULL)
        return NULL;
    const int64_t n = t->shape[t->ndim - 1];
    int64_t rows = 1;
    for (int i = 0; i < t->ndim - 1; i++)
        rows *= t->shape[i];
    const int64_t shape[] = {rows, n};
    return pg_temp(scope, pg_tensor_reshape(t, 2, shape));
}

typedef struct {
    int ndim;
    int64_t shape[PG_MAX_DIMS];
} input_shape;

/* The gradient of an input from the gradient of it as matrices, broadcast. */
static pg_tensor *in_shape_of(pg_scope *scope, pg_tensor *grad, const input_shape *input, bool is_left)
{
    const int64_t n = input->shape[0], row[] = {1, n}, column[] = {n, 1};
    if (input->ndim > 1)
        return pg_sum_to_shape(grad, input->ndim, input->shape);
    pg_tensor *const vector = pg_temp(scope, pg_sum_to_shape(grad, 2, is_left ? row : column));
    return pg_tensor_reshape(vector, 1, input->shape);
}

static pg_status matmul_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    pg_scope scope = {0};
    const input_shape *const a = node->params, *const b = a + 1;
    pg_tensor *g = grads[0];
    if (b->ndim == 1)
        g = pg_temp(&scope, pg_tensor_unsqueeze(g, -1));
    if (a->ndim == 1)
        g = pg_temp(&scope, pg_tensor_unsqueeze(g, -2));
    if (pg_wants(node, 0)) {
        pg_tensor *const right = as_matrix(&scope, node->saved[1].tensor, false);
        out[0] = in_shape_of(&scope, pg_temp(&scope, pg_tensor_matmul(g, transposed(&scope, right))), a, true);
    }
    if (pg_wants(node, 1)) {
        pg_tensor *left = as_matrix(&scope, node->saved[0].tensor, true);
        if (b->ndim <= 2 && a->ndim > 2) { /* one product for the whole stack, instead of a sum of many */
            left = all_rows(&scope, left);
            g = all_rows(&scope, g);
        }
        out[1] = in_shape_of(&scope, pg_temp(&scope, pg_tensor_matmul(transposed(&scope, left), g)), b, false);
    }
    pg_scope_end(&scope);
    return pg_done(node, out);
}

static const pg_function matmul_function = {.name = "Matmul", .backward = matmul_backward};

pg_tensor *pg_tensor_matmul(pg_tensor *a, pg_tensor *b)
{
    if (a == NULL || b == NULL)
        return NULL;
    pg_tensor *const out = multiplied(a, b), *const inputs[] = {a, b};
    if (out == NULL || !pg_is_float(out->dtype) || !pg_records(2, inputs))
        return out;
    pg_node *const node = pg_node_new(&matmul_function, 2, inputs, 2, 1, 2 * sizeof(input_shape));
    if (node != NULL) {
        input_shape *const shapes = node->params;
        for (int i = 0; i < 2; i++) {
            shapes[i].ndim = inputs[i]->ndim;
            memcpy(shapes[i].shape, inputs[i]->shape, (size_t)inputs[i]->ndim * sizeof(int64_t));
            if (pg_wants(node, 1 - i))
                pg_save(node, i, inputs[i]);
        }
    }
    return pg_attach(out, node);
}
