/* Adding up gradients: in place where nobody can notice. */
#include "core/accumulate.h"

#include "ops/elementwise.h"

/* Whether nobody else sees the memory of t, so that it may be changed or kept. */
static bool is_ours(const pg_tensor *t)
{
    return t->refs == 1 && t->storage->refs == 1 && t->storage->release == NULL && pg_is_contiguous(t);
}

/* Two gradients of one tensor are alike, unless its `data` was replaced between two uses. */
static pg_status check_alike(const pg_tensor *a, const pg_tensor *b)
{
    if (PG_LIKELY(a->dtype == b->dtype && pg_same_shape(a, b)))
        return PG_OK;
    return pg_fail(PG_BAD_SHAPE,
                   "backward: gradients of shape %s, dtype %s and of shape %s, dtype %s meet at one tensor",
                   PG_SHAPE(a), pg_dtype_name[a->dtype], PG_SHAPE(b), pg_dtype_name[b->dtype]);
}

pg_status pg_add_gradient(pg_tensor **sum, pg_tensor *t)
{
    if (*sum == NULL) {
        *sum = t;
        return PG_OK;
    }
    pg_status status = check_alike(*sum, t);
    if (status != PG_OK) {
        pg_tensor_release(t);
        return status;
    }
    if (is_ours(*sum) && !pg_grad_enabled()) {
        status = pg_add_in_place(*sum, t);
    } else {
        pg_tensor *const total = pg_tensor_binary(PG_OP_add, *sum, t);
        status = total == NULL ? pg_failure() : PG_OK;
        if (total != NULL) {
            pg_tensor_release(*sum);
            *sum = total;
        }
    }
    pg_tensor_release(t);
    return status;
}

pg_status pg_accumulate(pg_tensor **grad, pg_tensor *t)
{
    if (*grad == NULL) {
        const bool tight = (size_t)t->numel * pg_itemsize[t->dtype] == t->storage->bytes;
        if (pg_grad_enabled()) /* with the history of t */
            *grad = pg_tensor_clone(t);
        else
            *grad = is_ours(t) && tight ? pg_tensor_retain(t) : pg_tensor_copy(t);
        return *grad == NULL ? pg_failure() : PG_OK;
    }
    if (pg_grad_enabled() || (*grad)->flags & PG_REQUIRES_GRAD || pg_overlaps_itself(*grad))
        return pg_add_gradient(grad, pg_tensor_retain(t));
    const pg_status status = check_alike(*grad, t);
    if (status != PG_OK)
        return status;
    pg_bump(*grad);
    return pg_add_in_place(*grad, t);
}
