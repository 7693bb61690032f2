/* The same elements in another shape: views where memory allows it. */
#include "core/autograd.h"

/* ---- recording --------------------------------------------------------------------------------------------------- */

/* What the gradients of all ops here need. */
typedef struct {
    int ndim;
    int64_t shape[PG_MAX_DIMS]; /* [ndim] of the input; of a permutation: the dimensions that undo it */
} shape_params;

static pg_tensor *recorded(pg_tensor *out, pg_tensor *input, const pg_function *function, int op, int ndim,
                           const int64_t *shape)
{
    if (out == NULL || !pg_records(1, &input))
        return out;
    pg_node *node = pg_node_new(function, 1, &input, 0, 1, sizeof(shape_params));
    if (node != NULL) {
        shape_params *params = node->params;
        params->ndim = ndim;
        for (int d = 0; d < ndim; d++)
            params->shape[d] = shape[d];
        node->op = (uint8_t)op;
    }
    return pg_attach(out, node);
}

/* ---- ops that keep the order of the elements: the gradient takes the input's shape again --------------------------- */

static pg_status reshape_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const shape_params *params = node->params;
    out[0] = pg_tensor_reshape(grads[0], params->ndim, params->shape);
    return pg_done(node, out);
}

enum { VIEW, SQUEEZE, UNSQUEEZE };
static const char *const reshape_names[] = {[VIEW] = "View", [SQUEEZE] = "Squeeze", [UNSQUEEZE] = "Unsqueeze"};
static const pg_function reshape_function = {
    .name = "View", .backward = reshape_backward, .names = reshape_names, .is_view = true};

/* strides[ndim] for seeing t's elements in shape[ndim], which has as many; false when only a copy could. Dimensions of
 * t that are evenly spaced in memory together make a run, and every new dimension has to lie within one run. */
static bool view_strides(const pg_tensor *t, int ndim, const int64_t *shape, int64_t *strides)
{
    if (pg_is_contiguous(t) || t->numel == 0) {
        pg_row_major(ndim, shape, strides);
        return true;
    }
    int from = t->ndim, to = ndim;
    while (from > 0) {
        int64_t run = t->shape[--from];
        if (run == 1)
            continue;
        const int64_t step = t->strides[from];
        while (from > 0 && (t->shape[from - 1] == 1 || t->strides[from - 1] == run * step))
            run *= t->shape[--from];
        int64_t covered = 1;
        while (covered < run) {
            strides[--to] = covered * step;
            covered *= shape[to];
        }
        if (covered != run)
            return false;
    }
    for (; to > 0; to--)
        strides[to - 1] = to < ndim ? strides[to] * shape[to] : 1;
    return true;
}

/* out[ndim] = shape[ndim] with the size of -1 filled in, for the elements of t. */
static pg_status infer_shape(const char *op, const pg_tensor *t, int ndim, const int64_t *shape, int64_t *out)
{
    if (ndim < 0 || ndim > PG_MAX_DIMS)
        return pg_fail(PG_BAD_SHAPE, "%s: %d dimensions, a tensor has at most %d", op, ndim, PG_MAX_DIMS);
    int unknown = -1;
    for (int d = 0; d < ndim; d++) {
        out[d] = shape[d];
        if (shape[d] < -1)
            return pg_fail(PG_BAD_SHAPE, "%s: invalid shape dimension %lld at index %d of shape %s", op,
                           (long long)shape[d], d, pg_shape_text(ndim, shape));
        if (shape[d] != -1)
            continue;
        if (unknown >= 0)
            return pg_fail(PG_BAD_SHAPE, "%s: only one dimension can be inferred, not two of %s", op,
                           pg_shape_text(ndim, shape));
        unknown = d;
        out[d] = 1;
    }
    const int64_t known = pg_shape_numel(op, t->dtype, ndim, out);
    if (known < 0)
        return pg_failure();
    if (unknown >= 0 && known == 0 && t->numel == 0)
        return pg_fail(PG_BAD_SHAPE,
                       "%s: cannot reshape tensor of 0 elements into shape %s because the unspecified dimension size "
                       "-1 can be any value and is ambiguous",
                       op, pg_shape_text(ndim, shape));
    if (unknown >= 0 && known > 0 && t->numel % known == 0)
        out[unknown] = t->numel / known;
    else if (unknown >= 0 || known != t->numel)
        return pg_fail(PG_BAD_SHAPE, "%s: shape '%s' is invalid for input of size %lld (of shape %s)", op,
                       pg_shape_text(ndim, shape), (long long)t->numel, PG_SHAPE(t));
    return PG_OK;
}

/* t seen in shape[ndim], which has as many elements; NULL without a message when only a copy could. */
static pg_tensor *seen_as(pg_tensor *t, int op, int ndim, const int64_t *shape, bool *possible)
{
    int64_t strides[PG_MAX_DIMS];
    *possible = view_strides(t, ndim, shape, strides);
    if (!*possible)
        return NULL;
    return recorded(pg_tensor_view(t, ndim, shape, strides, 0), t, &reshape_function, op, t->ndim, t->shape);
}

