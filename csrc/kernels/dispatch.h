/* One table of kernels per instruction set, and which of them is in use.
 *
 *     pg_kernels_in_use()->matmul_f32(&job);
 *
 * The best set that the processor has is chosen at the first use; PYGRAD_ISA in the environment (generic, avx2, avx512,
 * neon) asks for another. A name that is unknown, or of a set that is not here, would end the process at its first
 * kernel if it were obeyed, and is no reason to refuse work: the best set is used, and pg_isa_complaint says so. */
#ifndef PG_DISPATCH_H
#define PG_DISPATCH_H

#include "kernels/matmul.h"
#include "pygrad.h"

#include <stdatomic.h>

typedef struct {
    const char *name;
#define PG_KERNEL(type, name, parameters) type(*name) parameters;
#include "kernels/kernels.def"
#undef PG_KERNEL
} pg_kernels;

/* NULL before the first use. */
extern const pg_kernels *_Atomic pg_kernels_chosen;

const pg_kernels *pg_kernels_choose(void);

static inline const pg_kernels *pg_kernels_in_use(void)
{
    const pg_kernels *kernels = atomic_load_explicit(&pg_kernels_chosen, memory_order_acquire);
    return kernels != NULL ? kernels : pg_kernels_choose();
}

#endif
