// The Python module: every kind of kernel binds itself.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "isa.h"

namespace nb = nanobind;

void bind_lists(nb::module_& module);
void bind_neighbours(nb::module_& module);

NB_MODULE(_kernels, module) {
    module.def("supported", &consilience::supported_isas);
    bind_lists(module);
    bind_neighbours(module);
}
