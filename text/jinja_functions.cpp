#include "text/jinja_functions.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

namespace r1::text::jinja {
namespace {

constexpr std::string_view kFunctions[] = {"raise_exception", "namespace", "range", "dict", "strftime_now"};
constexpr int64_t kMaxRange = 100'000;  // jinja2's sandbox allows as many

Value range(const Arguments& arguments, Budget& budget) {
  const Bound bound("range", arguments, {"start", "stop", "step"});
  int64_t start = bound.integer(0, 0), stop = bound.integer(1, 0);
  if (!bound.find(1)) {
    stop = start;
    start = 0;
  }
  const int64_t step = bound.integer(2, 1);
  constexpr int64_t kBound = int64_t{1} << 40;  // far above kMaxRange, far below overflow
  if (step == 0 || std::max({std::abs(start), std::abs(stop), std::abs(step)}) > kBound) {
    fail("range() has a step of 0 or a bound out of reach", "give bounds below 2^40 and a step that is not 0");
  }
  const int64_t count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
  if (count > kMaxRange) fail(fmt::format("range() of {} numbers", count), fmt::format("at most {}", kMaxRange));
  std::vector<Value> items;
  for (int64_t i = 0; i < count; ++i) items.emplace_back(start + i * step);
  budget.spend(static_cast<int64_t>(items.size()));
  return Value::list(std::move(items));
}

std::vector<std::pair<std::string, Value>> keyword_items(std::string_view function, const Arguments& arguments) {
  if (!arguments.positional.empty()) {
    fail(fmt::format("{}() with plain arguments is not supported", function), "name every argument");
  }
  return arguments.named;
}

Value make_namespace(const Arguments& arguments) {
  auto space = std::make_shared<Namespace>();
  space->attributes.items = keyword_items("namespace", arguments);
  for (const auto& [name, value] : space->attributes.items) {
    if (depth_of(value) >= kNamespaceDepth)
      fail(fmt::format("namespace attribute '{}' nests too deep", name), "nest less");
  }
  return space;
}

Value strftime_now(const Arguments& arguments, int64_t now) {
  const Bound bound("strftime_now", arguments, {"format"});
  bound.require(0);
  const auto format = *bound.text(0);
  const auto seconds = static_cast<std::time_t>(now);
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[256];
  if (format.empty()) return "";
  const size_t size = std::strftime(text, sizeof(text), format.c_str(), &local);
  if (size == 0)
    fail(fmt::format("strftime_now('{}') is empty or longer than 255 bytes", format), "use a shorter format");
  return std::string(text, size);
}

int64_t clamp_index(int64_t index, int64_t size, int64_t low, int64_t high) {
  if (index < 0) index += size;
  return std::clamp(index, low, high);
}

}  // namespace

Bound::Bound(std::string_view function, const Arguments& arguments, std::initializer_list<std::string_view> parameters)
    : function_(function), names_(parameters), values_(parameters.size(), nullptr) {
  if (arguments.positional.size() > parameters.size()) {
    fail(fmt::format("{}() takes at most {} arguments and got {}", function, parameters.size(),
                     arguments.positional.size()),
         "leave the others out");
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto at = static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    if (at == names_.size() || values_[at]) {
      fail(fmt::format("{}() {} argument '{}'", function, at == names_.size() ? "has no" : "got twice the", name),
           "remove it");
    }
    values_[at] = &value;
  }
}

void Bound::wrong_type(size_t parameter, std::string_view wanted) const {
  fail(fmt::format("{}() got {} for '{}'", function_, type_name(*values_[parameter]), names_[parameter]),
       fmt::format("give {}", wanted));
}

const Value& Bound::require(size_t parameter) const {
  if (!values_[parameter]) fail(fmt::format("{}() lacks '{}'", function_, names_[parameter]), "give it");
  return *values_[parameter];
}

int64_t Bound::integer(size_t parameter, int64_t fallback) const {
  if (!values_[parameter]) return fallback;
  const auto* value = values_[parameter]->if_int();
  if (!value) wrong_type(parameter, "an integer");
  return *value;
}

std::optional<std::string> Bound::text(size_t parameter) const {
  if (!values_[parameter] || values_[parameter]->is_none()) return std::nullopt;
  const auto* value = values_[parameter]->if_string();
  if (!value) wrong_type(parameter, "a string");
  return *value;
}

bool Bound::truth(size_t parameter, bool fallback) const {
  return values_[parameter] ? truthy(*values_[parameter]) : fallback;
}

std::string supported_functions() { return fmt::format("supported functions: {}", fmt::join(kFunctions, ", ")); }

bool is_function(std::string_view name) {
  return std::find(std::begin(kFunctions), std::end(kFunctions), name) != std::end(kFunctions);
}

Value call_function(std::string_view name, const Arguments& arguments, int64_t now, Budget& budget) {
  if (name == "range") return range(arguments, budget);
  if (name == "namespace") return make_namespace(arguments);
  if (name == "dict") return Value::dict(keyword_items(name, arguments));
  if (name == "strftime_now") return strftime_now(arguments, now);
  const Bound bound("raise_exception", arguments, {"message"});
  fail(to_text(bound.require(0), budget), "change the conversation to what the template allows");
}

Value item_of(const Value& container, const Value& key) {
  if (container.is_undefined()) return attribute_of(container, "");
  if (const auto* dict = container.if_dict()) {
    const auto* name = key.if_string();
    const auto* found = name ? dict->find(*name) : nullptr;
    return found ? *found : Undefined{name ? fmt::format("dict object has no element '{}'", *name) : "no such element"};
  }
  const auto* index = key.if_int();
  const auto at = [&](int64_t size) {
    const int64_t i = *index < 0 ? *index + size : *index;
    return i >= 0 && i < size ? std::optional(static_cast<size_t>(i)) : std::nullopt;
  };
  if (const auto* list = container.if_list(); list && index) {
    const auto i = at(static_cast<int64_t>(list->items.size()));
    return i ? list->items[*i] : Undefined{fmt::format("list has no element {}", *index)};
  }
  if (container.if_string() && index) {
    Budget unlimited(INT64_MAX);  // the string itself was paid for
    const auto chars = items_of(container, unlimited);
    const auto i = at(static_cast<int64_t>(chars.size()));
    return i ? chars[*i] : Undefined{fmt::format("string has no character {}", *index)};
  }
  if (const auto* name = key.if_string()) return attribute_of(container, *name);
  return Undefined{fmt::format("{} object has no such element", type_name(container))};
}

Value attribute_of(const Value& value, std::string_view name) {
  if (const auto* undefined = std::get_if<Undefined>(&value.data)) {
    fail(fmt::format("'{}' is undefined", undefined->name), "test it with 'is defined' first, or pass it in");
  }
  const Value* found = nullptr;
  if (const auto* dict = value.if_dict()) found = dict->find(name);
  if (const auto* space = std::get_if<std::shared_ptr<Namespace>>(&value.data)) found = (*space)->attributes.find(name);
  if (found) return *found;
  if (const auto* loop = std::get_if<Loop>(&value.data)) {
    const int64_t i = loop->index0, size = loop->length;
    if (name == "index0") return i;
    if (name == "index") return i + 1;
    if (name == "revindex0") return size - i - 1;
    if (name == "revindex") return size - i;
    if (name == "first") return i == 0;
    if (name == "last") return i + 1 == size;
    if (name == "length") return size;
    if (name == "depth0") return int64_t{0};  // counts recursive loops, which there are none of
    if (name == "depth") return int64_t{1};
    if (name == "previtem" && i > 0) return loop->items->items[static_cast<size_t>(i - 1)];
    if (name == "nextitem" && i + 1 < size) return loop->items->items[static_cast<size_t>(i + 1)];
  }
  return Undefined{fmt::format("{} object has no attribute '{}'", type_name(value), name)};
}

Value slice_of(const Value& container, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  for (const auto* bound : {&start, &stop, &step}) {
    if (!bound->is_none() && !bound->if_int()) {
      fail(fmt::format("slice bound is {}", type_name(*bound)), "give integers");
    }
  }
  const int64_t stride = step.is_none() ? 1 : *step.if_int();
  if (stride == 0) fail("slice step is 0", "give another step");
  if (!container.if_list() && !container.if_string()) {
    fail(fmt::format("'{}' object cannot be sliced", type_name(container)), "slice a list or a string");
  }
  const auto items = items_of(container, budget);
  const auto size = static_cast<int64_t>(items.size());
  const bool is_forward = stride > 0;
  const int64_t low = is_forward ? 0 : -1, high = is_forward ? size : size - 1;
  const int64_t begin = start.is_none() ? (is_forward ? low : high) : clamp_index(*start.if_int(), size, low, high);
  const int64_t end = stop.is_none() ? (is_forward ? high : low) : clamp_index(*stop.if_int(), size, low, high);
  std::vector<Value> taken;
  const int64_t count = is_forward ? end - begin : begin - end;
  const int64_t reach = std::min(std::abs(std::max(stride, -INT64_MAX)), size + 1);  // no overflow below
  for (int64_t i = 0; i < count; i += reach) {
    taken.push_back(items[static_cast<size_t>(is_forward ? begin + i : begin - i)]);
  }
  if (container.if_list()) return container.if_list()->is_tuple ? Value::tuple(taken) : Value::list(taken);
  std::string text;
  for (const auto& c : taken) text += *c.if_string();
  return text;
}

}  // namespace r1::text::jinja
