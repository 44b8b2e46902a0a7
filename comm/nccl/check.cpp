#include "comm/nccl/check.h"

#include "base/errors.h"
#include "base/text.h"

namespace sft::nccl {
namespace {

std::string place(const std::source_location& where) { return concat(" (", where.file_name(), ":", where.line(), ")"); }

}  // namespace

void check(const DeviceTable& table, int error, std::string_view operation, std::source_location where) {
  if (error != 0) throw DeviceError(concat(operation, ": ", table.error_text(error), place(where)));
}

void check_link(const DeviceTable& table, int error, std::string_view operation, int rank, Link link,
                std::source_location where) {
  if (error == 0) return;
  throw CommError(concat("rank ", rank, ", ", operation, ": ", text_of(table, error, link), place(where)));
}

std::string text_of(const DeviceTable& table, int error, Link link) {
  return concat("NCCL: ", table.link_error_text(error), "; ", table.last_words(link), "; NCCL_DEBUG=INFO tells more");
}

}  // namespace sft::nccl
