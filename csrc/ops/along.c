/* gather and scatter along a dimension: the index has as many dimensions as what is read or written. Each is the
 * gradient of the other. All indices are checked before anything is written. */
#include "ops/along.h"

#include "core/iterate.h"
#include "ops/elementwise.h"
#include "ops/fill.h"
#include "ops/rewrite.h"
#include "ops/select.h"

/* ---- checks ------------------------------------------------------------------------------------------------------ */

typedef struct {
    int64_t low, size, bad;
    bool failed;
} place;

static void check_place(char *const *p, const int64_t *strides, int64_t n, const void *context)
{
    place *const at = (place *)context;
    for (int64_t i = 0; i < n; i++) {
        const int64_t given = *(const int64_t *)(p[0] + i * strides[0]);
        if (PG_UNLIKELY(given < at->low || given >= at->size) && !at->failed) {
            at->bad = given;
            at->failed = true;
        }
    }
}

pg_status pg_check_places(const char *op, pg_status status, const pg_tensor *index, int dim, int64_t low, int64_t size)
{
    place at = {.low = low, .size = size};
    pg_iter iter;
    pg_iter_start(&iter, index->ndim, index->shape, 1, &index);
    pg_iter_run(&iter, check_place, &at);
    if (!at.failed)
        return PG_OK;
    return pg_fail(status, "%s: index %lld is out of bounds for dimension %d with size %lld", op, (long long)at.bad,
                   dim, (long long)size);
}

pg_tensor *pg_read_indices(const char *op, pg_tensor *index)
{
    if (index->dtype == PG_INT64 || index->dtype == PG_INT32 || index->numel == 0)
        return pg_tensor_cast(index, PG_INT64);
    pg_fail(PG_BAD_STATE, "%s: the index has to be of dtype int64 or int32, not %s", op, pg_dtype_name[index->dtype]);
    return NULL;
}

/* t's geometry; that of one dimension where it has none. Not a handle of its own. */
static pg_tensor lifted(const pg_tensor *t)
{
    pg_tensor copy = *t;
    if (t->ndim == 0) {
        copy.ndim = 1;
        copy.shape[0] = copy.strides[0] = 1;
    }
    return copy;
}

/* That index reaches no further than t apart from `dim`, and nowhere further than src (NULL: there is none). */
static pg_status check_sizes(const char *op, const pg_tensor *t, int dim, const pg_tensor *index, const pg_tensor *src)
{
    const pg_tensor whole = lifted(t), at = lifted(index), from = lifted(src != NULL ? src : index);
    if (index->numel == 0)
        return PG_OK;
    if (at.ndim != whole.ndim || at.ndim != from.ndim)
        return pg_fail(PG_BAD_SHAPE,
                       "%s: the index of shape %s has to have as many dimensions as the input, %s, and src", op,
                       PG_SHAPE(index), PG_SHAPE(t));
    for (int d = 0; d < at.ndim; d++) {
        if (d != dim && at.shape[d] > whole.shape[d])
            return pg_fail(PG_BAD_SHAPE, "%s: expected index %s to be no larger than self %s apart from dimension %d",
                           op, PG_SHAPE(index), PG_SHAPE(t), dim);
        if (at.shape[d] > from.shape[d])
            return pg_fail(PG_BAD_SHAPE, "%s: expected index %s to be no larger than src %s", op, PG_SHAPE(index),
                           pg_shape_text(from.ndim, from.shape));
    }
    return PG_OK;
}

/* ---- the loops: p[0] goes along with the index p[1], and p[2] is where index 0 is in the table ----------------------- */

#define LOOP(name, T, STATEMENT) \
    static void name(char *const *p, const int64_t *strides, int64_t n, const void *context) \
    { \
        const int64_t stride = *(const int64_t *)context; \
        for (int64_t i = 0; i < n; i++) { \
            const int64_t at = *(const int64_t *)(p[1] + i * strides[1]); \
            T *const near = (T *)(p[0] + i * strides[0]), *const far = (T *)(p[2] + i * strides[2] + at * stride); \
            STATEMENT; \
        } \
    }
