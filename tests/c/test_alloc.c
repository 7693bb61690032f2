/* Allocations that fail: every one of a piece of work in turn, once or from there on for ever. The work has to say so,
 * leak nothing, and succeed afterwards on the same graph. Then the pool of cells on its own.
 */
#include "check.h"

#include "core/node.h"
#include "core/pool.h"

#include <stdlib.h>

/* Makes a graph, checks what comes out and returns PG_OK; or PG_NO_MEMORY, with nothing left but what g owns. */
typedef pg_status work(pg_graph *g);

static const char untouched[] = "no allocation failed";

/* Lets the nth allocation of the work fail. False when the work has fewer than n. */
static bool fails_at(work *do_work, int64_t n, int forever)
{
    const int64_t before = pg_live_bytes();
    pg_graph *g = pg_graph_new();
    pg_fail(PG_OK, untouched);
    pg_fail_allocation(n, forever);
    const pg_status status = do_work(g);
    pg_fail_allocation(0, 0);
    const bool happened = strcmp(pg_message(), untouched) != 0;

    CHECK_MESSAGE(status == (happened ? PG_NO_MEMORY : PG_OK), "allocation %" PRId64 ": status %d", n, status);
    CHECK_MESSAGE(!happened || strstr(pg_message(), "memory") != NULL, "allocation %" PRId64 ": %s", n, pg_message());
    pg_clear(g);
    CHECK(pg_graph_status(g) == PG_OK);
    CHECK_MESSAGE(do_work(g) == PG_OK, "again after allocation %" PRId64 ": %s", n, pg_message());
    pg_graph_free(g);
    CHECK_MESSAGE(pg_live_bytes() == before, "allocation %" PRId64 ": %" PRId64 " bytes left", n,
                  pg_live_bytes() - before);
    return happened;
}

static void check_every_failure(work *do_work, int64_t at_least)
{
    for (int forever = 0; forever < 2; forever++) {
        int64_t n = 1;
        while (fails_at(do_work, n, forever))
            n++;
        CHECK_MESSAGE(n > at_least, "only %" PRId64 " allocations", n - 1);
    }
}

/* ---- pieces of work ------------------------------------------------------------------------------------------- */

static pg_status build_every_row(pg_graph *g)
{
    pg_value *a = pg_leaf(g, 0.75), *b = pg_leaf(g, 0.5), *terms[4 * 64];
    int64_t n = 0;
    for (int op = 0; op < pg_op_count(); op++) {
        if (pg_op_row(op)->arity == 1) {
            terms[n++] = pg_unary(g, op, a);
            continue;
        }
        terms[n++] = pg_binary(g, op, a, b);
        terms[n++] = pg_binary_number(g, op, a, 0.5);
        terms[n++] = pg_number_binary(g, op, 0.75, b);
    }
    pg_value *total = pg_sum(g, n, terms);
    const pg_status status = pg_backward(g, total);
    CHECK(status != PG_OK || (isfinite(pg_data(total)) && isfinite(pg_grad(a)) && pg_grad(a) != 0.0));
    return status;
}

static pg_status build_every_op_of_n_inputs(pg_graph *g)
{
    const double numbers[3] = {0.5, -1.0, 2.0};
    pg_value *x[3], *w[3], *bias = pg_leaf(g, 0.25);
    for (int i = 0; i < 3; i++) {
        x[i] = pg_leaf(g, numbers[i]);
        w[i] = pg_leaf(g, 1.0 - i);
    }
    pg_value *all[] = {
        pg_sum(g, 3, x),
        pg_logsumexp(g, 3, x),
        pg_dot(g, 3, x, w),
        pg_neuron(g, PG_OP_tanh, 3, x, w, bias),
        pg_neuron(g, -1, 3, x, w, bias),
        pg_neuron_numbers(g, PG_OP_gelu, 3, numbers, w, bias),
        pg_custom(g, 1.0, 3, x, numbers),
        pg_custom(g, 1.0, 0, NULL, NULL),
    };
    const int64_t n = sizeof all / sizeof *all;
    pg_value *total = pg_sum(g, n, all);
    for (int64_t i = 0; i < n; i++)
        CHECK(all[i] != NULL || pg_graph_status(g) == PG_NO_MEMORY);
    const pg_status status = pg_backward(g, total);
    if (status == PG_OK) {
        CHECK_NEAR(pg_data(all[2]), -1.5, 0.0);
        CHECK_NEAR(pg_data(all[0]), 1.5, 0.0);
        CHECK(isfinite(pg_grad(bias)));
    }
    return status;
}

/* An expression held together by its own values only: inputs retained by nodes that never came to be. */
static pg_status build_and_drop(pg_graph *g)
{
    pg_value *a = pg_retain(pg_leaf(g, 2.0)), *y = a;
    for (int i = 0; i < 20; i++)
        y = pg_mul(g, pg_tanh(g, pg_add(g, y, a)), y);
    pg_retain(y);
    pg_status status = pg_graph_status(g);
    if (status == PG_OK) {
        pg_clear(g);
        status = pg_backward(g, y);
    }
    pg_release(g, y);
    pg_release(g, a);
    return status;
}

