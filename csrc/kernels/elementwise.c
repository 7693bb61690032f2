#include "core/exact.h"

#include "kernels/elementwise.h"

#include <math.h>

/* An output may be an input, element by element, but never overlaps one in another way: callers see to that. */
#if defined(__clang__)
#define PG_INDEPENDENT /* clang finds out at run time, and takes a promise that it cannot use for an error */
#else
#define PG_INDEPENDENT _Pragma("GCC ivdep")
#endif

#define REAL float
#define LIBM(name) name##f
#define NAMED(x) x##_f32
#include "kernels/elementwise_body.h"

#define REAL double
#define LIBM(name) name
#define NAMED(x) x##_f64
#include "kernels/elementwise_body.h"
