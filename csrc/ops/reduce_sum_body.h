/* The sum of TERM(x) over T, accumulated in SUM (double, or uint64_t, which wraps) by ADD(&sum, &lost, x), written as OUT, which
 * WHOLE makes of them. Included once per dtype.
 *
 * Blocks of a fixed number of terms are added in lanes, and the blocks' sums with what each addition rounds away, so
 * that the error does not grow with the length, and the result depends on the shape alone. */

enum { NAME(BLOCK) = 512, NAME(LANES) = 8 };

typedef struct {
    SUM sum[PG_TILE];
    SUM lost[PG_TILE];
} NAME(sums);

_Static_assert(sizeof(NAME(sums)) <= PG_TILE * PG_ACCUMULATOR_BYTES, "the accumulators fit");

static void NAME(start)(void *acc, int64_t w)
{
    NAME(sums) *const a = acc;
    for (int64_t j = 0; j < w; j++)
        a->sum[j] = a->lost[j] = 0;
}

static inline __attribute__((always_inline)) SUM NAME(sum_block)(const T *x, int64_t n, int64_t stride)
{
    SUM lane[NAME(LANES)] = {0}, rest = 0; /* indexed by constants alone, so that they stay in registers */
    int64_t i = 0;
    for (; i + NAME(LANES) <= n; i += NAME(LANES))
        for (int64_t k = 0; k < NAME(LANES); k++)
            lane[k] += TERM(x[(i + k) * stride]);
    for (; i < n; i++)
        rest += TERM(x[i * stride]);
    for (int k = 0; k < NAME(LANES); k++)
        rest += lane[k];
    return rest;
}

static void NAME(add_row)(SUM *sum, SUM *lost, const T *x, int64_t n, int64_t stride)
{
    for (int64_t i = 0; i < n; i += NAME(BLOCK)) {
        const int64_t m = n - i < NAME(BLOCK) ? n - i : NAME(BLOCK);
        ADD(sum, lost, stride == 1 ? NAME(sum_block)(x + i, m, 1) : NAME(sum_block)(x + i * stride, m, stride));
    }
}

static inline __attribute__((always_inline)) void NAME(add_rows)(NAME(sums) * a, const T *x, int64_t w, int64_t across,
                                                                 int64_t n, int64_t along)
{
    for (int64_t i = 0; i < n; i += NAME(BLOCK)) {
        const int64_t end = n - i < NAME(BLOCK) ? n : i + NAME(BLOCK);
        SUM part[PG_TILE] = {0};
        for (int64_t row = i; row < end; row++)
            for (int64_t j = 0; j < w; j++)
                part[j] += TERM(x[row * along + j * across]);
        for (int64_t j = 0; j < w; j++)
            ADD(&a->sum[j], &a->lost[j], part[j]);
    }
}

static void NAME(add)(void *acc, const void *data, int64_t w, int64_t across, int64_t n, int64_t along)
{
    NAME(sums) *const a = acc;
    const T *const x = data;
    if (pg_reads_along(w, across, along))
        for (int64_t j = 0; j < w; j++)
            NAME(add_row)(&a->sum[j], &a->lost[j], x + j * across, n, along);
    else if (across == 1 && w == PG_TILE)
        NAME(add_rows)(a, x, PG_TILE, 1, n, along);
    else
        NAME(add_rows)(a, x, w, across, n, along);
}

static void NAME(finish)(const void *acc, int64_t w, double divisor, void *out, int64_t *index)
{
    (void)divisor, (void)index;
    const NAME(sums) *const a = acc;
    OUT *const y = out;
    for (int64_t j = 0; j < w; j++)
        y[j] = (OUT)(WHOLE(a->sum[j], a->lost[j], divisor));
}

static const pg_reducer NAME(sum) = {NAME(start), NAME(add), NAME(finish)};

#undef T
#undef NAME
#undef SUM
#undef TERM
#undef OUT
#undef ADD
#undef WHOLE
