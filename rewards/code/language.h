#pragma once
// The languages that programs may be written in. A new one is a row in languages.cpp and a file like python.cpp.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/code/frame.h"
#include "rewards/code/tests.h"
#include "rewards/sandbox/sandbox.h"

namespace r1::rewards::code {

// Where the languages' programs are on this machine.
struct Toolchain {
  std::string python = "/usr/bin/python3";
  std::string cpp = "/usr/bin/g++";
  std::vector<std::string> cpp_flags = {"-std=c++20", "-O2", "-w"};
  sandbox::Limits compile_limits = {.cpu_ms = 30'000,
                                    .wall_ms = 90'000,
                                    .memory_bytes = int64_t{1} << 30,
                                    .output_bytes = 1 << 20,
                                    .result_bytes = 64 << 20,
                                    .disk_bytes = 256 << 20,
                                    .num_inodes = 1024,
                                    .max_processes = 16};
};

// A program that can be started any number of times.
struct Program {
  std::string source;
  std::shared_ptr<const sandbox::Binary> binary;  // of compiled languages
};

struct Build {
  enum class End { kBuilt, kRefused, kFailed };  // kRefused: the compiler's or its limits'; kFailed: the sandbox's
  End end = End::kFailed;
  Program program;
  std::string detail;
};

struct Language {
  std::string_view name;                     // in tests
  std::span<const std::string_view> fences;  // on the opening line of code blocks
  // `entry_point` is empty for whole programs.
  Build (*build)(const std::string& source, const std::string& entry_point, const Toolchain& toolchain,
                 sandbox::Sandbox& sandbox);
  sandbox::Job (*call)(const Program& program, const std::string& entry_point, const std::vector<Value>& args,
                       const std::string& nonce);
  sandbox::Job (*script)(const Program& program, const std::string& input);
  // What an exit says that is no result: kSyntax, kMemory or kError.
  Frame::Kind (*read_exit)(const sandbox::Outcome& outcome);
};

// Nothing for an unknown name.
const Language* find_language(std::string_view name);
// "python, cpp"
std::string language_names();

// The interpreter that python.cpp's jobs expect in the sandbox.
sandbox::WarmInterpreter warm_python(const Toolchain& toolchain);
// The harness's two files.
std::string_view python_harness();
std::string_view cpp_harness();

extern const Language kPython, kCpp;

}  // namespace r1::rewards::code
