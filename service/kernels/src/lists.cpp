#include "lists.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "team.h"

namespace consilience {

namespace {

// One block of Philox 4x64 with ten rounds.
void philox(const uint64_t counter[4], uint64_t key0, uint64_t key1, uint64_t out[4]) {
    uint64_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < 10; ++round) {
        const unsigned __int128 left = static_cast<unsigned __int128>(0xD2E7470EE14C6C93ull) * c0;
        const unsigned __int128 right = static_cast<unsigned __int128>(0xCA5A826395121157ull) * c2;
        const uint64_t next0 = static_cast<uint64_t>(right >> 64) ^ c1 ^ key0;
        const uint64_t next2 = static_cast<uint64_t>(left >> 64) ^ c3 ^ key1;
        c1 = static_cast<uint64_t>(right);
        c3 = static_cast<uint64_t>(left);
        c0 = next0;
        c2 = next2;
        key0 += 0x9E3779B97F4A7C15ull;
        key1 += 0xBB67AE8584CAA73Bull;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

// Scratch of one thread.
struct Scratch {
    std::vector<uint64_t> once, twice;
    std::vector<int64_t> marks;
    std::vector<uint16_t> images;
    int64_t mark = 0;
};

// Which draw comes first, each given as its leading bits and its position.
class DrawOrder {
  public:
    DrawOrder(uint64_t seed, uint64_t index, int position_bits) : seed_(seed), index_(index), position_bits_(position_bits) {}

    bool operator()(uint64_t a, uint64_t b) const {
        if ((a ^ b) >> position_bits_) return a < b;
        // Equal as far as they were kept: the draws themselves decide, then the position.
        const uint64_t whole_a = whole(a), whole_b = whole(b);
        return whole_a < whole_b || (whole_a == whole_b && a < b);
    }

  private:
    uint64_t whole(uint64_t draw) const {
        const uint64_t position = draw & ((uint64_t{1} << position_bits_) - 1);
        const uint64_t counter[4] = {position / 4 + 1, 0, 0, 0};
        uint64_t out[4];
        philox(counter, seed_, index_, out);
        return out[position % 4];
    }

    uint64_t seed_, index_;
    int position_bits_;
};

void draw(uint64_t seed, uint64_t index, int64_t n, Scratch& scratch, int32_t* p) {
    constexpr int bits = 11, buckets = 1 << bits;
    const size_t count = static_cast<size_t>(n);
    int position_bits = 1;
    while (n > int64_t{1} << position_bits) ++position_bits;
    const uint64_t positions = (uint64_t{1} << position_bits) - 1;
    scratch.once.resize(count);
    scratch.twice.resize(count);
    uint64_t* const once = scratch.once.data();
    uint64_t* const twice = scratch.twice.data();
    // Two passes of a radix sort settle the first 22 bits; what shares them is put in order by insertion.
    int32_t high[buckets] = {}, low[buckets] = {};
    for (size_t block = 0; block * 4 < count; ++block) {
        // The stream counts before it draws.
        const uint64_t counter[4] = {block + 1, 0, 0, 0};
        uint64_t out[4];
        philox(counter, seed, index, out);
        for (size_t lane = 0; lane < 4 && block * 4 + lane < count; ++lane) {
            const uint64_t one = (out[lane] & ~positions) | (block * 4 + lane);
            once[block * 4 + lane] = one;
            ++high[one >> (64 - bits)];
            ++low[one >> (64 - 2 * bits) & (buckets - 1)];
        }
    }
    int32_t before_high = 0, before_low = 0;
    for (int bucket = 0; bucket < buckets; ++bucket) {
        const int32_t own_high = high[bucket], own_low = low[bucket];
        high[bucket] = before_high;
        low[bucket] = before_low;
        before_high += own_high;
        before_low += own_low;
    }
    for (size_t at = 0; at < count; ++at) twice[low[once[at] >> (64 - 2 * bits) & (buckets - 1)]++] = once[at];
    for (size_t at = 0; at < count; ++at) once[high[twice[at] >> (64 - bits)]++] = twice[at];
    const DrawOrder before(seed, index, position_bits);
    uint64_t largest = once[0] >> position_bits;
    for (size_t at = 1; at < count; ++at) {
        const uint64_t one = once[at], leading = one >> position_bits;
        if (__builtin_expect(leading > largest, 1)) {
            largest = leading;
            continue;
        }
        size_t to = at;
        for (; to > 0 && before(one, once[to - 1]); --to) once[to] = once[to - 1];
        once[to] = one;
    }
    for (size_t at = 0; at < count; ++at) p[at] = static_cast<int32_t>(once[at] & positions);
}

// The lower halves of the lists' items, short_list places a list.
std::vector<uint16_t> lower_halves(const int32_t* x, int64_t n, int k) {
    std::vector<uint16_t> halves(static_cast<size_t>(n * short_list));
    for (int64_t row = 0; row < n; ++row)
        for (int place = 0; place < short_list; ++place)
            halves[static_cast<size_t>(row * short_list + place)] = static_cast<uint16_t>(x[row * k + (place < k ? place : 0)]);
    return halves;
}

// The lists, with something behind the last.
std::vector<int32_t> with_margin(const int32_t* x, int64_t n, int k) {
    std::vector<int32_t> lists(static_cast<size_t>(n * k + short_list));
    std::memcpy(lists.data(), x, sizeof(int32_t) * static_cast<size_t>(n * k));
    return lists;
}

// Long lists: mark one, look up the other.
int64_t shared_long(const int32_t* x, const int32_t* y, int64_t n, int k, const int32_t* p, int64_t first, int64_t last, Scratch& scratch) {
    scratch.marks.resize(static_cast<size_t>(n), -1);
    int64_t total = 0;
    for (int64_t row = first; row < last; ++row) {
        const int64_t other = p == nullptr ? row : p[row];
        const int64_t mark = ++scratch.mark;
        for (int at = 0; at < k; ++at) scratch.marks[static_cast<size_t>(x[other * k + at])] = mark;
        for (int at = 0; at < k; ++at) {
            const int32_t item = y[row * k + at];
            total += scratch.marks[static_cast<size_t>(p == nullptr ? item : p[item])] == mark;
        }
    }
    return total;
}

}  // namespace

void draw_permutations(uint64_t seed, uint64_t first, int64_t count, int64_t n, int threads, int32_t* p) {
    std::atomic<int64_t> next{0};
    run_team(static_cast<int>(std::min<int64_t>(std::max(threads, 1), count)), [&] {
        Scratch scratch;
        for (int64_t at = next.fetch_add(1); at < count; at = next.fetch_add(1)) draw(seed, first + static_cast<uint64_t>(at), n, scratch, p + at * n);
    });
}

bool all_items(const int32_t* items, int64_t count, int64_t n) {
    const int32_t end = static_cast<int32_t>(n);
    int32_t outside = 0;
    for (int64_t at = 0; at < count; ++at) outside |= (items[at] < 0) | (items[at] >= end);
    return outside == 0;
}

int64_t shared_items(const ListKernels& kernels, const int32_t* x, const int32_t* y, int64_t n, int k, int threads) {
    std::atomic<int64_t> total{0};
    std::atomic<bool> inside{true};
    const bool brief = k <= short_list;
    // Pieces that stay in the cache between the check and the count.
    share_out(n, std::max<int64_t>(1, (1 << 15) / k), threads, [&](int64_t first, int64_t last) {
        if (!all_items(x + first * k, (last - first) * k, n) || !all_items(y + first * k, (last - first) * k, n)) {
            inside = false;
            return;
        }
        if (brief) {
            // The last lists have nothing behind them.
            const int64_t inner = std::max(first, std::min(last, n - short_list));
            int64_t found = kernels.shared(x, y, k, first, inner);
            if (inner < last) {
                const std::vector<int32_t> lists = with_margin(x + inner * k, last - inner, k);
                found += kernels.shared(lists.data(), y + inner * k, k, 0, last - inner);
            }
            total.fetch_add(found);
        } else {
            Scratch scratch;
            total.fetch_add(shared_long(x, y, n, k, nullptr, first, last, scratch));
        }
    });
    return inside ? total.load() : -1;
}

void permuted_shared_items(const ListKernels& kernels, const int32_t* x, const int32_t* y, int64_t n, int k, const int32_t* p, int64_t count,
                           int threads, int64_t* totals) {
    const bool brief = k <= short_list;
    const std::vector<uint16_t> halves = brief ? lower_halves(x, n, k) : std::vector<uint16_t>();
    // Long lists go one by one; short ones as many together as leave no thread without work.
    const int64_t team = std::max(threads, 1);
    const int64_t step = brief ? std::min<int64_t>(together, (count + team - 1) / team) : 1;
    std::atomic<int64_t> next{0};
    run_team(static_cast<int>(std::min((count + step - 1) / step, team)), [&] {
        Scratch scratch;
        if (brief) scratch.images.resize(static_cast<size_t>(n * together));
        for (int64_t at = next.fetch_add(step); at < count; at = next.fetch_add(step)) {
            const int number = static_cast<int>(std::min(step, count - at));
            if (brief)
                kernels.shared_permuted(x, halves.data(), y, n, k, p + at * n, number, scratch.images.data(), totals + at);
            else
                totals[at] = shared_long(x, y, n, k, p + at * n, 0, n, scratch);
        }
    });
}

}  // namespace consilience
