/* mse_loss, l1_loss, huber_loss, smooth_l1_loss. */
#include "ops/elementwise.h"
#include "ops/loss.h"
#include "ops/select.h"

/* ---- d^2 --------------------------------------------------------------------------------------------------------- */

#define VALUE(d) ((d) * (d))
#define SLOPE(d) (2 * (d))
#define T float
#define NAME(f) mse_##f##_f32
#include "ops/loss_regression_body.h"
#define T double
#define NAME(f) mse_##f##_f64
#include "ops/loss_regression_body.h"
#undef VALUE
#undef SLOPE

/* ---- |d|, whose slope is 0 at 0 and for nan ---------------------------------------------------------------------- */

#define VALUE(d) ((d) < 0 ? -(d) : (d))
#define SLOPE(d) (T)(((d) > 0) - ((d) < 0))
#define T float
#define NAME(f) l1_##f##_f32
#include "ops/loss_regression_body.h"
#define T double
#define NAME(f) l1_##f##_f64
#include "ops/loss_regression_body.h"
#undef VALUE
#undef SLOPE

/* ---- d^2 / 2 up to delta, then the tangent ----------------------------------------------------------------------- */

#define SIZE(d) ((d) < 0 ? -(d) : (d))
#define VALUE(d) (SIZE(d) < delta ? (T)0.5 * (d) * (d) : delta * (SIZE(d) - (T)0.5 * delta))
#define SLOPE(d) ((d) < -delta ? -delta : (d) > delta ? delta : (d))
#define T float
#define NAME(f) huber_##f##_f32
#include "ops/loss_regression_body.h"
#define T double
#define NAME(f) huber_##f##_f64
#include "ops/loss_regression_body.h"

#undef VALUE
#undef SLOPE

/* ---- the same divided by delta, and |d| for a delta of 0 ------------------------------------------------------------ */

#define VALUE(d) (SIZE(d) < delta ? (T)0.5 * (d) * (d) / delta : SIZE(d) - (T)0.5 * delta)
#define SLOPE(d) ((d) > delta ? 1 : (d) < -delta ? -1 : delta > 0 ? (d) / delta : 0)
#define T float
#define NAME(f) smooth_l1_##f##_f32
#include "ops/loss_regression_body.h"
#define T double
#define NAME(f) smooth_l1_##f##_f64
#include "ops/loss_regression_body.h"

/* ---- the functions ----------------------------------------------------------------------------------------------- */

static pg_tensor *mse_composed(pg_scope *scope, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                               double unused)
{
    (void)weight, (void)unused;
    return pg_tensor_unary(PG_OP_square, pg_temp(scope, pg_tensor_binary(PG_OP_sub, input, target)));
}

static pg_tensor *l1_composed(pg_scope *scope, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                              double unused)
{
    (void)weight, (void)unused;
    return pg_tensor_unary(PG_OP_abs, pg_temp(scope, pg_tensor_binary(PG_OP_sub, input, target)));
}

/* e^2 / 2 where |e| <= delta, delta (|e| - delta / 2) elsewhere */
static pg_tensor *huber_composed(pg_scope *scope, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                                 double delta)
{
    (void)weight;
    pg_tensor *const e = pg_temp(scope, pg_tensor_binary(PG_OP_sub, input, target));
    pg_tensor *const size = pg_temp(scope, pg_tensor_unary(PG_OP_abs, e));
    pg_tensor *const squares = pg_temp(scope, pg_tensor_unary(PG_OP_square, e));
    pg_tensor *const near = pg_temp(scope, pg_tensor_binary_number(PG_OP_mul, squares, 0.5));
    pg_tensor *const beyond = pg_temp(scope, pg_tensor_binary_number(PG_OP_sub, size, 0.5 * delta));
    pg_tensor *const far = pg_temp(scope, pg_tensor_binary_number(PG_OP_mul, beyond, delta));
    if (size == NULL)
        return NULL;
    pg_tensor *const is_near =
        pg_temp(scope, pg_compare(PG_LE, (pg_operand[]){PG_TENSOR_OPERAND(size), PG_NUMBER_OPERAND(delta)}));
    return pg_tensor_where(is_near, near, far);
}

/* Huber's loss over beta; the absolute error where beta is 0. */
static pg_tensor *smooth_l1_composed(pg_scope *scope, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                                     double beta)
{
    if (beta == 0.0)
        return l1_composed(scope, input, target, weight, beta);
    return pg_tensor_binary_number(PG_OP_div, pg_temp(scope, huber_composed(scope, input, target, weight, beta)), beta);
}

static const pg_loss mse = {"mse_loss",
                            mse_composed,
                            {.name = "MseLoss", .backward = pg_pointwise_backward},
                            0,
                            {{mse_values_f32, mse_slopes_f32}, {mse_values_f64, mse_slopes_f64}}};
static const pg_loss l1 = {"l1_loss",
                           l1_composed,
                           {.name = "L1Loss", .backward = pg_pointwise_backward},
                           0,
                           {{l1_values_f32, l1_slopes_f32}, {l1_values_f64, l1_slopes_f64}}};
static const pg_loss huber = {"huber_loss",
                              huber_composed,
                              {.name = "HuberLoss", .backward = pg_pointwise_backward},
                              0,
                              {{huber_values_f32, huber_slopes_f32}, {huber_values_f64, huber_slopes_f64}}};
static const pg_loss smooth_l1 = {
    "smooth_l1_loss",
    smooth_l1_composed,
    {.name = "SmoothL1Loss", .backward = pg_pointwise_backward},
    0,
    {{smooth_l1_values_f32, smooth_l1_slopes_f32}, {smooth_l1_values_f64, smooth_l1_slopes_f64}}};

pg_tensor *pg_tensor_mse_loss(pg_tensor *input, pg_tensor *target, pg_loss_mode mode)
{
    return pg_pointwise_loss(&mse, input, target, NULL, 0.0, mode);
}

pg_tensor *pg_tensor_l1_loss(pg_tensor *input, pg_tensor *target, pg_loss_mode mode)
{
    return pg_pointwise_loss(&l1, input, target, NULL, 0.0, mode);
}

pg_tensor *pg_tensor_huber_loss(pg_tensor *input, pg_tensor *target, double delta, pg_loss_mode mode)
{
    if (!(delta > 0.0)) {
        pg_fail(PG_BAD_STATE, "huber_loss: delta has to be positive, not %g", delta);
        return NULL;
    }
    return pg_pointwise_loss(&huber, input, target, NULL, delta, mode);
}

pg_tensor *pg_tensor_smooth_l1_loss(pg_tensor *input, pg_tensor *target, double beta, pg_loss_mode mode)
{
    if (!(beta >= 0.0)) {
        pg_fail(PG_BAD_STATE, "smooth_l1_loss: beta must not be negative, but it is %g", beta);
        return NULL;
    }
    return pg_pointwise_loss(&smooth_l1, input, target, NULL, beta, mode);
}
