#include "rewards/code/judge.h"

#include <fmt/format.h>

#include <chrono>

#include "core/error.h"
#include "core/hash.h"
#include "rewards/code/code_block.h"

namespace r1::rewards::code {
namespace {

constexpr size_t kMaxBuilds = 256;
constexpr auto kLongestBuild = std::chrono::minutes(10);

sandbox::Limits limits_for(const JudgeOptions& options, const Tests& tests) {
  auto limits = options.limits;
  if (tests.cpu_ms) {
    limits.cpu_ms = *tests.cpu_ms;
    limits.wall_ms = std::max(limits.wall_ms, 3 * limits.cpu_ms);
  }
  if (tests.wall_ms) limits.wall_ms = *tests.wall_ms;
  if (tests.memory_mb) limits.memory_bytes = *tests.memory_mb << 20;
  return limits;
}

// What a run's end says before its results are looked at; kPassed says nothing.
Finding finding_of(const sandbox::Outcome& outcome) {
  switch (outcome.end) {
    case sandbox::End::kCpuTime:
    case sandbox::End::kWallTime:
      return Finding::kTime;
    case sandbox::End::kMemory:
      return Finding::kMemory;
    case sandbox::End::kOutput:
      return Finding::kOutput;
    case sandbox::End::kFailed:
      return Finding::kUndecided;
    default:
      return Finding::kPassed;
  }
}

std::string end_of(const sandbox::Outcome& outcome) {
  switch (outcome.end) {
    case sandbox::End::kFailed:
      return "the sandbox failed: " + outcome.detail;
    case sandbox::End::kExited:
      return fmt::format("exit status {}", outcome.code);
    case sandbox::End::kSignalled:
      return fmt::format("ended by signal {}", outcome.code);
    default:
      return fmt::format("stopped for {}", sandbox::to_string(outcome.end));
  }
}

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const auto line = text.substr(text.rfind('\n') + 1);
  return std::string(line.substr(0, 200));
}

Finding finding_of(Frame::Kind kind) {
  switch (kind) {
    case Frame::Kind::kSyntax:
    case Frame::Kind::kMissing:
      return Finding::kCompileError;
    case Frame::Kind::kMemory:
      return Finding::kMemory;
    case Frame::Kind::kUnusable:
      return Finding::kWrong;
    default:
      return Finding::kRuntimeError;
  }
}

Value text_value(std::string text) { return {.kind = Value::Kind::kString, .text = std::move(text), .items = {}}; }

// Scripts of programs that print what is no UTF-8 go to the checker with those bytes replaced.
std::string printable(const std::string& text) {
  std::string clean;
  for (const char c : text) clean += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return clean;
}

}  // namespace

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::kPassed:
      return "passed";
    case Finding::kWrong:
      return "wrong";
    case Finding::kNoProgram:
      return "no program";
    case Finding::kCompileError:
      return "compile error";
    case Finding::kRuntimeError:
      return "runtime error";
    case Finding::kTime:
      return "time limit";
    case Finding::kMemory:
      return "memory limit";
    case Finding::kOutput:
      return "output limit";
    case Finding::kUndecided:
      return "undecided";
  }
  return "?";
}

template <typename Make>
Build BuildCache::get(const std::string& key, const Make& make) {
  std::promise<Build> promise;
  std::shared_future<Build> found;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = by_key_.find(key); at != by_key_.end()) {
      newest_first_.splice(newest_first_.begin(), newest_first_, at->second);
      found = at->second->second;
    } else {
      newest_first_.emplace_front(key, promise.get_future().share());
      by_key_[key] = newest_first_.begin();
      ++num_made_;
      if (newest_first_.size() > capacity_) {
        by_key_.erase(newest_first_.back().first);
        newest_first_.pop_back();
      }
    }
  }
  if (found.valid()) {
    if (found.wait_for(kLongestBuild) == std::future_status::ready) return found.get();
    return {.program = {}, .detail = "another thread's compilation does not end"};
  }
  auto made = make();
  promise.set_value(made);
  if (made.end == Build::End::kFailed) {  // not the program's fault: the next one may try again
    const std::lock_guard lock(mutex_);
    if (const auto at = by_key_.find(key); at != by_key_.end()) {
      newest_first_.erase(at->second);
      by_key_.erase(at);
    }
  }
  return made;
}

int BuildCache::num_made() const {
  const std::lock_guard lock(mutex_);
  return num_made_;
}

Judge::Judge(JudgeOptions options)
    : options_(std::move(options)),
      sandbox_({.isolation = options_.isolation,
                .num_slots = options_.num_slots,
                .folders = {},
                .warm = warm_python(options_.toolchain)}),
      cache_(kMaxBuilds) {}

Build Judge::build(const Language& language, const std::string& source, const std::string& entry_point) {
  const auto make = [&] { return language.build(source, entry_point, options_.toolchain, sandbox_); };
  if (&language == &kPython) return make();
  std::string key = fmt::format("{}\n{}\n{}\n", language.name, entry_point, options_.toolchain.cpp);
  for (const auto& flag : options_.toolchain.cpp_flags) key += flag + "\n";
  key += source;
  return cache_.get(sha256_hex(std::as_bytes(std::span(key))), make);
}

