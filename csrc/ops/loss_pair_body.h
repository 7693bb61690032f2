/* Losses of input x and target t. VALUE, SLOPE_X and SLOPE_T are in T, x, t and `parameter`. Included once per loss and
 * dtype. */

static void NAME(values)(int64_t n, const void *const *in, double given, void *out)
{
    const T *const xs = in[0], *const ts = in[1], parameter = (T)given;
    T *const y = out;
    (void)parameter;
    for (int64_t i = 0; i < n; i++) {
        const T x = xs[i], t = ts[i];
        y[i] = VALUE;
    }
}

static void NAME(slopes)(int64_t n, const void *const *in, double given, const void *gradient, void *const *out)
{
    const T *const xs = in[0], *const ts = in[1], *const g = gradient, parameter = (T)given;
    T *const dx = out[0], *const dt = out[1];
    (void)parameter;
    for (int64_t i = 0; i < n && dx != NULL; i++) {
        const T x = xs[i], t = ts[i];
        (void)x;
        dx[i] = g[i] * (SLOPE_X);
    }
    for (int64_t i = 0; i < n && dt != NULL; i++) {
        const T x = xs[i], t = ts[i];
        (void)x, (void)t;
        dt[i] = g[i] * (SLOPE_T);
    }
}

#undef T
#undef NAME
#undef EXP
#undef LOG
