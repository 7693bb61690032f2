#include "core/alloc.h"

#include "core/status.h"

#include <stdlib.h>
#include <sys/mman.h>

static _Atomic int64_t live_bytes;
static _Atomic int64_t countdown; /* to the failing allocation */
static _Atomic int fail_forever;
_Atomic int pg_alloc_armed;

int64_t pg_live_bytes(void)
{
    return live_bytes;
}

void pg_fail_allocation(int64_t nth, int forever)
{
    countdown = nth;
    fail_forever = forever;
    pg_alloc_armed = nth > 0;
}

int pg_alloc_refused(void)
{
    int64_t left = --countdown;
    return left == 0 || (left < 0 && fail_forever);
}

static void *counted(void *block, size_t bytes)
{
    if (block == NULL)
        pg_no_memory(bytes);
    else
        live_bytes += (int64_t)bytes;
    return block;
}

void *pg_alloc(size_t bytes)
{
    return counted(pg_alloc_armed && pg_alloc_refused() ? NULL : malloc(bytes), bytes);
}

void pg_free(void *block, size_t bytes)
{
    if (block == NULL)
        return;
    live_bytes -= (int64_t)bytes;
    free(block);
}

void *pg_alloc_array(size_t a, size_t b, size_t c, size_t *bytes)
{
    size_t product, total;
    if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &total) || total > SIZE_MAX / 2) {
        pg_no_memory(SIZE_MAX);
        return NULL;
    }
    *bytes = total;
    return pg_alloc(total);
}

void *pg_alloc_aligned(size_t bytes)
{
    void *block = NULL;
    if (!(pg_alloc_armed && pg_alloc_refused()) && posix_memalign(&block, 64, bytes) != 0)
        block = NULL;
    return counted(block, bytes);
}

void pg_free_aligned(void *block, size_t bytes)
{
    pg_free(block, bytes);
}

static void *map_aligned(size_t bytes)
{
    char *start = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    char *aligned = (char *)(((uintptr_t)start + bytes - 1) & ~(uintptr_t)(bytes - 1));
    const size_t before = (size_t)(aligned - start);
    if (before > 0)
        munmap(start, before);
    munmap(aligned + bytes, bytes - before);
    return aligned;
}

void *pg_alloc_pages(size_t bytes)
{
    return counted(pg_alloc_armed && pg_alloc_refused() ? NULL : map_aligned(bytes), bytes);
}

void pg_free_pages(void *pages, size_t bytes)
{
    live_bytes -= (int64_t)bytes;
    munmap(pages, bytes);
}
