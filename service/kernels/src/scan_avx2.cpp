// Processors with AVX2.
#include <immintrin.h>

#include "neighbour_kernels.h"

namespace {

struct Simd {
    using Int = __m256i;
    using Float = __m256;
    using Mask = __m256;
    static constexpr const char* name = "avx2";
    static constexpr int rows = 6, vectors = 2, width = 8;
    static Int broadcast(int32_t value) { return _mm256_set1_epi32(value); }
    static Float broadcast(float value) { return _mm256_set1_ps(value); }
    static Int load(const int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
    static Float load(const float* from) { return _mm256_loadu_ps(from); }
    static void store(int32_t* to, Int value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }
    static Int multiply_add(Int sum, Int a, Int b) {
        // With the intrinsics GCC 12 computes all products first and keeps the sums in memory.
        Int product;
        asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "x"(b));
        return sum;
    }
    static Float to_float(Int value) { return _mm256_cvtepi32_ps(value); }
    static Float multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
    static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
    static Mask none() { return _mm256_setzero_ps(); }
    static Mask either(Mask a, Mask b) { return _mm256_or_ps(a, b); }
    static uint32_t bits(Mask mask) { return static_cast<uint32_t>(_mm256_movemask_ps(mask)); }
    static Mask reaches(Float value, Float threshold) { return _mm256_cmp_ps(value, threshold, _CMP_GE_OQ); }
};

}  // namespace

#include "neighbour_kernels.inc"

namespace consilience {
const NeighbourKernels& avx2_neighbour_kernels() { return kernels; }
}  // namespace consilience
