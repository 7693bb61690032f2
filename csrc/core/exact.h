/* To be included before anything else where results have to be the same on every machine: no a*b + c is computed with
 * one rounding where the text has two. (clang and gcc do that wherever the instruction exists: on arm64, not on the
 * x86-64 that wheels are built for.) */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__FP_FAST_FMA)
#pragma GCC optimize("fp-contract=off")
#endif
