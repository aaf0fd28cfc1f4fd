#include "neighbour_search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <new>

#include "team.h"

namespace consilience {

namespace {

using Clock = std::chrono::steady_clock;

constexpr float infinity = std::numeric_limits<float>::infinity();
// Below every bound of an item, and above the minus infinity of places that hold none.
constexpr float nothing_yet = std::numeric_limits<float>::lowest();
constexpr int64_t block_bytes = 320 << 10;  // packed rows of a task: with the panels under way they fit into a level 2 cache of 1 MiB
constexpr int64_t sub_bytes = 400 << 10;    // panels that all rows of a task meet before the next ones are read
constexpr double task_products = 4e8;

enum State : uint8_t { open = 0, was_refined = 1, given_up = 2 };

float rounded_down(double value) {
    const float near = static_cast<float>(value);
    return static_cast<double>(near) > value ? std::nextafter(near, -infinity) : near;
}

// The nth largest of few or many values (nth from 1), which it may put in another order.
float nth_largest(float* values, int count, int nth) {
    if (count <= 64) {
        // Counting has no branches to guess: several times faster than a selection.
        for (int at = 0; at < count; ++at) {
            int larger = 0, equal = 0;
            for (int other = 0; other < count; ++other) {
                larger += values[other] > values[at];
                equal += values[other] == values[at];
            }
            if (larger < nth && larger + equal >= nth) return values[at];
        }
    }
    std::nth_element(values, values + nth - 1, values + count, std::greater<float>());
    return values[nth - 1];
}

}  // namespace

NeighbourSearch::NeighbourSearch(const SearchArguments& arguments)
    : arguments_(arguments),
      kernels_(arguments.gallery->kernels()),
      m_(arguments.queries->count()),
      n_(arguments.gallery->count()),
      margin_(scan_margin(*arguments.queries, *arguments.gallery)),
      threshold_(arguments.queries->padded() + max_tile_rows + max_tile_columns),
      row_words_(row_words(arguments.capacity)),
      rows_(m_ * row_words_) {
    const ScanCopy& queries = *arguments.queries;
    for (int64_t row = 0; row < queries.padded() + max_tile_rows + max_tile_columns; ++row) threshold_[row] = row < m_ ? nothing_yet : infinity;
    const int limit = std::min(arguments.capacity, 2 * arguments.depth);
    for (int64_t index = 0; index < m_; ++index) {
        new (&row(index)) Row{{0}, open, 0, limit};
        if (queries.outside(index)) give_up(index);
    }

    const int64_t pairs = queries.pairs(), columns = kernels_.tile_columns, rows = kernels_.tile_rows;
    const int64_t panels = arguments.gallery->padded() / columns;
    const int threads = std::max(arguments.threads, 1);
    block_rows_ = std::max<int64_t>(1, std::min<int64_t>(block_bytes / (4 * pairs * rows), 64)) * rows;
    sub_panels_ = std::max<int64_t>(1, sub_bytes / (4 * pairs * columns));
    const double panel_products = 2.0 * pairs * columns * std::min(block_rows_, m_);
    chunk_panels_ = std::max<int64_t>(1, static_cast<int64_t>(task_products / panel_products));
    blocks_ = (m_ + block_rows_ - 1) / block_rows_;
    // Enough tasks for all threads to end together.
    chunk_panels_ = std::max<int64_t>(1, std::min(chunk_panels_, (panels * blocks_ + 8 * threads - 1) / (8 * threads)));
    chunks_ = (panels + chunk_panels_ - 1) / chunk_panels_;
    for (int64_t block = 0; block < blocks_; ++block)
        for (int64_t chunk = 0; chunk < chunks_; ++chunk) {
            const int64_t last_column = std::min(panels, (chunk + 1) * chunk_panels_) * columns - 1;
            if (!arguments.self_join || last_column > block * block_rows_)
                tasks_.emplace_back(static_cast<int32_t>(block), static_cast<int32_t>(chunk));
        }
}

NeighbourSearch::~NeighbourSearch() = default;

int64_t NeighbourSearch::bytes(int64_t m, int capacity) { return m * 4 * (row_words(capacity) + 1); }

double NeighbourSearch::scanned() const {
    return tasks_.empty() ? 1.0 : static_cast<double>(done_tasks_.load()) / static_cast<double>(tasks_.size());
}

double NeighbourSearch::ranked() const { return static_cast<double>(std::min(next_row_.load(), m_)) / static_cast<double>(m_); }

bool NeighbourSearch::scan(double seconds) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    const int64_t count = static_cast<int64_t>(tasks_.size());
    run_team(static_cast<int>(std::min<int64_t>(std::max(arguments_.threads, 1), std::max<int64_t>(count - next_task_.load(), 1))), [&] {
        const Aligned<int32_t> packed(block_rows_ * arguments_.queries->pairs());
        int64_t held = -1;
        while (Clock::now() < end) {
            const int64_t task = next_task_.fetch_add(1);
            if (task >= count) break;
            const auto [block, chunk] = tasks_[static_cast<size_t>(task)];
            if (block != held) {
                // Register tiles read the rows of a group side by side, so that one group stays in the level 1 cache.
                const int64_t rows = kernels_.tile_rows, columns = kernels_.tile_columns, pairs = arguments_.queries->pairs();
                const int64_t first = block * block_rows_, last = std::min(first + block_rows_, (m_ + rows - 1) / rows * rows);
                for (int64_t row = first; row < last; ++row) {
                    int32_t* to = packed.get() + (row - first) / rows * rows * pairs + (row - first) % rows;
                    if (row < m_) {
                        const int32_t* from = arguments_.queries->panel(row / columns) + row % columns;
                        for (int64_t pair = 0; pair < pairs; ++pair) to[pair * rows] = from[pair * columns];
                    } else {
                        for (int64_t pair = 0; pair < pairs; ++pair) to[pair * rows] = 0;
                    }
                }
                held = block;
            }
            scan_block(block, chunk, packed.get());
            done_tasks_.fetch_add(1);
        }
    });
    return done_tasks_.load() == count;
}

