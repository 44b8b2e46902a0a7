#include "tests/comm/loopback/calls.h"
#include "tests/comm/loopback/links.h"
#include "tests/comm/loopback/loopback.h"

namespace sft::test::loopback {

void restart() {
  machine().notify([] {
    machine().fault.clear();
    machine().touched.clear();
    machine().waits.clear();
    restore_links();
  });
}

const nccl::DeviceTable& table() {
  static const nccl::DeviceTable filled = [] {
    nccl::DeviceTable table;
    fill_device_calls(table);
    fill_link_calls(table);
    return table;
  }();
  return filled;
}

}  // namespace sft::test::loopback
