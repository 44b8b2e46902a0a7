// A page that needs nothing but itself: style and script stand in it.
#pragma once

#include <string>
#include <vector>

#include "trainer/metrics/suspicious_rows.h"
#include "trainer/report/run_record.h"

namespace sft {

// With rows whose labels are likely wrong, which stand in no run directory; null: nobody looked for them.
std::string run_page(const RunRecord& record, const std::vector<SuspiciousRow>* suspicious = nullptr);
std::string comparison_page(const std::vector<RunRecord>& records);

// page.css and page.js, put into the program by the build.
extern const char* const kPageStyle;
extern const char* const kPageScript;

// The frame of every page. `title` is plain text, `body` is HTML.
std::string page(const std::string& title, const std::string& body);

}  // namespace sft
