#include <fmt/format.h>

#include "rewards/code/language.h"

namespace r1::rewards::code {
namespace {

constexpr std::string_view kFences[]{"cpp", "c++", "cxx", "cc", "cpp17", "cpp20", "c++17", "c++20"};

// A name such as `f`, `n::f` or `Solution.f`: it goes into a source text.
bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    const bool is_letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' || c == '.';
    if (!is_letter) return false;
  }
  return true;
}

// The program with its caller around it: headers first, then the program, whose own main() gets another name. `signed`
// and not `int`, which programs of contests define as long long.
std::string with_caller(const std::string& source, const std::string& entry_point) {
  std::string call = "&" + entry_point;
  if (const auto dot = entry_point.find('.'); dot != entry_point.npos) {
    call = "&" + entry_point.substr(0, dot) + "::" + entry_point.substr(dot + 1);
  }
  return fmt::format(
      "{}\n#define main r1_own_main\n#line 1 \"solution.cpp\"\n{}\n#undef main\nsigned main() {{ return "
      "r1_harness::run({}); }}\n",
      cpp_harness(), source, call);
}

Build refused(std::string detail) { return {.end = Build::End::kRefused, .program = {}, .detail = std::move(detail)}; }

std::string first_error(const std::string& text) {
  auto at = text.find("error:");
  if (at == text.npos) at = text.find("undefined reference");
  if (at == text.npos) at = 0;
  const auto begin = text.rfind('\n', at);
  const auto line = text.substr(begin == text.npos ? 0 : begin + 1, 300);
  return line.substr(0, line.find('\n'));
}

Build build(const std::string& source, const std::string& entry_point, const Toolchain& toolchain,
            sandbox::Sandbox& sandbox) {
  if (!entry_point.empty() && !is_name(entry_point))
    return {.program = {}, .detail = "the entry point is no name of C++"};
  sandbox::Job job;
  job.argv = {toolchain.cpp};
  job.argv.insert(job.argv.end(), toolchain.cpp_flags.begin(), toolchain.cpp_flags.end());
  job.argv.insert(job.argv.end(), {"-o", "program", "main.cpp"});
  job.files = {{"main.cpp", entry_point.empty() ? source : with_caller(source, entry_point)}};
  job.collect = "program";
  auto outcome = sandbox.run(job, toolchain.compile_limits);
  if (outcome.end == sandbox::End::kFailed) return {.program = {}, .detail = outcome.detail};
  // A compiler never sleeps, so this is a machine that has no time for it.
  if (outcome.end == sandbox::End::kWallTime) return {.program = {}, .detail = "the compiler found no processor time"};
  if (outcome.end != sandbox::End::kExited) {
    return refused(fmt::format("the compiler was stopped: {}", sandbox::to_string(outcome.end)));
  }
  if (outcome.code != 0 || outcome.result.empty()) return refused(first_error(outcome.err));
  return {.end = Build::End::kBuilt,
          .program = {.source = "", .binary = std::make_shared<sandbox::Binary>(outcome.result)},
          .detail = ""};
}

sandbox::Job job_for(const Program& program) {
  sandbox::Job job;
  job.argv = {"program"};
  job.binary = program.binary;
  return job;
}

sandbox::Job call(const Program& program, const std::string&, const std::vector<Value>& args,
                  const std::string& nonce) {
  auto job = job_for(program);
  job.message = nonce + "\n[";
  for (const auto& argument : args) job.message.append(job.message.ends_with('[') ? "" : ",").append(to_text(argument));
  job.message += "]";
  return job;
}

sandbox::Job script(const Program& program, const std::string& input) {
  auto job = job_for(program);
  job.input = input;
  return job;
}

Frame::Kind read_exit(const sandbox::Outcome& outcome) {
  return outcome.err.find("std::bad_alloc") != outcome.err.npos ? Frame::Kind::kMemory : Frame::Kind::kError;
}

}  // namespace

const Language kCpp{"cpp", kFences, build, call, script, read_exit};

}  // namespace r1::rewards::code
