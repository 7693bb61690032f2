/* Reading whole slices by index, and elements by mask: index_select, embedding, take_along_dim, masked_select,
 * masked_fill, one_hot. */
#include "ops/along.h"
#include "ops/elementwise.h"
#include "ops/fill.h"
#include "ops/index.h"
#include "ops/rewrite.h"
#include "ops/select.h"

/* ---- slices ------------------------------------------------------------------------------------------------------ */

static void gather_of(pg_gather_shape *gather, const pg_tensor *t, int dim, const pg_tensor *index)
{
    *gather = (pg_gather_shape){.ndim = t->ndim, .first = (uint8_t)dim, .last = (uint8_t)dim, .n_ndim = index->ndim};
    memcpy(gather->shape, t->shape, sizeof gather->shape);
    memcpy(gather->indices, index->shape, sizeof gather->indices);
}

static pg_tensor *slices(const char *op, pg_status status, pg_tensor *t, int dim, pg_tensor *index)
{
    if (pg_check_places(op, status, index, dim, 0, t->shape[dim]) != PG_OK)
        return NULL;
    pg_gather_shape gather;
    gather_of(&gather, t, dim, index);
    pg_tensor *all[PG_MAX_DIMS] = {NULL};
    all[dim] = index;
    return pg_gather(&gather, t, all);
}

pg_tensor *pg_tensor_index_select(pg_tensor *t, int64_t dim, pg_tensor *index)
{
    static const int64_t one = 1;
    if (t == NULL || index == NULL)
        return NULL;
    const int along = pg_wrap_dim("index_select", dim, t->ndim);
    if (along < 0)
        return NULL;
    if (index->ndim > 1) {
        pg_fail(PG_BAD_INDEX, "index_select: the index has to be a vector, not of shape %s", PG_SHAPE(index));
        return NULL;
    }
    if (t->ndim == 0 && index->numel != 1) {
        pg_fail(PG_BAD_SHAPE, "index_select: of a tensor without dimensions one element is read, not %lld",
                (long long)index->numel);
        return NULL;
    }
    pg_scope scope = {0};
    pg_tensor *const at = pg_temp(&scope, pg_read_indices("index_select", index));
    pg_tensor *const places = index->ndim == 1 ? at : pg_temp(&scope, pg_tensor_reshape(at, 1, &one));
    pg_tensor *const from = t->ndim > 0 ? t : pg_temp(&scope, pg_tensor_reshape(t, 1, &one));
    pg_tensor *out = NULL;
    if (places != NULL && from != NULL)
        out = slices("index_select", PG_BAD_STATE, from, along, places);
    if (t->ndim == 0)
        out = pg_tensor_reshape(pg_temp(&scope, out), 0, NULL);
    pg_scope_end(&scope);
    return out;
}

/* ---- embedding --------------------------------------------------------------------------------------------------- */

typedef struct {
    pg_gather_shape gather;
    int64_t padding;
} embedding_params;

static pg_status embedding_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    const embedding_params *const params = node->params;
    pg_tensor *const index = node->saved[0].tensor;
    const pg_operand padding = {.number = {PG_INT64, (double)params->padding, params->padding}};
    pg_tensor *all[PG_MAX_DIMS] = {index};
    pg_scope scope = {0};
    pg_tensor *const rows = pg_temp(&scope, pg_tensor_unsqueeze(index, -1)), *mask = NULL, *g = NULL;
    if (rows != NULL)
        mask = pg_temp(&scope, pg_compare(PG_EQ, (pg_operand[]){PG_TENSOR_OPERAND(rows), padding}));
    if (mask != NULL)
        g = pg_temp(&scope, pg_where(mask, (pg_operand[]){PG_NUMBER_OPERAND(0), PG_TENSOR_OPERAND(grads[0])}));
    if (g != NULL)
        out[0] = pg_gather_add(&params->gather, g, all);
    pg_scope_end(&scope);
    return pg_done(node, out);
}
static const pg_function embedding_function = {.name = "Embedding", .backward = embedding_backward};

