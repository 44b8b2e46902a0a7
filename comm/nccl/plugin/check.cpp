#include "comm/nccl/plugin/check.h"

#include "base/errors.h"
#include "base/text.h"

namespace sft::nccl {
namespace {

std::string place(const std::source_location& where) { return concat(" (", where.file_name(), ":", where.line(), ")"); }

}  // namespace

void check(cudaError_t result, std::string_view operation, std::source_location where) {
  if (result != cudaSuccess) throw DeviceError(concat(operation, ": ", cudaGetErrorString(result), place(where)));
}

void check(ncclResult_t result, std::string_view operation, int rank, ncclComm_t comm, std::source_location where) {
  if (result == ncclSuccess) return;
  throw CommError(concat("rank ", rank, ", ", operation, ": NCCL: ", ncclGetErrorString(result), "; ",
                         ncclGetLastError(comm), "; NCCL_DEBUG=INFO tells more", place(where)));
}

}  // namespace sft::nccl