Judge::CaseResult Judge::check(const Tests& tests, std::vector<Value> args) {
  const auto nonce = make_nonce();
  const auto job =
      kPython.call({.source = tests.checker->source, .binary = nullptr}, tests.checker->entry_point, args, nonce);
  const auto outcome = sandbox_.run(job, options_.limits);
  if (outcome.end == sandbox::End::kFailed) return {Finding::kUndecided, end_of(outcome)};
  const auto frame = parse_frame(outcome.result, nonce);
  // A checker that cannot work at all is the key's fault; one that stumbles over this output is the output's.
  if (frame.kind == Frame::Kind::kSyntax || frame.kind == Frame::Kind::kMissing) {
    return {Finding::kUndecided, "the tests' checker does not work: " + frame.text};
  }
  if (frame.kind != Frame::Kind::kValue) return {Finding::kWrong, "the checker could not read it: " + frame.text};
  const bool is_right = frame.value.kind == Value::Kind::kBool && frame.value.truth;
  return is_right ? CaseResult{Finding::kPassed, ""}
                  : CaseResult{Finding::kWrong, "the checker refuses it: " + to_text(frame.value).substr(0, 200)};
}

Judge::CaseResult Judge::run_call(const Language& language, const Program& program, const Tests& tests,
                                  const Case& one) {
  const auto nonce = make_nonce();
  const auto outcome =
      sandbox_.run(language.call(program, tests.entry_point, one.args, nonce), limits_for(options_, tests));
  if (const auto found = finding_of(outcome); found != Finding::kPassed)
    return {found, end_of(outcome), outcome.cpu_ms};
  const auto frame = parse_frame(outcome.result, nonce);
  if (frame.kind == Frame::Kind::kBroken) {
    const auto kind = outcome.result.empty() ? language.read_exit(outcome) : Frame::Kind::kError;
    return {finding_of(kind), fmt::format("{}, {} {}", frame.text, end_of(outcome), last_line(outcome.err)),
            outcome.cpu_ms};
  }
  if (frame.kind != Frame::Kind::kValue) return {finding_of(frame.kind), frame.text, outcome.cpu_ms};
  if (tests.checker) {
    auto checked =
        check(tests, {Value{.kind = Value::Kind::kList, .text = {}, .items = one.args}, one.result, frame.value});
    checked.cpu_ms = outcome.cpu_ms;
    return checked;
  }
  if (auto found = difference(one.result, frame.value, tests.compare)) return {Finding::kWrong, *found, outcome.cpu_ms};
  return {Finding::kPassed, "", outcome.cpu_ms};
}

Judge::CaseResult Judge::run_script(const Language& language, const Program& program, const Tests& tests,
                                    const Case& one) {
  const auto outcome = sandbox_.run(language.script(program, one.input), limits_for(options_, tests));
  if (const auto found = finding_of(outcome); found != Finding::kPassed)
    return {found, end_of(outcome), outcome.cpu_ms};
  if (outcome.end != sandbox::End::kExited || outcome.code != 0) {
    return {finding_of(language.read_exit(outcome)), fmt::format("{} {}", end_of(outcome), last_line(outcome.err)),
            outcome.cpu_ms};
  }
  if (tests.checker) {
    auto checked = check(tests, {text_value(printable(one.input)), text_value(printable(one.output)),
                                 text_value(printable(outcome.out))});
    checked.cpu_ms = outcome.cpu_ms;
    return checked;
  }
  const auto found = output_difference(one.output, outcome.out, tests.match, tests.tolerance.value_or(1e-6));
  return found ? CaseResult{Finding::kWrong, *found, outcome.cpu_ms} : CaseResult{Finding::kPassed, "", outcome.cpu_ms};
}

Judged Judge::judge_in(const Language& language, const std::string& source, const Tests& tests) {
  Judged judged{.num_cases = static_cast<int>(tests.cases.size()), .detail = ""};
  const auto built = build(language, source, tests.entry_point);
  if (built.end == Build::End::kFailed) return judged.detail = built.detail, judged;
  if (built.end == Build::End::kRefused) {
    judged.finding = Finding::kCompileError;
    judged.detail = built.detail;
    return judged;
  }
  std::optional<Finding> first_failure;
  int64_t cpu_ms = 0;
  for (size_t i = 0; i < tests.cases.size(); ++i) {
    const auto& one = tests.cases[i];
    CaseResult result{Finding::kTime, "no time is left for it"};
    if (cpu_ms <= options_.total_cpu_ms) {
      result = tests.is_call() ? run_call(language, built.program, tests, one)
                               : run_script(language, built.program, tests, one);
    }
    cpu_ms += result.cpu_ms;
    if (result.finding == Finding::kPassed) {
      ++judged.num_passed;
      continue;
    }
    if (!first_failure) judged.detail = fmt::format("test {}: {}", i + 1, result.detail);
    if (!first_failure || result.finding == Finding::kUndecided) first_failure = result.finding;
    if (result.finding == Finding::kUndecided) judged.detail = fmt::format("test {}: {}", i + 1, result.detail);
    if (options_.credit == Credit::kBinary || result.finding == Finding::kUndecided ||
        result.finding == Finding::kCompileError)
      break;
  }
  judged.finding = first_failure.value_or(Finding::kPassed);
  return judged;
}

Judged Judge::judge_program(const std::string& source, const Tests& tests) {
  const auto* language = find_language(tests.language.empty() ? "python" : tests.language);
  if (language == nullptr)
    return {.detail = fmt::format("the language '{}' is unknown; known are {}", tests.language, language_names())};
  return judge_in(*language, source, tests);
}

Judged Judge::judge_completion(std::string_view completion, const Tests& tests) {
  const auto* language = find_language(tests.language.empty() ? "python" : tests.language);
  if (language == nullptr) return judge_program("", tests);
  const auto source = find_program(completion, language->fences, tests.block);
  if (source) return judge_in(*language, *source, tests);
  return {.finding = Finding::kNoProgram,
          .num_cases = static_cast<int>(tests.cases.size()),
          .detail = "there is no fenced block of code"};
}

}  // namespace r1::rewards::code
