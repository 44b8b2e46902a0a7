#include "trainer/tasks/question_answering/squad_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {

using nlohmann::json;

void write_squad(const std::string& predictions, const std::string& path, FileOps& files) {
  std::ifstream rows(predictions, std::ios::binary);
  std::string out = "{";
  for (std::string line; std::getline(rows, line);) {
    const json row = json::parse(line);
    out += out.size() > 1 ? ",\n" : "\n";
    out += row.at("id").dump() + ": " + row.at("answer").dump();
  }
  write_atomically(files, path, out + "\n}\n");
}

}  // namespace sft
