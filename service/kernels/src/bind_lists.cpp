// Overlaps of neighbour lists for Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <vector>

#include "isa.h"
#include "lists.h"

namespace nb = nanobind;
using namespace consilience;

namespace {

using Lists = nb::ndarray<const int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> owned(std::vector<T> values) {
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<T>*>(pointer); });
    return nb::ndarray<nb::numpy, T, nb::ndim<1>>(kept->data(), {kept->size()}, owner);
}

constexpr const char* outside = "items must be in 0..n-1";

void require_items(const Lists& lists, size_t n) {
    if (!all_items(lists.data(), static_cast<int64_t>(lists.size()), static_cast<int64_t>(n))) throw nb::value_error(outside);
}

void require_shape(const Lists& x, const Lists& y) {
    if (x.shape(0) != y.shape(0) || x.shape(1) != y.shape(1) || x.shape(0) < 1 || x.shape(0) > 0x7fffffff || x.shape(1) < 1)
        throw nb::value_error("both arrays of lists must have the same shape (n, k), with 1 <= n < 2^31 and k >= 1");
}

}  // namespace

void bind_lists(nb::module_& module) {
    module.def(
        "draw_permutations",
        [](uint64_t seed, uint64_t first, int64_t count, int64_t n, int threads) {
            if (n < 1 || n > 0x7fffffff || count < 1) throw nb::value_error("n must be in 1..2^31-1 and count at least 1");
            auto* kept = new std::vector<int32_t>(static_cast<size_t>(n * count));
            nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<int32_t>*>(pointer); });
            {
                nb::gil_scoped_release released;
                draw_permutations(seed, first, count, n, threads, kept->data());
            }
            return nb::ndarray<nb::numpy, int32_t, nb::ndim<2>>(kept->data(), {static_cast<size_t>(count), static_cast<size_t>(n)}, owner);
        },
        nb::arg("seed"), nb::arg("first"), nb::arg("count"), nb::arg("n"), nb::arg("threads"));
    module.def(
        "shared_items",
        [](Lists x, Lists y, int threads, const std::string& isa) {
            require_shape(x, y);
            const ListKernels& kernels = list_kernels(isa);
            int64_t total;
            {
                nb::gil_scoped_release released;
                total = shared_items(kernels, x.data(), y.data(), static_cast<int64_t>(x.shape(0)), static_cast<int>(x.shape(1)), threads);
            }
            if (total < 0) throw nb::value_error(outside);
            return total;
        },
        nb::arg("x"), nb::arg("y"), nb::arg("threads"), nb::arg("isa") = "");
    module.def(
        "permuted_shared_items",
        [](Lists x, Lists y, Lists p, int threads, const std::string& isa) {
            require_shape(x, y);
            require_items(x, x.shape(0));
            require_items(y, x.shape(0));
            if (p.shape(1) != x.shape(0) || p.shape(0) < 1) throw nb::value_error("permutations must have the shape (count, n)");
            require_items(p, x.shape(0));
            const ListKernels& kernels = list_kernels(isa);
            std::vector<int64_t> totals(p.shape(0));
            {
                nb::gil_scoped_release released;
                permuted_shared_items(kernels, x.data(), y.data(), static_cast<int64_t>(x.shape(0)), static_cast<int>(x.shape(1)), p.data(),
                                      static_cast<int64_t>(p.shape(0)), threads, totals.data());
            }
            return owned(std::move(totals));
        },
        nb::arg("x"), nb::arg("y"), nb::arg("permutations"), nb::arg("threads"), nb::arg("isa") = "");
}
