#include "core/autograd.h"

#define NOISE(name, T) \
    static void name(T *u, int64_t n, double p) \
    { \
        const T low = (T)p, scale = p < 1.0 ? (T)(1.0 / (1.0 - p)) : 0; \
        for (int64_t i = 0; i < n; i++) \
            u[i] = u[i] < low ? 0 : scale; \
    }
NOISE(noise_f32, float)
NOISE(noise_f64, double)

pg_tensor *pg_tensor_dropout(pg_tensor *x, double p, pg_rng *rng)
{
    if (x == NULL)
        return NULL;
    if (!(p >= 0.0 && p <= 1.0)) {
        pg_fail(PG_BAD_ARGUMENT, "dropout: the probability has to be between 0 and 1, but it is %g", p);
        return NULL;
    }
    if (!pg_is_float(x->dtype)) {
        pg_fail(PG_BAD_STATE, "dropout: a tensor of floats is wanted, not %s", pg_dtype_name[x->dtype]);
        return NULL;
    }
    pg_tensor *const noise = pg_tensor_rand(x->dtype, x->ndim, x->shape, rng);
    if (noise != NULL && x->dtype == PG_FLOAT64)
        noise_f64((double *)noise->data, noise->numel, p);
    else if (noise != NULL)
        noise_f32((float *)noise->data, noise->numel, p);
    pg_tensor *const out = pg_tensor_binary(PG_OP_mul, x, noise);
    pg_tensor_release(noise);
    return out;
}
