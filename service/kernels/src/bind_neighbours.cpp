// Neighbour search for Python. Arrays are borrowed: whoever makes a search keeps them alive and unchanged (the classes hold references).
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>

#include "isa.h"
#include "neighbour_search.h"

namespace nb = nanobind;
using namespace consilience;

namespace {

template <class T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Output = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

void require(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

template <class T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> owned(std::vector<T> values) {
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<T>*>(pointer); });
    return nb::ndarray<nb::numpy, T, nb::ndim<1>>(kept->data(), {kept->size()}, owner);
}

class PyScanCopy {
  public:
    PyScanCopy(int64_t count, int dim, int similarity, Vector<double> centre, int exponent, double unit, const std::string& isa) {
        require(count >= 1 && dim >= 1, "a scan copy needs at least one row and one column");
        require(similarity >= 0 && similarity <= 2, "similarity must be 0, 1 or 2");
        require(static_cast<int>(centre.shape(0)) == dim, "the centre must have the width of the vectors");
        copy_ = std::make_unique<ScanCopy>(neighbour_kernels(isa), count, dim, static_cast<Similarity>(similarity), centre.data(), exponent, unit);
    }
    void fill(Matrix<float> rows, std::optional<Vector<double>> bias, int64_t start, int threads) {
        require(static_cast<int>(rows.shape(1)) == copy_->dim(), "the rows must have the width of the copy");
        require(start >= 0 && start % copy_->kernels().tile_columns == 0, "start must be a multiple of the panel's columns");
        require(start + static_cast<int64_t>(rows.shape(0)) <= copy_->count(), "there are more rows than the copy has");
        require(!bias || bias->shape(0) == rows.shape(0), "there must be one bias for each row");
        nb::gil_scoped_release released;
        copy_->fill(rows.data(), bias ? bias->data() : nullptr, start, static_cast<int64_t>(rows.shape(0)), threads);
    }
    void finish() {
        nb::gil_scoped_release released;
        copy_->finish();
    }
    const ScanCopy& copy() const { return *copy_; }

  private:
    std::unique_ptr<ScanCopy> copy_;
};

class PyNeighbourSearch {
  public:
    PyNeighbourSearch(nb::object queries, nb::object gallery, Matrix<float> query_vectors, Matrix<float> gallery_vectors,
                      std::optional<Vector<double>> bias, std::optional<Vector<int64_t>> exclude, bool self_join, int k_max, int depth,
                      int capacity, int64_t tail_limit, int threads)
        : queries_(queries), gallery_(gallery), query_vectors_(query_vectors), gallery_vectors_(gallery_vectors), bias_(bias), exclude_(exclude) {
        const ScanCopy& own = nb::cast<PyScanCopy&>(queries).copy();
        const ScanCopy& other = nb::cast<PyScanCopy&>(gallery).copy();
        require(own.dim() == other.dim() && &own.kernels() == &other.kernels(), "both copies must be of one width and one isa");
        require(!self_join || &own == &other, "a self-join asks a copy with itself");
        require(static_cast<int64_t>(query_vectors.shape(0)) == own.count() && static_cast<int>(query_vectors.shape(1)) == own.dim(),
                "the query vectors must fit their copy");
        require(static_cast<int64_t>(gallery_vectors.shape(0)) == other.count() && static_cast<int>(gallery_vectors.shape(1)) == own.dim(),
                "the gallery vectors must fit their copy");
        require(!bias || static_cast<int64_t>(bias->shape(0)) == other.count(), "there must be one bias for each gallery item");
        require(!exclude || static_cast<int64_t>(exclude->shape(0)) == own.count(), "there must be one excluded row for each query");
        require(k_max >= 1 && k_max <= depth && depth <= other.count(), "k_max and depth must fit the gallery");
        require(capacity >= depth + 12, "capacity must exceed depth by 12");
        nb::gil_scoped_release released;
        search_ = std::make_unique<NeighbourSearch>(SearchArguments{
            &own, &other, query_vectors.data(), gallery_vectors.data(), bias ? bias->data() : nullptr, exclude ? exclude->data() : nullptr,
            self_join, k_max, depth, capacity, tail_limit, threads});
        depth_ = depth;
        rows_ = own.count();
    }
    bool scan(double seconds) {
        nb::gil_scoped_release released;
        return search_->scan(seconds);
    }
    bool rank(double seconds, Output<int32_t> items, Output<double> scores) {
        require(static_cast<int64_t>(items.shape(0)) == rows_ && static_cast<int>(items.shape(1)) == depth_ &&
                    static_cast<int64_t>(scores.shape(0)) == rows_ && static_cast<int>(scores.shape(1)) == depth_,
                "the outputs must have one row for each query and one column for each place");
        nb::gil_scoped_release released;
        return search_->rank(seconds, items.data(), scores.data());
    }
    double scanned() const { return search_->scanned(); }
    double ranked() const { return search_->ranked(); }
    auto unproven() const { return owned(search_->unproven()); }
    auto tails() const {
        std::vector<int64_t> rows;
        std::vector<int32_t> items;
        search_->tails(rows, items);
        return std::make_tuple(owned(std::move(rows)), owned(std::move(items)));
    }
    int64_t exact_dots() const { return search_->exact_dots(); }
    int64_t refined_rows() const { return search_->refined_rows(); }

