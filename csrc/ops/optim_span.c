/* Optimiser kernels over spans of float32 and float64, from one text. */
#include "ops/optim_span.h"

#include <math.h>
#include <stdbool.h>

#define REAL float
#define SQRT sqrtf
#define SPAN(name) name##_f32
#include "ops/optim_span_body.h"
#undef REAL
#undef SQRT
#undef SPAN

#define REAL double
#define SQRT sqrt
#define SPAN(name) name##_f64
#include "ops/optim_span_body.h"
