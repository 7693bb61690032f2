/* Reading where index tensors say, and its gradient: two passes over the same addresses. */
#include "ops/index.h"

#include "core/autograd.h"
#include "core/iterate.h"

/* ---- addresses ----------------------------------------------------------------------------------------------------- */

/* One loop of a pass, outermost first: n steps of `stride` bytes, or to the places that offsets[n] name. */
typedef struct {
    int64_t n, stride;
    const int64_t *offsets;
} pg_level;

typedef struct {
    int n;
    pg_level levels[PG_MAX_DIMS + 1];
    pg_tensor *offsets; /* in bytes, of the broadcast shape of the indices; owned */
} pg_pass;

typedef struct {
    int64_t size, stride, bad;
    bool failed;
} place;

/* offsets += index * stride, with negative ones counted from the end. */
static void add_offsets(char *const *p, const int64_t *strides, int64_t n, const void *context)
{
    place *const at = (place *)context;
    int64_t *const offsets = (int64_t *)p[0];
    for (int64_t i = 0; i < n; i++) {
        const int64_t given = *(const int64_t *)(p[1] + i * strides[1]);
        const int64_t wrapped = given < 0 ? given + at->size : given;
        if (PG_UNLIKELY(wrapped < 0 || wrapped >= at->size)) {
            if (!at->failed)
                at->bad = given;
            at->failed = true;
            return;
        }
        *(int64_t *)((char *)offsets + i * strides[0]) += wrapped * at->stride;
    }
}

static pg_tensor *offsets_of(const pg_gather_shape *gather, const pg_tensor *t, pg_tensor *const *index)
{
    pg_tensor *offsets = pg_tensor_zeros(PG_INT64, gather->n_ndim, gather->indices);
    for (int d = gather->first; d <= gather->last && offsets != NULL; d++) {
        if (index[d] == NULL)
            continue;
        place at = {.size = t->shape[d], .stride = t->strides[d] * pg_itemsize[t->dtype]};
        pg_iter iter;
        pg_iter_start(&iter, gather->n_ndim, gather->indices, 2, (const pg_tensor *[]){offsets, index[d]});
        pg_iter_run(&iter, add_offsets, &at);
        if (at.failed) {
            pg_fail(PG_BAD_INDEX, "index: index %lld is out of bounds for dimension %d with size %lld",
                    (long long)at.bad, d, (long long)at.size);
            pg_tensor_release(offsets);
            offsets = NULL;
        }
    }
    return offsets;
}

/* Adds dimension d of t, which is kept whole, as a loop; as part of the loop around it where they continue each other. */
static void add_level(pg_pass *pass, const pg_tensor *t, int d)
{
    const int64_t size = t->shape[d], stride = t->strides[d] * pg_itemsize[t->dtype];
    pg_level *const outer = pass->n > 0 ? &pass->levels[pass->n - 1] : NULL;
    if (size == 1)
        return;
    if (outer != NULL && outer->offsets == NULL && outer->stride == stride * size) {
        outer->n *= size;
        outer->stride = stride;
        return;
    }
    pass->levels[pass->n++] = (pg_level){size, stride, NULL};
}

/* The loops in which the elements of t come in the order of the result. */
static pg_status plan_pass(pg_pass *pass, const pg_gather_shape *gather, const pg_tensor *t, pg_tensor *const *index)
{
    pass->n = 0;
    pass->offsets = offsets_of(gather, t, index);
    if (pass->offsets == NULL)
        return pg_failure();
    if (!gather->in_front)
        for (int d = 0; d < gather->first; d++)
            add_level(pass, t, d);
    pass->levels[pass->n++] = (pg_level){pass->offsets->numel, 0, (const int64_t *)pass->offsets->data};
    for (int d = gather->in_front ? 0 : gather->last + 1; d < gather->ndim; d++)
        if (index[d] == NULL)
            add_level(pass, t, d);
    return PG_OK;
}

/* ---- the passes ---------------------------------------------------------------------------------------------------- */

/* The innermost loop, between n elements side by side and those of a level that starts at `at`. */
typedef void inner_loop(char *packed, char *at, const pg_level *level);

#define INNER(name, T, STATEMENT, SIDE_BY_SIDE) \
    static void name(char *packed, char *at, const pg_level *level) \
    { \
        const int64_t n = level->n, stride = level->stride, *const offsets = level->offsets; \
        T *const near = (T *)packed; \
        if (offsets != NULL) { \
            for (int64_t i = 0; i < n; i++) { \
                T *const far = (T *)(at + offsets[i]); \
                STATEMENT; \
            } \
        } else if (stride == sizeof(T)) { \
            SIDE_BY_SIDE; \
        } else { \
            for (int64_t i = 0; i < n; i++) { \
                T *const far = (T *)(at + i * stride); \
                STATEMENT; \
            } \
        } \
    }
#define COPY memcpy(near, at, (size_t)n * sizeof *near)
INNER(read_1, uint8_t, near[i] = *far, COPY)
INNER(read_4, uint32_t, near[i] = *far, COPY)
INNER(read_8, uint64_t, near[i] = *far, COPY)
INNER(write_1, uint8_t, *far = near[i], memcpy(at, near, (size_t)n))
INNER(write_4, uint32_t, *far = near[i], memcpy(at, near, (size_t)n * sizeof *near))
INNER(write_8, uint64_t, *far = near[i], memcpy(at, near, (size_t)n * sizeof *near))
#define ADD(T) \
    for (int64_t i = 0; i < n; i++) \
    ((T *)at)[i] += near[i]