static pg_status train(pg_graph *g, pg_mlp *mlp, int fused)
{
    int64_t count;
    pg_value *const *params = pg_mlp_parameters(mlp, &count);
    const pg_sgd sgd = {.lr = 0.01};
    double first = 0.0, last = 0.0;
    for (int64_t step = 1; step <= 3; step++) {
        pg_value *out[2];
        pg_status status = pg_mlp_forward(g, mlp, fused, (double[]){0.5, -1.0}, out);
        if (status != PG_OK)
            return status;
        pg_value *loss = pg_mul(g, pg_sub(g, out[0], out[1]), pg_sub(g, out[0], out[1]));
        pg_zero_grad(count, params);
        status = pg_backward(g, loss);
        if (status != PG_OK)
            return status;
        pg_sgd_step(&sgd, step, count, params, NULL);
        last = pg_data(loss);
        first = step == 1 ? last : first;
        pg_clear(g);
    }
    CHECK(last < first);
    return PG_OK;
}

static pg_status train_mlp(pg_graph *g, int fused)
{
    pg_mlp *mlp = pg_mlp_new(g, 2, (int64_t[]){2, 3, 2}, PG_OP_tanh, -1, 3);
    const pg_status status = mlp == NULL ? PG_NO_MEMORY : train(g, mlp, fused);
    pg_mlp_free(mlp);
    return status;
}

static pg_status train_fused(pg_graph *g)
{
    return train_mlp(g, 1);
}

static pg_status train_written_out(pg_graph *g)
{
    return train_mlp(g, 0);
}

/* Longer than what the list of owned values starts with; of `length` nodes. */
static int64_t length;

static pg_status build_chain(pg_graph *g)
{
    pg_value *x = pg_leaf(g, 1.0), *y = x;
    for (int64_t i = 1; i < length && y != NULL; i++)
        y = pg_add(g, y, x);
    const pg_status status = pg_backward(g, y);
    CHECK(status != PG_OK || pg_grad(x) == (double)length);
    return status;
}

/* The chain fills a slab and half of the next; all failures of it would take minutes, so: those around the growth of
 * the list of owned values and around the second slab, and some of the others. */
static void check_chain_over_slabs(void)
{
    const int64_t cells = (int64_t)((PG_SLAB_BYTES - sizeof(pg_slab)) / (sizeof(int64_t) + sizeof(pg_value)));
    length = cells + cells / 2;
    for (int forever = 0; forever < 2; forever++) {
        for (int64_t n = cells - 20; n < cells + 30; n += CHECK_SLOW ? 25 : 1)
            CHECK(fails_at(build_chain, n, forever));
        for (int64_t n = 1; n < length; n += CHECK_SLOW ? 9999 : 1999)
            CHECK(fails_at(build_chain, n, forever));
    }
}

static void test_new_graph_without_memory(void)
{
    const int64_t before = pg_live_bytes();
    pg_fail_allocation(1, 1);
    CHECK(pg_graph_new() == NULL && pg_graph_new() == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "memory") != NULL, "%s", pg_message());
    pg_fail_allocation(2, 0);
    pg_graph *g = pg_graph_new();
    CHECK(g != NULL);
    CHECK(pg_leaf(g, 1.0) == NULL && pg_graph_status(g) == PG_NO_MEMORY);
    CHECK(pg_leaf(g, 1.0) != NULL); /* once only */
    CHECK(pg_backward(g, pg_leaf(g, 1.0)) == PG_NO_MEMORY);
    pg_fail_allocation(0, 0);
    pg_graph_free(g);
    CHECK(pg_live_bytes() == before);
}

static void test_sizes_that_overflow_are_refused(void)
{
    size_t bytes = 0;
    CHECK(pg_alloc_array(SIZE_MAX, 2, 0, &bytes) == NULL);
    CHECK(pg_alloc_array(SIZE_MAX / 2, 2, 16, &bytes) == NULL);
    CHECK(pg_alloc_array(1, SIZE_MAX / 2 + 1, 0, &bytes) == NULL);
    CHECK(pg_block_new(INT64_MAX, false) == NULL);
    CHECK(pg_block_new(INT64_MAX / 8, true) == NULL);
    CHECK_MESSAGE(strstr(pg_message(), "memory") != NULL, "%s", pg_message());
    void *block = pg_alloc_array(3, 8, 16, &bytes);
    CHECK(block != NULL && bytes == 40);
    pg_free(block, bytes);
    pg_free(NULL, 0);
}

/* ---- the pool ------------------------------------------------------------------------------------------------- */

enum { CELL = 56, CELLS = CHECK_SLOW ? 100000 : 1000000 };

static void write_cell(uint64_t *cell, uint64_t tag)
{
    for (size_t i = 0; i < CELL / sizeof *cell; i++)
        cell[i] = tag + i;
}

