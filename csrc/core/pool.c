#include "core/pool.h"

enum { TURNS = 16 }; /* of a slab as the current one, from one ordering of its free cells to the next */

static void unlist(pg_slab *slab)
{
    if (slab->home == NULL)
        return;
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        *slab->home = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    slab->home = NULL;
}

static void enlist(pg_slab *slab, pg_slab **list)
{
    slab->home = list;
    slab->previous = NULL;
    slab->next = *list;
    if (*list != NULL)
        (*list)->previous = slab;
    *list = slab;
}

/* Forgetting the free list lets the next cells come in the order of their addresses, which the caches like. */
static void make_fresh(pg_slab *slab)
{
    slab->free = NULL;
    slab->turns = 0;
    slab->fresh = (char *)slab + sizeof *slab;
}

/* Puts the free cells in the order of their addresses. A graph that dies gives its cells back nearly in the order in which
 * it took them, but not quite, so that from step to step of a training the order decays, until every access to a new node
 * is a cache miss. */
static void put_in_order(pg_slab *slab)
{
    enum { SMALLEST_CELL = 32, WORDS = PG_SLAB_BYTES / SMALLEST_CELL / 64 };
    uint64_t is_free[WORDS] = {0};
    char *first = (char *)slab + sizeof *slab;
    const size_t cell = slab->pool->cell;
    for (char *c = slab->free; c != NULL; c = *(void **)c) {
        const size_t i = (size_t)(c - first) / cell;
        is_free[i / 64] |= (uint64_t)1 << i % 64;
    }
    void **link = &slab->free;
    for (size_t word = 0; word < WORDS; word++)
        for (uint64_t bits = is_free[word]; bits != 0; bits &= bits - 1) {
            void *c = first + (word * 64 + (size_t)__builtin_ctzll(bits)) * cell;
            *link = c;
            link = c;
        }
    *link = NULL;
}

static pg_slab *new_slab(pg_pool *pool)
{
    /* Small pages on purpose: huge ones fault in quicker once the machine has them ready, and two to three times
     * slower when a virtual machine's host has to find them first. */
    pg_slab *slab = pg_alloc_pages(PG_SLAB_BYTES);
    if (slab == NULL)
        return NULL;
    size_t room = PG_SLAB_BYTES - sizeof *slab;
    slab->pool = pool;
    slab->end = (char *)slab + sizeof *slab + room / pool->cell * pool->cell;
    make_fresh(slab);
    return slab;
}

/* The current slab is used up: put it aside and go on with one that has room. */
void *pg_pool_refill(pg_pool *pool)
{
    pg_slab *slab = pool->partial != NULL ? pool->partial : pool->spare;
    if (slab == NULL && (slab = new_slab(pool)) == NULL)
        return NULL;
    if (slab->home == &pool->spare)
        pool->spares--;
    unlist(slab);
    if (pool->current != NULL)
        enlist(pool->current, &pool->full);
    pool->current = slab;
    if (++slab->turns % TURNS == 0)
        put_in_order(slab);

    void *cell = slab->free;
    if (cell != NULL) {
        slab->free = *(void **)cell;
    } else {
        cell = slab->fresh;
        slab->fresh += pool->cell;
    }
    slab->live++;
    return cell;
}

/* A slab other than the current one got a cell back and is on the wrong list now. */
void pg_slab_settle(pg_slab *slab)
{
    pg_pool *pool = slab->pool;
    unlist(slab);
    if (slab->live > 0) {
        enlist(slab, &pool->partial);
    } else if (pool->spares < PG_SPARE_SLABS) {
        pool->spares++;
        make_fresh(slab);
        enlist(slab, &pool->spare);
    } else {
        pg_free_pages(slab, PG_SLAB_BYTES);
    }
}

static void free_list(pg_slab *slab)
{
    while (slab != NULL) {
        pg_slab *next = slab->next;
        pg_free_pages(slab, PG_SLAB_BYTES);
        slab = next;
    }
}

void pg_pool_destroy(pg_pool *pool)
{
    if (pool->current != NULL) {
        pool->current->next = NULL;
        free_list(pool->current);
    }
    free_list(pool->partial);
    free_list(pool->full);
    free_list(pool->spare);
    pool->current = pool->partial = pool->full = pool->spare = NULL;
    pool->spares = 0;
}
