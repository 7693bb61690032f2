/* Index expressions: from what was written to a plan. */
#include "ops/index.h"

#include "core/autograd.h"

/* ---- masks --------------------------------------------------------------------------------------------------------- */

/* out[mask->ndim]: where the mask holds, row by row, as the indices of each of its dimensions. */
static pg_status mask_to_indices(pg_tensor *mask, pg_tensor **out)
{
    pg_tensor *packed = pg_tensor_packed(mask);
    if (packed == NULL)
        return pg_failure();
    const uint8_t *holds = (const uint8_t *)packed->data;
    int64_t count = 0, *to[PG_MAX_DIMS], at[PG_MAX_DIMS] = {0};
    for (int64_t i = 0; i < packed->numel; i++)
        count += holds[i] != 0;
    const int ndim = mask->ndim;
    for (int d = 0; d < ndim; d++) {
        out[d] = pg_tensor_empty(PG_INT64, 1, &count);
        if (out[d] == NULL) {
            while (d-- > 0) {
                pg_tensor_release(out[d]);
                out[d] = NULL;
            }
            pg_tensor_release(packed);
            return pg_failure();
        }
        to[d] = (int64_t *)out[d]->data;
    }
    int64_t found = 0;
    for (int64_t i = 0; found < count; i++) {
        if (holds[i]) {
            for (int d = 0; d < ndim; d++)
                to[d][found] = at[d];
            found++;
        }
        for (int d = ndim - 1; d >= 0 && ++at[d] == mask->shape[d]; d--)
            at[d] = 0;
    }
    pg_tensor_release(packed);
    return PG_OK;
}

/* The mask for dimension `dim` of the plan's view and those behind it. */
static pg_status add_mask(pg_index_plan *plan, int dim, pg_tensor *mask)
{
    const pg_window *window = &plan->window;
    for (int d = 0; d < mask->ndim; d++)
        if (mask->shape[d] != window->shape[dim + d])
            return pg_fail(PG_BAD_INDEX,
                           "index: The shape of the mask %s at index %d does not match the shape of the indexed tensor "
                           "%s at index %d",
                           PG_SHAPE(mask), d, pg_shape_text(window->ndim, window->shape), dim + d);
    return mask_to_indices(mask, plan->index + dim);
}

/* A mask of dimension 0 picks everything or nothing, along a new dimension. */
static pg_status add_truth(pg_index_plan *plan, int dim, const pg_tensor *mask)
{
    const int64_t count = *mask->data != 0;
    const pg_status status = pg_window_new_axis(&plan->window, "index", dim);
    if (status != PG_OK)
        return status;
    plan->index[dim] = pg_tensor_zeros(PG_INT64, 1, &count);
    return plan->index[dim] == NULL ? pg_failure() : PG_OK;
}

/* ---- items --------------------------------------------------------------------------------------------------------- */

/* How many dimensions of the tensor an item uses up. */
static int dims_used(const pg_index *item)
{
    switch (item->kind) {
    case PG_INDEX_AT:
    case PG_INDEX_SLICE:
        return 1;
    case PG_INDEX_TENSOR:
        return item->tensor->dtype == PG_BOOL ? item->tensor->ndim : 1;
    default:
        return 0;
    }
}

static pg_status add_tensor(pg_index_plan *plan, int *dim, pg_tensor *tensor)
{
    if (tensor->dtype == PG_BOOL) {
        const pg_status status = tensor->ndim == 0 ? add_truth(plan, *dim, tensor) : add_mask(plan, *dim, tensor);
        *dim += tensor->ndim == 0 ? 1 : tensor->ndim;
        plan->indexed = true;
        return status;
    }
    if (tensor->dtype == PG_UINT8)
        return pg_fail(PG_BAD_INDEX, "index: a uint8 tensor is a mask to PyTorch and indices to numpy: convert it with "
                                     ".bool() or .long()");
    if (pg_is_float(tensor->dtype))
        return pg_fail(PG_BAD_INDEX, "index: tensors used as indices must be int64, int32 or bool tensors, not %s",
                       pg_dtype_name[tensor->dtype]);
    if (tensor->ndim == 0) {
        const int64_t at = tensor->dtype == PG_INT64 ? *(const int64_t *)tensor->data : *(const int32_t *)tensor->data;
        return pg_window_at(&plan->window, "index", *dim, at);
    }
    plan->indexed = true;
    plan->index[*dim] = pg_tensor_cast(tensor, PG_INT64);
    return plan->index[(*dim)++] == NULL ? pg_failure() : PG_OK;
}

