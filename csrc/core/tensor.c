/* Storage and handles. */
#include "core/autograd.h"

#include "core/buffer.h"

#include <stdio.h>

const uint8_t pg_itemsize[PG_DTYPES] = {1, 1, 4, 8, 4, 8};
const char *const pg_dtype_name[PG_DTYPES] = {"bool", "uint8", "int32", "int64", "float32", "float64"};

/* ---- storage ----------------------------------------------------------------------------------------------------- */

enum { HEADER = 64 }; /* bytes before the elements of our own memory, which keeps them at a multiple of 64 */
_Static_assert(sizeof(pg_storage) <= HEADER, "the header has to fit before the elements");

static pg_storage *new_storage(size_t bytes)
{
    pg_storage *s = pg_buffer_take(HEADER + bytes);
    if (s != NULL)
        *s = (pg_storage){.refs = 1, .data = (char *)s + HEADER, .bytes = bytes};
    return s;
}

static void drop_storage(pg_storage *s)
{
    if (--s->refs > 0)
        return;
    if (s->release == NULL) {
        pg_buffer_give(s, HEADER + s->bytes);
        return;
    }
    void (*const release)(void *) = s->release;
    void *const owner = s->owner;
    pg_buffer_give(s, HEADER);
    release(owner);
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

static bool is_row_major(int ndim, const int64_t *shape, const int64_t *strides, int64_t numel)
{
    if (numel == 0)
        return true;
    int64_t expected = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        if (shape[i] != 1 && strides[i] != expected)
            return false;
        expected *= shape[i];
    }
    return true;
}

/* A handle that takes over the reference to the storage; gives it up on failure. strides NULL means row-major. */
static pg_tensor *new_handle(pg_storage *storage, char *data, int dtype, int ndim, const int64_t *shape,
                             const int64_t *strides, int64_t numel)
{
    pg_tensor *t = pg_buffer_take(sizeof *t);
    if (PG_UNLIKELY(t == NULL)) {
        drop_storage(storage);
        return NULL;
    }
    t->refs = 1;
    t->dtype = (uint8_t)dtype;
    t->ndim = (uint8_t)ndim;
    t->output = 0;
    t->rewrites = storage->rewrites;
    t->host = NULL;
    t->family = 0;
    t->storage = storage;
    t->data = data;
    t->numel = numel;
    t->node = NULL;
    for (int i = 0; i < ndim; i++)
        t->shape[i] = shape[i];
    if (strides == NULL) {
        pg_row_major(ndim, shape, t->strides);
        t->flags = PG_CONTIGUOUS;
    } else {
        for (int i = 0; i < ndim; i++)
            t->strides[i] = strides[i];
        t->flags = is_row_major(ndim, shape, strides, numel) ? PG_CONTIGUOUS : 0;
    }
    return t;
}

/* The sizes have been checked. */
static pg_tensor *allocate(int dtype, int ndim, const int64_t *shape, int64_t numel)
{
    pg_storage *storage = new_storage((size_t)numel * pg_itemsize[dtype]);
    return storage == NULL ? NULL : new_handle(storage, storage->data, dtype, ndim, shape, NULL, numel);
}

pg_tensor *pg_tensor_empty(pg_dtype dtype, int ndim, const int64_t *shape)
{
    const int64_t numel = pg_shape_numel("empty", dtype, ndim, shape);
    return numel < 0 ? NULL : allocate(dtype, ndim, shape, numel);
}

pg_tensor *pg_tensor_empty_like(const pg_tensor *t, pg_dtype dtype)
{
    /* A size that fits one dtype may not fit a wider one. */
    if (PG_UNLIKELY(pg_itemsize[dtype] > pg_itemsize[t->dtype]) || !pg_is_contiguous(t))
        return pg_tensor_empty(dtype, t->ndim, t->shape);
    return allocate(dtype, t->ndim, t->shape, t->numel);
}

pg_tensor *pg_tensor_zeros(pg_dtype dtype, int ndim, const int64_t *shape)
{
    pg_tensor *t = pg_tensor_empty(dtype, ndim, shape);
    if (t != NULL)
        memset(t->data, 0, (size_t)t->numel * pg_itemsize[dtype]);
    return t;
}

pg_tensor *pg_tensor_from_memory(pg_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides, void *data,
                                 int64_t bytes, void (*release)(void *owner), void *owner)
{
    const int64_t numel = pg_shape_numel("from_memory", dtype, ndim, shape);
    if (numel < 0)
        return NULL;
    pg_storage *storage = pg_buffer_take(HEADER);
    if (storage == NULL)
        return NULL;
    *storage = (pg_storage){.refs = 2, .data = data, .bytes = (size_t)bytes, .release = release, .owner = owner};
    pg_tensor *t = new_handle(storage, data, dtype, ndim, shape, strides, numel);
    if (t == NULL)
        pg_buffer_give(storage, HEADER); /* without a call of release */
    else
        storage->refs = 1;
    return t;
}

pg_tensor *pg_tensor_view(pg_tensor *t, int ndim, const int64_t *shape, const int64_t *strides, int64_t offset)
{
    int64_t numel = 1;
    for (int i = 0; i < ndim; i++)
        numel *= shape[i];
    t->storage->refs++;
    pg_tensor *const view =
        new_handle(t->storage, t->data + offset * pg_itemsize[t->dtype], t->dtype, ndim, shape, strides, numel);
    if (view != NULL) {
        view->family = t->family;
        if (PG_UNLIKELY(t->flags & (PG_REQUIRES_GRAD | PG_UNTRACKED)) &&
            (t->flags & PG_UNTRACKED || !pg_grad_enabled()))
            view->flags |= PG_UNTRACKED;
    }
    return view;
}

pg_tensor *pg_tensor_another(pg_tensor *t)
{
    return t == NULL ? NULL : pg_tensor_view(t, t->ndim, t->shape, t->strides, 0);
}

pg_tensor *pg_tensor_detach(pg_tensor *t)
{
    if (t == NULL)
        return NULL;
    static _Atomic uint64_t families;
    t->storage->refs++;
    pg_tensor *const out = new_handle(t->storage, t->data, t->dtype, t->ndim, t->shape, t->strides, t->numel);
    if (out != NULL)
        out->family = ++families;
    return out;
}

pg_tensor *pg_tensor_retain(pg_tensor *t)
{
    if (t != NULL)
        t->refs++;
    return t;
}

void pg_tensor_release(pg_tensor *t)
{
    if (t == NULL || --t->refs > 0)
        return;
    pg_node *const node = t->node;
    pg_storage *const storage = t->storage;
    pg_buffer_give(t, sizeof *t);
    drop_storage(storage);
    pg_node_release(node);
}

/* ---- what a tensor is -------------------------------------------------------------------------------------------- */

pg_dtype pg_tensor_dtype(const pg_tensor *t)
{
    return t->dtype;
}

int pg_tensor_ndim(const pg_tensor *t)
{
    return t->ndim;
}

int64_t pg_tensor_numel(const pg_tensor *t)
{
    return t->numel;
}

const int64_t *pg_tensor_shape(const pg_tensor *t)
{
    return t->shape;
}

const int64_t *pg_tensor_strides(const pg_tensor *t)
{
    return t->strides;
}

void *pg_tensor_data(const pg_tensor *t)
{
    return t->data;
}
