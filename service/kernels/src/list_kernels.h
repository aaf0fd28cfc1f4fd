// Overlaps of neighbour lists, and of lists of randomly paired items.
//
// Lists are (n, k) int32 arrays of items of 0..n-1, none twice in a row, in any order.
#pragma once

#include <cstdint>

namespace consilience {

// Lists of up to this many items are compared all with all, in registers.
constexpr int short_list = 16;

// Permutations that are counted together: one look-up of an item serves all of them.
constexpr int together = 16;

struct ListKernels {
    const char* name;
    // Sum over the rows r in [first, last) of |X[r] n Y[r]| for lists of at most short_list items. Reads short_list items from the
    // start of each list of x, so something must lie behind the last.
    int64_t (*shared)(const int32_t* x, const int32_t* y, int k, int64_t first, int64_t last);
    // totals[i] = the sum over the rows r in [0, n) of |X[p(r)] n p(Y[r])| for such lists and p = row i of the (count, n) permutations,
    // 1 <= count <= together. `halves` holds the lower 16 bits of each list of x in short_list places, the first item again in those
    // behind the list: half the memory to visit in random order. Where none of them is met, which is nearly always, the lists
    // themselves are not looked at. `images` is scratch for n * together lower halves: what every permutation makes of an item.
    void (*shared_permuted)(const int32_t* x, const uint16_t* halves, const int32_t* y, int64_t n, int k, const int32_t* p, int count,
                            uint16_t* images, int64_t* totals);
};

const ListKernels& portable_list_kernels();
const ListKernels& avx2_list_kernels();
const ListKernels& avx512_list_kernels();

}  // namespace consilience
