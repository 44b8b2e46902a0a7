// Cuts texts for reference.py: a JSON object a line on standard input, {"model", "side", "texts"}; answers with the ids
// of each text and those ids as text, {"ids", "decoded"}, a line each.
#include <iostream>
#include <nlohmann/json.hpp>

#include "data/text/tokenizer.h"

int main() {
  using nlohmann::json;
  std::string line;
  while (std::getline(std::cin, line)) {
    const json wanted = json::parse(line);
    const auto texts = wanted["texts"].get<std::vector<std::string>>();
    const auto tokenizer = wanted["side"] == "target" ? sft::Tokenizer::of_targets(wanted["model"])
                                                      : sft::Tokenizer::from_directory(wanted["model"]);
    json ids = json::array(), decoded = json::array();
    for (const sft::Encoding& encoding : tokenizer->encode_batch({texts.begin(), texts.end()})) {
      ids.push_back(encoding.ids);
      decoded.push_back(tokenizer->decode(encoding.ids));
    }
    std::cout << json{{"ids", ids}, {"decoded", decoded}}.dump() << std::endl;
  }
}
