#include "data/prepare/find_target.h"

#include <map>
#include <nlohmann/json.hpp>

#include "data/prepare/target_cells.h"
#include "data/readers/reader.h"
#include "data/readers/target_form.h"

namespace sft {
namespace {

using nlohmann::json;

// What the rows of a piece tell, up to the first that tells all.
struct Evidence {
  std::string form;   // of the first row that tells one; "" for none
  int64_t width = 0;  // numbers in the first row; 0: no row
  bool lists = false;
};

class Search {
 public:
  Search(const PrepareRequest& request, const DataConfig& config) : request_(request), config_(config) {}

  Evidence in(const Piece& piece) const {
    Evidence found;
    if (request_.target) found.form = name_of(*request_.target);
    Row row;
    for (const InputSlice& slice : piece) {
      const auto reader = open_reader(request_.files[slice.file], slice.begin, slice.end);
      while (found.form.empty() || found.width == 0) {
        try {
          if (!reader->next(row)) break;
        } catch (const BadRow&) {
          continue;
        }
        if (const Cell* cell = row.find(config_.label_column)) look_at(*cell, found);
      }
    }
    return found;
  }

 private:
  void look_at(const Cell& cell, Evidence& found) const {
    if (found.width == 0) found.width = count_values(cell, config_.label_separator);
    found.lists = found.lists || cell.kind == Cell::Kind::list;
    if (!found.form.empty()) return;
    if (const auto form = form_told_by(cell)) found.form = name_of(*form);
  }

  const PrepareRequest& request_;
  const DataConfig& config_;
};

}  // namespace

Target find_target(const PrepareRequest& request, const DataConfig& config, const std::vector<Piece>& pieces,
                   const Peers& peers) {
  const Search search(request, config);
  json mine = json::array();
  deal(static_cast<int64_t>(pieces.size()), peers, [&](int64_t i) {
    const Evidence found = search.in(pieces[static_cast<size_t>(i)]);
    mine.push_back({i, found.form, found.width, found.lists});
  });
  std::map<int64_t, Evidence> by_piece;
  for (const std::string& part : peers.gather(mine.dump())) {
    for (const json& entry : json::parse(part))
      by_piece[entry[0].get<int64_t>()] = {entry[1].get<std::string>(), entry[2].get<int64_t>(), entry[3].get<bool>()};
  }
  Evidence all;
  for (const auto& [piece, found] : by_piece) {
    if (all.form.empty()) all.form = found.form;
    if (all.width == 0) all.width = found.width;
    all.lists = all.lists || found.lists;
  }
  const TargetForm of_whole_numbers = all.lists ? TargetForm::label_set : TargetForm::label;
  return {target_form_named(all.form).value_or(of_whole_numbers), all.width};
}

}  // namespace sft
