/* One tensor as several views of it: split and unbind. The views share a node, whose rule joins their gradients, so that
 * the gradient of n pieces costs one pass over the tensor and not n. */
#include "core/alloc.h"
#include "core/autograd.h"

/* What a node has room for; more pieces are views of parts of the tensor. */
enum { MOST_PIECES = UINT16_MAX };

typedef struct {
    int dim, ndim;
    uint8_t dtype;
    bool drops;                 /* the pieces do not have the dimension */
    int64_t shape[PG_MAX_DIMS]; /* [ndim] of the tensor */
    int64_t sizes[];            /* [outputs] along the dimension; none where it is dropped */
} split_params;

/* out[ndim - drops]: the shape of a piece of `size`; its number of dimensions. */
static int piece_shape(int ndim, const int64_t *shape, int dim, bool drops, int64_t size, int64_t *out)
{
    int n = 0;
    for (int d = 0; d < ndim; d++)
        if (d != dim)
            out[n++] = shape[d];
        else if (!drops)
            out[n++] = size;
    return n;
}

static pg_tensor *no_gradient(const split_params *params, int piece)
{
    int64_t shape[PG_MAX_DIMS];
    const int64_t size = params->drops ? 1 : params->sizes[piece];
    const int ndim = piece_shape(params->ndim, params->shape, params->dim, params->drops, size, shape);
    return pg_tensor_zeros(params->dtype, ndim, shape);
}

static pg_status split_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const split_params *const params = node->params;
    const int n = node->n_outputs;
    const size_t bytes = (size_t)n * sizeof(pg_tensor *);
    pg_tensor **const parts = pg_alloc(bytes);
    if (parts == NULL)
        return pg_failure();
    int there = 0;
    for (; there < n; there++) {
        parts[there] = grads[there] != NULL ? pg_tensor_retain(grads[there]) : no_gradient(params, there);
        if (parts[there] == NULL)
            break;
    }
    if (there == n)
        out[0] = params->drops ? pg_tensor_stack(n, parts, params->dim) : pg_tensor_cat(n, parts, params->dim);
    while (there > 0)
        pg_tensor_release(parts[--there]);
    pg_free(parts, bytes);
    return pg_done(node, out);
}

enum { SPLIT, UNBIND };
static const char *const split_names[] = {[SPLIT] = "Split", [UNBIND] = "Unbind"};
static const pg_function split_function = {
    .name = "Split", .backward = split_backward, .names = split_names, .is_view = true};

static bool recorded(pg_tensor *t, int dim, int n, const int64_t *sizes, pg_tensor **out)
{
    const size_t listed = sizes == NULL ? 0 : (size_t)n * sizeof *sizes;
    pg_node *const node = pg_node_new(&split_function, 1, &t, 0, n, sizeof(split_params) + listed);
    if (node != NULL) {
        split_params *const params = node->params;
        node->op = sizes == NULL ? UNBIND : SPLIT;
        *params = (split_params){.dim = dim, .ndim = t->ndim, .dtype = t->dtype, .drops = sizes == NULL};
        memcpy(params->shape, t->shape, sizeof params->shape);
        if (sizes != NULL)
            memcpy(params->sizes, sizes, listed);
    }
    return pg_attach_all(node, n, out);
}

/* out[n]: the pieces, of sizes[n] or, without the dimension, of sizes NULL; all NULL on failure. */
static pg_status pieces(pg_tensor *t, int dim, int n, const int64_t *sizes, pg_tensor **out)
{
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS], at = 0;
    piece_shape(t->ndim, t->strides, dim, sizes == NULL, t->strides[dim], strides);
    bool there = true;
    for (int i = 0; i < n; i++) {
        const int64_t size = sizes == NULL ? 1 : sizes[i];
        const int ndim = piece_shape(t->ndim, t->shape, dim, sizes == NULL, size, shape);
        out[i] = there ? pg_tensor_view(t, ndim, shape, strides, t->numel == 0 || size == 0 ? 0 : at * t->strides[dim])
                       : NULL;
        there = out[i] != NULL;
        at += size;
    }
    if (there && n > 0 && pg_records(1, &t))
        there = recorded(t, dim, n, sizes, out);
    for (int i = 0; i < n && !there; i++) {
        pg_tensor_release(out[i]);
        out[i] = NULL;
    }
    return there ? PG_OK : pg_failure();
}

/* The same for any n. */
static pg_status all_pieces(pg_tensor *t, int dim, int64_t n, const int64_t *sizes, pg_tensor **out)
{
    if (n <= MOST_PIECES)
        return pieces(t, dim, (int)n, sizes, out);
    int64_t at = 0;
    for (int64_t done = 0; done < n; done += MOST_PIECES) {
        const int count = n - done < MOST_PIECES ? (int)(n - done) : MOST_PIECES;
        int64_t length = sizes == NULL ? count : 0;
        for (int i = 0; i < count && sizes != NULL; i++)
            length += sizes[done + i];
        pg_tensor *const part = pg_tensor_narrow(t, dim, at, length);
        const pg_status status =
            part == NULL ? pg_failure() : pieces(part, dim, count, sizes == NULL ? NULL : sizes + done, out + done);
        pg_tensor_release(part);
        if (status != PG_OK) {
            for (int64_t i = 0; i < n; i++) {
                if (i < done)
                    pg_tensor_release(out[i]);
                out[i] = NULL;
            }
            return status;
        }
        at += length;
    }
    return PG_OK;
}

pg_status pg_tensor_split(pg_tensor *t, int64_t dim, int64_t n, const int64_t *sizes, pg_tensor **out)
{
    if (t == NULL)
        return pg_failure();
    if (t->ndim == 0)
        return pg_fail(PG_BAD_SHAPE, "split: expects at least a 1-dimensional tensor");
    const int at = pg_wrap_dim("split", dim, t->ndim);
    if (at < 0)
        return pg_failure();
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) {
        if (sizes[i] < 0)
            return pg_fail(PG_BAD_SHAPE, "split: expects only non-negative sizes, but size %lld is %lld", (long long)i,
                           (long long)sizes[i]);
        if (__builtin_add_overflow(total, sizes[i], &total))
            total = INT64_MAX;
    }
    if (total != t->shape[at])
        return pg_fail(PG_BAD_SHAPE,
                       "split: expects sizes that sum exactly to %lld (dimension %d of the shape %s), not to %lld",
                       (long long)t->shape[at], at, PG_SHAPE(t), (long long)total);
    return all_pieces(t, at, n, sizes, out);
}

pg_status pg_tensor_unbind(pg_tensor *t, int64_t dim, pg_tensor **out)
{
    if (t == NULL)
        return pg_failure();
    if (t->ndim == 0)
        return pg_fail(PG_BAD_INDEX, "unbind: Dimension specified as %lld but tensor has no dimensions",
                       (long long)dim);
    const int at = pg_wrap_dim("unbind", dim, t->ndim);
    return at < 0 ? pg_failure() : all_pieces(t, at, t->shape[at], NULL, out);
}