pg_tensor *pg_tensor_reshape_view(pg_tensor *t, int ndim, const int64_t *shape)
{
    int64_t sizes[PG_MAX_DIMS];
    if (t == NULL || infer_shape("view", t, ndim, shape, sizes) != PG_OK)
        return NULL;
    bool possible;
    pg_tensor *out = seen_as(t, VIEW, ndim, sizes, &possible);
    if (!possible)
        pg_fail(PG_BAD_SHAPE,
                "view size is not compatible with input tensor's size and stride: %s of a tensor of shape %s with "
                "strides %s; use .reshape(...) instead",
                pg_shape_text(ndim, sizes), PG_SHAPE(t), pg_shape_text(t->ndim, t->strides));
    return out;
}

pg_tensor *pg_tensor_reshape(pg_tensor *t, int ndim, const int64_t *shape)
{
    int64_t sizes[PG_MAX_DIMS];
    if (t == NULL || infer_shape("reshape", t, ndim, shape, sizes) != PG_OK)
        return NULL;
    bool possible;
    pg_tensor *out = seen_as(t, VIEW, ndim, sizes, &possible);
    if (possible)
        return out;
    pg_tensor *copy = pg_tensor_clone(t);
    if (copy != NULL)
        out = seen_as(copy, VIEW, ndim, sizes, &possible);
    pg_tensor_release(copy);
    return out;
}

pg_tensor *pg_tensor_flatten(pg_tensor *t, int64_t start, int64_t end)
{
    if (t == NULL)
        return NULL;
    const int first = pg_wrap_dim("flatten", start, t->ndim), last = pg_wrap_dim("flatten", end, t->ndim);
    if (first < 0 || last < 0)
        return NULL;
    if (first > last) {
        pg_fail(PG_BAD_SHAPE, "flatten: start_dim (%d) cannot come after end_dim (%d)", first, last);
        return NULL;
    }
    int64_t shape[PG_MAX_DIMS] = {1};
    int ndim = 0;
    for (int d = 0; d < t->ndim; d++)
        if (d > first && d <= last)
            shape[ndim - 1] *= t->shape[d];
        else
            shape[ndim++] = t->shape[d];
    return pg_tensor_reshape(t, t->ndim == 0 ? 1 : ndim, shape);
}

pg_tensor *pg_tensor_squeeze(pg_tensor *t, int n, const int64_t *dims)
{
    if (t == NULL)
        return NULL;
    unsigned asked = n < 0 ? ~0u : 0;
    for (int i = 0; i < n; i++) {
        const int dim = pg_wrap_dim("squeeze", dims[i], t->ndim);
        if (dim < 0)
            return NULL;
        if (asked >> dim & 1) {
            pg_fail(PG_BAD_SHAPE, "squeeze: dim %d appears multiple times in the list of dims", dim);
            return NULL;
        }
        asked |= 1u << dim;
    }
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS];
    int ndim = 0;
    for (int d = 0; d < t->ndim; d++)
        if (t->shape[d] != 1 || !(asked >> d & 1)) {
            shape[ndim] = t->shape[d];
            strides[ndim++] = t->strides[d];
        }
    return recorded(pg_tensor_view(t, ndim, shape, strides, 0), t, &reshape_function, SQUEEZE, t->ndim, t->shape);
}

pg_tensor *pg_tensor_unsqueeze(pg_tensor *t, int64_t dim)
{
    if (t == NULL)
        return NULL;
    const int at = pg_wrap_dim("unsqueeze", dim, t->ndim + 1);
    if (at < 0)
        return NULL;
    if (t->ndim == PG_MAX_DIMS) {
        pg_fail(PG_BAD_SHAPE, "unsqueeze: %s has %d dimensions, a tensor has at most that many", PG_SHAPE(t),
                PG_MAX_DIMS);
        return NULL;
    }
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS];
    for (int d = 0; d < at; d++) {
        shape[d] = t->shape[d];
        strides[d] = t->strides[d];
    }
    shape[at] = 1;
    strides[at] = at < t->ndim ? t->shape[at] * t->strides[at] : 1;
    for (int d = at; d < t->ndim; d++) {
        shape[d + 1] = t->shape[d];
        strides[d + 1] = t->strides[d];
    }
    return recorded(pg_tensor_view(t, t->ndim + 1, shape, strides, 0), t, &reshape_function, UNSQUEEZE, t->ndim,
                    t->shape);
}

/* ---- another order of the dimensions ------------------------------------------------------------------------------- */

static pg_status permute_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const shape_params *params = node->params;
    out[0] = pg_tensor_permute(grads[0], params->ndim, params->shape);
    return pg_done(node, out);
}

enum { PERMUTE, TRANSPOSE };
static const char *const permute_names[] = {[PERMUTE] = "Permute", [TRANSPOSE] = "Transpose"};
static const pg_function permute_function = {
    .name = "Permute", .backward = permute_backward, .names = permute_names, .is_view = true};

