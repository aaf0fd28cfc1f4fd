// Which kernels this processor can run, and which of them does.
#pragma once

#include <string>
#include <vector>

#include "list_kernels.h"
#include "neighbour_kernels.h"

namespace consilience {

// Best first; the last is always "portable".
std::vector<std::string> supported_isas();

// The named kernels, or the best for an empty name. Throws std::invalid_argument for a name that is not supported here.
const NeighbourKernels& neighbour_kernels(const std::string& isa);
const ListKernels& list_kernels(const std::string& isa);

}  // namespace consilience
