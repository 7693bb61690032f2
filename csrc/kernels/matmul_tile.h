/* The kernel of the matrix product: a tile of c that stays in registers while k runs. Each step adds an outer product,
 * a column of a (one element after the other, spread over a register) times a row of b (whole registers). */

/* What one call computes: c[rows, width] = or += a[rows, k] @ b[k, vectors * LANES], plus bias[width]. The last of the
 * `vectors` registers of a row holds `last` columns; b is padded to the full width. */
typedef struct {
    int64_t k;
    const REAL *a;
    int64_t a_row, a_col;
    const REAL *b;
    int64_t b_row;
    const REAL *bias; /* or NULL */
    REAL *c;
    int64_t ldc;
    int64_t last;
    bool add; /* to what c holds */
} NAME(tile_job);

PG_INLINE void NAME(tile_out)(const int vectors, const NAME(tile_job) * job, NAME(vec) * sums, REAL *c)
{
    PG_UNROLL
    for (int v = 0; v < vectors; v++) {
        const int64_t count = v == vectors - 1 ? job->last : LANES;
        NAME(vec) sum = sums[v];
        if (count == LANES) {
            if (job->bias != NULL)
                sum += NAME(load)(job->bias + v * LANES);
            if (job->add)
                sum += NAME(load)(c + v * LANES);
            NAME(store)(c + v * LANES, sum);
        } else {
            if (job->bias != NULL)
                sum += NAME(load_part)(job->bias + v * LANES, count);
            if (job->add)
                sum += NAME(load_part)(c + v * LANES, count);
            NAME(store_part)(c + v * LANES, count, sum);
        }
    }
}

/* rows and vectors are constants where this is used, so that the loops over them unroll and `sums` is registers. */
PG_INLINE void NAME(tile)(const int rows, const int vectors, const NAME(tile_job) * job)
{
    NAME(vec) sums[PG_TILE_ROWS][PG_TILE_VECTORS];
    const REAL *a[PG_TILE_ROWS], *b = job->b;
    const int64_t a_col = job->a_col, b_row = job->b_row;
    PG_UNROLL
    for (int i = 0; i < rows; i++) {
        a[i] = job->a + i * job->a_row;
        PG_UNROLL
        for (int v = 0; v < vectors; v++)
            sums[i][v] = (NAME(vec)){0};
    }
    int64_t at = 0;
    for (int64_t p = 0; p < job->k; p++, at += a_col, b += b_row) {
        NAME(vec) row[PG_TILE_VECTORS];
        PG_UNROLL
        for (int v = 0; v < vectors; v++)
            row[v] = NAME(load)(b + v * LANES);
        PG_UNROLL
        for (int i = 0; i < rows; i++) {
            const REAL factor = a[i][at];
            PG_UNROLL
            for (int v = 0; v < vectors; v++)
                sums[i][v] += factor * row[v];
        }
    }
    PG_UNROLL
    for (int i = 0; i < rows; i++)
        NAME(tile_out)(vectors, job, sums[i], job->c + i * job->ldc);
}

/* ---- the tiles of every size up to the largest ------------------------------------------------------------------- */

#undef PG_TILE
#define PG_TILE(rows, vectors) \
    static void NAME(tile_##rows##_##vectors)(const NAME(tile_job) * job) \
    { \
        NAME(tile)(rows, vectors, job); \
    }
#undef PG_TILES_OF
#if PG_TILE_VECTORS == 3
#define PG_TILES_OF(rows) PG_TILE(rows, 1) PG_TILE(rows, 2) PG_TILE(rows, 3)
#define PG_TILE_NAMES_OF(rows) \
    { \
        NAME(tile_##rows##_1), NAME(tile_##rows##_2), NAME(tile_##rows##_3) \
    }
#else
#define PG_TILES_OF(rows) PG_TILE(rows, 1) PG_TILE(rows, 2)
#define PG_TILE_NAMES_OF(rows) \
    { \
        NAME(tile_##rows##_1), NAME(tile_##rows##_2) \
    }
#endif

PG_TILES_OF(1)
PG_TILES_OF(2)
PG_TILES_OF(3)
PG_TILES_OF(4)
#if PG_TILE_ROWS == 8
PG_TILES_OF(5)
PG_TILES_OF(6)
PG_TILES_OF(7)
PG_TILES_OF(8)
#endif

/* [rows - 1][vectors - 1] */
static void (*const NAME(tiles)[PG_TILE_ROWS][PG_TILE_VECTORS])(const NAME(tile_job) *) = {
    PG_TILE_NAMES_OF(1), PG_TILE_NAMES_OF(2), PG_TILE_NAMES_OF(3), PG_TILE_NAMES_OF(4),
#if PG_TILE_ROWS == 8
    PG_TILE_NAMES_OF(5), PG_TILE_NAMES_OF(6), PG_TILE_NAMES_OF(7), PG_TILE_NAMES_OF(8),
#endif
};
#undef PG_TILE_NAMES_OF
