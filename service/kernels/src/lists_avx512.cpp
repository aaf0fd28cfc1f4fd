// List kernels for avx512.
namespace {
constexpr const char* isa_name = "avx512";
}

#include "list_kernels.inc"

namespace consilience {
const ListKernels& avx512_list_kernels() { return list_kernels; }
}  // namespace consilience
