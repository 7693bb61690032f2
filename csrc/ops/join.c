/* Tensors put together along a dimension: cat and stack. */
#include "core/autograd.h"

/* A tensor of shape (0,) has nothing to add and joins with any shape, as in PyTorch and for its reason: lists of results
 * are begun with one. */
static bool is_nothing(const pg_tensor *t)
{
    return t->ndim == 1 && t->shape[0] == 0;
}

static pg_dtype promoted(int n, pg_tensor *const *tensors)
{
    int dtype = PG_BOOL;
    for (int i = 0; i < n; i++)
        if (tensors[i]->dtype > dtype)
            dtype = tensors[i]->dtype;
    return (pg_dtype)dtype;
}

/* Whether there are tensors, none of them a failure that has its message already. */
static bool all_there(const char *op, int n, pg_tensor *const *tensors)
{
    if (n < 1) {
        pg_fail(PG_BAD_ARGUMENT, "%s: expected a non-empty list of Tensors", op);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (tensors[i] == NULL)
            return false;
    return true;
}

/* Copies t, converted, into out[..., at : at + size, ...] along dim. */
static pg_status put(pg_tensor *out, int dim, int64_t at, int64_t size, const pg_tensor *t)
{
    if (t->numel == 0)
        return PG_OK;
    int64_t shape[PG_MAX_DIMS];
    memcpy(shape, out->shape, sizeof shape);
    shape[dim] = size;
    pg_tensor *part = pg_tensor_view(out, out->ndim, shape, out->strides, at * out->strides[dim]);
    pg_status status = PG_NO_MEMORY;
    if (part != NULL)
        status = pg_tensor_assign(part, t);
    pg_tensor_release(part);
    return status;
}

/* out, or NULL with out given up. */
static pg_tensor *unless_failed(pg_tensor *out, pg_status status)
{
    if (status == PG_OK)
        return out;
    pg_tensor_release(out);
    return NULL;
}

/* ---- cat ----------------------------------------------------------------------------------------------------------- */

/* Per input where it lies along the dimension; all of `size` 0 for one that adds nothing. */
typedef struct {
    int64_t start, size;
    int dim;
    uint8_t dtype;
    bool nothing;
} cat_part;

static pg_tensor *part_of(pg_tensor *g, const cat_part *part)
{
    if (part->nothing)
        return pg_tensor_zeros(part->dtype, 1, &part->size);
    pg_tensor *slice = pg_tensor_narrow(g, part->dim, part->start, part->size);
    pg_tensor *out = pg_tensor_to(slice, part->dtype);
    pg_tensor_release(slice);
    return out;
}

static pg_status cat_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const cat_part *parts = node->params;
    for (int i = 0; i < node->n_edges; i++)
        if (pg_wants(node, i))
            out[i] = part_of(grads[0], &parts[i]);
    return pg_done(node, out);
}

static const pg_function cat_function = {.name = "Cat", .backward = cat_backward};

/* The shape of the result: its ndim, or -1 with the message set. *dim is wrapped. */
static int cat_shape(int n, pg_tensor *const *tensors, int64_t *dim, int64_t *shape)
{
    const pg_tensor *first = tensors[0];
    for (int i = 0; i < n; i++) {
        if (tensors[i]->ndim == 0) {
            pg_fail(PG_BAD_SHAPE, "cat: zero-dimensional tensor (at position %d) cannot be concatenated", i);
            return -1;
        }
        if (is_nothing(first) && !is_nothing(tensors[i]))
            first = tensors[i];
    }
    *dim = pg_wrap_dim("cat", *dim, first->ndim);
    if (*dim < 0)
        return -1;
    memcpy(shape, first->shape, sizeof first->shape);
    shape[*dim] = 0;
    for (int i = 0; i < n; i++) {
        const pg_tensor *t = tensors[i];
        if (is_nothing(t))
            continue;
        if (t->ndim != first->ndim) {
            pg_fail(PG_BAD_SHAPE, "cat: Tensors must have same number of dimensions: got %d and %d, shapes %s and %s",
                    first->ndim, t->ndim, PG_SHAPE(first), PG_SHAPE(t));
            return -1;
        }
        for (int d = 0; d < t->ndim; d++)
            if (d != *dim && t->shape[d] != shape[d]) {
                pg_fail(PG_BAD_SHAPE,
                        "cat: Sizes of tensors must match except in dimension %d. Expected size %lld but got size %lld "
                        "for tensor number %d in the list. Shapes: %s and %s",
                        (int)*dim, (long long)shape[d], (long long)t->shape[d], i, PG_SHAPE(first), PG_SHAPE(t));
                return -1;
            }
        if (__builtin_add_overflow(shape[*dim], t->shape[*dim], &shape[*dim]))
            shape[*dim] = INT64_MAX; /* which no tensor has room for */
    }
    return first->ndim;
}

