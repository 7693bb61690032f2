/* Losses of the difference d of input and target. VALUE(d) and SLOPE(d) are in T; `delta` is there. Included once per
 * loss and dtype. */

static void NAME(values)(int64_t n, const void *const *in, double parameter, void *out)
{
    const T *const x = in[0], *const t = in[1], delta = (T)parameter;
    T *const y = out;
    (void)delta;
    for (int64_t i = 0; i < n; i++) {
        const T d = x[i] - t[i];
        y[i] = VALUE(d);
    }
}

static void NAME(slopes)(int64_t n, const void *const *in, double parameter, const void *gradient, void *const *out)
{
    const T *const x = in[0], *const t = in[1], *const g = gradient, delta = (T)parameter;
    (void)delta;
    for (int k = 0; k < 2; k++) {
        T *const to = out[k];
        const T sign = k == 0 ? 1 : -1;
        if (to != NULL)
            for (int64_t i = 0; i < n; i++) {
                const T d = x[i] - t[i];
                to[i] = sign * g[i] * SLOPE(d);
            }
    }
}

#undef T
#undef NAME