/* dims[t->ndim] is a permutation. */
static pg_tensor *permuted(pg_tensor *t, int op, const int *dims)
{
    int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS], inverse[PG_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) {
        shape[d] = t->shape[dims[d]];
        strides[d] = t->strides[dims[d]];
        inverse[dims[d]] = d;
    }
    return recorded(pg_tensor_view(t, t->ndim, shape, strides, 0), t, &permute_function, op, t->ndim, inverse);
}

pg_tensor *pg_tensor_permute(pg_tensor *t, int n, const int64_t *dims)
{
    if (t == NULL)
        return NULL;
    if (n != t->ndim) {
        pg_fail(PG_BAD_SHAPE, "permute: %d dims for a tensor of %d dimensions, shape %s", n, t->ndim, PG_SHAPE(t));
        return NULL;
    }
    int order[PG_MAX_DIMS];
    unsigned seen = 0;
    for (int i = 0; i < n; i++) {
        order[i] = pg_wrap_dim("permute", dims[i], n);
        if (order[i] < 0)
            return NULL;
        if (seen >> order[i] & 1) {
            pg_fail(PG_BAD_SHAPE, "permute: duplicate dims are not allowed, %s were given", pg_shape_text(n, dims));
            return NULL;
        }
        seen |= 1u << order[i];
    }
    return permuted(t, PERMUTE, order);
}

pg_tensor *pg_tensor_transpose(pg_tensor *t, int64_t a, int64_t b)
{
    if (t == NULL)
        return NULL;
    const int i = pg_wrap_dim("transpose", a, t->ndim), j = pg_wrap_dim("transpose", b, t->ndim);
    if (i < 0 || j < 0)
        return NULL;
    int order[PG_MAX_DIMS] = {0, 1, 2, 3, 4, 5, 6, 7};
    order[i] = j;
    order[j] = i;
    return permuted(t, TRANSPOSE, order);
}

/* ---- stretching ---------------------------------------------------------------------------------------------------- */

static pg_status expand_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const shape_params *params = node->params;
    out[0] = pg_sum_to_shape(grads[0], params->ndim, params->shape);
    return pg_done(node, out);
}

static const pg_function expand_function = {.name = "Expand", .backward = expand_backward, .is_view = true};

pg_tensor *pg_tensor_expand(pg_tensor *t, int ndim, const int64_t *shape)
{
    if (t == NULL)
        return NULL;
    if (ndim < t->ndim || ndim > PG_MAX_DIMS) {
        pg_fail(
            PG_BAD_SHAPE,
            "expand: the number of sizes provided (%d) must be at least that of the tensor's dimensions (%d) and at "
            "most %d: %s asked of %s",
            ndim, t->ndim, PG_MAX_DIMS, pg_shape_text(ndim, shape), PG_SHAPE(t));
        return NULL;
    }
    int64_t sizes[PG_MAX_DIMS], strides[PG_MAX_DIMS];
    const int added = ndim - t->ndim;
    for (int d = 0; d < ndim; d++) {
        const int64_t size = d < added ? 1 : t->shape[d - added];
        sizes[d] = shape[d] == -1 && d >= added ? size : shape[d];
        strides[d] = d < added || (size == 1 && sizes[d] != 1) ? 0 : t->strides[d - added];
        if (sizes[d] == -1) {
            pg_fail(PG_BAD_SHAPE,
                    "expand: the size -1 isn't allowed in a leading, non-existing dimension %d: %s asked "
                    "of %s",
                    d, pg_shape_text(ndim, shape), PG_SHAPE(t));
            return NULL;
        }
        if (sizes[d] != size && (size != 1 || sizes[d] < 0)) {
            pg_fail(PG_BAD_SHAPE,
                    "expand: the expanded size of the tensor (%lld) must match the existing size (%lld) "
                    "at non-singleton dimension %d. Target sizes: %s. Tensor sizes: %s",
                    (long long)sizes[d], (long long)size, d, pg_shape_text(ndim, shape), PG_SHAPE(t));
            return NULL;
        }
    }
    if (pg_shape_numel("expand", t->dtype, ndim, sizes) < 0)
        return NULL;
    return recorded(pg_tensor_view(t, ndim, sizes, strides, 0), t, &expand_function, 0, t->ndim, t->shape);
}

/* ---- copies -------------------------------------------------------------------------------------------------------- */

static pg_status clone_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = pg_tensor_retain(grads[0]);
    return pg_done(node, out);
}

static const pg_function clone_function = {.name = "Clone", .backward = clone_backward};

pg_tensor *pg_tensor_clone(pg_tensor *t)
{
    if (t == NULL)
        return NULL;
    pg_tensor *out = pg_tensor_empty_like(t, t->dtype);
    if (out != NULL && pg_tensor_assign(out, t) != PG_OK) {
        pg_tensor_release(out);
        return NULL;
    }
    return recorded(out, t, &clone_function, 0, 0, NULL);
}

pg_tensor *pg_tensor_contiguous(pg_tensor *t)
{
    return t != NULL && pg_is_contiguous(t) ? pg_tensor_retain(t) : pg_tensor_clone(t);
}
