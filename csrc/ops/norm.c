/* layer_norm, rms_norm and batch_norm: one computation on rows, each of the elements that share a mean and a variance;
 * weight and bias are those of the column (layer_norm, rms_norm) or of the row, a channel (batch_norm). */
#include "core/buffer.h"
#include "ops/loss.h"
#include "ops/reduce.h"

#include <float.h>
#include <math.h>

typedef struct {
    pg_reduced_from from; /* the input; what rows are made of in `mask` */
    int64_t rows, n;
    double eps;
    bool centred; /* the mean is subtracted */
    bool fixed;   /* mean and variance are given, and do not depend on the input */
    bool by_row;  /* weight and bias */
} norm_params;

typedef struct {
    double mean, factor, variance; /* factor: 1 / sqrt(variance + eps) */
} norm_row;

#define T float
#define NAME(f) f##_f32
#include "ops/norm_body.h"

#define T double
#define NAME(f) f##_f64
#include "ops/norm_body.h"

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* A new tensor of the shape of weight and bias: the n sums. */
static pg_tensor *affine_gradient(const norm_params *params, pg_dtype dtype, const double *sums)
{
    int64_t shape[PG_MAX_DIMS];
    int ndim = 0;
    for (int d = 0; d < params->from.ndim; d++)
        if ((params->from.mask >> d & 1) != params->by_row)
            shape[ndim++] = params->from.shape[d];
    pg_tensor *const out = pg_tensor_empty(dtype, ndim, shape);
    if (out != NULL)
        (dtype == PG_FLOAT64 ? narrow_f64 : narrow_f32)(sums, out->numel, out->data);
    return out;
}

/* Number `which` of the norm_rows, in the input's shape with size 1 along what rows are made of. */
static pg_tensor *kept_stat(pg_scope *scope, const pg_node *node, int which, pg_dtype dtype, const int64_t *kept)
{
    const norm_params *const params = node->params;
    const int64_t three = 3;
    pg_tensor *const column = pg_temp(scope, pg_tensor_view(node->saved[1].tensor, 1, &params->rows, &three, which));
    return pg_temp(scope, pg_tensor_reshape(pg_temp(scope, pg_tensor_to(column, dtype)), params->from.ndim, kept));
}

/* The same computation from recorded operations. */
static pg_tensor *composed(pg_scope *scope, const pg_node *node, pg_tensor *x, pg_tensor *weight, pg_tensor *bias)
{
    const norm_params *const params = node->params;
    int64_t kept[PG_MAX_DIMS], dims[PG_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < params->from.ndim; d++) {
        const bool inside = params->from.mask >> d & 1;
        kept[d] = inside ? 1 : params->from.shape[d];
        if (inside)
            dims[n++] = d;
    }
    pg_tensor *y = x, *factor;
    if (params->fixed) {
        y = pg_temp(scope, pg_tensor_binary(PG_OP_sub, x, kept_stat(scope, node, 0, x->dtype, kept)));
        factor = kept_stat(scope, node, 1, x->dtype, kept);
    } else {
        if (params->centred)
            y = pg_temp(scope, pg_tensor_binary(PG_OP_sub, x, pg_temp(scope, pg_tensor_mean(x, n, dims, 1))));
        pg_tensor *const squares = pg_temp(scope, pg_tensor_unary(PG_OP_square, y));
        pg_tensor *const variance = pg_temp(scope, pg_tensor_mean(squares, n, dims, 1));
        pg_tensor *const sum = pg_temp(scope, pg_tensor_binary_number(PG_OP_add, variance, params->eps));
        factor = pg_temp(scope, pg_tensor_unary(PG_OP_rsqrt, sum));
    }
    y = pg_temp(scope, pg_tensor_binary(PG_OP_mul, y, factor));
    pg_tensor *const affine[2] = {weight, bias};
    for (int i = 0; i < 2 && y != NULL; i++) {
        pg_tensor *a = affine[i];
        if (a != NULL && params->by_row)
            a = pg_temp(scope, pg_tensor_reshape(a, params->from.ndim, kept));
        if (affine[i] != NULL)
            y = pg_temp(scope, pg_tensor_binary(i == 0 ? PG_OP_mul : PG_OP_add, y, a));
    }
    return y;
}

