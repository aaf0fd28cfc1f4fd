#include "scan_copy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "team.h"

namespace consilience {

namespace {

constexpr std::align_val_t line{64};
constexpr double largest_value = 0x1p59, smallest_length = 0x1p-44;

float rounded_up(double value) {
    const float near = static_cast<float>(value);
    return static_cast<double>(near) < value ? std::nextafter(near, std::numeric_limits<float>::infinity()) : near;
}

}  // namespace

template <class T>
Aligned<T>::Aligned(int64_t count) : data_(static_cast<T*>(::operator new(sizeof(T) * static_cast<size_t>(count), line))) {}

template <class T>
void Aligned<T>::Free::operator()(T* data) const {
    ::operator delete(data, line);
}

template class Aligned<int32_t>;
template class Aligned<float>;
template class Aligned<double>;

ScanCopy::ScanCopy(const NeighbourKernels& kernels, int64_t count, int dim, Similarity similarity, const double* centre, int exponent,
                   double unit)
    : kernels_(kernels),
      count_(count),
      padded_((count + kernels.tile_columns - 1) / kernels.tile_columns * kernels.tile_columns),
      dim_(dim),
      pairs_((dim + 1) / 2),
      similarity_(similarity),
      exponent_(exponent),
      unit_(unit),
      centre_((dim + 7) / 8 * 8),
      panels_(padded_ * pairs_),
      // Register tiles of rows may reach beyond the last panel.
      scale_(padded_ + max_tile_rows),
      offset_(padded_ + max_tile_rows),
      slack_(padded_ + max_tile_rows),
      rounding_(padded_),
      residual_(padded_),
      integer_length_(padded_),
      norm_(padded_),
      exact_offset_(padded_) {
    for (int at = 0; at < dim; ++at) {
        centre_[at] = centre[at];
        centre_square_ += centre[at] * centre[at];
    }
    for (int64_t row = count; row < padded_ + max_tile_rows; ++row) {
        scale_[row] = 0.0f;
        offset_[row] = -std::numeric_limits<float>::infinity();
        slack_[row] = 0.0f;
    }
}

void ScanCopy::fill(const float* x, const double* bias, int64_t start, int64_t rows, int threads) {
    const int64_t columns = kernels_.tile_columns;
    const int64_t panels = (rows + columns - 1) / columns;
    share_out(panels, 4, threads, [&](int64_t first, int64_t last) {
        fill_panels(x, bias, start, start + first * columns, std::min(start + rows, start + last * columns));
    });
}

void ScanCopy::fill_panels(const float* x, const double* bias, int64_t start, int64_t first, int64_t last) {
    const int64_t columns = kernels_.tile_columns;
    const Aligned<double> scratch((dim_ + 7) / 8 * 8);
    const double centre_length = std::sqrt(centre_square_);
    for (int64_t row = first; row < last; ++row) {
        const float* from = x + (row - start) * dim_;
        norm_[row] = std::sqrt(kernels_.dot(from, from, dim_));
        const double factor = similarity_ == Similarity::cosine ? 1.0 / norm_[row] : std::ldexp(1.0, -exponent_);
        int32_t* out = panels_.get() + (row / columns * pairs_) * columns + row % columns;
        const QuantisedRow found = kernels_.quantise(from, {dim_, centre_.get(), factor}, scratch.get(), out, columns);
        double offset = similarity_ == Similarity::squared_l2 ? -0.5 * found.length * found.length : found.centre_product - 0.5 * centre_square_;
        const double own = std::abs(offset);
        if (bias != nullptr) offset -= unit_ * bias[row - start];
        const double roundings = 0x1p-50 * dim_ * (centre_length + 1.0) * (centre_length + found.length + 1.0);
        const double slack = 0x1p-21 * (std::abs(offset) + own) + roundings + 0x1p-90;
        const bool beyond = !(found.length < largest_value) || !(std::abs(offset) < largest_value) || !(slack < largest_value) ||
                            (found.length < smallest_length && found.length > 0.0);
        exact_offset_[row] = offset;
        rounding_[row] = beyond ? 0.0f : rounded_up(0x1p-44 * own + roundings);
        scale_[row] = beyond ? 0.0f : found.scale;
        slack_[row] = beyond ? 0.0f : rounded_up(slack);
        offset_[row] = beyond ? outside_offset : rounded_up(offset + static_cast<double>(slack_[row]));
        residual_[row] = beyond ? 0.0f : rounded_up(found.residual);
        integer_length_[row] = beyond ? 0.0f : rounded_up(found.integer_length);
        if (beyond)
            for (int pair = 0; pair < pairs_; ++pair) out[pair * columns] = 0;
    }
    // The last panel is whole, with zeros for the items that are not there.
    if (last == count_)
        for (int64_t row = count_; row < padded_; ++row)
            for (int pair = 0; pair < pairs_; ++pair) panels_[(row / columns * pairs_ + pair) * columns + row % columns] = 0;
}

void ScanCopy::finish() {
    for (int64_t row = 0; row < count_; ++row) {
        largest_integer_length_ = std::max(largest_integer_length_, static_cast<double>(integer_length_[row]));
        largest_residual_ = std::max(largest_residual_, static_cast<double>(residual_[row]));
        largest_scale_ = std::max(largest_scale_, static_cast<double>(scale_[row]));
        largest_slack_ = std::max(largest_slack_, static_cast<double>(slack_[row]));
        largest_rounding_ = std::max(largest_rounding_, static_cast<double>(rounding_[row]));
    }
    residual_ = Aligned<float>();
    integer_length_ = Aligned<float>();
}

int64_t ScanCopy::bytes() const { return padded_ * (4 * static_cast<int64_t>(pairs_) + 4 * 4 + 2 * 8); }

int32_t scan_margin(const ScanCopy& a, const ScanCopy& b) {
    const double na = a.largest_integer_length(), nb = b.largest_integer_length();
    const double ra = a.largest_residual(), rb = b.largest_residual();
    return static_cast<int32_t>(std::ceil((ra * (nb + rb) + na * rb) * (1.0 + 0x1p-20) + 0x1p-21 * na * nb)) + 2;
}

}  // namespace consilience
