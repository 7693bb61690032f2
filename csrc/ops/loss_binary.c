/* binary_cross_entropy and binary_cross_entropy_with_logits. */
#include "ops/elementwise.h"
#include "ops/loss.h"
#include "ops/select.h"

#include <math.h>

#define T float
#define NAME(f) f##_f32
#define EXP expf
#define LOG logf
#define LOG1P log1pf
#include "ops/loss_binary_body.h"

#define T double
#define NAME(f) f##_f64
#define EXP exp
#define LOG log
#define LOG1P log1p
#include "ops/loss_binary_body.h"

/* max(log(p), -100) */
static pg_tensor *clamped_log(pg_scope *scope, pg_tensor *log)
{
    if (pg_temp(scope, log) == NULL)
        return NULL;
    return pg_temp(
        scope,
        pg_clamp((pg_operand[]){PG_TENSOR_OPERAND(log), PG_NUMBER_OPERAND(-100), PG_NUMBER_OPERAND(0)}, true, false));
}

static pg_tensor *weighted(pg_scope *scope, pg_tensor *loss, pg_tensor *weight)
{
    return weight == NULL ? loss : pg_tensor_binary(PG_OP_mul, pg_temp(scope, loss), weight);
}

/* -w (y log p + (1 - y) log(1 - p)) */
static pg_tensor *bce_composed(pg_scope *scope, pg_tensor *p, pg_tensor *y, pg_tensor *const *weight, double unused)
{
    (void)unused;
    pg_tensor *const minus_p = pg_temp(scope, pg_tensor_unary(PG_OP_neg, p));
    pg_tensor *const log_p = clamped_log(scope, pg_tensor_unary(PG_OP_log, p));
    pg_tensor *const log_q = clamped_log(scope, pg_tensor_unary(PG_OP_log1p, minus_p));
    pg_tensor *const of_one = pg_temp(scope, pg_tensor_binary(PG_OP_mul, y, log_p));
    pg_tensor *const rest = pg_temp(scope, pg_tensor_number_binary(PG_OP_sub, 1.0, y));
    pg_tensor *const of_zero = pg_temp(scope, pg_tensor_binary(PG_OP_mul, rest, log_q));
    pg_tensor *const sum = pg_temp(scope, pg_tensor_binary(PG_OP_add, of_one, of_zero));
    return weighted(scope, pg_tensor_unary(PG_OP_neg, sum), weight[0]);
}

/* w ((1 - y) z - (1 + (positive - 1) y) log(sigmoid(z))) */
static pg_tensor *logits_composed(pg_scope *scope, pg_tensor *z, pg_tensor *y, pg_tensor *const *weight, double unused)
{
    (void)unused;
    pg_tensor *const rest = pg_temp(scope, pg_tensor_number_binary(PG_OP_sub, 1.0, y));
    pg_tensor *const of_zero = pg_temp(scope, pg_tensor_binary(PG_OP_mul, rest, z));
    pg_tensor *log_p = pg_temp(scope, pg_tensor_unary(PG_OP_logsigmoid, z));
    if (weight[1] != NULL) {
        pg_tensor *const more = pg_temp(scope, pg_tensor_binary_number(PG_OP_sub, weight[1], 1.0));
        pg_tensor *const of_y = pg_temp(scope, pg_tensor_binary(PG_OP_mul, y, more));
        log_p = pg_temp(
            scope, pg_tensor_binary(PG_OP_mul, log_p, pg_temp(scope, pg_tensor_binary_number(PG_OP_add, of_y, 1.0))));
    }
    return weighted(scope, pg_tensor_binary(PG_OP_sub, of_zero, log_p), weight[0]);
}

static const pg_loss bce = {"binary_cross_entropy",
                            bce_composed,
                            {.name = "BinaryCrossEntropy", .backward = pg_pointwise_backward},
                            1,
                            {{bce_values_f32, bce_slopes_f32}, {bce_values_f64, bce_slopes_f64}}};
static const pg_loss logits = {"binary_cross_entropy_with_logits",
                               logits_composed,
                               {.name = "BinaryCrossEntropyWithLogits", .backward = pg_pointwise_backward},
                               2,
                               {{logits_values_f32, logits_slopes_f32}, {logits_values_f64, logits_slopes_f64}}};

static pg_status check_probabilities(const char *what, pg_tensor *t)
{
    pg_tensor *const packed = pg_tensor_packed(t);
    if (packed == NULL)
        return pg_failure();
    const bool all = t->dtype == PG_FLOAT64 ? all_probabilities_f64(packed->data, packed->numel)
                                            : all_probabilities_f32(packed->data, packed->numel);
    pg_tensor_release(packed);
    return all ? PG_OK
               : pg_fail(PG_BAD_STATE, "binary_cross_entropy: all elements of %s should be between 0 and 1", what);
}

pg_tensor *pg_tensor_binary_cross_entropy(pg_tensor *input, pg_tensor *target, pg_tensor *weight, pg_loss_mode mode)
{
    if (input == NULL || target == NULL)
        return NULL;
    if (!pg_is_float(input->dtype) || input->dtype != target->dtype) {
        pg_fail(PG_BAD_STATE, "binary_cross_entropy: input and target have to be floats of one dtype, not %s and %s",
                pg_dtype_name[input->dtype], pg_dtype_name[target->dtype]);
        return NULL;
    }
    if (check_probabilities("input", input) != PG_OK || check_probabilities("target", target) != PG_OK)
        return NULL;
    return pg_pointwise_loss(&bce, input, target, &weight, 0.0, mode);
}

pg_tensor *pg_tensor_binary_cross_entropy_with_logits(pg_tensor *input, pg_tensor *target, pg_tensor *weight,
                                                      pg_tensor *pos_weight, pg_loss_mode mode)
{
    if (input == NULL || target == NULL)
        return NULL;
    if (!pg_is_float(input->dtype) || !pg_is_float(target->dtype)) {
        pg_fail(PG_BAD_STATE, "binary_cross_entropy_with_logits: tensors of floats are wanted, not %s and %s",
                pg_dtype_name[input->dtype], pg_dtype_name[target->dtype]);
        return NULL;
    }
    return pg_pointwise_loss(&logits, input, target, (pg_tensor *const[]){weight, pos_weight}, 0.0, mode);
}
