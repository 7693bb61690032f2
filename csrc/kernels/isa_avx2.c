/* x86 since 2013: 16 registers of 32 bytes, and fused multiply-add. */
#if defined(__x86_64__) || defined(__i386__)
#include "kernels/isa_begin.h"

#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define PG_ISA avx2
#define PG_VECTOR_BYTES 32
#define PG_TILE_ROWS 4
#define PG_TILE_VECTORS 3
#define PG_DOT_ROWS 2
#define PG_DOT_DEPTH 16

/* All ones in the first `count` lanes. */
#define PG_MASK_32(count) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define PG_MASK_64(count) _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))
#define PG_LOAD_PART_f32(from, count) _mm256_maskload_ps(from, PG_MASK_32(count))
#define PG_LOAD_PART_f64(from, count) _mm256_maskload_pd(from, PG_MASK_64(count))
#define PG_STORE_PART_f32(to, count, v) _mm256_maskstore_ps(to, PG_MASK_32(count), v)
#define PG_STORE_PART_f64(to, count, v) _mm256_maskstore_pd(to, PG_MASK_64(count), v)
#include "kernels/isa_body.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int pg_not_this_architecture;
#endif
