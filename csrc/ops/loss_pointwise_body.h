/* Sums and factors of blocks of T. Included once per dtype. */

/* The sum of a block of losses. */
static double NAME(sum_block)(const void *losses, int64_t n)
{
    enum { LANES = 8 };
    const T *const x = losses;
    double lane[LANES] = {0}, rest = 0.0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int64_t k = 0; k < LANES; k++)
            lane[k] += (double)x[i + k];
    for (; i < n; i++)
        rest += (double)x[i];
    return rest + ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* block[n] = g[i * stride] * scale */
static void NAME(scale_block)(const void *from, int64_t stride, double scale, void *block, int64_t n)
{
    const T *const g = from;
    T *const out = block;
    for (int64_t i = 0; i < n; i++)
        out[i] = (T)((double)g[i * stride] * scale);
}

static void NAME(fill_ones)(void *block)
{
    T *const out = block;
    for (int i = 0; i < PG_LOSS_BLOCK; i++)
        out[i] = 1;
}

static void NAME(put)(void *out, double x)
{
    *(T *)out = (T)x;
}

#undef T
#undef NAME
