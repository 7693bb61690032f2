/* Walking several tensors of one broadcast shape together, in as few and as long inner loops as their strides allow. */
#ifndef PG_ITERATE_H
#define PG_ITERATE_H

#include "core/tensor.h"

enum { PG_OPERANDS = 6 };

typedef struct {
    int ndim, operands;
    int64_t shape[PG_MAX_DIMS];                /* innermost first, neighbours joined where all operands allow it */
    int64_t strides[PG_MAX_DIMS][PG_OPERANDS]; /* in bytes; 0 where an operand is broadcast */
    char *data[PG_OPERANDS];
} pg_iter;

/* To walk shape[ndim], which every tensor broadcasts to; a NULL tensor stands for an operand without memory. */
void pg_iter_start(pg_iter *iter, int ndim, const int64_t *shape, int operands, const pg_tensor *const *tensors);

/* An inner loop over n elements: element i of operand j is at p[j] + i * strides[j]. */
typedef void pg_loop(char *const *p, const int64_t *strides, int64_t n, const void *context);
void pg_iter_run(const pg_iter *iter, pg_loop *loop, const void *context);

#endif
