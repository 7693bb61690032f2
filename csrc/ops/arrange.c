/* Copies with the elements elsewhere, or some of them gone: flip, roll, tril and triu, pad. Each is linear and its rule
 * is an op of its own kind. */
#include "core/autograd.h"

static pg_tensor *recorded(pg_tensor *out, pg_tensor *input, const pg_function *function, size_t bytes,
                           const void *params)
{
    if (out == NULL || !pg_records(1, &input))
        return out;
    pg_node *const node = pg_node_new(function, 1, &input, 0, 1, bytes);
    if (node != NULL)
        memcpy(node->params, params, bytes);
    return pg_attach(out, node);
}

/* Copies the block of shape[] at from_offset to to_offset, both in elements. */
static pg_status copy_block(pg_tensor *to, int64_t to_offset, pg_tensor *from, int64_t from_offset,
                            const int64_t *shape)
{
    for (int d = 0; d < from->ndim; d++)
        if (shape[d] == 0)
            return PG_OK;
    pg_tensor *const source = pg_tensor_view(from, from->ndim, shape, from->strides, from_offset);
    pg_tensor *const target = pg_tensor_view(to, to->ndim, shape, to->strides, to_offset);
    const pg_status status = source == NULL || target == NULL ? PG_NO_MEMORY : pg_tensor_assign(target, source);
    pg_tensor_release(source);
    pg_tensor_release(target);
    return status;
}

/* ---- flip ---------------------------------------------------------------------------------------------------------- */

static pg_tensor *flipped(pg_tensor *t, unsigned mask);

static pg_status flip_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = flipped(grads[0], *(const unsigned *)node->params);
    return pg_done(node, out);
}

static const pg_function flip_function = {.name = "Flip", .backward = flip_backward};

/* The dimensions of the mask walked backwards. */
static pg_tensor *flipped(pg_tensor *t, unsigned mask)
{
    int64_t strides[PG_MAX_DIMS], offset = 0;
    for (int d = 0; d < t->ndim; d++) {
        const bool turns = mask >> d & 1;
        strides[d] = turns ? -t->strides[d] : t->strides[d];
        if (turns && t->numel > 0)
            offset += (t->shape[d] - 1) * t->strides[d];
    }
    pg_tensor *const view = pg_tensor_view(t, t->ndim, t->shape, strides, offset), *const out = pg_tensor_copy(view);
    pg_tensor_release(view);
    return recorded(out, t, &flip_function, sizeof mask, &mask);
}

pg_tensor *pg_tensor_flip(pg_tensor *t, int n, const int64_t *dims)
{
    if (t == NULL)
        return NULL;
    unsigned mask = 0;
    for (int i = 0; i < n; i++) {
        const int dim = pg_wrap_dim("flip", dims[i], t->ndim);
        if (dim < 0)
            return NULL;
        if (mask >> dim & 1) {
            pg_fail(PG_BAD_SHAPE, "flip: dim %d appears multiple times in the list of dims", dim);
            return NULL;
        }
        mask |= 1u << dim;
    }
    return flipped(t, mask);
}

/* ---- roll ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t by[PG_MAX_DIMS]; /* 0 <= by < size, or 0 */
} shifts;

static pg_tensor *rolled(pg_tensor *t, const shifts *s);

static pg_status roll_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const shifts *const there = node->params;
    shifts back = {{0}};
    for (int d = 0; d < grads[0]->ndim; d++)
        back.by[d] = there->by[d] == 0 ? 0 : grads[0]->shape[d] - there->by[d];
    out[0] = rolled(grads[0], &back);
    return pg_done(node, out);
}

static const pg_function roll_function = {.name = "Roll", .backward = roll_backward};