pg_tensor *pg_tensor_cat(int n, pg_tensor *const *tensors, int64_t dim)
{
    int64_t shape[PG_MAX_DIMS];
    if (!all_there("cat", n, tensors))
        return NULL;
    const int ndim = cat_shape(n, tensors, &dim, shape);
    if (ndim < 0)
        return NULL;
    pg_tensor *out = pg_tensor_empty(promoted(n, tensors), ndim, shape);
    int64_t at = 0;
    for (int i = 0; i < n && out != NULL; i++) {
        if (is_nothing(tensors[i]))
            continue;
        const int64_t size = tensors[i]->shape[dim];
        out = unless_failed(out, put(out, (int)dim, at, size, tensors[i]));
        at += size;
    }
    if (out == NULL || !pg_records(n, tensors))
        return out;

    pg_node *node = pg_node_new(&cat_function, n, tensors, 0, 1, (size_t)n * sizeof(cat_part));
    at = 0;
    for (int i = 0; i < n && node != NULL; i++) {
        const bool nothing = is_nothing(tensors[i]);
        const int64_t size = nothing ? 0 : tensors[i]->shape[dim];
        ((cat_part *)node->params)[i] = (cat_part){at, size, (int)dim, tensors[i]->dtype, nothing};
        at += size;
    }
    return pg_attach(out, node);
}

/* ---- stack --------------------------------------------------------------------------------------------------------- */

typedef struct {
    int dim;
    uint8_t dtypes[]; /* [inputs] */
} stack_params;

static pg_status stack_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const stack_params *params = node->params;
    for (int i = 0; i < node->n_edges; i++) {
        if (!pg_wants(node, i))
            continue;
        pg_tensor *slice = pg_tensor_select(grads[0], params->dim, i);
        out[i] = pg_tensor_to(slice, params->dtypes[i]);
        pg_tensor_release(slice);
    }
    return pg_done(node, out);
}

static const pg_function stack_function = {.name = "Stack", .backward = stack_backward};

pg_tensor *pg_tensor_stack(int n, pg_tensor *const *tensors, int64_t dim)
{
    if (!all_there("stack", n, tensors))
        return NULL;
    const pg_tensor *first = tensors[0];
    for (int i = 1; i < n; i++)
        if (!pg_same_shape(first, tensors[i])) {
            pg_fail(PG_BAD_SHAPE,
                    "stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %d",
                    PG_SHAPE(first), PG_SHAPE(tensors[i]), i);
            return NULL;
        }
    const int ndim = first->ndim + 1, at = pg_wrap_dim("stack", dim, ndim);
    if (at < 0)
        return NULL;
    int64_t shape[PG_MAX_DIMS + 1];
    for (int d = 0; d < ndim; d++)
        shape[d] = d == at ? n : first->shape[d - (d > at)];
    pg_tensor *out = pg_tensor_empty(promoted(n, tensors), ndim, shape);

    int64_t strides[PG_MAX_DIMS];
    for (int d = 0; d < ndim - 1 && out != NULL; d++)
        strides[d] = out->strides[d + (d >= at)];
    for (int i = 0; i < n && out != NULL && out->numel > 0; i++) {
        pg_tensor *part = pg_tensor_view(out, ndim - 1, first->shape, strides, i * out->strides[at]);
        out = unless_failed(out, part == NULL ? PG_NO_MEMORY : pg_tensor_assign(part, tensors[i]));
        pg_tensor_release(part);
    }
    if (out == NULL || !pg_records(n, tensors))
        return out;

    pg_node *node = pg_node_new(&stack_function, n, tensors, 0, 1, sizeof(stack_params) + (size_t)n);
    if (node != NULL) {
        stack_params *params = node->params;
        params->dim = at;
        for (int i = 0; i < n; i++)
            params->dtypes[i] = tensors[i]->dtype;
    }
    return pg_attach(out, node);
}
