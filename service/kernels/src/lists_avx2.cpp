// List kernels for avx2.
namespace {
constexpr const char* isa_name = "avx2";
}

#include "list_kernels.inc"

namespace consilience {
const ListKernels& avx2_list_kernels() { return list_kernels; }
}  // namespace consilience
