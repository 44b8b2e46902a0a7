#include "trainer/config/other_trainers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/settings.h"
#include "base/text.h"
#include "trainer/config/run_config.h"

namespace sft {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& text, const std::regex& form) {
  return {std::sregex_token_iterator(text.begin(), text.end(), form, form.mark_count() > 0 ? 1 : 0),
          std::sregex_token_iterator()};
}

bool is_key(const BoundFields& fields, const std::string& word) {
  return std::ranges::any_of(fields, [&](const BoundField& field) {
    const size_t dot = word.find('.');
    return is_called(field, word) ||
           (dot != std::string::npos && field.section == word.substr(0, dot) && is_called(field, word.substr(dot + 1)));
  });
}

TEST(OtherTrainers, AreAnsweredWithKeysThatAreHere) {
  RunConfig config;
  const BoundFields fields = bind_fields(config);
  std::set<std::string> seen;
  for (const OtherNames& row : other_names()) {
    for (const std::string& name : words_of(std::string(row.names), std::regex("\\S+"))) {
      EXPECT_TRUE(seen.insert(name).second) << name << " stands twice";
      EXPECT_FALSE(is_key(fields, name)) << name << " is a key";
      EXPECT_EQ(said_here(name), row.here);
    }
    for (const std::string& key : words_of(std::string(row.here), std::regex("\\b[a-z]+\\.[a-z_0-9]+\\b")))
      EXPECT_TRUE(is_key(fields, key) || key == "config.json" || key == "metrics.jsonl" || key == "summary.json")
          << key;
  }
  EXPECT_EQ(said_here("bf"), "");
}

TEST(OtherTrainers, AreOnThePageThatTeachesThem) {
  std::ifstream file(SFT_PAGE);
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str(), same_names = "## The same name", table = "| there | here |\n|---|---|\n";
  const size_t same = text.find(same_names), other = text.find(table);
  ASSERT_NE(same, std::string::npos);
  ASSERT_NE(other, std::string::npos);
  std::string rows;
  for (const OtherNames& row : other_names()) {
    const std::string names = std::regex_replace(std::string(row.names), std::regex(" "), "`, `");
    rows += concat("| `", names, "` | ", row.here, " |\n");
  }
  EXPECT_EQ(text.substr(other + table.size(), rows.size()), rows);
  RunConfig config;
  const BoundFields fields = bind_fields(config);
  const std::string list = text.substr(text.find("keys):", same), other - text.find("keys):", same));
  for (const std::string& name : words_of(list, std::regex("`([a-z_0-9]+)`")))
    EXPECT_TRUE(is_key(fields, name)) << name;
}

}  // namespace
}  // namespace sft
