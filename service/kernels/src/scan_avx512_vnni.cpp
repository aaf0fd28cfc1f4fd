// Processors with AVX-512 VNNI: one instruction multiplies and adds 32 pairs of int16.
#include <immintrin.h>

#include "neighbour_kernels.h"

namespace {

struct Simd {
    using Int = __m512i;
    using Float = __m512;
    using Mask = __mmask16;
    static constexpr const char* name = "avx512-vnni";
    static constexpr int rows = 12, vectors = 2, width = 16;
    static Int broadcast(int32_t value) { return _mm512_set1_epi32(value); }
    static Float broadcast(float value) { return _mm512_set1_ps(value); }
    static Int load(const int32_t* from) { return _mm512_loadu_si512(from); }
    static Float load(const float* from) { return _mm512_loadu_ps(from); }
    static void store(int32_t* to, Int value) { _mm512_storeu_si512(to, value); }
    static Int multiply_add(Int sum, Int a, Int b) {
        // The intrinsic makes GCC 12 copy the sums to and from memory.
        asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
        return sum;
    }
    static Float to_float(Int value) { return _mm512_cvtepi32_ps(value); }
    static Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
    static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
    static Mask none() { return 0; }
    static Mask either(Mask a, Mask b) { return _kor_mask16(a, b); }
    static uint32_t bits(Mask mask) { return mask; }
    static Mask reaches(Float value, Float threshold) { return _mm512_cmp_ps_mask(value, threshold, _CMP_GE_OQ); }
};

}  // namespace

#include "neighbour_kernels.inc"

namespace consilience {
const NeighbourKernels& avx512_vnni_neighbour_kernels() { return kernels; }
}  // namespace consilience
