#include "core/iterate.h"

/* The stride in bytes with which operand t walks dimension i of a shape with ndim dimensions. */
static int64_t stride_of(const pg_tensor *t, int i, int ndim)
{
    const int own = i - (ndim - t->ndim);
    return own < 0 || t->shape[own] == 1 ? 0 : t->strides[own] * pg_itemsize[t->dtype];
}

/* Whether dimension `outer` of the iterator continues its dimension `inner` for all operands. */
static bool continues(const pg_iter *iter, const int64_t *outer, int inner)
{
    for (int j = 0; j < iter->operands; j++)
        if (outer[j] != iter->strides[inner][j] * iter->shape[inner])
            return false;
    return true;
}

void pg_iter_start(pg_iter *iter, int ndim, const int64_t *shape, int operands, const pg_tensor *const *tensors)
{
    iter->operands = operands;
    for (int j = 0; j < operands; j++)
        iter->data[j] = tensors[j] != NULL ? tensors[j]->data : NULL;

    /* Dimensions are joined from the last one outwards, and stand innermost first until the end. */
    int n = 0;
    int64_t strides[PG_OPERANDS];
    for (int i = ndim - 1; i >= 0; i--) {
        if (shape[i] == 1)
            continue;
        for (int j = 0; j < operands; j++)
            strides[j] = tensors[j] != NULL ? stride_of(tensors[j], i, ndim) : 0;
        if (n > 0 && continues(iter, strides, n - 1)) {
            iter->shape[n - 1] *= shape[i];
            continue;
        }
        iter->shape[n] = shape[i];
        memcpy(iter->strides[n], strides, (size_t)operands * sizeof *strides);
        n++;
    }
    if (n == 0) {
        iter->shape[0] = 1;
        memset(iter->strides[0], 0, sizeof iter->strides[0]);
        n = 1;
    }
    iter->ndim = n;
}

void pg_iter_run(const pg_iter *iter, pg_loop *loop, const void *context)
{
    if (iter->ndim == 1) {
        if (iter->shape[0] > 0)
            loop(iter->data, iter->strides[0], iter->shape[0], context);
        return;
    }
    int64_t outer = 1, index[PG_MAX_DIMS] = {0};
    char *p[PG_OPERANDS];
    memcpy(p, iter->data, sizeof p);
    for (int i = 1; i < iter->ndim; i++)
        outer *= iter->shape[i];
    if (iter->shape[0] == 0)
        return;
    while (outer-- > 0) {
        loop(p, iter->strides[0], iter->shape[0], context);
        for (int i = 1; i < iter->ndim; i++) {
            const bool wraps = ++index[i] == iter->shape[i];
            for (int j = 0; j < iter->operands; j++)
                p[j] += wraps ? -(iter->shape[i] - 1) * iter->strides[i][j] : iter->strides[i][j];
            if (!wraps)
                break;
            index[i] = 0;
        }
    }
}
