#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>

#ifndef PG_VERSION
#define PG_VERSION "unknown"
#endif

static _Thread_local char message[1024] = "no failure";
static _Thread_local pg_status failure = PG_OK;

const char *pg_message(void)
{
    return message;
}

pg_status pg_failure(void)
{
    return failure;
}

const char *pg_version(void)
{
    return PG_VERSION;
}

pg_status pg_fail(pg_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    failure = status;
    return status;
}

pg_status pg_no_memory(size_t bytes)
{
    return pg_fail(PG_NO_MEMORY, "out of memory: %zu bytes wanted", bytes);
}
