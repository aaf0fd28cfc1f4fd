// A set of vectors as the neighbour search scans it: int16 in panels, and the proven bounds that go with them.
//
// Every similarity becomes one inner product. With y = (factor x - c) (factor 1/|x| for cosine, 2^-E otherwise; c a centre of the set),
//
//     T(i, j) = <y_i, y_j> + p_i + p_j        p = <c, factor x> - |c|^2/2  (cosine, inner product),  -|y|^2/2  (squared L2)
//
// is the cosine, the inner product times 4^-E, or half the negative squared distance times 4^-E. A bias b of the gallery makes p_j smaller
// by `unit` b_j. A row asks with T - p_i, which ranks the same.
//
// Bound. y = s (q + r) with q int16 and s a float32 scale; R is the largest |r| and N the largest |q| of the set. Integer sums are exact
// (|q_i| |q_j| < 2^31 by Cauchy and Schwarz, so wrapping on the way does no harm). Hence
//
//     |<y_i, y_j> - s_i s_j <q_i, q_j>| <= s_i s_j (R_i (N_j + R_j) + N_i R_j)
//
// `margin`, the integer that the sums start with, is this rounded up, plus 2^-21 N_i N_j for the float32 roundings of the conversion, of two
// multiplications by scales and of their share in the last addition. `slack` of an item, added to its p, covers the rest: 2^-21 |p| for
// that addition and the rounding of p, dim 2^-50 (C + 1) (C + |y| + 1) with C = |c| for the float64 roundings of the score itself, of y
// and of p, and 2^-90 for what float32 may flush to zero. So the float32 value of s_i s_j (sum + margin) + p_j + slack_j is never below
// T - p_i, and never more than 2 s_i s_j margin + 2 slack_j above.
//
// That is the T of real numbers; ranks go by the float64 score, which rounds. What an item i that asks sees of this beyond the slack of j is
// at most its `rounding`, 2^-44 |p_i| + dim 2^-50 (C + 1) (C + |y_i| + 1): thresholds are lower by it, lower bounds by twice as much.
//
// A vector that float32 scales cannot hold beside the others (|y| or |p| beyond 2^59), or that is tiny (below 2^-44 of the unit and not
// zero), is `outside`: it is proposed to every row, by an offset of 2^100, and asks nothing itself: whoever searches does its row anew.
#pragma once

#include <cstdint>
#include <memory>

#include "neighbour_kernels.h"

namespace consilience {

constexpr float outside_offset = 0x1p100f;

// Memory on cache lines, not initialised.
template <class T>
class Aligned {
  public:
    Aligned() = default;
    explicit Aligned(int64_t count);
    T* get() const { return data_.get(); }
    T& operator[](int64_t index) const { return data_.get()[index]; }

  private:
    struct Free {
        void operator()(T* data) const;
    };
    std::unique_ptr<T, Free> data_;
};

extern template class Aligned<int32_t>;
extern template class Aligned<float>;
extern template class Aligned<double>;

class ScanCopy {
  public:
    // centre: (dim,) in the scale of y. exponent: E, 0 for cosine. unit: what T grows by when what ranks grows by one.
    ScanCopy(const NeighbourKernels& kernels, int64_t count, int dim, Similarity similarity, const double* centre, int exponent, double unit);

    // Reads rows [start, start + rows) from x (their first one) and bias (likewise, or null). start is a multiple of `columns()`.
    // Rows may be filled in any order, each once, before the copy is used; `finish` ends it.
    void fill(const float* x, const double* bias, int64_t start, int64_t rows, int threads);
    void finish();

    int64_t count() const { return count_; }
    int64_t padded() const { return padded_; }
    int dim() const { return dim_; }
    int pairs() const { return pairs_; }
    Similarity similarity() const { return similarity_; }
    double unit() const { return unit_; }
    double largest_integer_length() const { return largest_integer_length_; }
    double largest_residual() const { return largest_residual_; }
    double largest_scale() const { return largest_scale_; }
    double largest_slack() const { return largest_slack_; }
    double largest_rounding() const { return largest_rounding_; }
    const NeighbourKernels& kernels() const { return kernels_; }
    const int32_t* panel(int64_t index) const { return panels_.get() + index * pairs_ * kernels_.tile_columns; }
    const float* scale() const { return scale_.get(); }
    const float* offset() const { return offset_.get(); }
    const float* slack() const { return slack_.get(); }
    const float* rounding() const { return rounding_.get(); }
    const double* norm() const { return norm_.get(); }
    bool outside(int64_t row) const { return offset_[row] == outside_offset; }
    double exact_offset(int64_t row) const { return exact_offset_[row]; }
    int64_t bytes() const;

  private:
    void fill_panels(const float* x, const double* bias, int64_t start, int64_t first, int64_t last);

    const NeighbourKernels& kernels_;
    int64_t count_, padded_;
    int dim_, pairs_;
    Similarity similarity_;
    int exponent_;
    double unit_, centre_square_ = 0.0;
    Aligned<double> centre_;
    Aligned<int32_t> panels_;
    Aligned<float> scale_, offset_, slack_, rounding_, residual_, integer_length_;
    Aligned<double> norm_, exact_offset_;
    double largest_integer_length_ = 0.0, largest_residual_ = 0.0, largest_scale_ = 0.0, largest_slack_ = 0.0, largest_rounding_ = 0.0;
};

// What sums start with when rows of `a` ask columns of `b`.
int32_t scan_margin(const ScanCopy& a, const ScanCopy& b);

}  // namespace consilience
