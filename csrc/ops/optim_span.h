/* Optimiser steps over spans: the arrays of one parameter, whatever its shape, updated in one pass.
 *
 * No kernel allocates, fails or knows a graph. The arrays of one call have n elements each, contiguous; n may be 0. They
 * have to be different arrays, or the very same one: an overlap that is shifted is undefined. Numbers are float32 or
 * float64 by the name; the coefficients of a step are computed in double and rounded once to the type of the span. The
 * order of operations is PyTorch's, which differs in the last bits from that of the scalar optimisers in pygrad.h.
 *
 * A step over a list of parameters, from Python. Both raise before anything is written, and change neither `grad` nor
 * the lists:
 *
 *   tensor_sgd_step(params, momentum_buffers, first_step, lr, momentum, dampening, weight_decay, nesterov) -> None
 *   tensor_adam_step(params, exp_avgs, exp_avg_sqs, step, lr, beta1, beta2, eps, weight_decay) -> None
 *
 *   - params: list of leaf tensors of float32 or float64, of any mixture of shapes and of both types.
 *   - Parameters whose grad is None are passed over, with their state.
 *   - momentum_buffers: None when momentum is 0, else a list as long as params; exp_avgs and exp_avg_sqs are lists as
 *     long as params. Entries are contiguous tensors of the parameter's shape and dtype. TypeError or ValueError when not.
 *   - first_step: whether this is the first step of all of these parameters (pg_sgd_span's `first`); step counts from 1.
 *   - Parameters and gradients that are not contiguous (a transposed or expanded gradient): the update is the same; the
 *     glue may copy such a gradient, and walks such a parameter in the order of its shape.
 *   - Each parameter that is written has its version counter raised by 1, as an in-place operation under no_grad; the
 *     state's counters are of no interest.
 *   - Signals are not looked at between parameters: a step happens whole. */
#ifndef PG_OPS_OPTIM_SPAN_H
#define PG_OPS_OPTIM_SPAN_H

#include "pygrad.h"

/* One step of stochastic gradient descent; `sgd` as for pg_sgd_step:
 *     d = g + weight_decay * p
 *     m = d on the first step of this parameter, else momentum * m + (1 - dampening) * d
 *     d = d + momentum * m (nesterov) or m;  p = p - lr * d
 * p[n] is updated, g[n] read. m[n] is updated, and written without being read when `first` is not 0; it is not touched,
 * and may be NULL, when sgd->momentum is 0. */
void pg_sgd_span_f32(const pg_sgd *sgd, int first, int64_t n, float *p, const float *g, float *m);
void pg_sgd_span_f64(const pg_sgd *sgd, int first, int64_t n, double *p, const double *g, double *m);

/* One step of Adam; `adam` as for pg_adam_step, `step` is t and counts from 1:
 *     d = g + weight_decay * p;  m = m + (1 - beta1) * (d - m);  v = beta2 * v + (1 - beta2) * d * d
 *     p = p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * p[n], m[n] and v[n] are updated, g[n] read; m and v start at 0. */
void pg_adam_span_f32(const pg_adam *adam, int64_t step, int64_t n, float *p, const float *g, float *m, float *v);
void pg_adam_span_f64(const pg_adam *adam, int64_t step, int64_t n, double *p, const double *g, double *m, double *v);

#endif
