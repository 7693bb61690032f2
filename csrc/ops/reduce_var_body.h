/* The sum of the squared distances from the mean over T. Blocks are summed in two passes, so that nothing cancels, and
 * joined as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
 * 1979. Included per dtype. */

enum { NAME(BLOCK) = 256 };

typedef struct {
    double origin[PG_TILE]; /* the first element, from which the others are counted: large numbers lose nothing */
    double mean[PG_TILE];
    double squares[PG_TILE];
    int64_t n;
} NAME(spreads);

_Static_assert(sizeof(NAME(spreads)) <= PG_TILE * PG_ACCUMULATOR_BYTES, "the accumulators fit");

static void NAME(start)(void *acc, int64_t w)
{
    NAME(spreads) *const a = acc;
    a->n = 0;
    for (int64_t j = 0; j < w; j++)
        a->mean[j] = a->squares[j] = 0.0;
}

/* Joins a block of m with its mean and squares to column j. */
static inline void NAME(join)(NAME(spreads) * a, int64_t j, int64_t n, int64_t m, double mean, double squares)
{
    const double apart = mean - a->mean[j], share = (double)m / (double)(n + m);
    a->mean[j] = n == 0 ? mean : a->mean[j] + apart * share;
    a->squares[j] += n == 0 ? squares : squares + apart * apart * share * (double)n;
}

static inline __attribute__((always_inline)) void NAME(add_row)(NAME(spreads) * a, int64_t j, const T *x, int64_t n,
                                                                int64_t stride)
{
    enum { LANES = 8 };
    for (int64_t i = 0; i < n; i += NAME(BLOCK)) {
        const int64_t m = n - i < NAME(BLOCK) ? n - i : NAME(BLOCK);
        const T *const block = x + i * stride;
        const double origin = a->origin[j];
        double lane[2][LANES] = {{0.0}};
        int64_t k = 0;
        for (; k + LANES <= m; k += LANES)
            for (int64_t l = 0; l < LANES; l++)
                lane[0][l] += (double)block[(k + l) * stride] - origin;
        double mean = 0.0, squares = 0.0;
        for (; k < m; k++)
            mean += (double)block[k * stride] - origin;
        for (int l = 0; l < LANES; l++)
            mean += lane[0][l];
        mean /= (double)m;
        for (k = 0; k + LANES <= m; k += LANES)
            for (int64_t l = 0; l < LANES; l++) {
                const double d = (double)block[(k + l) * stride] - origin - mean;
                lane[1][l] += d * d;
            }
        for (; k < m; k++) {
            const double d = (double)block[k * stride] - origin - mean;
            squares += d * d;
        }
        for (int l = 0; l < LANES; l++)
            squares += lane[1][l];
        NAME(join)(a, j, a->n + i, m, mean, squares);
    }
}

static void NAME(add_rows)(NAME(spreads) * a, const T *x, int64_t w, int64_t across, int64_t n, int64_t along)
{
    for (int64_t i = 0; i < n; i += NAME(BLOCK)) {
        const int64_t end = n - i < NAME(BLOCK) ? n : i + NAME(BLOCK);
        double mean[PG_TILE] = {0.0}, squares[PG_TILE] = {0.0};
        for (int64_t row = i; row < end; row++)
            for (int64_t j = 0; j < w; j++)
                mean[j] += (double)x[row * along + j * across] - a->origin[j];
        for (int64_t j = 0; j < w; j++)
            mean[j] /= (double)(end - i);
        for (int64_t row = i; row < end; row++)
            for (int64_t j = 0; j < w; j++) {
                const double d = (double)x[row * along + j * across] - a->origin[j] - mean[j];
                squares[j] += d * d;
            }
        for (int64_t j = 0; j < w; j++)
            NAME(join)(a, j, a->n + i, end - i, mean[j], squares[j]);
    }
}

static void NAME(add)(void *acc, const void *data, int64_t w, int64_t across, int64_t n, int64_t along)
{
    NAME(spreads) *const a = acc;
    const T *const x = data;
    for (int64_t j = 0; j < w && a->n == 0; j++)
        a->origin[j] = (double)x[j * across];
    if (!pg_reads_along(w, across, along))
        NAME(add_rows)(a, x, w, across, n, along);
    else
        for (int64_t j = 0; j < w; j++)
            if (along == 1)
                NAME(add_row)(a, j, x + j * across, n, 1);
            else
                NAME(add_row)(a, j, x + j * across, n, along);
    a->n += n;
}

static void NAME(finish)(const void *acc, int64_t w, double divisor, void *out, int64_t *index)
{
    (void)index;
    const NAME(spreads) *const a = acc;
    T *const y = out;
    for (int64_t j = 0; j < w; j++)
        y[j] = (T)(a->squares[j] / divisor);
}

static const pg_reducer NAME(var) = {NAME(start), NAME(add), NAME(finish)};

#undef T
#undef NAME