void NeighbourSearch::scan_block(int64_t block, int64_t chunk, int32_t* packed) {
    const ScanCopy& queries = *arguments_.queries;
    const ScanCopy& gallery = *arguments_.gallery;
    const int64_t columns = kernels_.tile_columns, rows = kernels_.tile_rows;
    const int64_t panels = gallery.padded() / columns;
    const int64_t first_row = block * block_rows_;
    const int64_t last_row = std::min(first_row + block_rows_, m_);
    int64_t first = chunk * chunk_panels_;
    const int64_t last = std::min(panels, first + chunk_panels_);
    if (arguments_.self_join) first = std::max(first, first_row / columns);
    for (int64_t panel = first; panel < last; panel += sub_panels_) {
        ScanBlock work{};
        work.rows = packed;
        work.columns = gallery.panel(panel);
        work.pairs = queries.pairs();
        work.groups = static_cast<int>((last_row - first_row + rows - 1) / rows);
        work.panels = static_cast<int>(std::min(sub_panels_, last - panel));
        work.first_row = first_row;
        work.first_column = panel * columns;
        work.margin = margin_;
        work.symmetric = arguments_.self_join;
        work.row_scale = queries.scale();
        work.row_offset = queries.offset();
        work.row_threshold = threshold_.get();
        work.column_scale = gallery.scale();
        work.column_offset = gallery.offset();
        work.column_threshold = threshold_.get();
        work.context = this;
        work.hit = on_hit;
        kernels_.scan(work);
    }
}

void NeighbourSearch::on_hit(void* context, int64_t row, int64_t column, const int32_t* acc, const uint32_t* row_hits,
                             const uint32_t* column_hits) {
    NeighbourSearch& search = *static_cast<NeighbourSearch*>(context);
    const ScanCopy& queries = *search.arguments_.queries;
    const ScanCopy& gallery = *search.arguments_.gallery;
    const int rows = search.kernels_.tile_rows, columns = search.kernels_.tile_columns;
    for (int r = 0; r < rows; ++r) {
        if ((row_hits[r] | column_hits[r]) == 0) continue;
        const int64_t i = row + r;
        for (uint32_t left = row_hits[r] | column_hits[r]; left != 0; left &= left - 1) {
            const int c = __builtin_ctz(left);
            const int64_t j = column + c;
            const float product = (static_cast<float>(acc[r * columns + c]) * gallery.scale()[j]) * queries.scale()[i];
            if (row_hits[r] >> c & 1u) search.keep(i, static_cast<int32_t>(j), product + gallery.offset()[j]);
            if (column_hits[r] >> c & 1u) search.keep(j, static_cast<int32_t>(i), product + queries.offset()[i]);
        }
    }
}

