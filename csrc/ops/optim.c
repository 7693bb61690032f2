/* Optimisers over scalar parameters: one pass, each parameter's update written once. */
#include "core/exact.h"

#include "core/node.h"

#include <math.h>

void pg_zero_grad(int64_t n, pg_value *const *params)
{
    for (int64_t i = 0; i < n; i++)
        params[i]->grad = 0.0;
}

void pg_sgd_step(const pg_sgd *sgd, int64_t step, int64_t n, pg_value *const *params, double *momentum_state)
{
    for (int64_t i = 0; i < n; i++) {
        pg_value *p = params[i];
        double d = p->grad + sgd->weight_decay * p->data;
        if (sgd->momentum != 0.0) {
            double m = step == 1 ? d : sgd->momentum * momentum_state[i] + (1.0 - sgd->dampening) * d;
            momentum_state[i] = m;
            d = sgd->nesterov ? d + sgd->momentum * m : m;
        }
        p->data -= sgd->lr * d;
    }
}

void pg_adam_step(const pg_adam *adam, int64_t step, int64_t n, pg_value *const *params, double *m, double *v)
{
    const double correction1 = 1.0 - pow(adam->beta1, (double)step);
    const double correction2 = 1.0 - pow(adam->beta2, (double)step);
    for (int64_t i = 0; i < n; i++) {
        pg_value *p = params[i];
        double d = p->grad + adam->weight_decay * p->data;
        m[i] = adam->beta1 * m[i] + (1.0 - adam->beta1) * d;
        v[i] = adam->beta2 * v[i] + (1.0 - adam->beta2) * d * d;
        p->data -= adam->lr * (m[i] / correction1) / (sqrt(v[i] / correction2) + adam->eps);
    }
}