static pg_status norm_backward_recorded(pg_node *node, pg_tensor *g, pg_tensor **out)
{
    const norm_params *const params = node->params;
    pg_scope scope = {0};
    pg_tensor *x = node->saved[0].tensor, *weight = node->saved[2].tensor, *bias = NULL, *inputs[3], *found[3] = {NULL};
    int n = 0, which[3];
    if (pg_wants(node, 0))
        inputs[n] = x = pg_temp(&scope, pg_tensor_alias(x)), which[n++] = 0;
    if (pg_wants(node, 1))
        inputs[n] = weight = pg_temp(&scope, pg_tensor_alias(weight)), which[n++] = 1;
    if (pg_wants(node, 2)) { /* any bias has the same gradient */
        const size_t bytes = ((size_t)(params->by_row ? params->rows : params->n) + 1) * sizeof(double);
        double *const none = pg_buffer_take(bytes);
        if (none != NULL)
            bias = pg_temp(&scope, affine_gradient(params, g->dtype, memset(none, 0, bytes)));
        pg_buffer_give(none, bytes);
        if (bias != NULL)
            pg_tensor_set_requires_grad(bias, 1);
        inputs[n] = bias, which[n++] = 2;
    }
    bool complete = x != NULL;
    for (int i = 0; i < n; i++)
        complete &= inputs[i] != NULL;
    pg_tensor *const y = complete ? composed(&scope, node, x, weight, bias) : NULL;
    const pg_status status = y == NULL ? pg_failure() : pg_differentiate(y, g, n, inputs, found);
    for (int i = 0; i < n; i++)
        out[which[i]] = found[i];
    pg_scope_end(&scope);
    return status;
}

static pg_status norm_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (pg_is_recording())
        return norm_backward_recorded(node, grads[0], out);
    const norm_params *const params = node->params;
    const size_t columns = (size_t)(params->by_row ? params->rows : params->n),
                 bytes = (2 * columns + 1) * sizeof(double);
    pg_tensor *const given = node->saved[2].tensor;
    pg_scope scope = {0};
    const pg_tensor *const x = pg_temp(&scope, pg_rows(node->saved[0].tensor, params->from.mask));
    const pg_tensor *const g = pg_temp(&scope, pg_rows(grads[0], params->from.mask));
    const pg_tensor *const weight = given != NULL ? pg_temp(&scope, pg_tensor_packed(given)) : NULL;
    pg_tensor *dx = NULL;
    double *sums = NULL;
    if (x == NULL || g == NULL || (given != NULL && weight == NULL) ||
        (pg_wants(node, 0) && (dx = pg_tensor_empty_like(g, g->dtype)) == NULL))
        goto end;
    if ((sums = pg_buffer_take(bytes)) == NULL) {
        pg_tensor_release(dx);
        goto end;
    }
    memset(sums, 0, bytes);
    (g->dtype == PG_FLOAT64 ? slopes_f64 : slopes_f32)(params, x->data, (const norm_row *)node->saved[1].tensor->data,
                                                       weight != NULL ? weight->data : NULL, g->data,
                                                       dx != NULL ? dx->data : NULL, sums, sums + columns);
    out[0] = dx != NULL ? pg_rows_back(dx, &params->from) : NULL;
    for (int i = 1; i < 3; i++)
        if (pg_wants(node, i))
            out[i] = affine_gradient(params, g->dtype, sums + (size_t)(i - 1) * columns);
    pg_buffer_give(sums, bytes);
end:
    pg_scope_end(&scope);
    return pg_done(node, out);
}
static const pg_function layer_function = {.name = "NativeLayerNorm", .backward = norm_backward};
static const pg_function rms_function = {.name = "RmsNorm", .backward = norm_backward};
static const pg_function batch_function = {.name = "NativeBatchNorm", .backward = norm_backward};

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static pg_status check_input(const char *op, const pg_tensor *x, pg_tensor *const *affine)
{
    if (!pg_is_float(x->dtype))
        return pg_fail(PG_BAD_TYPE, "%s: not implemented for %s, but for tensors of floats", op,
                       pg_dtype_name[x->dtype]);
    for (int i = 0; i < 2; i++)
        if (affine[i] != NULL && affine[i]->dtype != x->dtype)
            return pg_fail(PG_BAD_STATE, "%s: input, weight and bias have to be of one dtype, not %s and %s", op,
                           pg_dtype_name[x->dtype], pg_dtype_name[affine[i]->dtype]);
    return PG_OK;
}

/* x by its rows; stats [rows, 3] are norm_rows, measured here unless params->fixed. affine: weight and bias, of the
 * right shapes, or NULL. */
