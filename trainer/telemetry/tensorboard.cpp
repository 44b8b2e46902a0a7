// TensorBoard's event files, written by hand: TFRecord frames around Event messages of protocol buffers.
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "trainer/telemetry/event.h"

namespace sft {
namespace {

// Protocol buffers' wire format: a key is field << 3 | type.
enum Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, unsigned field, Wire wire) { put_varint(out, field << 3 | static_cast<unsigned>(wire)); }

void put_bytes(std::string& out, unsigned field, const std::string& value) {
  put_key(out, field, bytes);
  put_varint(out, value.size());
  out += value;
}

template <class Value>
void put_fixed(std::string& out, unsigned field, Wire wire, Value value) {
  put_key(out, field, wire);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);  // little-endian, as x86 and ARM are
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// tensorflow.Event: 1 wall_time, 2 step, 3 file_version, 5 summary. Summary: 1 value. Value: 1 tag, 2 simple_value.
std::string version_event() {
  std::string event;
  put_fixed(event, 1, fixed64, now());
  put_bytes(event, 3, "brain.Event:2");
  return event;
}

std::string scalars_event(int64_t step, const std::vector<std::pair<std::string, float>>& scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {
    std::string value;
    put_bytes(value, 1, tag);
    put_fixed(value, 2, fixed32, number);
    put_bytes(summary, 1, value);
  }
  std::string event;
  put_fixed(event, 1, fixed64, now());
  put_key(event, 2, varint);
  put_varint(event, static_cast<uint64_t>(step));
  put_bytes(event, 5, summary);
  return event;
}

// TFRecord's mask, so that a checksum of data holding checksums stays strong.
uint32_t masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

// Length, its checksum, the data, its checksum.
std::string record(const std::string& data) {
  const uint64_t length = data.size();
  const uint32_t length_crc = masked(crc32c(&length, sizeof length)), data_crc = masked(crc32c(data.data(), data.size()));
  std::string framed(reinterpret_cast<const char*>(&length), sizeof length);
  framed.append(reinterpret_cast<const char*>(&length_crc), sizeof length_crc);
  framed += data;
  framed.append(reinterpret_cast<const char*>(&data_crc), sizeof data_crc);
  return framed;
}

// transformers' TensorBoardCallback: eval_x becomes eval/x, the rest train/x.
std::string tag_of(const std::string& name) { return name.starts_with("eval_") ? "eval/" + name.substr(5) : "train/" + name; }

std::string file_name() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return concat("events.out.tfevents.", static_cast<int64_t>(now()), ".", host, ".", ::getpid());
}

}  // namespace

Sink make_tensorboard(const std::string& directory) {
  real_files().make_directory(directory);
  const std::string path = directory + "/" + file_name();
  const auto out = std::make_shared<std::ofstream>(path, std::ios::binary | std::ios::app);
  *out << record(version_event()) << std::flush;
  return [out, path](const Event& event) {
    if (event.kind == Event::Kind::summary) return;
    std::vector<std::pair<std::string, float>> scalars;
    for (const auto& [name, value] : event.values.items())
      if (value.is_number() && name != "step") scalars.emplace_back(tag_of(name), value.get<float>());
    if (scalars.empty()) return;
    *out << record(scalars_event(event.step, scalars)) << std::flush;
    if (!*out) throw StorageError("cannot write " + path);
  };
}

}  // namespace sft