LOOP(read_1, uint8_t, *near = *far)
LOOP(read_4, uint32_t, *near = *far)
LOOP(read_8, uint64_t, *near = *far)
LOOP(write_1, uint8_t, *far = *near)
LOOP(write_4, uint32_t, *far = *near)
LOOP(write_8, uint64_t, *far = *near)
LOOP(add_bool, uint8_t, *far |= *near)
LOOP(add_uint8, uint8_t, *far = (uint8_t)(*far + *near))
LOOP(add_int32, uint32_t, *far += *near)
LOOP(add_int64, uint64_t, *far += *near)
LOOP(add_float32, float, *far += *near)
LOOP(add_float64, double, *far += *near)

static pg_loop *const reads[] = {[1] = read_1, [4] = read_4, [8] = read_8};
static pg_loop *const writes[] = {[1] = write_1, [4] = write_4, [8] = write_8};
static pg_loop *const adds[PG_DTYPES] = {add_bool, add_uint8, add_int32, add_int64, add_float32, add_float64};

/* Runs over the elements of index, in its order; `near` is at least as large. */
static void walk(pg_loop *loop, const pg_tensor *near, const pg_tensor *index, const pg_tensor *table, int dim)
{
    const pg_tensor at = lifted(index);
    pg_tensor first = lifted(table), beside = lifted(near);
    const int64_t stride = first.strides[dim] * pg_itemsize[table->dtype];
    first.strides[dim] = 0;
    memcpy(first.shape, at.shape, sizeof first.shape);
    memcpy(beside.shape, at.shape, sizeof beside.shape);
    pg_iter iter;
    pg_iter_start(&iter, at.ndim, at.shape, 3, (const pg_tensor *[]){&beside, &at, &first});
    pg_iter_run(&iter, loop, &stride);
}

/* ---- gather ------------------------------------------------------------------------------------------------------ */

typedef struct {
    int dim, ndim;
    int64_t shape[PG_MAX_DIMS]; /* of what was read or written */
    bool adds;
} along_params;

static pg_tensor *recorded(pg_tensor *out, const pg_function *function, int n, pg_tensor *const *inputs, int dim,
                           pg_tensor *index, bool sums)
{
    if (out == NULL || !pg_records(n, inputs))
        return out;
    pg_node *const node = pg_node_new(function, n, inputs, 1, 1, sizeof(along_params));
    if (node != NULL) {
        along_params *const params = node->params;
        *params = (along_params){.dim = dim, .ndim = inputs[0]->ndim, .adds = sums};
        memcpy(params->shape, inputs[0]->shape, sizeof params->shape);
    }
    pg_save(node, 0, index);
    return pg_attach(out, node);
}

static pg_status gather_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const along_params *const params = node->params;
    pg_tensor *const zeros = pg_tensor_zeros(grads[0]->dtype, params->ndim, params->shape);
    out[0] = pg_tensor_scatter_add(zeros, params->dim, node->saved[0].tensor, grads[0]);
    pg_tensor_release(zeros);
    return pg_done(node, out);
}
static const pg_function gather_function = {.name = "Gather", .backward = gather_backward};

pg_tensor *pg_tensor_gather(pg_tensor *t, int64_t dim, pg_tensor *index)
{
    if (t == NULL || index == NULL)
        return NULL;
    const int along = pg_wrap_dim("gather", dim, t->ndim);
    pg_tensor *const at = along < 0 ? NULL : pg_read_indices("gather", index);
    pg_tensor *out = NULL;
    if (at != NULL && check_sizes("gather", t, along, at, NULL) == PG_OK &&
        pg_check_places("gather", PG_BAD_STATE, at, along, 0, lifted(t).shape[along]) == PG_OK)
        out = pg_tensor_empty(t->dtype, at->ndim, at->shape);
    if (out != NULL && out->numel > 0)
        walk(reads[pg_itemsize[t->dtype]], out, at, t, along);
    out = recorded(out, &gather_function, 1, &t, along, at, false);
    pg_tensor_release(at);
    return out;
}

/* ---- scatter ----------------------------------------------------------------------------------------------------- */

