/* Arithmetic of shapes, and the words for what is wrong with one. */
#include "core/tensor.h"

#include <stdio.h>

int64_t pg_shape_numel(const char *op, int dtype, int ndim, const int64_t *shape)
{
    if (ndim < 0 || ndim > PG_MAX_DIMS) {
        pg_fail(PG_BAD_SHAPE, "%s: a tensor has at most %d dimensions, not %d", op, PG_MAX_DIMS, ndim);
        return -1;
    }
    /* A size of 0 excuses none of the others: strides are products of them. */
    int64_t product = 1, numel = 1;
    bool fits = true;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0) {
            pg_fail(PG_BAD_SHAPE, "%s: negative dimension %lld in the shape %s", op, (long long)shape[i],
                    pg_shape_text(ndim, shape));
            return -1;
        }
        fits &= !__builtin_mul_overflow(product, shape[i] > 0 ? shape[i] : 1, &product);
        numel = fits ? numel * shape[i] : 0;
    }
    if (!fits || product > (INT64_MAX - 4096) / pg_itemsize[dtype]) {
        pg_fail(PG_BAD_SHAPE, "%s: a tensor of shape %s and dtype %s has more bytes than can be addressed", op,
                pg_shape_text(ndim, shape), pg_dtype_name[dtype]);
        return -1;
    }
    return numel;
}

const char *pg_shape_text(int ndim, const int64_t *shape)
{
    enum { TEXTS = 4, ROOM = PG_MAX_DIMS * 22 + 3 };
    static _Thread_local char texts[TEXTS][ROOM];
    static _Thread_local int next;
    char *const text = texts[next = (next + 1) % TEXTS];
    int n = snprintf(text, ROOM, "[");
    for (int i = 0; i < ndim && i < PG_MAX_DIMS; i++)
        n += snprintf(text + n, (size_t)(ROOM - n), i == 0 ? "%lld" : ", %lld", (long long)shape[i]);
    snprintf(text + n, (size_t)(ROOM - n), "]");
    return text;
}

pg_status pg_broadcast_shape(const char *op, int *ndim, int64_t *shape, int b_ndim, const int64_t *b_shape)
{
    int64_t result[PG_MAX_DIMS];
    const int n = *ndim > b_ndim ? *ndim : b_ndim;
    for (int i = 1; i <= n; i++) { /* from the last dimension */
        const int64_t a = i <= *ndim ? shape[*ndim - i] : 1, b = i <= b_ndim ? b_shape[b_ndim - i] : 1;
        if (a != b && a != 1 && b != 1)
            return pg_fail(PG_BAD_SHAPE,
                           "%s: the shapes %s and %s do not broadcast: the size of tensor a (%lld) must match the size "
                           "of tensor b (%lld) at non-singleton dimension %d",
                           op, pg_shape_text(*ndim, shape), pg_shape_text(b_ndim, b_shape), (long long)a, (long long)b,
                           n - i);
        result[n - i] = a == 1 ? b : a;
    }
    memcpy(shape, result, (size_t)n * sizeof *shape);
    *ndim = n;
    return PG_OK;
}

void pg_row_major(int ndim, const int64_t *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= shape[i] > 0 ? shape[i] : 1;
    }
}

int pg_wrap_dim(const char *op, int64_t dim, int ndim)
{
    const int n = ndim > 0 ? ndim : 1;
    if (dim < -n || dim >= n) {
        pg_fail(PG_BAD_INDEX, "%s: Dimension out of range (expected to be in range of [%d, %d], but got %lld)", op, -n,
                n - 1, (long long)dim);
        return -1;
    }
    return (int)(dim < 0 ? dim + n : dim);
}
