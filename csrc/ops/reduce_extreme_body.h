/* The extreme over T, and the first place where it stands. BEYOND(x, y) says that x is further out, WORST is the value
 * that everything else is beyond or equal to. A nan (IS_NAN) is beyond all numbers. Included per dtype and direction. */

enum { NAME(LANES) = 64 };

/* ---- the value ----------------------------------------------------------------------------------------------------- */

/* Nothing is beyond a nan but another nan. */
static inline T NAME(further)(T best, T x)
{
    return BEYOND(x, best) | IS_NAN(x) ? x : best;
}

static void NAME(start)(void *acc, int64_t w)
{
    T *const best = acc;
    for (int64_t j = 0; j < w; j++)
        best[j] = WORST;
}

/* So many lanes that compilers keep the loops over them, which they vectorise, instead of unrolling them. */
static inline __attribute__((always_inline)) T NAME(row)(const T *x, int64_t n, int64_t stride)
{
    T best = WORST, lane[NAME(LANES)];
    int64_t i = 0;
    if (n >= 2 * NAME(LANES)) {
        for (int64_t k = 0; k < NAME(LANES); k++)
            lane[k] = WORST;
        for (; i + NAME(LANES) <= n; i += NAME(LANES))
            for (int64_t k = 0; k < NAME(LANES); k++)
                lane[k] = NAME(further)(lane[k], x[(i + k) * stride]);
        for (int64_t k = 0; k < NAME(LANES); k++)
            best = NAME(further)(best, lane[k]);
    }
    for (; i < n; i++)
        best = NAME(further)(best, x[i * stride]);
    return best;
}

static void NAME(add)(void *acc, const void *data, int64_t w, int64_t across, int64_t n, int64_t along)
{
    T *const best = acc;
    const T *const x = data;
    if (pg_reads_along(w, across, along)) {
        for (int64_t j = 0; j < w; j++) {
            const T *const row = x + j * across;
            best[j] = NAME(further)(best[j], along == 1 ? NAME(row)(row, n, 1) : NAME(row)(row, n, along));
        }
        return;
    }
    for (int64_t i = 0; i < n; i++)
        if (across == 1)
            for (int64_t j = 0; j < w; j++)
                best[j] = NAME(further)(best[j], x[i * along + j]);
        else
            for (int64_t j = 0; j < w; j++)
                best[j] = NAME(further)(best[j], x[i * along + j * across]);
}

static void NAME(finish)(const void *acc, int64_t w, double divisor, void *out, int64_t *index)
{
    (void)divisor, (void)index;
    memcpy(out, acc, (size_t)w * sizeof(T));
}

static const pg_reducer NAME(extreme) = {NAME(start), NAME(add), NAME(finish)};

/* ---- the place: for one reduced dimension, of which `add` sees the whole ------------------------------------------- */

typedef struct {
    T best[PG_TILE];
    int64_t index[PG_TILE];
} NAME(places);

_Static_assert(sizeof(NAME(places)) <= PG_TILE * PG_ACCUMULATOR_BYTES, "the accumulators fit");

static void NAME(start_places)(void *acc, int64_t w)
{
    (void)acc, (void)w; /* the first element is the first best */
}

/* The value first, whose search needs no branches, then its place, block by block. */
static inline __attribute__((always_inline)) int64_t NAME(find)(const T *x, int64_t n, int64_t stride, T best)
{
    enum { BLOCK = 64 };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        int found = 0;
        for (int64_t k = 0; k < BLOCK; k++)
            found |= (x[(i + k) * stride] == best) | IS_NAN(x[(i + k) * stride]);
        if (found)
            break;
    }
    while (i < n - 1 && !((x[i * stride] == best) | IS_NAN(x[i * stride])))
        i++;
    return i;
}

static void NAME(add_places)(void *acc, const void *data, int64_t w, int64_t across, int64_t n, int64_t along)
{
    NAME(places) *const a = acc;
    const T *const x = data;
    if (pg_reads_along(w, across, along)) {
        for (int64_t j = 0; j < w; j++) {
            const T *const row = x + j * across;
            a->best[j] = along == 1 ? NAME(row)(row, n, 1) : NAME(row)(row, n, along);
            a->index[j] = along == 1 ? NAME(find)(row, n, 1, a->best[j]) : NAME(find)(row, n, along, a->best[j]);
        }
        return;
    }
    for (int64_t j = 0; j < w; j++) {
        a->best[j] = x[j * across];
        a->index[j] = 0;
    }
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = 0; j < w; j++) {
            const T candidate = x[i * along + j * across], best = a->best[j];
            const bool taken = (BEYOND(candidate, best) | IS_NAN(candidate)) & !IS_NAN(best);
            a->best[j] = taken ? candidate : best;
            a->index[j] = taken ? i : a->index[j];
        }
}

static void NAME(finish_places)(const void *acc, int64_t w, double divisor, void *out, int64_t *index)
{
    (void)divisor;
    const NAME(places) *const a = acc;
    if (out != NULL)
        memcpy(out, a->best, (size_t)w * sizeof(T));
    memcpy(index, a->index, (size_t)w * sizeof *index);
}

static const pg_reducer NAME(place) = {NAME(start_places), NAME(add_places), NAME(finish_places)};

#undef T
#undef NAME
#undef WORST
#undef IS_NAN
