/* What the cffi extension exports of this folder. */
#ifndef PG_PYTHON_MODULE_H
#define PG_PYTHON_MODULE_H

#include <stdint.h>

/* A new reference to the module object that holds the `Value` type and the functions over lists of values, as a
 * PyObject *; NULL when there is no memory. Made once. `gc_head_bytes` is how many bytes Python puts before an object
 * that its garbage collector may track, as sys.getsizeof() tells. */
void *pg_python_module(int64_t gc_head_bytes);

#endif
