/* sort, topk and median: elements of a dimension by their order. The gradient goes back to where they were. */
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/order.h"
#include "ops/reduce.h"
#include "ops/select.h"

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* Where the elements that index names along dim lie in a contiguous tensor of `from`'s shape. `k` is the size of index
 * along dim, which is 1 where it has lost that dimension. */
static pg_tensor *flat_places(const pg_tensor *index, const pg_reduced_from *from, int dim, int64_t k)
{
    pg_tensor *const flat = pg_tensor_empty(PG_INT64, 1, &index->numel);
    if (flat == NULL)
        return NULL;
    int64_t inner = 1;
    for (int d = dim + 1; d < from->ndim; d++)
        inner *= from->shape[d];
    const int64_t n = dim < from->ndim ? from->shape[dim] : 1;
    const int64_t *const at = (const int64_t *)index->data;
    for (int64_t i = 0; i < index->numel; i++)
        ((int64_t *)flat->data)[i] = (i / (k * inner) * n + at[i]) * inner + i % inner;
    return flat;
}

typedef struct {
    pg_reduced_from from;
    int dim;
    int64_t k;
} pick_params;

static pg_tensor *put_back(pg_tensor *g, const pg_tensor *index, const pick_params *params)
{
    const pg_reduced_from *const from = &params->from;
    if (g->numel == 0)
        return pg_tensor_zeros((pg_dtype)g->dtype, from->ndim, from->shape);
    int64_t numel = 1;
    for (int d = 0; d < from->ndim; d++)
        numel *= from->shape[d];
    const pg_gather_shape places = {.ndim = 1, .n_ndim = 1, .shape = {numel}, .indices = {g->numel}};
    pg_scope scope = {0};
    pg_tensor *const flat = pg_temp(&scope, flat_places(index, from, params->dim, params->k));
    pg_tensor *const flat_g = pg_temp(&scope, pg_tensor_reshape(g, 1, &g->numel));
    pg_tensor *const sum =
        flat != NULL && flat_g != NULL ? pg_temp(&scope, pg_gather_add(&places, flat_g, &flat)) : NULL;
    pg_tensor *const out = sum != NULL ? pg_tensor_reshape(sum, from->ndim, from->shape) : NULL;
    pg_scope_end(&scope);
    return out;
}

static pg_status pick_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_wants(node, 0))
        out[0] = put_back(grads[0], node->saved[0].tensor, node->params);
    return pg_done(node, out);
}
enum { SORT, TOPK, MEDIAN };
static const char *const names[] = {"Sort", "Topk", "Median"};
static const pg_function pick_function = {.backward = pick_backward, .names = names};

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* values[i] = rows[index[i]], row by row: n elements give k. */
static void pick_rows(const pg_tensor *rows, int64_t n, int64_t k, const pg_tensor *index, pg_tensor *values)
{
    const size_t itemsize = pg_itemsize[rows->dtype];
    const int64_t *const at = (const int64_t *)index->data;
    for (int64_t i = 0; i < index->numel; i++)
        memcpy(values->data + (size_t)i * itemsize, rows->data + (size_t)(i / k * n + at[i]) * itemsize, itemsize);
}

static bool is_nan(const pg_tensor *t, int64_t i)
{
    if (t->dtype == PG_FLOAT64)
        return ((const double *)t->data)[i] != ((const double *)t->data)[i];
    return t->dtype == PG_FLOAT32 && ((const float *)t->data)[i] != ((const float *)t->data)[i];
}

/* The place of the lower median of each row, or of its first nan, which counts as the largest. */
static pg_status median_rows(const pg_tensor *rows, int64_t n, pg_tensor *index)
{
    pg_tensor *const all = pg_tensor_empty(PG_INT64, rows->ndim, rows->shape);
    const pg_status status = all != NULL ? pg_order_rows(rows, n, n, false, all) : pg_failure();
    if (status == PG_OK) {
        const int64_t *const sorted = (const int64_t *)all->data;
        for (int64_t row = 0; row < index->numel; row++) {
            int64_t found = row * n + (n - 1) / 2;
            if (is_nan(rows, row * n + sorted[(row + 1) * n - 1]))
                for (found = row * n; !is_nan(rows, row * n + sorted[found]);)
                    found++;
            ((int64_t *)index->data)[row] = sorted[found];
        }
    }
    pg_tensor_release(all);
    return status;
}

