/* What every processor of the architecture has: SSE2 on x86-64. */
#include "kernels/isa_begin.h"

#define PG_ISA generic
#define PG_VECTOR_BYTES 16
#define PG_TILE_ROWS 4
#define PG_TILE_VECTORS 2
#define PG_DOT_ROWS 2
#define PG_DOT_DEPTH 4
#include "kernels/isa_body.h"
