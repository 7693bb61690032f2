/* The product over T, accumulated in SUM, written as OUT. Included per dtype. */

static void NAME(start)(void *acc, int64_t w)
{
    SUM *const product = acc;
    for (int64_t j = 0; j < w; j++)
        product[j] = 1;
}

static void NAME(add)(void *acc, const void *data, int64_t w, int64_t across, int64_t n, int64_t along)
{
    enum { LANES = 4 };
    SUM *const product = acc;
    const T *const x = data;
    if (!pg_reads_along(w, across, along)) {
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < w; j++)
                product[j] *= (SUM)x[i * along + j * across];
        return;
    }
    for (int64_t j = 0; j < w; j++) {
        SUM lane[LANES] = {1, 1, 1, 1};
        int64_t i = 0;
        for (; i + LANES <= n; i += LANES)
            for (int64_t k = 0; k < LANES; k++)
                lane[k] *= (SUM)x[(i + k) * along + j * across];
        for (; i < n; i++)
            lane[0] *= (SUM)x[i * along + j * across];
        product[j] *= lane[0] * lane[1] * (lane[2] * lane[3]);
    }
}

static void NAME(finish)(const void *acc, int64_t w, double divisor, void *out, int64_t *index)
{
    (void)divisor, (void)index;
    const SUM *const product = acc;
    OUT *const y = out;
    for (int64_t j = 0; j < w; j++)
        y[j] = (OUT)product[j];
}

static const pg_reducer NAME(prod) = {NAME(start), NAME(add), NAME(finish)};

#undef T
#undef NAME
#undef SUM
#undef OUT
