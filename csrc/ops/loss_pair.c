/* kl_div, hinge_embedding_loss, hinge_loss. */
#include "ops/elementwise.h"
#include "ops/loss.h"
#include "ops/select.h"

#include <math.h>

/* ---- t (log t - x), 0 for t = 0 ---------------------------------------------------------------------------------- */

#define VALUE (t == 0 ? -t * x : t * LOG(t) - t * x)
#define SLOPE_X -t
#define SLOPE_T (LOG(t) + t / t - x) /* no number at 0, as in PyTorch */
#define T float
#define NAME(f) kl_##f##_f32
#define LOG logf
#include "ops/loss_pair_body.h"
#define T double
#define NAME(f) kl_##f##_f64
#define LOG log
#include "ops/loss_pair_body.h"
#undef VALUE
#undef SLOPE_X
#undef SLOPE_T

/* ---- the same of the logarithm of t: e^t (t - x) ----------------------------------------------------------------- */

#define VALUE (EXP(t) * (t - x))
#define SLOPE_X -EXP(t)
#define SLOPE_T (EXP(t) * (t - x + 1))
#define T float
#define NAME(f) log_kl_##f##_f32
#define EXP expf
#include "ops/loss_pair_body.h"
#define T double
#define NAME(f) log_kl_##f##_f64
#define EXP exp
#include "ops/loss_pair_body.h"
#undef VALUE
#undef SLOPE_X
#undef SLOPE_T

/* ---- x where t is 1, max(0, margin - x) where it is -1, both where it is neither ----------------------------------- */

#define BELOW (parameter - x < 0 ? 0 : parameter - x)
#define VALUE ((t != 1 ? BELOW : 0) + (t != -1 ? x : 0))
#define SLOPE_X (T)((t != -1) - (t != 1 && parameter - x >= 0))
#define SLOPE_T (T)0
#define T float
#define NAME(f) embedding_##f##_f32
#include "ops/loss_pair_body.h"
#define T double
#define NAME(f) embedding_##f##_f64
#include "ops/loss_pair_body.h"
#undef VALUE
#undef SLOPE_X
#undef SLOPE_T

/* ---- max(0, 1 - t x), whose slope is 0 at the corner --------------------------------------------------------------- */

#define VALUE (1 - t * x < 0 ? 0 : 1 - t * x)
#define SLOPE_X (1 - t * x > 0 ? -t : 0)
#define SLOPE_T (1 - t * x > 0 ? -x : 0)
#define T float
#define NAME(f) hinge_##f##_f32
#include "ops/loss_pair_body.h"
#define T double
#define NAME(f) hinge_##f##_f64
#include "ops/loss_pair_body.h"

/* ---- the functions ----------------------------------------------------------------------------------------------- */

static pg_tensor *minus(pg_scope *scope, pg_tensor *a, pg_tensor *b)
{
    return pg_temp(scope, pg_tensor_binary(PG_OP_sub, a, b));
}

/* Where a comparison holds: a bool tensor, of the scope. */
static pg_tensor *where(pg_scope *scope, pg_comparison comparison, pg_tensor *t, double number)
{
    if (t == NULL)
        return NULL;
    return pg_temp(scope, pg_compare(comparison, (pg_operand[]){PG_TENSOR_OPERAND(t), PG_NUMBER_OPERAND(number)}));
}

static pg_tensor *chosen(pg_tensor *condition, pg_tensor *t, double otherwise)
{
    if (condition == NULL || t == NULL)
        return NULL;
    return pg_where(condition, (pg_operand[]){PG_TENSOR_OPERAND(t), PG_NUMBER_OPERAND(otherwise)});
}

/* t log t - t x, with 1 in the place of t under the logarithm where t is 0. */
static pg_tensor *kl_composed(pg_scope *scope, pg_tensor *x, pg_tensor *t, pg_tensor *const *weight, double unused)
{
    (void)weight, (void)unused;
    pg_tensor *const safe = pg_temp(scope, chosen(where(scope, PG_NE, t, 0.0), t, 1.0));
    pg_tensor *const log = pg_temp(scope, pg_tensor_unary(PG_OP_log, safe));
    pg_tensor *const self = pg_temp(scope, pg_tensor_binary(PG_OP_mul, t, log));
    return pg_tensor_binary(PG_OP_sub, self, pg_temp(scope, pg_tensor_binary(PG_OP_mul, t, x)));
}

static pg_tensor *log_kl_composed(pg_scope *scope, pg_tensor *x, pg_tensor *t, pg_tensor *const *weight, double unused)
{
    (void)weight, (void)unused;
    return pg_tensor_binary(PG_OP_mul, pg_temp(scope, pg_tensor_unary(PG_OP_exp, t)), minus(scope, t, x));
}

