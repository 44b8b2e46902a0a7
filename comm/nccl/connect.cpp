#include "comm/nccl/connect.h"

#include "comm/nccl/nccl_communicator.h"
#include "comm/nccl/on_device.h"

namespace sft::nccl {
namespace {

// "GPU-" and 32 digits, as nvidia-smi has them, without its dashes.
std::string text_of(const Uuid& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "GPU-";
  for (const unsigned char byte : uuid) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

}  // namespace

std::vector<std::string> uuids_of(const DeviceTable& table) {
  int count = 0;
  check(table, table.count_devices(&count), "count the devices");
  std::vector<std::string> uuids;
  for (int device = 0; device < count; ++device) {
    Uuid uuid{};
    check(table, table.uuid_of(device, &uuid), "a device's UUID");
    uuids.push_back(text_of(uuid));
  }
  return uuids;
}

std::unique_ptr<Communicator> connect(const DeviceTable& table, const Placement& placement,
                                      std::unique_ptr<Communicator> control) {
  const OnDevice here(table, placement.device);
  Address address{};
  if (control->rank() == 0) check_link(table, table.make_address(&address), "make an address", 0);
  control->broadcast({address.data(), static_cast<int64_t>(address.size()), Element::u8}, 0);

  Link link = nullptr;
  check_link(table, table.connect(&link, control->size(), address, control->rank()), "connect", control->rank());
  auto world = std::make_unique<NcclCommunicator>(table, link, placement.device, std::move(control));
  world->prove();
  return world;
}

}  // namespace sft::nccl
