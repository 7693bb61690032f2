/* Cells of one size, cut from aligned slabs.
 *
 * Graph nodes are made and freed by the million, all alike. A slab is a block of PG_SLAB_BYTES at a multiple of its
 * size, so that a cell finds its slab by masking its own address; each slab keeps its own free cells, and a slab that
 * becomes empty goes back to the system once a few are in reserve. A cell costs its size and no more, and pages that
 * were never touched cost nothing.
 *
 * A pool is used by one thread at a time (the Python host holds the GIL; a pg_graph has its own pool). Built with
 * PG_NO_CACHE every cell is an allocation of its own, so that sanitizers see each one.
 */
#ifndef PG_POOL_H
#define PG_POOL_H

#include "core/alloc.h"
#include "core/status.h"

enum { PG_SLAB_BYTES = 2 << 20, PG_SPARE_SLABS = 16 };

typedef struct pg_slab pg_slab;

typedef struct {
    pg_slab *current; /* where the next cell comes from; never on a list */
    pg_slab *partial; /* slabs with free cells */
    pg_slab *full;
    pg_slab *spare; /* empty slabs in reserve, at most PG_SPARE_SLABS */
    int64_t spares;
    size_t cell; /* bytes, a multiple of 8 */
} pg_pool;

struct pg_slab {
    void *free;  /* cells given back, linked through their first word */
    char *fresh; /* cells from here to `end` were never used */
    char *end;
    int64_t live;
    int64_t turns; /* as the current slab, since its free cells were last put in order */
    pg_pool *pool;
    pg_slab **home; /* the list of the pool it is on; NULL for the current slab */
    pg_slab *next, *previous;
};

/* Everything that is still in the pool goes with it. */
void pg_pool_destroy(pg_pool *pool);

/* Slow halves of the two functions below. */
void *pg_pool_refill(pg_pool *pool);
void pg_slab_settle(pg_slab *slab);

static inline pg_slab *pg_slab_of(void *cell)
{
    return (pg_slab *)((uintptr_t)cell & ~(uintptr_t)(PG_SLAB_BYTES - 1));
}

/* A cell with undefined contents; NULL, with the message set, when there is no memory. */
static inline void *pg_pool_take(pg_pool *pool)
{
#ifdef PG_NO_CACHE
    return pg_alloc(pool->cell);
#else
    pg_slab *slab = pool->current;
    if (PG_UNLIKELY(pg_alloc_armed) && pg_alloc_refused()) {
        pg_no_memory(pool->cell);
        return NULL;
    }
    if (PG_LIKELY(slab != NULL)) {
        void *cell = slab->free;
        if (PG_LIKELY(cell != NULL)) {
            slab->free = *(void **)cell;
            slab->live++;
            return cell;
        }
        if (PG_LIKELY(slab->fresh != slab->end)) {
            cell = slab->fresh;
            slab->fresh += pool->cell;
            slab->live++;
            return cell;
        }
    }
    return pg_pool_refill(pool);
#endif
}

static inline void pg_pool_give(pg_pool *pool, void *cell)
{
#ifdef PG_NO_CACHE
    pg_free(cell, pool->cell);
#else
    pg_slab *slab = pg_slab_of(cell);
    *(void **)cell = slab->free;
    slab->free = cell;
    slab->live--;
    if (PG_UNLIKELY(slab != pool->current) && (slab->home == &pool->full || slab->live == 0))
        pg_slab_settle(slab);
#endif
}

#endif