static bool cell_holds(const uint64_t *cell, uint64_t tag)
{
    for (size_t i = 0; i < CELL / sizeof *cell; i++)
        if (cell[i] != tag + i)
            return false;
    return true;
}

/* Cells taken and given back in random order never overlap: what was written into one stays. */
static void test_cells_of_a_pool_do_not_overlap(void)
{
    const int64_t before = pg_live_bytes();
    pg_pool pool = {.cell = CELL};
    uint64_t **cells = calloc(CELLS, sizeof *cells);
    pg_rng rng;
    pg_rng_seed(&rng, 11);
    int64_t damaged = 0;
    for (int64_t i = 0; i < 4 * CELLS; i++) {
        /* waves: mostly taking, then mostly giving, so that slabs fill, empty and come back */
        const uint64_t bits = pg_rng_bits(&rng), at = (bits >> 8) % CELLS;
        const bool take = (int)(bits & 15) < (i / (CELLS / 2) % 2 ? 3 : 13);
        if (take && cells[at] == NULL) {
            cells[at] = pg_pool_take(&pool);
            write_cell(cells[at], at * 64);
        } else if (!take && cells[at] != NULL) {
            damaged += !cell_holds(cells[at], at * 64);
            pg_pool_give(&pool, cells[at]);
            cells[at] = NULL;
        }
    }
    for (uint64_t at = 0; at < CELLS; at++)
        if (cells[at] != NULL) {
            damaged += !cell_holds(cells[at], at * 64);
            pg_pool_give(&pool, cells[at]);
        }
    free(cells);
    CHECK_MESSAGE(damaged == 0, "%" PRId64 " cells", damaged);
    CHECK(pg_live_bytes() - before <= (PG_SPARE_SLABS + 1) * (int64_t)PG_SLAB_BYTES);
    pg_pool_destroy(&pool);
    CHECK(pg_live_bytes() == before);
}

/* Slabs with holes are filled before new ones are asked for, and go with the pool although cells are in use. */
static void test_holes_are_filled_before_the_pool_grows(void)
{
#ifndef PG_NO_CACHE
    const int64_t before = pg_live_bytes(), cells = 4 * PG_SLAB_BYTES / CELL;
    pg_pool pool = {.cell = CELL};
    void **all = calloc((size_t)cells, sizeof *all);
    for (int64_t i = 0; i < cells; i++)
        all[i] = pg_pool_take(&pool);
    const int64_t full = pg_live_bytes();
    CHECK(full - before >= 4 * (int64_t)PG_SLAB_BYTES);
    for (int64_t i = 0; i < cells; i += 3)
        pg_pool_give(&pool, all[i]);
    for (int64_t i = 0; i < cells; i += 3)
        all[i] = pg_pool_take(&pool);
    CHECK_MESSAGE(pg_live_bytes() == full, "%" PRId64 " bytes more", pg_live_bytes() - full);
    for (int64_t i = 0; i < cells; i += 2)
        pg_pool_give(&pool, all[i]);
    pg_pool_destroy(&pool);
    CHECK(pg_live_bytes() == before);
    free(all);
#endif
}

static void test_a_large_graph_gives_its_pages_back_when_cleared(void)
{
    pg_graph *g = pg_graph_new();
    length = CELLS;
    CHECK(build_chain(g) == PG_OK);
    const int64_t full = pg_live_bytes();
    pg_clear(g);
    const int64_t owned = 2 * (int64_t)sizeof(void *) * CELLS; /* the list of owned values stays */
    CHECK_MESSAGE(pg_live_bytes() <= (PG_SPARE_SLABS + 1) * (int64_t)PG_SLAB_BYTES + owned + 4096,
                  "%" PRId64 " of %" PRId64 " bytes left", pg_live_bytes(), full);
    const int64_t cleared = pg_live_bytes();
    for (int i = 0; i < 3; i++) { /* and keeps as many in reserve every time */
        CHECK(build_chain(g) == PG_OK);
        CHECK(pg_live_bytes() == full);
        pg_clear(g);
        CHECK(pg_live_bytes() == cleared);
    }
    pg_graph_free(g);
}

int main(void)
{
    CHECK(pg_live_bytes() == 0);
    test_new_graph_without_memory();
    test_sizes_that_overflow_are_refused();
    check_every_failure(build_every_row, 50);
    check_every_failure(build_every_op_of_n_inputs, 20);
    check_every_failure(build_and_drop, 60);
    check_every_failure(train_fused, 30);
    check_every_failure(train_written_out, 60);
    length = 600; /* the list of owned values doubles at 256 and 512 */
    check_every_failure(build_chain, 600);
    check_chain_over_slabs();
    test_cells_of_a_pool_do_not_overlap();
    test_holes_are_filled_before_the_pool_grows();
    test_a_large_graph_gives_its_pages_back_when_cleared();
    CHECK(pg_live_bytes() == 0);
    return check_report("alloc");
}