void NeighbourSearch::keep(int64_t index, int32_t item, float bound) {
    if (arguments_.exclude != nullptr && arguments_.exclude[index] == item) return;
    Row& own = row(index);
    while (own.locked.exchange(1, std::memory_order_acquire) != 0) std::this_thread::yield();
    if (bound >= threshold_[index]) {
        own.entries()[own.count++] = {bound, item};
        if (own.count == own.limit) make_room(index);
    }
    own.locked.store(0, std::memory_order_release);
}

// The margin and the slack hold twice what their float32 roundings need: room for those of this line.
float NeighbourSearch::lower_bound(int64_t row, const Entry& entry) const {
    const ScanCopy& gallery = *arguments_.gallery;
    if (entry.bound >= outside_offset / 2) return -infinity;
    const float doubt = 2.0f * static_cast<float>(margin_) * gallery.scale()[entry.item] * arguments_.queries->scale()[row] +
                        2.0f * gallery.slack()[entry.item] + 2.0f * arguments_.queries->rounding()[row];
    return entry.bound - doubt * (1.0f + 0x1p-20f);
}

double NeighbourSearch::exact(int64_t row, int32_t item) const {
    const int dim = arguments_.gallery->dim();
    const float* query = arguments_.query_vectors + row * dim;
    const float* other = arguments_.gallery_vectors + static_cast<int64_t>(item) * dim;
    double score;
    if (arguments_.gallery->similarity() == Similarity::squared_l2)
        score = 0.0 - kernels_.squared_difference(query, other, dim);
    else
        score = kernels_.dot(query, other, dim);
    if (arguments_.gallery->similarity() == Similarity::cosine) score /= arguments_.queries->norm()[row] * arguments_.gallery->norm()[item];
    return arguments_.bias == nullptr ? score : 2.0 * score - arguments_.bias[item];
}

// The largest float32 that the proven bound of every item with this exact score, or a better one, reaches.
float NeighbourSearch::threshold_of(int64_t row, double score) const {
    const double scaled = arguments_.gallery->unit() * score, own = arguments_.queries->exact_offset(row);
    const double slack = 0x1p-44 * std::abs(scaled) + static_cast<double>(arguments_.queries->rounding()[row]);
    // Items outside have bounds of 2^100 whatever their scores: a threshold beyond would lose them.
    return rounded_down(std::max(-0x1p120, std::min(scaled - own - slack, 0x1p99)));
}

void NeighbourSearch::give_up(int64_t index) {
    Row& own = row(index);
    own.state = given_up;
    own.count = 0;
    threshold_[index] = infinity;
}

void NeighbourSearch::make_room(int64_t index) {
    Row& own = row(index);
    Entry* entries = own.entries();
    const int count = own.count, depth = arguments_.depth;
    float few[256];
    std::unique_ptr<float[]> many;
    float* bounds = few;
    if (count > 256) {
        many.reset(new float[static_cast<size_t>(count)]);
        bounds = many.get();
    }
    for (int at = 0; at < count; ++at) bounds[at] = lower_bound(index, entries[at]);
    const float threshold = std::max(threshold_[index], nth_largest(bounds, count, depth));
    threshold_[index] = threshold;
    int kept = 0;
    for (int at = 0; at < count; ++at)
        if (entries[at].bound >= threshold) entries[kept++] = entries[at];
    own.count = kept;
    if (kept > depth + (arguments_.capacity - depth) * 3 / 4)
        refine(index);
    else
        own.limit = std::min(arguments_.capacity, kept + std::max(depth, 8));
}

void NeighbourSearch::refine(int64_t index) {
    Row& own = row(index);
    Entry* entries = own.entries();
    const int count = own.count, depth = arguments_.depth;
    std::vector<double> scores(static_cast<size_t>(count)), order;
    for (int at = 0; at < count; ++at) scores[static_cast<size_t>(at)] = exact(index, entries[at].item);
    order = scores;
    std::nth_element(order.begin(), order.begin() + depth - 1, order.end(), std::greater<double>());
    const double last = order[static_cast<size_t>(depth - 1)];
    exact_dots_.fetch_add(count, std::memory_order_relaxed);
    own.state = was_refined;
    threshold_[index] = std::max(threshold_[index], threshold_of(index, last));
    int kept = 0;
    for (int at = 0; at < count; ++at)
        if (scores[static_cast<size_t>(at)] >= last) entries[kept++] = entries[at];
    own.count = kept;
    own.limit = arguments_.capacity;
    if (kept >= arguments_.capacity - 4) {
        give_up(index);
        // What the search that follows may start from; nothing else needs the row's entries now.
        std::memcpy(static_cast<void*>(entries), &last, sizeof(last));
    }
}

