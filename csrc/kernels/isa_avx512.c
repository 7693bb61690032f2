/* x86 with AVX-512 (2017): 32 registers of 64 bytes, and masks. */
#if defined(__x86_64__) || defined(__i386__)
#include "kernels/isa_begin.h"

#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#endif

#define PG_ISA avx512
#define PG_VECTOR_BYTES 64
#define PG_TILE_ROWS 8
#define PG_TILE_VECTORS 3
#define PG_DOT_ROWS 4
#define PG_DOT_DEPTH 4

#define PG_MASK(count) ((1u << (count)) - 1)
#define PG_LOAD_PART_f32(from, count) _mm512_maskz_loadu_ps((__mmask16)PG_MASK(count), from)
#define PG_LOAD_PART_f64(from, count) _mm512_maskz_loadu_pd((__mmask8)PG_MASK(count), from)
#define PG_STORE_PART_f32(to, count, v) _mm512_mask_storeu_ps(to, (__mmask16)PG_MASK(count), v)
#define PG_STORE_PART_f64(to, count, v) _mm512_mask_storeu_pd(to, (__mmask8)PG_MASK(count), v)
#include "kernels/isa_body.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int pg_not_this_architecture;
#endif
