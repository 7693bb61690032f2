/* 64-bit ARM: 32 registers of 16 bytes. The generic kernels use the same instructions, on fewer registers. */
#ifdef __aarch64__
#include "kernels/isa_begin.h"

#define PG_ISA neon
#define PG_VECTOR_BYTES 16
#define PG_TILE_ROWS 8
#define PG_TILE_VECTORS 3
#define PG_DOT_ROWS 4
#define PG_DOT_DEPTH 4
#include "kernels/isa_body.h"
#else
typedef int pg_not_this_architecture;
#endif
