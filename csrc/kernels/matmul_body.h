/* The matrix product over REAL: which way to go, and the loops around the tiles.
 *
 * The loops are those of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication", 2008): a slice of
 * k at a time, of that a block of rows of a which stays in the second cache, of that a panel of b as wide as a tile
 * which stays in the first, and down that panel tile by tile. Sums of slices are added in the order of k, and a slice
 * is as long for every shape: how the rest is divided changes no bit of c. matmul_dot.h adds in another order; whoever
 * divides a product among threads has to choose between the two by the whole. */

enum {
    NAME(K_SLICE) = 2048 / REAL_BYTES,
    NAME(ROW_BLOCK) = 128,
    NAME(TILE_COLUMNS) = PG_TILE_VECTORS * LANES,
    NAME(COLUMN_BLOCK) = 64 * NAME(TILE_COLUMNS),
    /* Copies cost a tenth of the time at 512 rows and columns, and win it back only where operands lie far apart. */
    NAME(COPY_FROM) = 512,
};

/* A product on its way: its job, and where copies of the operands go. */
typedef struct {
    const pg_matmul_job *job;
    int64_t b_col;           /* the job's, or 1 where there is but one column */
    bool copies_a, copies_b; /* all of it; of b, a panel that ends within a register is copied in any case */
    int64_t a_size, panel; /* elements of the copy of a, and from one panel's copy to the next: 0, one place for all */
    REAL *a_copy, *b_copy;
} NAME(product);

/* The part of it that is multiplied at a time: c[i.., j..] of the slice p.. of k. */
typedef struct {
    int64_t i, rows, j, columns, p, depth;
} NAME(block);