static pg_tensor *normalised(const norm_params *params, const pg_function *function, pg_tensor *x, pg_tensor *stats,
                             pg_tensor *const *affine)
{
    pg_tensor *const inputs[3] = {x, affine[0], affine[1]}, *packed[2] = {NULL, NULL};
    pg_scope scope = {0};
    pg_tensor *const rows = pg_temp(&scope, pg_rows(x, params->from.mask)), *out = NULL;
    bool complete = rows != NULL;
    for (int i = 0; i < 2 && complete; i++)
        if (affine[i] != NULL)
            complete = (packed[i] = pg_temp(&scope, pg_tensor_packed(affine[i]))) != NULL;
    if (complete)
        out = pg_tensor_empty_like(rows, rows->dtype);
    if (out != NULL) {
        const bool wide = x->dtype == PG_FLOAT64;
        norm_row *const row = (norm_row *)stats->data;
        if (!params->fixed)
            (wide ? measure_f64 : measure_f32)(params, rows->data, row);
        (wide ? apply_f64 : apply_f32)(params, rows->data, row, packed[0] != NULL ? packed[0]->data : NULL,
                                       packed[1] != NULL ? packed[1]->data : NULL, out->data);
        out = pg_rows_back(out, &params->from);
    }
    if (out != NULL && pg_records(3, inputs)) {
        pg_node *const node = pg_node_new(function, 3, inputs, 3, 1, sizeof *params);
        if (node != NULL)
            memcpy(node->params, params, sizeof *params);
        pg_save(node, 0, x);
        pg_save(node, 1, stats);
        pg_save(node, 2, affine[0]);
        out = pg_attach(out, node);
    }
    pg_scope_end(&scope);
    return out;
}

static pg_tensor *new_stats(int64_t rows)
{
    const int64_t shape[] = {rows, 3};
    return pg_tensor_empty(PG_FLOAT64, 2, shape);
}

/* ---- layer_norm, rms_norm ---------------------------------------------------------------------------------------- */

static pg_status check_layer(const char *op, const pg_tensor *x, int n_dims, const int64_t *shape,
                             pg_tensor *const *affine)
{
    static const char *const what[] = {"weight", "bias"};
    if (n_dims < 1)
        return pg_fail(PG_BAD_SHAPE, "%s: normalized_shape has to have at least one dimension", op);
    if (n_dims > x->ndim || memcmp(x->shape + x->ndim - n_dims, shape, (size_t)n_dims * sizeof *shape) != 0)
        return pg_fail(PG_BAD_SHAPE, "%s: for normalized_shape %s the input's last dimensions have to be these, not %s",
                       op, pg_shape_text(n_dims, shape), PG_SHAPE(x));
    for (int i = 0; i < 2; i++)
        if (affine[i] != NULL &&
            (affine[i]->ndim != n_dims || memcmp(affine[i]->shape, shape, (size_t)n_dims * sizeof *shape) != 0))
            return pg_fail(PG_BAD_SHAPE, "%s: %s has to be of the shape %s of normalized_shape, not %s", op, what[i],
                           pg_shape_text(n_dims, shape), PG_SHAPE(affine[i]));
    return check_input(op, x, affine);
}

static pg_tensor *layer(const char *op, const pg_function *function, bool centred, pg_tensor *x, int n_dims,
                        const int64_t *shape, pg_tensor *const *affine, double eps)
{
    if (x == NULL || check_layer(op, x, n_dims, shape, affine) != PG_OK)
        return NULL;
    norm_params params = {.rows = 1, .n = 1, .eps = eps, .centred = centred};
    uint32_t mask = 0;
    for (int d = 0; d < x->ndim; d++) {
        const bool inside = d >= x->ndim - n_dims;
        *(inside ? &params.n : &params.rows) *= x->shape[d];
        mask |= inside ? 1u << d : 0;
    }
    pg_remember(&params.from, x, mask);
    pg_tensor *const stats = new_stats(params.rows);
    pg_tensor *const out = stats != NULL ? normalised(&params, function, x, stats, affine) : NULL;
    pg_tensor_release(stats);
    return out;
}

pg_tensor *pg_tensor_layer_norm(pg_tensor *x, int n_dims, const int64_t *shape, pg_tensor *weight, pg_tensor *bias,
                                double eps)
{
    return layer("layer_norm", &layer_function, true, x, n_dims, shape, (pg_tensor *[]){weight, bias}, eps);
}

pg_tensor *pg_tensor_rms_norm(pg_tensor *x, int n_dims, const int64_t *shape, pg_tensor *weight, const double *eps)
{
    const double least = x != NULL && x->dtype == PG_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON;
    return layer("rms_norm", &rms_function, false, x, n_dims, shape, (pg_tensor *[]){weight, NULL},
                 eps != NULL ? *eps : least);
}

