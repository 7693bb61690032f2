#include "core/buffer.h"

#include "core/alloc.h"
#include "core/status.h"

#include <pthread.h>
#include <stdbool.h>

#ifndef PG_NO_CACHE

/* Multiples of 64 bytes up to 576, then 64 more than four sizes to each doubling: no block is more than a quarter too
 * large, and one of 2^n bytes with a header before them fits exactly. */
enum { STEP = 64, EVEN = 9, PER_DOUBLING = 4, DOUBLINGS = 32, CLASSES = EVEN + PER_DOUBLING * DOUBLINGS };
static const size_t MOST_KEPT = (size_t)256 << 20; /* by one thread */

typedef struct {
    size_t bytes; /* in all lists together */
    bool watched; /* the end of this thread will be noticed */
    void *free[CLASSES];
} pg_cache;

static _Thread_local pg_cache cache;

/* The class of a size and, in *room, the size of its blocks; CLASSES when it is too large for any. */
static inline int class_of(size_t bytes, size_t *room)
{
    if (bytes <= STEP * EVEN) {
        const size_t steps = bytes == 0 ? 1 : (bytes + STEP - 1) / STEP;
        *room = steps * STEP;
        return (int)steps - 1;
    }
    const size_t most = bytes - STEP - 1;
    const int doubling = 63 - __builtin_clzll(most); /* 2^doubling <= most < 2^(doubling + 1) */
    const int quarter = doubling - 2;
    const size_t quarters = (most >> quarter) + 1; /* 5 to 8 */
    *room = (quarters << quarter) + STEP;
    const int class = EVEN + PER_DOUBLING * (doubling - 9) + (int)quarters - 5;
    return class < CLASSES ? class : CLASSES;
}

static void return_everything(void *thread_cache)
{
    pg_cache *const c = thread_cache;
    for (int i = 0; i < CLASSES; i++) {
        const size_t room = i < EVEN
                                ? (size_t)(i + 1) * STEP
                                : ((size_t)((i - EVEN) % PER_DOUBLING + 5) << ((i - EVEN) / PER_DOUBLING + 7)) + STEP;
        while (c->free[i] != NULL) {
            void *block = c->free[i];
            c->free[i] = *(void **)block;
            pg_free_aligned(block, room);
        }
    }
    c->bytes = 0;
    c->watched = false;
}

static pthread_key_t end_of_thread;

static void make_key(void)
{
    pthread_key_create(&end_of_thread, return_everything);
}

static void watch_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    pthread_setspecific(end_of_thread, &cache);
    cache.watched = true;
}

void *pg_buffer_take(size_t bytes)
{
    size_t room;
    const int class = class_of(bytes, &room);
    if (PG_UNLIKELY(class == CLASSES))
        return pg_alloc_aligned(bytes);
    void *block = cache.free[class];
    if (PG_UNLIKELY(block == NULL))
        return pg_alloc_aligned(room);
    if (PG_UNLIKELY(pg_alloc_armed) && pg_alloc_refused()) {
        pg_no_memory(bytes);
        return NULL;
    }
    cache.free[class] = *(void **)block;
    cache.bytes -= room;
    return block;
}

void pg_buffer_give(void *block, size_t bytes)
{
    if (block == NULL)
        return;
    size_t room;
    const int class = class_of(bytes, &room);
    if (PG_UNLIKELY(class == CLASSES)) {
        pg_free_aligned(block, bytes);
        return;
    }
    if (PG_UNLIKELY(cache.bytes + room > MOST_KEPT)) {
        pg_free_aligned(block, room);
        return;
    }
    if (PG_UNLIKELY(!cache.watched))
        watch_thread();
    *(void **)block = cache.free[class];
    cache.free[class] = block;
    cache.bytes += room;
}

void pg_empty_cache(void)
{
    return_everything(&cache);
}

int64_t pg_cached_bytes(void)
{
    return (int64_t)cache.bytes;
}

#else /* every block from the system and back, so that sanitizers see its use */

void *pg_buffer_take(size_t bytes)
{
    return pg_alloc_aligned(bytes == 0 ? 1 : bytes);
}

void pg_buffer_give(void *block, size_t bytes)
{
    pg_free_aligned(block, bytes == 0 ? 1 : bytes);
}

void pg_empty_cache(void)
{
}

int64_t pg_cached_bytes(void)
{
    return 0;
}

#endif
