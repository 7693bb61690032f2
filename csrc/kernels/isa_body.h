/* The kernels of one instruction set and their table. Included once by each isa_*.c, inside the pragma that switches
 * the instructions on, after isa_begin.h, and after these were defined:
 *
 *     PG_ISA              the set's name, as in pg_kernels_<name>
 *     PG_VECTOR_BYTES     the width of a register: 16, 32 or 64
 *     PG_TILE_ROWS (4 or 8), PG_TILE_VECTORS (2 or 3)    the largest tile of matmul_tile.h, which has to leave
 *                         registers for a row of b and an element of a
 *     PG_DOT_ROWS (2 or 4), PG_DOT_DEPTH    the same for matmul_dot.h, and from what k / rows on it serves
 *     PG_LOAD_PART_f32, _f64, PG_STORE_PART_f32, _f64    masked access where the set has it: see vector_body.h
 */
#define PG_JOIN_(a, b) a##b
#define PG_JOIN(a, b) PG_JOIN_(a, b)
#define PG_TEXT_(a) #a
#define PG_TEXT(a) PG_TEXT_(a)
/* Vectors are handed on in registers only between functions that become one. */
#define PG_INLINE static inline __attribute__((always_inline))

/* Before a loop that has to unroll whole, so that the arrays it runs over are registers. */
#ifdef __clang__
#define PG_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PG_UNROLL _Pragma("GCC unroll 16")
#endif

#define REAL float
#define REAL_BYTES 4
#define NAME(name) name##_f32
#include "kernels/vector_body.h"
#include "kernels/matmul_pack.h"
#include "kernels/matmul_tile.h"
#include "kernels/matmul_dot.h"
#include "kernels/matmul_body.h"
#undef REAL
#undef REAL_BYTES
#undef NAME

#define REAL double
#define REAL_BYTES 8
#define NAME(name) name##_f64
#include "kernels/vector_body.h"
#include "kernels/matmul_pack.h"
#include "kernels/matmul_tile.h"
#include "kernels/matmul_dot.h"
#include "kernels/matmul_body.h"
#undef REAL
#undef REAL_BYTES
#undef NAME

extern const pg_kernels PG_JOIN(pg_kernels_, PG_ISA);
const pg_kernels PG_JOIN(pg_kernels_, PG_ISA) = {
    .name = PG_TEXT(PG_ISA),
#define PG_KERNEL(type, name, parameters) .name = name,
#include "kernels/kernels.def"
#undef PG_KERNEL
};