/* ---- batch_norm -------------------------------------------------------------------------------------------------- */

/* of[4]: running mean and variance, weight, bias */
static pg_status check_batch(const pg_tensor *x, pg_tensor *const *of, bool training)
{
    static const char *const what[] = {"running_mean", "running_var", "weight", "bias"};
    if (x->ndim < 2)
        return pg_fail(PG_BAD_INDEX, "batch_norm: the input has to have at least two dimensions, not shape %s",
                       PG_SHAPE(x));
    if ((of[0] == NULL) != (of[1] == NULL))
        return pg_fail(PG_BAD_ARGUMENT, "batch_norm: running_mean and running_var must be given both or neither");
    if (of[0] == NULL && !training)
        return pg_fail(PG_BAD_STATE, "batch_norm: running_mean must be defined in evaluation mode");
    if (training && x->shape[1] > 0 && x->numel == x->shape[1])
        return pg_fail(PG_BAD_ARGUMENT,
                       "batch_norm: expected more than 1 value per channel when training, not shape %s", PG_SHAPE(x));
    for (int i = 0; i < 4; i++)
        if (of[i] != NULL && (of[i]->ndim != 1 || of[i]->shape[0] != x->shape[1]))
            return pg_fail(PG_BAD_SHAPE, "batch_norm: %s should contain %lld elements, one for each channel, not %s",
                           what[i], (long long)x->shape[1], PG_SHAPE(of[i]));
    for (int i = 0; i < 2; i++)
        if (of[i] != NULL && (pg_check_no_gradient("batch_norm", what[i], of[i]) != PG_OK ||
                              (training && pg_check_in_place("batch_norm", of[i]) != PG_OK)))
            return pg_failure();
    const pg_status status = check_input("batch_norm", x, of);
    return status != PG_OK ? status : check_input("batch_norm", x, of + 2);
}

/* running[2], float64, as rows. */
static void rows_of_running(const norm_params *params, pg_tensor *const *running, norm_row *rows)
{
    const double *const mean = (const double *)running[0]->data, *const variance = (const double *)running[1]->data;
    for (int64_t r = 0; r < params->rows; r++)
        rows[r] = (norm_row){mean[r], 1.0 / sqrt(variance[r] + params->eps), variance[r]};
}

/* running[2], float64, moved towards what was measured. */
static void move_running(const norm_params *params, pg_tensor *const *running, const norm_row *rows, double momentum)
{
    double *const mean = (double *)running[0]->data, *const variance = (double *)running[1]->data;
    const double n = (double)params->n;
    for (int64_t r = 0; r < params->rows; r++) {
        mean[r] = (1.0 - momentum) * mean[r] + momentum * rows[r].mean;
        variance[r] = (1.0 - momentum) * variance[r] + momentum * (rows[r].variance * n / (n - 1.0));
    }
}

pg_tensor *pg_tensor_batch_norm(pg_tensor *x, pg_tensor *running_mean, pg_tensor *running_var, pg_tensor *weight,
                                pg_tensor *bias, int training, double momentum, double eps)
{
    pg_tensor *const of[4] = {running_mean, running_var, weight, bias}, *running[2] = {NULL, NULL};
    if (x == NULL || check_batch(x, of, training) != PG_OK)
        return NULL;
    norm_params params = {.rows = x->shape[1], .eps = eps, .centred = true, .fixed = !training, .by_row = true};
    params.n = params.rows > 0 ? x->numel / params.rows : 0;
    pg_remember(&params.from, x, ((1u << x->ndim) - 1) & ~2u);
    pg_scope scope = {0};
    pg_tensor *const stats = pg_temp(&scope, new_stats(params.rows)), *out = NULL;
    bool complete = stats != NULL;
    for (int i = 0; i < 2 && complete && of[0] != NULL; i++) {
        pg_tensor *const copy = pg_temp(&scope, pg_tensor_copy(of[i]));
        running[i] = copy != NULL ? pg_temp(&scope, pg_tensor_cast(copy, PG_FLOAT64)) : NULL;
        complete = running[i] != NULL;
    }
    if (complete) {
        if (!training)
            rows_of_running(&params, running, (norm_row *)stats->data);
        out = normalised(&params, &batch_function, x, stats, of + 2);
    }
    if (out != NULL && training && of[0] != NULL && x->numel > 0) {
        move_running(&params, running, (const norm_row *)stats->data, momentum);
        for (int i = 0; i < 2; i++) {
            pg_tensor_assign(of[i], running[i]);
            pg_bump(of[i]);
        }
    }
    pg_scope_end(&scope);
    return out;
}
