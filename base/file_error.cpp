#include "base/file_error.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sft {

Error told(const std::filesystem::filesystem_error& error) {
  constexpr std::array<std::errc, 3> kOfStorage{std::errc::no_space_on_device, std::errc::read_only_file_system,
                                                std::errc::io_error};
  const bool of_storage = std::ranges::any_of(kOfStorage, [&](std::errc each) { return error.code() == each; });
  const bool of_memory = error.code() == std::errc::not_enough_memory;
  return {of_memory    ? ExitCode::out_of_memory
          : of_storage ? ExitCode::cannot_write
                       : ExitCode::config,
          concat(in_quotes(error.path1().string()), ": ", error.code().message())};
}

}  // namespace sft
