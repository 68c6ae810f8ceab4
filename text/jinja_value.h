#pragma once
// Values of the template language: Python's, as far as templates can tell.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace r1::text::jinja {

struct Value;

// What a name stands for that nobody set: prints as nothing, is false, and any use of its content is an error.
struct Undefined {
  std::string name;  // as error texts show it
};
struct None {};
struct List {
  std::vector<Value> items;
  int depth = 1;  // 1 + that of the deepest item: bounds every recursion over values
  bool is_tuple = false;
};
struct Dict {
  std::vector<std::pair<std::string, Value>> items;  // in the order of insertion
  int depth = 1;
  const Value* find(std::string_view key) const;
};
// The one mutable value: {% set ns.key = value %}.
struct Namespace {
  Dict attributes;
};
struct Loop {
  int64_t index0 = 0, length = 0;
  std::shared_ptr<const List> items;
};
struct Statement;
// A macro of the template, or one of the built-in functions if `node` is null.
struct Callable {
  std::string name;
  const Statement* node = nullptr;
};

struct Value {
  using Text = std::shared_ptr<const std::string>;
  std::variant<Undefined, None, bool, int64_t, double, Text, std::shared_ptr<const List>, std::shared_ptr<const Dict>,
               std::shared_ptr<Namespace>, Loop, Callable>
      data;

  Value() : data(None{}) {}
  Value(Undefined v) : data(std::move(v)) {}  // NOLINT: implicit on purpose, like the rest
  Value(bool v) : data(v) {}                  // NOLINT
  Value(int64_t v) : data(v) {}               // NOLINT
  Value(double v) : data(v) {}                // NOLINT
  Value(std::string v) : data(std::make_shared<const std::string>(std::move(v))) {}  // NOLINT
  Value(std::string_view v) : Value(std::string(v)) {}                               // NOLINT
  Value(const char* v) : Value(std::string(v)) {}                                    // NOLINT
  Value(std::shared_ptr<Namespace> v) : data(std::move(v)) {}                        // NOLINT
  Value(Loop v) : data(std::move(v)) {}                                              // NOLINT
  Value(Callable v) : data(std::move(v)) {}                                          // NOLINT
  // Throw Error for nesting deeper than kMaxDepth.
  static Value list(std::vector<Value> items);
  static Value tuple(std::vector<Value> items);
  static Value dict(std::vector<std::pair<std::string, Value>> items);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data); }
  bool is_none() const { return std::holds_alternative<None>(data); }
  const bool* if_bool() const { return std::get_if<bool>(&data); }
  const int64_t* if_int() const { return std::get_if<int64_t>(&data); }
  const double* if_double() const { return std::get_if<double>(&data); }
  const std::string* if_string() const;
  const List* if_list() const;
  const Dict* if_dict() const;
};

// What opens the errors of code that does not know its line; the evaluator puts "NAME:LINE" in its place.
inline constexpr const char* kSomewhere = "chat template";
[[noreturn]] void fail(const std::string& what, const std::string& mend);

constexpr int kMaxDepth = 64;
// A namespace counts as this deep, so that none can come to hold itself.
constexpr int kNamespaceDepth = kMaxDepth / 2;
int depth_of(const Value& value);

// The work that a rendering may still do; every loop over template-made data spends from it.
class Budget {
 public:
  explicit Budget(int64_t work) : left_(work) {}
  // Throws Error when nothing is left.
  void spend(int64_t work);
  void spend_text(size_t bytes) { spend(1 + static_cast<int64_t>(bytes / 64)); }

 private:
  int64_t left_;
};

std::string_view type_name(const Value& value);  // Python's: "str", "NoneType", "Undefined", ...
bool truthy(const Value& value);
// Python's str() and repr().
std::string to_text(const Value& value, Budget& budget);
std::string to_repr(const Value& value, Budget& budget);
bool equal(const Value& a, const Value& b, Budget& budget);
// a < b as Python orders numbers, strings and lists; throws Error for what cannot be ordered.
bool less(const Value& a, const Value& b, Budget& budget);
// The items that a for loop sees: a list's, a dict's keys, a string's characters, nothing for an undefined value.
std::vector<Value> items_of(const Value& value, Budget& budget);

struct JsonStyle {
  int indent = -1;  // < 0: one line
  bool is_ascii = false;
  bool sorts_keys = false;
  std::string item_separator, key_separator;  // empty: Python's defaults
};
// json.dumps with ensure_ascii=False, as transformers' tojson.
std::string to_json(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace r1::text::jinja