/* g where src was what stayed: of several elements written to one place the last. */
static pg_tensor *gradient_of_source(const along_params *params, pg_tensor *index, pg_tensor *g)
{
    pg_scope scope = {0};
    pg_tensor *const read = pg_temp(&scope, pg_tensor_gather(g, params->dim, index));
    pg_tensor *const count = pg_temp(&scope, pg_tensor_arange_int(PG_INT64, 0, index->numel, 1));
    pg_tensor *const order = pg_temp(&scope, pg_tensor_reshape(count, index->ndim, index->shape));
    pg_tensor *const zeros = pg_temp(&scope, pg_tensor_zeros(PG_INT64, params->ndim, params->shape));
    pg_tensor *const last = pg_temp(&scope, pg_tensor_scatter(zeros, params->dim, index, order));
    pg_tensor *const stayed = pg_temp(&scope, pg_tensor_gather(last, params->dim, index));
    pg_tensor *mask = NULL, *out = NULL;
    if (stayed != NULL)
        mask = pg_temp(&scope, pg_compare(PG_EQ, (pg_operand[]){PG_TENSOR_OPERAND(stayed), PG_TENSOR_OPERAND(order)}));
    if (mask != NULL && read != NULL)
        out = pg_where(mask, (pg_operand[]){PG_TENSOR_OPERAND(read), PG_NUMBER_OPERAND(0)});
    pg_scope_end(&scope);
    return out;
}

static pg_status scatter_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const along_params *const params = node->params;
    pg_tensor *const index = node->saved[0].tensor, *const g = grads[0];
    if (pg_wants(node, 0))
        out[0] = params->adds ? pg_tensor_retain(g) : pg_scatter_number(g, params->dim, index, pg_real(0));
    if (pg_wants(node, 1))
        out[1] = params->adds ? pg_tensor_gather(g, params->dim, index) : gradient_of_source(params, index, g);
    return pg_done(node, out);
}
static const pg_function scatter_function = {.name = "Scatter", .backward = scatter_backward};
static const pg_function scatter_add_function = {.name = "ScatterAdd", .backward = scatter_backward};

/* The part of src that index reaches, as a view with history. */
static pg_tensor *reached(pg_tensor *src, const pg_tensor *index)
{
    if (src->ndim != index->ndim)
        return pg_tensor_reshape(src, index->ndim, index->shape);
    pg_tensor *part = pg_tensor_retain(src);
    for (int d = 0; d < index->ndim && part != NULL; d++) {
        if (part->shape[d] == index->shape[d])
            continue;
        pg_tensor *const narrower = pg_tensor_narrow(part, d, 0, index->shape[d]);
        pg_tensor_release(part);
        part = narrower;
    }
    return part;
}

static pg_tensor *scatter(const char *op, bool sums, pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src)
{
    if (self == NULL || index == NULL || src == NULL)
        return NULL;
    const int along = pg_wrap_dim(op, dim, self->ndim);
    if (along < 0)
        return NULL;
    if (self->dtype != src->dtype) {
        pg_fail(PG_BAD_STATE, "%s: expected self and src to be of one dtype, not %s and %s", op,
                pg_dtype_name[self->dtype], pg_dtype_name[src->dtype]);
        return NULL;
    }
    if (index->numel == 0 && (index->ndim != self->ndim || index->ndim != src->ndim))
        return pg_tensor_clone(self);
    pg_scope scope = {0};
    pg_tensor *const at = pg_temp(&scope, pg_read_indices(op, index)), *out = NULL;
    if (at != NULL && check_sizes(op, self, along, at, src) == PG_OK &&
        pg_check_places(op, PG_BAD_STATE, at, along, 0, lifted(self).shape[along]) == PG_OK) {
        pg_tensor *const part = pg_temp(&scope, reached(src, at));
        out = part != NULL ? pg_tensor_copy(self) : NULL;
        if (out != NULL && at->numel > 0)
            walk(sums ? adds[self->dtype] : writes[pg_itemsize[self->dtype]], part, at, out, along);
        out = recorded(out, sums ? &scatter_add_function : &scatter_function, 2, (pg_tensor *[]){self, part}, along, at,
                       sums);
    }
    pg_scope_end(&scope);
    return out;
}

pg_tensor *pg_tensor_scatter(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src)
{
    return scatter("scatter", false, self, dim, index, src);
}

