#include "launch/shaped_predictions.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/errors.h"
#include "base/log.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "data/readers/cell_json.h"
#include "data/readers/input_rows.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kBufferBytes = 1 << 20;

char delimiter_of(const std::string& path) {
  return path.ends_with(".csv") ? ',' : path.ends_with(".tsv") ? '\t' : '\0';
}

std::string dumped(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json kept_value(const Row& row, const std::string& name) {
  const Cell* cell = row.find(name);
  if (cell == nullptr) return nullptr;
  try {
    return json_of(*cell);
  } catch (const CellProblem& problem) {
    if (cell->kind == Cell::Kind::number) return cell->text;
    throw BadRow(concat(row.place(), ": --keep ", in_quotes(name), ", and the value ", problem.what));
  }
}

// What the first row tells of columns that cannot be kept, told before anything is computed.
void require_kept_values(const StringList& keep, const StringList& files, Quotes quotes) {
  InputRows rows(files, quotes);
  Row row;
  try {
    if (!rows.next(row)) return;
  } catch (const BadRow&) {
    return;  // told, or counted, when the rows are read
  }
  for (const std::string& name : keep) kept_value(row, name);
}

// The largest scores, or the first of the ranked member; false where a row has neither.
bool cut_to_best(Json& row, const std::string& ranked, size_t k) {
  if (const auto scores = row.find("scores"); scores != row.end() && scores->is_object()) {
    std::vector<std::pair<double, std::string>> all;
    for (const auto& [name, score] : scores->items()) all.emplace_back(score.get<double>(), name);
    std::ranges::stable_sort(all, std::greater(), [](const auto& one) { return one.first; });
    all.resize(std::min(k, all.size()));
    *scores = Json::object();
    for (const auto& [score, name] : all) (*scores)[name] = score;
    return true;
  }
  const auto best = row.find(ranked);
  if (best == row.end() || !best->is_array()) return row.is_null();
  while (best->size() > k) best->erase(best->size() - 1);
  return true;
}

// Which of the names are members of some prediction. A row without a prediction, null, tells none.
std::set<std::string> taken_names(const std::string& path, const StringList& names) {
  std::set<std::string> taken;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; taken.size() < names.size() && std::getline(in, line);) {
    leave_if_asked();
    for (const std::string& name : names)
      if (!taken.contains(name) && line.find(dumped(name)) != line.npos && Json::parse(line).contains(name))
        taken.insert(name);
  }
  return taken;
}

class Predictions {
 public:
  Predictions(const std::string& path, const StringList& files, Quotes quotes, const PredictionShape& shape)
      : path_(path), files_(files), quotes_(quotes), shape_(shape), taken_(taken_names(path, shape.keep)) {}

  void for_each(const std::function<void(const Json&)>& visit) const {
    std::ifstream in(path_, std::ios::binary);
    InputRows rows(files_, quotes_);
    Row row;
    for (std::string line; std::getline(in, line);) {
      leave_if_asked();
      Json prediction = Json::parse(line);
      if (shape_.top_k > 0 && !cut_to_best(prediction, shape_.ranked, static_cast<size_t>(shape_.top_k)))
        log::warn_once("--top-k has no effect: these predictions have neither scores of classes nor best answers");
      if (shape_.keep.empty()) {
        visit(prediction);
        continue;
      }
      if (!rows.next(row))
        throw DataError(concat(join(files_, ", "), ": fewer rows than were predicted; did it change?"));
      Json whole = Json::object();
      for (const std::string& name : shape_.keep)
        whole[taken_.contains(name) ? "input_" + name : name] = kept_value(row, name);
      if (prediction.is_object()) whole.update(prediction);
      visit(whole);
    }
    if (in.bad()) throw StorageError("cannot read back " + path_);
  }

 private:
  const std::string& path_;
  const StringList& files_;
  Quotes quotes_;
  const PredictionShape& shape_;
  std::set<std::string> taken_;  // kept columns that predictions have a member of the same name as
};

