/* What the C tests share: checks that say where they failed and go on, and the line at the end.
 *
 *     int main(void)
 *     {
 *         CHECK(1 + 1 == 2);
 *         return check_report("arithmetic");
 *     }
 */
#ifndef CHECK_H
#define CHECK_H

#include "pygrad.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* True when the library under test, and with it this program, is slowed down tenfold or more. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(PG_NO_CACHE)
#define CHECK_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define CHECK_SLOW 1
#endif
#endif
#ifndef CHECK_SLOW
#define CHECK_SLOW 0
#endif

enum { CHECK_SHOWN = 20 }; /* failures beyond these are counted only */

static int64_t check_count, check_failures;

/* Counts a check; true when it failed and is to be described. */
static inline bool check_failed(bool passed, const char *file, int line)
{
    check_count++;
    if (passed)
        return false;
    if (++check_failures > CHECK_SHOWN)
        return false;
    fprintf(stderr, "%s:%d: ", file, line);
    return true;
}

/* The same number: 0 and -0 differ, nan is nan. */
static inline bool check_same(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b && signbit(a) == signbit(b);
}

static inline bool check_near(double a, double b, double tolerance)
{
    return check_same(a, b) || fabs(a - b) <= tolerance;
}

/* `what` names the case in a loop; printf's format and arguments. */
#define CHECK_MESSAGE(condition, ...) \
    do { \
        if (check_failed((condition), __FILE__, __LINE__)) { \
            fprintf(stderr, "not so: %s: ", #condition); \
            fprintf(stderr, __VA_ARGS__); \
            fputc('\n', stderr); \
        } \
    } while (0)

#define CHECK(condition) \
    do { \
        if (check_failed((condition), __FILE__, __LINE__)) \
            fprintf(stderr, "not so: %s\n", #condition); \
    } while (0)

#define CHECK_SAME(actual, wanted) \
    do { \
        const double actual_ = (actual), wanted_ = (wanted); \
        if (check_failed(check_same(actual_, wanted_), __FILE__, __LINE__)) \
            fprintf(stderr, "%s is %.17g, not %.17g\n", #actual, actual_, wanted_); \
    } while (0)

#define CHECK_NEAR(actual, wanted, tolerance) \
    do { \
        const double actual_ = (actual), wanted_ = (wanted), tolerance_ = (tolerance); \
        if (check_failed(check_near(actual_, wanted_, tolerance_), __FILE__, __LINE__)) \
            fprintf(stderr, "%s is %.17g, not %.17g within %.3g\n", #actual, actual_, wanted_, tolerance_); \
    } while (0)

/* For main to return. */
static inline int check_report(const char *topic)
{
    printf("%s: %" PRId64 " checks, %" PRId64 " failed\n", topic, check_count, check_failures);
    return check_failures > 0;
}

#endif
