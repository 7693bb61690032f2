/* nll_loss, and cross_entropy of class numbers and of probabilities. */
#include "core/exact.h"

#include "ops/compensated.h"
#include "ops/loss.h"
#include "ops/reduce.h"

#include <math.h>

typedef struct {
    pg_reduced_from from; /* the input; the classes' dimension in `mask` */
    int64_t rows, classes, ignored;
    double smoothing, divisor;
    pg_loss_mode mode;
    bool is_log; /* the input is log-probabilities already */
} class_params;

#define T float
#define NAME(f) f##_f32
#define EXP expf
#include "ops/loss_class_body.h"

#define T double
#define NAME(f) f##_f64
#define EXP exp
#include "ops/loss_class_body.h"

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* What the loss multiplies the log-probabilities with, in the input's shape. */
static pg_tensor *coefficients(const pg_node *node, pg_dtype dtype)
{
    const class_params *const params = node->params;
    const int64_t shape[] = {params->rows, params->classes}, each = params->mode == PG_EACH ? params->rows : 1;
    pg_scope scope = {0};
    pg_tensor *const ones = pg_temp(&scope, pg_tensor_full(dtype, 1, &each, 1.0));
    pg_tensor *const no_p = pg_temp(&scope, pg_tensor_zeros(dtype, 2, shape));
    pg_tensor *const rows = ones == NULL || no_p == NULL ? NULL : pg_tensor_zeros(dtype, 2, shape);
    if (rows != NULL)
        (dtype == PG_FLOAT64 ? class_slopes_f64 : class_slopes_f32)(
            params, no_p, (const int64_t *)node->saved[1].tensor->data, node->saved[2].tensor, ones, rows);
    pg_scope_end(&scope);
    return pg_rows_back(rows, &params->from);
}

/* The gradient as recorded operations: d = g * coefficients for log-probabilities, d - softmax(x) sum(d) for logits. */
static pg_tensor *class_slope_recorded(pg_node *node, pg_tensor *g)
{
    const class_params *const params = node->params;
    const int64_t dim = __builtin_ctz(params->from.mask);
    pg_scope scope = {0};
    pg_tensor *const factors = pg_temp(&scope, coefficients(node, g->dtype));
    pg_tensor *const all_g = params->mode == PG_EACH ? pg_temp(&scope, pg_unreduced(g, &params->from)) : g;
    pg_tensor *out = pg_tensor_binary(PG_OP_mul, factors, all_g);
    if (!params->is_log && out != NULL) {
        pg_tensor *const d = pg_temp(&scope, out), *const p =
                                                       pg_temp(&scope, pg_tensor_softmax(node->saved[3].tensor, dim));
        pg_tensor *const sum = pg_temp(&scope, pg_tensor_sum(d, 1, &dim, 1));
        out = pg_tensor_binary(PG_OP_sub, d, pg_temp(&scope, pg_tensor_binary(PG_OP_mul, p, sum)));
    }
    pg_scope_end(&scope);
    return out;
}

static pg_status class_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    if (!pg_wants(node, 0))
        return PG_OK;
    if (pg_is_recording()) {
        out[0] = class_slope_recorded(node, grads[0]);
        return pg_done(node, out);
    }
    const class_params *const params = node->params;
    const pg_tensor *const p = node->saved[0].tensor, *const target = node->saved[1].tensor;
    const pg_tensor *const weight = node->saved[2].tensor;
    pg_tensor *const g = pg_tensor_packed(grads[0]);
    const int64_t shape[] = {params->rows, params->classes};
    pg_tensor *const rows = g != NULL ? pg_tensor_zeros(g->dtype, 2, shape) : NULL;
    if (rows != NULL)
        (g->dtype == PG_FLOAT64 ? class_slopes_f64 : class_slopes_f32)(params, p, (const int64_t *)target->data, weight,
                                                                       g, rows);
    pg_tensor_release(g);
    out[0] = pg_rows_back(rows, &params->from);
    return pg_done(node, out);
}
static const pg_function nll_function = {.name = "NllLoss", .backward = class_backward};
static const pg_function entropy_function = {.name = "CrossEntropy", .backward = class_backward};

/* ---- checks ------------------------------------------------------------------------------------------------------ */

/* The dimension of the classes. */
static int class_dim(const pg_tensor *input)
{
    return input->ndim < 2 ? 0 : 1;
}

static pg_status check_weight(const char *op, const pg_tensor *weight, int64_t classes)
{
    if (weight == NULL)
        return PG_OK;
    if (weight->ndim != 1 || weight->shape[0] != classes)
        return pg_fail(PG_BAD_SHAPE, "%s: weight has to be of shape [%lld], one for each class, not %s", op,
                       (long long)classes, PG_SHAPE(weight));
    return pg_check_no_gradient(op, "weight", weight);
}