bool NeighbourSearch::rank(double seconds, int32_t* items, double* scores) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    constexpr int64_t piece = 64;
    run_team(static_cast<int>(std::min<int64_t>(std::max(arguments_.threads, 1), (m_ + piece - 1) / piece)), [&] {
        std::vector<Candidate> scratch;
        while (Clock::now() < end) {
            const int64_t first = next_row_.fetch_add(piece);
            if (first >= m_) break;
            for (int64_t row = first; row < std::min(m_, first + piece); ++row) rank_row(row, scratch, items, scores);
        }
    });
    if (next_row_.load() < m_) return false;
    std::sort(tail_rows_.begin(), tail_rows_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return true;
}

void NeighbourSearch::rank_row(int64_t index, std::vector<Candidate>& scratch, int32_t* items, double* scores) {
    const int depth = arguments_.depth;
    int32_t* own_items = items + index * depth;
    double* own_scores = scores + index * depth;
    Row& own = row(index);
    const Entry* entries = own.entries();
    if (own.state != given_up) {
        const int count = own.count;
        scratch.clear();
        // Items whose upper bound is below the depth-th largest lower bound are strictly worse than `depth` others.
        float enough = threshold_[index];
        if (count > depth) {
            std::vector<float> lower(static_cast<size_t>(count));
            for (int at = 0; at < count; ++at) lower[static_cast<size_t>(at)] = lower_bound(index, entries[at]);
            enough = std::max(enough, nth_largest(lower.data(), count, depth));
        }
        for (int at = 0; at < count; ++at) {
            if (entries[at].bound < enough) continue;
            scratch.push_back({exact(index, entries[at].item), entries[at].item});
        }
        exact_dots_.fetch_add(static_cast<int64_t>(scratch.size()), std::memory_order_relaxed);
        std::sort(scratch.begin(), scratch.end(),
                  [](const Candidate& a, const Candidate& b) { return a.score > b.score || (a.score == b.score && a.item < b.item); });
        const double last = scratch[static_cast<size_t>(depth - 1)].score;
        size_t end = static_cast<size_t>(depth);
        while (end < scratch.size() && scratch[end].score == last) ++end;
        const bool reached = scratch[static_cast<size_t>(arguments_.k_max - 1)].score == last;
        const size_t beyond = reached ? end - static_cast<size_t>(depth) : 0;
        if (static_cast<int64_t>(beyond) <= arguments_.tail_limit) {
            for (int at = 0; at < depth; ++at) {
                own_items[at] = scratch[static_cast<size_t>(at)].item;
                own_scores[at] = scratch[static_cast<size_t>(at)].score;
            }
            if (beyond > 0) {
                std::vector<int32_t> tied;
                for (size_t at = static_cast<size_t>(depth); at < end; ++at) tied.push_back(scratch[at].item);
                while (tail_lock_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
                tail_rows_.emplace_back(index, std::move(tied));
                tail_lock_.clear(std::memory_order_release);
            }
            return;
        }
        own.state = given_up;
        for (int at = 0; at < depth; ++at) {
            own_items[at] = 0;
            own_scores[at] = last;
        }
        return;
    }
    double last = -std::numeric_limits<double>::infinity();
    if (!arguments_.queries->outside(index)) std::memcpy(&last, entries, sizeof(last));
    for (int at = 0; at < depth; ++at) {
        own_items[at] = 0;
        own_scores[at] = last;
    }
}

std::vector<int64_t> NeighbourSearch::unproven() const {
    std::vector<int64_t> rows;
    for (int64_t index = 0; index < m_; ++index)
        if (row(index).state == given_up) rows.push_back(index);
    return rows;
}

int64_t NeighbourSearch::refined_rows() const {
    int64_t rows = 0;
    for (int64_t index = 0; index < m_; ++index) rows += row(index).state != open;
    return rows;
}

void NeighbourSearch::tails(std::vector<int64_t>& rows, std::vector<int32_t>& items) const {
    for (const auto& [row, tied] : tail_rows_)
        for (const int32_t item : tied) {
            rows.push_back(row);
            items.push_back(item);
        }
}

}  // namespace consilience
