#include "core/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/files.h"

namespace r1::json {
namespace {

constexpr size_t kMaxDepth = 64;  // our formats nest less than ten deep; a deeper document is an attack on the stack

// Builds the value like bj::parser, except for doubles: the parser of Boost 1.81 errs in a number's last digits, so
// its text is read again, exactly.
struct ExactHandler {
  static constexpr size_t max_object_size = bj::object::max_size();
  static constexpr size_t max_array_size = bj::array::max_size();
  static constexpr size_t max_key_size = bj::string::max_size();
  static constexpr size_t max_string_size = bj::string::max_size();

  bj::value_stack stack;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return true; }
  bool on_object_end(size_t n, bj::error_code&) { return stack.push_object(n), true; }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(size_t n, bj::error_code&) { return stack.push_array(n), true; }
  bool on_key_part(bj::string_view s, size_t, bj::error_code&) { return stack.push_chars(s), true; }
  bool on_key(bj::string_view s, size_t, bj::error_code&) { return stack.push_key(s), true; }
  bool on_string_part(bj::string_view s, size_t, bj::error_code&) { return stack.push_chars(s), true; }
  bool on_string(bj::string_view s, size_t, bj::error_code&) { return stack.push_string(s), true; }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(int64_t i, bj::string_view, bj::error_code&) { return stack.push_int64(i), true; }
  bool on_uint64(uint64_t u, bj::string_view, bj::error_code&) { return stack.push_uint64(u), true; }
  bool on_double(double near, bj::string_view text, bj::error_code& code) {
    double exact = near;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), exact);
    if (result.ec == std::errc::result_out_of_range) {
      if (std::abs(near) > 1) return code = bj::error::exponent_overflow, false;
      exact = std::copysign(0.0, near);  // too small to be told from zero
    }
    return stack.push_double(exact), true;
  }
  bool on_bool(bool b, bj::error_code&) { return stack.push_bool(b), true; }
  bool on_null(bj::error_code&) { return stack.push_null(), true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

// "LINE:COLUMN" of a byte, both from 1; a column is a character, not a byte.
std::string position_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return fmt::format("{}:{}", 1 + std::count(before.begin(), before.end(), '\n'),
                     1 + std::count_if(before.begin() + line_start, before.end(), is_first_byte));
}

std::string mend_for(const bj::error_code& code) {
  if (code == bj::error::incomplete) return "the text ends too early: check that it was written to its end";
  if (code == bj::error::too_deep) return fmt::format("nest at most {} arrays and objects", kMaxDepth);
  if (code == bj::error::extra_data) return "leave one JSON value here; for JSON Lines, one a line";
  return "write standard JSON (RFC 8259) in UTF-8: no comments, no trailing commas, no NaN";
}

std::string_view name_of(bj::kind kind) {
  switch (kind) {
    case bj::kind::null:
      return "null";
    case bj::kind::bool_:
      return "a boolean";
    case bj::kind::string:
      return "a string";
    case bj::kind::array:
      return "an array";
    case bj::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

[[noreturn]] void fail_type(const bj::value& found, std::string_view key, std::string_view wanted,
                            const std::string& where) {
  std::string shown = found.is_number() ? " " + dump(found) : "";
  throw Error(where, fmt::format("key '{}' is {}{}, wanted {}", key, name_of(found.kind()), shown, wanted),
              fmt::format("make '{}' {}", key, wanted));
}

[[noreturn]] void fail_missing(std::string_view key, std::string_view wanted, const std::string& where) {
  throw Error(where, fmt::format("key '{}' is missing", key), fmt::format("add '{}', {}", key, wanted));
}

constexpr std::string_view kInteger = "an integer of 64 bits";
constexpr std::string_view kNumber = "a number";
constexpr std::string_view kBool = "true or false";
constexpr std::string_view kString = "a string";

std::optional<int64_t> as_int(const bj::value& v) {
  if (v.is_int64()) return v.get_int64();
  if (!v.is_double()) return {};  // an unsigned one here is over 2^63
  const double d = v.get_double();
  if (!(d >= -0x1p63 && d < 0x1p63) || d != std::trunc(d)) return {};
  return static_cast<int64_t>(d);
}

std::optional<double> as_double(const bj::value& v) {
  if (!v.is_number()) return {};
  return v.to_number<double>();
}

std::optional<bool> as_bool(const bj::value& v) {
  if (!v.is_bool()) return {};
  return v.get_bool();
}

std::optional<std::string> as_string(const bj::value& v) {
  if (!v.is_string()) return {};
  return std::string(v.get_string());
}

// `read` gives nothing for a value of another type.
template <typename Read>
auto find(const bj::object& o, std::string_view key, std::string_view wanted, const std::string& where, Read read)
    -> decltype(read(bj::value())) {
  const bj::value* v = o.if_contains(key);
  if (v == nullptr || v->is_null()) return {};
  if (auto result = read(*v)) return result;
  fail_type(*v, key, wanted, where);
}

template <typename Read>
auto get(const bj::object& o, std::string_view key, std::string_view wanted, const std::string& where, Read read) {
  const bj::value* v = o.if_contains(key);
  if (v == nullptr) fail_missing(key, wanted, where);
  if (auto result = read(*v)) return *result;
  fail_type(*v, key, wanted, where);
}

}  // namespace

bj::value parse(std::string_view text, const std::string& where) {
  bj::parse_options options;
  options.max_depth = kMaxDepth;
  bj::basic_parser<ExactHandler> parser(options);
  parser.handler().stack.reset();
  bj::error_code code;
  size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (!code && used < text.size()) code = bj::error::extra_data;
  if (!code) return parser.handler().stack.release();
  throw Error(fmt::format("{}:{}", where, position_of(text, used)), fmt::format("not JSON: {}", code.message()),
              mend_for(code));
}

bj::value parse_file(const std::filesystem::path& path) { return parse(read_file(path), path.string()); }

int64_t get_int(const bj::object& o, std::string_view key, const std::string& where) {
  return get(o, key, kInteger, where, as_int);
}
double get_double(const bj::object& o, std::string_view key, const std::string& where) {
  return get(o, key, kNumber, where, as_double);
}
bool get_bool(const bj::object& o, std::string_view key, const std::string& where) {
  return get(o, key, kBool, where, as_bool);
}
std::string get_string(const bj::object& o, std::string_view key, const std::string& where) {
  return get(o, key, kString, where, as_string);
}

const bj::object& get_object(const bj::object& o, std::string_view key, const std::string& where) {
  return *get(o, key, "an object", where, [](const bj::value& v) -> std::optional<const bj::object*> {
    if (!v.is_object()) return {};
    return &v.get_object();
  });
}

const bj::array& get_array(const bj::object& o, std::string_view key, const std::string& where) {
  return *get(o, key, "an array", where, [](const bj::value& v) -> std::optional<const bj::array*> {
    if (!v.is_array()) return {};
    return &v.get_array();
  });
}

std::optional<int64_t> find_int(const bj::object& o, std::string_view key, const std::string& where) {
  return find(o, key, kInteger, where, as_int);
}
std::optional<double> find_double(const bj::object& o, std::string_view key, const std::string& where) {
  return find(o, key, kNumber, where, as_double);
}
std::optional<bool> find_bool(const bj::object& o, std::string_view key, const std::string& where) {
  return find(o, key, kBool, where, as_bool);
}
std::optional<std::string> find_string(const bj::object& o, std::string_view key, const std::string& where) {
  return find(o, key, kString, where, as_string);
}

}  // namespace r1::json