static pg_status check_input(const char *op, const pg_tensor *input)
{
    if (input->ndim == 0)
        return pg_fail(PG_BAD_SHAPE, "%s: input has to have a dimension of classes, not shape %s", op, PG_SHAPE(input));
    if (!pg_is_float(input->dtype))
        return pg_fail(PG_BAD_STATE, "%s: input has to be a tensor of floats, not %s", op, pg_dtype_name[input->dtype]);
    return PG_OK;
}

/* That target's shape is input's without the classes. */
static pg_status check_target(const char *op, const pg_tensor *input, const pg_tensor *target)
{
    if (pg_is_float(target->dtype) || target->dtype == PG_BOOL)
        return pg_fail(PG_BAD_STATE,
                       "%s: expected target dtype to be int64, int32 or uint8, the numbers of classes, not %s", op,
                       pg_dtype_name[target->dtype]);
    if (input->ndim >= 2 && target->ndim >= 1 && input->shape[0] != target->shape[0])
        return pg_fail(PG_BAD_SHAPE,
                       "%s: Expected input batch_size (%lld) to match target batch_size (%lld): shapes %s and %s", op,
                       (long long)input->shape[0], (long long)target->shape[0], PG_SHAPE(input), PG_SHAPE(target));
    int64_t wanted[PG_MAX_DIMS];
    int ndim = 0;
    for (int d = 0; d < input->ndim; d++)
        if (d != class_dim(input))
            wanted[ndim++] = input->shape[d];
    if (target->ndim != ndim || memcmp(target->shape, wanted, (size_t)ndim * sizeof *wanted) != 0)
        return pg_fail(PG_BAD_SHAPE, "%s: for an input of shape %s the target has to be of shape %s, not %s", op,
                       PG_SHAPE(input), pg_shape_text(ndim, wanted), PG_SHAPE(target));
    return PG_OK;
}

static pg_status check_classes(const char *op, const int64_t *target, const class_params *params)
{
    for (int64_t i = 0; i < params->rows; i++)
        if (target[i] != params->ignored && (target[i] < 0 || target[i] >= params->classes))
            return pg_fail(PG_BAD_INDEX, "%s: Target %lld is out of bounds: there are %lld classes", op,
                           (long long)target[i], (long long)params->classes);
    return PG_OK;
}

/* ---- forward, of class numbers ----------------------------------------------------------------------------------- */

/* The loss of rows x with saved softmax p (NULL: not wanted), and in params its divisor. */
static pg_tensor *class_value(class_params *params, const pg_tensor *x, const pg_tensor *target,
                              const pg_tensor *weight, pg_tensor *p)
{
    const bool each = params->mode == PG_EACH;
    pg_tensor *const out = pg_tensor_empty(x->dtype, each ? target->ndim : 0, target->shape);
    if (out == NULL)
        return NULL;
    const int64_t *const classes = (const int64_t *)target->data;
    double total;
    if (x->dtype == PG_FLOAT64) {
        double *const y = (double *)out->data;
        total = class_losses_f64(params, x, classes, weight, p, each ? y : NULL, &params->divisor);
    } else {
        float *const y = (float *)out->data;
        total = class_losses_f32(params, x, classes, weight, p, each ? y : NULL, &params->divisor);
    }
    if (each)
        return out;
    const double value = params->mode == PG_MEAN ? total / params->divisor : total;
    if (x->dtype == PG_FLOAT64)
        *(double *)out->data = value;
    else
        *(float *)out->data = (float)value;
    return out;
}

/* int64 and contiguous. */
static pg_tensor *packed_as(pg_tensor *t, pg_dtype dtype, pg_scope *scope)
{
    pg_tensor *const cast = t != NULL ? pg_temp(scope, pg_tensor_cast(t, dtype)) : NULL;
    return cast != NULL ? pg_temp(scope, pg_tensor_packed(cast)) : NULL;
}