INNER(add_float32, float, *far += near[i], ADD(float))
INNER(add_float64, double, *far += near[i], ADD(double))

/* Returns the end of what was read or written in `packed`. */
static char *run(const pg_level *levels, int n, char *packed, char *at, size_t item, inner_loop *loop)
{
    if (n == 1) {
        loop(packed, at, levels);
        return packed + (size_t)levels->n * item;
    }
    for (int64_t i = 0; i < levels->n; i++)
        packed = run(levels + 1, n - 1, packed,
                     at + (levels->offsets != NULL ? levels->offsets[i] : i * levels->stride), item, loop);
    return packed;
}

int pg_gather_result(const pg_gather_shape *gather, pg_tensor *const *index, int64_t *shape)
{
    int n = 0;
    if (!gather->in_front)
        for (int d = 0; d < gather->first; d++)
            shape[n++] = gather->shape[d];
    for (int d = 0; d < gather->n_ndim; d++)
        shape[n++] = gather->indices[d];
    for (int d = gather->in_front ? 0 : gather->last + 1; d < gather->ndim; d++)
        if (index[d] == NULL)
            shape[n++] = gather->shape[d];
    return n;
}

/* ---- the ops, each the gradient of the other ----------------------------------------------------------------------- */

static pg_tensor *recorded(pg_tensor *out, pg_tensor *input, const pg_function *function, const pg_gather_shape *gather,
                           pg_tensor *const *index)
{
    if (out == NULL || !pg_records(1, &input))
        return out;
    pg_node *node = pg_node_new(function, 1, &input, PG_MAX_DIMS, 1, sizeof *gather);
    if (node != NULL)
        memcpy(node->params, gather, sizeof *gather);
    for (int d = 0; d < gather->ndim; d++)
        pg_save(node, d, index[d]);
    return pg_attach(out, node);
}

typedef pg_tensor *gather_op(const pg_gather_shape *gather, pg_tensor *t, pg_tensor *const *index);

static pg_status backward_with(gather_op *op, pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    pg_tensor *index[PG_MAX_DIMS];
    for (int d = 0; d < PG_MAX_DIMS; d++)
        index[d] = node->saved[d].tensor;
    out[0] = op(node->params, grads[0], index);
    return pg_done(node, out);
}

static pg_status gather_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    return backward_with(pg_gather_add, node, grads, out);
}

static pg_status gather_add_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    return backward_with(pg_gather, node, grads, out);
}

static const pg_function gather_function = {.name = "Index", .backward = gather_backward};
static const pg_function gather_add_function = {.name = "IndexBackward", .backward = gather_add_backward};

pg_tensor *pg_gather(const pg_gather_shape *gather, pg_tensor *t, pg_tensor *const *index)
{
    static inner_loop *const loops[] = {[1] = read_1, [4] = read_4, [8] = read_8};
    int64_t shape[PG_MAX_DIMS];
    pg_pass pass;
    if (plan_pass(&pass, gather, t, index) != PG_OK)
        return NULL;
    const int ndim = pg_gather_result(gather, index, shape), item = pg_itemsize[t->dtype];
    pg_tensor *out = pg_tensor_empty(t->dtype, ndim, shape);
    if (out != NULL && out->numel > 0)
        run(pass.levels, pass.n, out->data, t->data, (size_t)item, loops[item]);
    pg_tensor_release(pass.offsets);
    return recorded(out, t, &gather_function, gather, index);
}

pg_tensor *pg_gather_add(const pg_gather_shape *gather, pg_tensor *g, pg_tensor *const *index)
{
    pg_tensor *out = pg_tensor_zeros(g->dtype, gather->ndim, gather->shape), *packed = pg_tensor_packed(g);
    pg_pass pass = {.offsets = NULL};
    if (out == NULL || packed == NULL || plan_pass(&pass, gather, out, index) != PG_OK) {
        pg_tensor_release(out);
        pg_tensor_release(packed);
        return NULL;
    }
    if (packed->numel > 0)
        run(pass.levels, pass.n, packed->data, out->data, pg_itemsize[g->dtype],
            g->dtype == PG_FLOAT32 ? add_float32 : add_float64);
    pg_tensor_release(pass.offsets);
    pg_tensor_release(packed);
    return recorded(out, g, &gather_add_function, gather, index);
}

pg_status pg_gather_write(const pg_gather_shape *gather, pg_tensor *t, pg_tensor *const *index, const pg_tensor *packed)
{
    static inner_loop *const loops[] = {[1] = write_1, [4] = write_4, [8] = write_8};
    pg_pass pass;
    const pg_status status = plan_pass(&pass, gather, t, index);
    if (status != PG_OK)
        return status;
    const int item = pg_itemsize[t->dtype];
    if (packed->numel > 0)
        run(pass.levels, pass.n, packed->data, t->data, (size_t)item, loops[item]);
    pg_tensor_release(pass.offsets);
    return PG_OK;
}