/* The slope of max(0, margin - x) is -1 at the corner. */
static pg_tensor *embedding_composed(pg_scope *scope, pg_tensor *x, pg_tensor *t, pg_tensor *const *weight,
                                     double margin)
{
    (void)weight;
    pg_tensor *const rest = pg_temp(scope, pg_tensor_number_binary(PG_OP_sub, margin, x));
    pg_tensor *const below = pg_temp(scope, chosen(where(scope, PG_GE, rest, 0.0), rest, 0.0));
    pg_tensor *const of_minus = pg_temp(scope, chosen(where(scope, PG_NE, t, 1.0), below, 0.0));
    pg_tensor *const of_plus = pg_temp(scope, chosen(where(scope, PG_NE, t, -1.0), x, 0.0));
    return pg_tensor_binary(PG_OP_add, of_minus, of_plus);
}

static pg_tensor *hinge_composed(pg_scope *scope, pg_tensor *x, pg_tensor *t, pg_tensor *const *weight, double unused)
{
    (void)weight, (void)unused;
    pg_tensor *const score = pg_temp(scope, pg_tensor_binary(PG_OP_mul, t, x));
    return pg_tensor_unary(PG_OP_relu, pg_temp(scope, pg_tensor_number_binary(PG_OP_sub, 1.0, score)));
}

static const pg_loss kl = {"kl_div",
                           kl_composed,
                           {.name = "KlDiv", .backward = pg_pointwise_backward},
                           0,
                           {{kl_values_f32, kl_slopes_f32}, {kl_values_f64, kl_slopes_f64}}};
static const pg_loss log_kl = {"kl_div",
                               log_kl_composed,
                               {.name = "KlDiv", .backward = pg_pointwise_backward},
                               0,
                               {{log_kl_values_f32, log_kl_slopes_f32}, {log_kl_values_f64, log_kl_slopes_f64}}};
static const pg_loss embedding = {
    "hinge_embedding_loss",
    embedding_composed,
    {.name = "HingeEmbeddingLoss", .backward = pg_pointwise_backward},
    0,
    {{embedding_values_f32, embedding_slopes_f32}, {embedding_values_f64, embedding_slopes_f64}}};
static const pg_loss hinge = {"hinge_loss",
                              hinge_composed,
                              {.name = "HingeLoss", .backward = pg_pointwise_backward},
                              0,
                              {{hinge_values_f32, hinge_slopes_f32}, {hinge_values_f64, hinge_slopes_f64}}};

pg_tensor *pg_tensor_kl_div(pg_tensor *input, pg_tensor *target, int log_target, pg_loss_mode mode)
{
    if (input == NULL || target == NULL)
        return NULL;
    if (!pg_is_float(input->dtype) || !pg_is_float(target->dtype)) {
        pg_fail(PG_BAD_STATE, "kl_div: tensors of floats are wanted, not %s and %s", pg_dtype_name[input->dtype],
                pg_dtype_name[target->dtype]);
        return NULL;
    }
    return pg_pointwise_loss(log_target ? &log_kl : &kl, input, target, NULL, 0.0, mode);
}

/* Whether input is of floats, which decide the dtype of the loss. */
static bool check_scores(const char *op, const pg_tensor *input)
{
    if (pg_is_float(input->dtype))
        return true;
    pg_fail(PG_BAD_STATE, "%s: a tensor of floats is wanted, not %s", op, pg_dtype_name[input->dtype]);
    return false;
}

pg_tensor *pg_tensor_hinge_embedding_loss(pg_tensor *input, pg_tensor *target, double margin, pg_loss_mode mode)
{
    if (input == NULL || target == NULL || !check_scores("hinge_embedding_loss", input))
        return NULL;
    pg_tensor *const labels = pg_tensor_detach(target), *cast = NULL, *out = NULL;
    if (labels != NULL)
        cast = pg_tensor_cast(labels, input->dtype);
    if (cast != NULL)
        out = pg_pointwise_loss(&embedding, input, cast, NULL, margin, mode);
    pg_tensor_release(cast);
    pg_tensor_release(labels);
    return out;
}

pg_tensor *pg_tensor_hinge_loss(pg_tensor *score, pg_tensor *label, pg_loss_mode mode)
{
    if (score == NULL || label == NULL || !check_scores("hinge_loss", score))
        return NULL;
    return pg_pointwise_loss(&hinge, score, label, NULL, 0.0, mode);
}
