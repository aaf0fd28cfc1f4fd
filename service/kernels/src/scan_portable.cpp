// Any processor, in the vector types of the compiler.
#include "neighbour_kernels.h"

namespace {

struct Simd {
    typedef int32_t Int __attribute__((vector_size(16)));
    typedef float Float __attribute__((vector_size(16)));
    using Mask = Int;
    static constexpr const char* name = "portable";
    static constexpr int rows = 4, vectors = 2, width = 4;
    static Int broadcast(int32_t value) { return Int{value, value, value, value}; }
    static Float broadcast(float value) { return Float{value, value, value, value}; }
    static Int load(const int32_t* from) {
        Int value;
        __builtin_memcpy(&value, from, sizeof(value));
        return value;
    }
    static Float load(const float* from) {
        Float value;
        __builtin_memcpy(&value, from, sizeof(value));
        return value;
    }
    static void store(int32_t* to, Int value) { __builtin_memcpy(to, &value, sizeof(value)); }
    static Int multiply_add(Int sum, Int a, Int b) {
        Int result;
        for (int lane = 0; lane < 4; ++lane) {
            const int32_t low = static_cast<int16_t>(a[lane]) * static_cast<int16_t>(b[lane]);
            const int32_t high = (a[lane] >> 16) * (b[lane] >> 16);
            // Partial sums may leave the range that the whole sum keeps to: they wrap, as they do in every other kernel.
            result[lane] = static_cast<int32_t>(static_cast<uint32_t>(sum[lane]) + static_cast<uint32_t>(low) + static_cast<uint32_t>(high));
        }
        return result;
    }
    static Float to_float(Int value) { return __builtin_convertvector(value, Float); }
    static Float multiply(Float a, Float b) { return a * b; }
    static Float add(Float a, Float b) { return a + b; }
    static Mask none() { return Int{0, 0, 0, 0}; }
    static Mask either(Mask a, Mask b) { return a | b; }
    static uint32_t bits(Mask mask) {
        uint32_t bits = 0;
        for (int lane = 0; lane < 4; ++lane) bits |= (static_cast<uint32_t>(mask[lane]) & 1u) << lane;
        return bits;
    }
    static Mask reaches(Float value, Float threshold) { return value >= threshold; }
};

}  // namespace

#include "neighbour_kernels.inc"

namespace consilience {
const NeighbourKernels& portable_neighbour_kernels() { return kernels; }
}  // namespace consilience
