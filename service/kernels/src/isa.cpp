#include "isa.h"

#include <stdexcept>

namespace consilience {

std::vector<std::string> supported_isas() {
    std::vector<std::string> names;
#ifdef CONSILIENCE_X86
    __builtin_cpu_init();
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    if (avx512 && __builtin_cpu_supports("avx512vnni")) names.emplace_back("avx512-vnni");
    if (avx512) names.emplace_back("avx512");
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) names.emplace_back("avx2");
#endif
    names.emplace_back("portable");
    return names;
}

namespace {

std::string chosen(const std::string& isa) {
    std::string known;
    for (const std::string& name : supported_isas()) {
        if (isa.empty() || name == isa) return name;
        known += known.empty() ? name : ", " + name;
    }
    throw std::invalid_argument("isa = \"" + isa + "\", but this processor runs " + known);
}

}  // namespace

const NeighbourKernels& neighbour_kernels(const std::string& isa) {
    const std::string name = chosen(isa);
#ifdef CONSILIENCE_X86
    if (name == "avx512-vnni") return avx512_vnni_neighbour_kernels();
    if (name == "avx512") return avx512_neighbour_kernels();
    if (name == "avx2") return avx2_neighbour_kernels();
#endif
    return portable_neighbour_kernels();
}

const ListKernels& list_kernels(const std::string& isa) {
    const std::string name = chosen(isa);
#ifdef CONSILIENCE_X86
    if (name == "avx512-vnni" || name == "avx512") return avx512_list_kernels();
    if (name == "avx2") return avx2_list_kernels();
#endif
    return portable_list_kernels();
}

}  // namespace consilience
