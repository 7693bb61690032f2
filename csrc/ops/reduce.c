#include "ops/reduce.h"

#include <stdlib.h>

pg_status pg_reduction_of(const char *op, const pg_tensor *t, int n_dims, const int64_t *dims, int keepdim,
                          pg_reduction *r)
{
    r->mask = n_dims == 0 ? (1u << t->ndim) - 1 : 0;
    for (int i = 0; i < n_dims; i++) {
        const int dim = pg_wrap_dim(op, dims[i], t->ndim);
        if (dim < 0)
            return pg_failure();
        if (r->mask >> dim & 1)
            return pg_fail(PG_BAD_SHAPE, "%s: dim %d appears multiple times in the list of dims", op, dim);
        r->mask |= 1u << dim;
    }
    r->ndim = 0;
    r->n = 1;
    for (int d = 0; d < t->ndim; d++) {
        const bool reduced = r->mask >> d & 1;
        if (reduced)
            r->n *= t->shape[d];
        if (!reduced || keepdim)
            r->shape[r->ndim++] = reduced ? 1 : t->shape[d];
    }
    return PG_OK;
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

/* Some dimensions of a tensor, neighbours joined where one stride describes both; at least one. */
typedef struct {
    int ndim;
    int64_t shape[PG_MAX_DIMS];
    int64_t strides[PG_MAX_DIMS]; /* in elements */
    int64_t index[PG_MAX_DIMS];
    int64_t offset; /* of the index, in elements */
} walk;

static void walk_over(walk *over, int ndim, const int *dims, const pg_tensor *t)
{
    over->ndim = 0;
    over->offset = 0;
    for (int i = 0; i < ndim; i++) {
        const int64_t size = t->shape[dims[i]], stride = t->strides[dims[i]];
        const int last = over->ndim - 1;
        if (size == 1)
            continue;
        if (last >= 0 && over->strides[last] == stride * size) {
            over->shape[last] *= size;
            over->strides[last] = stride;
            continue;
        }
        over->shape[over->ndim] = size;
        over->strides[over->ndim] = stride;
        over->index[over->ndim++] = 0;
    }
    if (over->ndim == 0) {
        over->shape[0] = 1;
        over->strides[0] = 0;
        over->index[0] = 0;
        over->ndim = 1;
    }
}

/* Steps all dimensions but the last; false, back at the start, after the end. */
static bool step(walk *over)
{
    for (int d = over->ndim - 2; d >= 0; d--) {
        over->offset += over->strides[d];
        if (++over->index[d] < over->shape[d])
            return true;
        over->offset -= over->strides[d] * over->shape[d];
        over->index[d] = 0;
    }
    return false;
}

static void start_walks(const pg_tensor *t, uint32_t mask, walk *kept, walk *reduced)
{
    int dims[2][PG_MAX_DIMS], n[2] = {0, 0};
    for (int d = 0; d < t->ndim; d++) {
        const int is_reduced = mask >> d & 1;
        int i = n[is_reduced]++;
        /* the order of reduced dimensions is free: the smallest step innermost */
        while (is_reduced && i > 0 && llabs(t->strides[dims[1][i - 1]]) < llabs(t->strides[d])) {
            dims[1][i] = dims[1][i - 1];
            i--;
        }
        dims[is_reduced][i] = d;
    }
    walk_over(kept, n[0], dims[0], t);
    walk_over(reduced, n[1], dims[1], t);
}

void pg_reduce_run(const pg_reducer *reducer, const pg_tensor *t, const pg_reduction *r, double divisor, pg_tensor *out,
                   pg_tensor *index)
{
    _Alignas(64) char acc[PG_TILE * PG_ACCUMULATOR_BYTES];
    const int64_t results = out != NULL ? out->numel : index->numel;
    if (results == 0)
        return;
    walk kept, reduced;
    start_walks(t, r->mask, &kept, &reduced);
    const size_t itemsize = pg_itemsize[t->dtype], out_itemsize = out != NULL ? pg_itemsize[out->dtype] : 0;
    char *to = out != NULL ? out->data : NULL;
    int64_t *to_index = index != NULL ? (int64_t *)index->data : NULL;
    const int across = kept.ndim - 1, along = reduced.ndim - 1;
    do {
        for (int64_t j = 0; j < kept.shape[across]; j += PG_TILE) {
            const int64_t left = kept.shape[across] - j, w = left < PG_TILE ? left : PG_TILE;
            const int64_t offset = kept.offset + j * kept.strides[across];
            reducer->start(acc, w);
            if (r->n > 0)
                do
                    reducer->add(acc, t->data + (offset + reduced.offset) * (int64_t)itemsize, w, kept.strides[across],
                                 reduced.shape[along], reduced.strides[along]);
                while (step(&reduced));
            reducer->finish(acc, w, divisor, to, to_index);
            if (to != NULL)
                to += (size_t)w * out_itemsize;
            if (to_index != NULL)
                to_index += w;
        }
    } while (step(&kept));
}

/* ---- geometry for backward --------------------------------------------------------------------------------------- */

static pg_tensor *unreduced_recorded(pg_tensor *t, const pg_reduced_from *from)
{
    int64_t kept[PG_MAX_DIMS];
    for (int d = 0; d < from->ndim; d++)
        kept[d] = from->mask >> d & 1 ? 1 : from->shape[d];
    pg_tensor *const whole = pg_tensor_reshape(t, from->ndim, kept);
    pg_tensor *const out = whole == NULL ? NULL : pg_tensor_expand(whole, from->ndim, from->shape);
    pg_tensor_release(whole);
    return out;
}

pg_tensor *pg_unreduced(pg_tensor *t, const pg_reduced_from *from)
{
    if (t == NULL)
        return NULL;
    if (pg_records(1, &t))
        return unreduced_recorded(t, from);
    int64_t strides[PG_MAX_DIMS];
    const bool kept = t->ndim == from->ndim;
    for (int d = 0, next = 0; d < from->ndim; d++) {
        const bool reduced = from->mask >> d & 1;
        strides[d] = reduced ? 0 : t->strides[next];
        next += !reduced || kept;
    }
    return pg_tensor_view(t, from->ndim, from->shape, strides, 0);
}

pg_tensor *pg_kept(pg_tensor *t, const pg_reduced_from *from)
{
    int64_t shape[PG_MAX_DIMS];
    for (int d = 0; d < from->ndim; d++)
        shape[d] = from->mask >> d & 1 ? 1 : from->shape[d];
    return t != NULL ? pg_tensor_reshape(t, from->ndim, shape) : NULL;
}

pg_tensor *pg_stretched(pg_tensor *t, int ndim, const int64_t *shape)
{
    if (t == NULL)
        return NULL;
    int64_t strides[PG_MAX_DIMS];
    for (int d = 0; d < ndim; d++) {
        const int from = d - (ndim - t->ndim);
        strides[d] = from < 0 || t->shape[from] == 1 ? 0 : t->strides[from];
    }
    return pg_tensor_view(t, ndim, shape, strides, 0);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* order[ndim]: the dimensions that are not in mask, then those that are. */
static void rows_last(uint32_t mask, int ndim, int *order)
{
    int n = 0;
    for (uint32_t last = 0; last < 2; last++)
        for (int d = 0; d < ndim; d++)
            if ((mask >> d & 1) == last)
                order[n++] = d;
}

pg_tensor *pg_rows(pg_tensor *t, uint32_t mask)
{
    if (t == NULL)
        return NULL;
    int order[PG_MAX_DIMS];
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS];
    rows_last(mask, t->ndim, order);
    for (int i = 0; i < t->ndim; i++) {
        shape[i] = t->shape[order[i]];
        strides[i] = t->strides[order[i]];
    }
    pg_tensor *const moved = pg_tensor_view(t, t->ndim, shape, strides, 0);
    pg_tensor *const packed = moved != NULL ? pg_tensor_packed(moved) : NULL;
    pg_tensor_release(moved);
    return packed;
}

pg_tensor *pg_rows_back(pg_tensor *rows, const pg_reduced_from *from)
{
    if (rows == NULL)
        return NULL;
    int order[PG_MAX_DIMS];
    int64_t strides[PG_MAX_DIMS], row_strides[PG_MAX_DIMS], row_shape[PG_MAX_DIMS];
    rows_last(from->mask, from->ndim, order);
    for (int i = 0; i < from->ndim; i++)
        row_shape[i] = from->shape[order[i]];
    pg_row_major(from->ndim, row_shape, row_strides);
    for (int i = 0; i < from->ndim; i++)
        strides[order[i]] = row_strides[i];
    pg_tensor *const moved = pg_tensor_view(rows, from->ndim, from->shape, strides, 0);
    pg_tensor *const packed = moved != NULL ? pg_tensor_packed(moved) : NULL;
    pg_tensor_release(moved);
    pg_tensor_release(rows);
    return packed;
}
