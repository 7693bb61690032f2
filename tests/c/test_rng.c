/* Random numbers: the words of Philox4x64-10, and the shapes of the two distributions.
 *
 * The statistics have fixed seeds and bounds of five standard errors. There are about forty: of 50,000 seeds of a sound
 * generator one would fail.
 */
#include "check.h"

enum { SAMPLES = 400000 };

static double sample[SAMPLES];

/* The vectors of Random123, file tests/kat_vectors, lines "philox4x64 10". */
static const struct {
    uint64_t counter[4], key[2], block[4];
} published[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
     {UINT64_MAX, UINT64_MAX},
     {0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}},
    {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
     {0x452821e638d01377, 0xbe5466cf34e90c6c},
     {0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}},
};

/* The generator counts up before it computes a block, so it starts one below. */
static void count_down(uint64_t counter[4])
{
    for (int i = 0; i < 4 && counter[i]-- == 0; i++)
        ;
}

static void test_blocks_are_the_published_ones(void)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        pg_rng rng = {.key = {published[i].key[0], published[i].key[1]}, .used = 4};
        memcpy(rng.counter, published[i].counter, sizeof rng.counter);
        count_down(rng.counter);
        for (int word = 0; word < 4; word++)
            CHECK_MESSAGE(pg_rng_bits(&rng) == published[i].block[word], "vector %zu, word %d", i, word);
    }
}

/* The first nine words of numpy.random.Philox(key=seed).random_raw(), numpy 2. */
static void test_streams_are_those_of_numpy(void)
{
    static const struct {
        uint64_t seed, words[9];
    } streams[] = {
        {0,
         {0x02f4ba6408e4d89b, 0x3dd62b0b9ca8c5b2, 0x1c8667a55d902e79, 0x907d7a052fd5b4dc, 0x809bf322883987c3,
          0x471128b9e807f7dd, 0xf250ba0dbec065b7, 0xfc6ed66767a457bc, 0x40fa86f0f781945d}},
        {1,
         {0x4db6a27b756282df, 0xd944fa03babe0e2f, 0x27f872e577060d32, 0x07f697696a0482a2, 0xe677fe4bbd0452ec,
          0x0d543dba56d1e799, 0xbebe12cad0eb4d9e, 0x3f0b4abd55f61f3d, 0x6883d8d6d20a1807}},
        {42,
         {0xd1f8817d4d62880e, 0x307266b65cc8797e, 0xde1f04e7f084ed03, 0x65034a8e78cd1e59, 0x5e3daa8961c3e3d3,
          0x6f37dea4a04bd05c, 0x31d3a1ae26e190b9, 0x0fef7fae0ab2a01a, 0xe075d4e361a857a3}},
        {UINT64_MAX,
         {0x3c2521c58dde5bfb, 0xb7a1ad5dae1306d7, 0x6942eae9fd2feb84, 0xb7552e878d1c26fe, 0x59a439c096c17b4e,
          0xc34ccc2492b8fcfe, 0x8537fbaa1803e440, 0x4e61296eee79ea30, 0x0e44bf11f5921414}},
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        pg_rng rng;
        pg_rng_seed(&rng, streams[i].seed);
        for (int word = 0; word < 9; word++)
            CHECK_MESSAGE(pg_rng_bits(&rng) == streams[i].words[word], "seed %" PRIu64 ", word %d", streams[i].seed,
                          word);
    }
}

static void test_the_counter_carries_over_all_words(void)
{
    pg_rng low = {.key = {3, 0}, .counter = {UINT64_MAX, UINT64_MAX, 7, 9}, .used = 4}, high = low;
    high.counter[0] = high.counter[1] = 0;
    high.counter[2] = 8;
    pg_rng_bits(&low);
    CHECK(low.counter[0] == 0 && low.counter[1] == 0 && low.counter[2] == 8 && low.counter[3] == 9);
    count_down(high.counter);
    pg_rng_bits(&high);
    CHECK(memcmp(low.block, high.block, sizeof low.block) == 0);
}

static void test_the_same_seed_gives_the_same_stream_in_any_portions(void)
{
    double one[100], other[100];
    for (uint64_t seed = 0; seed < 10; seed++) {
        pg_rng a, b;
        pg_rng_seed(&a, seed);
        pg_rng_seed(&b, seed);
        pg_rng_normal(&a, 1.0, 2.0, 100, one);
        for (int64_t i = 0; i < 100; i += 4)
            pg_rng_normal(&b, 1.0, 2.0, 4, other + i);
        CHECK(memcmp(one, other, sizeof one) == 0);
        pg_rng_uniform(&a, -1.0, 1.0, 100, one);
        for (int64_t i = 0; i < 100; i++)
            pg_rng_uniform(&b, -1.0, 1.0, 1, other + i);
        CHECK(memcmp(one, other, sizeof one) == 0);
        pg_rng_seed(&b, seed + 1);
        pg_rng_uniform(&b, -1.0, 1.0, 100, other);
        CHECK(memcmp(one, other, sizeof one) != 0);
    }
}