static pg_tensor *class_loss(const char *op, const pg_function *function, pg_tensor *input, pg_tensor *target,
                             pg_tensor *weight, class_params *params)
{
    pg_remember(&params->from, input, 1u << class_dim(input));
    params->classes = input->shape[class_dim(input)];
    params->rows = target->numel;
    if (check_target(op, input, target) != PG_OK || check_weight(op, weight, params->classes) != PG_OK)
        return NULL;
    const bool records = pg_records(1, &input);
    pg_scope scope = {0};
    pg_tensor *const classes = packed_as(target, PG_INT64, &scope), *p = NULL, *out = NULL;
    pg_tensor *const weights = packed_as(weight, input->dtype, &scope);
    pg_tensor *const rows = pg_temp(&scope, pg_rows(input, params->from.mask));
    if (classes == NULL || rows == NULL || (weight != NULL && weights == NULL) ||
        check_classes(op, (const int64_t *)classes->data, params) != PG_OK)
        goto end;
    if (records && !params->is_log && (p = pg_temp(&scope, pg_tensor_empty_like(rows, rows->dtype))) == NULL)
        goto end;
    out = class_value(params, rows, classes, weights, p);
    if (out != NULL && records) {
        pg_node *const node = pg_node_new(function, 1, &input, 4, 1, sizeof *params);
        if (node != NULL)
            memcpy(node->params, params, sizeof *params);
        pg_save(node, 0, p);
        pg_save(node, 1, classes);
        pg_save(node, 2, weights);
        if (!params->is_log)
            pg_save(node, 3, input);
        out = pg_attach(out, node);
    }
end:
    pg_scope_end(&scope);
    return out;
}

pg_tensor *pg_tensor_nll_loss(pg_tensor *input, pg_tensor *target, pg_tensor *weight, int64_t ignore_index,
                              pg_loss_mode mode)
{
    if (input == NULL || target == NULL || check_input("nll_loss", input) != PG_OK)
        return NULL;
    class_params params = {.ignored = ignore_index, .mode = mode, .is_log = true};
    return class_loss("nll_loss", &nll_function, input, target, weight, &params);
}

/* ---- of probabilities -------------------------------------------------------------------------------------------- */

/* -sum_c w_c q_c log softmax(x)_c, q = (1 - smoothing) y + smoothing / c: rare enough to be put together of other ops,
 * which also give the gradient of y. */
static pg_tensor *probability_loss(pg_tensor *input, pg_tensor *y, pg_tensor *weight, double smoothing,
                                   pg_loss_mode mode)
{
    const int64_t dim = class_dim(input), classes = input->shape[dim];
    if (check_weight("cross_entropy", weight, classes) != PG_OK)
        return NULL;
    pg_scope scope = {0};
    pg_tensor *q = y;
    if (smoothing > 0.0) {
        q = pg_temp(&scope, pg_tensor_binary_number(PG_OP_mul, q, 1.0 - smoothing));
        q = pg_temp(&scope, pg_tensor_binary_number(PG_OP_add, q, smoothing / (double)classes));
    }
    if (weight != NULL) {
        int64_t shape[PG_MAX_DIMS], strides[PG_MAX_DIMS];
        for (int d = 0; d < input->ndim; d++) {
            shape[d] = d == dim ? classes : 1;
            strides[d] = d == dim ? weight->strides[0] : 0;
        }
        pg_tensor *const weights = pg_temp(&scope, pg_tensor_view(weight, input->ndim, shape, strides, 0));
        q = pg_temp(&scope, pg_tensor_binary(PG_OP_mul, q, weights));
    }
    pg_tensor *const logs = pg_temp(&scope, pg_tensor_log_softmax(input, dim));
    pg_tensor *const terms = pg_temp(&scope, pg_tensor_binary(PG_OP_mul, logs, q));
    pg_tensor *sum = pg_temp(&scope, pg_tensor_sum(terms, mode == PG_EACH ? 1 : 0, &dim, 0));
    if (mode == PG_MEAN)
        sum = pg_temp(&scope, pg_tensor_binary_number(PG_OP_div, sum, (double)input->numel / (double)classes));
    pg_tensor *const loss = pg_tensor_unary(PG_OP_neg, sum);
    pg_scope_end(&scope);
    return loss;
}

pg_tensor *pg_tensor_cross_entropy(pg_tensor *input, pg_tensor *target, pg_tensor *weight, int64_t ignore_index,
                                   double label_smoothing, pg_loss_mode mode)
{
    if (input == NULL || target == NULL || check_input("cross_entropy", input) != PG_OK)
        return NULL;
    if (!(label_smoothing >= 0.0 && label_smoothing <= 1.0)) {
        pg_fail(PG_BAD_STATE, "cross_entropy: label_smoothing must be between 0.0 and 1.0, not %g", label_smoothing);
        return NULL;
    }
    if (pg_is_float(target->dtype) && pg_same_shape(input, target)) {
        if (ignore_index < 0)
            return probability_loss(input, target, weight, label_smoothing, mode);
        pg_fail(PG_BAD_STATE, "cross_entropy: ignore_index is not supported for a target of probabilities");
        return NULL;
    }
    class_params params = {.ignored = ignore_index, .smoothing = label_smoothing, .mode = mode};
    return class_loss("cross_entropy", &entropy_function, input, target, weight, &params);
}