/* The elements and their places, k along dim, without history. False with both NULL on failure. */
static bool pick(int op, pg_tensor *t, int dim, int64_t k, bool descending, pg_tensor **values, pg_tensor **indices)
{
    pg_reduced_from to;
    pg_remember(&to, t, 1u << dim);
    const int64_t n = t->ndim > 0 ? t->shape[dim] : 1;
    to.shape[dim] = k;
    pg_tensor *const rows = pg_rows(t, to.mask);
    int64_t shape[PG_MAX_DIMS];
    if (rows != NULL) {
        memcpy(shape, rows->shape, sizeof shape);
        shape[rows->ndim > 0 ? rows->ndim - 1 : 0] = k;
    }
    pg_tensor *index = rows != NULL ? pg_tensor_empty(PG_INT64, rows->ndim, shape) : NULL;
    pg_tensor *picked = index != NULL ? pg_tensor_empty((pg_dtype)t->dtype, rows->ndim, shape) : NULL;
    if (picked != NULL &&
        (op == MEDIAN ? median_rows(rows, n, index) : pg_order_rows(rows, n, k, descending, index)) == PG_OK) {
        pick_rows(rows, n, k, index, picked);
        *values = pg_rows_back(picked, &to);
        *indices = pg_rows_back(index, &to);
    } else {
        pg_tensor_release(picked);
        pg_tensor_release(index);
        *values = *indices = NULL;
    }
    pg_tensor_release(rows);
    if (*values != NULL && *indices != NULL)
        return true;
    pg_tensor_release(*values);
    pg_tensor_release(*indices);
    *values = *indices = NULL;
    return false;
}

/* Takes over *indices, and gives it back with the values. */
static pg_tensor *remember(int op, pg_tensor *t, int dim, int64_t k, pg_tensor *values, pg_tensor **indices)
{
    if (pg_records(1, &t)) {
        pg_node *const node = pg_node_new(&pick_function, 1, &t, 1, 1, sizeof(pick_params));
        if (node != NULL) {
            pick_params *const params = node->params;
            pg_remember(&params->from, t, 1u << dim);
            params->dim = dim;
            params->k = k;
            node->op = (uint8_t)op;
        }
        pg_save(node, 0, *indices);
        values = pg_attach(values, node);
    }
    if (values == NULL) {
        pg_tensor_release(*indices);
        *indices = NULL;
    }
    return values;
}

pg_tensor *pg_tensor_sort(pg_tensor *t, int64_t dim, int descending, pg_tensor **indices)
{
    *indices = NULL;
    const int along = t != NULL ? pg_wrap_dim("sort", dim, t->ndim) : -1;
    if (along < 0)
        return NULL;
    const int64_t n = t->ndim > 0 ? t->shape[along] : 1;
    pg_tensor *values;
    return pick(SORT, t, along, n, descending, &values, indices) ? remember(SORT, t, along, n, values, indices) : NULL;
}

pg_tensor *pg_tensor_topk(pg_tensor *t, int64_t k, int64_t dim, int largest, pg_tensor **indices)
{
    *indices = NULL;
    const int along = t != NULL ? pg_wrap_dim("topk", dim, t->ndim) : -1;
    if (along < 0)
        return NULL;
    const int64_t n = t->ndim > 0 ? t->shape[along] : 1;
    if (k < 0 || k > n || (k == 0 && t->ndim == 0)) {
        pg_fail(PG_BAD_STATE, "topk: k=%lld is out of range for dim %d of shape %s", (long long)k, along, PG_SHAPE(t));
        return NULL;
    }
    pg_tensor *values;
    return pick(TOPK, t, along, k, largest, &values, indices) ? remember(TOPK, t, along, k, values, indices) : NULL;
}

/* ---- median ------------------------------------------------------------------------------------------------------ */

