/* binary_cross_entropy and binary_cross_entropy_with_logits. */
#include "ops/loss.h"

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

static const pg_loss bce = {"binary_cross_entropy",
                            {.name = "BinaryCrossEntropy", .backward = pg_pointwise_backward},
                            1,
                            {{bce_values_f32, bce_slopes_f32}, {bce_values_f64, bce_slopes_f64}}};
static const pg_loss logits = {"binary_cross_entropy_with_logits",
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
