#include "ops/window.h"

#include "core/autograd.h"

/* ---- which elements ---------------------------------------------------------------------------------------------- */

void pg_window_all(pg_window *window, const pg_tensor *t)
{
    window->from_ndim = window->ndim = t->ndim;
    for (int d = 0; d < t->ndim && d < PG_MAX_DIMS; d++) { /* the second is for compilers that cannot know it */
        window->source[d] = (int8_t)d;
        window->from_shape[d] = window->shape[d] = t->shape[d];
        window->start[d] = 0;
        window->step[d] = 1;
    }
}

pg_status pg_window_at(pg_window *window, const char *op, int dim, int64_t index)
{
    const int64_t size = window->shape[dim];
    if (index < -size || index >= size)
        return pg_fail(PG_BAD_INDEX, "%s: index %lld is out of bounds for dimension %d with size %lld", op,
                       (long long)index, window->source[dim] < 0 ? dim : window->source[dim], (long long)size);
    const int source = window->source[dim];
    if (source >= 0)
        window->start[source] += (index < 0 ? index + size : index) * window->step[dim];
    window->ndim--;
    for (int d = dim; d < window->ndim; d++) {
        window->source[d] = window->source[d + 1];
        window->shape[d] = window->shape[d + 1];
        window->step[d] = window->step[d + 1];
    }
    return PG_OK;
}

/* An end of a slice as an index of a dimension that is walked upwards (low 0) or downwards (low -1). */
static inline int64_t slice_end(int64_t end, int64_t size, int64_t low)
{
    if (end < 0)
        return end < -size ? low : end + size;
    return end > size + low ? size + low : end;
}

pg_status pg_window_slice(pg_window *window, const char *op, int dim, int64_t start, int64_t stop, int64_t step)
{
    if (step == 0)
        return pg_fail(PG_BAD_ARGUMENT, "%s: slice step cannot be zero", op);
    const int64_t size = window->shape[dim], low = step < 0 ? -1 : 0;
    start = slice_end(start, size, low);
    stop = slice_end(stop, size, low);
    const int64_t span = step < 0 ? start - stop : stop - start;
    /* Unsigned, because -INT64_MIN is no int64_t. */
    const uint64_t stride = step < 0 ? -(uint64_t)step : (uint64_t)step;
    const int64_t length = span <= 0 ? 0 : (int64_t)(((uint64_t)span - 1) / stride) + 1;
    const int source = window->source[dim];
    /* With one element or none left the step is of no use, and might overflow. */
    if (source >= 0 && length > 0)
        window->start[source] += start * window->step[dim];
    if (length > 1)
        window->step[dim] *= step;
    window->shape[dim] = length;
    return PG_OK;
}

pg_status pg_window_new_axis(pg_window *window, const char *op, int dim)
{
    if (window->ndim == PG_MAX_DIMS)
        return pg_fail(PG_BAD_INDEX, "%s: a tensor has at most %d dimensions", op, PG_MAX_DIMS);
    for (int d = window->ndim++; d > dim; d--) {
        window->source[d] = window->source[d - 1];
        window->shape[d] = window->shape[d - 1];
        window->step[d] = window->step[d - 1];
    }
    window->source[dim] = -1;
    window->shape[dim] = window->step[dim] = 1;
    return PG_OK;
}

/* ---- the view ---------------------------------------------------------------------------------------------------- */

pg_tensor *pg_window_view(const pg_window *window, pg_tensor *t)
{
    int64_t strides[PG_MAX_DIMS], offset = 0;
    for (int d = 0; d < window->from_ndim; d++)
        offset += window->start[d] * t->strides[d];
    /* A new dimension gets the stride that row-major order would give it, as in PyTorch; from the last to the first,
     * because that looks at the one behind it. */
    for (int d = window->ndim - 1; d >= 0; d--) {
        const int source = window->source[d];
        if (source >= 0)
            strides[d] = window->step[d] * t->strides[source];
        else
            strides[d] = d + 1 < window->ndim ? strides[d + 1] * window->shape[d + 1] : 1;
    }
    bool empty = false;
    for (int d = 0; d < window->ndim; d++)
        empty |= window->shape[d] == 0;
    return pg_tensor_view(t, window->ndim, window->shape, strides, empty ? 0 : offset);
}

bool pg_window_shows_all(const pg_window *window)
{
    int64_t from = 1, numel = 1;
    bool upwards = true;
    for (int d = 0; d < window->from_ndim; d++)
        from *= window->from_shape[d];
    for (int d = 0; d < window->ndim; d++) {
        numel *= window->shape[d];
        upwards &= window->step[d] > 0 || window->shape[d] == 1;
    }
    return numel == from && upwards;
}