/* A shifted dimension falls into what moves up and what comes round, so that k of them make 2^k blocks. */
static pg_tensor *rolled(pg_tensor *t, const shifts *s)
{
    pg_tensor *out = pg_tensor_empty(t->dtype, t->ndim, t->shape);
    unsigned shifted = 0, round = 0;
    for (int d = 0; d < t->ndim; d++)
        shifted |= (unsigned)(s->by[d] != 0) << d;
    if (out == NULL)
        return NULL;
    do {
        int64_t shape[PG_MAX_DIMS], from = 0, to = 0;
        memcpy(shape, t->shape, sizeof shape);
        for (int d = 0; d < t->ndim; d++) {
            if (!(shifted >> d & 1))
                continue;
            const int64_t stays = t->shape[d] - s->by[d];
            shape[d] = round >> d & 1 ? s->by[d] : stays;
            if (round >> d & 1)
                from += stays * t->strides[d];
            else
                to += s->by[d] * out->strides[d];
        }
        if (copy_block(out, to, t, from, shape) != PG_OK) {
            pg_tensor_release(out);
            return NULL;
        }
        round = (round - shifted) & shifted; /* the next subset */
    } while (round != 0);
    return recorded(out, t, &roll_function, sizeof *s, s);
}

/* Everything in one row, as if the tensor had one dimension. */
static pg_tensor *rolled_flat(pg_tensor *t, int64_t shift)
{
    static const int64_t first = 0;
    pg_tensor *const flat = pg_tensor_flatten(t, 0, -1), *const row = pg_tensor_roll(flat, 1, &shift, 1, &first);
    pg_tensor *const out = pg_tensor_reshape(row, t->ndim, t->shape);
    pg_tensor_release(row);
    pg_tensor_release(flat);
    return out;
}

pg_tensor *pg_tensor_roll(pg_tensor *t, int n, const int64_t *by, int n_dims, const int64_t *dims)
{
    if (t == NULL)
        return NULL;
    if (n == 1 && n_dims == 0)
        return rolled_flat(t, by[0]);
    if (n == 0 || n != n_dims) {
        pg_fail(PG_BAD_SHAPE, "roll: shifts and dimensions must align: %d shifts and %d dims", n, n_dims);
        return NULL;
    }
    if (t->ndim == 0) {
        pg_fail(PG_BAD_INDEX, "roll: Dimension specified as %lld but tensor has no dimensions", (long long)dims[0]);
        return NULL;
    }
    shifts s = {{0}};
    for (int i = 0; i < n; i++) {
        const int dim = pg_wrap_dim("roll", dims[i], t->ndim);
        if (dim < 0)
            return NULL;
        const int64_t size = t->shape[dim];
        if (size > 0) /* both are less than the size apart from 0: the sum does not overflow */
            s.by[dim] = ((s.by[dim] + by[i] % size) % size + size) % size;
    }
    return rolled(t, &s);
}

/* ---- tril and triu ------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t diagonal;
    bool upper;
} triangle;

static pg_tensor *triangle_of(pg_tensor *t, const triangle *which);

static pg_status triangle_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = triangle_of(grads[0], node->params);
    return pg_done(node, out);
}

static const pg_function tril_function = {.name = "Tril", .backward = triangle_backward};
static const pg_function triu_function = {.name = "Triu", .backward = triangle_backward};

static pg_tensor *triangle_of(pg_tensor *t, const triangle *which)
{
    const int64_t m = t->shape[t->ndim - 2], n = t->shape[t->ndim - 1];
    const size_t item = pg_itemsize[t->dtype];
    pg_tensor *out = pg_tensor_empty(t->dtype, t->ndim, t->shape), *const packed = pg_tensor_packed(t);
    if (out == NULL || packed == NULL) {
        pg_tensor_release(out);
        pg_tensor_release(packed);
        return NULL;
    }
    for (int64_t at = 0, row = 0; at < t->numel; at += n, row = row + 1 == m ? 0 : row + 1) {
        /* The lower part of a row ends, or the upper one begins, here. */
        int64_t border = row + which->diagonal + !which->upper;
        border = border < 0 ? 0 : border > n ? n : border;
        const size_t left = (size_t)border * item, right = (size_t)(n - border) * item;
        char *const to = out->data + (size_t)at * item;
        const char *const from = packed->data + (size_t)at * item;
        if (which->upper) {
            memset(to, 0, left);
            memcpy(to + left, from + left, right);
        } else {
            memcpy(to, from, left);
            memset(to + left, 0, right);
        }
    }
    pg_tensor_release(packed);
    return recorded(out, t, which->upper ? &triu_function : &tril_function, sizeof *which, which);
}