pg_tensor *pg_tensor_embedding(pg_tensor *index, pg_tensor *weight, const int64_t *padding)
{
    if (index == NULL || weight == NULL)
        return NULL;
    if (weight->ndim != 2) {
        pg_fail(PG_BAD_SHAPE, "embedding: weight has to be of shape (rows, size), not %s", PG_SHAPE(weight));
        return NULL;
    }
    const int64_t rows = weight->shape[0];
    if (padding != NULL && (*padding < -rows || *padding >= rows)) {
        pg_fail(PG_BAD_ARGUMENT, "embedding: padding_idx %lld is not within the %lld rows of weight",
                (long long)*padding, (long long)rows);
        return NULL;
    }
    pg_tensor *const at = pg_read_indices("embedding", index);
    if (at == NULL)
        return NULL;
    const bool records = padding != NULL && pg_records(1, &weight);
    pg_tensor *const from = records ? pg_tensor_detach(weight) : pg_tensor_retain(weight);
    pg_tensor *out = from != NULL ? slices("embedding", PG_BAD_INDEX, from, 0, at) : NULL;
    if (out != NULL && records) {
        pg_node *const node = pg_node_new(&embedding_function, 1, &weight, 1, 1, sizeof(embedding_params));
        if (node != NULL) {
            embedding_params *const params = node->params;
            params->padding = *padding < 0 ? *padding + rows : *padding;
            gather_of(&params->gather, weight, 0, at);
        }
        pg_save(node, 0, at);
        out = pg_attach(out, node);
    }
    pg_tensor_release(from);
    pg_tensor_release(at);
    return out;
}

/* ---- take_along_dim ---------------------------------------------------------------------------------------------- */

/* A copy of index, int64, in which those that count from the end count from the start. */
static pg_tensor *from_the_start(pg_tensor *index, int64_t size)
{
    pg_tensor *const out = pg_tensor_copy(index);
    if (out != NULL)
        for (int64_t i = 0, *at = (int64_t *)out->data; i < out->numel; i++)
            at[i] += at[i] < 0 ? size : 0;
    return out;
}

pg_tensor *pg_tensor_take_along_dim(pg_tensor *t, pg_tensor *index, int64_t dim)
{
    if (t == NULL || index == NULL)
        return NULL;
    const int along = pg_wrap_dim("take_along_dim", dim, t->ndim);
    if (along < 0)
        return NULL;
    if (t->ndim != index->ndim) {
        pg_fail(PG_BAD_SHAPE, "take_along_dim: input and indices have to have as many dimensions, not shapes %s and %s",
                PG_SHAPE(t), PG_SHAPE(index));
        return NULL;
    }
    int64_t shape[PG_MAX_DIMS], sizes[PG_MAX_DIMS];
    int ndim = t->ndim;
    memcpy(shape, t->shape, sizeof shape);
    memcpy(sizes, index->shape, sizeof sizes);
    if (ndim > 0)
        shape[along] = sizes[along] = 1;
    if (pg_broadcast_shape("take_along_dim", &ndim, shape, ndim, sizes) != PG_OK)
        return NULL;
    pg_scope scope = {0};
    const int64_t size = ndim > 0 ? t->shape[along] : 1;
    pg_tensor *const at = pg_temp(&scope, pg_read_indices("take_along_dim", index)), *out = NULL;
    if (at != NULL && pg_check_places("take_along_dim", PG_BAD_INDEX, at, along, -size, size) == PG_OK) {
        pg_tensor *const places = pg_temp(&scope, from_the_start(at, size));
        shape[along] = size;
        pg_tensor *const from = pg_temp(&scope, pg_tensor_expand(t, ndim, shape));
        shape[along] = index->shape[along];
        out = pg_tensor_gather(from, along, pg_temp(&scope, pg_tensor_expand(places, ndim, shape)));
    }
    pg_scope_end(&scope);
    return out;
}

/* ---- masks ------------------------------------------------------------------------------------------------------- */

static pg_status check_mask(const char *op, const pg_tensor *mask)
{
    return mask->dtype == PG_BOOL ? PG_OK
                                  : pg_fail(PG_BAD_STATE, "%s: the mask has to be a bool tensor, not one of dtype %s",
                                            op, pg_dtype_name[mask->dtype]);
}

