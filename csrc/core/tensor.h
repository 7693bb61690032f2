/* What a tensor is inside: three things apart.
 *
 *   storage  the memory, counted, with the version that every change in place moves on
 *   tensor   a handle: which elements of the storage, in which shape, and which output of which node computed it.
 *            Nothing of that changes after it was made: an operation in place gives its caller another handle.
 *            Views of one another are a family: what changes one in place gives the others new handles, too
 *            (ops/rewrite.h). A detached tensor begins a family of its own.
 *   node     (core/node_graph.h) how something was computed; it also holds gradients, a leaf's too
 */
#ifndef PG_TENSOR_H
#define PG_TENSOR_H

#include "pygrad_tensor.h"

#include "core/status.h"

#include <stdbool.h>
#include <string.h>

typedef struct pg_node pg_node;

typedef struct pg_exposure pg_exposure;

typedef struct {
    int32_t refs;
    uint32_t version;  /* moves with every change in place */
    uint32_t rewrites; /* of these, how many belong to a graph: handles made before them have an outdated history */
    uint32_t saved;    /* how often nodes have saved something of it */
    char *data;
    size_t bytes;
    void (*release)(void *owner); /* of foreign memory; NULL for our own, which follows this header */
    void *owner;
    pg_exposure *exposure; /* to arrays that share our own memory; NULL where there are none: see core/exposed.h */
    pg_tensor *hosted;     /* a list of the handles of this memory that have a host */
} pg_storage;

enum {
    PG_REQUIRES_GRAD = 1 << 0,
    PG_CONTIGUOUS = 1 << 1, /* the elements lie in row-major order without gaps */
    PG_UNTRACKED = 1 << 2,  /* a view, made while not recording, of what has a history */
};

struct pg_tensor {
    int32_t refs;
    uint8_t dtype, ndim;
    uint8_t flags;
    uint32_t output;   /* which output of `node` */
    uint32_t rewrites; /* of the storage when this handle was made, or was last seen not to be concerned */
    pg_storage *storage;
    char *data; /* the first element */
    int64_t numel;
    void *host; /* what the host has made of this handle, if anything: a Python object; borrowed */
    pg_tensor *next_hosted, *previous_hosted;
    uint64_t family; /* 0: that of the storage's first handle */
    pg_node *node;   /* what computed it; a leaf's own node, made when its gradient is first needed; or NULL */
    int64_t shape[PG_MAX_DIMS];
    int64_t strides[PG_MAX_DIMS]; /* in elements */
};

/* ---- dtypes ------------------------------------------------------------------------------------------------------ */

extern const uint8_t pg_itemsize[PG_DTYPES];
extern const char *const pg_dtype_name[PG_DTYPES]; /* "float32" */

static inline bool pg_is_float(int dtype)
{
    return dtype >= PG_FLOAT32;
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

/* A tensor of t's storage with another geometry, and no history. `offset` counts elements from t's first. The caller
 * has checked that it stays inside. */
pg_tensor *pg_tensor_view(pg_tensor *t, int ndim, const int64_t *shape, const int64_t *strides, int64_t offset);
/* The same elements without history: another member of t's family. */
pg_tensor *pg_tensor_another(pg_tensor *t);
/* The same, as the first of a family of its own: no change in place of one reaches the history of the other. */
pg_tensor *pg_tensor_detach(pg_tensor *t);
/* Contents undefined, of t's shape. */
pg_tensor *pg_tensor_empty_like(const pg_tensor *t, pg_dtype dtype);
/* t itself (a new reference) when it is contiguous, else a copy; no history. */
pg_tensor *pg_tensor_packed(pg_tensor *t);
/* A copy in another dtype, t itself (a new reference) when it has it; no history. float to int as C does. */
pg_tensor *pg_tensor_cast(pg_tensor *t, pg_dtype dtype);
/* A fresh contiguous copy, without history. */
pg_tensor *pg_tensor_copy(pg_tensor *t);
/* from's elements, broadcast and converted, over to's; no history, and no version moved. */
pg_status pg_tensor_assign(pg_tensor *to, const pg_tensor *from);
/* Zero gradients and the like: a fresh contiguous tensor of zeros. */
pg_tensor *pg_tensor_zeros(pg_dtype dtype, int ndim, const int64_t *shape);

/* Makes `host` (NULL: nothing) what the host has made of t. */
static inline void pg_set_host(pg_tensor *t, void *host)
{
    pg_storage *const s = t->storage;
    if (t->host != NULL) {
        *(t->previous_hosted != NULL ? &t->previous_hosted->next_hosted : &s->hosted) = t->next_hosted;
        if (t->next_hosted != NULL)
            t->next_hosted->previous_hosted = t->previous_hosted;
    }
    t->host = host;
    if (host != NULL) {
        t->previous_hosted = NULL;
        t->next_hosted = s->hosted;
        if (s->hosted != NULL)
            s->hosted->previous_hosted = t;
        s->hosted = t;
    }
}

static inline bool pg_is_contiguous(const pg_tensor *t)
{
    return t->flags & PG_CONTIGUOUS;
}

static inline bool pg_same_shape(const pg_tensor *a, const pg_tensor *b)
{
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

/* The number of elements, or -1 with the message set (naming `op`) when a size is negative, there are too many
 * dimensions, or the bytes do not fit. */
int64_t pg_shape_numel(const char *op, int dtype, int ndim, const int64_t *shape);
/* "[2, 3]", in one of a few static buffers of the thread: good for one message. */
const char *pg_shape_text(int ndim, const int64_t *shape);
#define PG_SHAPE(t) pg_shape_text((t)->ndim, (t)->shape)
/* Broadcasts b's shape into shape[*ndim]; PG_BAD_SHAPE naming `op` where they do not go together. */
pg_status pg_broadcast_shape(const char *op, int *ndim, int64_t *shape, int b_ndim, const int64_t *b_shape);
/* The strides of row-major order. */
void pg_row_major(int ndim, const int64_t *shape, int64_t *strides);
/* A dimension counted from the end when negative, checked; -1 with PG_BAD_INDEX "Dimension out of range". ndim 0
 * counts as 1, as in PyTorch. */
int pg_wrap_dim(const char *op, int64_t dim, int ndim);

#endif
