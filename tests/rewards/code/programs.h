#pragma once
// Programs under tests/fixtures/code, and how to judge many of them at once.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "rewards/code/judge.h"

namespace code_programs {

inline std::filesystem::path folder(const std::string& name) {
  return std::filesystem::path(R1_FIXTURES) / "code" / name;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What follows "// KEY: " or "# KEY: " on the first lines of a program; "" if it is not there.
inline std::string header(const std::string& source, const std::string& key) {
  std::istringstream lines(source);
  std::string line;
  for (int i = 0; i < 3 && std::getline(lines, line); ++i) {
    const auto at = line.find(" " + key + ": ");
    if (at != line.npos && at <= 2) return line.substr(at + key.size() + 3);
  }
  return "";
}

inline std::vector<std::filesystem::path> files(const std::string& name) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder(name))) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

struct Solution {
  std::string name;
  std::string tests;  // JSON
  std::string source;
};

// Sections "### NAME", lines "#: INPUT -> OUTPUT" in JSON, and the program. `is_call`: NAME is the entry point.
inline std::vector<Solution> solutions(const std::string& file, bool is_call, const std::string& language) {
  std::vector<Solution> found;
  std::istringstream lines(read_text(folder("honest") / file));
  std::string line, cases;
  const auto finish = [&] {
    if (found.empty()) return;
    const auto entry = is_call ? "\"entry_point\":\"" + found.back().name + "\"," : "";
    found.back().tests = "{\"language\":\"" + language + "\"," + entry + "\"cases\":[" + cases + "]}";
    cases.clear();
  };
  while (std::getline(lines, line)) {
    if (line.starts_with("### ")) {
      finish();
      found.push_back({line.substr(4), "", ""});
    } else if (line.starts_with("#: ")) {
      const auto arrow = line.find(" -> ");
      cases += (cases.empty() ? "{\"" : ",{\"") + std::string(is_call ? "args" : "stdin") +
               "\":" + line.substr(3, arrow - 3) + ",\"" + (is_call ? "result" : "stdout") +
               "\":" + line.substr(arrow + 4) + "}";
    } else if (!found.empty()) {
      found.back().source += line + "\n";
    }
  }
  finish();
  return found;
}

// Calls work(i) for i in [0, count) on several threads.
template <typename Work>
void in_parallel(size_t count, const Work& work) {
  std::atomic<size_t> next{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < count; at = next++) work(at);
    });
  }
}

inline r1::rewards::code::Tests parsed(const std::string& json) {
  auto tests = r1::rewards::code::parse_tests(json);
  if (!tests.tests) throw std::runtime_error(tests.reason + " in " + json);
  return *tests.tests;
}

}  // namespace code_programs