static pg_status check_numbers(const pg_tensor *t)
{
    return t->dtype == PG_BOOL ? pg_fail(PG_BAD_STATE, "median: does not support bool input") : PG_OK;
}

/* t without dimension dim, of size 1; takes over t. */
static pg_tensor *without(pg_tensor *t, int dim)
{
    if (t == NULL || t->ndim == 0)
        return t;
    pg_tensor *const out = pg_tensor_squeeze(t, 1, (const int64_t[]){dim});
    pg_tensor_release(t);
    return out;
}

pg_tensor *pg_tensor_median_along(pg_tensor *t, int64_t dim, int keepdim, pg_tensor **indices)
{
    *indices = NULL;
    const int along = t != NULL ? pg_wrap_dim("median", dim, t->ndim) : -1;
    if (along < 0 || check_numbers(t) != PG_OK)
        return NULL;
    if (t->ndim > 0 && t->shape[along] == 0) {
        pg_fail(PG_BAD_INDEX, "median: expected reduction dim %d to have non-zero size, not shape %s", along,
                PG_SHAPE(t));
        return NULL;
    }
    pg_tensor *values;
    if (!pick(MEDIAN, t, along, 1, false, &values, indices))
        return NULL;
    if (!keepdim) {
        values = without(values, along);
        *indices = without(*indices, along);
        if (values == NULL || *indices == NULL) {
            pg_tensor_release(values);
            pg_tensor_release(*indices);
            *indices = NULL;
            return NULL;
        }
    }
    return remember(MEDIAN, t, along, 1, values, indices);
}

/* All that are equal to the median share its gradient. */
static pg_status median_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (!pg_wants(node, 0))
        return PG_OK;
    pg_tensor *const x = node->saved[0].tensor, *const y = node->saved[1].tensor;
    pg_scope scope = {0};
    const bool nan = y->numel > 0 && is_nan(y, 0);
    const pg_operand pair[] = {PG_TENSOR_OPERAND(x), PG_TENSOR_OPERAND(nan ? x : y)};
    pg_tensor *const same = pg_temp(&scope, pg_compare(nan ? PG_NE : PG_EQ, pair));
    pg_tensor *const count = same != NULL ? pg_temp(&scope, pg_tensor_sum(same, 0, NULL, 0)) : NULL;
    pg_tensor *const number = count != NULL ? pg_temp(&scope, pg_tensor_to(count, (pg_dtype)x->dtype)) : NULL;
    pg_tensor *const share = number != NULL ? pg_temp(&scope, pg_tensor_binary(PG_OP_div, grads[0], number)) : NULL;
    if (share != NULL)
        out[0] = pg_where(same, (pg_operand[]){PG_TENSOR_OPERAND(share), PG_NUMBER_OPERAND(0.0)});
    pg_scope_end(&scope);
    return pg_done(node, out);
}
static const pg_function median_function = {.name = "Median", .backward = median_backward};

pg_tensor *pg_tensor_median(pg_tensor *t)
{
    if (t == NULL || check_numbers(t) != PG_OK)
        return NULL;
    if (t->numel == 0 && !pg_is_float(t->dtype)) {
        pg_fail(PG_BAD_STATE, "median: a tensor of shape %s has no elements", PG_SHAPE(t));
        return NULL;
    }
    pg_scope scope = {0};
    pg_tensor *const packed = pg_temp(&scope, pg_tensor_packed(t));
    const int64_t one = 1;
    pg_tensor *const flat = packed != NULL ? pg_temp(&scope, pg_tensor_view(packed, 1, &t->numel, &one, 0)) : NULL;
    pg_tensor *out = NULL, *index = NULL;
    if (flat != NULL)
        out = t->numel > 0 ? pg_tensor_median_along(flat, 0, 0, &index)
                           : pg_tensor_full((pg_dtype)t->dtype, 0, NULL, (double)__builtin_nanf(""));
    pg_tensor_release(index);
    pg_scope_end(&scope);
    if (out == NULL || !pg_records(1, &t))
        return out;
    pg_node *const node = pg_node_new(&median_function, 1, &t, 2, 1, 0);
    pg_save(node, 0, t);
    pg_save(node, 1, out);
    return pg_attach(out, node);
}
