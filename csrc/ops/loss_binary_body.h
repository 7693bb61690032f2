/* Binary cross-entropies over T. Included once per dtype. */

/* ---- of probabilities: in is x, y, weight ------------------------------------------------------------------------ */

/* Whether all of x[n] are probabilities; a nan is none. */
static bool NAME(all_probabilities)(const void *data, int64_t n)
{
    const T *const x = data;
    bool all = true;
    for (int64_t i = 0; i < n; i++)
        all &= x[i] >= 0 && x[i] <= 1;
    return all;
}

/* -w (y log x + (1 - y) log(1 - x)), the logarithms not below -100 */
static void NAME(bce_values)(int64_t n, const void *const *in, double parameter, void *out)
{
    (void)parameter;
    const T *const x = in[0], *const y = in[1], *const w = in[2], least = -100;
    T *const loss = out;
    for (int64_t i = 0; i < n; i++) {
        const T log_x = LOG(x[i]), log_rest = LOG1P(-x[i]);
        loss[i] = w[i] * ((y[i] - 1) * (log_rest < least ? least : log_rest) - y[i] * (log_x < least ? least : log_x));
    }
}

/* The slope of the logarithms themselves, its denominator not below 1e-12. */
static void NAME(bce_slopes)(int64_t n, const void *const *in, double parameter, const void *gradient, void *const *out)
{
    (void)parameter;
    const T *const x = in[0], *const y = in[1], *const w = in[2], *const g = gradient;
    const T least = (T)1e-12f; /* single, as in PyTorch */
    T *const dx = out[0], *const dy = out[1];
    if (dx != NULL)
        for (int64_t i = 0; i < n; i++) {
            const T variance = x[i] * (1 - x[i]);
            dx[i] = g[i] * w[i] * (x[i] - y[i]) / (variance < least ? least : variance);
        }
    if (dy != NULL)
        for (int64_t i = 0; i < n; i++)
            dy[i] = g[i] * w[i] * (LOG1P(-x[i]) - LOG(x[i]));
}

/* ---- of logits: in is z, y, weight, pos_weight ------------------------------------------------------------------- */

/* log(1 + exp(-z)) */
static inline T NAME(softplus_of_minus)(T z)
{
    return LOG1P(EXP(z < 0 ? z : -z)) + (z < 0 ? -z : 0);
}

/* w ((1 - y) z + (1 - y + p y) log(1 + exp(-z))) */
static void NAME(logits_values)(int64_t n, const void *const *in, double parameter, void *out)
{
    (void)parameter;
    const T *const z = in[0], *const y = in[1], *const w = in[2], *const p = in[3];
    T *const loss = out;
    for (int64_t i = 0; i < n; i++)
        loss[i] = w[i] * ((1 - y[i]) * z[i] + (1 + (p[i] - 1) * y[i]) * NAME(softplus_of_minus)(z[i]));
}

/* With s = sigma(z): w ((1 - y) s - p y (1 - s)), where 1 - s is computed as sigma(-z), which keeps its digits. */
static void NAME(logits_slopes)(int64_t n, const void *const *in, double parameter, const void *gradient,
                                void *const *out)
{
    (void)parameter;
    const T *const z = in[0], *const y = in[1], *const w = in[2], *const p = in[3], *const g = gradient;
    T *const dz = out[0], *const dy = out[1];
    if (dz != NULL)
        for (int64_t i = 0; i < n; i++) {
            const T e = EXP(z[i] < 0 ? z[i] : -z[i]), large = 1 / (1 + e), small = e / (1 + e);
            const T s = z[i] < 0 ? small : large, rest = z[i] < 0 ? large : small;
            dz[i] = g[i] * w[i] * ((1 - y[i]) * s - p[i] * y[i] * rest);
        }
    if (dy != NULL)
        for (int64_t i = 0; i < n; i++)
            dy[i] = g[i] * w[i] * ((p[i] - 1) * NAME(softplus_of_minus)(z[i]) - z[i]);
}

#undef T
#undef NAME
#undef EXP
#undef LOG
#undef LOG1P
