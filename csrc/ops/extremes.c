#include "ops/extremes.h"

#include <math.h>
#include <stdlib.h>

#define BEYOND(x, y) ((x) > (y))

#define T uint8_t
#define NAME(f) f##_max_u8
#define WORST 0
#define IS_NAN(x) false
#include "ops/reduce_extreme_body.h"

#define T int32_t
#define NAME(f) f##_max_i32
#define WORST INT32_MIN
#define IS_NAN(x) false
#include "ops/reduce_extreme_body.h"

#define T int64_t
#define NAME(f) f##_max_i64
#define WORST INT64_MIN
#define IS_NAN(x) false
#include "ops/reduce_extreme_body.h"

#define T float
#define NAME(f) f##_max_f32
#define WORST -INFINITY
#define IS_NAN(x) isnan(x)
#include "ops/reduce_extreme_body.h"

#define T double
#define NAME(f) f##_max_f64
#define WORST -INFINITY
#define IS_NAN(x) isnan(x)
#include "ops/reduce_extreme_body.h"

#undef BEYOND
#define BEYOND(x, y) ((x) < (y))

#define T uint8_t
#define NAME(f) f##_min_u8
#define WORST UINT8_MAX
#define IS_NAN(x) false
#include "ops/reduce_extreme_body.h"

#define T int32_t
#define NAME(f) f##_min_i32
#define WORST INT32_MAX
#define IS_NAN(x) false
#include "ops/reduce_extreme_body.h"

#define T int64_t
#define NAME(f) f##_min_i64
#define WORST INT64_MAX
#define IS_NAN(x) false
#include "ops/reduce_extreme_body.h"

#define T float
#define NAME(f) f##_min_f32
#define WORST INFINITY
#define IS_NAN(x) isnan(x)
#include "ops/reduce_extreme_body.h"

#define T double
#define NAME(f) f##_min_f64
#define WORST INFINITY
#define IS_NAN(x) isnan(x)
#include "ops/reduce_extreme_body.h"

#define TABLE(kind, end) \
    { \
        [PG_BOOL] = &kind##_##end##_u8, [PG_UINT8] = &kind##_##end##_u8, [PG_INT32] = &kind##_##end##_i32, \
        [PG_INT64] = &kind##_##end##_i64, [PG_FLOAT32] = &kind##_##end##_f32, [PG_FLOAT64] = &kind##_##end##_f64 \
    }

const pg_reducer *const pg_extreme_reducers[2][PG_DTYPES] = {TABLE(extreme, max), TABLE(extreme, min)};
const pg_reducer *const pg_place_reducers[2][PG_DTYPES] = {TABLE(place, max), TABLE(place, min)};
