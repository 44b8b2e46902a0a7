# sft_library(NAME [TORCH] [SOURCES glob...] [EXCLUDE regex] [LINK target...] [PRIVATE target...])
# A static library of this folder's .cpp files, or of the given globs, less what the regex matches.
function(sft_library name)
  cmake_parse_arguments(arg "TORCH" "EXCLUDE" "SOURCES;LINK;PRIVATE" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES *.cpp)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${arg_SOURCES})
  if(arg_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${arg_EXCLUDE})
  endif()
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${arg_LINK} ${arg_PRIVATE})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE ${arg_PRIVATE})
  if(arg_TORCH)
    sft_use_torch(${name})
  endif()
endfunction()

# Links LibTorch and shares one precompiled header among all who do. It holds what most of them include, and no more: one
# with all of ATen is 500 MB, and takes 5 s to be read into each file.
function(sft_use_torch name)
  target_link_libraries(${name} PUBLIC torch)
  if(NOT TARGET sft_torch_headers)
    file(WRITE ${CMAKE_BINARY_DIR}/torch_headers.cpp "// carries the precompiled header\n")
    add_library(sft_torch_headers STATIC ${CMAKE_BINARY_DIR}/torch_headers.cpp)
    target_link_libraries(sft_torch_headers PUBLIC torch)
    set_target_properties(sft_torch_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(sft_torch_headers PRIVATE -fPIC)
    target_precompile_headers(sft_torch_headers PRIVATE <ATen/core/Tensor.h> <nlohmann/json.hpp> <algorithm> <filesystem> <functional> <map> <memory> <string> <vector>)
  endif()
  # The header is compiled as position-independent code; a program's -fPIE would not fit it.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_precompile_headers(${name} REUSE_FROM sft_torch_headers)
endfunction()

# sft_test(NAME [TORCH] [LINK target...]): one GoogleTest binary of this folder's .cpp files.
function(sft_test name)
  cmake_parse_arguments(arg "TORCH" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests)
  if(arg_TORCH)
    sft_use_torch(${name})
  endif()
  # Two tests run at a time, many of several ranks that are threads: each computes with one thread unless it says more.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 ENVIRONMENT "OMP_NUM_THREADS=1")
endfunction()
include(GoogleTest)

# sft_compared(NAME SCRIPT PROGRAM): a Python script of this folder that runs a program of ours beside a reference. 77, which the script answers
# where its reference is missing, is reported as skipped and never as passed.
function(sft_compared name script program)
  add_test(NAME ${name} COMMAND ${SFT_DEPS}/venv/bin/python ${CMAKE_CURRENT_SOURCE_DIR}/${script} $<TARGET_FILE:${program}>)
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77
    ENVIRONMENT "HF_HUB_OFFLINE=1;KERAS_BACKEND=torch;PYTHONDONTWRITEBYTECODE=1;OMP_NUM_THREADS=1")
endfunction()

# sft_current(NAME SCRIPT FILE): FILE of this folder, which tests read, is what SCRIPT makes of the reference library today.
function(sft_current name script file)
  add_test(NAME ${name} COMMAND ${SFT_DEPS}/venv/bin/python ${script} --check ${file} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()
