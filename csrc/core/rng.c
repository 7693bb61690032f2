/* Streams of random numbers, one at a time. */
#include "core/exact.h"

#include "pygrad.h"

#include "core/philox.h"

#include <math.h>

void pg_rng_seed(pg_rng *rng, uint64_t seed)
{
    *rng = (pg_rng){.key = {seed, 0}, .used = 4};
}

uint64_t pg_rng_bits(pg_rng *rng)
{
    if (rng->used == 4) {
        for (int i = 0; i < 4 && ++rng->counter[i] == 0; i++)
            ;
        pg_philox(rng->counter, rng->key, rng->block);
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

/* On [0, 1): the 53 high bits. */
static double unit(pg_rng *rng)
{
    return (double)(pg_rng_bits(rng) >> 11) * 0x1p-53;
}

void pg_rng_uniform(pg_rng *rng, double low, double high, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = low + (high - low) * unit(rng);
}

void pg_rng_normal(pg_rng *rng, double mean, double std, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        double radius = sqrt(-2.0 * log(1.0 - unit(rng)));
        out[i] = mean + std * (radius * cos(6.283185307179586476925 * unit(rng)));
    }
}