static pg_tensor *checked_triangle(const char *op, pg_tensor *t, int64_t diagonal, bool upper)
{
    if (t == NULL)
        return NULL;
    if (t->ndim < 2) {
        pg_fail(PG_BAD_SHAPE, "%s: input tensor must have at least 2 dimensions, not the shape %s", op, PG_SHAPE(t));
        return NULL;
    }
    const int64_t m = t->shape[t->ndim - 2], n = t->shape[t->ndim - 1];
    return triangle_of(t, &(triangle){diagonal < -m ? -m : diagonal > n ? n : diagonal, upper});
}

pg_tensor *pg_tensor_tril(pg_tensor *t, int64_t diagonal)
{
    return checked_triangle("tril", t, diagonal, false);
}

pg_tensor *pg_tensor_triu(pg_tensor *t, int64_t diagonal)
{
    return checked_triangle("triu", t, diagonal, true);
}

/* ---- pad ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t before[PG_MAX_DIMS], after[PG_MAX_DIMS]; /* negative ones take away */
} margins;

static pg_tensor *padded(pg_tensor *t, const margins *m, const pg_tensor *value);

static pg_status pad_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const margins *const there = node->params;
    margins back;
    for (int d = 0; d < PG_MAX_DIMS; d++) {
        back.before[d] = -there->before[d];
        back.after[d] = -there->after[d];
    }
    out[0] = padded(grads[0], &back, NULL);
    return pg_done(node, out);
}

static const pg_function pad_function = {.name = "ConstantPadNd", .backward = pad_backward};

static inline int64_t positive(int64_t x)
{
    return x > 0 ? x : 0;
}

/* value NULL stands for 0. What is left of t has a size of 0 or more in each dimension. */
static pg_tensor *padded(pg_tensor *t, const margins *m, const pg_tensor *value)
{
    int64_t shape[PG_MAX_DIMS], kept[PG_MAX_DIMS], from = 0, to = 0;
    for (int d = 0; d < t->ndim; d++) {
        kept[d] = t->shape[d] - positive(-m->before[d]) - positive(-m->after[d]);
        shape[d] = kept[d] + positive(m->before[d]) + positive(m->after[d]);
    }
    pg_tensor *out =
        value == NULL ? pg_tensor_zeros(t->dtype, t->ndim, shape) : pg_tensor_empty(t->dtype, t->ndim, shape);
    if (out == NULL)
        return NULL;
    for (int d = 0; d < t->ndim; d++) {
        from += positive(-m->before[d]) * t->strides[d];
        to += positive(m->before[d]) * out->strides[d];
    }
    if ((value != NULL && pg_tensor_assign(out, value) != PG_OK) || copy_block(out, to, t, from, kept) != PG_OK) {
        pg_tensor_release(out);
        return NULL;
    }
    return recorded(out, t, &pad_function, sizeof *m, m);
}

pg_tensor *pg_tensor_pad(pg_tensor *t, int n, const int64_t *before, const int64_t *after, pg_tensor *value)
{
    if (t == NULL)
        return NULL;
    if (n > t->ndim) {
        pg_fail(PG_BAD_SHAPE, "pad: margins for %d dimensions, but the shape is %s", n, PG_SHAPE(t));
        return NULL;
    }
    margins m = {{0}, {0}};
    for (int i = 0; i < n; i++) {
        const int d = t->ndim - n + i;
        /* A quarter of the range: then no sum of two margins and a size overflows. */
        const int64_t most = INT64_MAX / 4;
        const bool fits = before[i] >= -most && before[i] <= most && after[i] >= -most && after[i] <= most;
        if (!fits || t->shape[d] - positive(-before[i]) - positive(-after[i]) < 0) {
            pg_fail(PG_BAD_SHAPE, "pad: margins of %lld and %lld do not go with dimension %d of the shape %s",
                    (long long)before[i], (long long)after[i], d, PG_SHAPE(t));
            return NULL;
        }
        m.before[d] = before[i];
        m.after[d] = after[i];
    }
    if (value != NULL && (value->ndim != 0 || value->dtype != t->dtype)) {
        pg_fail(PG_BAD_STATE, "pad: the value has to have no dimensions and the dtype %s, not the shape %s and %s",
                pg_dtype_name[t->dtype], PG_SHAPE(value), pg_dtype_name[value->dtype]);
        return NULL;
    }
    return padded(t, &m, value);
}