PG_INLINE int64_t NAME(smaller)(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* count rows of a against one panel of b. */
static void NAME(down_the_panel)(NAME(tile_job) * tile, int64_t count, int vectors)
{
    for (; count >= PG_TILE_ROWS; count -= PG_TILE_ROWS) {
        NAME(tiles)[PG_TILE_ROWS - 1][vectors - 1](tile);
        tile->a += PG_TILE_ROWS * tile->a_row;
        tile->c += PG_TILE_ROWS * tile->ldc;
    }
    if (count > 0)
        NAME(tiles)[count - 1][vectors - 1](tile);
}

/* The panel of b that is `width` columns from column j + `from` on. Its copy is made when the first rows come to it,
 * so that it is in the nearest cache when they do. */
static void NAME(find_panel)(const NAME(product) * product, const NAME(block) * block, int64_t from, int64_t width,
                             int vectors, NAME(tile_job) * tile)
{
    const pg_matmul_job *job = product->job;
    const REAL *b = (const REAL *)job->b + block->p * job->b_row + (block->j + from) * product->b_col;
    tile->b = b;
    tile->b_row = job->b_row;
    if (product->copies_b || width < vectors * LANES) {
        REAL *copy = product->b_copy + product->panel * (from / NAME(TILE_COLUMNS));
        if (block->i == 0)
            NAME(pack_b)(block->depth, width, b, job->b_row, product->b_col, vectors, copy);
        tile->b = copy;
        tile->b_row = vectors * LANES;
    }
}

static void NAME(multiply_block)(const NAME(product) * product, const NAME(block) * block)
{
    const pg_matmul_job *job = product->job;
    const REAL *a = (const REAL *)job->a + block->i * job->a_row + block->p * job->a_col;
    const REAL *bias = block->p == 0 ? job->bias : NULL;
    NAME(tile_job) tile = {.k = block->depth, .a_row = job->a_row, .a_col = job->a_col, .ldc = job->ldc};
    tile.add = job->accumulate || block->p > 0;
    if (product->copies_a) {
        NAME(pack_a)(block->rows, block->depth, a, &tile.a_row, &tile.a_col, product->a_copy);
        a = product->a_copy;
    }
    for (int64_t from = 0; from < block->columns; from += NAME(TILE_COLUMNS)) {
        const int64_t width = NAME(smaller)(NAME(TILE_COLUMNS), block->columns - from);
        const int vectors = (int)((width + LANES - 1) / LANES);
        NAME(find_panel)(product, block, from, width, vectors, &tile);
        tile.last = width - (vectors - 1) * LANES;
        tile.a = a;
        tile.bias = bias == NULL ? NULL : bias + block->j + from;
        tile.c = (REAL *)job->c + block->i * job->ldc + block->j + from;
        NAME(down_the_panel)(&tile, block->rows, vectors);
    }
}

/* Slices of no depth are multiplied too, once: they write the zeros, or the bias. */
static void NAME(multiply_blocks)(const NAME(product) * product)
{
    const pg_matmul_job *job = product->job;
    NAME(block) block;
    for (block.j = 0; block.j < job->n; block.j += block.columns) {
        block.columns = NAME(smaller)(NAME(COLUMN_BLOCK), job->n - block.j);
        block.p = 0;
        do {
            block.depth = NAME(smaller)(NAME(K_SLICE), job->k - block.p);
            for (block.i = 0; block.i < job->m; block.i += block.rows) {
                block.rows = NAME(smaller)(NAME(ROW_BLOCK), job->m - block.i);
                NAME(multiply_block)(product, &block);
            }
            block.p += block.depth;
        } while (block.p < job->k);
    }
}

/* Which operands are copied, and how many elements of room that takes: a few megabytes at most. */
static int64_t NAME(plan)(NAME(product) * product)
{
    const pg_matmul_job *job = product->job;
    const int64_t depth = NAME(smaller)(job->k, NAME(K_SLICE)), columns = NAME(smaller)(job->n, NAME(COLUMN_BLOCK));
    int64_t size = 0;
    product->b_col = job->n == 1 ? 1 : job->b_col;
    product->copies_b = product->b_col != 1 || job->m >= NAME(COPY_FROM);
    product->copies_a = job->m >= NAME(COPY_FROM) && job->n >= NAME(COPY_FROM);
    if (product->copies_a)
        size += product->a_size = NAME(smaller)(job->m, NAME(ROW_BLOCK)) * (depth + LANES);
    if (product->copies_b || job->n % LANES != 0) {
        const int64_t panels = (columns + NAME(TILE_COLUMNS) - 1) / NAME(TILE_COLUMNS);
        const int64_t width = panels > 1 ? NAME(TILE_COLUMNS) : (columns + LANES - 1) / LANES * LANES;
        /* One place serves where each panel meets all rows at once, or only the last panel is copied. */
        const bool in_turn = !product->copies_b || job->m <= NAME(ROW_BLOCK);
        product->panel = in_turn ? 0 : depth * width;
        size += depth * width * (in_turn ? 1 : panels);
    }
    return size;
}

/* Jobs that are better put in other words. A column of c, from a whose columns lie dense, is a row of c: so a is dense
 * along the registers. Without k there is nothing to read, and NULL is no place to count from. */
static bool NAME(reword)(const pg_matmul_job *job, pg_matmul_job *other)
{
    *other = *job;
    if (job->k == 0) {
        other->a_row = other->b_col = 0;
        return true;
    }
    if (job->n != 1 || job->a_row != 1 || job->ldc != 1 || job->bias != NULL)
        return false;
    other->m = 1;
    other->n = other->ldc = job->m;
    other->a = job->b;
    other->a_row = 0;
    other->a_col = job->b_row;
    other->b = job->a;
    other->b_row = job->a_col;
    other->b_col = 1;
    return true;
}

static pg_status NAME(matmul)(const pg_matmul_job *job)
{
    NAME(product) product = {.job = job};
    pg_matmul_job other;
    if (job->m <= 0 || job->n <= 0)
        return PG_OK;
    if (NAME(dots_serve)(job)) {
        NAME(matmul_dots)(job);
        return PG_OK;
    }
    if (NAME(reword)(job, &other))
        product.job = &other;
    const size_t bytes = (size_t)NAME(plan)(&product) * sizeof(REAL);
    if (bytes > 0) {
        product.a_copy = pg_buffer_take(bytes);
        if (product.a_copy == NULL)
            return PG_NO_MEMORY;
        product.b_copy = product.a_copy + product.a_size;
    }
    NAME(multiply_blocks)(&product);
    pg_buffer_give(product.a_copy, bytes);
    return PG_OK;
}
