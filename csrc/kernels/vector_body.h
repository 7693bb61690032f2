/* Vectors of REAL, one register wide: what the kernels of isa_body.h are written in. Arithmetic on them is C's own
 * operators, element by element, by GCC's and clang's vector types. */

#undef LANES
#define LANES (PG_VECTOR_BYTES / REAL_BYTES)

typedef REAL NAME(vec) __attribute__((vector_size(PG_VECTOR_BYTES)));
/* Somewhere in an array: aligned as its elements are. */
typedef REAL NAME(vec_at) __attribute__((vector_size(PG_VECTOR_BYTES), aligned(REAL_BYTES), may_alias));

PG_INLINE NAME(vec) NAME(load)(const REAL *from)
{
    return *(const NAME(vec_at) *)from;
}

PG_INLINE void NAME(store)(REAL *to, NAME(vec) v)
{
    *(NAME(vec_at) *)to = v;
}

/* from[count], 0 <= count <= LANES; the other lanes are 0, and the memory of theirs is not touched. */
PG_INLINE NAME(vec) NAME(load_part)(const REAL *from, int64_t count)
{
#ifdef PG_LOAD_PART_f32
    return NAME(PG_LOAD_PART)(from, count);
#else
    NAME(vec) v = {0};
    for (int i = 0; i < LANES; i++)
        if (i < count)
            v[i] = from[i];
    return v;
#endif
}

/* to[count] = the first lanes of v, 0 <= count <= LANES. */
PG_INLINE void NAME(store_part)(REAL *to, int64_t count, NAME(vec) v)
{
#ifdef PG_STORE_PART_f32
    NAME(PG_STORE_PART)(to, count, v);
#else
    for (int i = 0; i < LANES; i++)
        if (i < count)
            to[i] = v[i];
#endif
}

/* The lanes of the first halves in turn, x0 y0 x1 y1...; and of the second halves. */
#undef PG_SHUFFLE
#if defined(__clang__)
#define PG_SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#if REAL_BYTES == 4
typedef int32_t NAME(lane_numbers) __attribute__((vector_size(PG_VECTOR_BYTES)));
#else
typedef int64_t NAME(lane_numbers) __attribute__((vector_size(PG_VECTOR_BYTES)));
#endif
#define PG_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (NAME(lane_numbers)){__VA_ARGS__})
#endif

#undef PG_FIRST_HALVES
#undef PG_SECOND_HALVES
#if LANES == 16
#define PG_FIRST_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define PG_SECOND_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif LANES == 8
#define PG_FIRST_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define PG_SECOND_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#elif LANES == 4
#define PG_FIRST_HALVES 0, 4, 1, 5
#define PG_SECOND_HALVES 2, 6, 3, 7
#else
#define PG_FIRST_HALVES 0, 2
#define PG_SECOND_HALVES 1, 3
#endif

PG_INLINE NAME(vec) NAME(mix_first)(NAME(vec) x, NAME(vec) y)
{
    return PG_SHUFFLE(x, y, PG_FIRST_HALVES);
}

PG_INLINE NAME(vec) NAME(mix_second)(NAME(vec) x, NAME(vec) y)
{
    return PG_SHUFFLE(x, y, PG_SECOND_HALVES);
}

/* Turns rows[LANES] into columns, in place. Mixing row i with row i + LANES/2 for every i, and laying the results in
 * order, rotates the bits of an element's place (row bits, then lane bits) by one; after as many rounds as a lane
 * number has bits, rows and lanes have changed places. */
PG_INLINE void NAME(transpose_round)(NAME(vec) * rows)
{
    NAME(vec) mixed[LANES];
    PG_UNROLL
    for (int i = 0; i < LANES / 2; i++) {
        mixed[2 * i] = NAME(mix_first)(rows[i], rows[i + LANES / 2]);
        mixed[2 * i + 1] = NAME(mix_second)(rows[i], rows[i + LANES / 2]);
    }
    PG_UNROLL
    for (int i = 0; i < LANES; i++)
        rows[i] = mixed[i];
}

PG_INLINE void NAME(transpose)(NAME(vec) * rows)
{
    NAME(transpose_round)(rows);
    if (LANES > 2)
        NAME(transpose_round)(rows);
    if (LANES > 4)
        NAME(transpose_round)(rows);
    if (LANES > 8)
        NAME(transpose_round)(rows);
}

/* Lane i of the result is the sum of the lanes of rows[i], i < LANES; rows is spoilt. The rounds of transpose, with the
 * two halves of each result added at once. */
PG_INLINE void NAME(sum_round)(NAME(vec) * rows, const int half)
{
    PG_UNROLL
    for (int i = 0; i < half; i++)
        rows[i] = NAME(mix_first)(rows[i], rows[i + half]) + NAME(mix_second)(rows[i], rows[i + half]);
}

PG_INLINE NAME(vec) NAME(sum_lanes)(NAME(vec) * rows)
{
    if (LANES > 8)
        NAME(sum_round)(rows, 8);
    if (LANES > 4)
        NAME(sum_round)(rows, 4);
    if (LANES > 2)
        NAME(sum_round)(rows, 2);
    NAME(sum_round)(rows, 1);
    return rows[0];
}
