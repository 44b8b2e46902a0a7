# The CUDA plugin is built where the wheels with the CUDA compiler and headers are (make gpu, make test); no CUDA
# toolkit is needed.
set(SFT_CUDA_ROOT ${SFT_SITE_PACKAGES}/nvidia/cu13)
set(SFT_NCCL_ROOT ${SFT_SITE_PACKAGES}/nvidia/nccl)
set(SFT_NVCC ${SFT_CUDA_ROOT}/bin/nvcc)
set(SFT_CUDA ON)
foreach(needed ${SFT_NVCC} ${SFT_CUDA_ROOT}/include/cuda_runtime_api.h ${SFT_NCCL_ROOT}/include/nccl.h ${TORCH_ROOT}/lib/libc10_cuda.so)
  if(SFT_TORCH AND SFT_CUDA AND NOT EXISTS ${needed})
    message(STATUS "CUDA plugin: not built, ${needed} is missing")
    set(SFT_CUDA OFF)
  endif()
endforeach()
if(NOT SFT_TORCH)
  set(SFT_CUDA OFF)
endif()

# sft_cuda_part(NAME SOURCES file...): a folder's share of the plugin; .cu files by nvcc.
function(sft_cuda_part name)
  cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
  set(objects)
  foreach(source ${arg_SOURCES})
    if(source MATCHES "[.]cu$")
      set(object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
      add_custom_command(OUTPUT ${object}
        COMMAND ${SFT_NVCC} -std=c++20 -O3 -Xcompiler -fPIC -ccbin ${CMAKE_CXX_COMPILER} -I${CMAKE_SOURCE_DIR} -I${SFT_CUDA_ROOT}/include/cccl
          -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 -gencode arch=compute_90,code=compute_90
          -MD -MF ${object}.d -MT ${object} -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
        DEPENDS ${source} DEPFILE ${object}.d VERBATIM)
      list(APPEND objects ${object})
    endif()
  endforeach()
  list(FILTER arg_SOURCES EXCLUDE REGEX "[.]cu$")
  add_library(${name} STATIC ${arg_SOURCES} ${objects})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_include_directories(${name} SYSTEM PRIVATE ${TORCH_ROOT}/include ${SFT_CUDA_ROOT}/include ${SFT_NCCL_ROOT}/include)
  target_compile_options(${name} PRIVATE -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
endfunction()
