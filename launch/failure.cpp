#include "launch/failure.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <span>
#include <string_view>
#include <system_error>

#include "base/file_error.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

// LibTorch's messages carry a stack trace after their first line.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool holds_one_of(std::string_view text, std::span<const std::string_view> some) {
  return std::ranges::any_of(some, [&](std::string_view words) { return text.find(words) != text.npos; });
}

// Neither LibTorch's allocator of the CPU nor oneDNN, which maps memory for the code it makes, has a type of its own
// for it. oneDNN's words are the same for other reasons, none of which a run has met.
bool tells_of_lack_of_memory(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {
      "Resource temporarily unavailable",  // of a thread that finds no room
      "can't allocate memory",
      "not enough memory",
      "annot allocate memory",
      "could not create a primitive",
      "could not execute a primitive",
      "could not create a memory",
      "STATUS_ALLOC_FAILED",  // of cuBLAS and cuDNN
      "out of memory"};
  return holds_one_of(text, kWords);
}

// cuBLAS and cuDNN, whose errors LibTorch throws without a type of their own.
bool tells_of_device(std::string_view text) {
  constexpr std::array<std::string_view, 2> kWords = {"STATUS_EXECUTION_FAILED", "STATUS_INTERNAL_ERROR"};
  return holds_one_of(text, kWords);
}

Failure out_of_memory(const std::string& what) {
  return {ExitCode::out_of_memory, concat("out of memory", what.empty() ? "" : ": " + what,
                                          "; lower train.max_tokens_per_micro_batch, or run fewer ranks on a host")};
}

Failure of_others(const std::string& text) {
  const std::string line = first_line(text);
  if (tells_of_lack_of_memory(line)) return out_of_memory(line);
  return {tells_of_device(line) ? ExitCode::device : ExitCode::internal, line};
}

}  // namespace

Failure current_failure() {
  try {
    throw;
  } catch (const Error& error) {
    if (error.code() == ExitCode::internal && tells_of_lack_of_memory(error.what())) return out_of_memory(error.what());
    return {error.code(), error.what(), error.reach()};
  } catch (const c10::OutOfMemoryError& error) {
    return out_of_memory(first_line(error.what_without_backtrace()));
  } catch (const c10::AcceleratorError& error) {  // CUDA's, of whatever was queued before
    const std::string line = first_line(error.what_without_backtrace());
    return tells_of_lack_of_memory(line) ? out_of_memory(line) : Failure{ExitCode::device, line};
  } catch (const c10::Error& error) {
    return of_others(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return out_of_memory("");
  } catch (const std::filesystem::filesystem_error& error) {
    return {told(error).code(), told(error).what()};
  } catch (const std::system_error& error) {
    // A thread for which there is no room is EAGAIN.
    const bool no_room =
        error.code() == std::errc::not_enough_memory || error.code() == std::errc::resource_unavailable_try_again;
    return no_room ? out_of_memory(error.what()) : Failure{ExitCode::internal, error.what()};
  } catch (const std::exception& error) {
    return of_others(error.what());
  } catch (...) {
    return {ExitCode::internal, "an exception of an unknown type"};
  }
}

void report_uncaught_exceptions() {
  std::set_terminate([] {
    if (!std::current_exception()) std::abort();
    const Failure failure = current_failure();
    log::error(failure.message);
    std::fflush(nullptr);
    ::_exit(static_cast<int>(failure.code));
  });
}

}  // namespace sft
