// Threads for one piece of work: started for it, joined at its end.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace consilience {

// Runs work() on `threads` threads, the caller's among them.
template <class Work>
void run_team(int threads, const Work& work) {
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back([&work] { work(); });
    work();
    for (std::thread& other : others) other.join();
}

// Calls work(first, last) on consecutive pieces of [0, count), whoever is free takes the next `piece`.
template <class Work>
void share_out(int64_t count, int64_t piece, int threads, const Work& work) {
    std::atomic<int64_t> next{0};
    const int64_t useful = (count + piece - 1) / piece;
    run_team(static_cast<int>(std::min<int64_t>(std::max(threads, 1), std::max<int64_t>(useful, 1))), [&] {
        for (int64_t first = next.fetch_add(piece); first < count; first = next.fetch_add(piece)) work(first, std::min(count, first + piece));
    });
}

}  // namespace consilience
