# Everything from outside, as imported targets.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)

add_library(hdf5_c INTERFACE)
target_include_directories(hdf5_c SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(hdf5_c INTERFACE ${HDF5_C_LIBRARIES})

# LibTorch is the PyPI wheel. Its own find_package stops without a CUDA toolkit, so the two libraries
# that a CPU build needs are imported here; libtorch.so, which would pull CUDA in, is left out.
file(GLOB SFT_SITE_PACKAGES ${SFT_DEPS}/venv/lib/python3.*/site-packages)
if(SFT_TORCH)
  set(TORCH_ROOT ${SFT_SITE_PACKAGES}/torch)
  if(NOT EXISTS ${TORCH_ROOT}/lib/libtorch_cpu.so)
    message(FATAL_ERROR "LibTorch is not in ${SFT_DEPS}: run tools/setup.sh build")
  endif()
  foreach(part c10 torch_cpu)
    add_library(${part} SHARED IMPORTED)
    set_target_properties(${part} PROPERTIES
      IMPORTED_LOCATION ${TORCH_ROOT}/lib/lib${part}.so
      INTERFACE_INCLUDE_DIRECTORIES "${TORCH_ROOT}/include;${TORCH_ROOT}/include/torch/csrc/api/include")
  endforeach()
  add_library(torch INTERFACE)
  target_link_libraries(torch INTERFACE torch_cpu c10)
  # The wheel's libtorch_cpu needs the CUDA runtime stubs of its neighbours at load time.
  target_link_options(torch INTERFACE -Wl,--allow-shlib-undefined
    -Wl,-rpath,${TORCH_ROOT}/lib -Wl,-rpath,${SFT_SITE_PACKAGES}/nvidia/cu13/lib)
endif()
