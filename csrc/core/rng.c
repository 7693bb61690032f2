/* Philox4x64-10. The constants are those of the paper's table 2. */
#include "core/exact.h"

#include "pygrad.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

static inline uint64_t multiply(uint64_t a, uint64_t b, uint64_t *high)
{
    uint128 product = (uint128)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
}

static void philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4])
{
    uint64_t x[4], k[2] = {key[0], key[1]};
    memcpy(x, counter, sizeof x);
    for (int round = 0; round < 10; round++) {
        uint64_t high0, high2;
        uint64_t low0 = multiply(0xD2E7470EE14C6C93u, x[0], &high0);
        uint64_t low2 = multiply(0xCA5A826395121157u, x[2], &high2);
        x[0] = high2 ^ x[1] ^ k[0];
        x[1] = low2;
        x[2] = high0 ^ x[3] ^ k[1];
        x[3] = low0;
        k[0] += 0x9E3779B97F4A7C15u;
        k[1] += 0xBB67AE8584CAA73Bu;
    }
    memcpy(out, x, sizeof x);
}

void pg_rng_seed(pg_rng *rng, uint64_t seed)
{
    *rng = (pg_rng){.key = {seed, 0}, .used = 4};
}

uint64_t pg_rng_bits(pg_rng *rng)
{
    if (rng->used == 4) {
        for (int i = 0; i < 4 && ++rng->counter[i] == 0; i++)
            ;
        philox(rng->counter, rng->key, rng->block);
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
