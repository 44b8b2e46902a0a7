// What an exception that reaches the end of the program means to its user.
#include "launch/failure.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/errors.h"

namespace sft {
namespace {

Failure failure_of(const std::function<void()>& body) {
  try {
    body();
  } catch (...) {
    return current_failure();
  }
  return {};
}

void fail_in_cuda(const std::string& text) {
  throw c10::AcceleratorError({__func__, __FILE__, static_cast<uint32_t>(__LINE__)}, 719, "CUDA error: " + text);
}

TEST(Failure, AnErrorOfTheGpuIsTheDevices) {
  const Failure failure = failure_of([] { fail_in_cuda("unspecified launch failure\nmore about it"); });
  EXPECT_EQ(failure.code, ExitCode::device);
  EXPECT_EQ(failure.message, "CUDA error: unspecified launch failure");
  EXPECT_EQ(failure.reach, Reach::here);
}

TEST(Failure, AGpuWithoutRoomIsOutOfMemory) {
  EXPECT_EQ(failure_of([] { fail_in_cuda("out of memory"); }).code, ExitCode::out_of_memory);
}

// LibTorch's words for what cuBLAS and cuDNN answer.
TEST(Failure, AnErrorOfALibraryOfTheGpuIsTheDevices) {
  const std::string call =
      " when calling `cublasSgemm( handle, opa, opb, m, n, k, &alpha, a, lda, b, ldb, &beta, c, ldc)`";
  const Failure failure = failure_of([&] { TORCH_CHECK(false, "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED", call); });
  EXPECT_EQ(failure.code, ExitCode::device);
  EXPECT_EQ(failure.message, "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED" + call);
  const auto code_of = [](const char* text) { return failure_of([&] { TORCH_CHECK(false, text); }).code; };
  EXPECT_EQ(code_of("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"), ExitCode::device);
  EXPECT_EQ(code_of("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED_CUDART"), ExitCode::device);
  EXPECT_EQ(code_of("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            ExitCode::out_of_memory);
  EXPECT_EQ(code_of("CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasSgemm`"), ExitCode::internal);
}

TEST(Failure, AnErrorOfLibTorchIsInternal) {
  EXPECT_EQ(failure_of([] { TORCH_CHECK(false, "a shape"); }).code, ExitCode::internal);
}

}  // namespace
}  // namespace sft
