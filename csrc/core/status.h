/* Failures: a status to return, and a message for people, kept per thread. */
#ifndef PG_STATUS_H
#define PG_STATUS_H

#include "pygrad.h"

/* Records the message and returns `status`, so that a function can end with `return pg_fail(...)`. */
__attribute__((format(printf, 2, 3))) pg_status pg_fail(pg_status status, const char *format, ...);

pg_status pg_no_memory(size_t bytes);

#define PG_LIKELY(x) __builtin_expect(!!(x), 1)
#define PG_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
