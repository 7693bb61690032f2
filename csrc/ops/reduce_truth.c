/* any and all. */
#include "ops/reduce.h"

/* p[w]: whether one of the columns so far is (any) or is not (all) other than 0; FOUND finds such an element. */
#define REDUCER(name, T, FOUND, ANSWER) \
    static void add_##name(void *acc, const void *data, int64_t w, int64_t across, int64_t n, int64_t along) \
    { \
        enum { BLOCK = 256 }; \
        uint8_t *const found = acc; \
        const T *const x = data; \
        for (int64_t j = 0; j < w; j++) \
            for (int64_t i = 0; i < n && !found[j]; i += BLOCK) { \
                const int64_t end = n - i < BLOCK ? n : i + BLOCK; \
                uint8_t here = 0; \
                for (int64_t k = i; k < end; k++) \
                    here |= x[j * across + k * along] FOUND 0; \
                found[j] = here; \
            } \
    } \
    static void finish_##name(const void *acc, int64_t w, double divisor, void *out, int64_t *index) \
    { \
        (void)divisor, (void)index; \
        for (int64_t j = 0; j < w; j++) \
            ((uint8_t *)out)[j] = ((const uint8_t *)acc)[j] ANSWER; \
    } \
    static const pg_reducer name = {start, add_##name, finish_##name};

static void start(void *acc, int64_t w)
{
    memset(acc, 0, (size_t)w);
}

#define BOTH(suffix, T) REDUCER(any_##suffix, T, !=, ) REDUCER(all_##suffix, T, ==, == 0)
BOTH(u8, uint8_t)
BOTH(i32, int32_t)
BOTH(i64, int64_t)
BOTH(f32, float)
BOTH(f64, double)
#undef BOTH
#undef REDUCER

#define TABLE(name) \
    { \
        [PG_BOOL] = &name##_u8, [PG_UINT8] = &name##_u8, [PG_INT32] = &name##_i32, [PG_INT64] = &name##_i64, \
        [PG_FLOAT32] = &name##_f32, [PG_FLOAT64] = &name##_f64 \
    }
static const pg_reducer *const reducers[2][PG_DTYPES] = {TABLE(any), TABLE(all)};

static pg_tensor *truth(const char *op, bool of_all, pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    pg_reduction r;
    if (t == NULL || pg_reduction_of(op, t, n_dims, dims, keepdim, &r) != PG_OK)
        return NULL;
    pg_tensor *const out = pg_tensor_empty(t->dtype == PG_UINT8 ? PG_UINT8 : PG_BOOL, r.ndim, r.shape);
    if (out != NULL)
        pg_reduce_run(reducers[of_all][t->dtype], t, &r, 1.0, out, NULL);
    return out;
}

pg_tensor *pg_tensor_any(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    return truth("any", false, t, n_dims, dims, keepdim);
}

pg_tensor *pg_tensor_all(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim)
{
    return truth("all", true, t, n_dims, dims, keepdim);
}
