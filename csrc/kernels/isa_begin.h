/* What the kernels need of the world outside. It stands before the pragmas that switch instructions on, so that nothing
 * of other headers is compiled for a processor that may not be here. */
#include "core/buffer.h"
#include "kernels/dispatch.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
