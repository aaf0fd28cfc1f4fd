// The kernels against plain loops, on spaces that break a careless search; meant to run under the address and undefined-behaviour
// sanitizers (`make sanitize`). Ends with 1 at the first difference.
//
//     kernel_tests [rounds]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "isa.h"
#include "lists.h"
#include "neighbour_search.h"

using namespace consilience;

namespace {

using Random = std::mt19937_64;

int below(Random& random, int limit) { return static_cast<int>(random() % static_cast<uint64_t>(limit)); }

struct Space {
    int count, dim;
    std::vector<float> values;
    const float* row(int64_t index) const { return values.data() + index * dim; }
};

enum Kind { plain, copies, one_hot, binary, huge, denormal, equal, magnitudes, offset, last_bit, kinds };

Space hard_space(Random& random, Kind kind, int count, int dim) {
    std::normal_distribution<double> normal;
    Space space{count, dim, std::vector<float>(static_cast<size_t>(count) * static_cast<size_t>(dim))};
    for (float& value : space.values) value = static_cast<float>(normal(random));
    const int distinct = std::max(1, count / 5);
    for (int row = 0; row < count; ++row) {
        float* values = space.values.data() + static_cast<int64_t>(row) * dim;
        const float size = static_cast<float>(std::pow(10.0, below(random, 77) - 40));
        const int one = below(random, dim);
        for (int at = 0; at < dim; ++at) {
            if (kind == one_hot) values[at] = at == one ? 1.0f : 0.0f;
            if (kind == binary) values[at] = below(random, 2) != 0 ? 1.0f : 0.0f;
            if (kind == denormal) values[at] = std::ldexp(static_cast<float>(below(random, 7) - 3), -149);
            if (kind == magnitudes) values[at] *= size;
            if (kind == offset) values[at] += 1e4f;
            if ((kind == copies || kind == last_bit) && row >= distinct) values[at] = space.values[static_cast<size_t>(row % distinct * dim + at)];
            if (kind == equal) values[at] = space.values[static_cast<size_t>(at)];
        }
        if (kind == last_bit) values[one] = std::nextafter(values[one], 1e9f);
        if (std::all_of(values, values + dim, [](float value) { return value == 0.0f; })) values[0] = 1.0f;
    }
    if (kind == huge) space.values[static_cast<size_t>(below(random, count * dim))] = 3e38f;
    return space;
}

// The definition of the score, as core/exact_score.py writes it.
double lanes(const float* a, const float* b, int dim, bool difference) {
    double sums[64] = {};
    for (int at = 0; at < dim; ++at) {
        const double left = a[at], right = b[at];
        const double term = difference ? (left - right) * (left - right) : left * right;
        sums[at % 64] = sums[at % 64] + term;
    }
    for (int half = 32; half > 0; half /= 2)
        for (int lane = 0; lane < half; ++lane) sums[lane] = sums[lane] + sums[lane + half];
    return sums[0];
}

double score(const float* a, const float* b, int dim, Similarity similarity) {
    if (similarity == Similarity::squared_l2) return 0.0 - lanes(a, b, dim, true);
    const double dot = lanes(a, b, dim, false);
    return similarity == Similarity::cosine ? dot / (std::sqrt(lanes(a, a, dim, false)) * std::sqrt(lanes(b, b, dim, false))) : dot;
}

struct Form {
    std::vector<double> centre;
    int exponent;
};

Form form_of(const Space& space, Similarity similarity) {
    Form form{std::vector<double>(static_cast<size_t>(space.dim)), 0};
    std::vector<double> lengths;
    for (int row = 0; row < space.count; ++row) lengths.push_back(std::sqrt(lanes(space.row(row), space.row(row), space.dim, false)));
    if (similarity != Similarity::cosine) {
        std::nth_element(lengths.begin(), lengths.begin() + space.count / 2, lengths.end());
        std::frexp(lengths[static_cast<size_t>(space.count / 2)], &form.exponent);
    }
    return form;
}

bool fail(const char* what, const std::string& isa, int kind, Similarity similarity, int row) {
    std::printf("%s: isa %s, kind %d, similarity %d, row %d\n", what, isa.c_str(), kind, static_cast<int>(similarity), row);
    return false;
}

bool check(Random& random, const std::string& isa, Kind kind, Similarity similarity, int count, int dim, bool self_join) {
    const Space gallery = hard_space(random, kind, count, dim);
    Space queries = gallery;
    if (!self_join) {
        queries.count = 1 + below(random, 9);
        queries.values.resize(static_cast<size_t>(queries.count * dim));
    }
    const bool biased = !self_join && below(random, 2) != 0, excluding = !self_join && count > 1 && below(random, 2) != 0;
    std::vector<double> bias;
    std::vector<int64_t> exclude;
    for (int row = 0; row < count; ++row) bias.push_back(score(gallery.row(row), gallery.row(0), dim, similarity));
    for (int row = 0; row < queries.count; ++row) exclude.push_back(below(random, count + 1) - 1);
    const Form form = form_of(gallery, similarity);
    const double unit = std::ldexp(similarity == Similarity::squared_l2 ? 0.5 : 1.0, -2 * form.exponent);
    const NeighbourKernels& kernels = neighbour_kernels(isa);
    const int threads = 1 + below(random, 3);
    ScanCopy columns(kernels, count, dim, similarity, form.centre.data(), form.exponent, biased ? unit / 2 : unit);
    columns.fill(gallery.values.data(), biased ? bias.data() : nullptr, 0, count, threads);
    columns.finish();
    ScanCopy rows(kernels, queries.count, dim, similarity, form.centre.data(), form.exponent, unit);
    rows.fill(queries.values.data(), nullptr, 0, queries.count, threads);
    rows.finish();
    const int available = count - (self_join || excluding ? 1 : 0);
    const int k_max = 1 + below(random, available), depth = std::min(k_max + 1, available);
    NeighbourSearch search({self_join ? &columns : &rows, &columns, queries.values.data(), gallery.values.data(), biased ? bias.data() : nullptr,
                            excluding ? exclude.data() : nullptr, self_join, k_max, depth, depth + 12 + below(random, 40), 64, threads});
    while (!search.scan(0.01)) {
    }
    std::vector<int32_t> items(static_cast<size_t>(queries.count * depth));
    std::vector<double> scores(items.size());
    while (!search.rank(0.01, items.data(), scores.data())) {
    }
    const std::vector<int64_t> unproven = search.unproven();
    for (int row = 0; row < queries.count; ++row) {
        std::vector<std::pair<double, int>> expected;
        for (int item = 0; item < count; ++item) {
            if (self_join ? item == row : excluding && item == exclude[static_cast<size_t>(row)]) continue;
            double value = score(queries.row(row), gallery.row(item), dim, similarity);
            if (biased) value = 2.0 * value - bias[static_cast<size_t>(item)];
            expected.emplace_back(-value, item);
        }
        std::sort(expected.begin(), expected.end());
        const double last = -expected[static_cast<size_t>(depth - 1)].first;
        if (std::binary_search(unproven.begin(), unproven.end(), row)) {
            if (scores[static_cast<size_t>(row * depth + depth - 1)] > last) return fail("a row given up promises too much", isa, kind, similarity, row);
            continue;
        }
        for (int at = 0; at < depth; ++at) {
            const size_t place = static_cast<size_t>(row * depth + at);
            if (items[place] != expected[static_cast<size_t>(at)].second || scores[place] != -expected[static_cast<size_t>(at)].first)
                return fail("wrong neighbour", isa, kind, similarity, row);
        }
    }
    return true;
}

bool check_lists(Random& random, const std::string& isa, int count, int k) {
    std::vector<int32_t> x, y, all;
    for (int item = 0; item < count; ++item) all.push_back(item);
    for (std::vector<int32_t>* lists : {&x, &y})
        for (int row = 0; row < count; ++row) {
            std::shuffle(all.begin(), all.end(), random);
            lists->insert(lists->end(), all.begin(), all.begin() + k);
        }
    const int permutations = 1 + below(random, 40), threads = 1 + below(random, 3);
    std::vector<int32_t> p(static_cast<size_t>(permutations * count));
    draw_permutations(random(), random(), permutations, count, threads, p.data());
    std::vector<int64_t> totals(permutations);
    permuted_shared_items(list_kernels(isa), x.data(), y.data(), count, k, p.data(), permutations, threads, totals.data());
    for (int number = -1; number < permutations; ++number) {
        const int32_t* own = number < 0 ? nullptr : p.data() + number * count;
        int64_t expected = 0;
        for (int row = 0; row < count; ++row)
            for (int at = 0; at < k; ++at) {
                const int32_t item = y[static_cast<size_t>(row * k + at)];
                const int32_t* list = x.data() + static_cast<int64_t>(own == nullptr ? row : own[row]) * k;
                expected += std::count(list, list + k, own == nullptr ? item : own[item]);
            }
        const int64_t found = number < 0 ? shared_items(list_kernels(isa), x.data(), y.data(), count, k, threads) : totals[static_cast<size_t>(number)];
        if (found != expected) return fail("wrong overlap", isa, k, Similarity::cosine, number);
    }
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
    Random random(20240712);
    int64_t checked = 0;
    for (int round = 0; round < rounds; ++round)
        for (const std::string& isa : supported_isas()) {
            const int items = 1 + below(random, 80);
            if (!check_lists(random, isa, items, 1 + below(random, items))) return 1;
            for (int kind = 0; kind < kinds; ++kind)
                for (int similarity = 0; similarity < 3; ++similarity)
                    for (const bool self_join : {true, false}) {
                        const int own = 2 + below(random, round % 4 == 0 ? 400 : 70), dim = 1 + below(random, 150);
                        if (!check(random, isa, static_cast<Kind>(kind), static_cast<Similarity>(similarity), own, dim, self_join)) return 1;
                        ++checked;
                    }
        }
    std::printf("%lld searches are exact, and so are the overlaps of lists\n", static_cast<long long>(checked));
    return 0;
}
