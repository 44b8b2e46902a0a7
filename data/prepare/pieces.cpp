#include "data/prepare/pieces.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/input_file.h"
#include "base/stop_request.h"

namespace sft {
namespace {

using nlohmann::json;

// 64 pieces keep many ranks busy; tokens take about half the bytes of their text, so the largest
// shard is about 500 MB. A piece of 4 MiB is tokenized in a second, and smaller ones would only be more files to open.
constexpr int64_t kPieces = 64, kLeastBytes = 4 << 20, kMostBytes = 1 << 30;

std::vector<Piece> cut(const std::vector<int64_t>& sizes) {
  int64_t total = 0;
  for (const int64_t size : sizes) total += size;
  const int64_t piece_bytes = std::clamp(total / kPieces, kLeastBytes, kMostBytes);

  std::vector<Piece> pieces;
  int64_t left = 0;  // in the last piece
  for (size_t file = 0; file < sizes.size(); ++file) {
    for (int64_t at = 0; at < sizes[file];) {
      if (left == 0) {
        pieces.emplace_back();
        left = piece_bytes;
      }
      const int64_t bytes = std::min(left, sizes[file] - at);
      pieces.back().push_back({file, Place{at}, at + bytes});
      at += bytes;
      left -= bytes;
    }
  }
  return pieces;
}

// The slices behind which another one of the same file begins: what is in them matters there.
std::vector<InputSlice*> followed(std::vector<Piece>& pieces) {
  std::vector<InputSlice*> all;
  for (Piece& piece : pieces) {
    for (InputSlice& slice : piece) all.push_back(&slice);
  }
  std::vector<InputSlice*> out;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i + 1]->begin.byte > 0) out.push_back(all[i]);
  }
  return out;
}

}  // namespace

std::vector<Piece> cut_into_pieces(const std::vector<std::string>& files, const Peers& peers) {
  std::vector<int64_t> sizes;
  peers.together([&] {
    for (const std::string& path : files) sizes.push_back(InputFile(path).size());
  });
  std::vector<Piece> pieces = cut(sizes);
  std::vector<InputSlice*> surveyed = followed(pieces);

  json mine = json::array();  // [index, line breaks, state behind by state before]
  deal(static_cast<int64_t>(surveyed.size()), peers, [&](int64_t i) {
    const InputSlice& slice = *surveyed[static_cast<size_t>(i)];
    const Stretch stretch = survey(files[slice.file], slice.begin.byte, slice.end);
    mine.push_back({i, stretch.line_breaks, stretch.leaves});
  });

  std::vector<Stretch> stretches(surveyed.size());
  for (const std::string& part : peers.gather(mine.dump())) {
    for (const json& entry : json::parse(part)) {
      const auto i = entry[0].get<size_t>();
      stretches[i] = {surveyed[i]->end - surveyed[i]->begin.byte, entry[1], entry[2]};
    }
  }
  size_t next = 0;
  Place place;
  for (Piece& piece : pieces) {
    for (InputSlice& slice : piece) {
      if (slice.begin.byte > 0) slice.begin = place;
      if (next < surveyed.size() && surveyed[next] == &slice) place = behind(slice.begin, stretches[next++]);
    }
  }
  return pieces;
}

void deal(int64_t count, const Peers& peers, const std::function<void(int64_t)>& body) {
  for (int64_t first = 0; first < count; first += peers.self.count) {
    const int64_t mine = first + peers.self.index;
    peers.together([&] {
      leave_if_asked();
      if (mine < count) body(mine);
    });
  }
}

}  // namespace sft
