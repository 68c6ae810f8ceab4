#include <array>

#include "rewards/code/language.h"

namespace r1::rewards::code {
namespace {

constexpr std::string_view kFences[]{"python", "py", "python3"};
constexpr int kSyntaxError = 123, kMemoryError = 122;  // exit statuses of harness/run.py

std::string json_text(std::string_view text) {
  return to_text({.kind = Value::Kind::kString, .text = std::string(text), .items = {}});
}

// Python compiles as it runs: a syntax error shows there.
Build build(const std::string& source, const std::string&, const Toolchain&, sandbox::Sandbox&) {
  return {.end = Build::End::kBuilt, .program = {.source = source, .binary = nullptr}, .detail = ""};
}

sandbox::Job warm_job(std::string message, std::string input) {
  return {.start = sandbox::Job::Start::kWarm,
          .argv = {},
          .input = std::move(input),
          .message = std::move(message),
          .files = {},
          .collect = {}};
}

sandbox::Job call(const Program& program, const std::string& entry_point, const std::vector<Value>& args,
                  const std::string& nonce) {
  std::string list;
  for (const auto& argument : args) list.append(list.empty() ? "" : ",").append(to_json(argument));
  return warm_job("{\"mode\":\"call\",\"source\":" + json_text(program.source) + ",\"entry\":" +
                      json_text(entry_point) + ",\"args\":[" + list + "],\"nonce\":" + json_text(nonce) + "}",
                  "");
}

sandbox::Job script(const Program& program, const std::string& input) {
  return warm_job("{\"mode\":\"script\",\"source\":" + json_text(program.source) + "}", input);
}

Frame::Kind read_exit(const sandbox::Outcome& outcome) {
  if (outcome.end != sandbox::End::kExited) return Frame::Kind::kError;
  return outcome.code == kSyntaxError   ? Frame::Kind::kSyntax
         : outcome.code == kMemoryError ? Frame::Kind::kMemory
                                        : Frame::Kind::kError;
}

}  // namespace

const Language kPython{"python", kFences, build, call, script, read_exit};

sandbox::WarmInterpreter warm_python(const Toolchain& toolchain) {
  return {{toolchain.python, "-I", "-B", "-c", std::string(python_harness()), "warm"}};
}

}  // namespace r1::rewards::code