/* The gradient of a view is zero but where the view is; and the gradient of that is the view again. */
static pg_tensor *fill_window(const pg_window *window, pg_tensor *g);

static pg_status window_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = fill_window(node->params, grads[0]);
    return pg_done(node, out);
}

static pg_status fill_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    out[0] = pg_window_apply(node->params, grads[0]);
    return pg_done(node, out);
}

enum { SELECT, SLICE, UNSQUEEZE };
static const char *const window_names[] = {[SELECT] = "Select", [SLICE] = "Slice", [UNSQUEEZE] = "Unsqueeze"};
static const pg_function window_function = {
    .name = "Slice", .backward = window_backward, .names = window_names, .is_view = true};
static const pg_function fill_function = {.name = "SliceBackward", .backward = fill_backward};

static pg_tensor *recorded(pg_tensor *out, const pg_window *window, pg_tensor *input, const pg_function *function,
                           int op)
{
    if (out == NULL || !pg_records(1, &input))
        return out;
    pg_node *node = pg_node_new(function, 1, &input, 0, 1, sizeof *window);
    if (node != NULL) {
        memcpy(node->params, window, sizeof *window);
        node->op = (uint8_t)op;
    }
    return pg_attach(out, node);
}

static pg_tensor *fill_window(const pg_window *window, pg_tensor *g)
{
    if (pg_window_shows_all(window))
        return pg_tensor_reshape(g, window->from_ndim, window->from_shape);
    pg_tensor *out = pg_tensor_zeros(g->dtype, window->from_ndim, window->from_shape);
    pg_tensor *part = out == NULL ? NULL : pg_window_view(window, out);
    if (part == NULL || pg_tensor_assign(part, g) != PG_OK) {
        pg_tensor_release(out);
        out = NULL;
    }
    pg_tensor_release(part);
    return recorded(out, window, g, &fill_function, 0);
}

pg_tensor *pg_window_apply(const pg_window *window, pg_tensor *t)
{
    const int op = window->ndim < window->from_ndim ? SELECT : window->ndim == window->from_ndim ? SLICE : UNSQUEEZE;
    return recorded(pg_window_view(window, t), window, t, &window_function, op);
}

/* ---- the ops ----------------------------------------------------------------------------------------------------- */

pg_tensor *pg_tensor_select(pg_tensor *t, int64_t dim, int64_t index)
{
    if (t == NULL)
        return NULL;
    if (t->ndim == 0) {
        pg_fail(PG_BAD_INDEX, "select: a tensor of dimension 0 has no dimension to select from; use item()");
        return NULL;
    }
    pg_window window;
    pg_window_all(&window, t);
    const int at = pg_wrap_dim("select", dim, t->ndim);
    if (at < 0 || pg_window_at(&window, "select", at, index) != PG_OK)
        return NULL;
    return pg_window_apply(&window, t);
}

pg_tensor *pg_tensor_slice(pg_tensor *t, int64_t dim, int64_t start, int64_t stop, int64_t step)
{
    if (t == NULL)
        return NULL;
    if (t->ndim == 0) {
        pg_fail(PG_BAD_INDEX, "slice: a tensor of dimension 0 has no dimension to slice");
        return NULL;
    }
    pg_window window;
    pg_window_all(&window, t);
    const int at = pg_wrap_dim("slice", dim, t->ndim);
    if (at < 0 || pg_window_slice(&window, "slice", at, start, stop, step) != PG_OK)
        return NULL;
    return pg_window_apply(&window, t);
}

pg_tensor *pg_tensor_narrow(pg_tensor *t, int64_t dim, int64_t start, int64_t length)
{
    if (t == NULL)
        return NULL;
    if (t->ndim == 0) {
        pg_fail(PG_BAD_SHAPE, "narrow: a tensor of dimension 0 cannot be narrowed");
        return NULL;
    }
    if (length < 0) {
        pg_fail(PG_BAD_SHAPE, "narrow: length must be non-negative, not %lld", (long long)length);
        return NULL;
    }
    const int at = pg_wrap_dim("narrow", dim, t->ndim);
    if (at < 0)
        return NULL;
    const int64_t size = t->shape[at];
    if (start < -size || start > size) {
        pg_fail(PG_BAD_INDEX, "narrow: start out of range (expected to be in range of [%lld, %lld], but got %lld)",
                (long long)-size, (long long)size, (long long)start);
        return NULL;
    }
    if (start < 0)
        start += size;
    if (length > size - start) {
        pg_fail(PG_BAD_SHAPE, "narrow: start (%lld) + length (%lld) exceeds dimension size (%lld)", (long long)start,
                (long long)length, (long long)size);
        return NULL;
    }
    return pg_tensor_slice(t, at, start, start + length, 1);
}
