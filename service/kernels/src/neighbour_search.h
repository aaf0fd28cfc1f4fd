// Exact nearest neighbours: an int16 scan with the selection in its epilogue, rows refined in place, a float64 re-rank.
//
// Every row keeps a few entries (upper bound, item) and a threshold that at least `depth` items are proven to reach. A pair is kept if its
// upper bound reaches the threshold. When a row is full its threshold rises to the depth-th largest lower bound, and what falls below goes;
// where that frees too little, the entries are scored exactly in place (`refined`), the threshold becomes the depth-th exact score and only
// what reaches it stays. A row so full of equal scores that not even this frees it is given up (`unproven`): whoever asked does it anew.
// At the end what is left is scored exactly and ranked. So nothing that belongs to a row was ever dropped, whatever the order of the work.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "scan_copy.h"

namespace consilience {

struct SearchArguments {
    const ScanCopy* queries;
    const ScanCopy* gallery;      // the same object in a self-join
    const float* query_vectors;   // (m, dim) raw
    const float* gallery_vectors; // (n, dim) raw
    const double* bias;           // (n,) or null: ranks by 2 s - bias
    const int64_t* exclude;       // (m,) gallery row to leave out, -1 for none; null for none at all; ignored in a self-join
    bool self_join;
    int k_max;
    int depth;
    int capacity;       // entries of a row, more than depth + 8
    int64_t tail_limit; // tied items that a row may have beyond its columns
    int threads;
};

class NeighbourSearch {
  public:
    explicit NeighbourSearch(const SearchArguments& arguments);
    ~NeighbourSearch();

    // Works for about this long; true when the scan is done.
    bool scan(double seconds);
    // Likewise for the ranking: writes (m, depth) items and scores, best first. Call once the scan is done.
    bool rank(double seconds, int32_t* items, double* scores);
    double scanned() const;
    double ranked() const;

    // Rows that were given up, ascending; their scores hold a lower bound of the true last score in the last column, -infinity if none.
    std::vector<int64_t> unproven() const;
    // What ties with the last column beyond it, where a k <= k_max reaches it: rows (ascending) and their items (ascending in a row).
    void tails(std::vector<int64_t>& rows, std::vector<int32_t>& items) const;
    int64_t exact_dots() const { return exact_dots_.load(); }
    // Rows that the bound alone did not prove: refined in place or given up.
    int64_t refined_rows() const;
    // Bytes held beside the copies.
    static int64_t bytes(int64_t m, int capacity);

  private:
    struct Entry {
        float bound;
        int32_t item;
    };
    // What a row holds, followed by its entries: whoever keeps something meets one place of memory.
    struct alignas(16) Row {
        std::atomic<uint8_t> locked;
        uint8_t state;
        int32_t count;
        int32_t limit;  // entries at which room is made: soon after what is known to be needed, so that thresholds rise early
        Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
        const Entry* entries() const { return reinterpret_cast<const Entry*>(this + 1); }
    };
    struct Candidate {
        double score;
        int32_t item;
    };

    static void on_hit(void* context, int64_t row, int64_t column, const int32_t* acc, const uint32_t* row_hits, const uint32_t* column_hits);
    void keep(int64_t row, int32_t item, float bound);
    void make_room(int64_t row);
    void refine(int64_t row);
    void give_up(int64_t row);
    float lower_bound(int64_t row, const Entry& entry) const;
    float threshold_of(int64_t row, double score) const;
    double exact(int64_t row, int32_t item) const;
    void scan_block(int64_t block, int64_t chunk, int32_t* packed);
    void rank_row(int64_t row, std::vector<Candidate>& scratch, int32_t* items, double* scores);
    Row& row(int64_t index) const { return *reinterpret_cast<Row*>(rows_.get() + index * row_words_); }
    static int64_t row_words(int capacity) { return (static_cast<int64_t>(sizeof(Row) + sizeof(Entry) * capacity) + 63) / 64 * 16; }

    SearchArguments arguments_;
    const NeighbourKernels& kernels_;
    int64_t m_, n_;
    int32_t margin_;
    int64_t block_rows_, chunk_panels_, sub_panels_, blocks_, chunks_;
    std::vector<std::pair<int32_t, int32_t>> tasks_;
    std::atomic<int64_t> next_task_{0}, done_tasks_{0}, next_row_{0};
    Aligned<float> threshold_;
    int64_t row_words_;
    Aligned<int32_t> rows_;
    std::atomic<int64_t> exact_dots_{0};
    std::vector<std::pair<int64_t, std::vector<int32_t>>> tail_rows_;
    std::atomic_flag tail_lock_ = ATOMIC_FLAG_INIT;
};

}  // namespace consilience
