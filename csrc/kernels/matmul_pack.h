/* Copies of parts of the operands, laid out as matmul_tile.h reads them fastest. */

/* to[k, vectors * LANES] = b[k, width], zero beyond width; the columns of b lie side by side. */
static void NAME(pack_rows)(int64_t k, int64_t width, const REAL *b, int64_t b_row, int vectors, REAL *to)
{
    const int64_t last = width - (int64_t)(vectors - 1) * LANES;
    for (int64_t p = 0; p < k; p++, b += b_row) {
        for (int v = 0; v < vectors - 1; v++, to += LANES)
            NAME(store)(to, NAME(load)(b + v * LANES));
        NAME(store)(to, NAME(load_part)(b + (vectors - 1) * LANES, last));
        to += LANES;
    }
}

/* The same for b whose elements lie side by side along k: squares of LANES * LANES are turned in registers. */
static void NAME(pack_columns)(int64_t k, int64_t width, const REAL *b, int64_t b_col, int vectors, REAL *to)
{
    const int64_t to_row = (int64_t)vectors * LANES;
    for (int64_t j = 0; j < width; j += LANES) {
        for (int64_t p = 0; p < k; p += LANES) {
            NAME(vec) square[LANES];
            const int64_t depth = k - p < LANES ? k - p : LANES;
            const REAL *corner = b + j * b_col + p;
            if (depth == LANES && width - j >= LANES) {
                PG_UNROLL
                for (int i = 0; i < LANES; i++)
                    square[i] = NAME(load)(corner + i * b_col);
            } else {
                for (int i = 0; i < LANES; i++)
                    square[i] = i < width - j ? NAME(load_part)(corner + i * b_col, depth) : (NAME(vec)){0};
            }
            NAME(transpose)(square);
            if (depth == LANES) {
                PG_UNROLL
                for (int i = 0; i < LANES; i++)
                    NAME(store)(to + (p + i) * to_row + j, square[i]);
            } else {
                for (int i = 0; i < depth; i++)
                    NAME(store)(to + (p + i) * to_row + j, square[i]);
            }
        }
    }
}

/* The same for any strides, one by one. */
static void NAME(pack_any)(int64_t k, int64_t width, const REAL *b, int64_t b_row, int64_t b_col, int vectors, REAL *to)
{
    for (int64_t p = 0; p < k; p++, b += b_row, to += (int64_t)vectors * LANES)
        for (int64_t j = 0; j < (int64_t)vectors * LANES; j++)
            to[j] = j < width ? b[j * b_col] : 0;
}

static void NAME(pack_b)(int64_t k, int64_t width, const REAL *b, int64_t b_row, int64_t b_col, int vectors, REAL *to)
{
    if (b_col == 1)
        NAME(pack_rows)(k, width, b, b_row, vectors, to);
    else if (b_row == 1)
        NAME(pack_columns)(k, width, b, b_col, vectors, to);
    else
        NAME(pack_any)(k, width, b, b_row, b_col, vectors, to);
}

/* to = a[rows, k], dense in the direction in which a is; *a_row and *a_col become the copy's. Rows of the copy are a
 * register longer than needed: at a distance of a power of two they would all fall into the same few lines of cache. */
static void NAME(pack_a)(int64_t rows, int64_t k, const REAL *a, int64_t *a_row, int64_t *a_col, REAL *to)
{
    const int64_t from_row = *a_row, from_col = *a_col;
    if (from_col == 1) {
        *a_row = k + LANES;
        for (int64_t i = 0; i < rows; i++)
            memcpy(to + i * *a_row, a + i * from_row, (size_t)k * sizeof(REAL));
        return;
    }
    *a_row = 1;
    *a_col = rows;
    for (int64_t p = 0; p < k; p++)
        for (int64_t i = 0; i < rows; i++)
            to[p * rows + i] = a[i * from_row + p * from_col];
}
