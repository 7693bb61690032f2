/* The pool of cells: what is taken belongs to one taker, whatever the order in which cells come and go. */
#include "check.h"

#include "core/pool.h"

#include <stdlib.h>

enum { CELLS = 100000, CELL_BYTES = 72, ROUNDS = CHECK_SLOW ? 8 : 80 };

typedef struct {
    uint64_t owner, twin; /* the number of the taker, twice */
    char rest[CELL_BYTES - 16];
} cell;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static cell *take(pg_pool *pool, uint64_t owner)
{
    cell *c = pg_pool_take(pool);
    if (c != NULL)
        *c = (cell){.owner = owner, .twin = ~owner};
    return c;
}

static void test_cells_keep_what_is_written_whatever_the_order_they_come_and_go_in(void)
{
    static cell *cells[CELLS];
    pg_pool pool = {.cell = CELL_BYTES};
    uint64_t state = 1, intact = 0, checked = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < CELLS; i++)
            if (cells[i] == NULL)
                cells[i] = take(&pool, i);
        for (uint64_t i = 0; i < CELLS; i++) {
            checked++;
            intact += cells[i]->owner == i && cells[i]->twin == ~i;
        }
        /* Each round leaves others alive, and gives back in an order without pattern. */
        for (int64_t k = 0; k < CELLS; k++) {
            const uint64_t i = next_random(&state) % CELLS;
            if (cells[i] != NULL)
                pg_pool_give(&pool, cells[i]);
            cells[i] = NULL;
        }
    }
    CHECK(intact == checked);
    for (uint64_t i = 0; i < CELLS; i++)
        if (cells[i] != NULL)
            pg_pool_give(&pool, cells[i]);
    pg_pool_destroy(&pool);
}

int main(void)
{
    const int64_t before = pg_live_bytes();
    test_cells_keep_what_is_written_whatever_the_order_they_come_and_go_in();
    CHECK(pg_live_bytes() == before);
    return check_report("pool");
}
