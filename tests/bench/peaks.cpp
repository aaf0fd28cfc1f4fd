// Multiplications and additions a second of one thread's registers, for the units that a scan could use.
#include <immintrin.h>

#include <chrono>
#include <cstdio>

namespace {

constexpr int chains = 12;
constexpr long rounds = 4'000'000;

#define MEASURE(name, operations, instruction)                                                                    \
    double name() {                                                                                               \
        __m512i a = _mm512_set1_epi32(0x00010001), b = a, sums[chains] = {};                                       \
        auto const begun = std::chrono::steady_clock::now();                                                      \
        for (long round = 0; round < rounds; ++round)                                                             \
            _Pragma("GCC unroll 12") for (int chain = 0; chain < chains; ++chain)                                 \
                __asm__ volatile(instruction " %1, %2, %0" : "+v"(sums[chain]) : "v"(a), "v"(b));                 \
        std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - begun;                   \
        return rounds * chains * (operations) / seconds.count() / 1e9;                                            \
    }

MEASURE(float32, 32, "vfmadd231ps")
MEASURE(bfloat16, 64, "vdpbf16ps")
MEASURE(int16, 64, "vpdpwssd")
MEASURE(int8, 128, "vpdpbusd")

}  // namespace

int main() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f")) {
        return 2;
    }
    std::printf("float32 %.1f\n", float32());
    if (__builtin_cpu_supports("avx512bf16")) {
        std::printf("bfloat16 %.1f\n", bfloat16());
    }
    if (__builtin_cpu_supports("avx512vnni")) {
        std::printf("int16 %.1f\nint8 %.1f\n", int16(), int8());
    }
}
