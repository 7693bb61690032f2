/* Rows of scores x[c] over T with the class of each. Included once per dtype. */

#include "ops/exp_rows.h"

/* -log softmax(x)[c], with p[c] = softmax(x) where p is wanted; w[c] or NULL. The smoothed part of the loss,
 * sum_c w_c -log softmax(x)_c, goes to *all where that is wanted. */
static T NAME(entropy_row)(const T *x, int64_t c, int64_t class, const T *w, T *p, double *all)
{
    const T shift = NAME(largest)(x, c);
    double sum = 0.0;
    if (p != NULL) {
        sum = NAME(exponentials)(x, c, shift, p);
        const T whole = (T)sum;
        for (int64_t k = 0; k < c; k++)
            p[k] /= whole;
    } else {
        for (int64_t k = 0; k < c; k++)
            sum += (double)EXP(x[k] - shift);
    }
    const T log_sum = (T)log(sum);
    if (all != NULL) {
        *all = 0.0;
        for (int64_t k = 0; k < c; k++)
            *all += (double)((w != NULL ? w[k] : 1) * (log_sum - (x[k] - shift)));
    }
    return log_sum - (x[class] - shift);
}

/* Every row's loss to out[n] when the losses are wanted each, else their sum; *divisor is the weight of all classes that
 * occur. */
static double NAME(class_losses)(const class_params *params, const pg_tensor *x, const int64_t *target,
                                 const pg_tensor *weight, pg_tensor *p, T *out, double *divisor)
{
    const T *const w = weight != NULL ? (const T *)weight->data : NULL;
    const int64_t c = params->classes;
    const double smoothing = params->smoothing;
    double total = 0.0, lost = 0.0, weights = 0.0, lost_weights = 0.0, all;
    for (int64_t i = 0; i < params->rows; i++) {
        const int64_t class = target[i];
        double loss = 0.0;
        if (class != params->ignored) {
            const T *const row = (const T *)x->data + i * c;
            const double of_class = w != NULL ? (double)w[class] : 1.0;
            if (params->is_log) {
                loss = -of_class * (double)row[class];
            } else {
                T *const p_row = p != NULL ? (T *)p->data + i * c : NULL;
                loss = of_class * (double)NAME(entropy_row)(row, c, class, w, p_row, smoothing > 0.0 ? &all : NULL);
                if (smoothing > 0.0)
                    loss = (1.0 - smoothing) * loss + smoothing / (double)c * all;
            }
            pg_add_exactly(&weights, &lost_weights, of_class);
        }
        if (out != NULL)
            out[i] = (T)loss;
        pg_add_exactly(&total, &lost, loss);
    }
    *divisor = pg_whole(weights, lost_weights);
    return pg_whole(total, lost);
}

/* dx[rows, c], zeroed. With q_k = w_k ((1 - smoothing) [k is the class] + smoothing / c) it is p_k sum(q) - q_k; without
 * p, -q_k. */
static void NAME(class_slopes)(const class_params *params, const pg_tensor *p, const int64_t *target,
                               const pg_tensor *weight, const pg_tensor *gradient, pg_tensor *out)
{
    const T *const w = weight != NULL ? (const T *)weight->data : NULL, *const g = (const T *)gradient->data;
    const int64_t c = params->classes, step = params->mode == PG_EACH;
    const double scale = pg_loss_scale(params->mode, params->divisor), every = params->smoothing / (double)c;
    double weights = (double)c;
    if (w != NULL) {
        weights = 0.0;
        for (int64_t k = 0; k < c; k++)
            weights += (double)w[k];
    }
    for (int64_t i = 0; i < params->rows; i++) {
        const int64_t class = target[i];
        if (class == params->ignored)
            continue;
        T *const dx = (T *)out->data + i * c;
        const double factor = (double)g[i * step] * scale;
        const double of_class = (1.0 - params->smoothing) * (w != NULL ? (double)w[class] : 1.0);
        if (p != NULL) {
            const T *const p_row = (const T *)p->data + i * c;
            const T whole = (T)(factor * (of_class + every * weights)), even = (T)(factor * every);
            for (int64_t k = 0; k < c; k++)
                dx[k] = p_row[k] * whole;
            if (even != 0)
                for (int64_t k = 0; k < c; k++)
                    dx[k] -= even * (w != NULL ? w[k] : 1);
        }
        dx[class] -= (T)(factor * of_class);
    }
}

#undef T
#undef NAME
#undef EXP
