// Results of a device table are looked at, except in destructors.
#pragma once

#include <source_location>
#include <string>
#include <string_view>

#include "comm/nccl/device_table.h"

namespace sft::nccl {

// DeviceError with the device's text and the place, where `error` is not 0.
void check(const DeviceTable& table, int error, std::string_view operation,
           std::source_location where = std::source_location::current());

// CommError with the rank, the link's text and its last words, where `error` is not 0. `link` may be null.
void check_link(const DeviceTable& table, int error, std::string_view operation, int rank, Link link = nullptr,
                std::source_location where = std::source_location::current());

// "NCCL: unhandled system error; …": what check_link says of an error.
std::string text_of(const DeviceTable& table, int error, Link link);

}  // namespace sft::nccl
