#include "trainer/report/settings_tables.h"

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

std::string row_of(const UsedSetting& setting) {
  return concat("<tr><td><code>", html(setting.key), "</code></td><td><code>", html(setting.value),
                "</code></td><td><code>", html(setting.usual.empty() ? "–" : setting.usual), "</code></td><td>",
                html(setting.help), "</td></tr>");
}

const char* const kHead = "<thead><tr><th>Setting</th><th>Value</th><th>Default</th><th>Meaning</th></tr></thead>";

}  // namespace

std::string settings_tables(const RunRecord& record) {
  if (record.settings.empty()) return "<p class=\"note\">config.toml could not be read.</p>\n";
  std::string changed, all;
  for (const UsedSetting& setting : record.settings) {
    all += row_of(setting);
    if (setting.value != setting.usual) changed += row_of(setting);
  }
  return concat("<table class=\"settings wide\"><caption>What differs from the defaults</caption>", kHead, "<tbody>",
                changed, "</tbody></table>\n<details><summary>All ", record.settings.size(),
                " settings</summary><table class=\"settings wide\">", kHead, "<tbody>", all,
                "</tbody></table></details>\n");
}

}  // namespace sft
