/* What losses share: how the losses of elements or samples become one, and those that go element by element. */
#ifndef PG_LOSS_H
#define PG_LOSS_H

#include "core/autograd.h"

/* Losses are computed in blocks of this many elements. */
enum { PG_LOSS_BLOCK = 512 };

/* The factor of dL/dsample, where the losses of samples were divided by `divisor` as a whole. */
static inline double pg_loss_scale(pg_loss_mode mode, double divisor)
{
    return mode == PG_MEAN ? 1.0 / divisor : 1.0;
}

/* PG_BAD_STATE where the weights of a loss ask for a gradient, which they never get. */
pg_status pg_check_no_gradient(const char *op, const char *what, const pg_tensor *t);

/* ---- element by element ------------------------------------------------------------------------------------------ */

/* Over n <= PG_LOSS_BLOCK elements. in[operand]: input, target, then the weights that the loss has; all of the dtype
 * of the kernel. `parameter` is delta or such. */
typedef struct {
    void (*values)(int64_t n, const void *const *in, double parameter, void *out);
    /* g[n]: dL/dloss. out[0] and out[1]: the gradients of input and target, NULL where they are not wanted. */
    void (*slopes)(int64_t n, const void *const *in, double parameter, const void *g, void *const *out);
} pg_loss_kernel;

/* The losses of the elements from recorded operations: for second derivatives. weight[]: NULL where there is none. */
typedef pg_tensor *pg_loss_composition(pg_scope *scope, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                                       double parameter);

typedef struct {
    const char *op;
    pg_loss_composition *composition;
    pg_function function;
    int weights;                    /* how many weights it can have */
    const pg_loss_kernel kernel[2]; /* float32, float64 */
} pg_loss;

/* The loss of input and target, which have to be of one shape; weight[loss->weights], NULL where there is none. */
pg_tensor *pg_pointwise_loss(const pg_loss *loss, pg_tensor *input, pg_tensor *target, pg_tensor *const *weight,
                             double parameter, pg_loss_mode mode);
pg_rule pg_pointwise_backward;

#endif