static double mean_of_power(double centre, int power)
{
    long double sum = 0;
    for (int64_t i = 0; i < SAMPLES; i++)
        sum += pow(sample[i] - centre, power);
    return (double)(sum / SAMPLES);
}

static double fraction_below(double bound)
{
    int64_t count = 0;
    for (int64_t i = 0; i < SAMPLES; i++)
        count += sample[i] < bound;
    return (double)count / SAMPLES;
}

static void test_uniform_fills_its_interval_evenly(void)
{
    pg_rng rng;
    pg_rng_seed(&rng, 2024);
    pg_rng_uniform(&rng, -2.0, 6.0, SAMPLES, sample);
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < SAMPLES; i++) {
        least = fmin(least, sample[i]);
        most = fmax(most, sample[i]);
    }
    CHECK(least >= -2.0 && most < 6.0);
    CHECK(least < -2.0 + 8e-4 && most > 6.0 - 8e-4); /* missed by all samples with a probability of e^-40 */
    const double error = 1 / sqrt(SAMPLES);
    CHECK_NEAR(mean_of_power(0.0, 1), 2.0, 5 * 8 / sqrt(12.0) * error);
    CHECK_NEAR(mean_of_power(2.0, 2), 64.0 / 12, 5 * 64 / sqrt(180.0) * error);
    for (int tenth = 1; tenth < 10; tenth++)
        CHECK_NEAR(fraction_below(-2.0 + 0.8 * tenth), 0.1 * tenth, 5 * 0.5 * error);
    pg_rng_uniform(&rng, 3.0, 3.0, 10, sample);
    CHECK_SAME(sample[9], 3.0);
}

static void test_normal_has_the_moments_and_tails_of_a_normal(void)
{
    pg_rng rng;
    pg_rng_seed(&rng, 2025);
    pg_rng_normal(&rng, 0.0, 1.0, SAMPLES, sample);
    const double error = 1 / sqrt(SAMPLES);
    CHECK_NEAR(mean_of_power(0.0, 1), 0.0, 5 * error);
    CHECK_NEAR(mean_of_power(0.0, 2), 1.0, 5 * sqrt(2.0) * error);
    CHECK_NEAR(mean_of_power(0.0, 3), 0.0, 5 * sqrt(15.0) * error);
    CHECK_NEAR(mean_of_power(0.0, 4), 3.0, 5 * sqrt(96.0) * error);
    for (double x = -4.0; x <= 4.0; x += 0.5) {
        const double p = erfc(-x / sqrt(2.0)) / 2;
        CHECK_NEAR(fraction_below(x), p, 5 * sqrt(p * (1 - p)) * error + 1.0 / SAMPLES);
    }
    for (int64_t i = 0; i < SAMPLES; i++)
        CHECK(fabs(sample[i]) < 9.0); /* 53 bits reach 8.57 */

    pg_rng_seed(&rng, 2025);
    double scaled[8];
    pg_rng_normal(&rng, 10.0, 0.5, 8, scaled);
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(scaled[i], 10.0 + 0.5 * sample[i], 2e-15);
}

/* What pg_rng_normal promises of each draw, so that other languages can draw the same. */
static void test_normal_is_the_cosine_half_of_box_and_muller(void)
{
    pg_rng rng, raw;
    pg_rng_seed(&rng, 5);
    pg_rng_seed(&raw, 5);
    for (int i = 0; i < 1000; i++) {
        double z;
        pg_rng_normal(&rng, 0.0, 1.0, 1, &z);
        const double u = (double)(pg_rng_bits(&raw) >> 11) / 9007199254740992.0;
        const double v = (double)(pg_rng_bits(&raw) >> 11) / 9007199254740992.0;
        CHECK_NEAR(z, sqrt(-2.0 * log1p(-u)) * cos(2.0 * acos(-1.0) * v), 1e-14);
    }
}

int main(void)
{
    test_blocks_are_the_published_ones();
    test_streams_are_those_of_numpy();
    test_the_counter_carries_over_all_words();
    test_the_same_seed_gives_the_same_stream_in_any_portions();
    test_uniform_fills_its_interval_evenly();
    test_normal_has_the_moments_and_tails_of_a_normal();
    test_normal_is_the_cosine_half_of_box_and_muller();
    return check_report("rng");
}
