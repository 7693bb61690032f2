#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>

#ifndef PG_VERSION
#define PG_VERSION "unknown"
#endif

static _Thread_local char message[256] = "no failure";

const char *pg_message(void)
{
    return message;
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
    return status;
}

pg_status pg_no_memory(size_t bytes)
{
    return pg_fail(PG_NO_MEMORY, "out of memory: %zu bytes wanted", bytes);
}
