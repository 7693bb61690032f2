/* Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), whose constants are those of the
 * paper's table 2: from a counter and a key four words that look random. */
#ifndef PG_PHILOX_H
#define PG_PHILOX_H

#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 pg_uint128;

static inline uint64_t pg_multiply(uint64_t a, uint64_t b, uint64_t *high)
{
    const pg_uint128 product = (pg_uint128)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
}

static inline void pg_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4])
{
    uint64_t x[4], k[2] = {key[0], key[1]};
    memcpy(x, counter, sizeof x);
    for (int round = 0; round < 10; round++) {
        uint64_t high0, high2;
        const uint64_t low0 = pg_multiply(0xD2E7470EE14C6C93u, x[0], &high0);
        const uint64_t low2 = pg_multiply(0xCA5A826395121157u, x[2], &high2);
        x[0] = high2 ^ x[1] ^ k[0];
        x[1] = low2;
        x[2] = high0 ^ x[3] ^ k[1];
        x[3] = low0;
        k[0] += 0x9E3779B97F4A7C15u;
        k[1] += 0xBB67AE8584CAA73Bu;
    }
    memcpy(out, x, sizeof x);
}

#endif
