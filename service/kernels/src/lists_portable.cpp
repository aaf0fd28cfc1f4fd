// List kernels for portable.
namespace {
constexpr const char* isa_name = "portable";
}

#include "list_kernels.inc"

namespace consilience {
const ListKernels& portable_list_kernels() { return list_kernels; }
}  // namespace consilience
