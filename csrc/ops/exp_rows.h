/* Rows of T and their exponentials (EXP), shifted by the largest so that none overflows. Included by bodies,
 * once per dtype. */

/* The largest of x[n]; -inf when there is none. A nan need not be found: its exponential is nan too. So many lanes that
 * compilers keep the loops over them, which they vectorise. */
static inline T NAME(largest)(const T *x, int64_t n)
{
    enum { LANES = 64 };
    T best = -INFINITY, lane[LANES];
    int64_t i = 0;
    if (n >= 2 * LANES) {
        for (int64_t k = 0; k < LANES; k++)
            lane[k] = -INFINITY;
        for (; i + LANES <= n; i += LANES)
            for (int64_t k = 0; k < LANES; k++)
                lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
        for (int64_t k = 0; k < LANES; k++)
            best = lane[k] > best ? lane[k] : best;
    }
    for (; i < n; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

/* y[n] = exp(x[n] - shift); returns their sum. */
static inline double NAME(exponentials)(const T *x, int64_t n, T shift, T *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = EXP(x[i] - shift);
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)y[i];
    return sum;
}