// Calls visit(column, value) on what stands in a row of a table.
template <class Visit>
void for_each_column(const Json& row, const Visit& visit) {
  for (const auto& [name, value] : row.items()) {
    if (!value.is_object()) {
      visit(name, value);
      continue;
    }
    for (const auto& [member, inner] : value.items()) visit(name + "." + member, inner);
  }
}

std::string csv_cell(const std::string& text, char delimiter) {
  if (text.find_first_of(std::string("\"\r\n") + delimiter) == text.npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + '"';
}

std::string csv_value(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : dumped(value);
}

void write_csv(const Predictions& predictions, char delimiter, const std::function<void(const std::string&)>& write) {
  StringList columns;
  std::set<std::string> known;
  predictions.for_each([&](const Json& row) {
    if (!row.is_object()) return;
    for_each_column(row, [&](const std::string& column, const Json&) {
      if (known.insert(column).second) columns.push_back(column);
    });
  });
  const auto line_of = [&](const StringList& cells) {
    StringList quoted;
    for (const std::string& cell : cells) quoted.push_back(csv_cell(cell, delimiter));
    // A row of one empty cell would be a blank line, which readers pass over.
    return (quoted.size() == 1 && quoted[0].empty() ? "\"\"" : join(quoted, std::string(1, delimiter))) + "\n";
  };
  write(line_of(columns));
  predictions.for_each([&](const Json& row) {
    std::map<std::string, std::string> cells;
    if (row.is_object())
      for_each_column(row, [&](const std::string& column, const Json& value) { cells[column] = csv_value(value); });
    StringList all;
    for (const std::string& column : columns) all.push_back(cells[column]);
    write(line_of(all));
  });
}

void write_to_file(FileOps& file_ops, const std::string& path, const std::string& temporary,
                   const std::function<void(const std::function<void(const std::string&)>&)>& body) {
  ::unlink(temporary.c_str());
  const int file = file_ops.create(temporary);
  std::string buffer;
  int64_t written = 0;
  const auto flush = [&] {
    file_ops.write(file, buffer.data(), buffer.size(), written, temporary);
    written += static_cast<int64_t>(buffer.size());
    buffer.clear();
  };
  body([&](const std::string& text) {
    buffer += text;
    if (buffer.size() >= kBufferBytes) flush();
  });
  flush();
  file_ops.sync(file, temporary);
  file_ops.close(file, temporary);
  file_ops.rename(temporary, path);
}

}  // namespace

bool PredictionShape::is_plain(const std::string& path) const {
  return keep.empty() && top_k == 0 && !is_standard(path) && delimiter_of(path) == '\0';
}

void require_kept(const PredictionShape& shape, const StringList& files, Quotes quotes) {
  if (shape.keep.empty()) return;
  for (const std::string& file : files) {
    if (!is_row_file(file)) throw ConfigError(concat("--keep: ", file, " has no columns to keep"));
    const StringList columns = columns_of(file, quotes);
    for (const std::string& name : shape.keep)
      if (!columns.empty() && std::ranges::find(columns, name) == columns.end())
        throw ConfigError(concat(file, ": --keep ", in_quotes(name), ", but the columns are: ", join(columns, ", "),
                                 did_you_mean(name, columns)));
    require_kept_values(shape.keep, {file}, quotes);
  }
}

void write_shaped(const std::string& predictions, const std::string& path, const std::string& temporary,
                  const StringList& files, Quotes quotes, const PredictionShape& shape, FileOps& file_ops) {
  const Predictions all(predictions, files, quotes, shape);
  const auto write_all = [&](const std::function<void(const std::string&)>& write) {
    if (const char delimiter = delimiter_of(path)) return write_csv(all, delimiter, write);
    all.for_each([&](const Json& row) { write(dumped(row) + "\n"); });
  };
  if (!is_standard(path)) return write_to_file(file_ops, path, temporary, write_all);
  write_all([](const std::string& text) { std::cout << text; });
}

}  // namespace sft
