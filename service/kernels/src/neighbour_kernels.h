// What a neighbour search needs from one instruction set, and the table that each of them fills.
#pragma once

#include <cstdint>

namespace consilience {

enum class Similarity : int { cosine = 0, inner_product = 1, squared_l2 = 2 };

// How raw rows become the vectors y that are scanned: y = factor x - centre, both in float64.
struct RowTransform {
    int dim;
    const double* centre;  // (dim,), already in the scale of y
    double factor;         // 1 / |x| of the row for cosine, a power of two otherwise
};

// What was measured while a row was written as int16.
struct QuantisedRow {
    float scale;            // y is about scale * q
    double length;          // |y|
    double centre_product;  // <centre, factor x>
    double integer_length;  // |q|
    double residual;        // |y / scale - q|, in units of the scale
};

// One call of `scan`: groups of `tile_rows` rows against panels of `tile_columns` columns.
//
// The score of row i and column j is bounded from above by  w + column_offset[j]  with  w = (acc + margin) row_scale[i] column_scale[j],
// and symmetrically by  w + row_offset[i]  where j asks. A pair is a hit if the bound reaches the threshold of who asks.
// Thresholds only ever rise, and other threads raise them meanwhile: an old value lets too much through, never too little.
struct ScanBlock {
    const int32_t* rows;     // [group][pair][tile_rows], two int16 in each
    const int32_t* columns;  // [panel][pair][tile_columns]
    int pairs;
    int groups;
    int panels;
    int64_t first_row;
    int64_t first_column;
    int32_t margin;
    bool symmetric;  // row i and column j are items of one set: only j > i counts, and both ask
    const float* row_scale;
    const float* row_offset;
    const float* row_threshold;
    const float* column_scale;
    const float* column_offset;
    const float* column_threshold;
    void* context;
    // acc: [tile_rows][tile_columns] with the margin in it; bit c of row_hits[r]: row r wants column c; of column_hits[r]: the other way.
    void (*hit)(void* context, int64_t row, int64_t column, const int32_t* acc, const uint32_t* row_hits, const uint32_t* column_hits);
};

constexpr int max_tile_rows = 16;
constexpr int max_tile_columns = 32;

struct NeighbourKernels {
    const char* name;
    int tile_rows;
    int tile_columns;
    void (*scan)(const ScanBlock& block);
    // Writes dim/2 (rounded up) pairs at out[0], out[stride], ...; scratch holds dim doubles rounded up to a multiple of 8.
    QuantisedRow (*quantise)(const float* x, const RowTransform& transform, double* scratch, int32_t* out, int64_t stride);
    // The float64 sums of the definition of the score: 64 interleaved lanes, halved pairwise.
    double (*dot)(const float* a, const float* b, int dim);
    double (*squared_difference)(const float* a, const float* b, int dim);
};

// The largest |q|: products stay below 2^31 by Cauchy and Schwarz, with room for the margin.
constexpr double max_integer_length = 45900.0;
constexpr double max_integer = 32767.0;

const NeighbourKernels& portable_neighbour_kernels();
const NeighbourKernels& avx2_neighbour_kernels();
const NeighbourKernels& avx512_neighbour_kernels();
const NeighbourKernels& avx512_vnni_neighbour_kernels();

}  // namespace consilience
