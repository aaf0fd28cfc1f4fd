// Overlaps of neighbour lists under many random pairings, from the lists alone.
#pragma once

#include <cstdint>

#include "list_kernels.h"

namespace consilience {

// Row i of p: the positions of 0..n-1 sorted by the first n draws of Philox 4x64-10 with the key (seed, first + i) and the counter at 0
// (Salmon et al. 2011): the permutation of core/permutation.py. Equal draws, about n^2 / 2^65 of them, go by position.
void draw_permutations(uint64_t seed, uint64_t first, int64_t count, int64_t n, int threads, int32_t* p);

// Whether all of them are in 0..n-1.
bool all_items(const int32_t* items, int64_t count, int64_t n);

// Sum over r of |X[r] n Y[r]|; -1 if any item is not in 0..n-1.
int64_t shared_items(const ListKernels& kernels, const int32_t* x, const int32_t* y, int64_t n, int k, int threads);

// totals[i] = sum over r of |X[p(r)] n p(Y[r])| for p = row i of the (count, n) permutations.
void permuted_shared_items(const ListKernels& kernels, const int32_t* x, const int32_t* y, int64_t n, int k, const int32_t* p, int64_t count,
                           int threads, int64_t* totals);

}  // namespace consilience
