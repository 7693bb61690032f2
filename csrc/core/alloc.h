/* The one way to memory. Every allocation passes here, so that tests can make any of them fail and see that nothing
 * is left behind. The size is given again to free: that keeps the count without a header on each block. */
#ifndef PG_ALLOC_H
#define PG_ALLOC_H

#include "pygrad.h"

/* True while failures are being injected; read before any short cut around pg_alloc, such as a free list. */
extern _Atomic int pg_alloc_armed;

/* Whether the allocation that is about to be made has to fail. Call it once per allocation while armed. */
int pg_alloc_refused(void);

/* NULL, with the message set, when there is no memory. Alignment as malloc's. */
void *pg_alloc(size_t bytes);
void pg_free(void *block, size_t bytes);
/* NULL when there is no memory, or when a*b + c is more than SIZE_MAX/2; *bytes is what to give to pg_free. */
void *pg_alloc_array(size_t a, size_t b, size_t c, size_t *bytes);

/* The same at a multiple of 64. */
void *pg_alloc_aligned(size_t bytes);
void pg_free_aligned(void *block, size_t bytes);

/* Zeroed pages straight from the system, to which they also go back at once: `bytes`, a power of two and a multiple of
 * the page size, at a multiple of itself. */
void *pg_alloc_pages(size_t bytes);
void pg_free_pages(void *pages, size_t bytes);

#endif