pg_tensor *pg_tensor_masked_select(pg_tensor *t, pg_tensor *mask)
{
    int64_t shape[PG_MAX_DIMS];
    int ndim;
    if (t == NULL || mask == NULL || check_mask("masked_select", mask) != PG_OK ||
        pg_operands_shape("masked_select", 2, (pg_tensor *[]){t, mask}, &ndim, shape) != PG_OK)
        return NULL;
    pg_scope scope = {0};
    pg_tensor *const from = pg_temp(&scope, pg_tensor_expand(t, ndim, shape));
    const pg_index index = {.kind = PG_INDEX_TENSOR, .tensor = pg_temp(&scope, pg_tensor_expand(mask, ndim, shape))};
    pg_tensor *const out = index.tensor != NULL ? pg_tensor_index(from, 1, &index) : NULL;
    pg_scope_end(&scope);
    return out;
}

static pg_tensor *masked_fill(const char *op, pg_tensor *self, pg_tensor *mask, pg_operand value)
{
    if (self == NULL || mask == NULL || check_mask(op, mask) != PG_OK)
        return NULL;
    if (value.tensor == NULL) {
        if (pg_number_for(op, &value.number, self->dtype) != PG_OK)
            return NULL;
        return pg_where(mask, (pg_operand[]){value, PG_TENSOR_OPERAND(self)});
    }
    if (value.tensor->ndim != 0) {
        pg_fail(PG_BAD_STATE, "%s: the value has to be a number or a tensor without dimensions, not one of shape %s",
                op, PG_SHAPE(value.tensor));
        return NULL;
    }
    pg_tensor *const cast = pg_tensor_to(value.tensor, self->dtype);
    pg_tensor *const out = pg_tensor_where(mask, cast, self);
    pg_tensor_release(cast);
    return out;
}

pg_tensor *pg_masked_fill(pg_tensor *self, pg_tensor *mask, pg_operand value)
{
    return masked_fill("masked_fill", self, mask, value);
}

pg_tensor *pg_masked_fill_(pg_tensor *self, pg_tensor *mask, pg_operand value)
{
    if (self == NULL || mask == NULL ||
        pg_check_in_place_result("masked_fill_", self, self->dtype, 2, (pg_tensor *[]){self, mask}) != PG_OK)
        return NULL;
    pg_tensor *const values = masked_fill("masked_fill_", self, mask, value);
    pg_tensor *const out = values == NULL ? NULL : pg_rewrite(self, values);
    pg_tensor_release(values);
    return out;
}

/* ---- one_hot ----------------------------------------------------------------------------------------------------- */

static pg_tensor *one_hot(const pg_tensor *t, int64_t classes)
{
    const int64_t *const x = (const int64_t *)t->data;
    int64_t most = -1, shape[PG_MAX_DIMS];
    for (int64_t i = 0; i < t->numel; i++) {
        if (x[i] < 0) {
            pg_fail(PG_BAD_STATE, "one_hot: class values must be non-negative, not %lld", (long long)x[i]);
            return NULL;
        }
        most = x[i] > most ? x[i] : most;
    }
    if (classes == -1 && most < INT64_MAX)
        classes = most + 1;
    if (most >= classes || classes < 1) {
        pg_fail(PG_BAD_STATE,
                "one_hot: class values must be smaller than num_classes, which is %lld: the largest is %lld",
                (long long)classes, (long long)most);
        return NULL;
    }
    memcpy(shape, t->shape, sizeof shape);
    shape[t->ndim] = classes;
    pg_tensor *const out = pg_tensor_zeros(PG_INT64, t->ndim + 1, shape);
    if (out != NULL)
        for (int64_t i = 0; i < t->numel; i++)
            ((int64_t *)out->data)[i * classes + x[i]] = 1;
    return out;
}

pg_tensor *pg_tensor_one_hot(pg_tensor *t, int64_t classes)
{
    if (t == NULL)
        return NULL;
    if (t->dtype != PG_INT64 || t->ndim == PG_MAX_DIMS || (classes == -1 && t->numel == 0)) {
        pg_fail(PG_BAD_STATE,
                "one_hot: classes are an int64 tensor of at most %d dimensions, whose largest element says how many "
                "there are unless num_classes does, not a tensor of dtype %s and shape %s",
                PG_MAX_DIMS - 1, pg_dtype_name[t->dtype], PG_SHAPE(t));
        return NULL;
    }
    pg_tensor *const packed = pg_tensor_packed(t), *const out = packed != NULL ? one_hot(packed, classes) : NULL;
    pg_tensor_release(packed);
    return out;
}