pg_tensor *pg_tensor_scatter_add(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src)
{
    return scatter("scatter_add", true, self, dim, index, src);
}

pg_tensor *pg_scatter_number(pg_tensor *self, int64_t dim, pg_tensor *index, pg_number number)
{
    static const int64_t strides[PG_MAX_DIMS] = {0};
    char slot[8];
    if (self == NULL || index == NULL || pg_number_for("scatter", &number, self->dtype) != PG_OK ||
        pg_number_store("scatter", number, self->dtype, slot) != PG_OK)
        return NULL;
    pg_tensor *const one = pg_tensor_empty(self->dtype, 0, NULL);
    if (one != NULL)
        memcpy(one->data, slot, pg_itemsize[self->dtype]);
    pg_tensor *const src = one != NULL ? pg_tensor_view(one, index->ndim, index->shape, strides, 0) : NULL;
    pg_tensor *const out = pg_tensor_scatter(self, dim, index, src);
    pg_tensor_release(one);
    pg_tensor_release(src);
    return out;
}

static pg_status check_added(const pg_tensor *self, int dim, const pg_tensor *index, const pg_tensor *source)
{
    const pg_tensor whole = lifted(self), from = lifted(source);
    if (index->ndim > 1)
        return pg_fail(PG_BAD_INDEX, "index_add: the index has to be a vector, not of shape %s", PG_SHAPE(index));
    bool fits = self->ndim == source->ndim;
    for (int d = 0; d < whole.ndim && fits; d++)
        fits = d == dim || whole.shape[d] == from.shape[d];
    if (!fits)
        return pg_fail(PG_BAD_SHAPE,
                       "index_add: source of shape %s has to be of self's shape %s, excluding dimension %d",
                       PG_SHAPE(source), PG_SHAPE(self), dim);
    if (index->numel != from.shape[dim])
        return pg_fail(PG_BAD_SHAPE,
                       "index_add: there are %lld indices, and %lld slices along dimension %d of source %s",
                       (long long)index->numel, (long long)from.shape[dim], dim, PG_SHAPE(source));
    return PG_OK;
}

pg_tensor *pg_tensor_index_add(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *source)
{
    if (self == NULL || index == NULL || source == NULL)
        return NULL;
    const int along = pg_wrap_dim("index_add", dim, self->ndim);
    if (along < 0 || check_added(self, along, index, source) != PG_OK)
        return NULL;
    pg_tensor *const at = pg_read_indices("index_add", index);
    if (at == NULL)
        return NULL;
    int64_t strides[PG_MAX_DIMS] = {0};
    if (source->ndim > 0)
        strides[along] = at->ndim > 0 ? at->strides[0] : 0;
    pg_tensor *const spread = pg_tensor_view(at, source->ndim, source->shape, strides, 0);
    pg_tensor *const out = scatter("index_add", true, self, dim, spread, source);
    pg_tensor_release(spread);
    pg_tensor_release(at);
    return out;
}

/* ---- in place ---------------------------------------------------------------------------------------------------- */

static pg_tensor *rewritten(pg_tensor *self, pg_tensor *values)
{
    pg_tensor *const out = values == NULL ? NULL : pg_rewrite(self, values);
    pg_tensor_release(values);
    return out;
}

pg_tensor *pg_scatter_(pg_tensor *self, int64_t dim, pg_tensor *index, pg_operand src)
{
    if (self == NULL || pg_check_in_place("scatter_", self) != PG_OK)
        return NULL;
    return rewritten(self, src.tensor != NULL ? pg_tensor_scatter(self, dim, index, src.tensor)
                                              : pg_scatter_number(self, dim, index, src.number));
}

pg_tensor *pg_scatter_add_(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src)
{
    if (self == NULL || pg_check_in_place("scatter_add_", self) != PG_OK)
        return NULL;
    return rewritten(self, pg_tensor_scatter_add(self, dim, index, src));
}

pg_tensor *pg_index_add_(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *source)
{
    if (self == NULL || pg_check_in_place("index_add_", self) != PG_OK)
        return NULL;
    return rewritten(self, pg_tensor_index_add(self, dim, index, source));
}
