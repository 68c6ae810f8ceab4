#include "rewards/code/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace r1::rewards::code {
namespace {

using Kind = Value::Kind;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  auto text = fmt::format("{}", number == 0 ? 0.0 : number);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::vector<std::string> texts_of(const std::vector<Value>& items) {
  std::vector<std::string> texts;
  for (const auto& item : items) texts.push_back(to_text(item));
  return texts;
}

std::string joined(const std::vector<std::string>& texts, char open, char close) {
  std::string out(1, open);
  for (const auto& text : texts) {
    if (out.size() > 1) out += ',';
    out += text;
  }
  return out + close;
}

// As json.dumps of Python writes keys.
std::string json_key(const Value& key) { return key.kind == Kind::kString ? key.text : to_text(key); }

std::string shortened(const Value& value) {
  auto text = to_text(value);
  if (text.size() > 120) text = text.substr(0, 117) + "...";
  return text;
}

std::string differ(const Value& expected, const Value& got) {
  return fmt::format("expected {}, got {}", shortened(expected), shortened(got));
}

bool is_number(const Value& v) { return v.kind == Kind::kInt || v.kind == Kind::kFloat; }

double as_double(const Value& v) { return v.kind == Kind::kFloat ? v.number : std::strtod(v.text.c_str(), nullptr); }

bool near(double expected, double got, double tolerance) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (expected == got) return true;
  if (std::isinf(expected) || std::isinf(got)) return false;
  return std::abs(expected - got) <= tolerance * std::max(1.0, std::abs(expected));
}

std::optional<std::string> dict_difference(const Value& expected, const Value& got, const CompareOptions& options) {
  using Entry = std::pair<std::string, const Value*>;
  bool has_text_keys_only = true;
  for (size_t i = 0; i < expected.items.size(); i += 2) has_text_keys_only &= expected.items[i].kind == Kind::kString;
  const auto entries = [&](const Value& dict) {
    std::vector<Entry> made;
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      made.emplace_back(has_text_keys_only ? json_key(dict.items[i]) : to_text(dict.items[i]), &dict.items[i + 1]);
    }
    std::sort(made.begin(), made.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
    return made;
  };
  const auto wanted = entries(expected), given = entries(got);
  if (wanted.size() != given.size()) return fmt::format("expected {} keys, got {}", wanted.size(), given.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].first != given[i].first)
      return fmt::format("expected key {}, got {}", wanted[i].first, given[i].first);
    if (auto found = difference(*wanted[i].second, *given[i].second, options)) {
      return fmt::format("at key {}: {}", wanted[i].first, *found);
    }
  }
  return std::nullopt;
}

std::optional<std::string> item_difference(const Value& expected, const Value& got, const CompareOptions& options) {
  if (expected.items.size() != got.items.size()) {
    return fmt::format("expected {} items, got {}: {}", expected.items.size(), got.items.size(), shortened(got));
  }
  for (size_t i = 0; i < expected.items.size(); ++i) {
    if (auto found = difference(expected.items[i], got.items[i], options)) return fmt::format("at [{}]: {}", i, *found);
  }
  return std::nullopt;
}

Value of_kind(Kind kind, std::vector<Value> items) { return {.kind = kind, .text = {}, .items = std::move(items)}; }

// The value that a tag names, or nothing if the tag's content does not fit.
std::optional<Value> tagged(const std::string& tag, Value& inner) {
  const bool is_list = inner.kind == Kind::kList;
  if (tag == "$tuple" && is_list) return of_kind(Kind::kTuple, std::move(inner.items));
  if (tag == "$set" && is_list) return of_kind(Kind::kSet, std::move(inner.items));
  if (tag == "$bytes" && inner.kind == Kind::kString)
    return Value{.kind = Kind::kBytes, .text = inner.text, .items = {}};
  if (tag == "$complex" && is_list && inner.items.size() == 2 && is_number(inner.items[0]) &&
      is_number(inner.items[1])) {
    for (auto& part : inner.items) part = {.kind = Kind::kFloat, .number = as_double(part), .text = {}, .items = {}};
    return of_kind(Kind::kComplex, std::move(inner.items));
  }
  if (tag == "$float" && inner.kind == Kind::kString) {
    const double infinite = std::numeric_limits<double>::infinity();
    const double number = inner.text == "inf" ? infinite : inner.text == "-inf" ? -infinite : std::nan("");
    return Value{.kind = Kind::kFloat, .number = number, .text = {}, .items = {}};
  }
  if (tag == "$dict" && is_list) {
    Value dict{.kind = Kind::kDict, .text = {}, .items = {}};
    for (auto& pair : inner.items) {
      if (pair.items.size() != 2) return std::nullopt;
      for (auto& part : pair.items) dict.items.push_back(std::move(part));
    }
    return dict;
  }
  return std::nullopt;
}

}  // namespace

