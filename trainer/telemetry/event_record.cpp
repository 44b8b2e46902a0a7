// Written by hand, since five kinds of field are all there is.
#include "trainer/telemetry/event_record.h"

#include <bit>
#include <nlohmann/json.hpp>

#include "base/crc32c.h"

namespace sft {
namespace {

static_assert(std::endian::native == std::endian::little, "fixed fields and frames are little-endian");

enum Wire : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// event.proto
constexpr unsigned kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr unsigned kSessionStatus = 1, kSessionStart = 1;
// summary.proto
constexpr unsigned kValue = 1, kTag = 1, kSimpleValue = 2, kMetadata = 9;
constexpr unsigned kPluginData = 1, kPluginName = 1, kContent = 2;
// hparams/plugin_data.proto
constexpr unsigned kStarted = 3, kEnded = 4;
constexpr unsigned kHparams = 1, kStartTime = 5;
constexpr unsigned kStatus = 1, kEndTime = 2, kSuccess = 1;
// A map's entry, and google/protobuf/struct.proto's Value.
constexpr unsigned kKey = 1, kMapped = 2;
constexpr unsigned kNumber = 2, kText = 3, kBool = 4;

template <class Value>
void append_raw(std::string& out, Value value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Seven bits a byte, the lowest first.
void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void append_key(std::string& out, unsigned field, Wire wire) { append_varint(out, field << 3 | wire); }

void append_count(std::string& out, unsigned field, uint64_t value) {
  append_key(out, field, kVarint);
  append_varint(out, value);
}

void append_bytes(std::string& out, unsigned field, const std::string& value) {
  append_key(out, field, kBytes);
  append_varint(out, value.size());
  out += value;
}

void append_double(std::string& out, unsigned field, double value) {
  append_key(out, field, kFixed64);
  append_raw(out, value);
}

std::string event_at(double seconds) {
  std::string event;
  append_double(event, kWallTime, seconds);
  return event;
}

// TFRecord masks its checksums, so that the checksum of data that holds checksums stays strong.
uint32_t masked_crc(const void* data, size_t bytes) {
  const uint32_t crc = crc32c(data, bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

// Length, its checksum, the data, its checksum.
std::string framed(const std::string& data) {
  const uint64_t length = data.size();
  std::string record;
  append_raw(record, length);
  append_raw(record, masked_crc(&length, sizeof length));
  record += data;
  append_raw(record, masked_crc(data.data(), data.size()));
  return record;
}

std::string value_of(const nlohmann::ordered_json& setting) {
  std::string value;
  if (setting.is_boolean())
    append_count(value, kBool, setting.get<bool>() ? 1 : 0);
  else if (setting.is_number())
    append_double(value, kNumber, setting.get<double>());
  else
    append_bytes(value, kText, setting.is_string() ? setting.get<std::string>() : setting.dump());
  return value;
}

// A value without a number, whose metadata hold what the board reads.
std::string hparams_record(double seconds, const std::string& tag, unsigned kind, const std::string& about) {
  std::string content, plugin, metadata, value, summary;
  append_bytes(content, kind, about);
  append_bytes(plugin, kPluginName, "hparams");
  append_bytes(plugin, kContent, content);
  append_bytes(metadata, kPluginData, plugin);
  append_bytes(value, kTag, tag);
  append_bytes(value, kMetadata, metadata);
  append_bytes(summary, kValue, value);
  std::string event = event_at(seconds);
  append_bytes(event, kSummary, summary);
  return framed(event);
}

}  // namespace

std::string settings_record(double seconds, const nlohmann::ordered_json& settings) {
  std::string started;
  for (const auto& [name, setting] : settings.items()) {
    std::string entry;
    append_bytes(entry, kKey, name);
    append_bytes(entry, kMapped, value_of(setting));
    append_bytes(started, kHparams, entry);
  }
  append_double(started, kStartTime, seconds);
  return hparams_record(seconds, "_hparams_/session_start_info", kStarted, started);
}

std::string ended_record(double seconds) {
  std::string ended;
  append_count(ended, kStatus, kSuccess);
  append_double(ended, kEndTime, seconds);
  return hparams_record(seconds, "_hparams_/session_end_info", kEnded, ended);
}

std::string version_record(double seconds) {
  std::string event = event_at(seconds);
  append_bytes(event, kFileVersion, "brain.Event:2");
  return framed(event);
}

std::string start_record(double seconds, int64_t step) {
  std::string event = event_at(seconds);
  append_count(event, kStep, static_cast<uint64_t>(step));
  std::string session;
  append_count(session, kSessionStatus, kSessionStart);
  append_bytes(event, kSessionLog, session);
  return framed(event);
}

std::string scalars_record(double seconds, int64_t step, const std::vector<std::pair<std::string, float>>& scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {
    std::string value;
    append_bytes(value, kTag, tag);
    append_key(value, kSimpleValue, kFixed32);
    append_raw(value, number);
    append_bytes(summary, kValue, value);
  }
  std::string event = event_at(seconds);
  append_count(event, kStep, static_cast<uint64_t>(step));
  append_bytes(event, kSummary, summary);
  return framed(event);
}

}  // namespace sft
