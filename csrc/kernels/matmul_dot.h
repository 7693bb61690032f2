/* Products of which both operands lie dense along k, such as x @ weight.T: each element of c is the inner product of
 * two runs of memory, and nothing has to be laid out anew. */

enum { NAME(DOT_COLUMNS) = 4 };
typedef REAL NAME(quad_at) __attribute__((vector_size(4 * REAL_BYTES), aligned(REAL_BYTES), may_alias));

/* c[rows, columns] from a, row after row a_row apart, and b, column after column b_col apart. */
typedef struct {
    int64_t k;
    const REAL *a;
    int64_t a_row;
    const REAL *b;
    int64_t b_col;
    const REAL *bias; /* or NULL */
    REAL *c;
    int64_t ldc;
    bool add; /* to what c holds */
} NAME(dot_job);

/* c[columns] = or += sums[columns], plus bias */
PG_INLINE void NAME(dot_out)(const int columns, const NAME(dot_job) * job, const REAL *sums, REAL *c)
{
    if (columns == NAME(DOT_COLUMNS)) {
        NAME(quad_at) sum = *(const NAME(quad_at) *)sums;
        if (job->bias != NULL)
            sum += *(const NAME(quad_at) *)job->bias;
        if (job->add)
            sum += *(NAME(quad_at) *)c;
        *(NAME(quad_at) *)c = sum;
        return;
    }
    PG_UNROLL
    for (int j = 0; j < columns; j++) {
        REAL sum = sums[j];
        if (job->bias != NULL)
            sum += job->bias[j];
        c[j] = job->add ? c[j] + sum : sum;
    }
}

PG_INLINE void NAME(dot_step)(const int rows, const int columns, const NAME(dot_job) * job, int64_t at, int64_t count,
                              NAME(vec) * sums)
{
    NAME(vec) column[4];
    PG_UNROLL
    for (int j = 0; j < columns; j++) {
        const REAL *from = job->b + j * job->b_col + at;
        column[j] = count == LANES ? NAME(load)(from) : NAME(load_part)(from, count);
    }
    PG_UNROLL
    for (int i = 0; i < rows; i++) {
        const REAL *from = job->a + i * job->a_row + at;
        const NAME(vec) row = count == LANES ? NAME(load)(from) : NAME(load_part)(from, count);
        PG_UNROLL
        for (int j = 0; j < columns; j++)
            sums[4 * i + j] += row * column[j];
    }
}

/* rows and columns are constants where this is used. */
PG_INLINE void NAME(dot)(const int rows, const int columns, const NAME(dot_job) * job)
{
    NAME(vec) sums[4 * PG_DOT_ROWS];
    REAL totals[4 * PG_DOT_ROWS] __attribute__((aligned(64)));
    PG_UNROLL
    for (int i = 0; i < 4 * PG_DOT_ROWS; i++)
        sums[i] = (NAME(vec)){0};
    int64_t at = 0;
    for (; at <= job->k - LANES; at += LANES)
        NAME(dot_step)(rows, columns, job, at, LANES, sums);
    if (at < job->k)
        NAME(dot_step)(rows, columns, job, at, job->k - at, sums);
    PG_UNROLL
    for (int i = 0; i < 4 * PG_DOT_ROWS; i += LANES)
        NAME(store)(totals + i, NAME(sum_lanes)(sums + i));
    PG_UNROLL
    for (int i = 0; i < rows; i++)
        NAME(dot_out)(columns, job, totals + 4 * i, job->c + i * job->ldc);
}

/* ---- of every size up to the largest ----------------------------------------------------------------------------- */

#undef PG_DOT
#define PG_DOT(rows, columns) \
    static void NAME(dot_##rows##_##columns)(const NAME(dot_job) * job) \
    { \
        NAME(dot)(rows, columns, job); \
    }
#define PG_DOT_NAMES(rows) \
    { \
        NAME(dot_##rows##_1), NAME(dot_##rows##_2), NAME(dot_##rows##_3), NAME(dot_##rows##_4) \
    }
#undef PG_DOTS
#define PG_DOTS(rows) PG_DOT(rows, 1) PG_DOT(rows, 2) PG_DOT(rows, 3) PG_DOT(rows, 4)

PG_DOTS(1)
PG_DOTS(2)
#if PG_DOT_ROWS == 4
PG_DOTS(3)
PG_DOTS(4)
#endif

/* [rows - 1][columns - 1] */
static void (*const NAME(dots)[PG_DOT_ROWS][4])(const NAME(dot_job) *) = {
    PG_DOT_NAMES(1),
    PG_DOT_NAMES(2),
#if PG_DOT_ROWS == 4
    PG_DOT_NAMES(3),
    PG_DOT_NAMES(4),
#endif
};
#undef PG_DOT_NAMES

/* Four columns of b meet a block of rows of a that stays in the nearest cache. */
static void NAME(matmul_dots)(const pg_matmul_job *job)
{
    const REAL *a = job->a, *b = job->b, *bias = job->bias;
    for (int64_t j = 0; j < job->n; j += 4) {
        const int64_t columns = job->n - j < 4 ? job->n - j : 4;
        NAME(dot_job) part = {.k = job->k, .a_row = job->a_row, .b = b + j * job->b_col, .b_col = job->b_col};
        part.bias = bias == NULL ? NULL : bias + j;
        part.ldc = job->ldc;
        part.add = job->accumulate;
        for (int64_t i = 0; i < job->m; i += PG_DOT_ROWS) {
            const int64_t rows = job->m - i < PG_DOT_ROWS ? job->m - i : PG_DOT_ROWS;
            part.a = a + i * job->a_row;
            part.c = (REAL *)job->c + i * job->ldc + j;
            NAME(dots)[rows - 1][columns - 1](&part);
        }
    }
}

/* Where that is the better way: the sums over lanes at the end have to be worth their while, against the tiles' turning
 * of b, which pays when many rows share it, and against columns of a tile that would stay empty. */
static bool NAME(dots_serve)(const pg_matmul_job *job)
{
    if (job->a_col != 1 || job->b_row != 1 || job->k < 8)
        return false;
    return job->n < 16 || job->m <= 4 || job->m <= job->k / PG_DOT_DEPTH;
}