Value without_tags(Value value) {
  for (auto& item : value.items) item = without_tags(std::move(item));
  if (value.kind == Kind::kDict && value.items.size() == 2 && value.items[0].text.starts_with("$")) {
    if (auto made = tagged(value.items[0].text, value.items[1])) return std::move(*made);
  }
  return value;
}

std::optional<std::string> difference(const Value& expected, const Value& got, const CompareOptions& options) {
  if (is_number(expected) && is_number(got)) {
    const bool is_same_kind = expected.kind == got.kind;
    if (!is_same_kind && expected.kind == Kind::kInt && options.numbers == Numbers::kByType) {
      return differ(expected, got) + " (a float for an integer)";
    }
    const bool is_equal = is_same_kind && expected.kind == Kind::kInt
                              ? expected.text == got.text
                              : near(as_double(expected), as_double(got), options.tolerance);
    return is_equal ? std::nullopt : std::optional(differ(expected, got));
  }
  const bool is_list_like = expected.kind == Kind::kList && got.kind == Kind::kTuple;
  if (expected.kind != got.kind && !is_list_like) return differ(expected, got);
  switch (expected.kind) {
    case Kind::kNull:
      return std::nullopt;
    case Kind::kBool:
      return expected.truth == got.truth ? std::nullopt : std::optional(differ(expected, got));
    case Kind::kDict:
      return dict_difference(expected, got, options);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kComplex:
      return item_difference(expected, got, options);
    default:
      return to_text(expected) == to_text(got) ? std::nullopt : std::optional(differ(expected, got));
  }
}

std::string to_text(const Value& value) {
  switch (value.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return value.truth ? "true" : "false";
    case Kind::kInt:
      return value.text;
    case Kind::kFloat:
      return number_text(value.number);
    case Kind::kString:
      return quoted(value.text);
    case Kind::kBytes:
      return "b" + quoted(value.text);
    case Kind::kList:
      return joined(texts_of(value.items), '[', ']');
    case Kind::kTuple:
      return joined(texts_of(value.items), '(', ')');
    case Kind::kComplex:
      return "c" + joined(texts_of(value.items), '(', ')');
    case Kind::kSet: {
      auto texts = texts_of(value.items);
      std::sort(texts.begin(), texts.end());
      return joined(texts, '<', '>');
    }
    case Kind::kDict: {
      std::vector<std::string> texts;
      for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
        texts.push_back(to_text(value.items[i]) + ":" + to_text(value.items[i + 1]));
      }
      std::sort(texts.begin(), texts.end());
      return joined(texts, '{', '}');
    }
  }
  return "";
}

std::string to_json(const Value& value) {
  const auto list = [](const std::vector<Value>& items) {
    std::vector<std::string> texts;
    for (const auto& item : items) texts.push_back(to_json(item));
    return joined(texts, '[', ']');
  };
  switch (value.kind) {
    case Kind::kList:
      return list(value.items);
    case Kind::kTuple:
      return "{\"$tuple\":" + list(value.items) + "}";
    case Kind::kSet:
      return "{\"$set\":" + list(value.items) + "}";
    case Kind::kComplex:
      return "{\"$complex\":" + list(value.items) + "}";
    case Kind::kBytes:
      return "{\"$bytes\":" + quoted(value.text) + "}";
    case Kind::kFloat:
      return std::isfinite(value.number) ? number_text(value.number)
                                         : "{\"$float\":\"" + number_text(value.number) + "\"}";
    case Kind::kDict: {
      std::vector<std::string> texts;
      for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
        texts.push_back("[" + to_json(value.items[i]) + "," + to_json(value.items[i + 1]) + "]");
      }
      return "{\"$dict\":" + joined(texts, '[', ']') + "}";
    }
    default:
      return to_text(value);
  }
}

}  // namespace r1::rewards::code