static pg_status add_item(pg_index_plan *plan, int *dim, const pg_index *item, int rest)
{
    switch (item->kind) {
    case PG_INDEX_AT:
        return pg_window_at(&plan->window, "index", *dim, item->start);
    case PG_INDEX_SLICE:
        return pg_window_slice(&plan->window, "index", (*dim)++, item->start, item->stop, item->step);
    case PG_INDEX_NEW_AXIS:
        return pg_window_new_axis(&plan->window, "index", (*dim)++);
    case PG_INDEX_REST:
        *dim += rest;
        return PG_OK;
    default:
        return add_tensor(plan, dim, item->tensor);
    }
}

/* ---- the plan ------------------------------------------------------------------------------------------------------ */

/* Where the indices' dimensions go, and what they are broadcast to. */
static pg_status plan_gather(pg_index_plan *plan)
{
    pg_gather_shape *gather = &plan->gather;
    const pg_window *window = &plan->window;
    gather->ndim = window->ndim;
    memcpy(gather->shape, window->shape, sizeof gather->shape);
    int ndim = 0, count = 0;
    for (int d = 0; d < window->ndim; d++) {
        const pg_tensor *index = plan->index[d];
        if (index == NULL)
            continue;
        if (pg_broadcast_shape("index", &ndim, gather->indices, index->ndim, index->shape) != PG_OK)
            return pg_fail(PG_BAD_INDEX,
                           "index: shape mismatch: indexing tensors could not be broadcast together with shapes %s, %s",
                           pg_shape_text(ndim, gather->indices), PG_SHAPE(index));
        if (count++ == 0)
            gather->first = (uint8_t)d;
        gather->last = (uint8_t)d;
    }
    gather->in_front = gather->last - gather->first + 1 != count;
    gather->n_ndim = (uint8_t)ndim;
    if (window->ndim - count + ndim > PG_MAX_DIMS)
        return pg_fail(PG_BAD_INDEX, "index: the result would have %d dimensions, a tensor has at most %d",
                       window->ndim - count + ndim, PG_MAX_DIMS);
    return PG_OK;
}

static pg_status fill_plan(pg_index_plan *plan, const pg_tensor *t, int n, const pg_index *index)
{
    int used = 0, rests = 0;
    for (int i = 0; i < n; i++) {
        if (index[i].kind == PG_INDEX_TENSOR && index[i].tensor == NULL)
            return pg_failure();
        used += dims_used(&index[i]);
        rests += index[i].kind == PG_INDEX_REST;
    }
    if (t->ndim == 0 && used > 0)
        return pg_fail(PG_BAD_INDEX, "index: too many indices for tensor of dimension 0: it has one element; item() "
                                     "gives it as a Python number");
    if (used > t->ndim)
        return pg_fail(PG_BAD_INDEX, "index: too many indices for tensor of dimension %d: %d for the shape %s", t->ndim,
                       used, PG_SHAPE(t));
    if (rests > 1)
        return pg_fail(PG_BAD_INDEX, "index: an index can only have a single ellipsis ('...'), not %d", rests);
    int dim = 0;
    for (int i = 0; i < n; i++) {
        const pg_status status = add_item(plan, &dim, &index[i], t->ndim - used);
        if (status != PG_OK)
            return status;
    }
    return plan->indexed ? plan_gather(plan) : PG_OK;
}

pg_status pg_index_plan_make(pg_index_plan *plan, const pg_tensor *t, int n, const pg_index *index)
{
    pg_window_all(&plan->window, t);
    memset(plan->index, 0, sizeof plan->index);
    plan->indexed = false;
    const pg_status status = fill_plan(plan, t, n, index);
    if (status != PG_OK)
        pg_index_plan_clear(plan);
    return status;
}

void pg_index_plan_clear(pg_index_plan *plan)
{
    for (int d = 0; d < PG_MAX_DIMS; d++) {
        pg_tensor_release(plan->index[d]);
        plan->index[d] = NULL;
    }
}

pg_tensor *pg_tensor_index(pg_tensor *t, int n, const pg_index *index)
{
    pg_index_plan plan;
    if (t == NULL || pg_index_plan_make(&plan, t, n, index) != PG_OK)
        return NULL;
    /* Indices alone need no view before them. */
    const bool whole = plan.indexed && plan.window.ndim == t->ndim &&
                       memcmp(plan.window.shape, t->shape, (size_t)t->ndim * sizeof *t->shape) == 0 &&
                       pg_window_shows_all(&plan.window);
    pg_tensor *out = whole ? pg_tensor_retain(t) : pg_window_apply(&plan.window, t);
    if (out != NULL && plan.indexed) {
        pg_tensor *read = pg_gather(&plan.gather, out, plan.index);
        pg_tensor_release(out);
        out = read;
    }
    pg_index_plan_clear(&plan);
    return out;
}