  private:
    nb::object queries_, gallery_;
    Matrix<float> query_vectors_, gallery_vectors_;
    std::optional<Vector<double>> bias_;
    std::optional<Vector<int64_t>> exclude_;
    std::unique_ptr<NeighbourSearch> search_;
    int depth_ = 0;
    int64_t rows_ = 0;
};

}  // namespace

void bind_neighbours(nb::module_& module) {
    nb::class_<PyScanCopy>(module, "ScanCopy")
        .def(nb::init<int64_t, int, int, Vector<double>, int, double, const std::string&>(), nb::arg("count"), nb::arg("dim"),
             nb::arg("similarity"), nb::arg("centre"), nb::arg("exponent"), nb::arg("unit"), nb::arg("isa") = "")
        .def("fill", &PyScanCopy::fill, nb::arg("rows"), nb::arg("bias").none(), nb::arg("start"), nb::arg("threads"))
        .def("finish", &PyScanCopy::finish)
        .def_prop_ro("nbytes", [](const PyScanCopy& copy) { return copy.copy().bytes(); })
        .def_prop_ro("panel_columns", [](const PyScanCopy& copy) { return copy.copy().kernels().tile_columns; })
        .def_prop_ro("isa", [](const PyScanCopy& copy) { return std::string(copy.copy().kernels().name); })
        .def("error_bound", [](const PyScanCopy& rows, const PyScanCopy& columns) {
            const double scales = rows.copy().largest_scale() * columns.copy().largest_scale();
            const double rest = columns.copy().largest_slack() + rows.copy().largest_rounding();
            return 2.0 * (scan_margin(rows.copy(), columns.copy()) * scales + rest) / columns.copy().unit();
        }, nb::arg("columns"));
    nb::class_<PyNeighbourSearch>(module, "NeighbourSearch")
        .def(nb::init<nb::object, nb::object, Matrix<float>, Matrix<float>, std::optional<Vector<double>>, std::optional<Vector<int64_t>>, bool, int,
                      int, int, int64_t, int>(),
             nb::arg("queries"), nb::arg("gallery"), nb::arg("query_vectors"), nb::arg("gallery_vectors"), nb::arg("bias").none(),
             nb::arg("exclude").none(), nb::arg("self_join"), nb::arg("k_max"), nb::arg("depth"), nb::arg("capacity"), nb::arg("tail_limit"),
             nb::arg("threads"))
        .def("scan", &PyNeighbourSearch::scan, nb::arg("seconds"))
        .def("rank", &PyNeighbourSearch::rank, nb::arg("seconds"), nb::arg("items"), nb::arg("scores"))
        .def_prop_ro("scanned", &PyNeighbourSearch::scanned)
        .def_prop_ro("ranked", &PyNeighbourSearch::ranked)
        .def("unproven", &PyNeighbourSearch::unproven)
        .def("tails", &PyNeighbourSearch::tails)
        .def_prop_ro("exact_dots", &PyNeighbourSearch::exact_dots)
        .def_prop_ro("refined_rows", &PyNeighbourSearch::refined_rows);
}
