#pragma once
// The part of Jinja that chat templates are written in, rendered byte for byte as jinja2 with trim_blocks and
// lstrip_blocks does (the settings of transformers). Templates come with models and are not trusted: nesting, steps and
// output are bounded, and there is nothing to call but the functions listed in jinja_functions.cpp.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "text/jinja_value.h"

namespace r1::text::jinja {

// What a rendering may take, and when it takes place.
struct Limits {
  int64_t max_work = 4'000'000;  // nodes evaluated, plus one for each 64 bytes of text made
  int64_t max_output_bytes = 64 << 20;
  int max_macro_depth = 32;    // macros that call macros
  std::optional<int64_t> now;  // what strftime_now shows, in seconds since 1970; the clock's time if absent
};

// A parsed template. Immutable and thread-safe.
class Template {
 public:
  // `name` opens errors, which tell the line. Tags, filters, tests and functions that are not implemented are refused
  // here, by name, whether or not a rendering would reach them.
  Template(std::string_view source, std::string name);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  // Throws Error for what the template raises (raise_exception), for what jinja2 would raise, and past a limit.
  std::string render(const std::map<std::string, Value>& variables, const Limits& limits = {}) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace r1::text::jinja
